"""Summary: a comparison of many experiments, with intervals that show the noise of seeds and of data.

A condition is a choice of network, optimiser, data set and number of examples. It is measured on one or more
blocks of data, with several seeds on each, so that a value is mean + block + seed. The interval of the mean
of a condition comes from the means of its blocks (Student's t, with one degree of freedom fewer than there
are blocks). With a single block it comes from the seeds, and says nothing about other data. All runs share
the test set, so that every interval of a test error e also includes the error of this set, e(1 - e)/Q.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

import numpy as np

from strag.stragglers.conditions import (
    EVERYTHING,
    REFERENCE,
    USUAL,
    described,
    group_by,
    key_of,
    labelled_by,
    layers_in_order,
    leaves_nothing_out,
    of_each_block,
    place_of,
    usual_value,
    varying,
)
from strag.stragglers.differences import by_block, differences_of, known_values, withheld
from strag.stragglers.experiments import LAWFUL, OF_FINDING, UNBOUNDED
from strag.stragglers.intervals import UNKNOWN, mean_of, share_interval, two_levels
from strag.stragglers.inversion import CENSORED, INVERSION
from strag.stragglers.size_law import FEWEST_SIZES, size_law
from strag.words import Brief, number_of


@dataclass(frozen=True)
class Condition:
    """One condition of a Summary.

    Attributes
    ----------
    label : how the condition differs from the other conditions. settings : dict.
    examples : P, or None if it varies. test_examples : Q, None if not known.
    blocks, runs, inverting : numbers of blocks, of runs, and of runs with an inversion.
    low, high : interval of the probability that a run inverts.
    levels : dict of quantity to Level. verdicts : dict of verdict to number of runs.
    values : dict of quantity to a list of arrays, one per block, without NaN; an array is empty if no run on
        the block has a value.
    differences : dict of quantity at the inversion to the Level of its value minus that of the reference, on
        the same data and, if possible, from the same initial weights; empty for the reference.
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
        """The Level of the difference of a quantity to the reference, UNKNOWN if it was not measured."""
        return self.differences.get(name, UNKNOWN)

    @property
    def others(self):
        """The verdicts of the runs without an inversion, with their numbers, as text; empty if all invert."""
        counts = [(verdict, number) for verdict, number in self.verdicts.items() if verdict != INVERSION]
        return ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts))


@dataclass(frozen=True, repr=False)
class Summary(Brief):
    """A comparison of conditions.

    Attributes
    ----------
    conditions : tuple of Condition. varies : names of the settings that differ between them.
    laws : dict of quantity to SizeLaw, empty unless only the number of examples varies.
    title : of the data, if all conditions share one. source : a file's name, for messages.
    repeated : number of runs that were given more than once, and count once. trained : number of runs that
    were trained, which several conditions can share; None if not known.
    """

    conditions: tuple
    varies: tuple
    laws: dict
    title: str | None = None
    source: str = "summary"
    repeated: int = 0
    trained: int | None = None

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        inverting = sum(condition.inverting for condition in self.conditions)
        runs = number_of(sum(condition.runs for condition in self.conditions), "run")
        return f"{number_of(len(self.conditions), 'condition')}, {inverting} of {runs} with an inversion"

    @property
    def reference(self):
        """The Condition with which the other conditions are compared.

        It is the one labelled `reference` or `all examples`, otherwise one that leaves no example out,
        otherwise one with inverting runs, otherwise one whose sets were sought at the inversion. Of several
        it is the one with the most blocks, then with the most runs, then the first. If the differences are
        known, it is the only condition without them.
        """

        def rank(condition):
            is_labelled = condition.label in (REFERENCE, EVERYTHING)
            is_whole = leaves_nothing_out(condition.settings)
            inverts, is_usual = condition.inverting > 0, condition.settings.get("at") == USUAL["at"]
            return is_labelled, is_whole, inverts, is_usual, condition.blocks, condition.runs

        compared_with = [condition for condition in self.conditions if not condition.differences]
        return compared_with[0] if len(compared_with) == 1 else max(self.conditions, key=rank)

    @property
    def lacks_test_examples(self):
        """Whether an interval of a test error lacks the error of the test set, whose size is unknown."""
        return any(
            condition.test_examples is None and np.isfinite(condition.level(name).mean)
            for condition in self.conditions
            for name in ("test_error", "last_test_error")
        )


