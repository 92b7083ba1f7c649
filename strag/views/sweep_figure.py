"""The figure of a sweep: how leaving out stragglers changes the valley and the test error."""

from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.stragglers.inversion import SMALLEST_DEPTH
from strag.stragglers.sets import CLASS, EARLIER, NO_CONTROL, RANDOM
from strag.stragglers.sweep import DOSE
from strag.views.axes import MARK, MOST_TICKS, entitle, label_horizontal
from strag.views.captions import facts_of, one_line
from strag.views.dynamics import ERROR, UPDATES
from strag.views.style import (
    BAND,
    BLUE,
    CHARACTERS,
    DASHES,
    GREEN,
    GREY,
    INK,
    PURPLE,
    SKY,
    VERMILION,
    WIDTH,
    house_style,
    new_figure,
)
from strag.words import number_of

SHARE = "share"  # of the networks that invert
EXCESS = 1000  # examples left out, per which the excess is given
HEIGHT, ROW = 3.1, 0.17  # inches: with two rows of the legend, and of every further one
COLUMNS = 3  # of the legend
NARROW = 22  # characters below one of three panels
LOOKS = {  # of a set and of its controls: colour, line style, marker
    NO_CONTROL: (VERMILION, DASHES[0], "o"),
    RANDOM: (GREEN, DASHES[1], "s"),
    CLASS: (SKY, DASHES[2], "^"),
    EARLIER: (PURPLE, DASHES[3], "D"),
}
NAMES = {
    NO_CONTROL: "the stragglers",
    RANDOM: "as many at random",
    CLASS: "as many of each class at random",
    EARLIER: "as many misclassified at half the time",
}
LEFT_OUT = {
    DOSE: "share of the stragglers left out",
    UPDATES: "update t of the examples left out",
    ERROR: "share ε(t) left out",
}
LINES = {  # at the test errors of a Baseline: name, look
    "test_error": ("all examples", {"color": BLUE, "linestyle": (0, (7, 2)), "linewidth": 0.9}),
    "stopped_test_error": (
        "all examples, stopped at t*",
        {"color": GREY, "linestyle": (0, (7, 2, 1, 2)), "linewidth": 1.1},
    ),
}


def sweep_figure(sweep, x=UPDATES, baseline=None):
    """Draw how leaving out examples changes the inversion and, with test records, the test error.

    One panel shows the share of the networks that invert, with a bar up to the share if all undecided
    networks did. A sweep over doses also shows the depth of the valley up to 4 t*, over the networks that
    invert and were trained that long. A sweep over updates with random controls also shows the excess of the
    test error over that of the controls, per example left out.

    Parameters
    ----------
    sweep : Sweep.
    x : horizontal axis of a sweep over updates: `updates` at which the sets were taken, or `error`, the mean
        share of the examples left out, which for S(t) is the training error at t. A sweep over doses has
        its own axis.
    baseline : Baseline. Its test errors are horizontal lines; its inversion is a vertical line, except in a
        sweep over doses.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError if nothing was left out and the axis is that of errors.
    """
    x = DOSE if sweep.by == DOSE else x
    places, mark, shown = _places(sweep, x), _mark(baseline, x), _shown(sweep, x)
    with house_style():
        figure = new_figure(WIDTH, HEIGHT)
        panels = dict(zip(shown, figure.subplots(1, max(len(shown), 2)), strict=False))
        for name, panel in panels.items():
            for control in sweep.controls if name != "excess" else (NO_CONTROL,):
                (_shares if name == SHARE else _curve)(panel, sweep, control, name, places)
            most = 2 * MOST_TICKS // max(len(shown), 2)
            _label_horizontal(
                panel, x, np.append(places[np.isfinite(places)], mark or []), most, len(shown) > 2
            )
            panel.set_ylabel(shown[name])
            if mark:
                panel.axvline(mark, color=INK, zorder=1, **MARK)
        for panel in figure.axes[len(shown) :]:
            panel.set_axis_off()
        _lines_in(panels, sweep, baseline)
        _legend(figure, panels, sweep, baseline, mark)
        entitle(panels[SHARE], _heading(sweep), wrap(_caption(sweep), CHARACTERS))
    return figure


def _shown(sweep, x):
    """Return the panels as a dict of name to label."""
    shown = {SHARE: "share that inverts"}
    if x == DOSE and any(np.isfinite(one.depth_at_4).any() for one in sweep.conditions):
        shown["depth_at_4"] = "depth up to 4 t*"
    if sweep.noise is not None:
        shown["test_error"] = f"test error{f', noise σ = {sweep.noise:g}' if sweep.noise else ''}"
        if x != DOSE and any(np.isfinite(one.excess).any() for one in sweep.conditions):
            shown["excess"] = f"excess over random\nper {EXCESS} left out"
    return shown


def _lines_in(panels, sweep, baseline):
    """Draw the horizontal lines (of a Baseline, no excess, least depth) and set the limits."""
    panels[SHARE].set_ylim(-0.05, 1.05)
    if "test_error" in panels:
        for error, (_, look) in _lines(baseline):
            panels["test_error"].axhline(error, zorder=1, **look)
    if "excess" in panels:
        panels["excess"].axhline(0, color=INK, linewidth=0.7, zorder=1)
    if "depth_at_4" in panels:
        panels["depth_at_4"].axhline(SMALLEST_DEPTH, color=INK, linewidth=0.7, zorder=1)
        panels["depth_at_4"].set_ylim(bottom=0)


