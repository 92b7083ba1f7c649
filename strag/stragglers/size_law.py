"""SizeLaw: how a quantity depends on the number of training examples."""

from dataclasses import dataclass

import numpy as np

COVERAGE = 0.95  # of intervals
EXPONENTS = np.geomspace(0.05, 4, 200)  # the exponents b that are tried
ZOOMS = 5  # at most; each zooms to the exponents that are still possible
FALLS = np.linspace(0, 2, 5)  # c of a variance between blocks that falls as P^-c
# A fall c is kept if its log-likelihood is at most this far below the largest, as in a 95 % interval of c.
# With 1, the interval held the limit in 91.5 % of 1000 simulated studies with two blocks at each of four
# sizes and one block at each of two more.
LIKELY = 2.0
FEWEST_SIZES = 4  # different numbers of examples, for a law with three parameters
FEWEST_BLOCKS = 2  # of one size, to estimate how much blocks differ
NEEDS = "needs two blocks or more at each of four sizes"  # FEWEST_BLOCKS and FEWEST_SIZES
WIDEST = 2.0  # an exponent is known if its interval spans less than this factor
# The intervals of limits are widened by this factor. Small blocks are often parts of large ones, and no file
# says so; their errors are then correlated. Independent blocks would need the factor 1, with which the
# intervals held the limit in 76 % of the cases for nested blocks.
NESTED = 1.8
SAME = 1e-12  # means of blocks that differ by less than this share of the largest differ only by rounding
_NO_INTERVAL = (np.nan, np.nan)


@dataclass(frozen=True)
class SizeLaw:
    """The fit of limit - a P^-b to a quantity at several numbers P of training examples.

    It is a weighted least squares fit to the means of blocks.

    Attributes
    ----------
    limit, b, a : float, the estimates; b is sought between 0.05 and 4.
    limit_low, limit_high, b_low, b_high : float, 95 % intervals of limit and b.
    identifiable : whether the interval of b spans less than a factor of two and reaches neither 0.05 nor 4.
    limit_one, limit_one_low, limit_one_high : float, the limit if b = 1, and its 95 % interval.
    reason : why b is not identifiable; "" if it is.

    The intervals are NaN if the data do not show how much blocks differ.
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
    """Fit the SizeLaw of one quantity.

    Blocks of one size are assumed to be independent. Blocks of different sizes may be parts of each other, as
    the first thousand examples are a part of the first two thousand. The intervals of limits are wide enough
    for both.

    The variance of the mean of B blocks of P examples is s^2 P^-c / B. Here s^2 is the pooled variance of the
    blocks of each size about their mean, with n = sum (B - 1) degrees of freedom. For one c, the interval of
    b holds every b whose weighted sum of squares exceeds the least by at most s^2 F(1, n). The interval of
    the limit holds every limit whose sum of squares is that low for some b. These are profile intervals:
    Bates & Watts, Nonlinear Regression Analysis and Its Applications, 1988, chapter 6, doi
    10.1002/9780470316757. The values of c are those from 0 to 2 whose log-likelihood, given the blocks, is at
    most 2 below the largest. The intervals are unions over these c, and the estimates are those of the
    likeliest c.

    Parameters
    ----------
    sizes : list of P.
    blocks : list with one entry per P: a list of float arrays, one array per block with one value per seed.
    shared_variance : variance of an error that all values share, such as e (1 - e) / Q for an error e on the
        same Q test images. It widens only the intervals of the limits.

    Returns
    -------
    SizeLaw

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
        (b, limit, limit_one, a), _ = _profile(P, means, number, 0.0)
        return SizeLaw(limit, *_NO_INTERVAL, b, *_NO_INTERVAL, False, limit_one, *_NO_INTERVAL, a, reason)
    profiles = [_profile(P, means, weights, room) for weights, room in _variances(P, squares, number)]
    return _union(profiles, shared_variance)


