"""What `strag geometry` makes of a grid of dumps: a history, a JSON object, or a table."""

import numpy as np

from strag.console import print_table
from strag.errors import StragError
from strag.files.history import HistoryWriter
from strag.files.stamp import stamp
from strag.geometry.measure import as_records, measure
from strag.stragglers.history import pack
from strag.stragglers.sweeps import described_at


def _meta(grid, kind):
    meta = grid.parts[0].meta
    kept = ("recipe", "environment", "labels", "classes", "origin", "origin_size", "title", "command")
    inputs = meta.get("inputs") or {}
    recipe = {**(meta.get("recipe") or {}), "layers": list(grid.layers)}
    sets = _sets(grid)
    return stamp(
        kind,
        **{**{key: meta.get(key) for key in kept}, "recipe": recipe},
        inputs={**(inputs.get("training") or {}), "measured": inputs.get("data")},
        runs=list(grid.runs),
        layers=list(grid.layers),
        **({"sets": sets} if sets else {}),
    )


def _sets(grid):
    """What the stamps of the parts say of the set that each run left out, or None."""
    told = {}
    for part in grid.parts:
        for at, run in enumerate(part.runs):
            told[run] = described_at(part.meta.get("sets"), [at])
    first = told[grid.runs[0]]
    if not isinstance(first, dict) or not all(isinstance(one, dict) for one in told.values()):
        return first
    return {name: [value for run in grid.runs for value in told[run].get(name, [])] for name in first}


def as_history(grid, sink):
    """Write a history into an open Output."""
    idle = np.flatnonzero(~grid.trained.any(axis=1))
    if idle.size:
        problem = f"has no example that run {grid.runs[idle[0]]} was trained on, so that it makes no history"
        raise StragError(problem, "dump the data of the training too, or write JSON", grid.parts[0].source)
    per_example = {"index": grid.index, "y": grid.y, "group": grid.group}
    meta, trained = _meta(grid, "history"), pack(grid.trained)
    with HistoryWriter(sink.path, meta, grid.updates, per_example, trained, output=sink) as writer:
        for measured in measure(grid):
            writer.add(measured)
        writer.commit()


def as_json_object(grid):
    """The JSON kind `geometry`."""
    first, second = np.triu_indices(len(grid.classes), k=1)
    return {
        "strag": _meta(grid, "geometry"),
        "classes": list(grid.classes),
        "class_sizes": np.bincount(grid.group, minlength=len(grid.classes)),
        "pairs": [[grid.classes[a], grid.classes[b]] for a, b in zip(first, second, strict=True)],
        "records": [record for measured in measure(grid) for record in as_records(grid, measured)],
    }


def as_table(grid):
    """Print one row per update and layer: means over runs."""
    columns = [(name, "right") for name in ("update", "layer", "error", "radius", "distance", "separation")]
    rows = []
    for measured in measure(grid):
        records = as_records(grid, measured)
        for layer in grid.layers:
            of_layer = [record for record in records if record["layer"] == layer]
            means = [np.mean([record[key] for record in of_layer]) for key in ("train_error", "radius_rms")]
            distance = np.mean([np.nanmean(record["distance"]) for record in of_layer])
            eta2 = np.mean([record["separation"] for record in of_layer])
            figures = [f"{value:.4f}" for value in (*means, distance, eta2)]
            rows.append([str(measured.update), str(layer), *figures])
    caption = f"means over {len(grid.runs)} runs, {len(grid.index)} examples"
    print_table(grid.parts[0].meta.get("title"), columns, rows, caption)
