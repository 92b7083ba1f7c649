"""A stability as a figure, a table and a sentence: the agreement of runs against the training error."""

from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.stragglers.stability import FEWEST_RUNS
from strag.views.axes import MARK, entitle, label_horizontal, marker
from strag.views.captions import one_line, recipe_facts
from strag.views.dynamics import ERROR
from strag.views.picture import Picture
from strag.views.style import BAND, BLUE, CHARACTERS, GREY, INK, VERMILION, WIDTH, house_style, new_figure
from strag.views.table import Table, as_cell

HEIGHT = 3.3  # inches
ROWS = 24  # most rows of the table; the JSON has all records
THIN = {"linewidth": 0.7, "alpha": 0.6}  # look of curves where only some of the runs contribute


def stability_figure(stability):
    """Draw kappa with its interval and the Jaccard index on the left, and z on the right.

    A vertical line marks the inversion. The curves on the left are thin at training errors that not every run
    reached.

    Parameters
    ----------
    stability : Stability.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError if no record has a training error above 0, because the axis is logarithmic.
    """
    shown = stability.train_error > 0
    if not shown.any():
        raise StragError("has no record with a training error to show", "record more often", stability.source)
    error = stability.train_error[shown]
    complete = stability.runs[shown] == stability.taken
    with house_style():
        figure = new_figure(WIDTH, HEIGHT)
        left, right = panels = figure.subplots(1, 2)
        _curve(left, error, stability.kappa[shown], complete, color=BLUE, label="κ, beyond chance")
        band = (stability.kappa_low[shown], stability.kappa_high[shown])
        named = {"label": "95 % interval"} if np.isfinite(band).any() else {}  # needs 8 runs
        left.fill_between(error, *band, color=BLUE, alpha=BAND, linewidth=0, **named)
        _curve(left, error, stability.jaccard[shown], complete, color=VERMILION, label="Jaccard index")
        _curve(right, error, stability.z[shown], np.ones_like(complete), color=INK)
        for panel in panels:
            label_horizontal(panel, error, ERROR)
            if stability.inversion is not None and stability.inversion[1] > 0:
                panel.axvline(stability.inversion[1], color=INK, zorder=1, label="inversion", **MARK)
        if not complete.all():
            left.plot([], [], color=GREY, label="not every run", **THIN)
        left.set_ylim(min(0.0, *left.get_ylim()), 1)
        left.set_ylabel("agreement at equal training error")
        right.set_ylabel("z, at equal updates")
        entitle(left, _heading(stability), wrap(_caption(stability), CHARACTERS))
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure


def _curve(panel, error, values, complete, label=None, **look):
    """Draw a curve, bold at the records to which all runs contribute. complete : these records, bool [T]."""
    look["marker"] = marker(error.size)
    if not complete.all():
        panel.plot(error, values, **{**look, **THIN})
    panel.plot(error, np.where(complete, values, np.nan), label=label, **look)


def _heading(stability):
    """Return the headline: kappa at the inversion."""
    title, at = one_line(stability.title or "history"), stability.at_inversion
    if at is None:
        return f"{title}: no inversion"
    return f"{title}: κ = {stability.kappa[at]:.2f} at the inversion, ε* = {stability.inversion[1]:.2g}"


def _caption(stability):
    """Return the caption: the examples, runs, pairs and recipe."""
    left_out = f" ({stability.diverged} diverged and left out)" if stability.diverged else ""
    facts = [
        f"P = {stability.examples:g}",
        f"{stability.taken} runs{left_out}",
        f"{stability.which} pairs",
        *recipe_facts(stability.recipe).values(),
    ]
    return ", ".join(facts)


def picture(stability):
    """Return the Picture of a Stability."""
    return Picture(lambda: stability_figure(stability), lambda: tables(stability))


def tables(stability):
    """Return the records of a Stability as a list of one Table.

    The table has about ROWS records, evenly spaced in the logarithm of their number, and the inversion.
    """
    T, at = len(stability.updates), stability.at_inversion
    rows = range(T)
    if T > ROWS:
        spread = np.geomspace(1, T, ROWS).round().astype(int) - 1
        rows = sorted({*spread.tolist(), *([] if at is None else [at])})
    headings = ["t", "error", "size", "kappa", "95 % low", "high", "Jaccard", "z", "runs"]
    caption = sentence(stability)
    if len(rows) < T:
        caption += f"\n{len(rows)} of {T} records; the JSON holds all"
    cells = [_row(stability, row, "*" if row == at else "") for row in rows]
    return [Table(stability.title, [(heading, "right") for heading in headings], cells, caption)]


def _row(stability, row, mark):
    """Return the cells of a record. mark : text in front of its update."""
    return (
        f"{mark}{stability.updates[row]}",
        as_cell(stability.train_error[row], 4),
        as_cell(stability.size_mean[row], 0),
        as_cell(stability.kappa[row], 3),
        as_cell(stability.kappa_low[row], 3),
        as_cell(stability.kappa_high[row], 3),
        as_cell(stability.jaccard[row], 3),
        as_cell(stability.z[row], 1),
        str(stability.runs[row]),
    )


def _interval(stability, row):
    """Return the 95 % interval of kappa at a record as text; empty if it is unknown."""
    low, high = stability.kappa_low[row], stability.kappa_high[row]
    return "" if low != low else f"{low:.3f} to {high:.3f}"


def sentence(stability):
    """Return one line: kappa at the inversion and at its maximum, and the reason for a missing interval."""
    at, largest = stability.at_inversion, stability.at_largest
    parts = [
        "no inversion"
        if at is None
        else f"kappa = {_kappa(stability, at)} at the inversion, eps* = {stability.inversion[1]:.4f}"
    ]
    if largest is not None:
        parts.append(
            f"largest kappa {_kappa(stability, largest)} at eps = {stability.train_error[largest]:.4f}"
        )
    row = largest if at is None else at
    is_known = row is not None and bool(stability.kappa[row] == stability.kappa[row])
    lacks_interval = is_known and not _interval(stability, row)
    has_few_runs = lacks_interval and stability.runs[row] < FEWEST_RUNS + 2  # one run may have no partner
    few, older = f"no interval with fewer than {FEWEST_RUNS} runs", "no valid interval in an older file"
    why = f"; {few if has_few_runs else older}" if lacks_interval else ""
    return f"{'; '.join(parts)} ({stability.taken} runs, {stability.which} pairs{why})"


def _kappa(stability, row):
    """Return kappa at a record as text, with its interval if that is known."""
    interval = _interval(stability, row)
    return as_cell(stability.kappa[row], 3) + (f" ({interval})" if interval else "")
