"""Seeds, schedules and recipes."""

import pytest
import torch

from strag.errors import StragError
from strag.training import seeds
from strag.training.perceptron import Perceptron
from strag.training.recipe import Recipe, read_layers
from strag.training.schedule import every, listed
from strag.training.seeds import INITIAL, epoch_order, generator, initial_weights, noise_array


def test_initial_weights_are_those_of_linear_layers():
    seed = generator(3, 1, INITIAL).initial_seed()
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(12, 5), torch.nn.Linear(5, 2)]
    for (weight, bias), layer in zip(initial_weights([12, 5, 2], 3, 1), layers, strict=True):
        torch.testing.assert_close(weight, layer.weight.data)
        torch.testing.assert_close(bias, layer.bias.data)


def test_runs_seeds_and_epochs_have_streams_of_their_own():
    draws = [initial_weights([30, 4], seed, run)[0][0] for seed in (0, 1) for run in (0, 1)]
    for a in range(4):
        for b in range(a):
            assert not torch.equal(draws[a], draws[b])
    orders = [
        epoch_order(50, 0, 0),
        epoch_order(50, 0, 1),
        epoch_order(50, 0, 0, run=0),
        epoch_order(50, 1, 0),
    ]
    assert len({tuple(order.tolist()) for order in orders}) == 4
    assert all(sorted(order.tolist()) == list(range(50)) for order in orders)


def test_no_two_streams_are_the_same(monkeypatch):
    """Initial weights, shared and own orders, noise: of all seeds, runs and epochs, small and large."""
    drawn = []
    monkeypatch.setattr(seeds, "generator", lambda *key: drawn.append(generator(*key).initial_seed()))
    monkeypatch.setattr(seeds, "initial_layer", lambda *_: None)
    monkeypatch.setattr(torch, "randperm", lambda *_, **__: None)
    monkeypatch.setattr(torch, "randn", lambda *_, **__: None)
    numbers = range(5)
    for seed in (*numbers, *(number << 32 for number in (1, 2)), 1 + (1 << 32), 1 << 64):
        noise_array(3, 3, seed)
        for number in numbers:
            initial_weights([3, 2], seed, number)
            epoch_order(9, seed, number)
            for run in numbers:
                epoch_order(9, seed, number, run)
    assert len(drawn) == 9 * (1 + 5 + 5 + 25)
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("run", range(4))
def test_noise_is_not_the_initial_weights_of_a_run(run):
    bits = torch.randn(1, 60, generator=generator(0, run, INITIAL))
    assert not torch.equal(bits, noise_array(1, 60, 0))


def test_schedules_begin_at_the_start_and_end_at_the_end():
    assert every("1", 3, "x") == [0, 1, 2, 3]
    assert every("4", 9, "x") == [0, 4, 8, 9]
    assert every("never", 9, "x") == []
    assert every("log", 12, "x") == [0, *range(1, 11), 12]
    assert listed("7,0,3", 9, "x") == [0, 3, 7]
    assert listed("last", 9, "x") == [9]


@pytest.mark.parametrize(
    ("function", "text", "message"),
    [
        (every, "0", "cannot read `x` '0'; pass a number"),
        (every, "often", "cannot read `x` 'often'"),
        (listed, "3,x", "cannot read `x` '3,x'; pass updates"),
        (listed, "3,10", "`x` 3,10 is outside the training; choose updates from 0 to 9"),
        (listed, "-1", "cannot read `x` '-1'; pass updates"),
        (listed, "1_0", "cannot read `x` '1_0'; pass updates"),
        (every, " 1_0", "cannot read `x` ' 1_0'; pass a number"),
    ],
)
def test_schedules_that_make_no_sense(function, text, message):
    with pytest.raises(StragError, match=message):
        function(text, 9, "x")


def test_updates_count_batches_over_the_origin():
    assert Recipe(epochs=7).updates(100) == 7
    assert Recipe(epochs=7, batch_size=30).updates(100) == 28
    assert Recipe(epochs=9, record_every="3", test_every="log").tested(100) == list(range(10))


def test_layers_of_a_depth():
    deep, linear = Perceptron(depth=4), Perceptron(depth=1)
    assert read_layers(None, deep) == Recipe(architecture=deep).layers == (1,)
    assert read_layers("all", deep) == (1, 2, 3)
    assert read_layers("3, 0,1,3", deep) == (0, 1, 3)
    assert (
        read_layers("all", linear) == read_layers(None, linear) == Recipe(architecture=linear).layers == (0,)
    )
    assert Recipe.of(depth=4, layers="2,1").layers == (1, 2)
    with pytest.raises(StragError, match="depth 2 has no hidden layer 3; pass layers from 1"):
        Recipe(layers=(3,))
    with pytest.raises(StragError, match="cannot read `layers` 'first'; pass layers such as 1, or all"):
        read_layers("first", Perceptron())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"own_order": True}, "`own_order` needs `batch_size`"),
        ({"optimizer": "adam", "momentum": 0.9}, "`momentum` needs `optimizer` sgd"),
        (
            {"channels": (8, 16)},
            "`channels` is not an option of `model` mlp; its options are `depth`, `width`, `activation`",
        ),
        ({"model": "rnn"}, "cannot use .rnn. as `model`; pass mlp"),
        ({"activation": "sin"}, "cannot use .sin. as `activation`; pass tanh, relu or gelu"),
        ({"depth": 0}, "cannot use 0 as `depth`; pass a whole number from 1 to 1000"),
        ({"width": 2.5}, "cannot use 2.5 as `width`"),
    ],
)
def test_options_that_contradict(options, message):
    with pytest.raises(StragError, match=message):
        Recipe.of(**options)
