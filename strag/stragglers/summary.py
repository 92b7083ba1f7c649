"""Many experiments beside each other: what an effect is worth against the noise of seeds and of data.

A condition is what an experiment was done with: network, optimiser, data set and its size. It is measured
on one or more blocks of data, each with several seeds, so that a value is mean + block + seed. The
interval of a condition's mean comes from the means of its blocks (Student's t with one degree of freedom
fewer than blocks); with one block it can only come from the seeds, and says nothing of other data. All runs
share the test set, so that every interval of a test error holds the error of that set, e(1 - e)/Q, too.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

import numpy as np

from strag.stragglers.conditions import (
    EVERYTHING,
    REFERENCE,
    described,
    group_by,
    key_of,
    place_of,
    usual_value,
    varying,
)
from strag.stragglers.experiments import LAWFUL, TOLD, UNBOUNDED
from strag.stragglers.intervals import UNKNOWN, difference, mean_of, share_interval, two_levels
from strag.stragglers.inversion import CENSORED, INVERSION
from strag.stragglers.size_law import FEWEST_SIZES, size_law

FEWEST_PAIRS = 3  # on one block, to leave out runs that have no partner


@dataclass(frozen=True)
class Condition:
    """One condition of a Summary.

    label : how it differs from the others. settings : dict. examples : P, or None if it varies.
    blocks, runs, inverting : numbers. low, high : interval of the probability to invert.
    levels : dict of quantity to Level. verdicts : dict of verdict to number of runs.
    values : dict of quantity to a list of arrays, one per block, without NaN, empty where no run has it.
    differences : dict of quantity at the inversion to the Level of what it exceeds the reference by on the
    same data, run by run where they start from the same weights; empty for the reference.
    test_examples : Q, None where not known.
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
    test_examples: int | None = None

    def level(self, name):
        """The Level of a quantity, UNKNOWN if it was not measured."""
        return self.levels.get(name, UNKNOWN)

    def difference(self, name):
        """Likewise, of a difference to the reference."""
        return self.differences.get(name, UNKNOWN)

    @property
    def others(self):
        """Of the runs that do not invert, the number of each verdict, in words; empty if all invert."""
        told = [(verdict, number) for verdict, number in self.verdicts.items() if verdict != INVERSION]
        return ", ".join(f"{number} {verdict}" for verdict, number in sorted(told))


@dataclass(frozen=True)
class Summary:
    """Conditions beside each other.

    conditions : tuple of Condition. varies : names of the settings that differ between them.
    laws : dict of quantity to SizeLaw, empty unless the number of examples is all that varies.
    title : of the data, if all share one. source : a file's name, for messages.
    repeated : number of runs that came twice and count once.
    """

    conditions: tuple
    varies: tuple
    laws: dict
    title: str | None = None
    source: str = "summary"
    repeated: int = 0

    @property
    def reference(self):
        """The Condition beside which the others stand: that labelled so, or on all examples, else, of those
        that invert, that with the most blocks, then runs, then the first."""

        def standing(one):
            return one.label in (REFERENCE, EVERYTHING), one.inverting > 0, one.blocks, one.runs

        return max(self.conditions, key=standing)

    @property
    def lacks_test_examples(self):
        """Whether an interval of a test error is without the error of its test set, of unknown size."""
        return any(
            one.test_examples is None and np.isfinite(one.level(name).mean)
            for one in self.conditions
            for name in ("test_error", "last_test_error")
        )


def summarise(experiments, labels=None):
    """The Summary of Experiments, in whatever order they come.

    Those with the same settings, or the same of the `labels`, are one condition, whose runs are pooled; a
    run that comes twice counts once. Without labels conditions are in the order of what varies, with them
    in that of the labels.
    """
    groups = defaultdict(list)
    for experiment, key in zip(experiments, group_by(experiments, labels), strict=True):
        groups[key].append(experiment)
    varies = varying([experiment.settings for experiment in experiments])
    usual = {
        name: usual_value(name, [one.settings.get(name) for one in experiments], varies) for name in varies
    }
    members = list(groups.items())
    if not labels:
        members.sort(key=lambda pair: place_of(pair[1][0].settings, usual))
    pooled, conditions = [], []
    for key, same in members:
        pooled.append(_pooled(same))
        conditions.append(_condition(key if labels else described(same[0].settings, usual), same, pooled[-1]))
    found = Summary(tuple(conditions), tuple(varies), {})
    (beside,) = (runs for one, runs in zip(conditions, pooled, strict=True) if one is found.reference)
    titles = {one.settings.get("data") for one in experiments}
    return replace(
        found,
        conditions=tuple(
            one if one is found.reference else replace(one, differences=_differences(runs, beside))
            for one, runs in zip(conditions, pooled, strict=True)
        ),
        laws=_laws(conditions) if not labels and varies == ["examples"] else {},
        title=titles.pop() if len(titles) == 1 else None,
        repeated=sum(len(one.runs) for one in experiments) - sum(map(len, pooled)),
    )


def _pooled(members):
    """The runs of Experiments, each once: list, in one order."""
    copies = defaultdict(list)
    for experiment in members:
        for run in experiment.runs:
            copies[(key_of(experiment.settings), run.block, run.start)].append(run)
    return [_merged(same) for _, same in sorted(copies.items(), key=lambda item: str(item[0]))]


def _merged(copies):
    """One run of several copies of it: that which trained longest, with what others of its kind know."""
    ordered = sorted(copies, key=_preferred)
    best, values = ordered[-1], {}
    for run in ordered:
        if (run.updates, run.verdict) == (best.updates, best.verdict):
            known = {name: value for name, value in run.values.items() if np.isfinite(value)}
            values = {**dict.fromkeys(run.values, np.nan), **values, **known}
    return replace(best, values=values)