def summarise(experiments, labels=None):
    """The Summary of a list of Experiments, given in any order.

    Experiments with the same settings, or with the same label if there are labels, form one condition, and
    their runs are pooled. What was left out counts as the same setting on several blocks, see
    `of_each_block`. A run that is given twice counts once. Conditions are in the order of the settings
    that vary, or in the order of the labels.

    labels : list of str, one per Experiment; None to group the Experiments by their settings.
    """
    experiments, groups = of_each_block(experiments), defaultdict(list)
    for experiment, key in zip(experiments, group_by(experiments, labels), strict=True):
        groups[key].append(experiment)
    choices = [experiment.settings for experiment in experiments]
    varies = varying(choices)
    values = {name: [settings.get(name) for settings in choices] for name in varies}
    layers = layers_in_order(experiments)
    usual = {name: usual_value(name, values[name], varies, layers) for name in varies}
    shown = {name: usual[name] for name in labelled_by(varies, choices)}
    members = list(groups.items())
    if not labels:
        members.sort(key=lambda pair: place_of(pair[1][0].settings, usual, layers))
    pooled, conditions = [], []
    for key, same in members:
        pooled.append(_pooled(same))
        conditions.append(_condition(key if labels else described(same[0].settings, shown), same, pooled[-1]))
    summary = Summary(tuple(conditions), tuple(varies), {})
    (reference_runs,) = (
        runs for condition, runs in zip(conditions, pooled, strict=True) if condition is summary.reference
    )
    titles = {settings.get("data") for settings in choices}
    return replace(
        summary,
        conditions=tuple(
            condition
            if condition is summary.reference
            else replace(condition, differences=differences_of(runs, reference_runs))
            for condition, runs in zip(conditions, pooled, strict=True)
        ),
        laws=_laws(conditions) if not labels and varies == ["examples"] else {},
        title=titles.pop() if len(titles) == 1 else None,
        repeated=sum(len(experiment.runs) for experiment in experiments) - sum(map(len, pooled)),
        trained=_trained(experiments),
    )


def _trained(experiments):
    """Number of the trained runs of Experiments; a training that is analysed in several ways counts once."""
    runs = set()
    for experiment in experiments:
        training = {name: value for name, value in experiment.settings.items() if name not in OF_FINDING}
        runs |= {(key_of(training), run.block, run.start) for run in experiment.runs}
    return len(runs)


def _pooled(members):
    """The runs of Experiments, each once: list, in a fixed order."""
    copies = defaultdict(list)
    for experiment in members:
        for run in experiment.runs:
            copies[(key_of(experiment.settings), run.block, run.start)].append(run)
    return [_merged(same) for _, same in sorted(copies.items(), key=lambda item: str(item[0]))]


def _merged(copies):
    """One Run from several copies of it.

    It is the copy that was trained longest. Values that this copy lacks come from copies with the same length
    and verdict.
    """
    ordered = sorted(copies, key=_preferred)
    best, values = ordered[-1], {}
    for run in ordered:
        if (run.updates, run.verdict) == (best.updates, best.verdict):
            known = {name: value for name, value in run.values.items() if np.isfinite(value)}
            values = {**dict.fromkeys(run.values, np.nan), **values, **known}
    return replace(best, values=values)


def _preferred(run):
    """Sort key of the copies of a run; the last copy in this order is kept."""
    known = sum(bool(np.isfinite(value)) for value in run.values.values())
    return run.updates, run.verdict == INVERSION, known, run.verdict, str(sorted(run.values.items()))


def _condition(label, members, runs):
    """The Condition of some Experiments, with their pooled runs."""
    blocks = by_block(runs)
    names = dict.fromkeys(name for run in runs for name in run.values)
    values = {name: [known_values(same, name) for same in blocks.values()] for name in names}
    values |= {name: [] for name in withheld(runs)}
    sizes = {experiment.test_examples for experiment in members}
    Q = None if None in sizes else min(sizes)
    choices = [experiment.settings for experiment in members]
    examples = {settings.get("examples") for settings in choices}
    verdicts = [Counter(run.verdict for run in same) for same in blocks.values()]
    low, high = share_interval(
        [(counts[INVERSION], sum(map(counts.__getitem__, CENSORED)), counts.total()) for counts in verdicts]
    )
    return Condition(
        label,
        min(choices, key=lambda settings: (key_of(settings), str(settings))),
        examples.pop() if len(examples) == 1 else None,
        len(blocks),
        len(runs),
        sum(run.verdict == INVERSION for run in runs),
        low,
        high,
        {
            name: bounded(name, two_levels(of_blocks, _test_variance(name, values, Q)))
            for name, of_blocks in values.items()
        },
        dict(sorted(Counter(run.verdict for run in runs).items())),
        values,
        test_examples=Q,
    )


def bounded(name, level):
    """A Level with its interval cut at the bounds of the quantity."""
    base = name.partition("@")[0]
    if base in UNBOUNDED:
        return level
    high = min(level.high, 1.0) if base.endswith("error") else level.high
    return replace(level, low=max(level.low, 0.0), high=high) if np.isfinite(level.low) else level


def _test_variance(name, values, Q):
    """The variance e(1 - e)/Q of a test error e due to the choice of the Q test examples.

    The gap has the variance of its test error. `right` and `wrong` test errors are over a part of the test
    examples. The variance of any other quantity is 0.
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
    """The mean of the means of blocks, NaN without any block."""
    return mean_of([mean_of(values) for values in blocks or ()])


def _laws(conditions):
    """SizeLaws of conditions that differ in the number of examples: dict; empty if a number is unknown."""
    if not all(isinstance(condition.examples, int) for condition in conditions):
        return {}
    laws = {}
    for name in LAWFUL:
        blocks = [list(filter(np.size, condition.values.get(name, ()))) for condition in conditions]
        known = [pair for pair in zip(conditions, blocks, strict=True) if pair[1]]
        if len(known) >= FEWEST_SIZES:
            largest, _ = max(known, key=lambda pair: pair[0].examples)
            shared = _test_variance(name, largest.values, largest.test_examples)
            sizes = [condition.examples for condition, _ in known]
            laws[name] = size_law(sizes, [of_size for _, of_size in known], shared)
    return laws
