"""Laws of checkpoints: a training that goes on from one yields the same bytes as one that never stopped."""

import pickle

import numpy as np
import pytest

from strag.training.loop import train
from strag.training.prepare import prepare
from strag.training.recipe import Recipe
from strag.training.records import STATE, Checkpoint
from tests.conftest import made_up

TRAININGS = {
    "full batch": {},
    "mini-batches": {"batch_size": 50, "record_every": "1"},
    "own order": {"batch_size": 50, "record_every": "7", "own_order": True},
    "Adam": {"optimizer": "adam", "lr": 0.01},
    "momentum": {"momentum": 0.9, "lr": 0.05, "weight_decay": 0.01},
    "no records but the ends": {"record_every": "1000", "test_every": "never"},
    "two groups": {"runs": 5, "first_run": 30, "width": 20},
}


def values(record):
    """What a Record holds, by name, to be compared."""
    parts = dict(record.measures)
    for name in ("train_error", "train_loss", "misclassified", "test_error", "test_misclassified"):
        parts[name] = getattr(record, name)
    parts |= {f"weights {name}": value for name, value in (record.weights or {}).items()}
    return {name: np.asarray(value) for name, value in parts.items() if value is not None}


def trained(recipe, task, begun=(), due=None, stop=None):
    """Train until a Checkpoint is yielded `stop` times: dict of (runs, update) to values, and Checkpoints."""
    records, checkpoints = {}, {}
    for event in train(recipe, task, weights_at=(0, 5), begun=begun, due=due):
        if isinstance(event, Checkpoint):
            checkpoints[event.runs.start] = pickle.loads(pickle.dumps(event))
            if stop is not None and not event.is_last:
                stop -= 1
                if stop == 0:
                    break
        else:
            records[event.runs.start, event.update] = values(event)
    return records, list(checkpoints.values())


@pytest.mark.parametrize("stop", [1, 2, 4, 7])
@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_that_goes_on_is_the_one_that_never_stopped(name, stop):
    recipe = Recipe.of(
        **{"runs": 3, "epochs": 6, "width": 7, "lr": 0.3, "test_every": "1", **TRAININGS[name]}
    )
    removed = [np.arange(3, 200, 5)] * recipe.runs if name == "own order" else None
    task, _, _ = prepare(recipe, made_up(), removed)
    whole, _ = trained(recipe, task)
    before, begun = trained(recipe, task, due=lambda: STATE, stop=stop)
    after, ends = trained(recipe, task, begun=begun, due=lambda: None)
    assert all(checkpoint.is_last for checkpoint in ends)
    assert len(before) < len(whole)
    assert {**before, **after}.keys() == whole.keys()
    for key, expected in whole.items():
        for name, value in expected.items():
            np.testing.assert_array_equal({**before, **after}[key][name], value, err_msg=name)


def test_groups_that_are_complete_are_not_trained_again():
    recipe = Recipe.of(runs=5, first_run=30, epochs=6)
    task, _, _ = prepare(recipe, made_up())
    _, ends = trained(recipe, task, due=lambda: None)
    assert [checkpoint.runs for checkpoint in ends] == [slice(0, 2), slice(2, 5)]
    assert trained(recipe, task, begun=ends[:1])[0].keys() == {(2, update) for update in range(7)}
    assert trained(recipe, task, begun=ends) == ({}, [])
