"""The figure of a summary: effects compared with the noise of seeds and blocks, or the law of size."""

from collections import Counter
from textwrap import wrap

import numpy as np

from strag.stragglers.unknown import in_brief
from strag.views.axes import entitle
from strag.views.captions import one_line, scaled_update
from strag.views.style import BLUE, CHARACTERS, GREY, SMALL, VERMILION, WIDTH, house_style, new_figure
from strag.words import some_of

SHOWN = (  # from left to right: quantity, label
    ("train_error", "training error ε* at t*"),
    ("test_error", "test error at t*"),
    ("lr_update", None),  # see `time_of`
)
BY_SIZE = (*SHOWN[:2], ("gap", "ε* minus the test error at t*"), SHOWN[2])
ROW, BOX = 0.24, 2.4  # inches: height of the row of a condition, and of a panel against size
MOST_TICKS = 4  # on an axis of numbers of examples
AIR = 1.25  # factor by which the axis exceeds the smallest and the largest number of examples
_NARROW = 34  # characters of a label


def time_of(summary):
    """Return the heading of lr t* in a Summary, see `scaled_update`."""
    return scaled_update(condition.settings.get("momentum") for condition in summary.conditions)


def _recordings(summary):
    """Return how networks that strag did not train were recorded, for a caption: list of texts."""
    ways = Counter(condition.settings.get("recording") for condition in summary.conditions)
    every = len(summary.conditions)
    return [
        f"{'all runs' if number == every else f'{number} of {every} conditions'}: {in_brief(way)}"
        for way, number in ways.items()
        if way
    ]


def recordings(summary):
    """Yield, for every way in which networks that strag did not train were recorded, a line that says it.

    Conditions whose labels say it already are left out.
    """
    ways = [condition.settings.get("recording") for condition in summary.conditions]
    for way in dict.fromkeys(filter(None, ways)):
        labels = [each.label for each, its in zip(summary.conditions, ways, strict=True) if its == way]
        unsaid = [label for label in labels if in_brief(way) not in label]
        if unsaid:
            subject = "all runs" if len(unsaid) == len(ways) else some_of(unsaid)
            yield f"{subject}: {in_brief(way)}"


