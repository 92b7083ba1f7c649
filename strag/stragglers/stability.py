"""Stability: how far runs agree on the examples that they misclassify, beyond chance.

Two sets A and B among P examples have n = |A and B| examples in common; by chance it would be E = |A||B|/P.

kappa    (n - E) / ((|A| + |B|)/2 - E), 1 for equal sets, 0 where they agree as much as chance would;
Jaccard  n / (|A| + |B| - n);
z        (mean n - mean E) / std(n) over pairs of runs.

The paper uses z. Its denominator is mostly the spread of |S(t)| between runs at equal t, and z grows with P.
The conclusions are therefore drawn from kappa between sets at equal training error. For every mean error
eps(t), each run contributes its sets at the two records between which its own error falls to eps(t). The
number of common examples of two sets is converted to the sizes of the sets at eps(t) (`resized`), and
interpolated between the records (`at_level`). The sets at any single record would be too small or too large,
and not equally so in all runs.
"""

from dataclasses import dataclass, field

import numpy as np

from strag.bits import pack
from strag.errors import StragError
from strag.stragglers.find import collect, find_inversions
from strag.stragglers.intervals import mean_of, mean_over_runs
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
from strag.stragglers.unknown import MORE_RUNS, SMALLER_STEPS
from strag.words import Brief, number_of

COVERAGE = 0.95
FEWEST_RUNS = 8  # the fewest runs for which there is an interval
ROUNDING = 1e-12  # of a mean over runs, which rounding may put below an error that all runs share


def z_score(pairs):
    """(mean n - mean E) / std(n) over the pairs of an Overlap; NaN if n does not vary."""
    if len(pairs.common) < 2:
        return np.nan
    return float(quotient((pairs.common - pairs.expected).mean(), pairs.common.std(ddof=1)))


def aligned_records(train_error, recorded=None):
    """For every record, where each run first reaches the mean error over runs at this record.

    Parameters
    ----------
    train_error : float [T, R].
    recorded : bool [T, R], whether a run has a record, as its first ones; by default all. The mean is over
        the runs that have the record.

    Returns
    -------
    int [T, R] : the first record at which the error of the run is at most the mean error at record t; -1 for
    a run that never reaches it.
    """
    train_error = np.asarray(train_error, dtype=np.float64)
    recorded = np.ones(train_error.shape, dtype=bool) if recorded is None else recorded
    levels = mean_over_runs(train_error, recorded)
    reached = -np.minimum.accumulate(np.where(recorded, train_error, np.inf), axis=0)  # rising
    records = np.stack([np.searchsorted(run, -levels - ROUNDING) for run in reached.T], axis=1)
    return np.where(records < len(train_error), records, -1)


def at_level(sets, trained, errors, level, pairs):
    """The Overlap of pairs of runs at a training error l, interpolated between records.

    Every run has a record before its error falls to l, with error e, and one after, with error e'. At l it
    has gone the share w = (e - l) / (e - e') of the way from the first to the second. For two runs with
    w_1 >= w_2, the overlap at l is the weighted mean of three overlaps, each resized to l:

        both sets after, with weight w_2;
        the set of the first run after, that of the second before, with weight w_1 - w_2;
        both sets before, with weight 1 - w_1.

    If both runs have a record with the error l, only the sets at these records count. A term without a value,
    because a set is empty or contains all examples, is left out of the mean.

    Parameters
    ----------
    sets : uint64 [2, R, W], bits: the sets before and after, which may be the same.
    trained : uint64 [R, W], bits: the examples that each run trains on.
    errors : float [2, R], the errors before, at least l, and after, at most l.
    level : float, l.
    pairs : int [n, 2], positions on axis R.

    Returns
    -------
    Overlap of n pairs.
    """
    before, after = errors
    way = np.where(before == after, 1.0, quotient(before - level, before - after))
    way = np.minimum(way, 1.0)[pairs]  # (n, 2)
    ahead = way > way[:, ::-1]
    corners = np.concatenate([pairs, pairs + len(trained), pairs + len(trained) * ahead])  # (3 n, 2)
    weights = np.stack([1 - way.max(axis=1), way.min(axis=1), np.ptp(way, axis=1)])  # (3, n)
    counted = overlap(sets.reshape(-1, sets.shape[-1]), np.concatenate([trained, trained]), corners)
    at_l = resized(counted, errors.reshape(-1)[corners], level)
    weights = np.where(np.isfinite(at_l.common).reshape(weights.shape), weights, 0)

    def mean(values):
        return quotient(
            (weights * np.nan_to_num(values.reshape(weights.shape))).sum(axis=0), weights.sum(axis=0)
        )

    return Overlap(mean(at_l.common), mean(at_l.first), mean(at_l.second), at_l.examples[: len(pairs)])


