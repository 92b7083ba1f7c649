"""Names beside the points of a panel, so that all can be read, and it is plain whose each is."""

import numpy as np

from strag.views.style import GREY, SMALL

AIR = 1  # pixels around a name
TURNS = np.arange(16) * np.pi / 8  # directions in which a name may stand from its point
GAPS = (1, 6, 14, 24, 36, 50, 66, 84)  # points between them; beyond the first a line joins them
SWEEPS = 4  # times that every name looks for a place anew, now that it sees where the others are
APART = 2.0  # a name without a line is so many times as far from every other point as from its own
CROSSED = 40  # square pixels of cover that a line through a name, a point or a line is as bad as
OUTSIDE = 3  # and a square pixel of a name outside of the panel


def write_names(panel, places, names, dot):
    """Write names beside points, each where it covers neither a name nor a point nor leaves the panel.

    A name is plainly nearest to its own point, or a line joins them. Where a place is free of faults it is
    taken, else the one with the least. The layout of the figure is made here, and must not change any more.

    places : float64 [n, 2], of the points, in the units of the axes. names : n texts. dot : diameter of a
    point, in points.
    """
    panel.figure.draw_without_rendering()
    pixel = 72 / panel.figure.dpi  # points
    points = panel.transData.transform(places)  # (n, 2), pixels
    offsets = np.array([_offsets(_half_size(panel, name), dot / 2, pixel) for name in names])  # (n, K, 2, 2)
    boxes = points[:, None, None] + offsets  # (n, K, 2, 2): of every place of a name two corners
    edges = panel.bbox.get_points() + np.array([[-AIR], [AIR]])
    for at, best in enumerate(_best(boxes, points, dot / 2 / pixel, edges)):
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


def _best(boxes, points, radius, edges):
    """Which of its places [n, K, 2, 2] every name takes: int [n].

    points : [n, 2], the middles of dots of this radius. edges : two corners of what names may fill. Pixels.
    """
    chosen = np.full(len(boxes), -1)
    alone = [_faults_alone(boxes[at], at, points, radius, edges) for at in range(len(boxes))]
    for _ in range(SWEEPS):
        before = chosen.copy()
        for at in range(len(boxes)):
            others = np.flatnonzero((chosen >= 0) & (np.arange(len(boxes)) != at))
            taken = boxes[others, chosen[others]]
            faults = alone[at] + _faults_among(boxes[at], points[at], taken, points[others], chosen[others])
            chosen[at] = np.argmin(np.round(faults, 3))
        if (chosen == before).all():
            break
    return chosen


def _faults_alone(boxes, at, points, radius, edges):
    """How bad the places [K, 2, 2] of the name of one point are, whatever the other names do: [K].

    A name that leaves its reader in doubt about its point is out of the question, as a line would join them.
    """
    dots = np.stack([points - radius, points + radius], axis=1)  # (n, 2, 2)
    covered = _common(boxes, dots).sum(axis=1)
    outside = np.prod(boxes[:, 1] - boxes[:, 0], axis=-1) - _common(boxes, edges[None])[:, 0]
    away, near = _away(boxes, points), len(TURNS)  # (K, n), and how many places have no line
    other = np.delete(away, at, axis=1).min(axis=1, initial=np.inf)
    through = _pierced(_lines(boxes, points[at]), np.delete(dots, at, axis=0)).sum(axis=1)
    through += other < APART * away[:near, at].max()  # beside another point: a line helps, yet it is no good
    doubtful = np.where(other < APART * away[:, at], np.inf, 0)
    joined = np.arange(len(boxes)) >= near
    return covered + OUTSIDE * outside + np.where(joined, CROSSED * through, doubtful)


def _faults_among(boxes, point, taken, ends, chosen):
    """How bad the places [K, 2, 2] of a name are beside those that m others have taken: [K].

    taken, chosen : [m, 2, 2] and int [m], these places and their numbers. ends : [m, 2], their points.
    """
    joined, theirs = np.arange(len(boxes)) >= len(TURNS), chosen >= len(TURNS)
    own, other = _lines(boxes, point), np.stack([taken.mean(axis=1), ends], axis=1)[theirs]
    through = _pierced(other, boxes).sum(axis=0)
    through = through + joined * (_pierced(own, taken).sum(axis=1) + _crossing(own, other).sum(axis=1))
    return _common(boxes, taken).sum(axis=1) + CROSSED * through


def _lines(boxes, point):
    """From the middles of boxes to a point: [K, 2, 2] -> [K, 2, 2]."""
    middles = boxes.mean(axis=1)
    return np.stack([middles, np.broadcast_to(point, middles.shape)], axis=1)


def _common(first, second):
    """Areas that boxes have in common: [n, 2, 2], [m, 2, 2] -> [n, m]."""
    low = np.maximum(first[:, None, 0], second[None, :, 0])
    high = np.minimum(first[:, None, 1], second[None, :, 1])
    return np.prod(np.maximum(high - low, 0), axis=-1)


def _away(boxes, points):
    """Distances of points from the edges of boxes, 0 within: [K, 2, 2], [n, 2] -> [K, n]."""
    beyond = np.maximum(boxes[:, None, 0] - points, points - boxes[:, None, 1])
    return np.linalg.norm(np.maximum(beyond, 0), axis=-1)


def _pierced(lines, boxes):
    """Whether lines between two places pass through boxes: [n, 2, 2], [m, 2, 2] -> bool [n, m]."""
    start, along = lines[:, None, 0], (lines[:, 1] - lines[:, 0])[:, None]
    along = np.where(along == 0, 1e-9, along)
    one, other = (boxes[None, :, 0] - start) / along, (boxes[None, :, 1] - start) / along
    enters, leaves = np.minimum(one, other).max(axis=-1), np.maximum(one, other).min(axis=-1)
    return (enters <= leaves) & (leaves >= 0) & (enters <= 1)


def _crossing(first, second):
    """Whether lines cross each other within: [n, 2, 2], [m, 2, 2] -> bool [n, m]."""

    def side(line, place):  # of a line on which a place lies: the sign of twice a triangle's area
        along, to = line[..., 1, :] - line[..., 0, :], place - line[..., 0, :]
        return along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]

    a, b = first[:, None], second[None]
    apart = [side(one, two[..., 0, :]) * side(one, two[..., 1, :]) < -1e-6 for one, two in ((a, b), (b, a))]
    return apart[0] & apart[1]


def _line(dot):
    return {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": dot / 2}
