"""The panels of the figure of a sweep, and the look of the sets that were left out."""

import numpy as np

from strag.stragglers.intervals import two_levels
from strag.stragglers.inversion import SMALLEST_DEPTH
from strag.stragglers.sets import CLASS, EARLIER, HARD, NO_CONTROL, RANDOM
from strag.stragglers.sweep import DOSE
from strag.views.dynamics import log_ticks
from strag.views.style import BAND, BLUE, DASHES, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILION

SHARE, TURN, DIFFERENCE = "share", "update", "difference"  # names of panels
LOOKS = {  # of a set and of its controls: (colour, line style, marker)
    NO_CONTROL: (VERMILION, DASHES[0], "o"),
    RANDOM: (GREEN, DASHES[1], "s"),
    CLASS: (SKY, DASHES[2], "^"),
    EARLIER: (PURPLE, DASHES[3], "D"),
    HARD: (ORANGE, (0, (7, 1.5, 1, 1.5, 1, 1.5)), "v"),
}
NAMES = {  # of what networks left out
    NO_CONTROL: "stragglers",
    RANDOM: "as many at random",
    CLASS: "as many of each class",
    EARLIER: "as many misclassified at half the time",
    HARD: "as many of the hardest others",
}
AT_T = "S(t), misclassified at t"  # the sets of a sweep over updates: not the stragglers, except at t*
LINES = {  # horizontal lines at the values of a Baseline: (name, look)
    "test_error": ("all examples", {"color": BLUE, "linestyle": (0, (7, 2)), "linewidth": 0.9}),
    "stopped_test_error": (
        "all examples, stopped at t*",
        {"color": GREY, "linestyle": (0, (7, 2, 1, 2)), "linewidth": 1.1},
    ),
}
MARKER = 4  # points
LINEAR = 20  # largest ratio of differences that an axis with equal steps shows
MOST_TURNS = 6  # ticks on the axis of t*


def names_in(sweep):
    """Return the names of what the networks of a Sweep left out: dict of control to name."""
    names = {control: NAMES[control] for control in sweep.controls}
    return names if sweep.by == DOSE or NO_CONTROL not in names else {**names, NO_CONTROL: AT_T}


def _conditions_of(sweep, control):
    """Return the positions of the conditions with this control, and the conditions."""
    positions = [at for at, condition in enumerate(sweep.conditions) if condition.control == control]
    return positions, [sweep.conditions[at] for at in positions]


def draw_shares(panel, sweep, control, places):
    """Draw the share of the networks that invert in every condition, and bars for undecided networks.

    A marker is hollow where networks are undecided, since the share may lie anywhere on its bar.
    """
    shown, conditions = _conditions_of(sweep, control)
    share = np.array([condition.inverting / condition.networks for condition in conditions])
    above = np.array([condition.censored / condition.networks for condition in conditions])
    colour, dashes, marker = LOOKS[control]
    look = {"color": colour, "markersize": MARKER}
    label, undecided = names_in(sweep)[control], above > 0
    panel.plot(places[shown], share, linestyle=dashes, marker=marker, label=label, **look)
    if undecided.any():
        bars = np.stack([np.zeros(undecided.sum()), above[undecided]])
        at = places[shown][undecided], share[undecided]
        panel.errorbar(*at, bars, fmt="none", ecolor=colour, capsize=2, linewidth=0.8)
        panel.plot(*at, linestyle="", marker=marker, markerfacecolor="white", zorder=3, **look)


def draw_curve(panel, sweep, control, name, places):
    """Draw the mean over the networks of every condition, and a band of one standard deviation.

    name : of the quantity, an attribute of SweepCondition.
    """
    shown, conditions = _conditions_of(sweep, control)
    columns = [getattr(condition, name) for condition in conditions]
    columns = [column[np.isfinite(column)] for column in columns]
    mean = np.array([column.mean() if column.size else np.nan for column in columns])
    spread = np.array([column.std(ddof=1) if column.size > 1 else 0.0 for column in columns])
    _banded(panel, control, places[shown], mean, (mean - spread, mean + spread))


