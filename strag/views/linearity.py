"""A linearity as a figure, tables and a sentence: R^2 and equal decisions along training."""

from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.views.axes import MARK, entitle, label_horizontal, marker
from strag.views.captions import one_line, recipe_facts
from strag.views.dynamics import UPDATES, mean_and_spread
from strag.views.picture import Picture
from strag.views.style import BAND, BLUE, CHARACTERS, GREY, INK, WIDTH, house_style, new_figure
from strag.views.table import Table, as_cell
from strag.words import number_of

OPTIONS = ("x",)  # of a picture of a linearity
HEIGHT = 3.2  # inches
ROWS = 20  # most rows of the table; the JSON has all updates
LOWEST = -0.05  # of the vertical axis of R^2; far below it there is nothing to see
FRACTIONS = {0.25: "t*/4"}  # multiples of t* in words


def linearity_figure(result, x=UPDATES):
    """Draw R^2 on the left and the share of equal decisions on the right, as means over runs with a band.

    The share of correct decisions is drawn in grey for comparison. A vertical line marks the inversion.

    Parameters
    ----------
    result : Linearity. x : `updates`, or `error` for the training error, which falls to the right. Both axes
    are logarithmic.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError if no update can be shown on such an axis, or if nothing was fitted.
    """
    runs = _fitted(result)
    axis = (result.updates if x == UPDATES else result.train_error)[:, runs].mean(axis=1)
    shown = axis > 0
    if not shown.any():
        what = "weights after update 0" if x == UPDATES else "update with a training error above 0"
        raise StragError(f"has no {what} to show", "store weights at more updates", result.source)
    with house_style():
        figure = new_figure(WIDTH, HEIGHT)
        left, right = panels = figure.subplots(1, 2)
        _curve(left, axis[shown], result.r2[shown][:, runs], color=BLUE)
        correct = 1 - result.train_error[shown][:, runs]
        _curve(right, axis[shown], correct, color=GREY, label="correct decisions", linestyle="--")
        equal = result.agreement[shown][:, runs]
        _curve(right, axis[shown], equal, color=BLUE, label="decisions equal to those of the function")
        at = _inversion(result, x)
        for panel in panels:
            label_horizontal(panel, axis[shown], x)
            if at is not None:
                panel.axvline(at, color=INK, zorder=1, label="inversion", **MARK)
        left.set_ylim(max(LOWEST, left.get_ylim()[0]), min(1.0, max(0.1, left.get_ylim()[1])))
        left.set_ylabel("R² of a linear function of the inputs")
        right.set_ylabel("share of examples")
        entitle(left, _heading(result), wrap(_caption(result), CHARACTERS))
        handles, labels = right.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure


def _fitted(result):
    """The positions of the runs with a fit. Raises StragError if there are none."""
    runs = np.flatnonzero(np.isfinite(result.r2).any(axis=0))
    if not runs.size:
        rows, inputs = (
            number_of(int(n[0]), noun) for n, noun in ((result.fitted, "row"), (result.inputs, "input"))
        )
        problem = f"has no fit to show: {rows} of even index, {inputs}"
        raise StragError(problem, "use more examples", result.source)
    return runs


def _curve(panel, places, values, **look):
    """Draw the mean over runs, and a band of one standard deviation on either side. values : [U, R]."""
    mean, spread = mean_and_spread(values)
    panel.plot(places, mean, marker=marker(places.size), **look)
    if values.shape[1] > 1:
        panel.fill_between(places, mean - spread, mean + spread, color=look["color"], alpha=BAND, linewidth=0)


def _inversion(result, x):
    """Where the inversion is on the horizontal axis: the mean over inverting runs, or None."""
    if not result.moments:
        return None
    values = result.inversion[0 if x == UPDATES else 1]
    mean = float(np.nanmean(values))
    return mean if mean > 0 else None


def _heading(result):
    """Return the headline: R^2 and equal decisions at the inversion."""
    title, now = one_line(result.title or "weights"), _moment(result, 1.0)
    if now is None or now.r2 != now.r2:
        return f"{title}: how linear the networks are"
    return f"{title}: R² = {now.r2:.3f}, {100 * now.agreement:.1f} % equal decisions at the inversion"


