"""A stability in a figure, a table and a sentence: how far runs agree, against the training error."""

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
ROWS = 24  # of the table; the JSON has them all
THIN = {"linewidth": 0.7, "alpha": 0.6}  # where only some of the runs contribute


def stability_figure(found):
    """Kappa with its interval and the Jaccard index on the left, z on the right; the inversion marked.

    On the left the curves are thin where not every run reached the training error.

    Parameters
    ----------
    found : Stability.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError if no record has a training error above 0, which a logarithmic axis can show.
    """
    shown = found.train_error > 0
    if not shown.any():
        raise StragError("has no record with a training error to show", "record more often", found.source)
    error = found.train_error[shown]
    whole = found.runs[shown] == found.taken
    with house_style():
        figure = new_figure(WIDTH, HEIGHT)
        left, right = panels = figure.subplots(1, 2)
        _curve(left, error, found.kappa[shown], whole, color=BLUE, label="κ, beyond chance")
        band = (found.kappa_low[shown], found.kappa_high[shown])
        named = {"label": "95 % interval"} if np.isfinite(band).any() else {}  # of fewer than 8 runs is none
        left.fill_between(error, *band, color=BLUE, alpha=BAND, linewidth=0, **named)
        _curve(left, error, found.jaccard[shown], whole, color=VERMILION, label="Jaccard index")
        _curve(right, error, found.z[shown], np.ones_like(whole), color=INK)
        for panel in panels:
            label_horizontal(panel, error, ERROR)
            if found.inversion is not None and found.inversion[1] > 0:
                panel.axvline(found.inversion[1], color=INK, zorder=1, label="inversion", **MARK)
        if not whole.all():
            left.plot([], [], color=GREY, label="not every run", **THIN)
        left.set_ylim(min(0.0, *left.get_ylim()), 1)
        left.set_ylabel("agreement at equal training error")
        right.set_ylabel("z, at equal updates")
        entitle(left, _heading(found), wrap(_caption(found), CHARACTERS))
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure


def _curve(panel, error, values, whole, label=None, **look):
    """A curve, bold where the runs are `whole`, bool [T]."""
    look["marker"] = marker(error.size)
    if not whole.all():
        panel.plot(error, values, **{**look, **THIN})
    panel.plot(error, np.where(whole, values, np.nan), label=label, **look)


def _heading(found):
    title, at = one_line(found.title or "history"), found.at_inversion
    if at is None:
        return f"{title}: no inversion"
    return f"{title}: κ = {found.kappa[at]:.2f} at the inversion, ε* = {found.inversion[1]:.2g}"


def _caption(found):
    left_out = f" ({found.diverged} diverged and left out)" if found.diverged else ""
    facts = [
        f"P = {found.examples:g}",
        f"{found.taken} runs{left_out}",
        f"{found.which} pairs",
        *recipe_facts(found.recipe).values(),
    ]
    return ", ".join(facts)


def picture(found):
    """The Picture of a Stability."""
    return Picture(lambda: stability_figure(found), lambda: tables(found))


def tables(found):
    """The records of a Stability as a table, at most ROWS of them, evenly spaced in ln t."""
    T, at = len(found.updates), found.at_inversion
    rows = range(T)
    if T > ROWS:
        spread = np.geomspace(1, T, ROWS).round().astype(int) - 1
        rows = sorted({*spread.tolist(), *([] if at is None else [at])})
    headings = ["t", "error", "size", "kappa", "95 % low", "high", "Jaccard", "z", "runs"]
    caption = sentence(found)
    if len(rows) < T:
        caption += f"\n{len(rows)} of {T} records; --json gives all"
    cells = [_row(found, row, "*" if row == at else "") for row in rows]
    return [Table(found.title, [(heading, "right") for heading in headings], cells, caption)]


def _row(found, row, mark):
    return (
        f"{mark}{found.updates[row]}",
        as_cell(found.train_error[row], 4),
        as_cell(found.size_mean[row], 0),
        as_cell(found.kappa[row], 3),
        as_cell(found.kappa_low[row], 3),
        as_cell(found.kappa_high[row], 3),
        as_cell(found.jaccard[row], 3),
        as_cell(found.z[row], 1),
        str(found.runs[row]),
    )


def _interval(found, row):
    low, high = found.kappa_low[row], found.kappa_high[row]
    return "" if low != low else f"{low:.3f} to {high:.3f}"


def sentence(found):
    """Return one line: kappa at the inversion and at its maximum, or why it has no interval."""
    at, largest = found.at_inversion, found.at_largest
    parts = [
        "no inversion"
        if at is None
        else f"kappa = {_kappa(found, at)} at the inversion, eps* = {found.inversion[1]:.4f}"
    ]
    if largest is not None:
        parts.append(f"largest {_kappa(found, largest)} at eps = {found.train_error[largest]:.4f}")
    told = largest if at is None else at
    unknown = told is not None and bool(found.kappa[told] == found.kappa[told]) and not _interval(found, told)
    few = unknown and found.runs[told] < FEWEST_RUNS + 2  # of which one may have no partner
    reason = f"with fewer than {FEWEST_RUNS} runs" if few else "that is valid in an older file"
    why = f"; no interval {reason}" if unknown else ""
    return f"{'; '.join(parts)} ({found.taken} runs, {found.which} pairs{why})"


def _kappa(found, row):
    interval = _interval(found, row)
    return as_cell(found.kappa[row], 3) + (f" ({interval})" if interval else "")
