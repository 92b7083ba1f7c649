"""Errors, radii and distances of dumped activations as a table."""

from strag.geometry.further import NOTHING, seconds
from strag.views.table import Table, as_cell, name_in_lines
from strag.words import clock, number_of

LONG = 5  # seconds of a computation that is announced
COLUMNS, CELL, GAP = 80, 7, 2  # characters of a line, of a number in it, and between two columns
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
        yield f"the dimension takes about {clock(time)} (h:mm:ss); use `examples` to make it shorter"


def tables(grid, rows, further=NOTHING):
    """Return the measures of a Grid as a list of Tables, with a row for every update and layer.

    A cell is the mean over runs, or '-' if a run lacks this value. Columns that do not fit a line are in
    further tables.

    rows : iterable of (update, layer, values), see `strag.api.measure.means_over_runs`. further : the
    measures that are listed.
    """
    names = ("error", *(measure.name for measure in further.listed if measure.label))
    rows = [(str(update), name_in_lines(layer, LAYER), values) for update, layer, values in rows]
    caption = f"means over {number_of(len(grid.runs), 'run')}, {examples(grid)}"
    side = "left" if any(isinstance(layer, str) for layer in grid.layers) else "right"
    parts = _side_by_side(names, max((len(text) for _, text, _ in rows), default=0))
    return [
        Table(
            grid.parts[0].meta.get("title") if number == 0 else None,
            [("update", "right"), ("layer", side), *((names[at], "right") for at in part)],
            [(update, layer, *(as_cell(values[at], 4) for at in part)) for update, layer, values in rows],
            caption if number == len(parts) - 1 else None,
        )
        for number, part in enumerate(parts)
    ]


def _side_by_side(names, layer):
    """Distribute columns over tables that fit the width of a terminal: list of lists of positions.

    names : headings of the columns. layer : characters of the longest name of a layer.
    """
    parts, room = [], 0
    for at, name in enumerate(names):
        needed = max(len(name), CELL) + GAP
        if not parts or needed > room:
            parts.append([])
            room = COLUMNS - len("update") - max(min(layer, LAYER), len("layer")) - 2 * GAP
        parts[-1].append(at)
        room -= needed
    return parts
