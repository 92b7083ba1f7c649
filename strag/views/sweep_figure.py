"""The figure of a sweep: how leaving out stragglers changes the inversion and the test error."""

from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.stragglers.inversion import OPEN
from strag.stragglers.sets import NO_CONTROL
from strag.stragglers.sweep import DOSE
from strag.views.axes import MARK, MOST_TICKS, entitle, label_horizontal, legend_columns
from strag.views.captions import facts_of, title_of
from strag.views.dynamics import ERROR, UPDATES
from strag.views.style import BAND, CHARACTERS, GREY, INK, WIDTH, house_style, new_figure
from strag.views.sweep_panels import (
    DIFFERENCE,
    LINES,
    SHARE,
    TURN,
    draw_bounds,
    draw_curve,
    draw_differences,
    draw_shares,
    finish_vertical,
    names_in,
)
from strag.words import number_of

HEIGHT, ROW = 3.1, 0.17  # inches: of a figure with two legend rows, and of every further legend row
SECOND = 1.8  # inches, of a second row of panels
MOST_IN_ROW = 3  # panels
MOST_COLUMNS = 3  # of the legend
NARROW = 24  # characters of a line below one of three panels
LEFT_OUT = {
    DOSE: "share of the stragglers left out",
    UPDATES: "update t at which S(t) was taken",
    ERROR: "training error ε(t), the share left out",
}


