"""Measure radii, distances and errors from dumped activations, in one pass with bounded memory."""

from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from strag.bits import unpack
from strag.errors import StragError
from strag.geometry.curves import measures_of, over_axis, values_of
from strag.geometry.further import NOTHING, measure_further
from strag.geometry.sums import ClassSums, rows_of_tile


@dataclass(frozen=True)
class NotFinite:
    """Trained examples of one class with NaN or infinite representations, so that the class has no radius.

    source : the part that contains them. update, run, layer, group : their names in this part.
    examples : number of these examples.
    """

    source: str
    update: int
    run: object
    layer: object
    group: str
    examples: int


@dataclass
class GeometryRecord:
    """The measurements of all runs at one update; the first axis of every array is that of the runs.

    runs : slice of all runs. update : int.
    measures : dict of name to float64 [R, L, axis], over trained examples; see `measures_of`.
    train_error, train_loss : float64 [R], over trained examples; NaN for a run without any, and where a part
        does not hold the predictions or the losses.
    misclassified : bool [R, P], or None if a part does not hold the predictions.
    not_finite : list of a NotFinite for every part, run, layer and class with examples that are not finite.
    ended : None, because all runs are measured at the same updates; see `strag.training.records`.
    """

    runs: slice
    update: int
    measures: dict
    train_error: np.ndarray
    train_loss: np.ndarray
    misclassified: np.ndarray
    not_finite: list = field(default_factory=list)
    ended: None = None


class Grid:
    """Parts that together cover every example at every update and run exactly once.

    A part is an open dump with `updates`, `runs`, `layers`, `classes`, `index`, `y`, `group`,
    `trained`, `is_other`, `model`, `source`, and the methods `width`, `hidden`, `prediction` and `loss`. The
    last two return None where the dump does not hold it.

    Attributes
    ----------
    parts : list of parts. updates : int64 [T]. runs : tuple of R names. layers, classes : tuples of names.
    index, y, group : int64 [P], sorted by index.
    columns : for each part, the positions of its examples on axis P.
    trained : bool [R, P], the examples each run trains on; all examples if `is_other`.
    is_other : whether the examples have another origin than the training set, so that no run trains on them.

    Raises StragError if parts come from different models, if they have an example in different groups, if two
    parts contain the same example of a run at one update, and if an example is missing at an update in a run.
    """

    def __init__(self, parts):
        self.parts, first = parts, parts[0]
        for part in parts[1:]:
            if part.layers != first.layers:
                theirs, ours = (", ".join(map(str, each.layers)) for each in (part, first))
                problem = f"has layers {theirs}, but {first.source} has layers {ours}"
                raise StragError(problem, "measure dumps of the same layers together", part.source)
            for setting, value in part.model.items():
                if value != first.model[setting]:
                    raise StragError(
                        f"comes from a different model than {first.source}: its {setting} differs",
                        "measure dumps of one training together",
                        part.source,
                    )
        self.layers, self.classes = first.layers, first.classes
        self.updates = np.unique(np.concatenate([part.updates for part in parts]))
        self.runs = tuple(sorted({run for part in parts for run in part.runs}))
        self.index, rows = np.unique(np.concatenate([part.index for part in parts]), return_index=True)
        self.y = np.concatenate([part.y for part in parts])[rows]
        self.group = np.concatenate([part.group for part in parts])[rows]
        self.columns = [np.searchsorted(self.index, part.index) for part in parts]
        self._require_same_groups()
        self.trained = np.zeros((len(self.runs), len(self.index)), dtype=bool)
        self.is_other = any(part.is_other for part in parts)
        self._cover()

    def _require_same_groups(self):
        """Raise StragError if parts have an example in different groups."""
        for part, columns in zip(self.parts, self.columns, strict=True):
            differs = np.flatnonzero(self.group[columns] != part.group)
            if differs.size:
                at = differs[0]
                ours, theirs = self.classes[part.group[at]], self.classes[self.group[columns[at]]]
                problem = (
                    f"has the label {ours} of the example with index {part.index[at]}, which is {theirs} in"
                )
                raise StragError(
                    f"{problem} another file", "measure files with the same labels together", part.source
                )

    def _cover(self):
        """Fill `trained`, and raise StragError for an example that parts repeat or lack."""
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


def measure(grid, tile=None, further=NOTHING, apply=map):
    """Yield a GeometryRecord for every update of a Grid, with bounded memory.

    tile : number of examples to read at a time; by default it depends on the number of units of a layer.
    further : the Further, with measures to add to those of every history.
    apply : function that applies a function to every item of a list and yields the results in order, as `map`
        does. It may share the items among processes, which changes no number.
    """
    places = [
        (update, number, run, layer)
        for update in grid.updates
        for number, part in enumerate(grid.parts)
        if update in part.updates
        for run in part.runs
        for layer in grid.layers
    ]
    results = zip(places, apply(lambda place: _measured_layer(grid, place, tile), places), strict=True)
    for update, of_update in groupby(results, key=lambda result: result[0][0]):
        moments, spoilt = [[None] * len(grid.layers) for _ in grid.runs], []
        for (_, number, run, layer), (of_part, broken) in of_update:
            row, column, part = grid.runs.index(run), grid.layers.index(layer), grid.parts[number]
            known = moments[row][column]
            moments[row][column] = of_part if known is None else known.merge(of_part)
            spoilt += [
                NotFinite(part.source, int(update), run, layer, part.classes[c], int(broken[c]))
                for c in np.flatnonzero(broken)
            ]
        measured = _measured(int(update), moments, *_outcomes(grid, update), grid.trained, spoilt)
        measured.measures |= measure_further(grid, update, moments, further, tile, apply)
        yield measured


