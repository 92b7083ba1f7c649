"""Networks without biases: the weights of networks with biases, and biases that are zero at every update."""

import json

import numpy as np
import pytest
import torch

import strag
from strag.cli import main
from strag.errors import StragError
from strag.files.dataset import write_dataset
from strag.training.architecture import Ends, not_held
from strag.training.architectures import architecture, completed, from_description
from strag.training.recipe import Recipe
from tests.conftest import made_up
from tests.training.runs import recorded

ENDS = Ends((12,), 12, 3)
SGD = {"lr": 0.3, "epochs": 8, "weight_decay": 0.01}
WAYS = [
    SGD,
    {**SGD, "momentum": 0.9},
    {**SGD, "optimizer": "adam", "lr": 0.02},
    {**SGD, "batch_size": 20, "own_order": True},
    {**SGD, "depth": 3, "activation": "gelu"},
    {**SGD, "depth": 1},
]


def biases(state):
    return {name: values for name, values in state.items() if name.endswith(".bias")}


@pytest.fixture(scope="module")
def images():
    return made_up(P=90, Q=30, shape=(4, 3))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_weights_at_the_start_are_those_of_networks_with_biases(depth):
    options = {"depth": depth} if depth == 1 else {"depth": depth, "width": 5}
    for run in range(3):
        with_biases = architecture(**options).initial(ENDS, 4, run)
        without = architecture(**options, no_bias=True).initial(ENDS, 4, run)
        assert with_biases.keys() == without.keys()
        for name, values in without.items():
            if name.endswith(".bias"):
                assert with_biases[name].any()
                assert not values.any()
            else:
                assert torch.equal(values, with_biases[name])


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_biases_are_zero_at_every_update_and_weights_move(images, way):
    _, weights = recorded(images, no_bias=True, weights_at=tuple(range(9)), **way)
    first = weights[0]
    for update in range(1, 9):
        for name, values in weights[update].items():
            values = np.asarray(values)
            assert (
                (values == 0).all() if name.endswith(".bias") else (values != np.asarray(first[name])).any()
            )


def test_the_training_is_that_of_a_network_written_without_biases(images):
    """Two layers, tanh, full-batch gradient descent, as a user of torch would write it."""
    found, weights = recorded(images, no_bias=True, weights_at=(0, 6))
    mean, std = images.standardisation()
    x = (images.x.reshape(len(images.y), -1) - mean) / np.where(std > 0, std, 1)
    x, y = torch.from_numpy(x.astype(np.float32)), torch.from_numpy(images.groups)
    for run in range(3):
        layers = [torch.nn.Linear(n, m, bias=False) for n, m in ((12, 7), (7, len(images.grouping.names)))]
        for number, layer in enumerate(layers, start=1):
            layer.weight.data = torch.as_tensor(weights[0][f"layer{number}.weight"][run]).clone()
        net = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1])
        for update in range(6):
            loss = torch.nn.functional.cross_entropy(net(x), y)
            np.testing.assert_allclose(found["train_loss"][update, run], loss.item(), atol=1e-5)
            net.zero_grad()
            loss.backward()
            for layer in layers:
                layer.weight.data -= 0.3 * layer.weight.grad
        for number, layer in enumerate(layers, start=1):
            stored = np.asarray(weights[6][f"layer{number}.weight"][run])
            np.testing.assert_allclose(stored, layer.weight.detach().numpy(), atol=2e-5)


def test_a_recipe_holds_the_option_only_if_it_is_set():
    usual, without = Recipe.of(runs=2).as_dict(), Recipe.of(runs=2, no_bias=True).as_dict()
    assert "no_bias" not in usual
    assert without == {**usual, "no_bias": True}
    for recipe, is_set in ((usual, False), (without, True)):
        again = json.loads(json.dumps(recipe))
        assert from_description(again).no_bias is is_set
        assert completed(again)["no_bias"] is is_set
        assert Recipe.from_dict(again).as_dict() == recipe
    with pytest.raises(StragError, match="cannot use 1 as `no_bias`; pass True or False"):
        Recipe.of(no_bias=1)


