"""Sets for one job: S(t) over time, doses, and matched random controls."""

import numpy as np
import pytest

from strag.errors import StragError
from strag.geometry.times import logarithmic
from strag.stragglers.controls import with_controls
from strag.stragglers.find import find_stragglers
from strag.stragglers.sets import (
    CONTROLS,
    Logarithmic,
    described_at,
    dosed_sets,
    sets_of_runs,
    sets_over_time,
)
from tests.conftest import history_of

T, P, R = 60, 80, 3
VALLEY = 0.8 + 0.1 * np.square(np.log((np.arange(T) + 1) / 21))


@pytest.fixture
def history():
    """Runs that agree on examples 0 to 19 and differ beyond; fewer are wrong as time goes on."""
    wrong = np.zeros((T, R, P), bool)
    for record in range(T):
        wrong[record, :, : P - record] = True
    wrong[20, :, :] = False
    wrong[20, :, :20] = True
    wrong[20, 0, 20:30] = wrong[20, 1, 20:26] = True
    return history_of(np.stack([VALLEY] * R, axis=1), wrong=wrong, P=P)


def test_over_time_there_is_one_set_per_run_and_logarithmic_record(history):
    sets = sets_over_time(history)
    assert logarithmic(history.updates) == [
        *range(1, 11),
        12,
        14,
        16,
        18,
        20,
        23,
        26,
        29,
        33,
        37,
        41,
        46,
        51,
        57,
    ]
    assert sets.update.tolist() == np.repeat(logarithmic(history.updates), R).tolist()
    assert sets.run.tolist() == [0, 1, 2] * 24
    for number in (0, 20, 44, 71):
        record, run = int(sets.update[number]), int(sets.run[number])
        np.testing.assert_array_equal(sets.members[number], history.misclassified_at(record, run))


def test_over_time_there_are_as_many_records_as_one_asks_for(history):
    sets = sets_over_time(history, Logarithmic(4))
    assert sets.update.tolist() == np.repeat([1, 4, 15, 59], R).tolist()
    np.testing.assert_array_equal(sets.members[-1], history.misclassified_at(59, 2))


def test_of_the_runs_there_is_the_set_at_each_inversion(history):
    sets = sets_of_runs(history, find_stragglers(history))
    assert (sets.run.tolist(), sets.update.tolist()) == ([0, 1, 2], [20, 20, 20])
    assert sets.members.sum(axis=1).tolist() == [30, 26, 20]
    assert set(sets.dose) == {0}


def test_doses_are_nested_and_the_most_frequent_come_first(history):
    sets = dosed_sets(history, find_stragglers(history), (0.25, 0.5, 1))
    assert sets.update.tolist() == [20] * 9
    assert sets.dose.tolist() == [0.25] * R + [0.5] * R + [1.0] * R
    assert sets.run.tolist() == [0, 1, 2] * 3
    sizes = sets.members.sum(axis=1)
    assert sizes.tolist() == [6] * R + [13] * R + [26] * R
    assert (sets.members[0] <= sets.members[3]).all()
    assert (sets.members[3] <= sets.members[6]).all()
    assert sets.members[6, :26].all()  # 20 in all runs, 6 in two of three
    assert not sets.members[3, 20:].any()


def test_controls_match_in_size_and_in_classes(history):
    sets = sets_over_time(history)
    whole = with_controls(history, sets, ("random", "class"), seed=0)
    S = len(sets.run)
    assert whole.control.tolist() == [0] * S + [1] * S + [2] * S
    np.testing.assert_array_equal(whole.members[:S], sets.members)
    for kind in (1, 2):
        control = whole.members[kind * S : (kind + 1) * S]
        np.testing.assert_array_equal(control.sum(axis=1), sets.members.sum(axis=1))
        np.testing.assert_array_equal(whole.run[kind * S : (kind + 1) * S], sets.run)
        assert (control != sets.members).any(axis=1).mean() > 0.9
    of_class = np.eye(10)[history.y]
    np.testing.assert_array_equal(whole.members[2 * S :] @ of_class, sets.members @ of_class)
    assert (whole.members[S : 2 * S] @ of_class != sets.members @ of_class).any()


def test_controls_follow_the_seed_and_not_each_other(history):
    sets = sets_of_runs(history, find_stragglers(history))
    first, again, other = (with_controls(history, sets, ("random",), seed).members for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first[R:] != other[R:]).any()
    both = with_controls(history, sets, ("random", "class"), 0).members
    np.testing.assert_array_equal(both[: 2 * R], first)


def test_the_description_names_the_controls(history):
    sets = with_controls(history, sets_of_runs(history, find_stragglers(history)), ("class",), 0)
    told = sets.described()
    assert told["control"] == ["none"] * R + ["class"] * R
    assert told["run"] == [0, 1, 2] * 2
    assert CONTROLS[0] == "none"


def test_no_inversion_no_sets(history):
    falling = history_of(np.stack([np.exp(-np.arange(T) / 20)] * 2, axis=1))
    found = find_stragglers(falling)
    for none in (sets_of_runs(falling, found), dosed_sets(falling, found, (0.5,))):
        assert none.members.shape == (0, falling.examples)
        assert with_controls(falling, none, ("random",), 0).run.size == 0


def test_runs_that_agree_on_nothing_have_no_doses(history):
    wrong = np.zeros((T, R, P), bool)
    for run in range(R):
        wrong[:, run, 20 * run : 20 * (run + 1)] = True
    disjoint = history_of(np.stack([VALLEY] * R, axis=1), wrong=wrong, P=P)
    with pytest.raises(StragError, match="no example straggles in enough runs"):
        dosed_sets(disjoint, find_stragglers(disjoint), (0.5,))


def test_a_part_of_what_sets_are_is_of_its_networks():
    told = {"run": [3, 4, 5], "dose": [0.0, 0.5, 1.0]}
    assert described_at(told, [2, 0]) == {"run": [5, 3], "dose": [1.0, 0.0]}
    for broken in (None, {}, {"run": [3]}, {"run": 3}, "run"):
        assert described_at(broken, [1]) == broken


def test_records_are_a_tenth_apart_in_ln_t_or_as_many_as_one_asks_for():
    assert Logarithmic()(range(101)) == logarithmic(range(101))
    assert Logarithmic(3)(range(101)) == [1, 10, 100]
