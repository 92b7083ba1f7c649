"""How a quantity depends on the number of examples."""

from dataclasses import dataclass

import numpy as np

COVERAGE = 0.95  # of intervals
RESAMPLES = 400
EXPONENTS = np.geomspace(0.05, 4, 1000)  # tried one by one
FEWEST_SIZES = 4  # of the data, for a law with three parameters
WIDEST = 2.0  # an exponent is known if its interval spans less than this factor


@dataclass(frozen=True)
class SizeLaw:
    """A quantity against the number of examples: limit - a P^-b, by least squares over block means.

    limit, b, a : float, the first two with intervals by bootstrap over blocks and seeds, as if those of one
    size were independent of those of others. identifiable : whether the interval
    of b spans less than a factor of two. limit_one : the limit with b = 1, with its interval.
    """

    limit: float
    limit_low: float
    limit_high: float
    b: float
    b_low: float
    b_high: float
    identifiable: bool
    limit_one: float
    limit_one_low: float
    limit_one_high: float
    a: float = np.nan


def size_law(sizes, blocks, seed=0):
    """The SizeLaw of one quantity.

    Parameters
    ----------
    sizes : list of P. blocks : list, for each P, of float arrays: one per block, one value per seed.
    """
    random = np.random.default_rng(seed)
    P = np.array(sizes, dtype=np.float64)

    def fitted(chosen):
        means = np.array([np.mean([values.mean() for values in of_size]) for of_size in chosen])
        weights = np.array([len(of_size) for of_size in chosen], dtype=np.float64)
        return _fit(P, means, weights)

    def resampled(of_size):
        picked = random.integers(len(of_size), size=len(of_size))
        return [random.choice(of_size[number], len(of_size[number])) for number in picked]

    b, limit, one, a = fitted(blocks)
    drawn = np.array([fitted([resampled(of_size) for of_size in blocks])[:3] for _ in range(RESAMPLES)])
    (b_low, limit_low, one_low), (b_high, limit_high, one_high) = np.quantile(
        drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2], axis=0
    )
    known = b_high < WIDEST * b_low
    return SizeLaw(limit, limit_low, limit_high, b, b_low, b_high, bool(known), one, one_low, one_high, a)


def _fit(P, means, weights):
    """(b, limit) of the best exponent, the limit for b = 1, and a: weighted straight lines in P^-b."""
    exponents = np.append(EXPONENTS, 1.0)
    powers = (P / P[0]) ** -exponents[:, None]  # (exponents, sizes)
    share = weights / weights.sum()
    across, mean = powers @ share, means @ share
    spread = (powers - across[:, None]) ** 2 @ share
    slopes = ((powers - across[:, None]) * (means - mean)) @ share / spread
    limits = mean - slopes * across
    squares = (means - limits[:, None] - slopes[:, None] * powers) ** 2 @ share
    best = int(np.argmin(squares[:-1]))
    return exponents[best], limits[best], limits[-1], -slopes[best] * P[0] ** exponents[best]
