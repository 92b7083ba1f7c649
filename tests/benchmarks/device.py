"""strag on a graphics card, checked and timed: `python -m tests.benchmarks.device --output DIR`.

It needs a copy of this repository, Python >= 3.10, torch >= 2.4 with CUDA, numpy, safetensors, click, tqdm
and rich, and no network: the data are mnist8k. Run it in the root of the repository; `make device` does so
with the Python that PYTHON names. It is made for eight minutes on one card: nothing new begins after
`--seconds`, and what is left out is reported.

First it checks that trainings on the card are those on the processor, see `tests.benchmarks.device_checks`.
Then it times strag against plain loops of torch, which train one network after another and look at error,
misclassified examples and radii in a second pass: perceptrons in float32 and in bfloat16, by autocast on the
plain side, and convolutional networks in float32; full batches, looked at after every update, and
mini-batches, looked at after every epoch. The sides take turns; a ratio above 1 says that strag is faster.
The rows "in tiles of 8192" show what larger tiles would change.

It writes DIR/device.json and DIR/device.md. Exit status 1 means that a check or a row failed.
"""

import argparse
import json
import platform
import sys
import time
import traceback
from pathlib import Path

import numpy as np

from tests.benchmarks.device_checks import CHECKS, REPO
from tests.benchmarks.plain import convolutional, network, two_passes

PAIRS = 3
SHORTEST = 4.0  # seconds for which a row is still measured
LONGEST = 5.0  # seconds of one side of a pair
CNN = {"model": "cnn"}
ROWS = {  # the options of strag, and the batch size
    f"perceptron, {runs} runs, {precision}{', mini-batches' if batch else ''}": (
        {"runs": runs, "precision": precision},
        batch,
        None,
    )
    for runs in (64, 512)
    for precision in ("float32", "bfloat16")
    for batch in (None, 256)
} | {
    "cnn, 2 runs": ({**CNN, "runs": 2}, None, None),
    "cnn, 2 runs, in tiles of 8192": ({**CNN, "runs": 2}, None, 8192),
    "cnn, 2 runs, mini-batches": ({**CNN, "runs": 2}, 256, None),
    "cnn, 2 runs, mini-batches, in tiles of 8192": ({**CNN, "runs": 2}, 256, 8192),
}


def images(P, Q):
    """A Dataset of the first P training images of mnist8k and the first Q test images."""
    from strag.datasets import catalogue
    from strag.datasets.dataset import Dataset

    data = catalogue.load("mnist8k")
    return Dataset(data.x[:P], data.y[:P], np.arange(P), data.x_test[:Q], data.y_test[:Q], labels="parity")


