"""Names beside the points of a panel, so that all can be read."""

import numpy as np

from strag.plotting.style import GREY, SMALL

AIR = 1  # pixels around a name
TURNS = np.arange(16) * np.pi / 8  # directions in which a name may stand from its point
GAPS = (1, 6, 14, 24, 36, 50, 66, 84)  # points between them; beyond the first a line joins them
SWEEPS = 4  # times that every name looks for a place anew, now that it sees where the others are


def write_names(panel, places, names, dot):
    """Write names beside points, each where it covers neither a name nor a point nor leaves the panel.

    Where there is no such place, it covers as little as can be. The layout of the figure is made here, and
    must not change any more.

    places : float64 [n, 2], of the points, in the units of the axes. names : n texts. dot : diameter of a
    point, in points.
    """
    panel.figure.draw_without_rendering()
    pixel = 72 / panel.figure.dpi  # points
    points = panel.transData.transform(places)  # (n, 2), pixels
    offsets = np.array([_offsets(_half_size(panel, name), dot / 2, pixel) for name in names])  # (n, K, 2, 2)
    boxes = points[:, None, None] + offsets  # (n, K, 2, 2): of every place of a name two corners
    dots = np.stack([points - dot / 2 / pixel, points + dot / 2 / pixel], axis=1)  # (n, 2, 2)
    for at, best in enumerate(_best(boxes, dots, panel.bbox.get_points())):
        panel.annotate(
            names[at],
            places[at],
            offsets[at, best].mean(axis=0) * pixel,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SMALL,
            arrowprops=_line(dot) if best >= len(TURNS) else None,
        ).set_in_layout(False)


def _half_size(panel, name):
    """Half the width and height of a name and the air around it, in pixels: float64 [2]."""
    text = panel.text(0, 0, name, fontsize=SMALL)
    size = text.get_window_extent().size
    text.remove()
    return size / 2 + AIR


def _offsets(half, radius, pixel):
    """The K places of a name of this half size, nearest first: lower and upper corners [K, 2, 2], pixels.

    They are seen from the point, around which lies a dot of this radius, in points.
    """
    directions = np.stack([np.cos(TURNS), np.sin(TURNS)], axis=1)
    beside = np.clip(2 * directions, -1, 1) * half  # centres of names whose edges touch the point
    centres = np.concatenate([beside + directions * (radius + gap) / pixel for gap in GAPS])
    return np.stack([centres - half, centres + half], axis=1)


def _best(boxes, dots, edges):
    """Which of its places [n, K, 2, 2] every name takes: int [n]."""
    chosen = np.full(len(boxes), -1)
    for _ in range(SWEEPS):
        for at in range(len(boxes)):
            others = [boxes[one, place] for one, place in enumerate(chosen) if one != at and place >= 0]
            covered = _common(boxes[at], np.array([*dots, *others])).sum(axis=1)
            outside = (
                np.prod(boxes[at, :, 1] - boxes[at, :, 0], axis=-1) - _common(boxes[at], edges[None])[:, 0]
            )
            chosen[at] = np.argmin(np.round(covered + outside, 3))
    return chosen


def _common(first, second):
    """Areas that boxes have in common: [n, 2, 2], [m, 2, 2] -> [n, m]."""
    low = np.maximum(first[:, None, 0], second[None, :, 0])
    high = np.minimum(first[:, None, 1], second[None, :, 1])
    return np.prod(np.maximum(high - low, 0), axis=-1)


def _line(dot):
    return {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": dot / 2}
