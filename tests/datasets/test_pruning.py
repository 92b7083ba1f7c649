"""Random controls: as many rows as asked, each at most once, as many of each class, by a seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.datasets.pruning import random_rows, without_rows
from tests.files.makers import images

DATA = images(P=40)
sets = st.sets(st.integers(0, 39)).map(lambda rows: np.array(sorted(rows), dtype=np.int64))


@given(size=st.integers(0, 40), seed=st.integers(0, 2**31))
def test_as_many_rows_as_asked_each_once(size, seed):
    rows = random_rows(DATA, size, seed)
    assert (rows.dtype, rows.shape) == (np.int64, (size,))
    assert (np.diff(rows) > 0).all()
    assert not size or 0 <= rows[0] <= rows[-1] < 40
    np.testing.assert_array_equal(rows, random_rows(DATA, size, seed))


@given(like=sets, seed=st.integers(0, 99))
def test_a_match_has_as_many_of_each_original_class(like, seed):
    rows = random_rows(DATA, like.size, seed, like)
    assert rows.dtype == np.int64
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(np.sort(DATA.y[rows]), np.sort(DATA.y[like]))
    np.testing.assert_array_equal(rows, random_rows(DATA, like.size, seed, like))


@pytest.mark.parametrize("like", [None, np.arange(0, 20, 4)])
def test_seeds_differ_and_every_row_has_its_turn(like):
    drawn = [random_rows(DATA, 5, seed, like) for seed in range(60)]
    assert len({tuple(rows) for rows in drawn}) > 40
    candidates = np.arange(40) if like is None else np.flatnonzero(DATA.y == 0)
    np.testing.assert_array_equal(np.unique(np.concatenate(drawn)), candidates)


def test_the_control_may_hold_stragglers():
    """It is drawn from all rows: a control that left the set out would not be a random one."""
    set_ = np.arange(10)
    shared = [np.isin(random_rows(DATA, 10, seed), set_).sum() for seed in range(200)]
    assert 2 < np.mean(shared) < 3  # 10 * 10 / 40 = 2.5, standard error 0.09


@given(rows=sets)
@settings(deadline=None)
def test_removing_and_keeping_are_complements(rows):
    if rows.size == 40:
        return
    removed = without_rows(DATA, rows)
    np.testing.assert_array_equal(np.sort(np.concatenate([removed.index, rows])), np.arange(40))
    np.testing.assert_array_equal(removed.x, DATA.x[removed.index])
    np.testing.assert_array_equal(removed.y, DATA.y[removed.index])
    assert removed.origin == DATA.origin
    np.testing.assert_array_equal(removed.x_test, DATA.x_test)


def test_removing_in_two_steps_is_removing_at_once():
    once = without_rows(DATA, np.array([2, 5, 30]))
    first = without_rows(DATA, np.array([5]))
    twice = without_rows(first, first.positions([2, 30]))
    assert twice.identity == once.identity
