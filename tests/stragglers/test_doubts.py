"""What to doubt, in words, and what a recipe means for its history."""

from dataclasses import replace

import numpy as np
import pytest

from strag.stragglers.doubts import doubts
from strag.stragglers.find import Moment, find_stragglers
from strag.stragglers.recipe import descends, step_size
from tests.conftest import history_of, with_measures

T = 60
VALLEY = 0.8 + 0.1 * np.square(np.log((np.arange(T) + 1) / 21))


def told(history):
    return doubts(history, find_stragglers(history))


def test_nothing_is_doubted_of_a_usual_history():
    assert told(history_of(np.stack([VALLEY] * 3, axis=1))) == []


def test_many_small_groups_look_like_numbers_to_predict():
    history = history_of(np.stack([VALLEY] * 2, axis=1), P=90)
    groups = replace(history, group=np.arange(90) % 30, classes=tuple(map(str, range(30))))
    radius = np.repeat(history.measures["radius"][..., :1], 30, axis=-1)
    (line,) = told(with_measures(groups, radius=radius))
    assert line.startswith("there are 30 groups of 3.0 examples on average")


@pytest.mark.parametrize(("factor", "words"), [(1.5, "by up to 5"), (1e9, "to many times its value")])
def test_a_rising_loss_has_its_size_and_update(factor, words):
    loss = np.linspace(0.7, 0.1, T) * np.where(np.arange(T) == 50, factor, 1.0)
    (line,) = told(history_of(np.stack([VALLEY] * 2, axis=1), loss=loss))
    assert words in line or "by up to 4" in line
    assert "in 2 of 2 runs" in line
    assert "from update 50 on" in line


@pytest.mark.parametrize(
    ("recipe", "advice"),
    [(None, "use a smaller learning rate"), ({"model": "factory"}, "the optimiser is not known")],
)
def test_a_rising_loss_is_told_from_an_unknown_optimiser(recipe, advice):
    """Without a recipe a valley after the rise still counts as an inversion, and the warning says so."""
    loss = np.linspace(0.7, 0.1, T) * np.where(np.arange(T) == 10, 3.0, 1.0)
    history = history_of(np.stack([VALLEY] * 2, axis=1), loss=loss, recipe=recipe)
    (line,) = told(history)
    assert line.endswith(advice if recipe is None else f"{advice}, so that no run counts as unstable")
    assert find_stragglers(history).verdict == ("unstable" if recipe is None else "inversion")


def test_only_plain_full_batch_descent_must_fall():
    plain = {"optimizer": "sgd", "batch_size": None}
    assert descends(plain)
    for more in ({"momentum": 0.9}, {"weight_decay": 0.1}, {"batch_size": 64}, {"optimizer": "adam"}):
        assert not descends({**plain, **more})
    assert not descends({})


def test_the_step_of_momentum_is_longer_and_that_of_adam_has_no_meaning():
    assert step_size({"optimizer": "sgd", "lr": 0.2}) == 0.2
    assert step_size({"optimizer": "sgd", "lr": 0.02, "momentum": 0.9}) == pytest.approx(0.2)
    assert step_size({"lr": 0.1}) == 0.1
    for nothing in ({"optimizer": "adam", "lr": 0.1}, {}, {"lr": None}, {"lr": 0.1, "momentum": 1.0}):
        assert step_size(nothing) is None


@pytest.mark.parametrize(("level", "far"), [(0.2, True), (0.1, False), (0.5, False), (None, False)])
def test_sets_far_below_the_error_that_was_asked_for(level, far):
    error = np.where(np.arange(T) < 30, 0.5, 0.08)
    history = history_of(np.stack([VALLEY] * 2, axis=1), error=error)
    found = find_stragglers(history, at=Moment(error=level) if level else Moment())
    lines = [line for line in doubts(history, found, level) if line.startswith("the sets are")]
    assert bool(lines) == far
    if far:
        assert "at a training error of 0.08, far below 0.2: one record earlier it was 0.5" in lines[0]