def mean_interval(values, pairs, which, coverage=COVERAGE):
    """Interval of the mean of one value per pair of runs, from a jackknife and Student's t.

    The jackknife leaves out the independent units one by one: each pair if the pairs are disjoint, each run
    with all its pairs otherwise. With m units, and x_i the mean without the i-th, the interval is

        mean +- t sqrt((m - 1) / m sum (x_i - mean of the x_i)^2),

    with t at m - 1 degrees of freedom. For disjoint pairs this is Student's interval. Kappa is at most 1, so
    that the high end is at most 1, too.

    Parameters
    ----------
    values : float [n], NaN for pairs without a value. pairs : int [n, 2]. which : `disjoint` or `all`.

    Returns
    -------
    (low, high), NaN if fewer than 8 runs are in pairs with a value, too few for an interval.

    Source: Arvesen (1969), Jackknifing U-statistics, doi:10.1214/aoms/1177697287.
    """
    from scipy.special import stdtrit

    known = np.isfinite(values)
    values, pairs = values[known], pairs[known]
    if np.count_nonzero(np.bincount(pairs.ravel())) < FEWEST_RUNS:
        return np.nan, np.nan
    left_out = pairs.T if which == ALL else np.arange(len(pairs))[None]
    mean, number = values.mean(), left_out.max() + 1
    sums = sum(np.bincount(units, values - mean, number) for units in left_out)
    counts = sum(np.bincount(units, minlength=number) for units in left_out)
    sums, counts = sums[counts > 0], counts[counts > 0]
    without, m = quotient(-sums, values.size - counts), counts.size  # minus the mean
    spread = np.sqrt((m - 1) / m * np.square(without - without.mean()).sum())
    half = stdtrit(m - 1, (1 + coverage) / 2) * spread
    return float(mean - half), float(min(mean + half, 1.0))


