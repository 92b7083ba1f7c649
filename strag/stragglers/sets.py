"""Many straggler sets for one training job: per run and update, by dose, with matched random controls."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from strag.errors import StragError
from strag.geometry.times import evenly, logarithmic

NO_CONTROL, RANDOM, CLASS, EARLIER = "none", "random", "class", "earlier"
CONTROLS = (NO_CONTROL, RANDOM, CLASS, EARLIER)
OWN = 0.0  # the dose of a run's own set
SET_NAMES = ("run", "update", "dose", "control")  # what tells sets apart


@dataclass(frozen=True)
class Sets:
    """S sets of examples, each for one run.

    Attributes
    ----------
    members : bool [S, P]. run : int64 [S], whose initial weights a set belongs to. update : int64 [S],
    at which it was taken: of a dose, t of its run's own set. control : int64 [S], position in CONTROLS.
    dose : float64 [S], the fraction of the most frequent stragglers of all runs, above 0; OWN for S(t) of
    the run itself. network : int64 [S], position on axis R of the history; it differs from `run` in a
    history whose networks left out sets themselves.

    Run, update, dose and control tell the sets of a history of independent runs apart.
    """

    members: np.ndarray
    run: np.ndarray
    update: np.ndarray
    control: np.ndarray
    dose: np.ndarray
    network: np.ndarray

    def described(self):
        """Lists of run, update, control (by name) and dose, for a file that has one network per set."""
        control = [CONTROLS[number] for number in self.control]
        lists = {name: getattr(self, name).tolist() for name in ("run", "update", "dose")}
        return {**lists, "control": control}

    def __add__(self, other):
        names = self.__dataclass_fields__
        return Sets(**{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names})


def described_at(described, positions):
    """The part of what `Sets.described` gave that is about the networks at these positions.

    What is no such lists stays as it is, for `History.seed_runs` to refuse.
    """
    columns = described.values() if isinstance(described, dict) else ()
    if not columns or not all(isinstance(c, list) and len(c) > max(positions) for c in columns):
        return described
    return {name: [column[at] for at in positions] for name, column in described.items()}


def random_partners(kinds):
    """Of every network, the one that left out as many random examples as it: list of position or None.

    kinds : list of (run, update, dose, control), one per network. Networks that left out S(t) have a partner
    of the same run, update and dose, unless there are several of one kind.
    """
    often = Counter(kinds)
    at = {kind: network for network, kind in enumerate(kinds) if often[kind] == 1}
    return [
        at.get((*place, RANDOM)) if control == NO_CONTROL and (*place, NO_CONTROL) in at else None
        for *place, control in kinds
    ]


def excess_errors(kinds, errors, removed):
    """What the error of every network exceeds that of its random partner by, per example left out.

    Parameters
    ----------
    kinds : as for `random_partners`. errors : float [R, ...]. removed : int [R], examples left out.

    Returns
    -------
    float64 [R, ...], NaN for a network without a partner, or that left out nothing.
    """
    excess = np.full(np.shape(errors), np.nan)
    for network, beside in enumerate(random_partners(kinds)):
        if beside is not None and removed[network]:
            excess[network] = (errors[network] - errors[beside]) / removed[network]
    return excess


@dataclass(frozen=True)
class Logarithmic:
    """The rule that takes sets at records equally spaced in ln t: a tenth apart, or `number` of them in all.

    Called with rising updates it gives the positions of those that it chooses.
    """

    number: int | None = None
    is_chosen = False  # doses are of the sets at the inversion

    def __call__(self, updates):
        return logarithmic(updates) if self.number is None else evenly(updates, self.number)

    def __str__(self):
        return "log" if self.number is None else f"log:{self.number}"


def sets_over_time(history, times=logarithmic):
    """S(t) of every run at the records whose positions `times` chooses of their updates: Sets.

    There is none at a record at which the run is not finite, where all its examples count as misclassified.
    """
    runs, finite = range(len(history.runs)), history.finite
    places = [(run, record) for record in times(history.updates) for run in runs if finite[record, run]]
    if not places and not finite[history.updates > 0].any() and (history.updates > 0).any():
        raise StragError("has no run that is finite after update 0", "use a smaller `lr`", history.source)
    if not places:
        raise StragError("has no record after update 0", "train longer", history.source)
    return _sets(history, places, [history.misclassified_at(record, run) for run, record in places])


def sets_of_runs(history, found):
    """The set of every run that has one, as `find_stragglers` took it: Sets, maybe none."""
    places = [(run, record) for run, record in enumerate(found.records) if record is not None]
    return _sets(history, places, list(found.sets))


def dosed_sets(history, found, doses):
    """For every run with a set, the most frequent of the consensus's examples in each fraction: Sets.

    The consensus is ranked by the share of runs that call an example a straggler, then by its index, so
    that a smaller dose is part of a larger one.

    Raises StragError where runs have sets, but no consensus.
    """
    whole = sets_of_runs(history, found)
    if not len(whole.run):
        return whole
    if not found.pooled:
        raise StragError(
            "has networks that share their initial weights, so that examples have no frequency",
            "take doses of the history in which its sets were found",
            history.source,
        )
    members = np.flatnonzero(found.consensus)
    if members.size == 0:
        raise StragError(
            "no example straggles in enough runs, so that there is no dose",
            "use a smaller `quorum`",
            history.source,
        )
    ranked = members[np.lexsort((history.index[members], -found.counts[members] / found.seen[members]))]
    parts = []
    for dose in doses:
        members = np.zeros_like(whole.members)
        members[:, ranked[: max(1, round(dose * ranked.size))]] = True
        parts.append(replace(whole, members=members, dose=np.full(len(members), dose)))
    return _joined(parts)


def with_controls(history, sets, controls, seed):
    """`sets`, then for each kind of control as many examples at random as each set has: Sets.

    `random` draws from all examples that the set's network trains on, `class` as many of each original class.
    `earlier` draws from those among them that the network misclassified at the record nearest to half the
    update of the set; where these are fewer than the set, which is rare since their number falls, it takes
    them all. Drawn by SeedSequence([seed, kind, number of the set]).
    """
    trained = history.trained_bits()
    parts = [sets]
    for kind in controls:
        members = np.zeros_like(sets.members)
        for number, chosen in enumerate(sets.members):
            random = np.random.default_rng([seed, CONTROLS.index(kind), number])
            network = sets.network[number]
            pool = np.flatnonzero(trained[network])
            strata = [pool[history.y[pool] == c] for c in np.unique(history.y)] if kind == CLASS else [pool]
            sizes = [chosen[stratum].sum() for stratum in strata]
            if kind == EARLIER:
                record = np.abs(history.updates - sets.update[number] / 2).argmin()
                strata = [np.flatnonzero(history.misclassified_at(record, network))]
            for stratum, size in zip(strata, sizes, strict=True):
                members[number, random.permutation(stratum)[:size]] = True
        parts.append(replace(sets, members=members, control=np.full(len(members), CONTROLS.index(kind))))
    return _joined(parts)


def _sets(history, places, members):
    networks, records = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return Sets(
        members=np.array(members, dtype=bool).reshape(-1, history.examples),
        run=np.array(history.seed_runs, dtype=np.int64)[networks],
        update=history.updates[records],
        control=np.zeros(len(places), dtype=np.int64),
        dose=np.full(len(places), OWN),
        network=networks,
    )


def _joined(parts):
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole
