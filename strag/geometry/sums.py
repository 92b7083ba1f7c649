"""ClassSums: the moments of classes from tiles of activations of any size and floating-point type."""

import numpy as np

from strag.geometry.moments import ClassMoments

_SAFE = (1e-280, 1e280)  # values of |h|^2 between which it neither overflows nor loses digits
_VALUES = 1 << 19  # numbers in a tile, which are 4 MiB as float64


def rows_of_tile(width):
    """Number of examples in a tile, for layers of this number of units."""
    return max(1, _VALUES // max(1, width))


class ClassSums:
    """Sums over the representations x = h / |h| of C classes, in float64, from activations h of one layer.

    The sums are those of `ClassMoments.of(normalise(h), labels, C)` for h in float64, to rounding. They cost
    one cast, one pass for the lengths |h| and one product with a sparse matrix [C, B] of the weights 1 / |h|,
    whatever the number of classes. The vectors x themselves are never computed.

    Attributes
    ----------
    broken : int64 [C], the number of examples of each class that are not finite; such a class has no radius.
    """

    def __init__(self, classes, width):
        self.broken = np.zeros(classes, dtype=np.int64)
        self._count, self._norm2 = np.zeros(classes), np.zeros(classes)
        self._total = np.zeros((classes, width))
        self._tile = np.empty((0, width))

    def add(self, h, labels, kept=None):
        """Add a tile of examples: h [B, N] not normalised, labels int [B].

        kept : bool [B], the examples that count; by default all.
        """
        if len(self._tile) < len(h):
            self._tile = np.empty(h.shape)
        x, classes = self._tile[: len(h)], len(self._count)
        x[...] = h
        lengths, weights = _lengths_and_weights(x)
        rows = np.arange(len(h)) if kept is None else np.flatnonzero(kept)
        rows = rows[np.argsort(labels[rows].astype(np.min_scalar_type(classes)), kind="stable")]
        labels, lengths, weights = labels[rows], lengths[rows], weights[rows]
        self._count += np.bincount(labels, minlength=classes)
        self._norm2 += np.bincount(labels, np.square(weights) * lengths, minlength=classes)
        if np.isnan(weights).any():
            self.broken += np.bincount(labels[np.isnan(weights)], minlength=classes)
        self._add_vectors(x, rows, labels, weights)

    def _add_vectors(self, x, rows, labels, weights):
        """Add the weighted rows of x to the totals of their classes; rows are sorted by their labels."""
        from scipy.sparse import csr_array

        starts = np.flatnonzero(np.diff(labels, prepend=-1))
        ends = np.append(starts, len(rows))
        sums = csr_array((weights, rows, ends), shape=(len(starts), len(x))) @ x
        if len(starts) == len(self._total):
            self._total += sums
        else:
            self._total[labels[starts]] += sums

    def moments(self):
        """The ClassMoments of all tiles."""
        return ClassMoments(self._count, self._total, self._norm2)


def _lengths_and_weights(x):
    """Squares |h|^2 and weights 1 / |h| of the rows of x, float64 [B] each; x is [B, N].

    The weight is 0 where |h| = 0, and NaN where a value is not finite. Rows so long or short that |h|^2 is
    not a number of float64 are divided by their largest value first, in place.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        lengths = np.einsum("ij,ij->i", x, x)
        odd = np.flatnonzero(~((lengths > _SAFE[0]) & (lengths < _SAFE[1])))
        if odd.size:
            largest = np.abs(x[odd]).max(axis=1, initial=0)
            x[odd] /= np.where(largest > 0, largest, 1)[:, None]
            lengths[odd] = np.square(x[odd]).sum(axis=1)
            lengths[odd[~np.isfinite(largest)]] = np.nan
        weights = np.where(lengths == 0, 0, 1 / np.sqrt(lengths))
    return lengths, weights
