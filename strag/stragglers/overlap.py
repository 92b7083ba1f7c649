"""Overlap: how far two sets of examples agree beyond chance, also after conversion to other set sizes.

Two sets A and B among P examples have n = |A and B| examples in common; E = |A||B|/P are expected by chance.

kappa    (n - E) / ((|A| + |B|)/2 - E), 1 for equal sets, 0 where they agree as much as chance would;
Jaccard  n / (|A| + |B| - n).
"""

from dataclasses import dataclass

import numpy as np

DISJOINT, ALL = "disjoint", "all"
BLOCK = 1024  # pairs that are counted at a time, few enough for the cache of the processor


@dataclass(frozen=True)
class Overlap:
    """The overlaps of n pairs of sets. After `resized` the counts are not whole numbers.

    common : int64 or float64 [n], |A and B|. first, second : [n], |A| and |B|. examples : int64 [n], P.
    Quotients that are not defined, as between empty sets, are NaN.
    """

    common: np.ndarray
    first: np.ndarray
    second: np.ndarray
    examples: np.ndarray

    @property
    def expected(self):
        """E = |A||B|/P, the common examples of random sets of these sizes: float64 [n]."""
        return quotient(self.first * self.second, self.examples)

    @property
    def kappa(self):
        """(n - E) / ((|A| + |B|)/2 - E): float64 [n]."""
        return quotient(self.common - self.expected, (self.first + self.second) / 2 - self.expected)

    @property
    def jaccard(self):
        """n / (|A| + |B| - n): float64 [n]."""
        return quotient(self.common, self.first + self.second - self.common)


def quotient(above, below):
    """above / below, NaN where `below` is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below == 0, np.nan, above / below)


def words(bits):
    """Bits, uint8 [..., B], as uint64 [..., ceil(B/8)], padded with 0: these are counted faster."""
    padding = [(0, 0)] * (bits.ndim - 1) + [(0, -bits.shape[-1] % 8)]
    return np.ascontiguousarray(np.pad(bits, padding)).view(np.uint64)


def count(sets):
    """Number of ones in each set: uint64 [..., W] -> int64 [...]."""
    return _ones(sets).sum(axis=-1, dtype=np.int64)


def _ones(x):
    """Number of ones in every uint64."""
    if hasattr(np, "bitwise_count"):  # numpy 2 or later
        return np.bitwise_count(x)
    u = np.uint64
    x = x - ((x >> u(1)) & u(0x5555555555555555))  # in each two bits their sum
    x = (x & u(0x3333333333333333)) + ((x >> u(2)) & u(0x3333333333333333))  # in each four
    x = (x + (x >> u(4))) & u(0x0F0F0F0F0F0F0F0F)  # in each byte
    return (x * u(0x0101010101010101)) >> u(56)


def overlap(sets, trained, pairs):
    """The Overlap of pairs of runs on the examples that both train on.

    Parameters
    ----------
    sets, trained : uint64 [R, W], bits: the set of each run, and the examples that it trains on, which
        include the set.
    pairs : int [n, 2], positions on axis R.
    """
    shared = bool((trained == trained[0]).all())
    counts = np.empty((4, len(pairs)), dtype=np.int64)
    if shared:
        sizes = count(sets)
        counts[1:] = sizes[pairs[:, 0]], sizes[pairs[:, 1]], np.full(len(pairs), count(trained[0]))
    for start in range(0, len(pairs), BLOCK):
        block = slice(start, start + BLOCK)
        a, b = pairs[block].T
        counts[0, block] = count(sets[a] & sets[b])
        if not shared:
            counts[1:, block] = (
                count(sets[a] & trained[b]),
                count(trained[a] & sets[b]),
                count(trained[a] & trained[b]),
            )
    return Overlap(*counts)


def pairs_of(runs, which=DISJOINT):
    """Pairs of runs: int [n, 2].

    which : `disjoint` for the pairs 2j and 2j + 1, or `all` for every pair; these are not independent.
    """
    if which == DISJOINT:
        return np.arange(runs // 2 * 2).reshape(-1, 2)
    return np.stack(np.triu_indices(runs, 1), axis=1)


def resized(pairs, errors, level):
    """Convert an Overlap to the sizes that its sets would have at another training error.

    The odds of being in a set change like the odds of the error (`size_at`), and the odds ratio of being in
    both sets stays the same (`plackett`). Sets that already have the error `level` do not change. A set that
    contains another one still contains it. So two runs whose sets are nested in the same way agree fully,
    whichever records are compared. Independent sets stay independent.

    Parameters
    ----------
    pairs : Overlap of n pairs.
    errors : float [n, 2], training errors of the runs of both sets.
    level : float, the other training error.

    Returns
    -------
    Overlap, NaN if a set is empty or contains all examples, so that the odds ratio is unknown.
    """
    P = pairs.examples
    first, second = (
        size_at(size, P, error, level)
        for size, error in zip((pairs.first, pairs.second), errors.T, strict=True)
    )
    return Overlap(plackett(pairs, first, second), first, second, P)


def size_at(size, examples, error, level):
    """The size a' at training error l of a set that has size a at training error e, among P examples.

    a' / (P - a') = a / (P - a) * l / (1 - l) * (1 - e) / e, which is a' = l P where a = e P.

    size, examples, error : [n], or of shapes that broadcast. level : float. NaN where e is 0 or 1 and l
    differs from e.
    """
    inside, outside = size * level * (1 - error), (examples - size) * (1 - level) * error
    return np.where(error == level, size, examples * quotient(inside, inside + outside))


def plackett(pairs, first, second):
    """The number n' of common examples of sets of sizes a' and b' with the odds ratio of an Overlap: float
    [n].

    pairs : Overlap of n pairs. first, second : [n], the sizes a' and b'.

    The odds ratio theta = n (P - a - b + n) / ((a - n) (b - n)) stays the same. With u = a'/P and v = b'/P,

        n' / P = (s - sqrt(s^2 - 4 u v theta (theta - 1))) / (2 (theta - 1)),  s = 1 + (theta - 1) (u + v),

    which is the copula of Plackett (1965), doi:10.1080/01621459.1965.10480807. It is min(u, v) for an
    infinite theta, u v for theta = 1, and max(u + v - 1, 0) for theta = 0. For a theta below 1, the overlap
    with the complement of B is computed, which has the odds ratio 1/theta. This avoids differences of large
    numbers.
    """
    n, a, b, P = (
        values.astype(np.float64) for values in (pairs.common, pairs.first, pairs.second, pairs.examples)
    )
    u, v = quotient(first, P), quotient(second, P)
    above, below = n * (P - a - b + n), (a - n) * (b - n)  # numerator and denominator of theta
    apart = above < below
    w, smaller = np.where(apart, 1 - v, v), np.minimum(above, below)
    rest = np.maximum(above, below) - smaller
    s = smaller + rest * (u + w)
    root = np.sqrt(np.square(rest * (u - w)) + smaller * (smaller + 2 * rest * (u + w - 2 * u * w)))
    both = quotient(2 * u * w * (smaller + rest), s + root)
    return P * np.clip(np.where(apart, u - both, both), np.maximum(u + v - 1, 0), np.minimum(u, v))
