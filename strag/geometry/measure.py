"""Radii, distances and errors from dumped activations, in one pass of bounded memory."""

from dataclasses import dataclass, field

import numpy as np

from strag.bits import unpack
from strag.errors import StragError
from strag.geometry.curves import measures_of, over_axis, values_of
from strag.geometry.measures import CURVES
from strag.geometry.moments import ClassMoments, normalise

TILE = 4096  # examples read at a time


@dataclass(frozen=True)
class NotFinite:
    """Trained examples of one class whose representations are NaN or infinite, so that it has no radius.

    source : the part they are in. update, run, layer, group : as named there. examples : how many.
    """

    source: str
    update: int
    run: object
    layer: object
    group: str
    examples: int


@dataclass
class GeometryRecord:
    """All runs at one update; arrays begin with the axis of runs.

    runs : slice of all runs. measures : dict of name to float64 [R, L, axis], see `measures_of`, over
    trained examples. train_error, train_loss [R], NaN for a run without such examples.
    misclassified : bool [R, P]. not_finite : NotFinite of every part, run, layer and class that has some.
    """

    runs: slice
    update: int
    measures: dict
    train_error: np.ndarray
    train_loss: np.ndarray
    misclassified: np.ndarray
    not_finite: list = field(default_factory=list)


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
                        f"comes from a different model than {first.source}: its {what} differs",
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
                    self.trained[np.ix_(rows, columns)] |= unpack(part.trained, len(columns))
                    if seen.max() > 1:
                        raise StragError(
                            f"repeats examples of another dump at update {update}",
                            "pass each dump once",
                            part.source,
                        )
            if not seen.all():
                run = self.runs[int(np.flatnonzero(~seen.all(axis=1))[0])]
                raise StragError(
                    f"examples are missing at update {update} in run {run}",
                    "pass dumps that cover the same examples at every update and run",
                    ", ".join(part.source for part in self.parts),
                )


def measure(grid, tile=TILE):
    """Yield a GeometryRecord for every update of a Grid, reading `tile` examples at a time."""
    for update in grid.updates:
        R, P = grid.trained.shape
        wrong, loss = np.zeros((R, P), dtype=bool), np.zeros((R, P))
        moments, spoilt = [[None] * len(grid.layers) for _ in range(R)], []
        for part, columns in zip(grid.parts, grid.columns, strict=True):
            if update not in part.updates:
                continue
            at = int(np.searchsorted(part.updates, update))
            for position, run in enumerate(part.runs):
                row = grid.runs.index(run)
                wrong[row, columns] = part.prediction(at, position) != part.group
                loss[row, columns] = part.loss(at, position)
                for number, layer in enumerate(grid.layers):
                    found, bad = _moments(part, layer, at, position, grid.trained[row, columns], tile)
                    known = moments[row][number]
                    moments[row][number] = found if known is None else known.merge(found)
                    spoilt += [
                        NotFinite(part.source, int(update), run, layer, part.classes[c], int(bad[c]))
                        for c in np.flatnonzero(bad)
                    ]
        wrong |= ~np.isfinite(loss)
        yield _measured(int(update), moments, wrong, loss, grid.trained, spoilt)


def _moments(part, layer, update, run, trained, tile):
    """One layer of one network over the trained examples of a part.

    Returns its ClassMoments, in float64, and how many examples of each class are not finite: int [C].
    """
    C, P = len(part.classes), len(part.index)
    total, bad = ClassMoments.zeros((), C, part.width(layer)), np.zeros(C, dtype=np.int64)
    for start in range(0, P, tile):
        rows = slice(start, min(start + tile, P))
        h = part.hidden(layer, update, run, rows)[trained[rows]].astype(np.float64)
        labels = part.group[rows][trained[rows]]
        found = ClassMoments.of(normalise(h), labels, C)
        if np.isnan(found.norm2).any():
            bad += np.bincount(labels[~np.isfinite(h).all(axis=1)], minlength=C)
        total = total.merge(found)
    return total, bad


def _measured(update, moments, wrong, loss, trained, not_finite):
    of_runs = [measures_of(layers) for layers in moments]
    count = trained.sum(axis=1)
    with np.errstate(invalid="ignore"):  # a run without examples has no error
        error = (wrong & trained).sum(axis=1) / count
        mean_loss = np.where(trained, loss, 0).sum(axis=1) / count
    return GeometryRecord(
        runs=slice(0, len(wrong)),
        update=update,
        measures={name: np.stack([run[name] for run in of_runs]) for name in of_runs[0]},
        train_error=error,
        train_loss=mean_loss,
        misclassified=wrong,
        not_finite=not_finite,
    )


def curves_of(grid, record):
    """Every curve of MEASURES in a GeometryRecord: dict of name to float64 [R, L].

    What is taken over classes is NaN where a class with examples has no radius.
    """
    present, values = _present(grid), _values(grid, record)
    return {measure.name: over_axis(measure, values[measure.name], present) for measure in CURVES}


def as_records(grid, record):
    """One dictionary per layer and run of a GeometryRecord: what the geometry file lists.

    `class_sizes` are the trained examples of each class, over which everything else is taken.
    """
    sizes, values, curves = _class_sizes(grid), _values(grid, record), curves_of(grid, record)
    over_all = {measure.listed_as: curves[measure.name] for measure in CURVES if measure.listed_as}
    along = {measure.name: values[measure.name] for measure in CURVES if measure.axis}
    return [
        {
            "update": record.update,
            "run": run,
            "layer": layer,
            **{name: float(of_all[row, number]) for name, of_all in over_all.items()},
            **{name: of_axis[row, number].tolist() for name, of_axis in along.items()},
            "class_sizes": sizes[row].tolist(),
            "train_error": float(record.train_error[row]),
            "train_loss": float(record.train_loss[row]),
        }
        for row, run in enumerate(grid.runs)
        for number, layer in enumerate(grid.layers)
    ]


def _values(grid, record):
    """Every measure with a curve, along its axis: dict of name to float64 [R, L, axis]."""
    return {measure.name: values_of(measure, record.measures, _present(grid)) for measure in CURVES}


def _present(grid):
    """Whether a run was trained on examples of a class: bool [R, 1, C]."""
    return (_class_sizes(grid) > 0)[:, None]


def _class_sizes(grid):
    """Trained examples of every class in every run: int64 [R, C]."""
    return grid.trained @ (grid.group[:, None] == np.arange(len(grid.classes))).astype(np.int64)
