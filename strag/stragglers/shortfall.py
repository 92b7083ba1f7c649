"""Shortfall: why runs have no inversion.

It names the condition that most valleys of the curves do not meet, and how near a valley comes to it.
"""

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
    """The condition that most runs without an inversion fail, in the run that comes nearest to meeting it.

    Attributes
    ----------
    condition : `layers`, `records`, `depth`, `noise` or `misclassified`.
    runs : number of runs that fail the condition.
    value, needed : what this run has, and what the condition needs. For `layers` they are numbers of measured
        layers; for `records` numbers of records; for `depth` depths; for `noise` prominences in units of the
        noise; for `misclassified` numbers of misclassified examples. If a valley has too few records before
        it, `value` is None and `needed` is the number of records that must lie before it.
    update, depth : t and depth of the deepest valley of this run; None without a valley.
    """

    condition: str
    runs: int
    value: float | None
    needed: float
    update: int | None
    depth: float | None

    @property
    def words(self):
        """The shortfall as a clause of a sentence: str."""
        if self.condition == LAYERS:
            return "no layer was measured"
        if self.condition == RECORDS and self.update is None:
            have = number_of(int(self.value), "record")
            return f"{have} cannot show a valley, which needs {self.needed:g}"
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
        depth = _below(self.depth, SMALLEST_DEPTH)
        valley = f"the deepest valley, at t = {self.update}, is {depth} of the curve's range deep"
        if self.condition == DEPTH:
            return f"{valley}, less than {self.needed:g}"
        if self.condition == NOISE:
            times = _below(self.value, self.needed)
            return f"{valley}, but only {times} times its noise, less than {self.needed:g}"
        some = f"{number_of(int(self.value), 'misclassified example')}, fewer than {self.needed:g}"
        if self.depth < SMALLEST_DEPTH:
            return (
                f"{valley}, less than {SMALLEST_DEPTH:g}, and has {some}, which longer training cannot change"
            )
        return f"{valley}, but has {some}"

    @property
    def brief(self):
        """The shortfall in a few words for a heading; empty for `depth`, which needs no explanation: str."""
        times = _below(self.value or 0, self.needed)
        where = "at its end" if self.update is None else "at its valley"
        return {
            LAYERS: "no layer was measured",
            RECORDS: "too few records",
            DEPTH: "",
            NOISE: f"its valley is {times} times the noise, {self.needed:g} needed",
            MISCLASSIFIED: f"{self.value or 0:g} misclassified {where}, {self.needed:g} needed",
        }[self.condition]


def _below(value, limit):
    """A number as text with two digits; with more if it is below a limit and would be rounded up to it."""
    digits = 2
    while value < limit <= float(f"{value:.{digits}g}") and digits < 17:
        digits += 1
    return f"{value:.{digits}g}"


def epochs_needed(history, inversions):
    """The epochs, from the start, to train the open runs of a History further for, or None.

    It is None if no run is open, and if the history has no state from which its training can go on.
    inversions : Inversion of every run.
    """
    until = [run.train_until for run in inversions if run.train_until is not None]
    rows, size = history.meta.get("origin_size"), history.recipe.get("batch_size")
    if not until or history.state is None or (size and not rows):
        return None
    needed = -(-max(until) // -(-rows // size)) if size else max(until)
    return needed if needed > (history.recipe.get("epochs") or 0) else None


def shortfall_of(inversions, records, fewest=FEWEST):
    """The Shortfall of the runs without an inversion, or None if none of them failed a condition.

    inversions : Inversion of every run. records : number of records of every run. fewest : as for
    `find_stragglers`.
    """
    failing = [run for run in inversions if run.verdict != INVERSION and run.failed is not None]
    if not failing:
        return None
    (condition, runs), *_ = Counter(run.failed for run in failing).most_common(1)
    failing = [run for run in failing if run.failed == condition]
    if condition == LAYERS:
        return Shortfall(condition, runs, 0.0, 1.0, None, None)
    if condition == RECORDS:
        early_valley = next((run for run in failing if run.valley_update is not None), None)
        if early_valley is None:
            most = max(n for n, run in zip(records, inversions, strict=True) if run.failed == RECORDS)
            return Shortfall(condition, runs, float(most), float(FEWEST_RECORDS), None, None)
        return Shortfall(condition, runs, None, float(BEFORE), early_valley.valley_update, early_valley.depth)
    value, needed = {
        DEPTH: (lambda run: run.depth, SMALLEST_DEPTH),
        NOISE: (lambda run: run.prominence / run.noise, NOISES),
        MISCLASSIFIED: (lambda run: run.misclassified, fewest),
    }[condition]
    nearest = max(failing, key=value)
    depth = None if nearest.valley_update is None else nearest.depth
    return Shortfall(condition, runs, float(value(nearest)), float(needed), nearest.valley_update, depth)
