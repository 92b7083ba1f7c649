"""What is said of a training when it is over."""

import numpy as np
import pytest

from strag.training.architecture import stack
from strag.training.loop import train
from strag.training.prepare import prepare
from strag.training.recipe import Recipe
from strag.training.watch import Watch


def said(data, dead, removed=None, **options):
    """Warnings of a training in which the rows `dead` of run 3 have only zeros after the hidden relu."""
    recipe = Recipe.of(runs=2, first_run=2, epochs=2, width=3, activation="relu", lr=1e-9, **options)
    task, _, _ = prepare(recipe, data, removed)
    states = [recipe.architecture.initial(task.ends, 0, run) for run in (2, 3)]
    task.x = np.zeros_like(task.x)
    task.x[dead, 0] = 1
    for number, state in enumerate(states):
        state["layer1.weight"].zero_()
        state["layer1.bias"].fill_(1)
        state["layer1.weight"][:, task.columns[0]] = -2 * number
    task.initial = stack(states)
    watch = Watch(recipe, task, data.grouping.names)
    for record in train(recipe, task):
        watch.add(record, 2)
    return watch.warnings()


@pytest.mark.parametrize("dead", [1, 17, 200])
def test_vanished_representations_are_counted_by_example(data, dead):
    counted = "1 representation vanishes" if dead == 1 else f"{dead} representations vanish"
    place = "(|h| = 0; run 3, layer 1, update 0)"
    assert said(data, np.arange(dead)) == [
        f"up to {counted} {place}; a vanishing representation counts as x = 0"
    ]


def test_those_that_are_not_trained_on_do_not_count(data):
    (line,) = said(data, np.arange(17), removed=[[], [0, 1, 2, 150]])
    assert line.startswith("up to 14 representations vanish")


def test_nothing_is_said_where_none_vanishes(data):
    assert said(data, []) == []
