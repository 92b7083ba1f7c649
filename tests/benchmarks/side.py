"""One side of a comparison, in a process of its own: `python -m tests.benchmarks.side '{"side": ...}'`.

Prints JSON: seconds per network-update, without imports, data and a warm-up; and the peak of memory.
"""

import json
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path


def measure(side, updates, runs=10, precision="float32", test=False, P=8192, **more):
    """Time one side: strag, weighted (with a 0/1 weight per example), products, notebook_like or careful."""
    if side in ("strag", "weighted"):
        seconds = _strag(updates, runs, precision, test, P, side == "weighted", **more)
    elif side == "products":
        seconds = _products(updates, runs, precision, P)
    else:
        seconds = _plain(side, updates, runs, test)
    return {
        "per_network_update": seconds / (runs * updates),
        "seconds": seconds,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def data_of(P):
    from strag.datasets import catalogue
    from strag.datasets.dataset import Dataset

    data = catalogue.load("mnist8k")
    if len(data.y) == P:
        return data
    import numpy as np

    rows = np.arange(P) % len(data.y)  # more than there are: their arithmetic is the same
    return Dataset(data.x[rows], data.y[rows], np.arange(P), data.x_test, data.y_test, labels="parity")


def _strag(updates, runs, precision, test, P, weighted, **more):
    import numpy as np

    from strag.bits import pack
    from strag.files.history import HistoryWriter
    from strag.training.loop import train
    from strag.training.prepare import prepare
    from strag.training.recipe import Recipe

    recipe = Recipe.of(
        runs=runs, epochs=updates, precision=precision, test_every="1" if test else "never", **more
    )
    data = data_of(P)
    removed = [np.arange(run % 7, P, 11) for run in range(runs)] if weighted else None
    task, _, _ = prepare(recipe, data, removed)
    trained = np.ones((runs, P), dtype=bool) if task.trained is None else task.trained
    meta = {"runs": list(range(runs)), "classes": ["even", "odd"], "layers": list(recipe.layers)}
    tested = recipe.tested(P)
    whole = {"updates": recipe.recorded(P), "trained": pack(trained)}
    whole |= {"index": data.index, "y": data.y, "group": data.groups}
    whole |= {"test_updates": tested, "y_test": data.y_test} if tested else {}
    for _ in train(replace(recipe, epochs=1, runs=min(runs, 32)), _first(task, 32)):
        pass  # warm-up
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        writer = HistoryWriter(str(Path(folder) / "h"), meta, whole, len(recipe.noise))
        with writer:
            for record in train(recipe, task):
                writer.add(record)
            writer.commit()
        return time.perf_counter() - start


def _first(task, runs):
    trained = None if task.trained is None else task.trained[:runs]
    return replace(task, trained=trained, seed_runs=task.seed_runs[:runs])


def _products(updates, runs, precision, P):
    """The two products of the first layer alone, at the shapes and in the tiles that strag uses."""
    import torch

    from strag.training.architecture import Ends
    from strag.training.perceptron import Perceptron
    from strag.training.products import add_product, product

    dtype, d = getattr(torch, precision), 669
    networks, ends = Perceptron(), Ends((784,), d, 2)
    size = min(runs, networks.group_size(ends))
    M, tile = size * networks.width, networks.tile(size, ends)
    x, weight = torch.randn(P, d).to(dtype), torch.randn(M, d).to(dtype)
    slope, below, gradient = torch.randn(M, tile), torch.empty(M, tile), torch.zeros(M, d)

    def update():
        for start in range(0, P, tile):
            part = x[start : start + tile]
            product(weight, part.t(), below)
            add_product(dtype, slope, part, gradient)

    update()
    start = time.perf_counter()
    for _ in range(updates):
        update()
    return (time.perf_counter() - start) * runs / size


def _plain(side, updates, runs, test):
    import torch

    from strag.training.prepare import prepare
    from strag.training.recipe import Recipe
    from tests.benchmarks import plain

    task, _, _ = prepare(Recipe(), data_of(8192))
    x, y = torch.from_numpy(task.x), torch.from_numpy(task.group)
    tested = (torch.from_numpy(task.x_test), torch.from_numpy(task.test_group)) if test else (None, None)
    loop = getattr(plain, side)
    loop(x, y, *tested, 2)
    start = time.perf_counter()
    for _ in range(runs):
        loop(x, y, *tested, updates)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
