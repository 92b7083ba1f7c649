"""Laws of training: stacked = alone = plain torch, weighted = sliced, whatever the neighbours do."""

import dataclasses

import numpy as np
import pytest
import torch

from strag.errors import StragError
from strag.training.architecture import Ends, stack
from strag.training.loop import run_groups
from strag.training.prepare import prepare
from strag.training.recipe import Recipe
from strag.training.seeds import noise_array
from tests.conftest import made_up
from tests.training.runs import assert_same, plain_run, recorded

HARD = np.arange(3, 200, 5)  # examples that are left out


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "relu", "depth": 3, "layers": (1, 2)},
        {"activation": "gelu", "depth": 4, "layers": (3,)},
        {"depth": 1, "layers": (0,)},
        {"optimizer": "adam", "lr": 0.01},
        {"momentum": 0.9, "lr": 0.05},
        {"weight_decay": 0.1},
        {"batch_size": 64, "record_every": "1"},
        {"batch_size": 64, "record_every": "1", "own_order": True},
        {"seed": 5, "first_run": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("labels", ["parity", "classes"])
def test_every_run_equals_a_plain_torch_loop(options, labels):
    data = made_up(labels=labels)
    found, _ = recorded(data, **options)
    first = options.get("first_run", 0)
    for run in range(3):
        expected = plain_run(data, first + run, **options)
        assert_same(found, expected, runs=run)


def test_tiles_of_examples_change_nothing():
    data = made_up(P=2100)
    found, _ = recorded(data)
    assert_same(found, plain_run(data, 1), runs=1)


def test_a_run_is_the_same_whoever_its_neighbours_are(data):
    together, _ = recorded(data, runs=10)
    alone, _ = recorded(data, runs=1, first_run=7)
    assert_same(together, {name: values[:, 0] for name, values in alone.items()}, atol=1e-6, runs=7)


def test_groups_of_runs_are_aligned_on_the_run_number_and_change_no_byte(data):
    ends = Ends((20,), 19, 2)
    assert Recipe().architecture.group_size(ends) == 32
    assert run_groups(Recipe(runs=40, first_run=30), ends) == [slice(0, 2), slice(2, 34), slice(34, 40)]
    whole, _ = recorded(data, runs=35, width=20)
    part, _ = recorded(data, runs=3, first_run=32, width=20)
    for name, values in part.items():
        np.testing.assert_array_equal(whole[name][:, 32:], values, err_msg=name)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"depth": 1, "layers": (0,)},
        {"batch_size": 50, "record_every": "1"},
        {"batch_size": 50, "record_every": "1", "own_order": True},
        {"batch_size": 3, "record_every": "1", "epochs": 1, "momentum": 0.5, "lr": 0.1},  # empty batches
        {"restandardise": True},
        {"noise": (0.0, 1.0)},
        {"weight_decay": 0.1, "noise": (0.0, 1.0)},
        {"optimizer": "adam", "lr": 0.01, "weight_decay": 0.01, "batch_size": 50, "record_every": "1"},
    ],
    ids=str,
)
def test_leaving_examples_out_by_weight_equals_training_on_the_slice(data, options):
    weighted, _ = recorded(data, removed=HARD, **options)
    kept = np.setdiff1d(np.arange(200), HARD)
    sliced, _ = recorded(data.rows(kept), **options)
    sliced["misclassified"], weighted["misclassified"] = (
        sliced["misclassified"],
        weighted["misclassified"][:, :, kept],
    )
    assert_same(weighted, sliced, atol=1e-5)
    np.testing.assert_allclose(weighted["test_error"], sliced["test_error"], atol=0.03)
    assert (weighted["test_misclassified"] != sliced["test_misclassified"]).mean() < 1e-3
    plain = plain_run(data, 2, np.isin(np.arange(200), kept), **options)
    plain["misclassified"] = plain["misclassified"][:, kept]
    assert_same(sliced, plain, runs=2)


