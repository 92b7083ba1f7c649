"""The curves and the inversion of a history, as figures and terminals show them."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from strag.errors import StragError
from strag.geometry import measures
from strag.geometry.measures import MEASURES
from strag.stragglers.find import collect, find_inversions
from strag.stragglers.intervals import mean_over_runs
from strag.stragglers.inversion import DIVERGED, FEWEST, INVERSION, LAYERS, NONE, UNSTABLE
from strag.stragglers.shortfall import Shortfall, shortfall_of
from strag.stragglers.unknown import SMALLER_STEPS, in_brief
from strag.views.captions import facts_of, one_line, title_of
from strag.words import number_of

UPDATES, ERROR = "updates", "error"
CURVES = (*(measure.name for measure in measures.CURVES), ERROR)  # what a panel can show
USUAL, UNMEASURED = ("radius", "distance"), (ERROR,)  # default curves; those if no layer was measured
NEAREST = 0.09  # smallest distance of two ticks, as a share of the axis, at which labels do not touch
AXES = {UPDATES: "updates t", ERROR: "training error ε"}


@dataclass(frozen=True)
class Dynamics:
    """One history at one layer, without the runs that diverged.

    Attributes
    ----------
    label : name of the history in a figure of several. title : name of its data set. source : its file.
    facts : dict of short texts for a caption, such as {"lr": "lr 0.2"}.
    updates : int [T], the updates t of the records. train_error : float64 [T, R].
    recorded : bool [T, R], whether a run has a record. Runs may end before the last record.
    measured : whether a layer was measured.
    curves : dict of name to float64 [T, R]: the requested curves, if a layer was measured, and `error`.
    by_class : dict of name to float64 [T, R, C]: those of the curves that every class has.
    classes : the C group names.
    diverged : number of runs left out. runs : number of all runs, R + diverged.
    verdict : the verdict on all runs together. verdicts : dict of verdict to number of runs. inverting :
        number of runs with an inversion. shortfall : the condition for an inversion that the other runs fail;
        None if no condition fails.
    inversion : {"updates": t*, "error": eps*}, interpolated between records, means over the inverting runs;
        None if the verdict is not `inversion`.
    recorded_how : how networks that strag did not train were recorded, in words; else empty.
    """

    label: str
    title: str
    source: str
    facts: dict
    updates: np.ndarray
    train_error: np.ndarray
    recorded: np.ndarray
    measured: bool
    curves: dict
    by_class: dict
    classes: tuple
    diverged: int
    runs: int
    verdict: str
    verdicts: dict
    inverting: int
    inversion: dict | None
    shortfall: Shortfall | None = None
    recorded_how: str = ""

    @property
    def runs_shown(self):
        """Number of runs that the curves contain, R."""
        return self.runs - self.diverged

    @property
    def sentence(self):
        """The inversion in words, with the number of runs behind it."""
        inverting = f"{self.inverting} of {number_of(self.runs, 'run')}"
        if self.inversion is None:
            exceptions = f"; {inverting} have one{self.others}" if self.inverting else ""
            brief = f"; {self.shortfall.brief}" if self.shortfall and self.shortfall.brief else ""
            if self.shortfall and self.shortfall.condition == LAYERS:
                return self.shortfall.brief
            # That of `none` is said already.
            verdict = "" if self.verdict == NONE else self.verdict
            why = f"{verdict}{exceptions}{brief}".removeprefix("; ")
            return f"no inversion ({why})" if why else "no inversion"
        t, error = self.inversion[UPDATES], self.inversion[ERROR]
        t = f"{t:.0f}" if t >= 10 else f"{t:.2g}"
        return f"inversion at t* = {t}, ε* = {error:.2g} ({inverting}{self.others})"

    @property
    def others(self):
        """Verdicts of the runs that neither invert nor diverge, in words; empty if no run inverts."""
        excluded = (INVERSION, DIVERGED)
        counts = [f"{n} {verdict}" for verdict, n in self.verdicts.items() if verdict not in excluded]
        return f", {', '.join(counts)}" if counts and self.inverting else ""

    @property
    def explained(self):
        """The sentence, extended by the condition that failed and by how nearly it was met."""
        is_more = self.shortfall and self.shortfall.words != self.shortfall.brief
        return self.sentence + (f": {self.shortfall.words}" if is_more else "")

    @property
    def left_out(self):
        """Number of runs that the curves do not contain, in words; empty if they contain all."""
        return f", {self.diverged} diverged and left out" if self.diverged else ""

    def axis(self, x):
        """Values of the horizontal axis, and the records that it can show: float64 [T'], bool [T].

        Both axes are logarithmic. `updates` cannot show the initial state. `error`, which is the mean over
        runs at equal t, cannot show records at which no run makes an error. Raises StragError if the axis can
        show no record.
        """
        values = self.updates if x == UPDATES else mean_over_runs(self.train_error, self.recorded)
        shown = values > 0
        if not shown.any():
            remedy = "train longer" if x == UPDATES else "plot it against updates"
            raise StragError(f"has no record that can be shown on an axis of {AXES[x]}", remedy, self.source)
        return values[shown].astype(np.float64), shown


def dynamics_of(history, layer=None, label=None, fewest=FEWEST, curves=USUAL):
    """Return the Dynamics of a History at a recorded layer, by default the first one.

    label : name of the history in a figure, by default that of its data set. fewest : as for
    `find_stragglers`. curves : names in CURVES.

    Raises StragError if the layer or a curve is not recorded, or if every run diverged.
    """
    measured = bool(history.layers) or layer is not None
    position = history.layer_position(layer) if measured else None
    inversions = find_inversions(history, layer=layer, fewest=fewest)
    finding = collect(history, inversions, [None] * len(inversions))
    shown = np.array([inversion.verdict != DIVERGED for inversion in finding.inversions])
    diverged = int((~shown).sum())
    if not shown.any():
        remedy = history.remedy("train with a smaller `lr`", SMALLER_STEPS)
        raise StragError("has no curve to draw: every run diverged", remedy, history.source)
    title = title_of(history.meta.get("title") or "history", history.classes)
    lacks_inversion = finding.verdict not in (INVERSION, UNSTABLE, DIVERGED)
    T = int(history.records[shown].max())
    error = history.train_error[:T, shown].astype(np.float64)
    names = [name for name in curves if measured and name != ERROR]
    return Dynamics(
        label=one_line(label) if label else title,
        title=title,
        source=history.source,
        facts=facts_of(history, position, diverged),
        updates=history.updates[:T],
        train_error=error,
        recorded=history.recorded[:T, shown],
        measured=measured,
        curves={**{name: history.curve(name, layer)[:T, shown] for name in names}, ERROR: error},
        by_class={name: history.measure(name, layer)[:T, shown] for name in names if of_classes(name)},
        classes=tuple(one_line(name) for name in history.classes),
        diverged=diverged,
        runs=len(shown),
        verdict=finding.verdict,
        verdicts=dict(Counter(inversion.verdict for inversion in finding.inversions)),
        inverting=len(finding.inverting),
        inversion=dict(zip((UPDATES, ERROR), finding.mean_inversion, strict=True))
        if finding.mean_inversion
        else None,
        shortfall=shortfall_of(finding.inversions, history.records, fewest) if lacks_inversion else None,
        recorded_how=in_brief(history.recording),
    )


def distinguished(shown):
    """Return several Dynamics with labels that say how they were recorded, unless it is the same for all."""
    ways = [dynamics.recorded_how for dynamics in shown]
    if len(set(ways)) == 1:
        return shown
    return [
        replace(dynamics, label=f"{dynamics.label} ({way})") if way else dynamics
        for dynamics, way in zip(shown, ways, strict=True)
    ]


def of_classes(name):
    """Whether every class has a curve of this name, so that the main curve is a mean over classes."""
    return name != ERROR and MEASURES[name].axis == "class"


def mean_and_spread(values, recorded=None):
    """Return the mean over runs, and the standard deviation between them: [T, R] -> [T], [T].

    The standard deviation of one run is 0. recorded : bool [T, R], the runs that have each record, by default
    all.
    """
    if recorded is None or recorded.all():
        spread = values.std(axis=1, ddof=1) if values.shape[1] > 1 else np.zeros(len(values))
        return values.mean(axis=1), spread
    mean, number = mean_over_runs(values, recorded), recorded.sum(axis=1)
    squares = np.square(np.where(recorded, values - mean[:, None], 0)).sum(axis=1)
    return mean, np.sqrt(squares / np.maximum(number - 1, 1))


def log_ticks(low, high, most=9):
    """Return round numbers for a logarithmic axis from `low` to `high`: float64, rising.

    The ticks are 1, 2 and 5 in every decade, if these are three to `most` ticks. If they are more, only the
    decades are used, and thinned out if needed. If they are fewer, all digits are used, then all tenths, as
    far as there is room for their labels.
    """
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)

    def inside(steps):
        ticks = np.outer(decades, steps).ravel()
        return ticks[(ticks >= low * (1 - 1e-9)) & (ticks <= high * (1 + 1e-9))]

    ticks = inside([1, 2, 5])
    if ticks.size > most:
        ticks = inside([1])
        return ticks[:: -(-ticks.size // most)]
    for steps in (np.arange(1, 10), np.arange(10, 100) / 10):
        if ticks.size < 3:
            ticks = inside(steps)
    ticks = _apart(ticks, NEAREST * np.log(high / low))
    return ticks[:: -(-ticks.size // most)] if ticks.size else np.array([low])


def _apart(ticks, nearest):
    """Return a part of the rising `ticks` whose logarithms are at least `nearest` apart.

    Ticks with the digits 1, 2 and 5 take precedence over others.
    """
    digits = np.round(ticks / 10 ** np.floor(np.log10(ticks) + 1e-9), 6)
    rank = np.where(digits == 1, 0, np.where(np.isin(digits, (2, 5)), 1, np.where(digits % 1 == 0, 2, 3)))
    kept = []
    for at in np.argsort(rank, kind="stable"):
        if all(abs(np.log(ticks[at] / ticks[other])) >= nearest for other in kept):
            kept.append(at)
    return ticks[np.sort(np.array(kept, dtype=int))]
