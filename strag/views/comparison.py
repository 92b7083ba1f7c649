"""A comparison as a figure, a table and a sentence: the overlap of every two sets of examples."""

from textwrap import wrap

import numpy as np

from strag.stragglers.comparison import RUNS
from strag.views.captions import one_line
from strag.views.compared import holding, what
from strag.views.picture import Picture
from strag.views.style import GREY, INK, SMALL, WIDTH, house_style, new_figure
from strag.views.table import Table, as_cell
from strag.words import number_of

MAP = "cividis"  # perceptually uniform, also for colour-blind readers
LIGHT = 0.55  # its colours are light above this value
CELL, NARROWEST_CELL = 0.5, 0.36  # inches; the latter is the least with room for a number
LARGEST = WIDTH  # inches, the side of the map
LETTER, LINE = 0.075, 0.17  # inches: width and height of small text
WIDEST = 8  # most sets for which a matrix fits into 80 columns of a terminal
PAIR = ("in both", "of 1st", "of 2nd", "by chance", "Jaccard", "kappa")


def comparison_figure(comparison):
    """Draw the Jaccard index of every two sets as a colour and a number, with the sizes on the diagonal.

    Rows and columns are the sets in order. Rows are labelled with names and numbers, columns with numbers.

    Parameters
    ----------
    comparison : Comparison.

    Returns
    -------
    matplotlib.figure.Figure
    """
    S = len(comparison.names)
    cell = min(CELL, LARGEST / S)
    names = [f"{one_line(name)}  {number}" for number, name in enumerate(comparison.names, 1)]
    left, side = 0.2 + LETTER * max(map(len, names)), cell * S
    width = max(left + side + 1.0, WIDTH / 2)
    numbered = cell >= NARROWEST_CELL
    title, subtitle = _titles(comparison, width, numbered)
    top = 0.45 + LINE * (len(title) + len(subtitle))
    height = top + side + 0.15
    with house_style():
        figure = new_figure(width, height, layout=None)
        panel = figure.add_axes((left / width, 0.15 / height, side / width, side / height))
        bar = figure.add_axes(((left + side + 0.2) / width, 0.15 / height, 0.12 / width, side / height))
        image = panel.imshow(_shown(comparison), MAP, vmin=0, vmax=1)
        if numbered:
            _write_numbers(panel, comparison)
        _label(panel, names, step=int(np.ceil(LINE / cell)))
        figure.colorbar(image, cax=bar, ticks=[0, 0.5, 1]).outline.set_visible(False)
        bar.tick_params(length=0)
        for text, ink, line in ((title, INK, 0), (subtitle, GREY, len(title))):
            place = (0.1 / width, 1 - (0.1 + LINE * line) / height)
            size = None if text is title else SMALL
            figure.text(*place, "\n".join(text), va="top", color=ink, fontsize=size)
    return figure


def _off_diagonal(values):
    """Return a matrix [S, S] with NaN on the diagonal."""
    return np.where(np.eye(len(values), dtype=bool), np.nan, values)


def _shown(comparison):
    """Return the Jaccard indices that the map shows; NaN on its diagonal where no runs are compared."""
    S = len(comparison.names)
    between_runs = [comparison.holds(number) == RUNS for number in range(S)]
    return np.where(np.diag(between_runs), comparison.jaccard, _off_diagonal(comparison.jaccard))


def _titles(comparison, width, numbered):
    """Return the lines of the title, and the lines that explain the map.

    width : of the figure, in inches. numbered : whether the cells contain numbers.
    """
    chance = _off_diagonal(comparison.jaccard_by_chance)
    chance = chance[np.isfinite(chance)]
    subtitle = "Jaccard index"
    if chance.size:
        low, high = (f"{value:.2f}" for value in (chance.min(), chance.max()))
        subtitle += f" (by chance {low if low == high else f'{low} to {high}'})"
    if numbered:
        subtitle += f"; on the diagonal the size of each set, of P = {comparison.examples} examples"
        subtitle += ", or the overlap of its runs" * bool(np.isfinite(np.diag(_shown(comparison))).any())
    subtitle += "".join(f"; {line}" for line in holding(comparison))
    members = "examples" if comparison.flipped else "stragglers"
    title = (
        f"{one_line(comparison.title or 'stragglers')}: overlap of {len(comparison.names)} sets of {members}"
    )
    return wrap(title, int(13 * width)), wrap(subtitle, int(15 * width))


def _write_numbers(panel, comparison):
    """Write the Jaccard index into every cell of the map, and the sizes of the sets onto its diagonal."""
    for (row, column), value in np.ndenumerate(_shown(comparison)):
        text = "-" if np.isnan(value) else f"{value:.2f}"
        ink = INK if np.isnan(value) or value > LIGHT else "white"
        if row == column and comparison.holds(row) != RUNS:
            text, ink = as_cell(comparison.sizes[row], 0), GREY
        panel.text(column, row, text, ha="center", va="center", color=ink, fontsize=SMALL)