def sweep_figure(sweep, x=UPDATES, baseline=None):
    """Draw how leaving out examples changes the inversion and, with test records, the test error.

    One panel shows the share of the networks that invert. Its bars reach up to the share that would invert if
    all undecided networks did. A sweep over doses also shows t* and the depth of the valley up to 4 t*, means
    over the networks that invert; the latter only where all of them were trained that long. Where networks
    are open, a hollow triangle shows the update below which they have no inversion. A sweep over updates also
    shows the test error minus that of each control, paired by run, with its 95 % interval.

    Parameters
    ----------
    sweep : Sweep.
    x : horizontal axis of a sweep over updates. `updates` are those at which the sets were taken. `error` is
        the mean share of the examples that were left out; for the sets S(t), this is the training error at t.
        A sweep over doses always has the dose as its axis.
    baseline : Baseline. Its test errors are horizontal lines. Its inversion is a vertical line, in a sweep
        over doses a horizontal one.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError if no examples were left out and `x` is `error`.
    """
    x = DOSE if sweep.by == DOSE else x
    places, mark, shown = _places(sweep, x), _mark(baseline, x), _shown(sweep, x)
    rows = 1 if len(shown) <= MOST_IN_ROW else 2
    columns = max(-(-len(shown) // rows), 2)
    with house_style():
        figure = new_figure(WIDTH, HEIGHT)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        panels = dict(zip(shown, axes, strict=False))
        for name, panel in panels.items():
            _draw(panel, sweep, name, places)
            values = np.append(places[np.isfinite(places)], mark or [])
            _label_horizontal(panel, x, values, 2 * MOST_TICKS // columns, columns > 2)
            panel.set_ylabel(shown[name])
            if mark:
                panel.axvline(mark, color=INK, zorder=1, **MARK)
            finish_vertical(panel, name, sweep, baseline)
        for panel in axes[len(shown) :]:
            panel.set_axis_off()
        handles = _handles(panels, sweep, baseline, x)
        ncols = legend_columns([handle.get_label() for handle in handles], MOST_COLUMNS)
        figure.legend(handles=handles, loc="outside lower center", ncols=ncols, columnspacing=1.5)
        legend_rows = -(-len(handles) // ncols)
        figure.set_figheight(HEIGHT + SECOND * (rows - 1) + ROW * max(legend_rows - 2, 0))
        entitle(panels[SHARE], _heading(sweep), wrap(_caption(sweep), CHARACTERS))
    return figure


def _draw(panel, sweep, name, places):
    """Draw the curves of one panel, those of the stragglers on top."""
    for control in reversed(sweep.controls):
        if name == SHARE:
            draw_shares(panel, sweep, control, places)
        elif name == DIFFERENCE:
            draw_differences(panel, sweep, control, places)
        else:
            draw_curve(panel, sweep, control, name, places)
        if name == TURN:
            draw_bounds(panel, sweep, control, places)


def _shown(sweep, x):
    """Return the panels of the figure: dict of name to the label of the vertical axis."""
    shown = {SHARE: "share that inverts"}
    if x == DOSE:
        for name, label in ((TURN, "t* of those that invert"), ("depth_at_4", "depth up to 4 t*")):
            if any(np.isfinite(getattr(condition, name)).any() for condition in sweep.conditions):
                shown[name] = label
    if sweep.noise is not None:
        noise = f", noise σ = {sweep.noise:g}" if sweep.noise else " at the end"
        shown["test_error"] = f"test error{noise}"
        if x != DOSE and any(condition.differences for condition in sweep.conditions):
            shown[DIFFERENCE] = "test error: S(t) minus\ncontrol, 95 % interval"
    return shown


def _places(sweep, x):
    """Return the places of the conditions on the horizontal axis, NaN for those without a place: float64."""
    if sweep.is_own:
        return np.ones(len(sweep.conditions))
    if x != ERROR:
        return np.array([condition.place for condition in sweep.conditions], dtype=float)
    P = sweep.history.examples
    shares = np.array([condition.removed / P for condition in sweep.conditions])
    if not shares.any():
        raise StragError(
            "left out nothing, which an axis of errors cannot show",
            "plot it against updates",
            sweep.history.source,
        )
    return np.where(shares > 0, shares, np.nan)


def _mark(baseline, x):
    """Return the place of the inversion of a Baseline on the horizontal axis, or None."""
    if baseline is None or x == DOSE:
        return None
    return baseline.train_error if x == ERROR else baseline.update


def _label_horizontal(panel, x, values, most, narrow):
    """Label the horizontal axis of a panel.

    most : largest number of ticks. narrow : whether the panel is so narrow that the label must wrap.
    """
    if x == DOSE:
        panel.set_xlim(0, 1.03)
    else:
        label_horizontal(panel, values, x, most)
    panel.set_xlabel("\n".join(wrap(LEFT_OUT[x], NARROW)) if narrow else LEFT_OUT[x])


def _handles(panels, sweep, baseline, x):
    """Return the entries of the legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [line for line in panels[SHARE].get_lines() if line.get_label() in names_in(sweep).values()]
    handles = handles[::-1]  # the stragglers were drawn last
    most = max(condition.networks for condition in sweep.conditions)
    if most > 1 and len(panels) > 1:
        handles.append(Patch(facecolor=GREY, alpha=2 * BAND, label=f"± 1 s.d. over {most} networks"))
    if any(condition.censored for condition in sweep.conditions):
        look = {"color": GREY, "marker": "|", "linestyle": "", "markersize": 9}
        handles.append(Line2D([], [], label="undecided: open, unstable, ...", **look))
    if TURN in panels and any(np.isfinite(c.excluded_below).any() for c in sweep.conditions):
        look = {"color": GREY, "marker": "^", "linestyle": "", "markerfacecolor": "white"}
        handles.append(Line2D([], [], label="open: no inversion before", **look))
    if "depth_at_4" in panels:
        handles.append(Line2D([], [], color=INK, linewidth=0.7, label="least depth of an inversion"))
    handles += [
        Line2D([], [], label=name, **look)
        for attribute, (name, look) in LINES.items()
        if getattr(baseline, attribute, None) is not None
    ]
    mark = _mark(baseline, x)
    if mark:
        where = f"ε* = {mark:.2g}" if x == ERROR else f"t* = {mark:.0f}"
        handles.append(Line2D([], [], color=INK, label=f"{where}: the stragglers", **MARK))
    return handles


def _heading(sweep):
    """Return the headline. Over doses, it says how many networks invert at the largest dose."""
    title = title_of(sweep.history.meta.get("title") or "history", sweep.history.classes)
    conditions = [condition for condition in sweep.conditions if condition.control == NO_CONTROL]
    if sweep.by != DOSE or not conditions:
        return f"{title}: trained without S(t), the examples misclassified at t"
    last = conditions[-1]
    which = "each run's own" if sweep.is_own else f"{_share(last.place)}the"
    verdict = "open" if last.censored == last.verdicts.get(OPEN) else "undecided"
    censored = f" ({last.censored} {verdict})" if last.censored else ""
    return f"{title}: {inverting_of(last)}{censored} without {which} stragglers"


def inverting_of(condition):
    """Return the number of networks of a Condition that invert, as text: `3 of 10 networks invert`."""
    verb = "inverts" if condition.networks == 1 else "invert"
    return f"{condition.inverting} of {number_of(condition.networks, 'network')} {verb}"


def _share(dose):
    """Return a dose in front of a noun: `50 % of `, or nothing for the dose 1."""
    return "" if dose == 1 else f"{100 * dose:.0f} % of "


def _caption(sweep):
    """Return the caption: the examples, the networks, the recipe and the duration of the training."""
    facts = facts_of(sweep.history, sweep.layer, 0)
    facts["runs"] = number_of(len(sweep.history.runs), "network")
    fewest, most = (int(extreme(sweep.history.last_updates)) for extreme in (np.min, np.max))
    some = number_of(most, "update")
    until = " until decided," if sweep.history.recipe.get("until") else ""
    facts["updates"] = f"trained{until} for {some if fewest == most else f'{fewest} to {some}'}"
    return ", ".join(facts.values())
