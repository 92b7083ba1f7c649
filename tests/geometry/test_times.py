"""Logarithmic times."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strag.errors import StragError
from strag.geometry.times import LOG_STEP, evenly, logarithmic
from strag.training.schedule import count, every


def test_logarithmic_updates_grow_by_a_tenth():
    chosen = np.array(logarithmic(range(301)))
    assert chosen[:11].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]
    growth = np.diff(np.log(chosen))
    assert (growth >= 0.1).all()
    assert (np.log(chosen[1:] - 1) - np.log(chosen[:-1]) < 0.1).all()  # none was left out


def test_the_growths_in_300_updates_are_those_of_the_paper():
    assert len(logarithmic(range(301))) == 1 + 38


@given(updates=st.sets(st.integers(0, 10**6), max_size=60).map(sorted))
def test_each_is_the_first_that_has_grown_enough(updates):
    chosen, last = [], 0
    for position, update in enumerate(updates):
        if update > 0 and (last == 0 or math.log(update / last) >= LOG_STEP):
            chosen.append(position)
            last = update
    assert logarithmic(updates) == chosen


def test_of_very_many_updates_only_the_chosen_are_looked_at():
    chosen = logarithmic(range(10**12))
    assert chosen[:38] == logarithmic(range(300))[:38]
    assert 240 < len(chosen) < 290


@pytest.mark.parametrize("text", ["1", "7", "50", "1000", "log", "never"])
@pytest.mark.parametrize("last", [1, 6, 7, 49, 50, 51, 1000])
def test_they_can_be_counted_without_listing_them(text, last):
    assert count(text, last, "test_every") == len(every(text, last, "test_every"))


def test_what_cannot_be_counted_cannot_be_read():
    for text in ("0", "-3", "x", "1.5", "²"):
        with pytest.raises(StragError, match="cannot read `record_every`"):
            count(text, 10, "record_every")


def test_positions_count_from_the_first_record():
    assert logarithmic([0, 5, 7, 7.1, 9]) == [1, 2, 4]
    assert logarithmic([0]) == logarithmic([]) == []


@pytest.mark.parametrize("number", [2, 3, 8, 20, 64])
@pytest.mark.parametrize("step", [1, 7])
def test_so_many_from_the_first_to_the_last_each_once(number, step):
    updates = list(range(0, 1001, step))
    chosen = evenly(updates, number)
    assert len(set(chosen)) == len(chosen) == number
    assert chosen == sorted(chosen)
    assert (chosen[0], chosen[-1]) == (1, len(updates) - 1)


def test_they_are_evenly_spaced_where_the_updates_allow():
    assert evenly(range(257), 9) == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    chosen = evenly(range(1001), 20)
    assert chosen[:5] == [1, 2, 3, 4, 6]
    growth = np.diff(np.log([t for t in chosen if t >= 30]))
    assert growth.max() / growth.min() < 1.1
    assert evenly(range(6), 4) == [1, 2, 3, 5]


def test_where_there_are_fewer_updates_it_is_all_of_them():
    assert evenly([0, 3, 5, 90], 7) == [1, 2, 3]
    assert evenly([0, 3], 2) == [1]
    assert evenly([0], 2) == evenly([], 2) == []


@pytest.mark.parametrize("last", [1, 80, 300, 5000])
def test_records_made_at_logarithmic_updates_are_all_logarithmic(last):
    """What training records and what the analyses choose is one rule; only the last is recorded besides."""
    updates = every("log", last, "x")
    chosen = [updates[position] for position in logarithmic(updates)]
    assert {0, *chosen, last} == set(updates)
    assert chosen == logarithmic(range(last + 1))
