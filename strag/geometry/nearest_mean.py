"""The class mean that is nearest to an example, compared with its class and with the network's decision."""

import numpy as np


def nearest_mean(points, means):
    """Position of the nearest class mean: [B, N], [C, N] -> int [B], the first one of several.

    A class without a finite mean is nearest to no example.
    """
    lengths = np.square(means).sum(axis=1)
    known = np.isfinite(lengths)
    apart = np.where(known, lengths, np.inf) - 2 * (points @ np.where(known[:, None], means, 0).T)
    return apart.argmin(axis=1)


class _Share:
    """The share of the examples of each class for which something holds; NaN for a class without a mean.

    moments : ClassMoments of all examples.
    """

    def __init__(self, moments):
        self.means, self.count = moments.means(), moments.count
        self.number = np.zeros(len(self.count))

    def value(self):
        """The share of every class: float64 [C]."""
        known = np.isfinite(self.means).all(axis=1)
        with np.errstate(invalid="ignore"):
            return np.where(known, self.number / self.count, np.nan)

    def _count(self, labels):
        """Count examples of these classes."""
        self.number += np.bincount(labels, minlength=len(self.number))


class Accuracy(_Share):
    """Nearest-class-mean accuracy: the share of the examples of each class that are nearest to its mean.

    |x - m_c| <= |x - m_c'| for all c', with the first class at equal distances. The means are those of the
    same examples. The accuracy is invariant under rotations, shifts and a common scale of all points. It is 1
    for classes that are further apart than they are wide, 1 in a single class, and about 1/C if the classes
    do not differ. It is NaN for a class that is empty or not finite; the examples of other classes are
    compared with the other means.

    Source: Mensink et al. (2013), doi:10.1109/TPAMI.2013.83.
    """

    def add(self, points, labels, predicted):
        """Add a tile: float64 [B, N], int [B], int [B]."""
        self._count(labels[nearest_mean(points, self.means) == labels])


class Disagreement(_Share):
    """Neural collapse NC4: the share of the examples of each class that the network decides otherwise.

    An example counts if the predicted class is not that of the nearest class mean; both may be wrong. It is 0
    where the network is the nearest-class-mean rule, and has the invariances of `Accuracy`.

    Source: Papyan, Han, Donoho (2020), doi:10.1073/pnas.2015509117, where it is taken over all examples.
    """

    def add(self, points, labels, predicted):
        """Add a tile: float64 [B, N], int [B], int [B]."""
        self._count(labels[nearest_mean(points, self.means) != predicted])