class Row:
    """A training by both sides: options of strag, and how many epochs are timed."""

    def __init__(self, device, data, options, batch, tile):
        from strag.training.prepare import prepare
        from strag.training.recipe import Recipe

        self.device, self.batch, self.tile = device, batch, tile
        self.is_cnn = options.get("model") == "cnn"
        self.updates_per_epoch = 1 if batch is None else -(-len(data.y) // batch)
        more = {} if batch is None else {"batch_size": batch}
        every = str(self.updates_per_epoch)
        self.recipe = Recipe.of(**options, **more, record_every=every, test_every="never")
        self.task, _, _ = prepare(self.recipe, data)

    def strag(self, epochs):
        """Seconds that strag needs for so many epochs of all runs, with the start of the groups."""
        from dataclasses import replace

        from strag.training import module_architecture
        from strag.training.loop import train

        before = module_architecture.TILE
        module_architecture.TILE = self.tile or before
        start = time.perf_counter()
        try:
            for _ in train(replace(self.recipe, epochs=epochs), self.task, device=self.device):
                pass
        finally:
            module_architecture.TILE = before
        return time.perf_counter() - start

    def plain(self, epochs):
        """Seconds that the plain loop needs for so many epochs of one run."""
        import torch

        start = time.perf_counter()
        x = torch.from_numpy(self.task.x).to(self.device)
        y = torch.from_numpy(self.task.group).to(self.device)
        if self.is_cnn:
            shape = (1, *self.task.shape)
            net, x = convolutional(shape), x.view(-1, *shape)
        else:
            net = network(x.shape[1])
        autocast = torch.autocast(
            torch.device(self.device).type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16"
        )
        with autocast:
            two_passes(net.to(self.device), x, y, epochs, batch_size=self.batch)
        return time.perf_counter() - start

    def measured(self, seconds):
        """Milliseconds per network-update of both sides, and their ratio, within about so many seconds."""
        share, numbers = min(LONGEST, seconds / (2 * PAIRS + 2)), {}
        for name, side in (("strag", self.strag), ("plain", self.plain)):
            side(1)
            numbers[name] = max(2, int(share / max(1e-6, side(2) / 2)))
        times = {"plain": [], "strag": []}
        for _ in range(PAIRS):
            for name, side, runs in (("plain", self.plain, 1), ("strag", self.strag, self.recipe.runs)):
                updates = runs * numbers[name] * self.updates_per_epoch
                times[name].append(1e3 * side(numbers[name]) / updates)
        ratios = [a / b for a, b in zip(times["plain"], times["strag"], strict=True)]
        values = {"ratio": ratios, "plain_ms": times["plain"], "strag_ms": times["strag"]}
        return {
            "pairs": PAIRS,
            "epochs": numbers,
            **{k: {"median": float(np.median(v)), "low": min(v), "high": max(v)} for k, v in values.items()},
        }


def attempt(work):
    """The result of `work` and its seconds; a failure is part of the result."""
    start = time.perf_counter()
    try:
        found = {"result": work()}
    except Exception as error:  # the others go on
        traceback.print_exc()
        found = {"failed": f"{type(error).__name__}: {error}"[:500]}
    return {**found, "seconds": round(time.perf_counter() - start, 1)}


def machine(device):
    """What the figures are measured on."""
    import torch

    is_card = torch.device(device).type == "cuda"
    return {
        "device": torch.cuda.get_device_name() if is_card else platform.processor() or platform.machine(),
        "cards": torch.cuda.device_count() if is_card else 0,
        "cuda": torch.version.cuda,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def measure(device, seconds, is_small):
    """All checks and rows within about so many seconds: dict, as in device.json."""
    import strag

    begun = time.perf_counter()
    results = {"machine": machine(device), "strag": strag.__version__, "date": time.strftime("%Y-%m-%d")}
    results |= {"checks": {}, "rows": {}}
    few = images(300, 60) if is_small else images(2000, 500)
    whole = images(300, 60) if is_small else images(8192, 60)
    rows = {k: v for k, v in ROWS.items() if not is_small or v[0]["runs"] < 100}
    todo = [("checks", name, lambda _, check=check: check(device, few)) for name, check in CHECKS.items()]
    todo += [
        ("rows", name, lambda left, row=row: Row(device, whole, *row).measured(left))
        for name, row in rows.items()
    ]
    for at, (kind, name, work) in enumerate(todo):
        left = seconds - (time.perf_counter() - begun)
        share = min(left, 2.0) if is_small else 0.8 * left / (len(todo) - at)
        if left < SHORTEST or (kind == "rows" and not is_small and share < SHORTEST):
            results[kind][name] = {"skipped": "no time was left"}
        else:
            results[kind][name] = attempt(lambda work=work, share=share: work(share))
        print(f"{name}: {json.dumps(results[kind][name])}", file=sys.stderr, flush=True)
    results["seconds"] = round(time.perf_counter() - begun, 1)
    return results


def markdown(results):
    """The tables of device.md."""
    here = results["machine"]
    lines = ["| check | | seconds |", "|---|---|---|"]
    for name, found in results["checks"].items():
        state = found.get("failed") or found.get("skipped") or f"holds; {found['result']}"
        lines.append(f"| {name} | {state} | {found.get('seconds', '')} |".replace("\n", " "))
    lines += [
        "",
        "| plain loop / strag | median | smallest to largest | plain, ms | strag, ms |",
        "|---|---|---|---|---|",
    ]
    for name, found in results["rows"].items():
        if "result" not in found:
            lines.append(f"| {name} | {found.get('failed') or found['skipped']} | | | |".replace("\n", " "))
            continue
        row = found["result"]
        ratio, plain, ours = row["ratio"], row["plain_ms"]["median"], row["strag_ms"]["median"]
        spread = f"{ratio['low']:.2f} to {ratio['high']:.2f}"
        lines.append(f"| {name} | {ratio['median']:.2f} | {spread} | {plain:.3f} | {ours:.3f} |")
    lines += [
        "",
        f"{here['device']}, {here['cards']} cards, CUDA {here['cuda']}; Python {here['python']}, "
        f"torch {here['torch']}, numpy {here['numpy']}, strag {results['strag']}; {results['date']}; "
        f"n = {PAIRS} pairs in turn; milliseconds per network-update; {results['seconds']:.0f} s in all.",
    ]
    return "\n".join(lines) + "\n"


def main():
    """Measure, write and print."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=str(REPO / "tests" / "benchmarks" / "out"), help="folder")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=420, help="after which nothing new begins")
    parser.add_argument("--small", action="store_true", help="few images and rows, to try the script")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no graphics card with CUDA")
    results = measure(options.device, options.seconds, options.small)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "device.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "device.md").write_text(markdown(results))
    print(markdown(results))
    return int(any("failed" in found for kind in ("checks", "rows") for found in results[kind].values()))


if __name__ == "__main__":
    sys.exit(main())
