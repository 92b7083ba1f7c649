"""A stability as a figure, a table and a sentence: the agreement of runs against the training error."""

from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.stragglers.stability import FEWEST_RUNS
from strag.views.axes import MARK, MOST_TICKS, entitle, label_horizontal, legend_columns, marker
from strag.views.captions import recipe_facts, table_title, title_of
from strag.views.dynamics import ERROR
from strag.views.picture import Picture
from strag.views.style import BAND, BLUE, CHARACTERS, GREY, INK, VERMILION, WIDTH, house_style, new_figure
from strag.views.table import Table, as_cell

HEIGHT = 3.3  # inches
AROUND = 1.6  # largest ratio of an error to that of the inversion or of the largest kappa, to be near it
BELOW = 0.1  # how far kappa may be below these, to be near them
TOP = {"marker": "o", "markersize": 5, "markeredgecolor": "white", "linestyle": "", "zorder": 4}
FEWEST_PAIRS = 50  # independent pairs of runs, with fewer of which z is mostly noise
MOST_OF_SEVERAL = {2: 6, 3: 4}  # ticks on the horizontal axis, by number of panels
ROWS = 24  # most rows of the table; the JSON has all records
THIN = {"linewidth": 0.7, "alpha": 0.6}  # look of curves where only some of the runs contribute