def summary_figure(summary):
    """Draw the conditions as rows with intervals, or as points against P if the conditions differ only in P.

    Parameters
    ----------
    summary : Summary.

    Returns
    -------
    matplotlib.figure.Figure
    """
    has_sizes = all(isinstance(condition.examples, int) for condition in summary.conditions)
    by_size = tuple(summary.varies) == ("examples",) and len(summary.conditions) > 2 and has_sizes
    quantities = [
        (name, label or time_of(summary))
        for name, label in (BY_SIZE if by_size else SHOWN)
        if any(np.isfinite(_drawn(summary, each, name, by_size).mean) for each in summary.conditions)
    ] or [SHOWN[0]]
    rows = -(-len(quantities) // 2) if by_size else 1
    height = 0.6 + BOX * rows if by_size else 1.5 + ROW * len(summary.conditions)
    with house_style():
        figure = new_figure(WIDTH, height)
        columns = 2 if by_size else len(quantities)
        panels = figure.subplots(rows, columns, sharey=not by_size, squeeze=False).ravel()
        for panel, (name, label) in zip(panels, quantities, strict=False):
            (_against_size if by_size else _rows)(panel, summary, name, label)
        for panel in panels[len(quantities) :]:
            panel.set_axis_off()
        text = "; ".join([_caption(summary, by_size), *_recordings(summary)])
        lines = wrap(text, CHARACTERS if by_size else CHARACTERS - _NARROW // 2)
        title = one_line(summary.title) if summary.title else "several data sets"
        entitle(panels[0], f"{title}: {_heading(by_size)}", lines)
    return figure


def _drawn(summary, condition, name, by_size):
    """Return the Level of a condition that a panel shows.

    In rows, this is the difference from the reference if `_is_paired`; otherwise it is the level itself.
    """
    return condition.difference(name) if not by_size and _is_paired(summary) else condition.level(name)


def _is_paired(summary):
    """Whether the differences of eps* from the reference are known for all other conditions that invert."""
    others = [each for each in summary.conditions if each.inverting and each is not summary.reference]
    return bool(others) and all(np.isfinite(each.difference(SHOWN[0][0]).mean) for each in others)


def _heading(by_size):
    """Return the headline without the name of the data set."""
    return "the inversion and the number of examples" if by_size else "the inversion, condition by condition"


def _rows(panel, summary, name, label):
    """Draw a quantity of every condition as a point with its interval, one condition per row.

    name : of the quantity. label : of the horizontal axis.
    """
    places = np.arange(len(summary.conditions))[::-1]
    reference, paired = summary.reference, _is_paired(summary)
    level = reference.level(name)
    middle = 0.0 if paired else level.mean
    if np.isfinite(level.mean):
        for width, alpha in ((level.block_std, 0.10), (level.seed_std, 0.22)):
            if np.isfinite(width):
                panel.axvspan(middle - width, middle + width, color=GREY, alpha=alpha, linewidth=0)
    for place, condition in zip(places, summary.conditions, strict=True):
        colour = VERMILION if condition.inverting < condition.runs else BLUE
        if paired and condition is reference:
            if np.isfinite(level.mean):  # a level that was not measured is not 0
                panel.plot([0], [place], "o", color=colour, markersize=4)
        else:
            _point(panel, condition.difference(name) if paired else condition.level(name), place, colour)
        if not condition.inverting and name == SHOWN[0][0]:
            across = panel.get_yaxis_transform()
            panel.text(
                0.03, place, condition.others, transform=across, va="center", fontsize=SMALL, color=GREY
            )
    panel.set_yticks(places, [_short(condition) for condition in summary.conditions])
    panel.set_ylim(-0.7, len(places) - 0.3)
    panel.set_xlabel(f"{label}\nminus the reference's" if paired else label)
    panel.locator_params(axis="x", nbins=3)
    panel.grid(axis="x", alpha=0.25)


def _point(panel, level, place, colour):
    """Draw the mean and the interval of a Level into the row at `place`; nothing if they are unknown."""
    if not np.isfinite(level.mean):
        return
    if np.isfinite(level.low):
        panel.plot([level.low, level.high], [place, place], color=colour, linewidth=1.2)
    panel.plot([level.mean], [place], "o", color=colour, markersize=4)


def _short(condition):
    """Return the label of a condition, cut at its end if it is long."""
    label = one_line(condition.label)
    return label if len(label) <= _NARROW else label[: _NARROW - 1] + "…"


def _against_size(panel, summary, name, label):
    """Draw a quantity of every condition against its number of examples, and the size law.

    name : of the quantity. label : of the vertical axis.
    """
    ordered = sorted(summary.conditions, key=lambda condition: condition.examples)
    P = np.array([condition.examples for condition in ordered], dtype=float)
    mean, low, high = (
        np.array([getattr(condition.level(name), key) for condition in ordered])
        for key in ("mean", "low", "high")
    )
    below, above = (np.where(np.isfinite(v), v, 0) for v in (mean - low, high - mean))
    is_partial = np.array([condition.inverting < condition.runs for condition in ordered])
    for members, colour in ((~is_partial, BLUE), (is_partial, VERMILION)):
        ends = [below[members], above[members]]
        panel.errorbar(P[members], mean[members], ends, fmt="o", color=colour, markersize=4, linewidth=1.2)
    law = summary.laws.get(name)
    if law is not None and np.isfinite(law.limit_low):
        along = np.geomspace(P[np.isfinite(mean)][0], P[-1], 200)
        panel.plot(along, law.limit - law.a * along**-law.b, color=VERMILION, linewidth=1)
        panel.axhline(law.limit_one, color=GREY, linewidth=1, linestyle=(0, (4, 1.5)))
        panel.axhspan(law.limit_low, law.limit_high, color=VERMILION, alpha=0.15, linewidth=0)
    panel.set_xscale("log")
    ticks = P[::-1][:: -(-len(P) // MOST_TICKS)]  # the largest size, and some others
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.set_xlim(P[0] / AIR, P[-1] * AIR)
    for condition in ordered if name == SHOWN[0][0] else ():
        if condition.others:
            place = {"transform": panel.get_xaxis_transform(), "rotation": 90, "fontsize": SMALL}
            panel.text(
                condition.examples, 0.03, condition.others, color=GREY, ha="center", va="bottom", **place
            )
    panel.xaxis.set_minor_formatter("")
    panel.set_xlabel("examples P")
    panel.set_ylabel(label)
    panel.margins(y=0.15)


def _caption(summary, by_size):
    """Return the caption, which explains points, intervals, lines and colours."""
    intervals = "mean and 95 % interval over blocks (over seeds if there is one block)"
    if by_size:
        laws = "; line: limit - a P^-b, its limit shaded; dashed: the limit with b = 1"
        intervals += "; orange points: not all runs invert"
        return intervals + (laws if any(np.isfinite(law.limit_low) for law in summary.laws.values()) else "")
    noise = "grey: one s.d. between seeds (dark) and between blocks (light)"
    differences = ", of differences on the same data" if _is_paired(summary) else ""
    return f"{intervals}{differences}; {noise}; orange: not all runs invert"
