"""Scores from bits: the definitions spelled out run by run, and the runs and records that do not count."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.bits import pack
from strag.stragglers import learning
from strag.stragglers.learning import learning_of, over_counted_runs
from tests.conftest import history_of

P = 19


def history(wrong, trained=None, last_record=None, diverged=(), updates=None):
    """A History with these misclassified examples, bool [T, R, P]."""
    T, R, P = wrong.shape
    loss = np.ones((T, R))
    loss[-1, list(diverged)] = np.nan
    made = history_of(np.ones((T, R)), wrong=wrong, P=P, loss=loss, updates=updates)
    trained = made.trained if trained is None else pack(trained)
    return replace(made, trained=trained, last_record=last_record)


def by_the_definition(wrong, updates):
    """(correct, correctness, forgetting events, first learned, never learned) of one run and one example."""
    right = [not bit for bit in wrong]
    events = sum(before and not after for before, after in itertools.pairwise(right))
    first = updates[right.index(True)] if any(right) else np.inf
    return sum(right), sum(right) / len(right), events, first, not any(right)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_scores_are_the_definitions(T, R, seed, rate):
    random = np.random.default_rng(seed)
    wrong, trained = random.random((T, R, P)) < rate, random.random((R, P)) < 0.7
    trained[:, 0] = True
    updates = np.cumsum(random.integers(1, 9, T))
    last = random.integers(0, T, R)
    last[random.integers(R)] = T - 1
    wrong &= (np.arange(T)[:, None] <= last)[..., None]
    found = learning_of(history(wrong, trained, last, updates=updates))
    for example in range(P):
        runs = np.flatnonzero(trained[:, example])
        assert found.runs[example] == len(runs)
        one = [by_the_definition(wrong[: last[run] + 1, run, example], updates) for run in runs]
        if not one:
            assert np.isnan([found.correct[example], found.first_learned[example]]).all()
            continue
        correct, share, events, first, never = map(np.array, zip(*one, strict=True))
        learned = events[~never]
        expected = [correct.mean(), share.mean(), learned.mean() if learned.size else np.nan]
        middle = np.median(first) if np.isfinite(np.median(first)) else np.nan
        got = [found.correct, found.correctness, found.forgetting_events, found.first_learned]
        np.testing.assert_allclose([column[example] for column in got], [*expected, middle])
        assert found.never_learned[example] == pytest.approx(never.mean())


def test_an_example_that_is_never_learned_has_no_forgetting_and_no_first_update():
    wrong = np.ones((3, 1, 2), bool)
    wrong[1, 0, 0] = False
    found = learning_of(history(wrong))
    np.testing.assert_array_equal(found.forgetting_events, [1, np.nan])
    np.testing.assert_array_equal(found.first_learned, [1, np.nan])
    np.testing.assert_array_equal(found.never_learned, [0, 1])


def test_runs_that_diverged_do_not_count():
    wrong = np.zeros((2, 2, 3), bool)
    wrong[:, 1] = True
    found = learning_of(history(wrong, diverged=[1]))
    np.testing.assert_array_equal(found.runs, 1)
    np.testing.assert_array_equal(found.correctness, 1)
    none = learning_of(history(wrong, diverged=[0, 1]))
    assert np.isnan(none.correctness).all()
    np.testing.assert_array_equal(
        over_counted_runs(history(wrong, diverged=[1]), np.array([[1.0, 2, 3], [9, 9, 9]])), [1, 2, 3]
    )


def test_parts_are_the_whole(monkeypatch):
    random = np.random.default_rng(1)
    made = history(random.random((5, 2, 100)) < 0.4)
    whole = learning_of(made)
    monkeypatch.setattr(learning, "_AT_ONCE", 5 * 8 * 3)
    parts = learning_of(made)
    for name in ("runs", "correct", "forgetting_events", "first_learned", "never_learned"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
