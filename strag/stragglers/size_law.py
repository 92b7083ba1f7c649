"""How a quantity depends on the number of examples."""

from dataclasses import dataclass

import numpy as np

COVERAGE = 0.95  # of intervals
EXPONENTS = np.geomspace(0.05, 4, 200)  # between which b is sought
ZOOMS = 5  # at most, each to where the exponents that are left lie
FALLS = np.linspace(0, 2, 5)  # c of a variance between blocks that falls as P^-c
# A fall is kept if its log-likelihood is within this of the largest, as in a 95 % interval of c. With 1, the
# limit was held in 91.5 % of 1000 simulated studies with two blocks at four sizes and one at two more.
LIKELY = 2.0
FEWEST_SIZES = 4  # of the data, for a law with three parameters
FEWEST_BLOCKS = 2  # of one size, to tell how much blocks differ
NEEDS = "needs two blocks or more at each of four sizes"  # FEWEST_BLOCKS and FEWEST_SIZES
WIDEST = 2.0  # an exponent is known if its interval spans less than this factor
NESTED = 1.8  # times the width of the intervals of limits: small blocks are often parts of large ones, whose
# errors then go together, which nobody says; independent blocks would need 1, nested ones held 76 % with it
SAME = 1e-12  # means of blocks that differ by less, relative to the largest, are equal but for rounding
_NO_INTERVAL = (np.nan, np.nan)