def _caption(result):
    """Return the caption: the examples, runs and recipe."""
    first = int(_fitted(result)[0])
    facts = [
        f"{result.fitted[first]} examples fitted, {result.tested[first]} tested",
        number_of(len(result.runs), "run") + (" ± 1 s.d." if len(result.runs) > 1 else ""),
        *recipe_facts(result.recipe).values(),
    ]
    return ", ".join(facts)


def _moment(result, times):
    """The Moment at a multiple of t*, or None."""
    return next((moment for moment in result.moments if moment.times == times and moment.runs), None)


def picture(result, x=UPDATES):
    """Return the Picture of a Linearity. x : see `linearity_figure`."""
    return Picture(lambda: linearity_figure(result, x), lambda: tables(result))


def tables(result):
    """Return a Linearity as Tables: means over runs at about ROWS updates, and around the inversion."""
    U = len(result.updates)
    rows = range(U)
    if U > ROWS:
        rows = np.linspace(0, U - 1, ROWS).round().astype(int).tolist()
    headings = ("t", "error", "R2", "s.d.", "equal", "s.d.", "runs")
    caption = sentence(result)
    if len(rows) < U:
        caption += f"\n{len(rows)} of {U} updates; the JSON holds all"
    columns = [(heading, "right") for heading in headings]
    shown = [Table(result.title, columns, [_row(result, at) for at in rows], caption)]
    if result.moments:
        columns = [(heading, "right") for heading in ("at", *headings)]
        cells = [_moment_row(moment) for moment in result.moments]
        shown.append(Table("around the inversion", columns, cells, "means over runs, each at its own t*"))
    return shown


def _row(result, at):
    """Return the cells of an update."""
    cells = [f"{result.updates[at].mean():.0f}", as_cell(result.train_error[at].mean(), 4)]
    for values in (result.r2[at], result.agreement[at]):
        known = values[np.isfinite(values)]
        cells += [as_cell(known.mean() if known.size else None, 3)]
        cells += [as_cell(known.std(ddof=1) if known.size > 1 else None, 3)]
    return (*cells, str(int(np.isfinite(result.r2[at]).sum())))


def _moment_row(moment):
    """Return the cells of a Moment."""
    return (
        _times(moment.times),
        as_cell(moment.update, 0),
        as_cell(moment.train_error, 4),
        as_cell(moment.r2, 3),
        as_cell(moment.r2_std, 3),
        as_cell(moment.agreement, 3),
        as_cell(moment.agreement_std, 3),
        str(moment.runs),
    )


def _times(times):
    """Return a multiple of t* in words."""
    return FRACTIONS.get(times, "t*" if times == 1 else f"{times:g} t*")


def sentence(result):
    """Return one line: R^2 and equal decisions at the inversion and around it, else at both ends."""
    runs = number_of(len(result.runs), "run")
    if not np.isfinite(result.r2).any():
        return f"nothing is fitted ({runs})"
    if result.moments:
        parts = [
            f"{_values(moment.r2, moment.agreement)} at {_times(moment.times)}"
            for moment in result.moments
            if moment.r2 == moment.r2
        ]
        inverting = int(np.isfinite(result.inversion[0]).sum())
        text = "; ".join(parts) or "no weights are stored near the inversion"
        return f"{text} ({inverting} of {runs} inverting)"
    ends = dict.fromkeys((0, len(result.updates) - 1))
    parts = [
        f"{_values(*(_mean(values[at]) for values in (result.r2, result.agreement)))}"
        f" at {_when(result.updates[at])}"
        for at in ends
    ]
    inverts = "; no run inverts" if result.inversion is not None else ""
    return f"{'; '.join(parts)} ({runs}{inverts})"


def _when(updates):
    """Return the update of each run as text: one, or the smallest and the largest."""
    low, high = updates.min(), updates.max()
    return f"update {low}" if low == high else f"updates {low} to {high}"


def _mean(values):
    """Mean of the finite values, NaN without any."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _values(r2, agreement):
    """Return R^2 and the share of equal decisions as text."""
    equal = "-" if agreement != agreement else f"{100 * agreement:.1f} %"
    return f"R2 {as_cell(r2, 3)}, {equal} equal"
