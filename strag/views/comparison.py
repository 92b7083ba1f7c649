"""A comparison in a figure, a table and a sentence: the overlap of every two sets."""

from textwrap import wrap

import numpy as np

from strag.views.captions import one_line
from strag.views.picture import Picture
from strag.views.style import GREY, INK, SMALL, WIDTH, house_style, new_figure
from strag.views.table import Table, as_cell

MAP = "cividis"  # perceptually uniform, and alike for colour-blind readers
LIGHT = 0.55  # from this value on its colours are light
CELL, NARROWEST_CELL = 0.5, 0.36  # inches, of which the latter still holds a number
LARGEST = WIDTH  # inches, of the map
LETTER, LINE = 0.075, 0.17  # inches, of small text
WIDEST = 8  # sets that a matrix in 80 columns has room for
PAIR = ("in both", "by chance", "Jaccard", "kappa")


def comparison_figure(found):
    """The Jaccard index of every two sets, as a colour and a number; the sizes on the diagonal.

    Rows and columns are the sets in order; the columns are numbered, the rows named.

    Parameters
    ----------
    found : Comparison.

    Returns
    -------
    matplotlib.figure.Figure
    """
    S = len(found.names)
    cell = min(CELL, LARGEST / S)
    names = [f"{one_line(name)}  {number}" for number, name in enumerate(found.names, 1)]
    left, side = 0.2 + LETTER * max(map(len, names)), cell * S
    width = max(left + side + 1.0, WIDTH / 2)
    numbered = cell >= NARROWEST_CELL
    title, subtitle = _titles(found, width, numbered)
    top = 0.45 + LINE * (len(title) + len(subtitle))
    height = top + side + 0.15
    with house_style():
        figure = new_figure(width, height, layout=None)
        panel = figure.add_axes((left / width, 0.15 / height, side / width, side / height))
        bar = figure.add_axes(((left + side + 0.2) / width, 0.15 / height, 0.12 / width, side / height))
        image = panel.imshow(_off_diagonal(found.jaccard), MAP, vmin=0, vmax=1)
        if numbered:
            _write_numbers(panel, found)
        _label(panel, names, step=int(np.ceil(LINE / cell)))
        figure.colorbar(image, cax=bar, ticks=[0, 0.5, 1]).outline.set_visible(False)
        bar.tick_params(length=0)
        for text, ink, line in ((title, INK, 0), (subtitle, GREY, len(title))):
            place = (0.1 / width, 1 - (0.1 + LINE * line) / height)
            size = None if text is title else SMALL
            figure.text(*place, "\n".join(text), va="top", color=ink, fontsize=size)
    return figure


def _off_diagonal(values):
    return np.where(np.eye(len(values), dtype=bool), np.nan, values)


def _titles(found, width, numbered):
    """The lines of the title, and of what the map shows."""
    chance = _off_diagonal(found.jaccard_by_chance)
    chance = chance[np.isfinite(chance)]
    said = "Jaccard index"
    if chance.size:
        low, high = (f"{value:.2f}" for value in (chance.min(), chance.max()))
        said += f" (by chance {low if low == high else f'{low} to {high}'})"
    if numbered:
        said += f"; on the diagonal the size of each set, of P = {found.examples} examples"
    title = f"{one_line(found.title or 'stragglers')}: overlap of {len(found.names)} sets of stragglers"
    return wrap(title, int(13 * width)), wrap(said, int(15 * width))


def _write_numbers(panel, found):
    for (row, column), value in np.ndenumerate(found.jaccard):
        text = "-" if np.isnan(value) else f"{value:.2f}"
        ink = INK if np.isnan(value) or value > LIGHT else "white"
        if row == column:
            text, ink = str(found.sizes[row]), GREY
        panel.text(column, row, text, ha="center", va="center", color=ink, fontsize=SMALL)


def _label(panel, names, step):
    """Name the rows and number the columns, each `step`-th where they are narrow."""
    places = range(0, len(names), step)
    panel.set_yticks(places, names[::step])
    panel.set_xticks(places, [str(place + 1) for place in places])
    panel.xaxis.tick_top()
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)


def picture(found):
    """The Picture of a Comparison."""
    return Picture(lambda: comparison_figure(found), lambda: tables(found))


def tables(found):
    """A Comparison as a table: Jaccard above the diagonal, kappa below it; of many sets as pairs."""
    if len(found.names) > WIDEST:
        return [_table_of_pairs(found)]

    def cell(row, column):
        if row == column:
            return "·"
        return as_cell((found.jaccard if row < column else found.kappa)[row, column], 2)

    S = len(found.names)
    columns = [("", "right"), ("set", "left"), ("size", "right"), *((f"{n + 1}", "right") for n in range(S))]
    rows = [
        (f"{row + 1}", name, str(found.sizes[row]), *(cell(row, column) for column in range(S)))
        for row, name in enumerate(found.names)
    ]
    caption = "above the diagonal: Jaccard index; below it: kappa, the agreement beyond chance"
    if S == 2:
        caption += f"\n{sentence(found)}"
    return [Table(found.title, columns, rows, caption)]


def _table_of_pairs(found):
    """A table with a row for every two sets."""
    columns = [("set", "left"), ("set", "left"), *((name, "right") for name in PAIR)]
    rows = [
        (
            found.names[a],
            found.names[b],
            str(found.common[a, b]),
            as_cell(found.expected[a, b], 1),
            as_cell(found.jaccard[a, b], 2),
            as_cell(found.kappa[a, b], 2),
        )
        for a, b in zip(*np.triu_indices(len(found.names), 1), strict=True)
    ]
    return Table(found.title, columns, rows, sentence(found))


def sentence(found):
    """One line: the numbers of two sets, or the range over the pairs of several."""
    above = np.triu_indices(len(found.names), 1)
    if len(found.names) == 2:
        common, expected = found.common[above][0], found.expected[above][0]
        return (
            f"{common:.0f} examples in both, {as_cell(expected, 1)} by chance; "
            f"Jaccard {as_cell(found.jaccard[above][0], 3)}, kappa {as_cell(found.kappa[above][0], 3)}"
        )
    return f"{len(found.names)} sets: " + ", ".join(
        f"{name} {_range(values[above])}"
        for name, values in (("Jaccard", found.jaccard), ("kappa", found.kappa))
    )


def _range(values):
    """Smallest and largest of the values that there are."""
    known = values[np.isfinite(values)]
    return f"{known.min():.3f} to {known.max():.3f}" if known.size else "-"
