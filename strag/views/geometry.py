"""Errors, radii and distances of dumped activations as a table."""

from strag.geometry.further import NOTHING, seconds
from strag.views.table import Table, as_cell, name_in_lines
from strag.words import clock, number_of

LONG = 5  # seconds of a computation that is announced
LAYER = 24  # characters of the name of a layer in a line of a table


def examples(measured, fate=" and left out"):
    """Return the number of examples as text, with a remark if no run was trained on all or some of them.

    measured : a Grid, or any object with `trained` and `is_other` of the same meaning. fate : what happens to
    examples that no run was trained on.
    """
    text = number_of(measured.trained.shape[1], "example")
    if measured.is_other:
        return f"{text} of other data, not trained on"
    untrained = int((~measured.trained.any(axis=0)).sum())
    return f"{text}, {untrained} of them not trained on{fate}" if untrained else text


def notes(grid, further):
    """Yield what a user should know before the measuring: what is left out, and what takes long."""
    for name, reason in further.left_out.items():
        yield f"{name} is left out: {reason}"
    time = seconds(grid, further)
    if time > LONG:
        yield f"the dimension takes about {clock(time)} (h:mm:ss); --examples N takes less"


def tables(grid, rows, further=NOTHING):
    """Return the measures of a Grid as a list of one Table, with a row for every update and layer.

    A cell is the mean over runs, or '-' if a run lacks this value.

    rows : iterable of (update, layer, values), see `strag.api.measure.means_over_runs`.
    """
    names = ("error", *(measure.name for measure in further.listed if measure.label))
    cells = [
        (str(update), name_in_lines(layer, LAYER), *(as_cell(value, 4) for value in values))
        for update, layer, values in rows
    ]
    caption = f"means over {number_of(len(grid.runs), 'run')}, {examples(grid)}"
    side = "left" if any(isinstance(layer, str) for layer in grid.layers) else "right"
    columns = [("update", "right"), ("layer", side), *((name, "right") for name in names)]
    return [Table(grid.parts[0].meta.get("title"), columns, cells, caption)]
