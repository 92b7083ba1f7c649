"""Find the inversion of every run of a history, the stragglers there, and the consensus of the runs."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from strag.bits import unpack
from strag.errors import StragError
from strag.stragglers.curves import Curves
from strag.stragglers.examples import CORE, BetaBinomial, unidentifiable
from strag.stragglers.inversion import (
    DIVERGED,
    FEWEST,
    INVERSION,
    NONE,
    OPEN,
    UNRESOLVED,
    UNSTABLE,
    find_inversion,
    first_increase,
    unmeasured,
)
from strag.stragglers.recipe import descends
from strag.stragglers.unknown import MORE_RUNS, SMALLER_STEPS

VALLEY, FIRST_INCREASE = "valley", "first-increase"
MOST = 0.5  # an example of the consensus is in more than this share of the sets
_WORST_FIRST = (DIVERGED, UNSTABLE, UNRESOLVED, OPEN, NONE)


@dataclass(frozen=True)
class Moment:
    """The moment at which a set S(t) is taken: the inversion, an update, or a training error.

    update : int, or None. error : a training error, or None; the moment is the first record at which the
    training error of the run has come down to this: it is at most this, and was at least this there or at an
    earlier record. If both are None, the moment is the inversion.
    """

    update: int | None = None
    error: float | None = None

    @property
    def is_chosen(self):
        """Whether the moment is an update or a training error, not the inversion."""
        return self.update is not None or self.error is not None

    def __str__(self):
        if self.update is not None:
            return str(self.update)
        return "inversion" if self.error is None else f"error:{self.error!r}"

    def record(self, history, run, inversion):
        """The record at which the set of a run (position on axis R) is taken, or None.

        It is None if the run has no such moment, or is not finite there, since then all its examples count as
        misclassified. A run has no moment after its last record. inversion : Inversion of the run. Raises
        StragError if there is no record at the update.
        """
        finite = history.finite[:, run]
        if self.update is not None:
            places = np.flatnonzero(history.updates == self.update)
            if places.size == 0:
                near = history.updates[np.argsort(np.abs(history.updates - self.update))[:2]]
                raise StragError(
                    f"has no record at update {self.update}",
                    f"the nearest are at {' and '.join(str(t) for t in sorted(near))}",
                    history.source,
                )
            return int(places[0]) if finite[places[0]] else None
        if self.error is not None:
            error = np.where(finite, history.train_error[:, run], np.nan)
            above = np.fmax.accumulate(error) >= self.error
            reached = np.flatnonzero(above & (error <= self.error))
            return int(reached[0]) if reached.size else None
        return inversion.record if inversion.verdict == INVERSION else None


@dataclass(frozen=True)
class Stragglers:
    """The stragglers of a history.

    Attributes
    ----------
    verdict : over all runs, see `overall`.
    inversions : tuple of the Inversion of each run.
    records : tuple of the record at which the set of each run was taken; None for a run without a set. All
        are None if inversions were sought per class.
    taken : tuple of the runs with a set, positions on axis R. sets : bool [number of these runs, P].
    counts, seen : int [P], number of sets that contain an example, and number of sets whose run trained on
        it.
    consensus : bool [P], examples that are in strictly more than a share of the sets whose run trained on
        them, by default half.
    model : BetaBinomial, or None if it is not identifiable. unknown : the reason; empty if there is a model.
    pooled : whether the runs are independent. Networks that share their initial weights and left out
        different sets are not independent; then the consensus is empty and there is no model.
    by_class : tuple with a tuple for each run, of the Inversion of every class, or None for a class without a
        trained example. None if inversions were not sought per class.
    """

    verdict: str
    inversions: tuple
    records: tuple
    taken: tuple
    sets: np.ndarray
    counts: np.ndarray
    seen: np.ndarray
    consensus: np.ndarray
    model: BetaBinomial | None
    unknown: str = ""
    pooled: bool = True
    by_class: tuple | None = None

    @property
    def core(self):
        """Examples that almost surely straggle in most runs: bool [P]."""
        return self.status == CORE

    @property
    def status(self):
        """`core`, `fringe` or `rare` for every example; empty if it is not known: str [P]."""
        if self.model is None:
            return np.full(self.counts.shape, "")
        return np.where(self.seen > 0, self.model.status(self.counts, self.seen), "")

    def require_core(self, history):
        """Raise StragError if there is no model, and so no core. history : the History of the runs."""
        source = history.source
        if self.model is not None:
            return
        if not self.pooled:
            raise StragError(
                "has networks that share their initial weights, so that there is no core",
                "use the core of the history in which its sets were found",
                source,
            )
        if len(self.taken) < 2:
            more = history.remedy("train more `runs`", MORE_RUNS)
            raise StragError("the core needs two runs with a set", more, source)
        raise StragError(f"has no core: {self.unknown}", "take the sets at another moment", source)

    @property
    def inverting(self):
        """The Inversions whose verdict is `inversion`: list."""
        return [inversion for inversion in self.inversions if inversion.verdict == INVERSION]

    @property
    def mean_inversion(self):
        """Means of the refined (t*, eps*) over the inverting runs; None if the verdict is not `inversion`."""
        if self.verdict != INVERSION:
            return None
        return tuple(
            float(np.mean([getattr(inversion, name) for inversion in self.inverting]))
            for name in ("update", "train_error")
        )


def find_stragglers(
    history, observable="radius", layer=None, rule=VALLEY, at=Moment(), fewest=FEWEST, quorum=MOST
):
    """Find the inversion of every run of a History, and the stragglers there.

    Parameters
    ----------
    history : History
    observable : see `History.observable`.
    layer : a recorded layer, by default the first.
    rule : `valley`, or `first-increase` for the rule of the notebook.
    at : Moment at which the sets are taken.
    fewest : number of examples that must be misclassified at an inversion.
    quorum : an example of the consensus is in strictly more than this share of the sets.

    Returns
    -------
    Stragglers

    Raises StragError if no run reaches the moment, and if the moment is the inversion and no layer was
    measured.
    """
    if not at.is_chosen:
        history.require_layers()
    inversions = find_inversions(history, observable, layer, rule, fewest)
    records = tuple(at.record(history, run, inversion) for run, inversion in enumerate(inversions))
    if at.is_chosen and all(record is None for record in records):
        _refuse_diverged(history, at)
        _refuse_level(history, at.error)
    sets = [
        None if record is None else history.misclassified_at(record, run)
        for run, record in enumerate(records)
    ]
    return collect(history, inversions, sets, records, quorum=quorum)


def find_inversions(history, observable="radius", layer=None, rule=VALLEY, fewest=FEWEST):
    """Find the Inversion of every run of a History: tuple.

    Parameters as for `find_stragglers`. Without a measured layer all are `unresolved`, or `diverged`.
    """
    runs, measured = range(len(history.runs)), bool(history.layers) or layer is not None
    sizes = [_set_sizes(history, run) for run in runs]
    if not measured:
        return tuple(unmeasured(_curves(history, run, None, sizes[run])) for run in runs)
    values = history.observable(observable, layer)
    return tuple(invert(history, run, values[:, run], rule, sizes[run], fewest) for run in runs)


def _refuse_diverged(history, at):
    """Raise StragError if no run is finite at the moment."""
    chosen = history.finite if at.update is None else history.finite[history.updates == at.update]
    if chosen.any():
        return
    where = "" if at.update is None else f" at update {at.update}"
    if at.update is not None and not history.recorded[history.updates == at.update].all():
        problem, remedy = f"has no run that still trains and is finite{where}", "use an earlier update"
        raise StragError(problem, remedy, history.source)
    remedy = history.remedy("use a smaller `lr`", SMALLER_STEPS)
    raise StragError(f"has no run that is finite{where}", remedy, history.source)


def _refuse_level(history, level):
    """Raise StragError for a training error from which no run came down, or to which none did."""
    errors = history.train_error[history.finite]
    if errors.min() > level:
        problem, remedy = f"no run reaches the training error {level}", f"the lowest is {errors.min():.4g}"
        raise StragError(problem, f"{remedy}; train longer", history.source)
    if errors.max() < level:
        problem = f"no run has a training error of {level} or more"
        remedy = f"the highest is {errors.max():.4g}; use a smaller one"
        raise StragError(problem, remedy, history.source)
    problem = f"the training error of no run falls to {level} from above"
    raise StragError(problem, "use another error", history.source)


def collect(history, inversions, sets, records=None, by_class=None, quorum=MOST):
    """The Stragglers of the runs of a History.

    Parameters
    ----------
    history : History
    inversions : tuple of the Inversion of each run.
    sets : list of the set of each run, bool [P], or None for a run without one.
    records, by_class : see Stragglers. quorum : as for `find_stragglers`.
    """
    taken = [run for run, members in enumerate(sets) if members is not None]
    members = np.array([sets[run] for run in taken], dtype=bool).reshape(-1, history.examples)
    counts, seen = members.sum(axis=0), history.trained_bits()[taken].sum(axis=0)
    pooled = history.shared_run is None
    unknown = unidentifiable(counts, seen) if pooled else "networks share their initial weights"
    return Stragglers(
        verdict=overall([inversion.verdict for inversion in inversions]),
        inversions=inversions,
        records=records or (None,) * len(sets),
        taken=tuple(taken),
        sets=members,
        counts=counts,
        seen=seen,
        consensus=(counts / np.maximum(seen, 1) > quorum) & pooled,
        model=None if unknown else BetaBinomial.fit(counts[seen > 0], seen[seen > 0]),
        unknown=unknown,
        pooled=pooled,
        by_class=by_class,
    )


def overall(verdicts):
    """The verdict over runs, from the list of their verdicts.

    It is `inversion` if at least half of the runs have one. Otherwise it is the most frequent of the other
    verdicts. If `none` and `open` together are at least half of these, only the two count. Of equally
    frequent verdicts it is the more cautious one.
    """
    if 2 * verdicts.count(INVERSION) >= len(verdicts):
        return INVERSION
    counts = Counter(verdict for verdict in verdicts if verdict != INVERSION)
    answered = {verdict: counts[verdict] for verdict in (NONE, OPEN) if counts[verdict]}
    if 2 * sum(answered.values()) >= sum(counts.values()):
        counts = answered
    return max(counts, key=lambda verdict: (counts[verdict], -_WORST_FIRST.index(verdict)))


def invert(history, run, curve, rule, wrong, fewest=FEWEST):
    """Find the Inversion of one run in a curve.

    Parameters
    ----------
    history : History. run : position on axis R.
    curve : float [T], the observable.
    rule, fewest : as for `find_stragglers`.
    wrong : int [T], numbers of misclassified examples.
    """
    curves = _curves(history, run, curve, wrong)
    if rule == FIRST_INCREASE:
        return first_increase(curves, descends(history.recipe))
    return find_inversion(curves, descends(history.recipe), fewest)


def _curves(history, run, curve, wrong):
    """The Curves of one run up to its last record.

    curve : float [T], the observable, or None. wrong : int [T], numbers of misclassified examples.
    """
    examples, end = int(unpack(history.trained[run], history.examples).sum()), history.records[run]
    error = history.train_error[:end, run]
    loss = None if history.train_loss is None else history.train_loss[:end, run]
    curve = None if curve is None else curve[:end]
    return Curves(history.updates[:end], curve, error, loss, wrong[:end], examples)


def _set_sizes(history, run):
    """|S(t)| at every record: int [T]."""
    bits = history.misclassified[:, run] & history.trained[run]
    return unpack(bits, history.examples).sum(axis=1)
