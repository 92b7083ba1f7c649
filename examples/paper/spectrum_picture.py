"""The picture of predicted against measured lr t*, in the look of strag's figures."""

import numpy as np

from strag.views.style import COLOURS, GREY, SMALL, WIDTH, house_style, new_figure, rendered

SETS = ("mnist", "fashion", "kmnist", "vehicles", "fliers")
SHOWN = {"fliers": "planes, ships"}  # in the legend, where that is not the name
KINDS = (("o", "as is"), ("s", "doubled"), ("^", "other inputs"), ("x", "other task"))
TICKS = (2, 5, 10, 20, 50, 100)
AIR = 1.3  # factor by which the axes exceed the smallest and the largest time


def picture(result):
    """Draw the best candidates without and with a constant into a png, as bytes. result : of `together`."""
    with house_style():
        figure = new_figure(WIDTH, 0.6 * WIDTH)
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for panel, constants in zip(panels, (0, 1), strict=True):
            best = next(each for each in result["candidates"] if each["constants"] == constants)
            _compared(panel, best, result)
        panels[0].set_ylabel("predicted lr t*")
        handles = [_mark(COLOURS[number], "o", SHOWN.get(name, name)) for number, name in enumerate(SETS)]
        handles += [_mark(GREY, marker, name) for marker, name in KINDS]
        figure.legend(handles=handles, loc="outside lower center", ncols=5, columnspacing=1, handletextpad=0)
    return rendered(figure, "png", dpi=96)


def _mark(colour, marker, label):
    """A mark for the legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, marker=marker, linestyle="", markersize=4, label=label)


def _compared(panel, candidate, result):
    """Draw one candidate's predictions at all points, and the band within the factor that counts as good."""
    measured = np.array([point["lr_update"] for point in result["points"]])
    ratios = np.array([np.nan if r is None else r for r in candidate["ratios"].values()])
    ends = np.array([measured.min() / AIR, measured.max() * AIR])
    band = result["within"]
    panel.fill_between(ends, ends / band, ends * band, color=GREY, alpha=0.2, linewidth=0)
    panel.plot(ends, ends, color=GREY, linewidth=0.7)
    for number, (point, time, ratio) in enumerate(zip(result["points"], measured, ratios, strict=True)):
        place = SETS.index(point["label"].split("-")[0])
        kind = sum(number >= first for first in (result["core"] // 2, result["core"], result["changed"]))
        panel.plot(time, time * ratio, KINDS[kind][0], color=COLOURS[place], markersize=4)
    panel.set(xscale="log", yscale="log", xlabel="measured lr t*")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_ticks(TICKS, [f"{tick:g}" for tick in TICKS])
        axis.set_ticks([], minor=True)
    within = [f"{candidate[part]['within']}/{candidate[part]['n']}" for part in ("core", "inputs", "tasks")]
    constant = f" times {candidate['constant']:.2f}" if candidate["constants"] else ""
    lines = [
        candidate["name"] + constant,
        f"within {band - 1:.0%}: {within[0]} first points,",
        f"{within[1]} other inputs, {within[2]} other tasks",
    ]
    panel.set_title("\n".join(lines), fontsize=SMALL, loc="left")
