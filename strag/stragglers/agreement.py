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

from strag.errors import StragError
from strag.stragglers.find import find_stragglers
from strag.stragglers.history import pack
from strag.stragglers.inversion import DIVERGED, FEWEST

DISJOINT, ALL = "disjoint", "all"
COVERAGE = 0.95
FEWEST_RUNS = 8  # for an interval
ROUNDING = 1e-12  # of a mean of errors, which may come out below the error that all runs have
BLOCK = 1024  # pairs counted at a time, few enough to stay in the processor's cache


@dataclass(frozen=True)
class Overlap:
    """Counts for n pairs of sets, which are no whole numbers once they are resized.

    common : int64 or float64 [n], |A and B|. first, second : [n], |A| and |B|. examples : int64 [n], P.
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


def resized(found, errors, level):
    """An Overlap carried over to the sizes that its sets would have at another training error.

    The odds of being in a set change as those of the error do (`size_at`), and the odds ratio of being in
    both stays (`plackett`). This leaves alone what has its sizes already. Where one set holds the other,
    so it does afterwards, so that two runs that go through the same chain of sets agree fully wherever
    they are recorded; and independent sets stay independent.

    Parameters
    ----------
    found : Overlap of n pairs. errors : float [n, 2], of the run of either set. level : the other error.

    Returns
    -------
    Overlap, NaN where a set is empty or everything, which tells nothing of the odds ratio.
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

    size, examples, error : [n], or alike. level : float. NaN where e is 0 or 1 and l another.
    """
    inside, outside = size * level * (1 - error), (examples - size) * (1 - level) * error
    return np.where(error == level, size, examples * quotient(inside, inside + outside))


def plackett(found, first, second):
    """What sets of sizes a' and b' have in common with the odds ratio of an Overlap: float [n], n'.

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
        row = {"z": z_score(equal_t), "size_mean": levels[t] * _mean(examples[present])}
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
    """What find_stragglers finds, and the positions of the runs that did not diverge: at least two."""
    if history.shared_run is not None:
        raise StragError(
            f"has several networks that started as run {history.shared_run}, which are not independent",
            "measure the history in which its sets were found",
            history.source,
        )
    found = find_stragglers(history, fewest=fewest)
    taken = np.flatnonzero([inversion.verdict != DIVERGED for inversion in found.inversions])
    diverged = len(history.runs) - len(taken)
    if len(taken) < 2:
        some = f"{len(history.runs)} runs, of which {diverged} diverged" if diverged else "one run"
        remedy = f"{'lower --lr, or ' if diverged else ''}train more with --runs"
        raise StragError(f"has {some}, but agreement needs two", remedy, history.source)
    return found, taken


def _exact(error, examples):
    """Errors [T, R], kept in single precision, as shares of `examples`, int [R]: float64."""
    number = np.maximum(examples, 1)
    return np.rint(error.astype(np.float64) * number) / number


def _means(found, pairs, which):
    """Mean agreement in an Overlap of these pairs of runs, and the interval of kappa: dict of numbers."""
    low, high = mean_interval(found.kappa, pairs, which)
    return {
        "kappa": _mean(found.kappa),
        "kappa_low": low,
        "kappa_high": high,
        "jaccard": _mean(found.jaccard),
    }


def _mean(values):
    """Mean of the values that there are, NaN if there are none."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else np.nan
