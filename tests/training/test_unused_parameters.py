"""A parameter that no output depends on stays as it is, as with the optimisers of torch."""

import numpy as np
import pytest
import torch
from torch import nn

from strag.api.job import ends_of
from strag.api.model import model
from strag.training.loop import train
from strag.training.prepare import prepare
from strag.training.recipe import Recipe
from strag.training.records import STATE
from tests.conftest import made_up
from tests.training.runs import recorded

OPTIMIZERS = {
    "sgd": {"lr": 0.3, "momentum": 0.9},
    "plain": {"lr": 0.3},
    "adam": {"lr": 0.01, "optimizer": "adam"},
}


class Unused(nn.Module):
    """A network with a layer that it does not call."""

    def __init__(self, shape, classes):
        super().__init__()
        self.first, self.act, self.head = nn.Linear(20, 6), nn.Tanh(), nn.Linear(6, classes)
        self.unused = nn.Linear(6, 6)

    def forward(self, x):
        return self.head(self.act(self.first(x.flatten(1))))


def on(data, **options):
    recipe = Recipe.of(model=model(Unused), **{"runs": 2, "epochs": 5, "weight_decay": 0.1, **options})
    return recipe.on(ends_of(data))


def plainly(recipe, task, run):
    """The parameters of one run after a loop as torch's users write it: dict of name to tensor."""
    module = Unused(task.shape, task.classes)
    module.load_state_dict(recipe.architecture.initial(task.ends, recipe.seed, run))
    options = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "adam":
        optimizer = torch.optim.Adam(module.parameters(), **options)
    else:
        optimizer = torch.optim.SGD(module.parameters(), momentum=recipe.momentum, **options)
    x, y = torch.from_numpy(task.x), torch.as_tensor(task.group)
    for _ in range(recipe.epochs):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()
    return module.state_dict()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weight_decay_is_that_of_torch(optimizer):
    data = made_up()
    recipe = on(data, **OPTIMIZERS[optimizer])
    task, _, _ = prepare(recipe, data)
    _, weights = recorded(data, recipe=recipe, weights_at=(0, 5))
    for run in range(2):
        for name, expected in plainly(recipe, task, run).items():
            torch.testing.assert_close(weights[5][name][run], expected, atol=1e-5, rtol=1e-4)
            assert torch.equal(weights[0][name][run], weights[5][name][run]) == name.startswith("unused")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_update_without_examples_is_the_same_weighted_and_sliced(optimizer):
    data = made_up()
    recipe = on(data, **OPTIMIZERS[optimizer], batch_size=1, epochs=1)
    removed, last = np.arange(0, len(data.y), 3), len(data.y)
    _, weighted = recorded(data, removed, recipe=recipe, weights_at=(0, last))
    _, sliced = recorded(
        data.rows(np.setdiff1d(np.arange(last), removed)), recipe=recipe, weights_at=(0, last)
    )
    for name, values in weighted[last].items():
        torch.testing.assert_close(values, sliced[last][name], atol=1e-6, rtol=1e-5)
        assert torch.equal(sliced[0][name], sliced[last][name]) == name.startswith("unused")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_training_that_is_resumed_has_the_same_bits(optimizer):
    data = made_up()
    recipe = on(data, **OPTIMIZERS[optimizer], runs=1)
    task, _, _ = prepare(recipe, data)
    events = list(train(recipe, task, (5,), due=lambda: STATE))
    states = {event.update: event for event in events if hasattr(event, "arrays") and not event.is_last}
    whole = [event.weights for event in events if getattr(event, "weights", None) is not None][-1]
    again = [event.weights for event in train(recipe, task, (5,), begun=[states[2]])][-1]
    for name, values in whole.items():
        assert torch.equal(values, again[name])
