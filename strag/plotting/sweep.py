"""The figure of a sweep: what leaving out stragglers does to the valley, and to the test error."""

from textwrap import wrap

import numpy as np

from strag.plotting.axes import entitle, label_horizontal
from strag.plotting.captions import facts_of, one_line
from strag.plotting.style import (
    BAND,
    BLUE,
    CHARACTERS,
    DASHES,
    GREEN,
    GREY,
    INK,
    PURPLE,
    VERMILION,
    WIDTH,
    house_style,
)
from strag.stragglers.inversion import SMALLEST_DEPTH
from strag.stragglers.outcomes import DOSE
from strag.stragglers.sweeps import CLASS, EARLIER, NONE, RANDOM

HEIGHT = 3.1  # inches
LOOKS = {  # of a set and of its controls: colour, line style, marker
    NONE: (BLUE, DASHES[0], "o"),
    RANDOM: (VERMILION, DASHES[1], "s"),
    CLASS: (GREEN, DASHES[2], "^"),
    EARLIER: (PURPLE, DASHES[3], "D"),
}
NAMES = {
    NONE: "the stragglers",
    RANDOM: "as many at random",
    CLASS: "as many of each class at random",
    EARLIER: "as many misclassified at half the time",
}
LEFT_OUT = {True: "share of the stragglers left out", False: "update t of the errors left out"}


def sweep_figure(sweep):
    """Depth of the valley and, with test records, the test error, against what was left out.

    Parameters
    ----------
    sweep : Sweep.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    values = [("depth", "depth of the valley")]
    if sweep.noise is not None:
        values.append(("test_error", f"test error{f', noise σ = {sweep.noise:g}' if sweep.noise else ''}"))
    with house_style():
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        panels = figure.subplots(1, 2)
        for panel, (name, label) in zip(panels, values, strict=False):
            for control in sweep.controls:
                _curve(panel, sweep, control, name)
            _label_horizontal(panel, sweep)
            panel.set_ylabel(label)
        for panel in panels[len(values) :]:
            panel.set_axis_off()
        panels[0].axhline(SMALLEST_DEPTH, color=INK, linewidth=0.7, zorder=1)
        panels[0].set_ylim(bottom=0)
        _legend(figure, panels[0], sweep)
        entitle(panels[0], _heading(sweep), wrap(_caption(sweep), CHARACTERS))
    return figure


def _curve(panel, sweep, control, name):
    """Mean over the networks of every condition, with a band of one standard deviation."""
    conditions = [one for one in sweep.conditions if one.control == control]
    at = np.array([one.place for one in conditions])
    columns = [getattr(one, name) for one in conditions]
    columns = [column[np.isfinite(column)] for column in columns]
    mean = np.array([column.mean() if column.size else np.nan for column in columns])
    spread = np.array([column.std(ddof=1) if column.size > 1 else 0.0 for column in columns])
    colour, dashes, marker = LOOKS[control]
    panel.plot(at, mean, color=colour, linestyle=dashes, marker=marker, markersize=4, label=NAMES[control])
    panel.fill_between(at, mean - spread, mean + spread, color=colour, alpha=BAND, linewidth=0)


def _label_horizontal(panel, sweep):
    if sweep.by == DOSE:
        panel.set_xlim(0, 1.03)
        panel.set_xlabel(LEFT_OUT[True])
    else:
        label_horizontal(panel, np.array([one.place for one in sweep.conditions], dtype=float), "updates")
        panel.set_xlabel(LEFT_OUT[False])


def _legend(figure, panel, sweep):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = panel.get_legend_handles_labels()[0]
    most = max(one.networks for one in sweep.conditions)
    if most > 1:
        handles.append(Patch(facecolor=GREY, alpha=2 * BAND, label=f"± 1 s.d. over {most} networks"))
    handles.append(Line2D([], [], color=INK, linewidth=0.7, label="least depth of an inversion"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)


def _heading(sweep):
    title = one_line(sweep.history.meta.get("title") or "history")
    whole = [one for one in sweep.conditions if one.control == NONE]
    if sweep.by != DOSE or not whole:
        return f"{title}: trained without what was misclassified at t"
    last = whole[-1]
    return (
        f"{title}: without {_share(last.place)} of the stragglers "
        f"{last.inverting} of {last.networks} networks invert"
    )


def _share(dose):
    return "all" if dose == 1 else f"{100 * dose:.0f} %"


def _caption(sweep):
    facts = facts_of(sweep.history, sweep.layer, 0)
    facts["runs"] = f"{len(sweep.history.runs)} networks"
    if sweep.meaningless:
        facts["runs"] += f" ({sweep.meaningless} of them unstable or diverged)"
    return ", ".join(facts.values())
