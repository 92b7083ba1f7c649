"""Standardisation by pixel, by channel, or of no input: laws of its statistics, and of trainings with it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import strag
from strag.bits import unpack
from strag.cli import main
from strag.datasets.dataset import Dataset, mean_and_std, standardise
from strag.datasets.standardisation import WAYS, applied, channels, over_channels
from strag.errors import StragError
from strag.files.dataset import write_dataset
from strag.training.group import open_inputs
from strag.training.prepare import prepare
from strag.training.recipe import Recipe
from tests.conftest import made_up
from tests.files.makers import complaint
from tests.training.runs import assert_same, plain_run, recorded

HARD = np.arange(3, 200, 5)  # examples that are left out
SHAPES = {  # shape of an example -> axis of its channels in [P, ...]
    (6, 5): None,
    (3, 6, 5): 1,
    (6, 5, 3): 3,
    (4, 6, 5): 1,
    (1, 6, 5): 1,
    (6, 5, 1): 3,
    (7, 6, 5): 1,  # channels first, if no axis has the length of colours
    (1, 9): None,
}


def images(shape, P=50, dtype=np.float32, seed=0):
    """Examples whose inputs have different means and standard deviations; the first input is constant."""
    random = np.random.default_rng(seed)
    x = random.uniform(20, 200, size=shape) + random.uniform(1, 9, size=shape) * random.normal(
        size=(P, *shape)
    )
    x[(slice(None), *(0,) * len(shape))] = 7
    return x.astype(dtype)


def by_channel(x):
    """Arrays of all values of each channel."""
    axis = SHAPES[x.shape[1:]]
    return [x] if axis is None else list(np.moveaxis(x, axis, 0))


def rows():
    """A data set whose examples are rows of numbers, without channels."""
    data = made_up()
    return replace(data, x=data.x.reshape(200, 20), x_test=data.x_test.reshape(80, 20), origin=None)


class TestChannels:
    @pytest.mark.parametrize("dtype", [np.float32, np.uint8])
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_the_formula_is_that_of_all_values_of_a_channel(self, shape, dtype):
        """M is their mean. S^2 is their variance, plus 1/P of the mean of the unbiased variances."""
        x = images(shape, dtype=dtype)
        P = len(x)
        M, S = (values.reshape(shape) for values in over_channels(*mean_and_std(x), shape))
        for values, mean, std in zip(
            by_channel(x), by_channel_of(M, shape), by_channel_of(S, shape), strict=True
        ):
            values = values.astype(np.float64)
            assert np.unique(mean).size == np.unique(std).size == 1
            np.testing.assert_allclose(mean, values.mean(), rtol=1e-12)
            within = values.var(axis=0, ddof=1).mean()
            np.testing.assert_allclose(std**2, values.var() + within / P, rtol=1e-10)

    def test_of_inputs_with_the_same_values_in_other_orders_it_is_the_same_as_by_pixel(self):
        random = np.random.default_rng(3)
        x = random.permuted(np.repeat(random.normal(5, 3, size=(40, 1)), 12, axis=1), axis=0)
        pixel = mean_and_std(x)
        for found, expected in zip(over_channels(*pixel, (3, 4)), pixel, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_of_one_pixel_it_is_the_same_as_by_pixel(self):
        pixel = mean_and_std(images((1, 1, 3)))
        for found, expected in zip(over_channels(*pixel, (1, 1, 3)), pixel, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-14)
        assert over_channels(*pixel, (1, 1, 3))[1][0] == 0

    def test_only_a_channel_with_one_value_has_std_0(self):
        x = images((3, 6, 5))
        x[:, 0] = 0.1  # one value, whose mean is rounded
        x[:, 1] = 0.1
        x[:, 1, 2, 2] = 0.3  # constant inputs with other values
        std = over_channels(*mean_and_std(x), (3, 6, 5))[1].reshape(3, -1)
        assert (std[0] == 0).all()
        assert (std[1:] > 0).all()
        assert std[1, 0] == pytest.approx(0.2 * np.sqrt(29) / 30, rel=1e-6)

    def test_both_layouts_are_the_same(self):
        first = images((3, 6, 5))
        last = np.ascontiguousarray(np.moveaxis(first, 1, 3))
        for a, b in zip(
            over_channels(*mean_and_std(first), (3, 6, 5)),
            over_channels(*mean_and_std(last), (6, 5, 3)),
            strict=True,
        ):
            np.testing.assert_allclose(a.reshape(3, 6, 5), np.moveaxis(b.reshape(6, 5, 3), 2, 0), rtol=1e-12)

    def test_a_pruned_data_set_has_those_of_its_block(self):
        data = made_up(shape=(3, 4, 5))
        pruned = data.rows(np.setdiff1d(np.arange(200), HARD))
        for way in WAYS:
            found = [applied(way, *part.standardisation(), part.x) for part in (data, pruned)]
            for whole, part in zip(*found, strict=True):
                assert whole.tobytes() == part.tobytes()

    @pytest.mark.parametrize("shape", [(20,), (1,), (2, 3, 4, 5)], ids=str)
    def test_other_shapes_have_none(self, shape):
        with pytest.raises(StragError, match="which have no channels") as caught:
            channels(shape)
        assert caught.value.status == 2


def by_channel_of(values, shape):
    """The parts of an array with the shape of an example, by channel."""
    axis = SHAPES[shape]
    return [values] if axis is None else list(np.moveaxis(values, axis - 1, 0))


class TestNone:
    def test_bytes_are_divided_by_255(self):
        x = np.arange(256, dtype=np.uint8).reshape(16, 4, 4)
        mean, std = applied("none", *mean_and_std(x), x)
        expected = (x.reshape(16, 16) / 255).astype(np.float32)
        np.testing.assert_array_equal(standardise(x, mean, std), expected)

    def test_floats_are_kept(self):
        x = images((3, 6, 5))
        found = standardise(x, *applied("none", *mean_and_std(x), x))
        np.testing.assert_array_equal(found, x.reshape(50, -1))

    def test_data_without_channels_may_be_used(self):
        data = rows()
        _, mean, std = prepare(Recipe(standardise="none"), data)
        assert (mean.shape, std.tolist()) == ((20,), [1] * 20)


class TestRecipe:
    def test_it_holds_the_option_only_if_it_is_not_pixel(self):
        usual = Recipe.of().as_dict()
        assert "standardise" not in usual
        assert Recipe.of(standardise="pixel").as_dict() == usual
        assert Recipe.from_dict(usual).standardise == "pixel"
        for way in ("channel", "none"):
            values = Recipe.of(standardise=way).as_dict()
            assert values == {**usual, "standardise": way}
            assert Recipe.from_dict(json.loads(json.dumps(values))) == Recipe.of(standardise=way)

    def test_other_ways_are_refused(self):
        with pytest.raises(
            StragError, match="cannot use 'zca' as `standardise`; pass pixel, channel or none"
        ):
            Recipe.of(standardise="zca")

    def test_without_statistics_there_is_nothing_to_compute_again(self):
        assert Recipe.of(standardise="none", restandardise=False).standardise == "none"
        for make in (Recipe.of, Recipe, Recipe(restandardise=True).changed):
            with pytest.raises(StragError, match="`restandardise` has no effect: `standardise` none"):
                make(standardise="none", restandardise=True)


class TestTraining:
    @pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)], ids=str)
    @pytest.mark.parametrize(
        "options",
        [
            *({"standardise": way} for way in WAYS),
            *({"standardise": way, "restandardise": True} for way in ("pixel", "channel")),
            {"standardise": "channel", "weight_decay": 0.1, "noise": (0.0, 1.0)},
            {"standardise": "none", "noise": (0.0, 1.0), "optimizer": "adam", "lr": 0.01},
            {"standardise": "channel", "batch_size": 50, "record_every": "1"},
        ],
        ids=str,
    )
    def test_by_weight_is_on_the_slice_and_in_a_plain_loop(self, options, shape):
        data, kept = made_up(shape=shape), np.setdiff1d(np.arange(200), HARD)
        weighted, _ = recorded(data, removed=HARD, **options)
        sliced, _ = recorded(data.rows(kept), **options)
        weighted["misclassified"] = weighted["misclassified"][:, :, kept]
        assert_same(weighted, sliced, atol=1e-5)
        np.testing.assert_allclose(weighted["test_error"], sliced["test_error"], atol=0.03)
        plain = plain_run(data, 2, np.isin(np.arange(200), kept), **options)
        plain["misclassified"] = plain["misclassified"][:, kept]
        assert_same(sliced, plain, runs=2)

    def test_channels_of_equal_pixels_are_pixels(self):
        """Each input has the values of all others, in another order; the classes are those of one input."""
        random = np.random.default_rng(1)
        x = random.permuted(np.repeat(random.normal(size=(90, 1)), 12, axis=1), axis=0).astype(np.float32)
        y = (x[:, 0] > 0).astype(np.int64)
        data = Dataset(x.reshape(90, 3, 4), y, np.arange(90), labels="classes")
        by_way = [recorded(data, test_every="never", standardise=way)[0] for way in WAYS]
        assert_same(by_way[0], by_way[1], atol=1e-6)
        assert np.abs(by_way[0]["train_loss"] - by_way[2]["train_loss"]).max() > 1e-3

    def test_constant_inputs_are_used_unless_their_channel_is_constant(self):
        data = made_up(shape=(3, 4, 5))  # five inputs of channel 0 are constant
        data.x[:, 1] = data.x_test[:, 1] = 2  # and the whole of channel 1
        used = {"pixel": [15, 0, 20], "channel": [20, 0, 20], "none": [20, 20, 20]}
        for way, counts in used.items():
            task, _, std = prepare(Recipe(standardise=way), data)
            assert (std > 0).reshape(3, -1).sum(axis=1).tolist() == counts
            np.testing.assert_array_equal(task.columns, np.flatnonzero(std > 0))
            _, weights = recorded(data, weights_at=(0, 6), standardise=way)
            moved = (weights[0]["layer1.weight"] != weights[6]["layer1.weight"]).any(dim=(0, 1))
            np.testing.assert_array_equal(moved.numpy(), std > 0)

    @pytest.mark.parametrize("way", WAYS)
    def test_inputs_that_are_used_get_noise(self, way):
        data = made_up(shape=(3, 4, 5))
        data.x[:, 1] = data.x_test[:, 1] = 2
        for decay in (0.0, 0.1):  # with weight decay, all inputs are trained on
            recipe = Recipe(standardise=way, noise=(0.5,), weight_decay=decay)
            task, _, std = prepare(recipe, data)
            noise = open_inputs(recipe, task, "cpu")[1].noise
            noisy = np.zeros(60, bool)
            noisy[task.columns] = (noise != 0).any(dim=0).numpy()
            np.testing.assert_array_equal(noisy, std > 0)

    @pytest.mark.parametrize("way", WAYS)
    def test_examples_that_are_all_the_same_are_refused(self, way):
        data = made_up(P=30, shape=(3, 4, 5))
        same = replace(data, x=np.repeat(data.x[:1], 30, axis=0), origin=None)
        with pytest.raises(StragError, match="no input varies over the examples"):
            prepare(Recipe(standardise=way), same)

    def test_restandardising_uses_the_examples_trained_on(self):
        data = made_up(shape=(3, 4, 5))
        recipe = Recipe(standardise="channel", restandardise=True)
        _, mean, std = prepare(recipe, data, [HARD] * 10)
        kept = np.delete(data.x, HARD, axis=0)
        expected = over_channels(*mean_and_std(kept), (3, 4, 5))
        np.testing.assert_array_equal([mean, std], expected)
        assert (mean != prepare(replace(recipe, restandardise=False), data, [HARD] * 10)[1]).all()
        with pytest.raises(StragError, match="`restandardise` needs runs that all leave out the same"):
            prepare(replace(recipe, runs=2), data, [[1], [2]])


class TestFiles:
    LINE = "train d --runs 3 --epochs 10 --width 6 --lr 0.3 -q -o"

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write_dataset("d", made_up(P=120, shape=(3, 4, 5)), {})
        return tmp_path

    def done(self, line):
        assert main(line.split()) == 0, line

    def test_pixel_writes_the_bytes_of_the_default(self, folder):
        self.done(f"{self.LINE} a --weights wa")
        self.done(f"{self.LINE} b --weights wb --standardise pixel")
        for name in ("a", "wa"):
            assert b'"standardise"' not in Path(name).read_bytes()
            assert Path(name).read_bytes() == Path(name.replace("a", "b")).read_bytes()

    def test_python_writes_the_bytes_of_the_command(self, folder):
        self.done(f"{self.LINE} a --weights wa --standardise channel")
        options = {"runs": 3, "epochs": 10, "width": 6, "lr": 0.3}
        strag.train(strag.read("d"), output="b", weights="wb", standardise="channel", **options)
        for name in ("a", "wa"):
            assert Path(name).read_bytes() == Path(name.replace("a", "b")).read_bytes()

    @pytest.mark.parametrize("way", WAYS)
    def test_the_weights_hold_what_was_applied(self, folder, way):
        """With these alone, the predictions of a dump and those by hand are the bits of the history."""
        self.done(f"{self.LINE} h --weights w --weights-at 0,10 --standardise {way}")
        self.done("dump w d -q -o a")
        data, history = strag.read("d"), strag.read("h")
        assert history.recipe.get("standardise", "pixel") == way
        with strag.read("w") as weights, strag.read("a") as dumped:
            x = np.zeros((120, 60), np.float32)
            x[:, weights.std > 0] = standardise(data.x, weights.mean, weights.std)
            expected = applied(way, *mean_and_std(data.x), data.x)
            np.testing.assert_array_equal([weights.mean, weights.std], expected)
            for at, update in enumerate((0, 10)):
                state = weights.parameters(at)
                for run in range(3):
                    part = {name: torch.as_tensor(values[run]) for name, values in state.items()}
                    hidden = torch.tanh(torch.from_numpy(x) @ part["layer1.weight"].T + part["layer1.bias"])
                    logits = hidden @ part["layer2.weight"].T + part["layer2.bias"]
                    predicted = logits.argmax(dim=1).numpy()
                    wrong = unpack(history.misclassified[update, run], 120)
                    np.testing.assert_array_equal(predicted != data.groups, wrong)
                    np.testing.assert_array_equal(dumped.prediction(at, run) != data.groups, wrong)

    def test_sets_of_a_training_with_another_way_may_be_left_out(self, folder):
        """The initial weights do not depend on it, so that run r starts as the run of its set."""
        self.done(f"{self.LINE} h")
        self.done("sets h --at 5 -q -o sets")
        start = "train d --width 6 --epochs 2 --weights-at 0 -q"
        self.done(f"{start} --runs 3 --weights v -o f")
        self.done(f"{start} --without sets --standardise channel --weights u -o e")
        with strag.read("u") as own, strag.read("v") as usual:
            runs = list(strag.read("e").seed_runs)
            for name, values in own.parameters(0).items():
                np.testing.assert_array_equal(values, usual.parameters(0)[name][runs])

    def test_what_cannot_be_is_one_line(self, folder, capsys):
        write_dataset("rows", rows(), {})
        for words, line in (
            (
                ["rows: has examples of shape [20]", "--standardise pixel or none"],
                "rows --standardise channel",
            ),
            (["--restandardise has no effect: --standardise none"], "d --standardise none --restandardise"),
            (["'--standardise'", "'pixel', 'channel', 'none'"], "d --standardise zca"),
            (["'--standardise'"], "d --standardise CHANNEL,none"),
        ):
            complaint(capsys, 2, words, "train", *line.split(), "--epochs", "2", "-q", "-o", "out")
            assert not Path("out").exists()