@dataclass(frozen=True)
class SizeLaw:
    """A quantity against the number of examples: limit - a P^-b, by weighted least squares over block means.

    limit, b, a : float, the first two with 95 % intervals for b between 0.05 and 4. identifiable : whether
    the interval of b spans less than a factor of two and ends before 0.05 and 4. limit_one : the limit if
    b = 1, with its interval. reason : why b is not identifiable, "" if it is. An interval is NaN where the
    data cannot tell how much blocks differ.
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
    reason: str = ""


def size_law(sizes, blocks, shared_variance=0.0):
    """The SizeLaw of one quantity.

    Blocks of one size are taken as independent. Those of other sizes may be parts of each other, as the first
    thousand examples are of the first two: the intervals of limits are wide enough for both.

    The mean of B blocks of P examples varies by s^2 P^-c / B, with s^2 from the blocks of each size about
    their mean, pooled: n = sum (B - 1) degrees of freedom. For one c, the interval of b holds every b whose
    weighted sum of squares exceeds the least by no more than s^2 F(1, n), and that of the limit every limit
    which some b brings so low (profile intervals: Bates & Watts, Nonlinear Regression Analysis and Its
    Applications, 1988, chapter 6, doi 10.1002/9780470316757). The c are those of 0 to 2 whose log-likelihood
    from the blocks is within 2 of the largest: intervals are unions over them, estimates of the likeliest.

    Parameters
    ----------
    sizes : list of P. blocks : list, for each P, of float arrays: one per block, one value per seed.
    shared_variance : variance of an error that all values share, such as e (1 - e) / Q of an error e on the
        same Q test images. It widens the intervals of the limits, and of nothing else.

    Raises
    ------
    ValueError : for fewer than four different sizes.
    """
    if len(set(sizes)) < FEWEST_SIZES:
        raise ValueError("a law of size needs four sizes or more")
    P, number = np.array(sizes, dtype=np.float64), np.array([len(of_size) for of_size in blocks])
    of_blocks = [np.array([np.mean(values) for values in of_size]) for of_size in blocks]
    means = np.array([of_size.mean() for of_size in of_blocks])
    squares = np.array([((of_size - of_size.mean()) ** 2).sum() for of_size in of_blocks])
    reason = _refusal(means, squares, number)
    if reason:
        (b, limit, one, a), _ = _profile(P, means, number, 0.0)
        return SizeLaw(limit, *_NO_INTERVAL, b, *_NO_INTERVAL, False, one, *_NO_INTERVAL, a, reason)
    return _union([_profile(P, means, *one) for one in _variances(P, squares, number)], shared_variance)


def _union(profiles, shared_variance):
    """The SizeLaw of several results of `_profile`: the estimates of the first, intervals that hold all."""
    b, limit, one, a = profiles[0][0]
    ends = np.array([its for _, its in profiles])  # (falls, 6)
    b_low, limit_low, one_low = map(float, ends[:, :3].min(0))
    b_high, limit_high, one_high = map(float, ends[:, 3:].max(0))
    reason = _doubt(b_low, b_high)
    limits = _widened(limit, limit_low, limit_high, shared_variance)
    ones = _widened(one, one_low, one_high, shared_variance)
    return SizeLaw(limit, *limits, b, b_low, b_high, not reason, one, *ones, a, reason)


def _refusal(means, squares, number):
    """Why the blocks cannot tell how much they differ, or ""."""
    if (number >= FEWEST_BLOCKS).sum() < FEWEST_SIZES:
        return NEEDS
    if squares.sum() <= number.sum() * (SAME * np.abs(means).max()) ** 2:
        return "the blocks of one size do not differ"
    return ""


def _doubt(b_low, b_high):
    """Why an interval of b does not identify it, or ""."""
    for end, reached in ((EXPONENTS[0], b_low <= EXPONENTS[0]), (EXPONENTS[-1], b_high >= EXPONENTS[-1])):
        if reached:
            return f"the interval of b reaches {end:g}, where the search ends"
    return "" if b_high < WIDEST * b_low else "the interval of b spans a factor of two or more"


def _widened(value, low, high, shared_variance):
    """(low, high), NESTED times as wide, with an independent error of this variance added in squares."""
    from scipy.special import ndtri

    shared = ndtri((1 + COVERAGE) / 2) * np.sqrt(shared_variance)
    below, above = NESTED * (value - low), NESTED * (high - value)
    return float(value - np.hypot(below, shared)), float(value + np.hypot(above, shared))


def _variances(P, squares, number):
    """(weights of the sizes, s^2 F) for each likely fall of the variance with P, likeliest first: list."""
    from scipy.special import stdtrit

    free = number - 1
    relative = (P / P[0]) ** -FALLS[:, None]  # (falls, sizes)
    variance = (squares / relative).sum(1) / free.sum()
    likelihood = -(free.sum() * np.log(variance) + (free * np.log(relative)).sum(1)) / 2
    factor = stdtrit(free.sum(), (1 + COVERAGE) / 2) ** 2  # F(1, n) is the square of Student's t(n)
    order = np.argsort(-likelihood, kind="stable")
    kept = order[likelihood[order] >= likelihood.max() - LIKELY]
    return [(number / relative[one], variance[one] * factor) for one in kept]


def _profile(P, means, weights, room):
    """(b, limit, limit for b = 1, a) of the least sum of squares, and the six ends of what is within room.

    The ends are floats [6]: the low ones of b, limit and limit for b = 1, then the high ones.
    """
    exponents = EXPONENTS
    for zoom in range(ZOOMS + 1):
        squares, limits, slopes, leverages = _lines(P, means, weights, exponents)
        left = squares.min() + room - squares
        (inside,) = np.nonzero(left >= 0)
        first, last = max(inside[0] - 1, 0), min(inside[-1] + 1, len(exponents) - 1)
        if zoom == ZOOMS or last - first > len(exponents) // 2:
            break
        exponents = np.geomspace(exponents[first], exponents[last], len(exponents))
    b, limit, half = exponents[inside], limits[inside], np.sqrt(left[inside] * leverages[inside])
    _, (one,), _, (leverage,) = _lines(P, means, weights, np.ones(1))
    half_one = np.sqrt(room * leverage)
    best = int(np.argmin(squares))
    a = -slopes[best] * P[0] ** exponents[best]
    found = tuple(map(float, (exponents[best], limits[best], one, a)))
    low, high = (b[0], (limit - half).min(), one - half_one), (b[-1], (limit + half).max(), one + half_one)
    return found, (*low, *high)


def _lines(P, means, weights, exponents):
    """Weighted straight lines of the means in (P / P[0])^-b: what is left, limits, slopes, leverages.

    exponents : float [E]. Each of the four is a float [E]; the leverage is the limit's variance in units
    of that of a mean with weight 1.
    """
    powers = (P / P[0]) ** -exponents[:, None]  # (E, sizes)
    total, share = weights.sum(), weights / weights.sum()
    across, mean = powers @ share, means @ share
    centred = powers - across[:, None]
    spread = centred**2 @ share
    slopes = centred @ (share * (means - mean)) / spread
    limits = mean - slopes * across
    squares = (means - mean - slopes[:, None] * centred) ** 2 @ weights
    return squares, limits, slopes, (1 + across**2 / spread) / total