def _union(profiles, shared_variance):
    """The SizeLaw of several results of `_profile`: estimates of the first, unions of all intervals."""
    b, limit, limit_one, a = profiles[0][0]
    ends = np.array([ends for _, ends in profiles])  # (falls, 6)
    b_low, limit_low, one_low = map(float, ends[:, :3].min(0))
    b_high, limit_high, one_high = map(float, ends[:, 3:].max(0))
    reason = _doubt(b_low, b_high)
    limits = _widened(limit, limit_low, limit_high, shared_variance)
    limits_one = _widened(limit_one, one_low, one_high, shared_variance)
    return SizeLaw(limit, *limits, b, b_low, b_high, not reason, limit_one, *limits_one, a, reason)


def _refusal(means, squares, number):
    """The reason why the blocks do not show how much blocks differ; "" if they do."""
    if (number >= FEWEST_BLOCKS).sum() < FEWEST_SIZES:
        return NEEDS
    if squares.sum() <= number.sum() * (SAME * np.abs(means).max()) ** 2:
        return "the blocks of one size do not differ"
    return ""


def _doubt(b_low, b_high):
    """The reason why this interval of b does not identify b; "" if it does."""
    for end, reached in ((EXPONENTS[0], b_low <= EXPONENTS[0]), (EXPONENTS[-1], b_high >= EXPONENTS[-1])):
        if reached:
            return f"the interval of b reaches {end:g}, where the search ends"
    return "" if b_high < WIDEST * b_low else "the interval of b spans a factor of two or more"


def _widened(value, low, high, shared_variance):
    """The interval (low, high) of a value, widened to both sides: (low, high).

    It becomes NESTED times as wide; then the error with the shared variance is added in squares, as an
    independent one.
    """
    from scipy.special import ndtri

    shared = ndtri((1 + COVERAGE) / 2) * np.sqrt(shared_variance)
    below, above = NESTED * (value - low), NESTED * (high - value)
    return float(value - np.hypot(below, shared)), float(value + np.hypot(above, shared))


def _variances(P, squares, number):
    """(weights of the sizes, s^2 F) for each likely exponent c of the variance, the likeliest first: list."""
    from scipy.special import stdtrit

    free = number - 1
    relative = (P / P[0]) ** -FALLS[:, None]  # (falls, sizes)
    variance = (squares / relative).sum(1) / free.sum()
    likelihood = -(free.sum() * np.log(variance) + (free * np.log(relative)).sum(1)) / 2
    factor = stdtrit(free.sum(), (1 + COVERAGE) / 2) ** 2  # F(1, n) is the square of Student's t(n)
    order = np.argsort(-likelihood, kind="stable")
    kept = order[likelihood[order] >= likelihood.max() - LIKELY]
    return [(number / relative[fall], variance[fall] * factor) for fall in kept]


def _profile(P, means, weights, room):
    """The least squares estimates (b, limit, limit for b = 1, a), and the six ends of their intervals.

    An interval holds the values whose sum of squares exceeds the least by at most `room`. The six ends are
    floats: the low ends of b, limit and limit for b = 1, then their high ends.
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
    _, (limit_one,), _, (leverage,) = _lines(P, means, weights, np.ones(1))
    half_one = np.sqrt(room * leverage)
    best = int(np.argmin(squares))
    a = -slopes[best] * P[0] ** exponents[best]
    estimates = tuple(map(float, (exponents[best], limits[best], limit_one, a)))
    low = (b[0], (limit - half).min(), limit_one - half_one)
    high = (b[-1], (limit + half).max(), limit_one + half_one)
    return estimates, (*low, *high)


def _lines(P, means, weights, exponents):
    """Fit weighted straight lines to the means as functions of (P / P[0])^-b, one line per exponent b.

    exponents : float [E], values of b.

    Returns sums of squared residuals, limits (intercepts), slopes and leverages, float [E] each. The leverage
    is the variance of the limit in units of the variance of a mean with weight 1.
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