def stability_figure(stability):
    """Draw the agreement of runs against the training error.

    The left panel shows kappa with its interval and the Jaccard index; curves are thin at training errors
    that not every run reached. The next panel shows kappa near its largest value, on an axis of its own. A
    third one shows z, if there are enough pairs. A vertical line marks the inversion.

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
    near = _near_top(stability) & shown
    panels_shown = ["agreement", *(["top"] if near.any() else []), *(["z"] if _has_z(stability) else [])]
    with house_style():
        figure = new_figure(WIDTH, HEIGHT)
        axes = figure.subplots(1, max(len(panels_shown), 2))
        panels = dict(zip(panels_shown, axes, strict=False))
        for panel in axes[len(panels) :]:
            panel.set_axis_off()
        _draw_agreement(panels["agreement"], stability, shown)
        if "top" in panels:
            _draw_top(panels["top"], stability, near)
        if "z" in panels:
            error = stability.train_error[shown]
            _curve(panels["z"], error, stability.z[shown], np.ones(error.size, dtype=bool), color=INK)
            panels["z"].set_ylabel("z, at equal updates")
        for name, panel in panels.items():
            error = stability.train_error[near if name == "top" else shown]
            inverts = stability.inversion is not None and stability.inversion[1] > 0
            if inverts:
                panel.axvline(stability.inversion[1], color=INK, zorder=1, label="inversion", **MARK)
            label_horizontal(panel, error, ERROR, MOST_OF_SEVERAL.get(len(axes), MOST_TICKS))
        entitle(panels["agreement"], _heading(stability), wrap(_caption(stability), CHARACTERS))
        handles = {
            label: handle
            for panel in panels.values()
            for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
        }
        ncols = legend_columns(list(handles), len(handles))
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=ncols)
    return figure


def _draw_agreement(panel, stability, shown):
    """Draw kappa with its interval and the Jaccard index at the records shown, bool [T]."""
    error = stability.train_error[shown]
    complete = stability.runs[shown] == stability.taken
    _curve(panel, error, stability.kappa[shown], complete, color=BLUE, label="κ, beyond chance")
    _band(panel, stability, shown)
    _curve(panel, error, stability.jaccard[shown], complete, color=VERMILION, label="Jaccard index")
    if not complete.all():
        panel.plot([], [], color=GREY, label="not every run", **THIN)
    panel.set_ylim(min(0.0, *panel.get_ylim()), 1)
    panel.set_ylabel("agreement at equal ε")


def _draw_top(panel, stability, near):
    """Draw kappa near its largest value with its interval, and a dot at the largest value."""
    top = stability.at_largest
    complete = stability.runs[near] == stability.taken
    _curve(panel, stability.train_error[near], stability.kappa[near], complete, color=BLUE)
    _band(panel, stability, near)
    panel.plot(stability.train_error[top], stability.kappa[top], color=BLUE, label="largest κ", **TOP)
    panel.set_ylabel("κ near its largest value")


def _band(panel, stability, shown):
    """Draw the interval of kappa at the records shown, bool [T]."""
    band = (stability.kappa_low[shown], stability.kappa_high[shown])
    named = {"label": "95 % interval"} if np.isfinite(band).any() else {}  # needs 8 runs
    panel.fill_between(stability.train_error[shown], *band, color=BLUE, alpha=BAND, linewidth=0, **named)


def _near_top(stability):
    """Whether a record is near the largest kappa or the inversion, in error and kappa: bool [T]."""
    error, top = stability.train_error, stability.at_largest
    errors = [] if top is None else [error[top], *(stability.inversion or ())[1:]]
    errors = [value for value in errors if value > 0]
    if not errors:
        return np.zeros(len(error), dtype=bool)
    low, high = min(errors) / AROUND, max(errors) * AROUND
    places = [place for place in (top, stability.at_inversion) if place is not None]
    least = np.nanmin(stability.kappa[places]) - BELOW
    return (error >= low) & (error <= high) & (stability.kappa >= least)


def _has_z(stability):
    """Whether there are enough independent pairs of runs for z."""
    return stability.taken // 2 >= FEWEST_PAIRS


def _without_z(stability):
    """Return the reason why z is left out, in words."""
    return f"z is left out: {stability.taken // 2} of the {FEWEST_PAIRS} independent pairs that it needs"


def _curve(panel, error, values, complete, label=None, **look):
    """Draw a curve, bold at the records to which all runs contribute. complete : these records, bool [T]."""
    look["marker"] = marker(error.size)
    if not complete.all():
        panel.plot(error, values, **{**look, **THIN})
    panel.plot(error, np.where(complete, values, np.nan), label=label, **look)


def _heading(stability):
    """Return the headline: kappa at the inversion."""
    title, at = title_of(stability.title or "history", stability.classes), stability.at_inversion
    if at is None:
        return f"{title}: {_without_inversion(stability)}"
    return f"{title}: κ = {stability.kappa[at]:.2f} at the inversion, ε* = {stability.inversion[1]:.2g}"


def _without_inversion(stability):
    """Return the reason why no inversion is shown, in words."""
    return "no inversion" if stability.measured else "no layer was measured"


def _caption(stability):
    """Return the caption: the examples, runs, pairs and recipe."""
    left_out = f" ({stability.diverged} diverged and left out)" if stability.diverged else ""
    facts = [
        f"P = {stability.examples:g}",
        f"{stability.taken} runs{left_out}",
        f"{stability.which} pairs",
        *recipe_facts(stability.recipe, stability.recording).values(),
    ]
    top = _top(stability)
    notes = [*([f"largest κ = {top.replace('eps', 'ε')}"] if top else [])]
    notes += [] if _has_z(stability) else [_without_z(stability)]
    return "; ".join([", ".join(facts), *notes])


def _top(stability):
    """Return the largest kappa, its place and how that lies to eps*, as text; empty without a kappa."""
    largest = stability.at_largest
    if largest is None:
        return ""
    error, inversion = stability.train_error[largest], (stability.inversion or (0, 0))[1]
    ratio = f" = {error / inversion:.2f} eps*" if inversion > 0 else ""
    return f"{_kappa(stability, largest)} at eps = {error:.4f}{ratio}"


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
    headings = ["t", "error", "size", "kappa", "95 % low", "high", "Jaccard", "runs"]
    caption = sentence(stability)
    if _has_z(stability):
        headings.insert(-1, "z")
    else:
        caption += f"\n{_without_z(stability)}"
    if len(rows) < T:
        caption += f"\n{len(rows)} of {T} records; the JSON holds all"
    cells = [_row(stability, row, "*" if row == at else "") for row in rows]
    title = table_title(stability.title, stability.classes)
    return [Table(title, [(heading, "right") for heading in headings], cells, caption)]


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
        *([as_cell(stability.z[row], 1)] if _has_z(stability) else []),
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
        _without_inversion(stability)
        if at is None
        else f"kappa = {_kappa(stability, at)} at the inversion, eps* = {stability.inversion[1]:.4f}"
    ]
    if largest is not None:
        parts.append(f"largest kappa {_top(stability)}")
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