def test_a_bias_that_is_not_zero_is_described():
    state = {"layer1.weight": np.ones((2, 3)), "layer1.bias": np.zeros((2, 3))}
    assert not_held(state, ("layer1.bias",)) is None
    state["layer1.bias"][1, 2] = -1e-30
    assert not_held(state, ()) is None
    assert "'layer1.bias' that is not zero" in not_held(state, ("layer1.bias",))


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        return tmp_path

    def train(self, data, output=None, **options):
        small = {"runs": 3, "epochs": 10, "width": 6, "lr": 0.4, "no_bias": True}
        return strag.train(data, output=output, **{**small, **options})

    def test_weights_files_hold_zeros(self, images, folder):
        self.train(images, "h", weights="w", weights_at="log")
        with strag.read("w") as weights:
            assert len(weights.updates) > 4
            for at in range(len(weights.updates)):
                state = weights.parameters(at)
                assert all(values.shape[0] == 3 and not values.any() for values in biases(state).values())
                assert len(biases(state)) == 2

    def test_the_option_of_the_command_is_the_same(self, images, folder):
        write_dataset("d", images, {})
        self.train(strag.read("d"), "h", weights="w")
        line = "train d --runs 3 --epochs 10 --width 6 --lr 0.4 --no-bias -q -o h2 --weights w2"
        assert main(line.split()) == 0
        for name in ("h", "w"):
            assert (folder / name).read_bytes() == (folder / f"{name}2").read_bytes()

    def test_the_bytes_are_the_same_in_parts_and_extended(self, images, folder):
        options = {"runs": 130}  # two groups
        self.train(images, "whole", weights="w", **options)
        for number in (1, 2):
            self.train(images, f"part{number}", part=f"{number}/2", weights=f"w{number}", **options)
        strag.merge(["part1", "part2"], "joined")
        strag.merge(["w1", "w2"], "joined-w")
        self.train(images, "short", keep_state=True, epochs=4, **options)
        strag.train(images, extend="short", epochs=10, output="extended", weights="extended-w")
        self.train(images, "resumed", resume=True, weights="resumed-w", **options)
        for name in ("joined", "extended", "resumed"):
            assert (folder / name).read_bytes() == (folder / "whole").read_bytes(), name
            assert (folder / f"{name}-w").read_bytes() == (folder / "w").read_bytes(), name

    def test_they_start_only_from_weights_without_biases(self, images, folder):
        self.train(images, "h", weights="w")
        self.train(images, "b", weights="wb", no_bias=False)
        with strag.read("w") as init:
            whole = self.train(images, epochs=14)
            rest = self.train(images, epochs=4, init=init)
            np.testing.assert_array_equal(rest.train_error, whole.train_error[10:])
            freed = self.train(images, epochs=4, init=init, no_bias=False)  # biases that start at zero
            np.testing.assert_array_equal(freed.train_error[0], whole.train_error[10])
            assert (freed.train_loss[-1] != whole.train_loss[-1]).all()
        with (
            strag.read("wb") as init,
            pytest.raises(StragError, match=r"wb: has a parameter 'layer1\.bias' that is not zero"),
        ):
            self.train(images, epochs=4, init=init)

    def test_a_weights_file_with_other_biases_is_refused(self, images, folder):
        self.train(images, "h", weights="w")
        content = bytearray((folder / "w").read_bytes())
        length = int.from_bytes(content[:8], "little")
        start, _ = json.loads(content[8 : 8 + length])["layer2.bias"]["data_offsets"]
        at = 8 + length + start
        content[at : at + 4] = np.float32(1).tobytes()
        (folder / "bad").write_bytes(content)
        for verb in (strag.dump, strag.linearity):
            with (
                strag.read("bad") as weights,
                pytest.raises(StragError, match=r"bad: has a parameter 'layer2\.bias' that is not zero"),
            ):
                verb(weights, images)

    def test_sets_are_left_out_by_networks_of_the_same_kind(self, images, folder):
        for name, without, words in (("h", True, "with"), ("b", False, "without")):
            history = self.train(images, name, no_bias=without)
            sets = strag.sets(history, at=2, output=f"{name}-sets")
            options = {"epochs": 3, "width": 6, "without": sets}
            swept = strag.train(images, no_bias=without, **options)
            assert swept.recipe.get("no_bias", False) is without
            with pytest.raises(StragError, match=f"its runs were trained {words} `no_bias`, but these would"):
                strag.train(images, no_bias=not without, **options)

    def test_a_reference_is_of_the_same_kind(self, images, folder):
        reference, pruned = self.train(images), self.train(images, no_bias=False)
        stragglers = strag.find_stragglers(reference, at=2)
        less = self.train(images, without=stragglers)
        strag.find_stragglers(less, at=2, reference=reference)
        with pytest.raises(
            StragError, match=r"was trained without `no_bias`, but .* with it; pass a training with `no"
        ):
            strag.find_stragglers(less, at=2, reference=pruned)

    def test_a_summary_tells_them_apart(self, images, folder):
        found = [strag.find_stragglers(self.train(images, no_bias=each), at=2) for each in (True, False)]
        summary = strag.summarise(found)
        assert summary.varies == ("no_bias",)
        assert "no_bias" not in strag.summarise([found[1], found[1]]).conditions[0].settings
