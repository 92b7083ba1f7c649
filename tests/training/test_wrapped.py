"""torch.compile and DataParallel, which hide the layers of a network, are undone."""

import numpy as np
import pytest
import torch
from torch import nn

from strag.api.job import ends_of
from strag.api.model import model
from strag.errors import StragNote
from strag.training.recipe import Recipe
from tests.conftest import made_up
from tests.training.runs import recorded


class Net(nn.Module):
    """A network in two parts, one of which a function may wrap."""

    def __init__(self, classes, wrap=lambda part: part):
        super().__init__()
        self.body = wrap(nn.Sequential(nn.Flatten(), nn.Linear(20, 6), nn.Tanh()))
        self.head = nn.Linear(6, classes)

    def forward(self, x):
        return self.head(self.body(x))


def plain(shape, classes):
    return Net(classes)


def parallel(shape, classes):
    return nn.DataParallel(Net(classes))


def parallel_inside(shape, classes):
    return Net(classes, nn.DataParallel)


def compiled(shape, classes):
    return torch.compile(Net(classes), backend="eager")


def compiled_inside(shape, classes):
    return nn.DataParallel(Net(classes, lambda part: torch.compile(part, backend="eager")))


def compiled_in_place(shape, classes):
    module = Net(classes)
    module.compile(backend="eager")
    return module


def trained(function):
    data = made_up()
    recipe = Recipe.of(model=model(function), runs=2, epochs=3, lr=0.3, layers="all").on(ends_of(data))
    return recipe, *recorded(data, recipe=recipe, weights_at=(3,))


@pytest.mark.parametrize(
    ("function", "undone"),
    [
        (parallel, "DataParallel"),
        (parallel_inside, "DataParallel"),
        pytest.param(compiled, "torch.compile", marks=pytest.mark.slow),
        pytest.param(compiled_inside, "DataParallel, torch.compile", marks=pytest.mark.slow),
        pytest.param(compiled_in_place, "torch.compile", marks=pytest.mark.slow),
    ],
)
def test_the_network_is_the_plain_one_to_the_bit(function, undone):
    note = f"{function.__name__}: its networks are used without {undone}, which hides their layers"
    with pytest.warns(StragNote, match=note):
        recipe, found, weights = trained(function)
    own, expected, parameters = trained(plain)
    assert recipe.layers == own.layers
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert weights[3].keys() == parameters[3].keys()
    assert all(torch.equal(weights[3][name], values) for name, values in parameters[3].items())