def _places(sweep, x):
    """Return the places of the conditions on the horizontal axis: float64, NaN if a condition has none."""
    if sweep.is_own:
        return np.ones(len(sweep.conditions))
    if x != ERROR:
        return np.array([one.place for one in sweep.conditions], dtype=float)
    shares = np.array([one.removed / sweep.history.examples for one in sweep.conditions])
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


def _lines(baseline):
    """Return height, and name and look, of every horizontal line of a Baseline."""
    known = ((getattr(baseline, name, None), line) for name, line in LINES.items())
    return [(error, line) for error, line in known if error is not None]


def _shares(panel, sweep, control, _, places):
    """Draw the share of networks that invert in every condition, and bars for the undecided ones."""
    shown = [number for number, one in enumerate(sweep.conditions) if one.control == control]
    conditions = [sweep.conditions[number] for number in shown]
    share = np.array([one.inverting / one.networks for one in conditions])
    above = np.array([one.censored / one.networks for one in conditions])
    colour, dashes, marker = LOOKS[control]
    panel.plot(
        places[shown],
        share,
        color=colour,
        linestyle=dashes,
        marker=marker,
        markersize=4,
        label=NAMES[control],
    )
    some = above > 0
    if some.any():
        bars = np.stack([np.zeros(some.sum()), above[some]])
        panel.errorbar(
            places[shown][some], share[some], bars, fmt="none", ecolor=colour, capsize=2, linewidth=0.8
        )


def _curve(panel, sweep, control, name, places):
    """Draw the mean over the networks of every condition, with a band of one standard deviation."""
    shown = [number for number, one in enumerate(sweep.conditions) if one.control == control]
    at, conditions = places[shown], [sweep.conditions[number] for number in shown]
    scale = EXCESS if name == "excess" else 1  # of a test error, or of a depth
    columns = [scale * getattr(one, name) for one in conditions]
    columns = [column[np.isfinite(column)] for column in columns]
    mean = np.array([column.mean() if column.size else np.nan for column in columns])
    spread = np.array([column.std(ddof=1) if column.size > 1 else 0.0 for column in columns])
    colour, dashes, marker = LOOKS[control]
    panel.plot(at, mean, color=colour, linestyle=dashes, marker=marker, markersize=4)
    panel.fill_between(at, mean - spread, mean + spread, color=colour, alpha=BAND, linewidth=0)


def _label_horizontal(panel, x, values, most, narrow):
    if x == DOSE:
        panel.set_xlim(0, 1.03)
    else:
        label_horizontal(panel, values, x, most)
    panel.set_xlabel("\n".join(wrap(LEFT_OUT[x], NARROW)) if narrow else LEFT_OUT[x])


def _legend(figure, panels, sweep, baseline, mark):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [line for line in panels[SHARE].get_lines() if line.get_label() in NAMES.values()]
    most = max(one.networks for one in sweep.conditions)
    if most > 1 and len(panels) > 1:
        handles.append(Patch(facecolor=GREY, alpha=2 * BAND, label=f"± 1 s.d. over {most} networks"))
    if any(one.censored for one in sweep.conditions):
        look = {"color": GREY, "marker": "|", "linestyle": "", "markersize": 9}
        handles.append(Line2D([], [], label="undecided: open, unstable, ...", **look))
    if "depth_at_4" in panels:
        handles.append(Line2D([], [], color=INK, linewidth=0.7, label="least depth of an inversion"))
    handles += [Line2D([], [], label=name, **look) for _, (name, look) in _lines(baseline)]
    if mark:
        handles.append(Line2D([], [], color=INK, label="inversion t*", **MARK))
    figure.legend(handles=handles, loc="outside lower center", ncols=COLUMNS, columnspacing=1.5)
    more = -(-len(handles) // COLUMNS) - 2
    figure.set_figheight(HEIGHT + ROW * max(more, 0))


def _heading(sweep):
    title = one_line(sweep.history.meta.get("title") or "history")
    whole = [one for one in sweep.conditions if one.control == NO_CONTROL]
    if sweep.by != DOSE or not whole:
        return f"{title}: trained without the examples misclassified at t"
    last = whole[-1]
    which = "each run's own" if sweep.is_own else f"{_share(last.place)}the"
    censored = f" ({last.censored} undecided)" if last.censored else ""
    return f"{title}: {inverting_of(last)}{censored} without {which} stragglers"


def inverting_of(condition):
    """Return the number of networks of a Condition that invert: `3 of 10 networks invert`."""
    verb = "inverts" if condition.networks == 1 else "invert"
    return f"{condition.inverting} of {number_of(condition.networks, 'network')} {verb}"


def _share(dose):
    return "" if dose == 1 else f"{100 * dose:.0f} % of "


def _caption(sweep):
    facts = facts_of(sweep.history, sweep.layer, 0)
    facts["runs"] = number_of(len(sweep.history.runs), "network")
    fewest, most = (int(extreme(sweep.history.last_updates)) for extreme in (np.min, np.max))
    some = number_of(most, "update")
    facts["updates"] = f"trained for {some if fewest == most else f'{fewest} to {some}'}"
    return ", ".join(facts.values())
