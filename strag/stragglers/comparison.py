"""How far sets of stragglers overlap, from any trainings on the same data."""

from dataclasses import dataclass

import numpy as np

from strag.bits import pack
from strag.stragglers.overlap import Overlap, count, quotient, words


@dataclass(frozen=True)
class Comparison:
    """How far S sets of stragglers of one origin overlap.

    names : of the sets. sizes : int [S].
    common : int [S, S]. expected, kappa, jaccard : float [S, S], NaN between empty sets.
    examples : P, the number among which random sets would be drawn. title : of the data set.
    source : a file's name, for messages.
    """

    names: tuple
    sizes: np.ndarray
    common: np.ndarray
    expected: np.ndarray
    kappa: np.ndarray
    jaccard: np.ndarray
    examples: int
    title: str | None = None
    source: str = "comparison"

    @property
    def jaccard_by_chance(self):
        """Jaccard index E / (|A| + |B| - E) of random sets of these sizes: float [S, S]."""
        return quotient(self.expected, self.sizes[:, None] + self.sizes - self.expected)


def compare(sets, examples, names, title=None):
    """The Comparison of sets of stragglers.

    Parameters
    ----------
    sets : list of S arrays of different indices, int, below `examples`.
    examples : P, number of examples of the origin, among which random sets would be drawn.
    names : S texts.
    """
    S = len(sets)
    union = np.unique(np.concatenate(sets))
    bits = words(pack(np.stack([np.isin(union, members) for members in sets])))
    a, b = (axis.ravel() for axis in np.indices((S, S)))
    sizes = np.array([len(members) for members in sets])
    pairs = Overlap(count(bits[a] & bits[b]), sizes[a], sizes[b], np.full(S * S, examples))
    common, expected, kappa, jaccard = (
        values.reshape(S, S) for values in (pairs.common, pairs.expected, pairs.kappa, pairs.jaccard)
    )
    return Comparison(tuple(names), sizes, common, expected, kappa, jaccard, examples, title)
