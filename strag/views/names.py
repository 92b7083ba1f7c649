"""Names next to the points of a panel, placed so that all are legible and belong clearly to a point."""

import numpy as np

from strag.views.style import GREY, SMALL

AIR = 1  # pixels around a name
TURNS = np.arange(16) * np.pi / 8  # directions of a name from its point
# Distances between point and name, in points. From the second on, a line joins the name to its point.
GAPS = (1, 6, 14, 24, 36, 50, 66, 84)
SWEEPS = 4  # rounds in which every name is placed again, given the places of the other names
APART = 2.0  # least ratio of the distance of a name from other points to that from its own point
CROSSED = 40  # penalty of a line through a name, a point or a line, in covered square pixels
OUTSIDE = 3  # penalty of a square pixel of a name outside of the panel


def write_names(panel, places, names, dot):
    """Write names next to points so that they cover neither names nor points and stay inside the panel.

    Each name is clearly nearest to its own point, or a line joins the two. Each name gets the place with the
    smallest penalty. The layout of the figure is computed here and must not change afterwards.

    places : float64 [n, 2], of the points, in the units of the axes. names : n texts. dot : diameter of a
    point, in typographic points.
    """
    panel.figure.draw_without_rendering()
    pixel = 72 / panel.figure.dpi  # points
    points = panel.transData.transform(places)  # (n, 2), pixels
    offsets = np.array([_offsets(_half_size(panel, name), dot / 2, pixel) for name in names])  # (n, K, 2, 2)
    boxes = points[:, None, None] + offsets  # (n, K, 2, 2): two corners of every place of a name
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
    """Return half the width and height of a name with the air around it, in pixels: float64 [2]."""
    text = panel.text(0, 0, name, fontsize=SMALL)
    size = text.get_window_extent().size
    text.remove()
    return size / 2 + AIR


def _offsets(half, radius, pixel):
    """Return the K places of a name of this half size, nearest first: two corners [K, 2, 2], in pixels.

    They are relative to the centre of the point.

    radius : of the point, in typographic points. pixel : size of a pixel, in the same unit.
    """
    directions = np.stack([np.cos(TURNS), np.sin(TURNS)], axis=1)
    touching = np.clip(2 * directions, -1, 1) * half  # centres of names whose edges touch the point
    centres = np.concatenate([touching + directions * (radius + gap) / pixel for gap in GAPS])
    return np.stack([centres - half, centres + half], axis=1)


def _best(boxes, points, radius, edges):
    """Return the number of the place of each name: int [n].

    boxes : [n, K, 2, 2], the K places of every name. points : [n, 2], the centres of dots. radius : of the
    dots. edges : two corners of the panel. All are in pixels.
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
    """Return the penalties of the places [K, 2, 2] of one name, without regard to the other names: [K].

    A place without a line is excluded if it is too near to another point, compared with its own point.
    """
    dots = np.stack([points - radius, points + radius], axis=1)  # (n, 2, 2)
    covered = _common(boxes, dots).sum(axis=1)
    outside = np.prod(boxes[:, 1] - boxes[:, 0], axis=-1) - _common(boxes, edges[None])[:, 0]
    away, near = _away(boxes, points), len(TURNS)  # (K, n), and the number of places without a line
    nearest_other = np.delete(away, at, axis=1).min(axis=1, initial=np.inf)
    through = _pierced(_lines(boxes, points[at]), np.delete(dots, at, axis=0)).sum(axis=1)
    through += nearest_other < APART * away[:near, at].max()  # near another point: worse, even with a line
    doubtful = np.where(nearest_other < APART * away[:, at], np.inf, 0)
    joined = np.arange(len(boxes)) >= near
    return covered + OUTSIDE * outside + np.where(joined, CROSSED * through, doubtful)


def _faults_among(boxes, point, taken, ends, chosen):
    """Return the penalties of the places [K, 2, 2] of a name, given those of m other names: [K].

    taken, chosen : [m, 2, 2] and int [m], their places and place numbers. ends : [m, 2], their points.
    """
    joined, theirs = np.arange(len(boxes)) >= len(TURNS), chosen >= len(TURNS)
    own, other = _lines(boxes, point), np.stack([taken.mean(axis=1), ends], axis=1)[theirs]
    through = _pierced(other, boxes).sum(axis=0)
    through = through + joined * (_pierced(own, taken).sum(axis=1) + _crossing(own, other).sum(axis=1))
    return _common(boxes, taken).sum(axis=1) + CROSSED * through


def _lines(boxes, point):
    """Return the lines from the centres of boxes to a point: [K, 2, 2] -> [K, 2, 2]."""
    middles = boxes.mean(axis=1)
    return np.stack([middles, np.broadcast_to(point, middles.shape)], axis=1)


def _common(first, second):
    """Return the areas of the intersections of boxes: [n, 2, 2], [m, 2, 2] -> [n, m]."""
    low = np.maximum(first[:, None, 0], second[None, :, 0])
    high = np.minimum(first[:, None, 1], second[None, :, 1])
    return np.prod(np.maximum(high - low, 0), axis=-1)


def _away(boxes, points):
    """Return the distances of points from boxes, 0 inside: [K, 2, 2], [n, 2] -> [K, n]."""
    beyond = np.maximum(boxes[:, None, 0] - points, points - boxes[:, None, 1])
    return np.linalg.norm(np.maximum(beyond, 0), axis=-1)


def _pierced(lines, boxes):
    """Whether line segments pass through boxes: [n, 2, 2], [m, 2, 2] -> bool [n, m]."""
    start, along = lines[:, None, 0], (lines[:, 1] - lines[:, 0])[:, None]
    along = np.where(along == 0, 1e-9, along)
    low, high = (boxes[None, :, 0] - start) / along, (boxes[None, :, 1] - start) / along
    enters, leaves = np.minimum(low, high).max(axis=-1), np.maximum(low, high).min(axis=-1)
    return (enters <= leaves) & (leaves >= 0) & (enters <= 1)


def _crossing(first, second):
    """Whether line segments cross each other: [n, 2, 2], [m, 2, 2] -> bool [n, m]."""

    def side(line, place):
        """Return a number whose sign says on which side of a line a place lies: twice a triangle's area."""
        along, to = line[..., 1, :] - line[..., 0, :], place - line[..., 0, :]
        return along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]

    a, b = first[:, None], second[None]
    apart = [
        side(line, other[..., 0, :]) * side(line, other[..., 1, :]) < -1e-6
        for line, other in ((a, b), (b, a))
    ]
    return apart[0] & apart[1]


def _line(dot):
    """Return the look of a line between a name and its point."""
    return {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": dot / 2}