def _label(panel, names, step):
    """Label every `step`-th row with its name, and every `step`-th column with its number."""
    places = range(0, len(names), step)
    panel.set_yticks(places, names[::step])
    panel.set_xticks(places, [str(place + 1) for place in places])
    panel.xaxis.tick_top()
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)


def picture(comparison):
    """Return the Picture of a Comparison."""
    return Picture(lambda: comparison_figure(comparison), lambda: tables(comparison))


def tables(comparison):
    """Return a Comparison as a list of two Tables.

    The first is a matrix with the Jaccard index above its diagonal and kappa below, the second one of the
    shares of one set that are in another. If there are more than WIDEST sets, there is only one Table, with a
    row for every pair of sets.
    """
    if len(comparison.names) > WIDEST:
        return [_table_of_pairs(comparison)]

    def overlap(row, column):
        if row == column and comparison.holds(row) != RUNS:
            return "·"
        return as_cell((comparison.jaccard if row < column else comparison.kappa)[row, column], 2)

    def share(row, column):
        return "·" if row == column else as_cell(comparison.contained[row, column], 2)

    S = len(comparison.names)
    caption = ["above the diagonal: Jaccard index; below it: kappa, the agreement beyond chance"]
    if any(comparison.holds(number) == RUNS for number in range(S)):
        caption += ["on the diagonal: kappa of two single runs; values of single runs are means"]
    shares = ["share of the examples of the row's set that are in the column's set"]
    if comparison.flipped:
        shares += ["in the row of flipped labels: recall; in their column: precision"]
    if S == 2:
        shares += [sentence(comparison)]
    title = comparison.title
    return [
        _matrix(comparison, title, overlap, [*caption, *holding(comparison)]),
        _matrix(comparison, None, share, shares),
    ]


def _matrix(comparison, title, cell, caption):
    """Return a Table with a row and a column for every set. cell : function of row and column to text."""
    S = len(comparison.names)
    columns = [("", "right"), ("set", "left"), ("size", "right"), *((f"{n + 1}", "right") for n in range(S))]
    rows = [
        (f"{row + 1}", name, as_cell(comparison.sizes[row], 0), *(cell(row, column) for column in range(S)))
        for row, name in enumerate(comparison.names)
    ]
    return Table(title, columns, rows, "\n".join(caption))


def _table_of_pairs(comparison):
    """Return a Table with a row for every pair of sets."""
    columns = [("set", "left"), ("set", "left"), *((name, "right") for name in PAIR)]
    rows = [
        (
            comparison.names[a],
            comparison.names[b],
            as_cell(comparison.common[a, b], 0),
            as_cell(comparison.contained[a, b], 2),
            as_cell(comparison.contained[b, a], 2),
            as_cell(comparison.expected[a, b], 1),
            as_cell(comparison.jaccard[a, b], 2),
            as_cell(comparison.kappa[a, b], 2),
        )
        for a, b in zip(*np.triu_indices(len(comparison.names), 1), strict=True)
    ]
    caption = "\n".join([sentence(comparison), *holding(comparison)])
    return Table(comparison.title, columns, rows, caption)


def sentence(comparison):
    """Return one line: the overlap of two sets, or its range over the pairs of several sets."""
    if len(comparison.names) == 2:
        return _sentence_of_two(comparison)
    above = np.triu_indices(len(comparison.names), 1)
    ranges = [("Jaccard", comparison.jaccard[above]), ("kappa", comparison.kappa[above])]
    if len(comparison.flipped) == 1:
        flips = comparison.flipped[0]
        ranges += [
            ("recall of flipped labels", np.delete(comparison.contained[flips], flips)),
            ("precision", np.delete(comparison.contained[:, flips], flips)),
        ]
    shown = ", ".join(f"{name} {_range(values)}" for name, values in ranges)
    return f"{len(comparison.names)} sets: {shown}"


def _sentence_of_two(comparison):
    """Return one line with the overlap of two sets."""
    common, expected = comparison.common[0, 1], comparison.expected[0, 1]
    shares = [(comparison.contained[0, 1], 0), (comparison.contained[1, 0], 1)]
    if len(comparison.flipped) == 1:
        recall = comparison.flipped[0]
        words = {recall: "recall", 1 - recall: "precision"}
        parts = [f"{words[number]} {as_cell(share, 3)}" for share, number in shares]
    else:
        parts = [f"{as_cell(share, 3)} of the {('first', 'second')[number]}" for share, number in shares]
    first, second = (what(kind) for kind in comparison.kinds or (None, None))
    if first == second:
        first, second = comparison.names if first else (None, None)
    subject = f"{first} and {second}: " if first and second else ""
    number = number_of(round(common), "example") if common == round(common) else f"{common:.1f} examples"
    return (
        f"{subject}{number} in both ({', '.join(parts)}), {as_cell(expected, 1)} by chance; "
        f"Jaccard {as_cell(comparison.jaccard[0, 1], 3)}, kappa {as_cell(comparison.kappa[0, 1], 3)}"
    )


def _range(values):
    """Return the smallest and the largest finite value as text."""
    finite = values[np.isfinite(values)]
    return f"{finite.min():.3f} to {finite.max():.3f}" if finite.size else "-"
