"""What a Recorder costs: `python -m tests.benchmarks.recorder`.

The network is a ResNet-18 of width 16 on made-up images of the size of CIFAR-10, in batches of 128.

- pull: `record` against a bare forward pass in evaluation mode over the same loader;
- push: `update` with a batch against the step of the training that made it.

Both sides of a ratio take turns in one process. Then 50 records show whether memory grows by more than bits.
Prints Markdown and writes `recorder.json` beside this file.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from strag import Recorder
from tests.benchmarks.run import machine, spread

REPO = Path(__file__).parents[2]
C, WIDTH, BATCH = 10, 16, 128
STAGES = ["layer1", "layer2", "layer3"]
LAYERS = {  # what is recorded besides predictions
    "predictions": [],
    "three layers, means over positions": [f"{layer}:mean" for layer in STAGES],
    "three layers, flattened": STAGES,
}
RECORDS = 50
PAGE = 4096


def network():
    """The ResNet-18 of the examples."""
    sys.path.insert(0, str(REPO / "examples" / "resnet"))
    from resnet import ResNet18

    torch.manual_seed(0)
    return ResNet18(C, width=WIDTH)


def images(examples):
    """A data set of made-up images."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(examples, 3, 32, 32, generator=random)
    return TensorDataset(x, torch.randint(C, (examples,), generator=random))


def timed(function):
    """Seconds that a function takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def bare(model, loader):
    """A forward pass in evaluation mode."""
    model.eval()
    with torch.no_grad():
        for x, _ in loader:
            model(x)
    model.train()


def pull(examples, times):
    """For each choice of LAYERS, the ratios of `record` to a bare pass in turn: dict of name to list."""
    loader, ratios = DataLoader(images(examples), BATCH), {name: [] for name in LAYERS}
    model = network()
    recorders = {name: Recorder(model, layers, loader) for name, layers in LAYERS.items()}
    for update in range(times + 1):
        with torch.no_grad():
            model.fc.bias += 1e-3  # what is recorded has to change
        for name, recorder in recorders.items():
            below = timed(lambda: bare(model, loader))
            above = timed(lambda recorder=recorder, update=update: recorder.record(update))
            below = (below + timed(lambda: bare(model, loader))) / 2
            if update:  # the first one warms up
                ratios[name].append(above / below)
    return ratios


def push(examples, times):
    """The shares of a training step that `update` takes, for two recorders: dict of name to list."""
    data, model = images(examples).tensors, network()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    kept = {}
    for layer in STAGES:
        model.get_submodule(layer).register_forward_hook(
            lambda _, __, h, layer=layer: kept.update({layer: h})
        )
    shares = {"predictions, online": [], "three layers, means over positions": []}
    recorders = [
        Recorder(examples=examples, classes=C, recording="online"),
        Recorder(examples=examples, classes=C),
    ]
    for update in range(times + 1):
        spent, steps = [0.0, 0.0], 0.0
        for ids in torch.arange(examples).split(BATCH):
            start = time.perf_counter()
            x, y = data[0][ids], data[1][ids]
            optimiser.zero_grad()
            logits = model(x)
            nn.functional.cross_entropy(logits, y).backward()
            optimiser.step()
            steps += time.perf_counter() - start
            means = {}
            spent[0] += timed(lambda: recorders[0].update(ids, logits, y))  # noqa: B023
            spent[1] += timed(lambda: means.update({n: h.detach().mean(dim=(2, 3)) for n, h in kept.items()}))  # noqa: B023
            spent[1] += timed(lambda: recorders[1].update(ids, logits, y, means))  # noqa: B023
        for place, recorder in enumerate(recorders):
            spent[place] += timed(lambda recorder=recorder, update=update: recorder.record(update))
        if update:
            for name, seconds in zip(shares, spent, strict=True):
                shares[name].append(seconds / steps)
    return shares


def resident():
    """Bytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def growth(examples):
    """Bytes that each of the last 40 of RECORDS records of three flattened layers leaves in memory."""
    model, loader = network(), DataLoader(images(examples), BATCH)
    recorder, held = Recorder(model, STAGES, loader), []
    for update in range(RECORDS):
        with torch.no_grad():
            model.fc.bias += 1e-3
        recorder.record(update)
        held.append(resident())
    return (held[-1] - held[9]) / (RECORDS - 10)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=2048)
    parser.add_argument("--times", type=int, default=7, help="repetitions of every ratio")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", default=str(Path(__file__).with_suffix(".json")), help="where to write it")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = {
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
        "examples": options.examples,
        "threads": options.threads,
    }
    result["pull"] = pull(options.examples, options.times)
    result["push"] = push(options.examples, options.times)
    result["bytes per record"] = growth(min(options.examples, 512))
    print("| | median | smallest to largest |\n|---|---|---|")
    for form, text in (("pull", "`record` / forward pass"), ("push", "`update` / training step")):
        for name, ratios in result[form].items():
            found = spread(ratios)
            low, high = f"{found['low']:.3f}", f"{found['high']:.3f}"
            print(f"| {form}: {text}, {name} | {found['median']:.3f} | {low} to {high} |")
    print(f"\nMemory per record: {result['bytes per record']:.0f} bytes")
    Path(options.keep).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