@dataclass(frozen=True, repr=False)
class Stability(Brief):
    """Agreement between the runs of a history, along training.

    Attributes
    ----------
    updates : int [T], the updates of the records of the runs that are compared.
    train_error : float [T], the mean eps(t) of the training errors over the runs that have the record.
    z : float [T], z between the sets at equal t, of the pairs of runs that have the record.
    size_mean : float [T], mean size over runs of the sets at equal training error eps(t).
    kappa, jaccard : float [T], means over pairs of runs, between the sets at equal training error eps(t).
    kappa_low, kappa_high : float [T], 95 % interval of the mean kappa; NaN with fewer than 8 runs.
    runs, pairs : int [T], numbers of runs and pairs that reached eps(t); without any the values are NaN.
    inversion : (t*, eps*), means over the inverting runs, or None.
    taken, diverged : numbers of runs that are compared, and of runs that diverged and are left out.
    which : `disjoint` or `all` pairs.
    examples : number of examples that both runs of a pair train on, mean over pairs.
    title : of the data. classes : names of the groups; empty if they are not known. recipe : of the training.
    recording : as in a History. measured : whether a layer was measured; without one there is no inversion.
    source : the file's name, for messages.
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
    classes: tuple = ()
    recipe: dict = field(default_factory=dict)
    recording: str | None = None
    measured: bool = True
    source: str = "stability"

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        runs, records = number_of(self.taken, "run"), number_of(len(self.updates), "record")
        at = self.at_inversion
        kappa = "no inversion" if at is None else f"kappa {self.kappa[at]:.3f} at the inversion"
        return f"{runs} in {self.which} pairs, {records}, {kappa}"

    @property
    def at_inversion(self):
        """The record whose mean error is nearest to eps*, or None."""
        if self.inversion is None:
            return None
        return int(np.argmin(np.abs(self.train_error - self.inversion[1])))

    @property
    def at_largest(self):
        """The record of the largest kappa, among those with an eps(t) that every run reached, or None."""
        kappa = np.where(np.isfinite(self.kappa) & (self.runs == self.taken), self.kappa, -np.inf)
        return int(np.argmax(kappa)) if np.isfinite(kappa).any() else None


def stability(history, which=DISJOINT, fewest=FEWEST):
    """The agreement between the runs of a History at every record.

    Parameters
    ----------
    history : History. Runs that diverged are left out.
    which : `disjoint` pairs of runs, which are independent, or `all` pairs, which are not.
    fewest : as for `find_stragglers`, for the reported `inversion`.

    Returns
    -------
    Stability

    Raises StragError if fewer than two runs did not diverge, and if networks share their initial weights.
    """
    stragglers, taken = _taken(history, fewest)
    bits = history.trained[taken] & pack(np.ones(history.examples, dtype=bool))  # without padding
    trained, pairs = words(bits), pairs_of(len(taken), which)
    examples = count(trained)
    T = int(history.records[taken].max())
    recorded, error = history.recorded[:T, taken], _exact(history.train_error[:T, taken], examples)
    levels, records = mean_over_runs(error, recorded), aligned_records(error, recorded)
    rows = []
    for t, aligned in enumerate(records):
        training = pairs[recorded[t][pairs].all(axis=1)]
        equal_t = overlap(words(history.misclassified[t, taken] & bits), trained, training)
        sides = np.maximum([aligned - 1, aligned], 0)  # (2, R), before and after
        sets = words(history.misclassified[sides, taken] & bits)
        present = aligned >= 0
        reached = pairs[present[pairs].all(axis=1)]
        equal_error = at_level(sets, trained, error[sides, np.arange(len(taken))], levels[t], reached)
        row = {"z": z_score(equal_t), "size_mean": levels[t] * mean_of(examples[present])}
        rows.append(
            row | {"runs": present.sum(), "pairs": len(reached)} | _means(equal_error, reached, which)
        )
    return Stability(
        updates=history.updates[:T],
        train_error=levels,
        **{name: np.array([row[name] for row in rows]) for name in rows[0]},
        inversion=stragglers.mean_inversion,
        taken=len(taken),
        diverged=len(history.runs) - len(taken),
        which=which,
        examples=float(overlap(trained, trained, pairs).examples.mean()),
        title=history.meta.get("title"),
        classes=tuple(history.classes),
        recipe=history.recipe,
        recording=history.recording,
        measured=bool(history.layers),
        source=history.source,
    )


def _taken(history, fewest):
    """The Stragglers of a History, without sets, and the positions of the runs that did not diverge.

    Raises StragError if there are fewer than two such runs.
    """
    if history.shared_run is not None:
        raise StragError(
            f"has several networks with the initial weights of run {history.shared_run}, which are not "
            "independent",
            "measure the history in which its sets were found",
            history.source,
        )
    stragglers = collect(history, find_inversions(history, fewest=fewest), [None] * len(history.runs))
    taken = np.flatnonzero([inversion.verdict != DIVERGED for inversion in stragglers.inversions])
    diverged = len(history.runs) - len(taken)
    if len(taken) < 2:
        some = f"{number_of(len(history.runs), 'run')}, of which {diverged} diverged" if diverged else "1 run"
        more = history.remedy("train more `runs`", MORE_RUNS)
        smaller = history.remedy("use a smaller `lr`", SMALLER_STEPS)
        remedy = f"{smaller}, or {more}" if diverged else more
        raise StragError(f"has {some}, but agreement needs 2", remedy, history.source)
    return stragglers, taken


def _exact(error, examples):
    """Errors [T, R], stored in single precision, as exact shares of `examples`, int [R]: float64."""
    number = np.maximum(examples, 1)
    return np.rint(error.astype(np.float64) * number) / number


def _means(overlaps, pairs, which):
    """Mean kappa and Jaccard index of the Overlap of these pairs, and the interval of kappa: dict."""
    low, high = mean_interval(overlaps.kappa, pairs, which)
    return {
        "kappa": mean_of(overlaps.kappa),
        "kappa_low": low,
        "kappa_high": high,
        "jaccard": mean_of(overlaps.jaccard),
    }
