"""strag's convolutional networks against a plain loop: `python -m tests.benchmarks.convolutional`.

Both sides train the same networks on the full batch, and look at error, misclassified examples and radii
at every update. The plain loop computes the batch in one piece, with all threads, and makes a second pass
for what it looks at. strag runs as with `--workers auto`. The sides take turns, each in a process of its
own, and the time is that of an update of one network, without start-up; what the last update leaves must be
the same.
Prints Markdown and writes `convolutional.json` beside this file.

`python -m tests.benchmarks.convolutional '{"side": ...}'` measures one side and prints JSON.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.run import machine, spread
from tests.benchmarks.side import data_of

UPDATES = {8192: 24, 2048: 80}  # of each network, by the number of examples
WARM = 3  # updates before the time counts
MOST = 2  # examples that rounding may move across the decision boundary
NEAR = 1e-4  # relative difference of radii that is rounding


def recipe_and_task(P, updates, runs):
    """The Recipe of the networks, and their Task on P images of mnist8k."""
    from strag.training.prepare import prepare
    from strag.training.recipe import Recipe

    recipe = Recipe.of(model="cnn", runs=runs, epochs=updates, test_every="never", record_every="1")
    data = data_of(8192)
    task, _, _ = prepare(recipe, data.rows(np.arange(P)))
    return recipe, task


def plain(P, updates, runs):
    """Seconds per network-update of the plain loop, and what the last update leaves."""
    import torch

    from tests.benchmarks.plain import convolutional, two_passes

    recipe, task = recipe_and_task(P, updates, runs)
    x = torch.from_numpy(task.x).view(P, 1, *task.shape)
    y = torch.from_numpy(task.group)
    seconds, left = 0, []
    for run in range(runs):
        net = convolutional(x.shape[1:])
        initial = recipe.architecture.initial(task.ends, recipe.seed, run).values()
        with torch.no_grad():
            for parameter, values in zip(net.parameters(), initial, strict=True):
                parameter.copy_(values)
        two_passes(net, x, y, WARM)
        start = time.perf_counter()
        left.append(two_passes(net, x, y, updates - WARM)[-1])
        seconds += time.perf_counter() - start
    return seconds / runs / (updates - WARM), [(wrong, radii) for _, radii, wrong in left]


def strag(P, updates, runs):
    """Seconds per network-update of strag, and what the last update leaves; every record is written.

    The clock runs from the moment when all runs have reached WARM until the first one ends.
    """
    from strag.api.crew import crew_for
    from strag.api.workers import train_by
    from strag.bits import pack
    from strag.files.history import HistoryWriter
    from strag.training.loop import train

    recipe, task = recipe_and_task(P, updates, runs)
    crew = crew_for("auto", recipe, task.ends, "cpu")
    meta = {"runs": list(range(runs)), "classes": ["even", "odd"], "layers": list(recipe.layers)}
    whole = {"updates": recipe.recorded(P), "trained": pack(np.ones((runs, P), dtype=bool))}
    whole |= {"index": task.index, "y": task.group, "group": task.group}
    reached, left, begun, ended = [-1] * runs, [None] * runs, None, None
    with tempfile.TemporaryDirectory() as folder:
        writer = HistoryWriter(str(Path(folder) / "h"), meta, whole, 1)
        with writer:
            for record in train_by(crew, recipe, task) if crew else train(recipe, task):
                writer.add(record)
                run = record.runs.start
                reached[run] = record.update
                left[run] = record.misclassified[0], record.measures["radius"][0, 0].tolist()
                if begun is None and min(reached) >= WARM:
                    begun = time.perf_counter(), sum(reached)
                if ended is None and record.update == updates:
                    ended = time.perf_counter(), sum(reached)
            writer.commit()
    return (ended[0] - begun[0]) / (ended[1] - begun[1]), left


def measured(side):
    """What a process says of one side: its time, and what the last update leaves."""
    command = [sys.executable, "-m", __spec__.name, json.dumps(side)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def require_same(a, b):
    """Fail unless two sides leave the same networks, to rounding."""
    for run, (ours, theirs) in enumerate(zip(a["left"], b["left"], strict=True)):
        moved = len(set(ours["wrong"]) ^ set(theirs["wrong"]))
        assert moved <= MOST, f"the sides differ in {moved} misclassified examples of run {run}"
        np.testing.assert_allclose(ours["radii"], theirs["radii"], rtol=NEAR)


def compare(P, updates, repetitions, runs):
    """Milliseconds per network-update of both sides on P images, and the ratio within each repetition."""
    times = {"plain": [], "strag": []}
    for number in range(repetitions):
        found = {}
        for name in times:
            found[name] = measured({"side": name, "P": P, "updates": updates, "runs": runs})
            times[name].append(1e3 * found[name]["per_network_update"])
            print(f"{number + 1}/{repetitions} P = {P} {name}: {times[name][-1]:.1f} ms", file=sys.stderr)
        require_same(*found.values())
    ratios = [a / b for a, b in zip(times["plain"], times["strag"], strict=True)]
    return {"updates": updates, "ratio": spread(ratios), **{k: spread(v) for k, v in times.items()}}


def markdown(results):
    """The table of the ratios, and what they were measured on."""
    here = results["machine"]
    lines = [
        "| plain loop / strag, `--model cnn --workers auto` | median | smallest to largest |",
        "|---|---|---|",
    ]
    for P, row in results["examples"].items():
        ratio = row["ratio"]
        lines.append(f"| {P} images | {ratio['median']:.2f} | {ratio['low']:.2f} to {ratio['high']:.2f} |")
    times = "; ".join(
        f"{P} images: plain {row['plain']['median']:.0f}, strag {row['strag']['median']:.0f}"
        for P, row in results["examples"].items()
    )
    lines += [
        "",
        f"{here['processor']}, {here['cores']} cores; Python {here['python']}, torch {here['torch']}; "
        f"{results['date']}; {results['runs']} networks, n = {results['repetitions']} repetitions in turn. "
        f"Milliseconds per network-update, {times}.",
    ]
    return "\n".join(lines) + "\n"


def main():
    """Measure one side, or compare, print and keep."""
    from strag.api.sharing import cores

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("side", nargs="?", type=json.loads)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--keep", default=str(Path(__file__).with_suffix(".json")), help="where to write it")
    options = parser.parse_args()
    if options.side:
        sides = {"plain": plain, "strag": strag}
        seconds, left = sides[options.side.pop("side")](**options.side)
        shown = [{"wrong": np.flatnonzero(wrong).tolist(), "radii": list(radii)} for wrong, radii in left]
        print(json.dumps({"per_network_update": seconds, "left": shown}))
        return
    runs = cores()
    results = {
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
        "repetitions": options.repetitions,
        "runs": runs,
        "examples": {
            str(P): compare(P, updates, options.repetitions, runs) for P, updates in UPDATES.items()
        },
    }
    Path(options.keep).write_text(json.dumps(results, indent=1) + "\n")
    print(markdown(results))


if __name__ == "__main__":
    main()
