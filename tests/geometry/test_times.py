"""Logarithmic times."""

import numpy as np
import pytest

from strag.geometry.times import logarithmic
from strag.training.schedule import every


def test_logarithmic_updates_grow_by_a_tenth():
    chosen = np.array(logarithmic(range(301)))
    assert chosen[:11].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]
    growth = np.diff(np.log(chosen))
    assert (growth >= 0.1).all()
    assert (np.log(chosen[1:] - 1) - np.log(chosen[:-1]) < 0.1).all()  # none was left out


def test_the_growths_in_300_updates_are_those_of_the_paper():
    assert len(logarithmic(range(301))) == 1 + 38


def test_positions_count_from_the_first_record():
    assert logarithmic([0, 5, 7, 7.1, 9]) == [1, 2, 4]
    assert logarithmic([0]) == logarithmic([]) == []


@pytest.mark.parametrize("last", [1, 80, 300, 5000])
def test_records_made_at_logarithmic_updates_are_all_logarithmic(last):
    """What training records and what the analyses choose is one rule; only the last is recorded besides."""
    updates = every("log", last, "--x")
    chosen = [updates[position] for position in logarithmic(updates)]
    assert {0, *chosen, last} == set(updates)
    assert chosen == logarithmic(range(last + 1))