def test_left_out_examples_are_still_looked_at(data):
    found, _ = recorded(data, removed=HARD, epochs=20)
    assert found["misclassified"].shape[2] == 200
    kept = np.setdiff1d(np.arange(200), HARD)
    np.testing.assert_allclose(
        found["misclassified"][:, :, kept].mean(axis=2), found["train_error"], atol=1e-6
    )
    assert found["misclassified"][-1][:, HARD].mean() > found["train_error"][-1].mean()


def test_same_seed_same_bytes_and_other_seed_other_numbers(data):
    first, _ = recorded(data, batch_size=32, record_every="1")
    second, _ = recorded(data, batch_size=32, record_every="1")
    other, _ = recorded(data, batch_size=32, record_every="1", seed=1)
    for name, values in first.items():
        assert values.tobytes() == second[name].tobytes(), name
    assert (first["train_loss"] != other["train_loss"]).all()


def test_a_run_that_diverges_does_not_spoil_its_neighbours(data):
    def spoil(task):
        networks = Recipe.of(width=7).architecture
        task.initial = stack([networks.initial(task.ends, 0, run) for run in range(3)])
        task.initial["layer1.weight"][1] *= float("nan") if spoiled else 1

    spoiled = False
    healthy, _ = recorded(data, change=spoil)
    spoiled = True
    found, _ = recorded(data, change=spoil)
    assert np.isnan(found["train_loss"][:, 1]).all()
    assert np.isnan(found["radius"][:, 1]).all()
    assert found["misclassified"][:, 1].all()
    for name, values in healthy.items():
        np.testing.assert_array_equal(np.delete(found[name], 1, axis=1), np.delete(values, 1, axis=1))


def test_sparse_records_are_the_same_states(data):
    dense, _ = recorded(data, epochs=8, test_every="4")
    sparse, _ = recorded(data, epochs=8, record_every="4", test_every="4")
    for name, values in sparse.items():
        np.testing.assert_array_equal(values, dense[name] if "test" in name else dense[name][[0, 4, 8]])


def test_a_test_needs_no_record(data):
    dense, _ = recorded(data, epochs=8, test_every="3")
    for options in ({"record_every": "4"}, {"record_every": "4", "batch_size": 200}):
        sparse, _ = recorded(data, epochs=8, test_every="3", **options)
        assert (len(sparse["train_loss"]), len(sparse["test_error"])) == (3, 4)  # 0, 4, 8; 0, 3, 6, 8
        np.testing.assert_array_equal(sparse["test_misclassified"], dense["test_misclassified"])
        np.testing.assert_array_equal(sparse["misclassified"], dense["misclassified"][[0, 4, 8]])


def test_noise_on_the_test_inputs_is_one_array_for_all_runs_and_conditions(data):
    noise = (0.0, 0.5, 2.0)
    found, _ = recorded(data, noise=noise)
    assert found["test_error"].shape == (7, 3, 3)
    np.testing.assert_array_equal(found["test_misclassified"].mean(axis=-1), found["test_error"])
    again, _ = recorded(data, removed=[0], noise=noise, runs=1)
    np.testing.assert_array_equal(again["test_misclassified"][0, 0], found["test_misclassified"][0, 0])
    clean, _ = recorded(data)
    np.testing.assert_array_equal(clean["test_error"][:, :, 0], found["test_error"][:, :, 0])
    assert (found["test_error"][-1, :, 2] > found["test_error"][-1, :, 0]).all()


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"removed": HARD},
        {"first_run": 2, "activation": "relu", "depth": 3},
        {"batch_size": 50, "weight_decay": 0.1},
        {"depth": 1, "layers": (0,), "optimizer": "adam"},
    ],
    ids=str,
)
def test_a_noisy_test_error_is_that_of_the_one_array(data, condition):
    """At every update of every run, in every condition: the network, by hand, on inputs plus noise."""
    noise, updates = (0.0, 0.5, 2.0), (0, 3, 6)
    found, weights = recorded(data, noise=noise, runs=4, weights_at=updates, **condition)
    mean, std = data.standardisation()
    varying = std > 0
    x = (data.x_test.reshape(80, 20) - mean)[:, varying] / std[varying]
    drawn = noise_array(80, 20, 0).numpy()[:, varying]
    act = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[condition.get("activation", "tanh")]
    for update in updates:
        for run in range(4):
            for level, sigma in enumerate(noise):
                h = np.zeros((80, 20))
                h[:, varying] = x + sigma * drawn
                state, depth = weights[update], condition.get("depth", 2)
                for number in range(1, depth + 1):
                    weight, bias = (
                        state[f"layer{number}.{what}"][run].numpy() for what in ("weight", "bias")
                    )
                    h = h @ weight.T.astype(float) + bias
                    h = act(h) if number < depth else h
                wrong = h.argmax(axis=1) != data.test_groups
                np.testing.assert_array_equal(found["test_misclassified"][update, run, level], wrong)


