"""The figure of a sweep: how leaving out stragglers changes the valley and the test error."""

from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.stragglers.inversion import SMALLEST_DEPTH
from strag.stragglers.sets import CLASS, EARLIER, HARD, NO_CONTROL, RANDOM
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
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    WIDTH,
    house_style,
    new_figure,
)
from strag.words import number_of

SHARE = "share"  # name of the panel with the share of the networks that invert
EXCESS = 1000  # number of examples left out for which the excess of the test error is given
HEIGHT, ROW = 3.1, 0.17  # inches: of a figure with two legend rows, and of every further legend row
COLUMNS = 3  # of the legend
NARROW = 22  # characters of a line below one of three panels
LOOKS = {  # of a set and of its controls: (colour, line style, marker)
    NO_CONTROL: (VERMILION, DASHES[0], "o"),
    RANDOM: (GREEN, DASHES[1], "s"),
    CLASS: (SKY, DASHES[2], "^"),
    EARLIER: (PURPLE, DASHES[3], "D"),
    HARD: (ORANGE, (0, (7, 1.5, 1, 1.5, 1, 1.5)), "v"),
}
NAMES = {
    NO_CONTROL: "the stragglers",
    RANDOM: "as many at random",
    CLASS: "as many of each class at random",
    EARLIER: "as many misclassified at half the time",
    HARD: "as many of the hardest others",
}
LEFT_OUT = {
    DOSE: "share of the stragglers left out",
    UPDATES: "update t of the examples left out",
    ERROR: "share ε(t) left out",
}
LINES = {  # horizontal lines at the test errors of a Baseline: (name, look)
    "test_error": ("all examples", {"color": BLUE, "linestyle": (0, (7, 2)), "linewidth": 0.9}),
    "stopped_test_error": (
        "all examples, stopped at t*",
        {"color": GREY, "linestyle": (0, (7, 2, 1, 2)), "linewidth": 1.1},
    ),
}


def sweep_figure(sweep, x=UPDATES, baseline=None):
    """Draw how leaving out examples changes the inversion and, with test records, the test error.

    One panel shows the share of the networks that invert. Its bars reach up to the share that would invert if
    all undecided networks did. A sweep over doses also shows the depth of the valley up to 4 t*, the
    mean over the networks that invert and were trained that long. A sweep over updates with random controls
    also shows by how much the test error exceeds that of the controls, per EXCESS examples left out.

    Parameters
    ----------
    sweep : Sweep.
    x : horizontal axis of a sweep over updates. `updates` are those at which the sets were taken. `error` is
        the mean share of the examples that were left out; for the sets S(t), this is the training error at t.
        A sweep over doses always has the dose as its axis.
    baseline : Baseline. Its test errors are horizontal lines; its inversion is a vertical line, except in a
        sweep over doses.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError if no examples were left out and `x` is `error`.
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
        _lines_in(panels, baseline)
        _legend(figure, panels, sweep, baseline, mark)
        entitle(panels[SHARE], _heading(sweep), wrap(_caption(sweep), CHARACTERS))
    return figure


def _shown(sweep, x):
    """Return the panels of the figure: dict of name to the label of the vertical axis."""
    shown = {SHARE: "share that inverts"}
    if x == DOSE and any(np.isfinite(condition.depth_at_4).any() for condition in sweep.conditions):
        shown["depth_at_4"] = "depth up to 4 t*"
    if sweep.noise is not None:
        shown["test_error"] = f"test error{f', noise σ = {sweep.noise:g}' if sweep.noise else ''}"
        if x != DOSE and any(np.isfinite(condition.excess).any() for condition in sweep.conditions):
            shown["excess"] = f"excess over random\nper {EXCESS} left out"
    return shown


def _lines_in(panels, baseline):
    """Draw the horizontal lines and set the limits of the vertical axes.

    The lines are at the test errors of a Baseline, at an excess of 0, and at the least depth of an inversion.
    """
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


def _lines(baseline):
    """Return the horizontal lines of a Baseline as pairs of the test error and (name, look)."""
    lines = ((getattr(baseline, name, None), line) for name, line in LINES.items())
    return [(error, line) for error, line in lines if error is not None]


def _conditions_of(sweep, control):
    """Return the positions of the conditions with this control, and the conditions."""
    positions = [at for at, condition in enumerate(sweep.conditions) if condition.control == control]
    return positions, [sweep.conditions[at] for at in positions]


def _shares(panel, sweep, control, _, places):
    """Draw the share of the networks that invert in every condition, and bars for undecided networks."""
    shown, conditions = _conditions_of(sweep, control)
    share = np.array([condition.inverting / condition.networks for condition in conditions])
    above = np.array([condition.censored / condition.networks for condition in conditions])
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
    undecided = above > 0
    if undecided.any():
        bars = np.stack([np.zeros(undecided.sum()), above[undecided]])
        panel.errorbar(
            places[shown][undecided],
            share[undecided],
            bars,
            fmt="none",
            ecolor=colour,
            capsize=2,
            linewidth=0.8,
        )


def _curve(panel, sweep, control, name, places):
    """Draw the mean over the networks of every condition, and a band of one standard deviation.

    name : of the quantity, an attribute of Condition.
    """
    shown, conditions = _conditions_of(sweep, control)
    scale = EXCESS if name == "excess" else 1
    columns = [scale * getattr(condition, name) for condition in conditions]
    columns = [column[np.isfinite(column)] for column in columns]
    mean = np.array([column.mean() if column.size else np.nan for column in columns])
    spread = np.array([column.std(ddof=1) if column.size > 1 else 0.0 for column in columns])
    colour, dashes, marker = LOOKS[control]
    panel.plot(places[shown], mean, color=colour, linestyle=dashes, marker=marker, markersize=4)
    panel.fill_between(places[shown], mean - spread, mean + spread, color=colour, alpha=BAND, linewidth=0)


def _label_horizontal(panel, x, values, most, narrow):
    """Label the horizontal axis of a panel.

    most : largest number of ticks. narrow : whether the panel is so narrow that the label must wrap.
    """
    if x == DOSE:
        panel.set_xlim(0, 1.03)
    else:
        label_horizontal(panel, values, x, most)
    panel.set_xlabel("\n".join(wrap(LEFT_OUT[x], NARROW)) if narrow else LEFT_OUT[x])


def _legend(figure, panels, sweep, baseline, mark):
    """Write the legend below the panels and make room for it."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [line for line in panels[SHARE].get_lines() if line.get_label() in NAMES.values()]
    most = max(condition.networks for condition in sweep.conditions)
    if most > 1 and len(panels) > 1:
        handles.append(Patch(facecolor=GREY, alpha=2 * BAND, label=f"± 1 s.d. over {most} networks"))
    if any(condition.censored for condition in sweep.conditions):
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
    """Return the headline. Over doses, it says how many networks invert at the largest dose."""
    title = one_line(sweep.history.meta.get("title") or "history")
    _, conditions = _conditions_of(sweep, NO_CONTROL)
    if sweep.by != DOSE or not conditions:
        return f"{title}: trained without the examples misclassified at t"
    last = conditions[-1]
    which = "each run's own" if sweep.is_own else f"{_share(last.place)}the"
    censored = f" ({last.censored} undecided)" if last.censored else ""
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
    facts["updates"] = f"trained for {some if fewest == most else f'{fewest} to {some}'}"
    return ", ".join(facts.values())