def _preferred(run):
    known = sum(bool(np.isfinite(value)) for value in run.values.values())
    return run.updates, run.verdict == INVERSION, known, run.verdict, str(sorted(run.values.items()))


def _by_block(runs):
    """The runs on every block of data: dict of block to list."""
    blocks = defaultdict(list)
    for run in runs:
        blocks[run.block].append(run)
    return blocks


def _condition(label, members, runs):
    blocks = _by_block(runs)
    names = dict.fromkeys(name for run in runs for name in run.values)
    values = {name: [_of(same, name) for same in blocks.values()] for name in names}
    values |= {name: [] for name in _withheld(runs)}
    sizes = {one.test_examples for one in members}
    Q = None if None in sizes else min(sizes)
    examples = {one.settings.get("examples") for one in members}
    low, high = share_interval(
        [
            (
                sum(run.verdict == INVERSION for run in same),
                sum(run.verdict in CENSORED for run in same),
                len(same),
            )
            for same in blocks.values()
        ]
    )
    return Condition(
        label,
        min((one.settings for one in members), key=lambda one: (key_of(one), str(one))),
        examples.pop() if len(examples) == 1 else None,
        len(blocks),
        len(runs),
        sum(run.verdict == INVERSION for run in runs),
        low,
        high,
        {
            name: _bounded(name, two_levels(of, _test_variance(name, values, Q)))
            for name, of in values.items()
        },
        dict(sorted(Counter(run.verdict for run in runs).items())),
        values,
        test_examples=Q,
    )


def _withheld(runs):
    """Quantities that are known only of some inverting runs, which would be those that invert early."""
    inverting = [run for run in runs if run.verdict == INVERSION]
    some = any(np.isnan(run.values.get("depth_at_4", np.nan)) for run in inverting)
    return ("depth_at_4",) if some else ()


def _bounded(name, level):
    """A Level whose interval ends where the quantity does."""
    base = name.partition("@")[0]
    if base in UNBOUNDED:
        return level
    high = min(level.high, 1.0) if base.endswith("error") else level.high
    return replace(level, low=max(level.low, 0.0), high=high) if np.isfinite(level.low) else level


def _of(runs, name):
    values = np.array([run.values.get(name, np.nan) for run in runs])
    return values[np.isfinite(values)]


def _test_variance(name, values, Q):
    """Variance e(1 - e)/Q that the choice of Q test examples gives a test error e; 0 for what has none.

    The gap has that of its test error. `right` and `wrong` test errors are over a part of the test examples.
    """
    base = name.partition("@")[0]
    part = {"right_test_error": 1.0, "wrong_test_error": 0.0}.get(base)
    if Q is None or base == "excess_error" or (base != "gap" and not base.endswith("test_error")):
        return 0.0
    error, share = _middle(values.get("test_error" if base == "gap" else name)), 1.0
    if part is not None:
        share = abs(part - _middle(values.get("stopped_test_error")))
    return error * (1 - error) / (Q * share) if np.isfinite(error) and share > 0 else 0.0


def _middle(blocks):
    """The mean of the means of blocks, NaN without any."""
    return mean_of([mean_of(values) for values in blocks or ()])


def _differences(runs, reference):
    """Levels of what runs exceed those of the reference by, on the blocks that both have: dict."""
    ours, theirs = _by_block(runs), _by_block(reference)
    shared = [(ours[block], theirs[block]) for block in ours if block in theirs]
    withheld = (*_withheld(runs), *_withheld(reference))
    return {name: UNKNOWN if name in withheld else _difference(shared, name) for name in TOLD}


def _difference(shared, name):
    """One Level: of pairs of runs with the same start where there are any, else of the means of all runs."""
    pairs = [_pairs(ours, theirs, name) for ours, theirs in shared]
    if len(pairs) == 1 and not pairs[0][0]:
        return difference(*pairs[0][1:])
    both = [
        first.mean() - second.mean() if first.size and second.size else np.nan for _, first, second in pairs
    ]
    return two_levels([of or [apart] for (of, *_), apart in zip(pairs, both, strict=True)])


def _pairs(ours, theirs, name):
    """Differences of pairs on one block, unless too few have a partner, and the values of both."""
    paired, first, second = _paired(ours, theirs, name), _of(ours, name), _of(theirs, name)
    enough = min(FEWEST_PAIRS, len(first), len(second))
    return (paired if len(paired) >= enough else []), first, second


def _paired(ours, theirs, name):
    """Differences of the runs that share their initial weights: list of float."""
    at = defaultdict(list)
    for run in theirs:
        at[run.start].append(run.values.get(name, np.nan))
    found = [run.values.get(name, np.nan) - np.mean(at[run.start]) for run in ours if run.start in at]
    return [value for value in found if np.isfinite(value)]


def _laws(conditions):
    """The SizeLaws of conditions with other numbers of examples: dict; empty where one is not known."""
    if not all(isinstance(one.examples, int) for one in conditions):
        return {}
    laws = {}
    for name in LAWFUL:
        blocks = [[values for values in one.values.get(name, ()) if values.size] for one in conditions]
        known = [(one, of) for one, of in zip(conditions, blocks, strict=True) if of]
        if len(known) >= FEWEST_SIZES:
            largest, _ = max(known, key=lambda pair: pair[0].examples)
            shared = _test_variance(name, largest.values, largest.test_examples)
            laws[name] = size_law([one.examples for one, _ in known], [of for _, of in known], shared)
    return laws
