"""Comparison: how far sets of stragglers from different trainings on the same data set overlap."""

from dataclasses import dataclass

import numpy as np

from strag.bits import pack
from strag.stragglers.overlap import Overlap, count, quotient, words
from strag.words import Brief, some_of


@dataclass(frozen=True, repr=False)
class Comparison(Brief):
    """How far S sets of stragglers of one origin overlap.

    names : names of the sets. sizes : int [S].
    common : int [S, S], number of common examples of two sets.
    expected, kappa, jaccard : float [S, S], see `strag.stragglers.overlap`; NaN between empty sets.
    examples : P, the number of examples of the data set, from which random sets would be drawn.
    title : of the data set. source : a file's name, for messages.
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
    def brief(self):
        """The content in one line, for `repr`."""
        return f"{len(self.sizes)} sets of {some_of(self.sizes)} stragglers, of {self.examples} examples"

    @property
    def jaccard_by_chance(self):
        """Jaccard index E / (|A| + |B| - E) of random sets of these sizes: float [S, S]."""
        return quotient(self.expected, self.sizes[:, None] + self.sizes - self.expected)


def compare(sets, examples, names, title=None):
    """Compare sets of stragglers.

    Parameters
    ----------
    sets : list of S int arrays, the indices of each set, which are different from each other and below
        `examples`.
    examples : P, number of examples of the origin, from which random sets would be drawn.
    names : S names of the sets. title : title of the data set.

    Returns
    -------
    Comparison
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
