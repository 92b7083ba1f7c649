"""The control `hard`: the hardest examples that are in no run's own set."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from strag.bits import pack
from strag.errors import StragError
from strag.stragglers.controls import hardest_others, with_controls
from strag.stragglers.find import find_stragglers
from strag.stragglers.sets import CONTROLS, HARD, dosed_sets, sets_of_runs, sets_over_time
from tests.conftest import history_of

T, P, R = 60, 80, 3
VALLEY = 0.8 + 0.1 * np.square(np.log((np.arange(T) + 1) / 21))
TURN = 20  # the record of the valley


def history_with(wrong):
    """Runs of one valley with these misclassified examples, bool [T, R, P]."""
    return history_of(np.stack([VALLEY] * R, axis=1), wrong=wrong, P=P)


@pytest.fixture
def history():
    """Example i is misclassified before update 60 - i in the first run, and 55 - i in the others, but at the
    turn only the first 12 to 16 are."""
    t, i = np.arange(T)[:, None], np.arange(P)
    wrong = np.stack([t < 60 - i, t < 55 - i, t < 55 - i], axis=1)
    wrong[TURN] = np.stack([i < 12, i < 14, i < 16])
    return history_with(wrong)


def hardness(wrong, updates, moment):
    """The definition, written out with two loops: float64 [P]."""
    total = np.zeros(wrong.shape[1])
    for j in range(len(updates) - 1):
        if 1 <= updates[j] < moment:
            total += wrong[j] * (np.log(updates[j + 1]) - np.log(updates[j]))
    return total / np.log(moment)


def hard_of(history, sets, inverting=None):
    """The control `hard` of Sets: Sets."""
    hardest = hardest_others(history, sets, inverting)
    whole = with_controls(history, sets, ("hard",), 0, hardest)
    return whole.at(np.flatnonzero(whole.control == CONTROLS.index(HARD)))


def test_the_control_is_the_definition(history):
    own = sets_of_runs(history, find_stragglers(history))
    moment = own.update[0]
    bits = np.stack([[history.misclassified_at(t, r) for r in range(R)] for t in range(T)])
    mean = np.mean([hardness(bits[:, run], history.updates, moment) for run in range(R)], axis=0)
    others = [i for i in range(P) if not own.members[:, i].any()]
    ranked = sorted(others, key=lambda i: (-mean[i], i))
    for listed in hardest_others(history, own, None):
        assert listed.tolist() == ranked
    hard = hard_of(history, own)
    for run in range(R):
        assert set(np.flatnonzero(hard.members[run])) == set(ranked[: own.members[run].sum()])


def test_there_are_as_many_and_they_are_stragglers_in_no_run(history):
    own = sets_of_runs(history, find_stragglers(history))
    hard = hard_of(history, own)
    assert hard.members.sum(axis=1).tolist() == own.members.sum(axis=1).tolist() == [12, 14, 16]
    assert not (hard.members & own.members.any(axis=0)).any()
    assert (hard.members[0] <= hard.members[1]).all()  # one ranking for all runs
    for name in ("run", "update", "dose", "network"):
        assert getattr(hard, name).tolist() == getattr(own, name).tolist()


def test_the_names_of_the_examples_decide_nothing_but_ties(history):
    """Permuted rows give the permuted control where no two examples are equally hard."""
    own = sets_of_runs(history, find_stragglers(history))
    order = np.random.default_rng(0).permutation(P)
    bits = np.stack([[history.misclassified_at(t, r) for r in range(R)] for t in range(T)])
    permuted = history_with(bits[:, :, order])
    listed = order[hardest_others(permuted, sets_of_runs(permuted, find_stragglers(permuted)), None)[0]]
    strict = range(42, 59)  # misclassified for different times
    assert [i for i in listed if i in strict] == list(strict)
    assert set(listed) == set(hardest_others(history, own, None)[0])


def test_sums_that_differ_by_rounding_are_ties(history):
    """Examples that the three runs misclassify in the same steps, each in another order, are equally hard."""
    steps = np.array(list(permutations((2, 3, 7))))
    bits = np.zeros((T, R, P), dtype=bool)
    bits[: TURN + 1, :, :10] = True
    for i in range(10, P):
        bits[steps[i % 6], np.arange(R), i] = True
    tied = history_with(bits)
    own = sets_of_runs(tied, find_stragglers(tied))
    assert hardest_others(tied, own, None)[0].tolist() == list(range(10, P))


def test_doses_use_the_ranking_at_the_inversion(history):
    stragglers = find_stragglers(history)
    own, doses = sets_of_runs(history, stragglers), dosed_sets(history, stragglers, (0.5, 1))
    at_inversion = hardest_others(history, own, None)[0].tolist()
    over_time = sets_over_time(history)
    lists = hardest_others(history, over_time + doses, own)
    assert all(listed.tolist() == at_inversion for listed in lists[len(over_time.run) :])
    assert lists[len(over_time.run) - 1].tolist() != at_inversion


def test_sets_of_one_update_share_a_ranking_over_time(history):
    sets = sets_over_time(history)
    lists = hardest_others(history, sets, None)
    for update in np.unique(sets.update):
        members = sets.members[sets.update == update].any(axis=0)
        listed = [lists[n].tolist() for n in np.flatnonzero(sets.update == update)]
        assert listed[0] == listed[1] == listed[2]
        assert set(listed[0]) == (set() if update == 1 else set(np.flatnonzero(~members)))


def test_a_set_with_too_many_examples_gets_none(history):
    sets = sets_over_time(history)
    hard, sizes = hard_of(history, sets), sets.members.sum(axis=1)
    counts = np.array([len(ranked) for ranked in hardest_others(history, sets, None)])
    assert 0 < len(hard.run) < len(sets.run)
    assert hard.update.tolist() == sets.update[sizes <= counts].tolist()
    assert hard.members.sum(axis=1).tolist() == sizes[sizes <= counts].tolist()


def test_no_control_for_any_set_is_refused(history):
    early = sets_over_time(history)
    early = early.at(np.flatnonzero(early.update < 3))
    with pytest.raises(StragError, match="for the control 'hard', but the smallest set needs 53"):
        hard_of(history, early)


def test_a_network_gets_only_examples_that_it_trains_on(history):
    trained = np.ones((R, P), bool)
    trained[1, 20:30] = False
    partly = replace(history, trained=pack(trained))
    own = sets_of_runs(partly, find_stragglers(partly))
    listed = hardest_others(partly, own, None)
    assert not set(listed[1]) & set(range(20, 30))
    assert set(listed[0]) >= set(range(20, 30))
