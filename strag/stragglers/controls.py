"""Controls: sets of other examples, each as large as a set of stragglers, to compare its effect with."""

from dataclasses import replace

import numpy as np

from strag.errors import StragError
from strag.stragglers.sets import CLASS, CONTROLS, HARD, OWN, RANDOM, joined
from strag.words import number_of

_DOSE = -1  # stands for the moment of doses
DRAWN = (RANDOM, CLASS, HARD)  # the controls that can be made
DIGITS = 12  # of the means that rank examples; sums that differ by rounding are equal


def with_controls(history, sets, controls, seed, hardest=None):
    """The given sets, followed by their controls of each kind: Sets.

    A control has the size of the set that it belongs to. `random` draws from all examples that the network of
    the set trains on. `class` draws from these as many of each original class as the set has. `hard` holds
    the first of `hardest`; a set with more examples than there are gets no such control.

    Parameters
    ----------
    history : History from which the sets come.
    sets : Sets
    controls : names in DRAWN.
    seed : int. Set number i draws its control from SeedSequence([seed, position of the kind in CONTROLS, i]).
    hardest : see `hardest_others`; needed for `hard`.

    Raises StragError if there are sets, but none gets a control `hard`.
    """
    parts = [sets]
    for kind in controls:
        made = _hard(history, sets, hardest) if kind == HARD else _drawn(history, sets, kind, seed)
        parts.append(replace(made, control=np.full(len(made.run), CONTROLS.index(kind))))
    return joined(parts)


def _drawn(history, sets, kind, seed):
    """The controls `random` or `class` of all Sets: Sets."""
    members, trained = np.zeros_like(sets.members), history.trained_bits()
    for number, chosen in enumerate(sets.members):
        random = np.random.default_rng([seed, CONTROLS.index(kind), number])
        pool = np.flatnonzero(trained[sets.network[number]])
        strata = [pool[history.y[pool] == c] for c in np.unique(history.y)] if kind == CLASS else [pool]
        for stratum in strata:
            members[number, random.permutation(stratum)[: chosen[stratum].sum()]] = True
    return replace(sets, members=members)


def too_large(sets, hardest):
    """Whether a set has more examples than there are for its control `hard`: bool [S]."""
    return sets.members.sum(axis=1) > [len(ranked) for ranked in hardest]


def _hard(history, sets, hardest):
    """The controls `hard` of those Sets that get one: Sets."""
    missing = too_large(sets, hardest)
    if len(missing) and missing.all():
        most, smallest = number_of(max(map(len, hardest)), "example"), sets.members.sum(axis=1).min()
        raise StragError(
            f"has at most {most} for the control 'hard', but the smallest set needs {smallest}",
            "take the sets at another time with `at`, or remove the control",
            history.source,
        )
    owners = np.flatnonzero(~missing)
    chosen = sets.at(owners)
    members = np.zeros_like(chosen.members)
    for row, number in enumerate(owners):
        members[row, hardest[number][: chosen.members[row].sum()]] = True
    return replace(chosen, members=members)


def hardest_others(history, sets, inverting):
    """For every set, the other examples that its network trains on, hardest first: list of S int64 arrays.

    The sets of one moment share one ranking, and no example in any run's own set of that moment is in it. The
    moment of a dose is the inversion. An example is ranked by the mean, over the runs with an own set that
    train on it, of the share of the time in ln t in which it was misclassified before the set was taken:

        sum over records j from t = 1 to t_s of wrong_j (ln t_{j+1} - ln t_j) / ln t_s,

    where t_s is the update at which the own set of the run was taken. Equal ones are ranked by their index.
    Of sets taken at update 1 the list is empty, since no time has passed.

    Parameters
    ----------
    history : History from which the sets come.
    sets : Sets, own ones and doses.
    inverting : Sets, the own set of every run at its inversion, to which doses belong; None without doses.
    """
    own = sets.dose == OWN
    over_time = len(set(sets.network[own].tolist())) < own.sum()
    moments = np.where(own, sets.update if over_time else 0, _DOSE).tolist()
    families = {
        moment: inverting if moment == _DOSE else sets.at(np.flatnonzero(np.array(moments) == moment))
        for moment in sorted(set(moments))
    }
    ranked = dict(zip(families, _rankings(history, list(families.values())), strict=True))
    trained, of_networks = history.trained_bits(), {}
    for moment, network in zip(moments, sets.network.tolist(), strict=True):
        if (moment, network) not in of_networks:
            others = ranked[moment]
            is_trained = trained[network, others]
            of_networks[moment, network] = others if is_trained.all() else others[is_trained]
    return [of_networks[key] for key in zip(moments, sets.network.tolist(), strict=True)]


def _rankings(history, families):
    """The examples that are in no set of a family of own Sets, hardest first: list of int64 arrays."""
    wrong_for = np.zeros((len(families), history.examples))
    trained = history.trained_bits()
    seen = np.zeros_like(wrong_for)
    for network in range(len(history.runs)):
        wanted = {
            (number, int(family.update[position]))
            for number, family in enumerate(families)
            for position in np.flatnonzero(family.network == network)
        }
        for update, share in _share_of_time(history, network, {update for _, update in wanted}):
            for number in [number for number, its_update in wanted if its_update == update]:
                wrong_for[number] += share
                seen[number] += trained[network]
    rankings = []
    for family, total, runs in zip(families, wrong_for, seen, strict=True):
        mean = np.round(total / np.maximum(runs, 1), DIGITS)
        others = np.flatnonzero((runs > 0) & ~family.members.any(axis=0))
        rankings.append(others[np.lexsort((history.index[others], -mean[others]))])
    return rankings


def _share_of_time(history, network, updates):
    """Yield, for each of these updates above 1, itself and the share of the time in ln t before it in which
    each example was misclassified by a network: (int, float64 [P])."""
    total = np.zeros(history.examples)
    last = max(updates, default=0)
    for record, update in enumerate(history.updates.tolist()):
        if update > 1 and update in updates:
            yield update, total / np.log(update)
        if update >= last:
            return
        if update >= 1:
            step = np.log(history.updates[record + 1] / update)
            total += step * history.misclassified_at(record, network)
