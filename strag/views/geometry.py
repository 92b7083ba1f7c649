"""Errors, radii and distances of dumped activations as a table."""

from strag.geometry.measures import CURVES
from strag.views.table import Table, as_cell
from strag.words import number_of


def tables(grid, rows):
    """Return the measures of a Grid as a list of one Table, with a row for every update and layer.

    A cell is the mean over runs, or '-' if a run lacks this value.

    rows : iterable of (update, layer, values), see `strag.api.measure.means_over_runs`.
    """
    names = ("update", "layer", "error", *(curve.name for curve in CURVES))
    cells = [
        (str(update), str(layer), *(as_cell(value, 4) for value in values)) for update, layer, values in rows
    ]
    caption = f"means over {number_of(len(grid.runs), 'run')}, {number_of(len(grid.index), 'example')}"
    return [Table(grid.parts[0].meta.get("title"), [(name, "right") for name in names], cells, caption)]