def test_noise_falls_only_on_inputs_that_vary(data):
    """With weight decay the constant inputs are trained on too, and still get no noise."""
    noise = (0.0, 3.0)
    plain, _ = recorded(data, noise=noise)
    decayed, _ = recorded(data, noise=noise, weight_decay=1e-12)
    np.testing.assert_array_equal(decayed["test_misclassified"], plain["test_misclassified"])


def test_weights_have_all_inputs_and_those_of_constant_ones_stay(data):
    _, weights = recorded(data, weights_at=(0, 6))
    start, end = weights[0]["layer1.weight"], weights[6]["layer1.weight"]
    assert start.shape == end.shape == (3, 7, 20)
    np.testing.assert_array_equal(start[:, :, 0], end[:, :, 0])  # the constant input
    assert (start[:, :, 1:] != end[:, :, 1:]).all()
    _, decayed = recorded(data, weights_at=(6,), weight_decay=0.1)
    np.testing.assert_allclose(
        decayed[6]["layer1.weight"][:, :, 0], start[:, :, 0] * (1 - 0.3 * 0.1) ** 6, rtol=1e-5
    )


def test_stored_weights_continue_a_training(data):
    whole, weights = recorded(data, epochs=6, weights_at=(4,))

    def resume(task):
        task.initial = weights[4]

    rest, _ = recorded(data, epochs=2, change=resume)
    for name in ("train_loss", "radius", "misclassified"):
        np.testing.assert_array_equal(rest[name], whole[name][4:])


def test_runs_that_train_on_different_examples_are_not_restandardised(data):
    recipe = Recipe(runs=2, restandardise=True)
    with pytest.raises(StragError, match="`restandardise` needs runs that all leave out the same") as caught:
        prepare(recipe, data, [[1, 2], [2]])
    assert caught.value.status == 2
    _, mean, _ = prepare(recipe, data, [[1, 2], [2, 1]])
    np.testing.assert_allclose(
        mean, np.delete(data.x, [1, 2], axis=0).reshape(198, -1).mean(axis=0), atol=1e-6
    )


def test_no_example_left_is_refused(data):
    with pytest.raises(StragError, match="no example is left to train on"):
        recorded(data, removed=np.arange(200))
    lone = dataclasses.replace(data, y=data.y * 0)
    with pytest.raises(StragError, match="all examples are in one group, 'even'"):
        recorded(lone)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_the_processor_to_rounding(data):  # pragma: no cover
    from strag.training.loop import train

    recipe = Recipe.of(runs=3, epochs=6, width=7)
    task, _, _ = prepare(recipe, data)
    pairs = zip(train(recipe, task), train(recipe, task, device="cuda"), strict=True)
    for here, there in pairs:
        np.testing.assert_allclose(there.train_loss, here.train_loss, atol=1e-5)
