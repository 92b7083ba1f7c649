"""The values that parameters can have: the same in Python and on the command line, in plain types."""

from dataclasses import fields
from fractions import Fraction

import click
import numpy as np
import pytest

import strag
from strag import values
from strag.commands.train import command
from strag.datasets.imported import Reading
from strag.datasets.transforms import Changes
from strag.training.perceptron import Perceptron

OPTIONS = {*strag.train.checks, *strag.Recipe.checks, *Perceptron.checks}


@pytest.mark.parametrize("kind", [strag.Recipe, Changes, Reading, Perceptron])
def test_every_field_has_a_check(kind):
    assert kind.checks.keys() == {field.name for field in fields(kind)}


def is_accepted(name, value):
    """Whether an option of a training can have this value."""
    checks = {**Perceptron.checks, **strag.train.checks, **strag.Recipe.checks}
    try:
        checks[name](value, name)
    except strag.StragError:
        return False
    return True


@pytest.mark.parametrize("option", [one for one in command.params if one.name in OPTIONS])
def test_python_and_the_command_line_accept_the_same_values(option):
    if isinstance(option.type, click.Choice):
        assert all(is_accepted(option.name, value) for value in option.type.choices)
        assert not is_accepted(option.name, "x")
    if not isinstance(option.type, (click.IntRange, click.FloatRange)) or option.multiple:
        return
    first, last, step = (
        option.type.min,
        option.type.max,
        1 if isinstance(option.type, click.IntRange) else 1e-9,
    )
    assert is_accepted(option.name, first) is not option.type.min_open
    assert is_accepted(option.name, first + step)
    assert not is_accepted(option.name, first - step)
    if last is not None:
        assert is_accepted(option.name, last) is not option.type.max_open
        assert is_accepted(option.name, last - step)
        assert not is_accepted(option.name, last + step)


def test_numbers_of_numpy_become_those_of_python():
    numbers = {"runs": np.int64(3), "lr": np.float32(0.5), "momentum": 0, "noise": np.array([0.0, 1.0])}
    recipe = strag.Recipe(**numbers, layers=np.array([1]), record_every=5, own_order=np.bool_(False))
    assert [type(value) for value in (recipe.runs, recipe.lr, recipe.momentum)] == [int, float, float]
    assert (recipe.runs, recipe.lr, recipe.noise, recipe.layers) == (3, 0.5, (0.0, 1.0), (1,))
    assert (recipe.record_every, recipe.own_order) == ("5", False)
    assert strag.Recipe(lr=Fraction(1, 4)).lr == 0.25


def test_a_value_is_shown_in_one_short_line():
    for value in (object(), np.zeros(9), "x" * 500, "a\nb", [object()], {1: 2}, 10**4999, [1] * 500):
        text = values.shown(value)
        assert len(text) < 80
        assert "\n" not in text
        assert " at 0x" not in text
