"""How far runs agree on what they misclassify, beyond chance.

Of two sets A and B among P examples, n = |A and B| are in both, and E = |A||B|/P would be by chance:

kappa    (n - E) / ((|A| + |B|)/2 - E), 1 for equal sets, 0 where they agree as much as chance would;
Jaccard  n / (|A| + |B| - n);
z        (mean n - mean E) / std(n) over pairs of runs.

z is the paper's. Its denominator is mostly the spread of |S(t)| between runs at equal t, and it grows
with P. So kappa carries the claim, between sets at equal training error: against every mean error
eps(t), each run brings its sets from the records between which its own error falls to eps(t), what two
sets have in common is carried over to their sizes at eps(t) (`resized`), and comes from between these
records (`at_level`). The sets at any one record would be too small, or too large, and unequally so.
"""

from dataclasses import dataclass, field

import numpy as np

from strag.bits import pack
from strag.errors import StragError
from strag.stragglers.find import collect, find_inversions
from strag.stragglers.intervals import mean_of
from strag.stragglers.inversion import DIVERGED, FEWEST
from strag.stragglers.overlap import (
    ALL,
    DISJOINT,
    Overlap,
    count,
    overlap,
    pairs_of,
    quotient,
    resized,
    words,
)
from strag.words import number_of

COVERAGE = 0.95
FEWEST_RUNS = 8  # for an interval
ROUNDING = 1e-12  # of a mean of errors, which may come out below the error that all runs have


def z_score(found):
    """(mean n - mean E) / std(n) over the pairs of an Overlap; NaN where n does not vary."""
    if len(found.common) < 2:
        return np.nan
    return float(quotient((found.common - found.expected).mean(), found.common.std(ddof=1)))


def aligned_records(train_error):
    """Where each run first reaches the mean error over runs at every record.

    Parameters
    ----------
    train_error : float [T, R].

    Returns
    -------
    int [T, R]: the first record at which the error of the run is at most the mean error at record t;
    -1 for a run that never gets there.
    """
    train_error = np.asarray(train_error, dtype=np.float64)
    levels = train_error.mean(axis=1)
    reached = -np.minimum.accumulate(train_error, axis=0)  # rising
    records = np.stack([np.searchsorted(run, -levels - ROUNDING) for run in reached.T], axis=1)
    return np.where(records < len(train_error), records, -1)


def at_level(sets, trained, errors, level, pairs):
    """The Overlap of pairs of runs at a training error l, from their sets before and after they fall to it.

    A run that has the errors e before and e' after is the share w = (e - l) / (e - e') of the way from one
    to the other. Of two runs with w_1 >= w_2, what they have in common at l is the mean of

        both after, with weight w_2; the first after, the second before, w_1 - w_2; both before, 1 - w_1;

    each resized to l. It is linear between sets of nearly equal size from either side: where both runs
    are recorded at l, these sets alone count. What a set that is empty or everything cannot tell is left out.

    Parameters
    ----------
    sets : uint64 [2, R, W], bits, before and after, which may be the same. trained : uint64 [R, W].
    errors : float [2, R], at least l and at most l. level : l. pairs : int [n, 2], positions on axis R.
    """
    before, after = errors
    way = np.where(before == after, 1.0, quotient(before - level, before - after))
    way = np.minimum(way, 1.0)[pairs]  # (n, 2)
    ahead = way > way[:, ::-1]
    corners = np.concatenate([pairs, pairs + len(trained), pairs + len(trained) * ahead])  # (3 n, 2)
    weights = np.stack([1 - way.max(axis=1), way.min(axis=1), np.ptp(way, axis=1)])  # (3, n)
    counted = overlap(sets.reshape(-1, sets.shape[-1]), np.concatenate([trained, trained]), corners)
    found = resized(counted, errors.reshape(-1)[corners], level)
    weights = np.where(np.isfinite(found.common).reshape(weights.shape), weights, 0)

    def mean(values):
        return quotient(
            (weights * np.nan_to_num(values.reshape(weights.shape))).sum(axis=0), weights.sum(axis=0)
        )

    return Overlap(mean(found.common), mean(found.first), mean(found.second), found.examples[: len(pairs)])


def mean_interval(values, pairs, which, coverage=COVERAGE):
    """Interval of the mean of one value per pair of runs, from a jackknife and Student's t.

    What is independent is left out one by one: of disjoint pairs each pair, of all pairs each run with
    its pairs. With m of them, and the mean x_i without the i-th,

        mean +- t sqrt((m - 1) / m sum (x_i - mean of the x_i)^2),

    t at m - 1 degrees of freedom. Of disjoint pairs this is the interval of Student. No kappa is above 1,
    and neither is the interval.

    Parameters
    ----------
    values : float [n], NaN for pairs without a value. pairs : int [n, 2]. which : `disjoint` or `all`.

    Returns
    -------
    (low, high), NaN with fewer than 8 runs in pairs with a value, which cannot tell.

    Source: Arvesen (1969), Jackknifing U-statistics, doi:10.1214/aoms/1177697287.
    """
    from scipy.special import stdtrit

    known = np.isfinite(values)
    values, pairs = values[known], pairs[known]
    if np.count_nonzero(np.bincount(pairs.ravel())) < FEWEST_RUNS:
        return np.nan, np.nan
    left_out = pairs.T if which == ALL else np.arange(len(pairs))[None]
    mean, number = values.mean(), left_out.max() + 1
    sums = sum(np.bincount(one, values - mean, number) for one in left_out)
    counts = sum(np.bincount(one, minlength=number) for one in left_out)
    sums, counts = sums[counts > 0], counts[counts > 0]
    without, m = quotient(-sums, values.size - counts), counts.size  # less the mean
    spread = np.sqrt((m - 1) / m * np.square(without - without.mean()).sum())
    half = stdtrit(m - 1, (1 + coverage) / 2) * spread
    return float(mean - half), float(min(mean + half, 1.0))


