"""Why there is no inversion: the condition that the valleys of the runs do not meet, and how near it is."""

from collections import Counter
from dataclasses import dataclass

from strag.stragglers.inversion import (
    BEFORE,
    DEPTH,
    FEWEST,
    FEWEST_RECORDS,
    INVERSION,
    LAYERS,
    MISCLASSIFIED,
    NOISE,
    NOISES,
    RECORDS,
    SMALLEST_DEPTH,
)
from strag.words import number_of


@dataclass(frozen=True)
class Shortfall:
    """The condition that most runs without an inversion fail, at the run that comes nearest to it.

    Attributes
    ----------
    condition : `layers`, `records`, `depth`, `noise` or `misclassified`. runs : number of runs that fail it.
    value, needed : how many layers there are, and are needed; else what that run has, and what it would need:
        records (before the valley, of which only the need is known, if it has one), a depth, a prominence in
        units of its noise, or misclassified examples.
    update, depth : of its deepest valley; None where there is none.
    """

    condition: str
    runs: int
    value: float | None
    needed: float
    update: int | None
    depth: float | None

    @property
    def words(self):
        """The same as a clause."""
        if self.condition == LAYERS:
            return "no layer was measured"
        if self.condition == RECORDS and self.update is None:
            return f"{self.value:g} records cannot show a valley, which needs {self.needed:g}"
        if self.condition == RECORDS:
            return (
                f"the deepest valley, at t = {self.update}, has fewer than {self.needed:g} records before it"
            )
        if self.update is None and self.condition == MISCLASSIFIED:
            some = number_of(int(self.value), "misclassified example")
            return (
                f"the curve has no valley, and {some} at its end, fewer than {self.needed:g}, so that longer "
                "training cannot help"
            )
        if self.update is None:
            return "the curve has no valley"
        valley = f"the deepest valley, at t = {self.update}, is {self.depth:.2g} of the curve's range deep"
        if self.condition == DEPTH:
            return f"{valley}, less than {self.needed:g}"
        if self.condition == NOISE:
            return f"{valley}, but only {self.value:.2g} times its noise, less than {self.needed:g}"
        some = f"{number_of(int(self.value), 'misclassified example')}, fewer than {self.needed:g}"
        if self.depth < SMALLEST_DEPTH:
            return (
                f"{valley}, less than {SMALLEST_DEPTH:g}, and has {some}, which longer training cannot change"
            )
        return f"{valley}, but has {some}"

    @property
    def brief(self):
        """What a heading has room for; empty for a shallow valley, which is what no inversion means."""
        where = "at its end" if self.update is None else "at its valley"
        return {
            LAYERS: "no layer was measured",
            RECORDS: "too few records",
            DEPTH: "",
            NOISE: f"its valley is {self.value or 0:.2g} times the noise, {self.needed:g} needed",
            MISCLASSIFIED: f"{self.value or 0:g} misclassified {where}, {self.needed:g} needed",
        }[self.condition]


def shortfall_of(inversions, records, fewest=FEWEST):
    """The Shortfall of the runs among `inversions` that have none, or None where nothing failed.

    records : number of records. fewest : as for `find_stragglers`.
    """
    failing = [one for one in inversions if one.verdict != INVERSION and one.failed is not None]
    if not failing:
        return None
    (condition, runs), *_ = Counter(one.failed for one in failing).most_common(1)
    failing = [one for one in failing if one.failed == condition]
    if condition == LAYERS:
        return Shortfall(condition, runs, 0.0, 1.0, None, None)
    if condition == RECORDS:
        early = next((one for one in failing if one.valley_update is not None), None)
        if early is None:
            return Shortfall(condition, runs, float(records), float(FEWEST_RECORDS), None, None)
        return Shortfall(condition, runs, None, float(BEFORE), early.valley_update, early.depth)
    value, needed = {
        DEPTH: (lambda one: one.depth, SMALLEST_DEPTH),
        NOISE: (lambda one: one.prominence / one.noise, NOISES),
        MISCLASSIFIED: (lambda one: one.misclassified, fewest),
    }[condition]
    nearest = max(failing, key=value)
    depth = None if nearest.valley_update is None else nearest.depth
    return Shortfall(condition, runs, float(value(nearest)), float(needed), nearest.valley_update, depth)
