"""Radii, distances and errors from dumped activations, in one pass of bounded memory."""

from dataclasses import dataclass

import numpy as np

from strag.errors import StragError
from strag.geometry.moments import ClassMoments, normalise, rms_radius, separation

TILE = 4096  # examples read at a time


@dataclass
class Measured:
    """All runs at one update; arrays begin with the axis of runs.

    runs : slice of all runs. radius [R, L, C], distance [R, L, C(C-1)/2], mean_norm2 [R, L, C], all
    float64 over trained examples. train_error, train_loss [R]. misclassified : bool [R, P].
    """

    runs: slice
    update: int
    radius: np.ndarray
    distance: np.ndarray
    mean_norm2: np.ndarray
    train_error: np.ndarray
    train_loss: np.ndarray
    misclassified: np.ndarray


class Grid:
    """Parts that together cover every example at every update and run exactly once.

    A part is an open dump with `updates`, `runs`, `layers`, `classes`, `index`, `y`, `group`,
    `trained`, `model`, `source`, and the methods `hidden`, `prediction` and `loss`.

    Attributes
    ----------
    updates : int64 [T], runs : tuple, index, y, group : int64 [P] sorted by index,
    trained : bool [R, P].

    Raises StragError where parts come from different models, name an example twice, or leave a gap.
    """

    def __init__(self, parts):
        self.parts, first = parts, parts[0]
        for part in parts[1:]:
            for what, value in part.model.items():
                if value != first.model[what]:
                    raise StragError(
                        f"comes from another model than {first.source}: it differs in its {what}",
                        "measure dumps of one training together",
                        part.source,
                    )
        self.layers, self.classes = first.layers, first.classes
        self.updates = np.unique(np.concatenate([part.updates for part in parts]))
        self.runs = tuple(sorted({run for part in parts for run in part.runs}))
        self.index, at = np.unique(np.concatenate([part.index for part in parts]), return_index=True)
        self.y = np.concatenate([part.y for part in parts])[at]
        self.group = np.concatenate([part.group for part in parts])[at]
        self.columns = [np.searchsorted(self.index, part.index) for part in parts]
        self.trained = np.zeros((len(self.runs), len(self.index)), dtype=bool)
        self._cover()

    def _cover(self):
        for update in self.updates:
            seen = np.zeros(self.trained.shape, dtype=np.uint8)
            for part, columns in zip(self.parts, self.columns, strict=True):
                if update in part.updates:
                    rows = [self.runs.index(run) for run in part.runs]
                    seen[np.ix_(rows, columns)] += 1
                    bits = np.unpackbits(part.trained, axis=1, count=len(columns), bitorder="little")
                    self.trained[np.ix_(rows, columns)] |= bits.astype(bool)
                    if seen.max() > 1:
                        raise StragError(
                            f"repeats examples of another dump at update {update}",
                            "name it once",
                            part.source,
                        )
            if not seen.all():
                run = self.runs[int(np.flatnonzero(~seen.all(axis=1))[0])]
                raise StragError(
                    f"examples are missing at update {update} in run {run}",
                    "give dumps that cover the same examples at every update and run",
                    ", ".join(part.source for part in self.parts),
                )


def measure(grid, tile=TILE):
    """Yield Measured for every update of a Grid, reading `tile` examples at a time."""
    for update in grid.updates:
        R, P = grid.trained.shape
        wrong, loss = np.zeros((R, P), dtype=bool), np.zeros((R, P))
        moments = [[None] * len(grid.layers) for _ in range(R)]
        for part, columns in zip(grid.parts, grid.columns, strict=True):
            if update not in part.updates:
                continue
            at = int(np.searchsorted(part.updates, update))
            for position, run in enumerate(part.runs):
                row = grid.runs.index(run)
                wrong[row, columns] = part.prediction(at, position) != part.group
                loss[row, columns] = part.loss(at, position)
                for number, layer in enumerate(grid.layers):
                    found = _moments(part, layer, at, position, grid.trained[row, columns], tile)
                    known = moments[row][number]
                    moments[row][number] = found if known is None else known.merge(found)
        wrong |= ~np.isfinite(loss)
        yield _measured(int(update), moments, wrong, loss, grid.trained)


def _moments(part, layer, update, run, trained, tile):
    """ClassMoments of one layer of one network over the trained examples of a part, in float64."""
    total = ClassMoments.zeros((), len(part.classes), part.width(layer))
    P = len(part.index)
    for start in range(0, P, tile):
        rows = slice(start, min(start + tile, P))
        h = part.hidden(layer, update, run, rows)[trained[rows]].astype(np.float64)
        total.add(normalise(h), part.group[rows][trained[rows]])
    return total


def _measured(update, moments, wrong, loss, trained):
    def stacked(what):
        return np.array([[getattr(layer, what)() for layer in run] for run in moments])

    count = np.maximum(trained.sum(axis=1), 1)
    return Measured(
        runs=slice(0, len(wrong)),
        update=update,
        radius=stacked("radii"),
        distance=stacked("distances"),
        mean_norm2=stacked("mean_norm2"),
        train_error=(wrong & trained).sum(axis=1) / count,
        train_loss=np.where(trained, loss, 0).sum(axis=1) / count,
        misclassified=wrong,
    )


def as_records(grid, measured):
    """One dictionary per layer and run of a Measured: what the geometry file lists.

    `class_sizes` are the trained examples of each class, over which everything else is taken.
    """
    rms, eta2 = rms_radius(measured.radius), separation(measured.radius, measured.distance)
    sizes = grid.trained @ (grid.group[:, None] == np.arange(len(grid.classes))).astype(np.int64)  # (R, C)
    return [
        {
            "update": measured.update,
            "run": run,
            "layer": layer,
            "radius_rms": float(rms[row, number]),
            "separation": float(eta2[row, number]),
            "radius": measured.radius[row, number].tolist(),
            "distance": measured.distance[row, number].tolist(),
            "class_sizes": sizes[row].tolist(),
            "train_error": float(measured.train_error[row]),
            "train_loss": float(measured.train_loss[row]),
        }
        for row, run in enumerate(grid.runs)
        for number, layer in enumerate(grid.layers)
    ]
