"""How far runs agree on what they misclassify, beyond chance.

Of two sets A and B among P examples, n = |A and B| are in both, and E = |A||B|/P would be by chance:

kappa    (n - E) / ((|A| + |B|)/2 - E), 1 for equal sets, 0 where they agree as much as chance would;
Jaccard  n / (|A| + |B| - n);
z        (mean n - mean E) / std(n) over pairs of runs.

z is the paper's. Its denominator is mostly the spread of |S(t)| between runs at equal t, and it grows
with P. So kappa carries the claim, between sets at equal training error: against every mean error
eps(t), each run brings its set from where its own error first falls to eps(t).
"""

from dataclasses import dataclass, field

import numpy as np

from strag.errors import StragError
from strag.stragglers.find import find_stragglers
from strag.stragglers.history import pack
from strag.stragglers.inversion import DIVERGED

DISJOINT, ALL = "disjoint", "all"
RESAMPLES = 200
COVERAGE = 0.95
BLOCK = 1024  # pairs counted at a time, few enough to stay in the processor's cache


@dataclass(frozen=True)
class Overlap:
    """Counts for n pairs of sets.

    common : int64 [n], |A and B|. first, second : int64 [n], |A| and |B|. examples : int64 [n], P.
    Where a quotient has no value, as between empty sets, it is NaN.
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
    """Bits, uint8 [..., B], as uint64 [..., ceil(B/8)], padded with 0, which are counted faster."""
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
    """Pairs of runs: int [n, 2]. `disjoint`: 2j and 2j + 1; `all`: every two, which are not independent."""
    if which == DISJOINT:
        return np.arange(runs // 2 * 2).reshape(-1, 2)
    return np.stack(np.triu_indices(runs, 1), axis=1)


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
    records = np.stack([np.searchsorted(run, -levels) for run in reached.T], axis=1)
    return np.where(records < len(train_error), records, -1)


class Resamples:
    """Bootstrap over runs: the same `number` resamples of them for every record.

    Runs are drawn with replacement, as many as there are. Disjoint pairs share no run, so that their
    runs are drawn in pairs; of all pairs, one counts as often as both its runs were drawn, and a run
    makes no pair with itself.
    """

    def __init__(self, runs, which, number, seed):
        self.which, self.pairs = which, pairs_of(runs, which)
        drawn = len(self.pairs) if which == DISJOINT else runs
        random = np.random.default_rng(seed)
        self.weights = random.multinomial(drawn, np.full(drawn, 1 / drawn), size=number).astype(np.float64)

    def interval(self, values, coverage=COVERAGE):
        """Percentile interval of the mean of `values`, float [n], one per pair, NaN for those left out.

        (NaN, NaN) where fewer than two pairs have a value.
        """
        known = np.isfinite(values)
        means = quotient(self._sums(np.where(known, values, 0.0)), self._sums(known.astype(np.float64)))
        means = means[np.isfinite(means)]  # a resample may hold none of the pairs with a value
        if known.sum() < 2 or not means.size:
            return np.nan, np.nan
        tail = (1 - coverage) / 2
        low, high = np.quantile(means, [tail, 1 - tail])
        return float(low), float(high)

    def _sums(self, values):
        """The weighted sum of one value per pair, in each resample."""
        if self.which == DISJOINT:
            return self.weights @ values
        matrix = np.zeros((self.weights.shape[1],) * 2)
        matrix[tuple(self.pairs.T)] = values
        return ((self.weights @ matrix) * self.weights).sum(axis=1)


@dataclass(frozen=True)
class Stability:
    """Agreement between the runs of a history, along training.

    Attributes
    ----------
    updates : int [T], and train_error : float [T], the mean over runs at equal t, eps(t).
    z : float [T], between the sets at equal t.
    size_mean, kappa, kappa_low, kappa_high, jaccard : float [T], of the sets at equal training error
        eps(t): mean size over runs, mean over pairs, bootstrap interval of the mean kappa.
    runs, pairs : int [T], how many reached eps(t). Values are NaN where there are none.
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


def stability(history, which=DISJOINT, resamples=RESAMPLES, seed=0):
    """The agreement between the runs of a History at every record.

    Parameters
    ----------
    history : History. Runs that diverged are left out.
    which : `disjoint` pairs of runs, which are independent, or `all` of them, which are not.
    resamples, seed : of the bootstrap; 0 resamples give no interval.

    Returns
    -------
    Stability

    Raises StragError with fewer than two runs, and for networks that share their initial weights.
    """
    if history.shared_run is not None:
        raise StragError(
            f"has several networks that started as run {history.shared_run}, which are not independent",
            "measure the history in which its sets were found",
            history.source,
        )
    found = find_stragglers(history)
    taken = np.flatnonzero([inversion.verdict != DIVERGED for inversion in found.inversions])
    runs, diverged = len(taken), len(history.runs) - len(taken)
    if runs < 2:
        some = f"{len(history.runs)} runs, of which {diverged} diverged" if diverged else "one run"
        remedy = f"{'lower --lr, or ' if diverged else ''}train more with --runs"
        raise StragError(f"has {some}, but agreement needs two", remedy, history.source)
    error = history.train_error[:, taken].astype(np.float64)
    bits = history.trained[taken] & pack(np.ones(history.examples, dtype=bool))  # without padding
    trained, records = words(bits), aligned_records(error)
    bootstrap = Resamples(runs, which, resamples, seed)
    rows = []
    for t, aligned in enumerate(records):
        equal_t = overlap(words(history.misclassified[t, taken] & bits), trained, bootstrap.pairs)
        sets = words(history.misclassified[aligned, taken] & bits)
        rows.append({"z": z_score(equal_t), **_at_equal_error(sets, trained, aligned >= 0, bootstrap)})
    return Stability(
        updates=history.updates,
        train_error=error.mean(axis=1),
        **{name: np.array([row[name] for row in rows]) for name in rows[0]},
        inversion=found.mean_inversion,
        taken=runs,
        diverged=diverged,
        which=which,
        examples=float(equal_t.examples.mean()),
        title=history.meta.get("title"),
        recipe=history.recipe,
        source=history.source,
    )


def _at_equal_error(sets, trained, present, bootstrap):
    """What the sets of the runs that are `present`, bool [R], have in common: dict of numbers."""
    known = present[bootstrap.pairs].all(axis=1)
    found = overlap(sets, trained, bootstrap.pairs[known])
    kappa = np.full(len(known), np.nan)
    kappa[known] = found.kappa
    low, high = bootstrap.interval(kappa)
    return {
        "size_mean": _mean(count(sets[present])),
        "kappa": _mean(kappa),
        "kappa_low": low,
        "kappa_high": high,
        "jaccard": _mean(found.jaccard),
        "runs": int(present.sum()),
        "pairs": int(known.sum()),
    }


def _mean(values):
    """Mean of the values that there are, NaN if there are none."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else np.nan
