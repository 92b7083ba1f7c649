"""The overlap of two sets of examples, beyond chance, and the overlap that they would have at other sizes.

Of two sets A and B among P examples, n = |A and B| are in both, and E = |A||B|/P are expected by chance:

kappa    (n - E) / ((|A| + |B|)/2 - E), 1 for equal sets, 0 where they agree as much as chance would;
Jaccard  n / (|A| + |B| - n).
"""

from dataclasses import dataclass

import numpy as np

DISJOINT, ALL = "disjoint", "all"
BLOCK = 1024  # pairs counted at a time, few enough to stay in the processor's cache


@dataclass(frozen=True)
class Overlap:
    """Counts for n pairs of sets, which are not whole numbers once they are resized.

    common : int64 or float64 [n], |A and B|. first, second : [n], |A| and |B|. examples : int64 [n], P.
    A quotient without a value, as between empty sets, is NaN.
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
    """Bits, uint8 [..., B], as uint64 [..., ceil(B/8)], padded with 0, so that they are counted faster."""
    padding = [(0, 0)] * (bits.ndim - 1) + [(0, -bits.shape[-1] % 8)]
    return np.ascontiguousarray(np.pad(bits, padding)).view(np.uint64)


def count(sets):
    """Number of ones in each set: uint64 [..., W] -> int64 [...]."""
    return _ones(sets).sum(axis=-1, dtype=np.int64)


def _ones(x):
    """Number of ones in every uint64."""
    if hasattr(np, "bitwise_count"):  # from numpy 2 on
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
    sets, trained : uint64 [R, W], bits; the sets lie within what their runs train on.
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
    """Pairs of runs: int [n, 2]. `disjoint`: 2j and 2j + 1; `all`: every pair; these are not independent."""
    if which == DISJOINT:
        return np.arange(runs // 2 * 2).reshape(-1, 2)
    return np.stack(np.triu_indices(runs, 1), axis=1)


def resized(found, errors, level):
    """An Overlap carried over to the sizes that its sets would have at another training error.

    The odds of being in a set change as those of the error do (`size_at`), and the odds ratio of being in
    both stays (`plackett`). Sets that have their sizes already do not change. A set that
    contains another one still does, so that two runs with the same chain of sets agree fully wherever they
    are recorded. Independent sets stay independent.

    Parameters
    ----------
    found : Overlap of n pairs. errors : float [n, 2], of the runs of both sets. level : the other error.

    Returns
    -------
    Overlap, NaN where a set is empty or contains all examples, so that the odds ratio is unknown.
    """
    P = found.examples
    first, second = (
        size_at(size, P, error, level)
        for size, error in zip((found.first, found.second), errors.T, strict=True)
    )
    return Overlap(plackett(found, first, second), first, second, P)


def size_at(size, examples, error, level):
    """The size a' at another training error l of a set of size a at error e among P examples.

    a' / (P - a') = a / (P - a) * l / (1 - l) * (1 - e) / e, which is a' = l P where a = e P.

    size, examples, error : [n], or of shapes that broadcast. level : float. NaN where e is 0 or 1 and l
    differs from e.
    """
    inside, outside = size * level * (1 - error), (examples - size) * (1 - level) * error
    return np.where(error == level, size, examples * quotient(inside, inside + outside))


def plackett(found, first, second):
    """The number n' of common examples of sets of sizes a' and b' at the odds ratio of an Overlap: float [n].

    theta = n (P - a - b + n) / ((a - n) (b - n)) stays, so that with u = a'/P and v = b'/P

        n' / P = (s - sqrt(s^2 - 4 u v theta (theta - 1))) / (2 (theta - 1)),  s = 1 + (theta - 1) (u + v),

    the copula of Plackett (1965), doi:10.1080/01621459.1965.10480807: min(u, v) for an infinite theta, u v
    for 1, max(u + v - 1, 0) for 0. What would be a theta below 1 is taken as 1/theta to the complement of
    B, so that nothing here is the difference of large numbers.
    """
    n, a, b, P = (
        values.astype(np.float64) for values in (found.common, found.first, found.second, found.examples)
    )
    u, v = quotient(first, P), quotient(second, P)
    above, below = n * (P - a - b + n), (a - n) * (b - n)  # of theta
    apart = above < below
    w, less = np.where(apart, 1 - v, v), np.minimum(above, below)
    rest = np.maximum(above, below) - less
    s = less + rest * (u + w)
    root = np.sqrt(np.square(rest * (u - w)) + less * (less + 2 * rest * (u + w - 2 * u * w)))
    both = quotient(2 * u * w * (less + rest), s + root)
    return P * np.clip(np.where(apart, u - both, both), np.maximum(u + v - 1, 0), np.minimum(u, v))
