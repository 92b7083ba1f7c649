"""TwoNN: the intrinsic dimension of a class, from the distances to the two nearest neighbours."""

import numpy as np

DISCARDED = 0.1  # share of the points with the largest ratios, which are left out of the fit, as in the paper
CANDIDATES = 4  # nearest neighbours whose distances are computed again from differences
_EQUAL = 1e-9  # logarithm of a ratio of two distances that differ by rounding
TILE = 1 << 22  # distances computed at a time
PAIR, UNIT = 9e-9, 6e-11  # seconds for a pair of examples, and for each unit of it, on a core of 2024


class Neighbours:
    """The examples of one class, of which TwoNN needs all at once; see `two_nn`.

    mean : not used. count : number of examples of the class.
    """

    def __init__(self, mean, count):
        self.examples = []

    @staticmethod
    def bytes_of(count, width):
        """Memory in bytes for `count` examples of `width` units, and their sorted copies: int."""
        return 4 * 8 * count * width

    def add(self, points):
        """Add examples of the class, float64 [B, N]."""
        self.examples.append(points)

    def value(self):
        """The dimension, and the number of duplicates: float, int."""
        points = np.concatenate(self.examples)
        self.examples = []
        return two_nn(points)


def two_nn(points):
    """The intrinsic dimension d of a cloud of points [P, N], and its number of duplicates: float, int.

    Where n distinct points are locally uniform on a manifold of dimension d, the ratio mu = r_2 / r_1 of the
    distances from a point to its second and its first nearest neighbour has the distribution
    F(mu) = 1 - mu^(-d). So d is the slope of the line through the origin that fits -ln(1 - F(mu_i)) against
    ln mu_i by least squares, with the ratios in increasing order and F(mu_i) = i / n, without the largest
    tenth of the ratios. The dimension is that on the scale of r_1, which falls as n grows, and where d is
    large, it is too low: 16.5 for 1000 points on a sphere of 20 dimensions. It is invariant under rotations,
    shifts and a common scale. Its standard deviation over such spheres of 1 to 20 dimensions is 1 to 1.5
    times d / sqrt(n).

    A point that repeats another one is a duplicate and not another sample of the manifold. Only distinct
    points count, each once, and the others are counted. d is NaN with fewer than 3 distinct points, and if
    every point has two nearest neighbours at the same distance, as on a lattice.

    Source: Facco, d'Errico, Rodriguez, Laio (2017), doi:10.1038/s41598-017-11873-y.
    """
    distinct = np.unique(points, axis=0)
    n, duplicates = len(distinct), len(points) - len(distinct)
    if n < 3 or not np.isfinite(distinct).all():
        return np.nan, duplicates
    first, second = nearest_two(distinct).T
    log_ratio = np.sort(np.log(second / first))[: int(n * (1 - DISCARDED))]
    if log_ratio[-1] < _EQUAL:
        return np.nan, duplicates
    expected = -np.log1p(-np.arange(1, 1 + len(log_ratio)) / n)
    return float(np.dot(log_ratio, expected) / np.dot(log_ratio, log_ratio)), duplicates


def nearest_two(points):
    """Distances from every point to its two nearest other points: [n, N] -> [n, 2], n at least 3.

    The candidates follow from |x|^2 + |y|^2 - 2 x.y, tile by tile. Their distances are computed again from
    the differences, because that sum is rounding for points that nearly coincide.
    """
    n = len(points)
    centred = points - points.mean(axis=0)
    norm2 = np.square(centred).sum(axis=1)
    kept, size = min(CANDIDATES, n - 1), max(1, TILE // n)
    found = np.empty((n, 2))
    for start in range(0, n, size):
        rows = np.arange(start, min(start + size, n))
        apart = norm2 - 2 * (centred[rows] @ centred.T)  # (B, n), without |x|^2, the same for a whole row
        here = np.arange(len(rows))
        apart[here, rows] = np.inf
        exact = np.empty((len(rows), kept))
        for number in range(kept):
            nearest = apart.argmin(axis=1)
            exact[:, number] = np.linalg.norm(centred[rows] - centred[nearest], axis=1)
            apart[here, nearest] = np.inf
        found[rows] = np.sort(exact, axis=1)[:, :2]
    return found


def seconds_of(count, width):
    """A forecast of the time of `two_nn` for `count` points of `width` units, on one core: float."""
    return count**2 * (PAIR + UNIT * width)