def draw_differences(panel, sweep, control, places):
    """Draw the mean test error of S(t) minus that of a control, paired by run, and its 95 % interval."""
    shown, conditions = _conditions_of(sweep, NO_CONTROL)
    columns = [condition.differences.get(control) for condition in conditions]
    if not columns or columns[0] is None:
        return
    levels = [two_levels([column]) for column in columns]
    mean, *band = (np.array([getattr(level, name) for level in levels]) for name in ("mean", "low", "high"))
    _banded(panel, control, places[shown], mean, band)


def _banded(panel, control, places, mean, band):
    """Draw a curve with a band, in the look of a control."""
    colour, dashes, marker = LOOKS[control]
    panel.plot(places, mean, color=colour, linestyle=dashes, marker=marker, markersize=MARKER)
    panel.fill_between(places, *band, color=colour, alpha=BAND, linewidth=0)


def draw_bounds(panel, sweep, control, places):
    """Draw the mean of the updates below which open networks have no inversion, as hollow triangles."""
    shown, conditions = _conditions_of(sweep, control)
    for place, condition in zip(places[shown], conditions, strict=True):
        bounds = condition.excluded_below[np.isfinite(condition.excluded_below)]
        if bounds.size:
            look = {"color": LOOKS[control][0], "markerfacecolor": "white", "markersize": MARKER + 2}
            panel.plot([place], [bounds.mean()], linestyle="", marker="^", **look)


def finish_vertical(panel, name, sweep, baseline):
    """Draw the horizontal lines of a panel, and set its vertical axis.

    The lines are at the values of a Baseline, at a difference of 0, and at the least depth of an inversion.
    """
    thin = {"color": INK, "linewidth": 0.7, "zorder": 1}
    if name == SHARE:
        panel.set_ylim(-0.05, 1.05)
    elif name == "test_error":
        for attribute, (_, look) in LINES.items():
            if getattr(baseline, attribute, None) is not None:
                panel.axhline(getattr(baseline, attribute), zorder=1, **look)
    elif name == "depth_at_4":
        panel.axhline(SMALLEST_DEPTH, **thin)
        panel.set_ylim(bottom=0)
    elif name == TURN:
        if getattr(baseline, "update", None) is not None:
            panel.axhline(baseline.update, zorder=1, **LINES["test_error"][1])
        _label_turns(panel)
    else:
        panel.axhline(0, **thin)
        _label_differences(panel)


def _label_turns(panel):
    """Make the vertical axis of t* logarithmic, from the smallest to the largest value drawn."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in panel.lines])
    values = values[np.isfinite(values)]
    low, high = values.min() / 1.3, values.max() * 1.3
    ticks = log_ticks(low, high, MOST_TURNS)
    panel.set_yscale("log")
    panel.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.yaxis.set_minor_formatter("")
    panel.set_ylim(low, high)


def _label_differences(panel):
    """Choose the vertical axis of differences: with equal steps, or logarithmic on both sides of 0.

    An axis with equal steps hides small differences, a quarter of all, next to those that are more than
    LINEAR times as large.
    """
    means = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in panel.lines])
    means = np.abs(means[np.isfinite(means) & (means != 0)])
    small = np.quantile(means, 0.25, method="lower") if means.size else 0.0
    if means.max(initial=0.0) <= LINEAR * small:
        return
    step = 10.0 ** np.floor(np.log10(small))
    decades = step * 10.0 ** np.arange(np.ceil(np.log10(means.max() / step)) + 1)
    ticks = np.concatenate([-decades[::-1], [0], decades])
    low, high = panel.get_ylim()
    panel.set_yscale("symlog", linthresh=step)
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    panel.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.yaxis.set_minor_formatter("")
    panel.set_ylim(low, high)