@dataclass(frozen=True)
class Stability:
    """Agreement between the runs of a history, along training.

    Attributes
    ----------
    updates : int [T], and train_error : float [T], the mean over runs at equal t, eps(t).
    z : float [T], between the sets at equal t.
    size_mean, kappa, kappa_low, kappa_high, jaccard : float [T], of the sets at equal training error
        eps(t): mean size there over runs, means over pairs, 95 % interval of the mean kappa.
    runs, pairs : int [T], how many reached eps(t). Values are NaN where there are none, and intervals
        with fewer than 8 runs.
    inversion : (t*, eps*), means over the inverting runs, or None.
    taken, diverged : number of runs in all this, and of runs left out of it.
    which : `disjoint` or `all` pairs. examples : number that both of a pair train on, mean over pairs.
    title, recipe : of the training. source : the file's name, for messages.
    """

    updates: np.ndarray
    train_error: np.ndarray
    size_mean: np.ndarray
    z: np.ndarray
    kappa: np.ndarray
    kappa_low: np.ndarray
    kappa_high: np.ndarray
    jaccard: np.ndarray
    runs: np.ndarray
    pairs: np.ndarray
    inversion: tuple | None
    taken: int
    diverged: int
    which: str
    examples: float
    title: str | None = None
    recipe: dict = field(default_factory=dict)
    source: str = "stability"

    @property
    def at_inversion(self):
        """The record whose mean error is nearest to eps*, or None."""
        if self.inversion is None:
            return None
        return int(np.argmin(np.abs(self.train_error - self.inversion[1])))

    @property
    def at_largest(self):
        """The record of the largest kappa among those whose error every run reached, or None."""
        kappa = np.where(np.isfinite(self.kappa) & (self.runs == self.taken), self.kappa, -np.inf)
        return int(np.argmax(kappa)) if np.isfinite(kappa).any() else None


def stability(history, which=DISJOINT, fewest=FEWEST):
    """The agreement between the runs of a History at every record.

    Parameters
    ----------
    history : History. Runs that diverged are left out.
    which : `disjoint` pairs of runs, which are independent, or `all` of them, which are not.
    fewest : as for `find_stragglers`, of the inversion that is told beside.

    Returns
    -------
    Stability

    Raises StragError with fewer than two runs, and for networks that share their initial weights.
    """
    found, taken = _taken(history, fewest)
    bits = history.trained[taken] & pack(np.ones(history.examples, dtype=bool))  # without padding
    trained, pairs = words(bits), pairs_of(len(taken), which)
    examples = count(trained)
    error = _exact(history.train_error[:, taken], examples)
    levels, records = error.mean(axis=1), aligned_records(error)
    rows = []
    for t, aligned in enumerate(records):
        equal_t = overlap(words(history.misclassified[t, taken] & bits), trained, pairs)
        sides = np.maximum([aligned - 1, aligned], 0)  # (2, R), before and after
        sets = words(history.misclassified[sides, taken] & bits)
        present = aligned >= 0
        there = pairs[present[pairs].all(axis=1)]
        equal_error = at_level(sets, trained, error[sides, np.arange(len(taken))], levels[t], there)
        row = {"z": z_score(equal_t), "size_mean": levels[t] * mean_of(examples[present])}
        rows.append(row | {"runs": present.sum(), "pairs": len(there)} | _means(equal_error, there, which))
    return Stability(
        updates=history.updates,
        train_error=levels,
        **{name: np.array([row[name] for row in rows]) for name in rows[0]},
        inversion=found.mean_inversion,
        taken=len(taken),
        diverged=len(history.runs) - len(taken),
        which=which,
        examples=float(equal_t.examples.mean()),
        title=history.meta.get("title"),
        recipe=history.recipe,
        source=history.source,
    )


def _taken(history, fewest):
    """Stragglers without sets, and the positions of the runs that did not diverge: at least two."""
    if history.shared_run is not None:
        raise StragError(
            f"has several networks with the initial weights of run {history.shared_run}, which are not "
            "independent",
            "measure the history in which its sets were found",
            history.source,
        )
    found = collect(history, find_inversions(history, fewest=fewest), [None] * len(history.runs))
    taken = np.flatnonzero([inversion.verdict != DIVERGED for inversion in found.inversions])
    diverged = len(history.runs) - len(taken)
    if len(taken) < 2:
        some = f"{number_of(len(history.runs), 'run')}, of which {diverged} diverged" if diverged else "1 run"
        remedy = f"{'use a smaller `lr`, or ' if diverged else ''}train more `runs`"
        raise StragError(f"has {some}, but agreement needs 2", remedy, history.source)
    return found, taken


def _exact(error, examples):
    """Errors [T, R], kept in single precision, as shares of `examples`, int [R]: float64."""
    number = np.maximum(examples, 1)
    return np.rint(error.astype(np.float64) * number) / number


def _means(found, pairs, which):
    """Mean agreement in an Overlap of these pairs of runs, and the interval of kappa: dict of numbers."""
    low, high = mean_interval(found.kappa, pairs, which)
    return {
        "kappa": mean_of(found.kappa),
        "kappa_low": low,
        "kappa_high": high,
        "jaccard": mean_of(found.jaccard),
    }
