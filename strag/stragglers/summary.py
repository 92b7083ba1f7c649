"""Many experiments beside each other: what an effect is worth against the noise of seeds and of data.

A condition is what an experiment was done with: network, optimiser, data set and its size. It is measured
on one or more blocks of data, each with several seeds, so that a value is mean + block + seed. The
interval of a condition's mean comes from the means of its blocks (Student's t with one degree of freedom
fewer than blocks); with one block it can only come from the seeds, and says nothing of other data.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from strag.stragglers.size_law import COVERAGE, FEWEST_SIZES, size_law

AT_INVERSION = ("train_error", "test_error", "gap", "lr_update", "depth", "stragglers")  # of runs that invert
AT_END = ("examples_trained", "last_test_error")  # of all runs
COMPARED = (  # likewise, where there is a reference, or networks that left out as many examples at random
    *("stopped_test_error", "reference_test_error", "right_test_error", "wrong_test_error", "excess_error"),
)
AT_NOISE = ("last_test_error", "stopped_test_error", "reference_test_error", "excess_error")
REFERENCE, OWN_SET = "reference", "own set"  # labels: usual in all, and the set of each run itself
LAWFUL = ("train_error", "test_error", "gap", "lr_update")  # which may follow a law of size
QUANTITIES = AT_INVERSION + AT_END + COMPARED


def at_noise(name, noise):
    """The name of one of AT_NOISE on test inputs with noise of this standard deviation."""
    return f"{name}@{noise:g}" if noise else name


@dataclass(frozen=True)
class Experiment:
    """The runs of one training on one block of data.

    settings : dict of what it was done with. block : identity of its data. runs : number of runs.
    values : dict of quantity to float [runs that invert], or [runs] for what is known at the end; NaN where
    a run has no such value.
    gap is eps* less the test error at t*; the names of what was measured with noise are those of `at_noise`.
    verdicts : of every run. seeds : number of each run that inverts, by which runs on the same data are
    paired; empty if there are none to pair.
    source : the file's name, for messages. identity : of the stragglers in it.
    """

    settings: dict
    block: str
    runs: int
    values: dict
    verdicts: tuple = ()
    seeds: tuple = ()
    source: str = "stragglers"
    identity: str = ""

    @property
    def inverting(self):
        return len(self.values["train_error"])


@dataclass(frozen=True)
class Level:
    """A mean over blocks of data and seeds, and its noise.

    mean, low, high : float, a 95 % interval. seed_std, block_std : standard deviations between seeds on
    one block, and between blocks beyond what the seeds explain; NaN where they cannot be told.
    """

    mean: float
    low: float
    high: float
    seed_std: float
    block_std: float


UNKNOWN = Level(*[np.nan] * 5)


def two_levels(blocks):
    """The Level of one quantity: `blocks` is a list of float arrays, one value per seed.

    The variance between blocks is that of their means less the part s^2/n that n seeds leave in each.
    """
    from scipy.stats import t

    blocks = [values[np.isfinite(values)] for values in map(np.asarray, blocks)]
    blocks = [values for values in blocks if values.size]
    if not blocks:
        return UNKNOWN
    means, sizes = np.array([values.mean() for values in blocks]), np.array([len(v) for v in blocks])
    free = int((sizes - 1).sum())
    squares = sum(((values - values.mean()) ** 2).sum() for values in blocks)
    seed_variance = squares / free if free else np.nan
    mean, B = float(means.mean()), len(blocks)
    if B == 1:
        half = t.ppf((1 + COVERAGE) / 2, free) * np.sqrt(seed_variance / sizes[0]) if free else np.nan
        return Level(mean, mean - half, mean + half, float(np.sqrt(seed_variance)), np.nan)
    half = t.ppf((1 + COVERAGE) / 2, B - 1) * means.std(ddof=1) / np.sqrt(B)
    left = means.var(ddof=1) - (seed_variance * np.mean(1 / sizes) if free else 0.0)
    return Level(
        mean, mean - half, mean + half, float(np.sqrt(seed_variance)), float(np.sqrt(max(left, 0.0)))
    )


def clopper_pearson(successes, trials):
    """Exact interval of a probability: (low, high), (NaN, NaN) without trials."""
    from scipy.stats import beta

    if not trials:
        return np.nan, np.nan
    tail = (1 - COVERAGE) / 2
    low = beta.ppf(tail, successes, trials - successes + 1) if successes else 0.0
    high = beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


@dataclass(frozen=True)
class Condition:
    """One condition of a Summary.

    label : how it differs from the others. settings : dict. examples : P, or None if it varies.
    blocks, runs, inverting : numbers. low, high : interval of the probability to invert.
    levels : dict of quantity to Level. verdicts : dict of verdict to number of runs.
    values : dict of quantity to a list of arrays, one per block.
    differences : dict of quantity at the inversion to the Level of what it exceeds the reference by, run by
    run on the same data; empty for the reference.
    """

    label: str
    settings: dict
    examples: int | None
    blocks: int
    runs: int
    inverting: int
    low: float
    high: float
    levels: dict
    verdicts: dict
    values: dict
    differences: dict = field(default_factory=dict)

    def level(self, name):
        """The Level of a quantity, UNKNOWN if it was not measured."""
        return self.levels.get(name, UNKNOWN)

    def difference(self, name):
        """Likewise, of a difference to the reference."""
        return self.differences.get(name, UNKNOWN)


@dataclass(frozen=True)
class Summary:
    """Conditions beside each other.

    conditions : tuple of Condition. varies : names of the settings that differ between them.
    laws : dict of quantity to SizeLaw, empty unless the number of examples is all that varies.
    title : of the data, if all share one. source : a file's name, for messages.
    """

    conditions: tuple
    varies: tuple
    laws: dict
    title: str | None = None
    source: str = "summary"

    @property
    def reference(self):
        """The Condition beside which the others stand."""
        return max(self.conditions, key=_standing)


def _standing(condition):
    return condition.label == REFERENCE, condition.blocks, condition.runs


def summarise(experiments, labels=None):
    """The Summary of Experiments.

    Those with the same settings, or the same of the `labels`, are one condition; those of one condition
    on the same data count once.
    """
    keys = _groups(experiments, labels)
    varies = _varying([experiment.settings for experiment in experiments])
    usual = {name: _most_common([one.settings.get(name) for one in experiments]) for name in varies}
    measured = []
    for key in dict.fromkeys(keys):
        members = [one for one, its in zip(experiments, keys, strict=True) if its == key]
        label = key if labels else _describe(members[0].settings, usual)
        measured.append((_condition(label, members), _by_block(members)))
    reference, beside = max(measured, key=lambda pair: _standing(pair[0]))
    conditions = [
        one if one is reference else replace(one, differences=_differences(blocks, beside))
        for one, blocks in measured
    ]
    if len(varies) == 1 and not labels:
        conditions.sort(key=lambda one: _rank(one.settings.get(varies[0])))
    titles = {one.settings.get("data") for one in experiments}
    return Summary(
        tuple(conditions),
        tuple(varies),
        _laws(conditions) if not labels and varies == ["examples"] else {},
        titles.pop() if len(titles) == 1 else None,
    )


def _groups(experiments, labels):
    if labels:
        return list(labels)
    return [tuple(sorted((k, str(v)) for k, v in one.settings.items())) for one in experiments]


def _varying(settings):
    names = dict.fromkeys(name for one in settings for name in one)
    return [name for name in names if len({str(one.get(name)) for one in settings}) > 1]


def _rank(value):
    """Numbers in order, before texts."""
    return (1, 0.0, str(value)) if not isinstance(value, (int, float)) else (0, float(value), "")


def _most_common(values):
    texts = [str(value) for value in values]
    return max(dict.fromkeys(texts), key=texts.count)


def _describe(settings, usual):
    """How a condition differs from the most common value of every setting, or what it has of the only one."""
    told = [
        f"{name.replace('_', ' ')} {settings.get(name)}"
        for name, common in usual.items()
        if str(settings.get(name)) != common
    ]
    if len(usual) == 1:
        (name,) = usual
        return f"{name.replace('_', ' ')} {settings.get(name)}"
    return ", ".join(told) or (OWN_SET if "dose" in usual else REFERENCE)


def _by_block(members):
    """The first Experiment on every block of data: dict."""
    return {one.block: one for one in reversed(members)}


def _condition(label, members):
    kept = list(reversed(_by_block(members).values()))
    names = dict.fromkeys(name for one in kept for name in one.values)
    values = {name: [one.values.get(name, []) for one in kept] for name in names}
    runs, inverting = sum(one.runs for one in kept), sum(one.inverting for one in kept)
    low, high = clopper_pearson(inverting, runs)
    levels = {name: two_levels(blocks) for name, blocks in values.items()}
    settings = kept[0].settings
    verdicts = dict(Counter(verdict for one in kept for verdict in one.verdicts))
    return Condition(
        label,
        settings,
        settings.get("examples"),
        len(kept),
        runs,
        inverting,
        low,
        high,
        levels,
        verdicts,
        values,
    )


def _differences(blocks, reference):
    """Levels of what the runs of Experiments by block exceed those of the reference by: dict."""
    paired = [(one, reference[block]) for block, one in blocks.items() if block in reference]
    return {
        name: two_levels([_paired(one.values[name], one.seeds, other, name) for one, other in paired])
        for name in AT_INVERSION
    }


def _paired(values, seeds, other, name):
    at = dict(zip(other.seeds, other.values[name], strict=False))
    return [value - at[seed] for seed, value in zip(seeds, values, strict=False) if seed in at]


def _laws(conditions):
    ordered = sorted(conditions, key=lambda one: one.examples)
    laws = {}
    for name in LAWFUL:
        known = [one for one in ordered if np.isfinite(one.levels[name].mean)]
        if len(known) >= FEWEST_SIZES:
            blocks = [[v[np.isfinite(v)] for v in one.values[name] if np.isfinite(v).any()] for one in known]
            laws[name] = size_law([one.examples for one in known], blocks)
    return laws