def _outcomes(grid, update):
    """Whether examples are misclassified, and their losses: bool and float64 [R, P].

    Each is None if a part of the Grid does not hold it.
    """
    wrong, loss = np.zeros(grid.trained.shape, dtype=bool), np.zeros(grid.trained.shape)
    for part, columns in zip(grid.parts, grid.columns, strict=True):
        if update not in part.updates:
            continue
        record = int(np.searchsorted(part.updates, update))
        for position, run in enumerate(part.runs):
            row = grid.runs.index(run)
            predicted, lost = part.prediction(record, position), part.loss(record, position)
            if wrong is not None:
                wrong[row, columns] = True if predicted is None else predicted != part.group
            wrong = None if predicted is None else wrong
            loss = None if lost is None else loss
            if loss is not None:
                loss[row, columns] = lost
    if wrong is not None and loss is not None:
        wrong |= ~np.isfinite(loss)
    return wrong, loss


def _measured_layer(grid, place, tile):
    """Measure one layer of one network over the trained examples of one part.

    place : the update, the number of the part, the run and the layer.

    Returns the ClassMoments of the layer, in float64, and the number of examples of each class that are not
    finite: int64 [C].
    """
    update, number, run, layer = place
    part, trained = grid.parts[number], grid.trained[grid.runs.index(run), grid.columns[number]]
    record, position = int(np.searchsorted(part.updates, update)), part.runs.index(run)
    P, width = len(part.index), part.width(layer)
    sums, step = ClassSums(len(part.classes), width), tile or rows_of_tile(width)
    for start in range(0, P, step):
        rows = slice(start, min(start + step, P))
        kept = trained[rows]
        if kept.any():
            h = part.hidden(layer, record, position, rows)
            sums.add(h, part.group[rows], None if kept.all() else kept)
    return sums.moments(), sums.broken


def _measured(update, moments, wrong, loss, trained, not_finite):
    """The GeometryRecord from moments [R][L], and from misclassified examples and losses, [R, P] or None."""
    of_runs = [measures_of(layers) for layers in moments]
    count = trained.sum(axis=1)
    error, mean_loss = np.full((2, len(count)), np.nan)
    with np.errstate(invalid="ignore"):  # a run without examples has no error
        if wrong is not None:
            error = (wrong & trained).sum(axis=1) / count
        if loss is not None:
            mean_loss = np.where(trained, loss, 0).sum(axis=1) / count
    return GeometryRecord(
        runs=slice(0, len(count)),
        update=update,
        measures={name: np.stack([run[name] for run in of_runs]) for name in of_runs[0]},
        train_error=error,
        train_loss=mean_loss,
        misclassified=wrong,
        not_finite=not_finite,
    )


def curves_of(grid, record, further=NOTHING):
    """Every curve that a geometry file lists, from a GeometryRecord: dict of name to float64 [R, L].

    A value over classes is NaN if a class with examples has no radius.
    """
    present, values = _present(grid), _values(grid, record, further)
    return {m.name: over_axis(m, values[m.name], present) for m in further.listed if m.label}


def as_records(grid, record, further=NOTHING):
    """The entries of a GeometryRecord in a geometry file: list of dict, one per run and layer.

    `class_sizes` are the numbers of trained examples of each class; all other values are over these examples.
    """
    sizes, values = _class_sizes(grid), _values(grid, record, further)
    curves = curves_of(grid, record, further)
    over_all = {m.listed_as: curves[m.name] for m in further.listed if m.label and m.listed_as}
    along = {measure.name: values[measure.name] for measure in further.listed if measure.axis}
    return [
        {
            "update": record.update,
            "run": run,
            "layer": layer,
            **{name: float(curve[row, number]) for name, curve in over_all.items()},
            **{name: measured[row, number].tolist() for name, measured in along.items()},
            "class_sizes": sizes[row].tolist(),
            "train_error": float(record.train_error[row]),
            "train_loss": float(record.train_loss[row]),
        }
        for row, run in enumerate(grid.runs)
        for number, layer in enumerate(grid.layers)
    ]


def _values(grid, record, further):
    """Every measure that a geometry file lists, along its axis: dict of name to float64 [R, L, axis]."""
    return {m.name: values_of(m, record.measures, _present(grid)) for m in further.listed}


def _present(grid):
    """Whether a run was trained on examples of a class: bool [R, 1, C]."""
    return (_class_sizes(grid) > 0)[:, None]


def _class_sizes(grid):
    """Number of trained examples of every class in every run: int64 [R, C]."""
    classes = len(grid.classes)
    return np.stack([np.bincount(grid.group[kept], minlength=classes) for kept in grid.trained])
