"""Radii, distances and errors of dumped activations as a table."""

from strag.geometry.measures import CURVES
from strag.views.table import Table, as_cell
from strag.words import number_of


def tables(grid, rows):
    """One row per update and layer of a Grid: means over runs, '-' where a run has no such figure.

    rows : iterable of (update, layer, figures), see `strag.api.measure.means_over_runs`.
    """
    names = ("update", "layer", "error", *(curve.name for curve in CURVES))
    cells = [
        (str(update), str(layer), *(as_cell(value, 4) for value in figures))
        for update, layer, figures in rows
    ]
    caption = f"means over {number_of(len(grid.runs), 'run')}, {number_of(len(grid.index), 'example')}"
    return [Table(grid.parts[0].meta.get("title"), [(name, "right") for name in names], cells, caption)]
