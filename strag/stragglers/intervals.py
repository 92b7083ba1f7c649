"""Intervals of means and shares that are measured on blocks of data, with several seeds on each block.

All are nominal 95 % intervals. With several blocks the block is the unit: seeds on one block say nothing
about other data.
"""

from dataclasses import dataclass

import numpy as np

from strag.geometry.moments import mean_over

COVERAGE = 0.95


def mean_of(values):
    """Mean of the finite values as a float; NaN if there are none. None counts as NaN."""
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else np.nan


def mean_over_runs(values, recorded):
    """Mean over the runs that have each record, NaN where no run has it: float [T, R] -> [T].

    recorded : bool [T, R], see `History.recorded`.
    """
    return values.mean(axis=1) if recorded.all() else mean_over(values, recorded)


@dataclass(frozen=True)
class Level:
    """A mean over blocks of data and seeds, with its interval and its noise.

    mean : float. low, high : float, the 95 % interval of the mean; NaN if unknown.
    seed_std : standard deviation between seeds on one block; NaN if unknown.
    block_std : standard deviation between blocks, without the part due to the seeds; NaN if unknown.
    """

    mean: float
    low: float
    high: float
    seed_std: float
    block_std: float


UNKNOWN = Level(*[np.nan] * 5)


def two_levels(blocks, shared_variance=0.0):
    """The Level of one quantity, from its values on blocks of data.

    The interval is Student's t over the means of several blocks, or over the seeds of one block. The variance
    between blocks is that of their means minus the part s^2/n that n seeds leave in each. If only one of
    several blocks has a value, there is no interval, since its seeds do not represent the other blocks.

    Parameters
    ----------
    blocks : list of float arrays, one per block with one value per seed; NaN are left out.
    shared_variance : variance of an error that all values share, such as that of their test set. It widens
        the interval, whatever the number of blocks.
    """
    blocks, given = [values[np.isfinite(values)] for values in map(np.asarray, blocks)], len(blocks)
    blocks = [values for values in blocks if values.size]
    if not blocks:
        return UNKNOWN
    means, sizes = np.array([values.mean() for values in blocks]), np.array([len(v) for v in blocks])
    free = int((sizes - 1).sum())
    squares = sum(((values - values.mean()) ** 2).sum() for values in blocks)
    seed_variance = squares / free if free else np.nan
    mean, B = float(means.mean()), len(blocks)
    if B == 1:
        half = _half(seed_variance / sizes[0], free if given == 1 else 0, shared_variance)
        return Level(mean, mean - half, mean + half, float(np.sqrt(seed_variance)), np.nan)
    half = _half(means.var(ddof=1) / B, B - 1, shared_variance)
    left = means.var(ddof=1) - (seed_variance * np.mean(1 / sizes) if free else 0.0)
    return Level(
        mean, mean - half, mean + half, float(np.sqrt(seed_variance)), float(np.sqrt(max(left, 0.0)))
    )


def _half(variance, free, shared_variance):
    """Half the width of the interval of a mean with an estimated and a known variance; NaN without freedom.

    variance : the estimated variance, with `free` degrees of freedom. shared_variance : the known one.
    """
    from scipy.stats import norm, t

    if not free:
        return np.nan
    tail = (1 + COVERAGE) / 2
    return float(np.sqrt(t.ppf(tail, free) ** 2 * variance + norm.ppf(tail) ** 2 * shared_variance))


def difference(first, second):
    """The Level of mean(first) - mean(second), for the values of two groups of runs that share no seeds.

    The interval is Welch's. `seed_std` is that of the difference between one run of each group.

    first, second : float arrays; NaN are left out.
    """
    first, second = (values[np.isfinite(values)] for values in map(np.asarray, (first, second)))
    if not (first.size and second.size):
        return UNKNOWN
    mean = float(first.mean() - second.mean())
    if min(first.size, second.size) < 2:
        return Level(mean, np.nan, np.nan, np.nan, np.nan)
    parts = [values.var(ddof=1) / values.size for values in (first, second)]
    variance, lost = sum(parts), sum(p**2 / (v.size - 1) for p, v in zip(parts, (first, second), strict=True))
    half = _half(variance, variance**2 / lost, 0.0) if lost > 0 else 0.0
    noise = float(np.sqrt(first.var(ddof=1) + second.var(ddof=1)))
    return Level(mean, mean - half, mean + half, noise, np.nan)


def clopper_pearson(successes, trials):
    """Exact 95 % interval of a probability by Clopper and Pearson: (low, high), (NaN, NaN) without trials.

    The number of successes may be a sum of shares. Of all variables between 0 and 1 with a given mean, those
    that are only 0 or 1 vary most, so that the interval is conservative for shares.
    """
    from scipy.stats import beta

    if not trials:
        return np.nan, np.nan
    tail = (1 - COVERAGE) / 2
    low = beta.ppf(tail, successes, trials - successes + 1) if successes > 0 else 0.0
    high = beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


def share_interval(blocks):
    """Interval of the probability that a run inverts: (low, high), (NaN, NaN) without runs.

    For a censored run it is not known whether it would invert: the low end counts it as a failure, the high
    end as a success. On a single block the runs are the trials (Clopper and Pearson). With several blocks
    each block is one trial, since it is possible that all runs on a block invert, or none. Its share of
    inverting runs is added to the successes. This is valid however much blocks differ.

    Parameters
    ----------
    blocks : list of (inverting, censored, runs), the numbers of these runs on each block.
    """
    blocks = [block for block in blocks if block[2]]
    if len(blocks) == 1:
        ((inverting, censored, runs),) = blocks
        return clopper_pearson(inverting, runs)[0], clopper_pearson(inverting + censored, runs)[1]
    low = sum(inverting / runs for inverting, _, runs in blocks)
    high = sum((inverting + censored) / runs for inverting, censored, runs in blocks)
    return clopper_pearson(low, len(blocks))[0], clopper_pearson(high, len(blocks))[1]
