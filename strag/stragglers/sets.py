"""Sets: many sets of examples to leave out in one training job, each for one run.

A set holds the stragglers of a run at one update, or a dose of the most frequent stragglers of all runs, or a
control: as many other examples as another set has, see `strag.stragglers.controls`.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from strag.errors import StragError
from strag.geometry.times import evenly, logarithmic
from strag.stragglers.unknown import SMALLER_STEPS

NO_CONTROL, RANDOM, CLASS, EARLIER, HARD = "none", "random", "class", "earlier", "hard"
CONTROLS = (NO_CONTROL, RANDOM, CLASS, EARLIER, HARD)  # older files hold `earlier`, which is no longer drawn
OWN = 0.0  # the dose of a run's own set
SET_NAMES = ("run", "update", "dose", "control")  # the attributes that distinguish sets


@dataclass(frozen=True)
class Sets:
    """S sets of examples, each for one run.

    Attributes
    ----------
    members : bool [S, P], the examples in each set.
    run : int64 [S], the number of the run from whose initial weights a network starts that leaves out the
        set.
    update : int64 [S], the update at which the set was taken; for a dose, that of the own set of its run.
    control : int64 [S], position in CONTROLS.
    dose : float64 [S], the fraction of the consensus that a dose holds, above 0; OWN for S(t) of the run
        itself.
    network : int64 [S], position of the run on axis R of the history. It differs from `run` in a history
        whose networks left out sets themselves.

    In a history of independent runs, no two sets have the same run, update, dose and control.
    """

    members: np.ndarray
    run: np.ndarray
    update: np.ndarray
    control: np.ndarray
    dose: np.ndarray
    network: np.ndarray

    def described(self):
        """The run, update, dose and control (by name) of every set: dict of lists, kept in histories."""
        control = [CONTROLS[number] for number in self.control]
        lists = {name: getattr(self, name).tolist() for name in ("run", "update", "dose")}
        return {**lists, "control": control}

    def at(self, positions):
        """The sets at these positions: Sets."""
        positions = np.asarray(positions, dtype=np.int64)
        return Sets(**{name: getattr(self, name)[positions] for name in self.__dataclass_fields__})

    def __add__(self, other):
        names = self.__dataclass_fields__
        return Sets(**{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names})


def described_at(described, positions):
    """The entries for the networks at these positions, from the dict that `Sets.described` returned.

    Any other value is returned as it is; `History.seed_runs` refuses it.
    """
    columns = described.values() if isinstance(described, dict) else ()
    if not columns or not all(isinstance(c, list) and len(c) > max(positions) for c in columns):
        return described
    return {name: [column[network] for network in positions] for name, column in described.items()}


def partners(kinds, wanted=RANDOM):
    """The partner of every network, which left out a control of its set: list of position or None.

    Only a network that left out stragglers has a partner. It has the same run, update and dose, and the
    wanted control. If several networks share all of run, update, dose and control, they have no partner and
    are not partners.

    kinds : list of (run, update, dose, control), one per network. wanted : a name in CONTROLS.
    """
    occurrences = Counter(kinds)
    network_of = {kind: network for network, kind in enumerate(kinds) if occurrences[kind] == 1}
    return [
        network_of.get((*moment, wanted))
        if control == NO_CONTROL and (*moment, NO_CONTROL) in network_of
        else None
        for *moment, control in kinds
    ]


def excess_errors(kinds, errors, removed):
    """The error of every network minus that of its random partner, per example left out.

    Parameters
    ----------
    kinds : as for `partners`.
    errors : float [R, ...].
    removed : int [R], number of examples that each network left out.

    Returns
    -------
    float64 [R, ...], NaN for a network without a partner, and for one that left out no example.
    """
    excess = np.full(np.shape(errors), np.nan)
    for network, partner in enumerate(partners(kinds)):
        if partner is not None and removed[network]:
            excess[network] = (errors[network] - errors[partner]) / removed[network]
    return excess


@dataclass(frozen=True)
class Logarithmic:
    """The rule that takes sets at records equally spaced in ln t: 0.1 apart, or `number` records in all.

    Calling it with rising updates returns the positions of the updates that it chooses.
    """

    number: int | None = None
    is_chosen = False  # doses belong to the sets at the inversion

    def __call__(self, updates):
        return logarithmic(updates) if self.number is None else evenly(updates, self.number)

    def __str__(self):
        return "log" if self.number is None else f"log:{self.number}"


def sets_over_time(history, times=logarithmic):
    """The sets S(t) of every run along training: Sets.

    A run has no set at a record at which it is not finite, since all its examples count as misclassified
    there, and none after its last record. The records are chosen for all runs together, so that their sets
    are taken at the same updates.

    Parameters
    ----------
    history : History
    times : function that chooses records: it maps the updates of all records to a list of their positions.

    Raises StragError if there is no record after update 0, and if no run is finite at any of them.
    """
    runs, finite = range(len(history.runs)), history.finite
    places = [(run, record) for record in times(history.updates) for run in runs if finite[record, run]]
    if not places and not finite[history.updates > 0].any() and (history.updates > 0).any():
        remedy = history.remedy("use a smaller `lr`", SMALLER_STEPS)
        raise StragError("has no run that is finite after update 0", remedy, history.source)
    if not places:
        raise StragError("has no record after update 0", "train longer", history.source)
    return _sets(history, places, [history.misclassified_at(record, run) for run, record in places])


def sets_of_runs(history, stragglers):
    """The set of every run for which `find_stragglers` found one: Sets, which may be empty."""
    places = [(run, record) for run, record in enumerate(stragglers.records) if record is not None]
    return _sets(history, places, list(stragglers.sets))


def dosed_sets(history, stragglers, doses):
    """Doses of the consensus for every run with a set: Sets, one per dose and run.

    A dose is a fraction of the consensus; its set holds this fraction of the examples, the most frequent
    stragglers. Examples are ranked by the share of runs in which they are stragglers, then by their index, so
    that a smaller dose is part of a larger one. Without any set of a run there is no dose either.

    Raises StragError if runs have sets but the consensus is empty, and if networks share their initial
    weights.
    """
    whole = sets_of_runs(history, stragglers)
    if not len(whole.run):
        return whole
    if not stragglers.pooled:
        raise StragError(
            "has networks that share their initial weights, so that examples have no frequency",
            "take doses of the history in which its sets were found",
            history.source,
        )
    members = np.flatnonzero(stragglers.consensus)
    if members.size == 0:
        raise StragError(
            "no example straggles in enough runs, so that there is no dose",
            "use a smaller `quorum`",
            history.source,
        )
    ranked = members[
        np.lexsort((history.index[members], -stragglers.counts[members] / stragglers.seen[members]))
    ]
    parts = []
    for dose in doses:
        members = np.zeros_like(whole.members)
        members[:, ranked[: max(1, round(dose * ranked.size))]] = True
        parts.append(replace(whole, members=members, dose=np.full(len(members), dose)))
    return joined(parts)


def _sets(history, places, members):
    """Sets of S(t), with these members, of the (run, record) in `places`."""
    networks, records = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return Sets(
        members=np.array(members, dtype=bool).reshape(-1, history.examples),
        run=np.array(history.seed_runs, dtype=np.int64)[networks],
        update=history.updates[records],
        control=np.zeros(len(places), dtype=np.int64),
        dose=np.full(len(places), OWN),
        network=networks,
    )


def joined(parts):
    """Several Sets as one."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole
