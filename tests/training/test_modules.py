"""Networks that are torch modules: what is kept of them, and which are refused."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from strag.api.job import ends_of
from strag.api.model import model
from strag.errors import StragError
from strag.training.images import as_images, image_shape
from strag.training.layers import Watched, seen_layers
from strag.training.prepare import prepare
from strag.training.recipe import Recipe
from tests.conftest import made_up
from tests.networks import example
from tests.training.runs import recorded


def flat(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 6), nn.Tanh(), nn.Linear(6, classes))


class Twice(nn.Module):
    """A network that calls one module twice, and another one never."""

    def __init__(self, shape, classes):
        super().__init__()
        self.first = nn.Linear(int(np.prod(shape)), 6)
        self.act, self.second, self.unused = nn.ReLU(), nn.Linear(6, 6), nn.Linear(1, 1)
        self.head = nn.Linear(6, classes)

    def forward(self, x):
        return self.head(self.act(self.second(self.act(self.first(x.flatten(1))))))


class Tied(nn.Module):
    """A network with one weight in two places, and a part that is not trained."""

    def __init__(self, shape, classes):
        super().__init__()
        self.first, self.act = nn.Linear(int(np.prod(shape)), 6), nn.Tanh()
        self.again, self.also = nn.Linear(6, 6), nn.Linear(6, 6)
        self.also.weight = self.again.weight
        self.frozen = nn.Linear(6, 6).requires_grad_(False)
        self.head = nn.Linear(6, classes)

    def forward(self, x):
        return self.head(self.frozen(self.also(self.again(self.act(self.first(x.flatten(1)))))))


def overwriting(shape, classes):
    """A network whose ReLU overwrites the output of the layer before."""
    return nn.Sequential(nn.Flatten(), nn.Linear(20, 6), nn.ReLU(inplace=True), nn.Linear(6, classes))


def plain(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(20, 6), nn.ReLU(), nn.Linear(6, classes))


def on(function, data, **options):
    """The Recipe of networks of a function on a data set."""
    return Recipe.of(model=model(function), **{"runs": 2, "epochs": 4, "lr": 0.3, **options}).on(
        ends_of(data)
    )


def state_of_random_numbers():
    return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()


class TestPerceptron:
    @pytest.mark.parametrize("depth", [2, 3])
    def test_as_a_module_it_is_the_same_network(self, depth):
        data = made_up(P=300, Q=40, shape=(1, 6, 5))
        same = {"runs": 3, "epochs": 12, "lr": 0.3, "width": 9, "depth": depth}
        layers = range(1, depth)
        stacked, _ = recorded(data, recipe=Recipe.of(**same, layers=tuple(layers)))
        args = {name: same.pop(name) for name in ("width", "depth")}
        by_name = tuple(f"act{layer}" for layer in layers)
        modules = Recipe.of(**same, model=example("perceptron"), model_args=args, layers=by_name)
        found, _ = recorded(data, recipe=modules)
        np.testing.assert_array_equal(found["misclassified"], stacked["misclassified"])
        np.testing.assert_array_equal(found["test_misclassified"], stacked["test_misclassified"])
        for name in ("train_loss", "radius", "distance"):
            np.testing.assert_allclose(found[name], stacked[name], atol=1e-5)


class TestLayers:
    def test_they_are_listed_in_the_order_of_their_calls(self):
        layers, output = seen_layers(Twice((2, 10), 3), (2, 10))
        assert [(layer.name, layer.calls) for layer in layers] == [
            ("first", 1), ("act", 2), ("second", 1), ("head", 1), ("unused", 0)
        ]  # fmt: skip
        assert [layer.shape for layer in layers] == [(6,), (6,), (6,), (3,), None]
        assert output == (3, 3)

    @pytest.mark.parametrize(
        ("layer", "words"),
        [
            ("act", "layer act of the network of Twice is called 2 times in a forward pass"),
            ("unused", "is called 0 times"),
            ("third", "the network of Twice has no layer third; pass layers from first, second, head"),
            ("second:mean", "layer second of the network of Twice has no positions"),
        ],
    )
    def test_one_that_is_not_called_once_is_refused(self, layer, words):
        with pytest.raises(StragError, match=words):
            on(Twice, made_up(), layers=layer)

    def test_the_default_is_the_first_nonlinearity(self):
        assert on(flat, made_up()).layers == ("2",)
        with pytest.raises(
            StragError, match=r"no layer is the default; make one .* choose `layers` from first"
        ):
            on(Twice, made_up())

    def test_an_output_that_is_overwritten_later_is_measured_as_it_was(self):
        data = made_up()
        seen = [recorded(data, recipe=on(f, data, layers=("1", "2")))[0] for f in (overwriting, plain)]
        np.testing.assert_array_equal(*(found["radius"] for found in seen))
        np.testing.assert_array_equal(*(found["train_loss"] for found in seen))
        assert (seen[0]["radius"][:, :, 0] != seen[0]["radius"][:, :, 1]).any()

    def test_the_mean_over_positions_is_that_of_each_channel(self):
        torch.manual_seed(0)
        module, x = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(48, 2)), torch.randn(5, 2, 6, 6)
        with Watched(module, ("0", "0:mean")) as watched:
            module(x)
        maps = module[0](x)
        assert torch.equal(watched.outputs()["0"], maps.flatten(1))
        torch.testing.assert_close(watched.outputs()["0:mean"], maps.mean(dim=(2, 3)))

    def test_no_hook_stays(self):
        module = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
        for x in (torch.ones(4, 3), torch.ones(4, 5)):  # the second raises an error
            try:
                with Watched(module, ("0", "1")):
                    module(x)
            except RuntimeError:
                assert x.shape[1] == 5
            assert not any(part._forward_hooks for part in module.modules())

    def test_one_called_input_is_not_mistaken_for_the_input(self):
        class Named(nn.Module):
            def __init__(self, shape, classes):
                super().__init__()
                self.input, self.act, self.head = nn.Linear(20, 6), nn.ReLU(), nn.Linear(6, classes)

            def forward(self, x):
                return self.head(self.act(self.input(x.flatten(1))))

        assert on(Named, made_up(), layers="all").layers == ("act", "head")
        with pytest.raises(StragError, match="layer input of the network of Named has the name that strag"):
            on(Named, made_up(), layers="input")

    def test_functions_of_the_same_source_are_told_apart(self):
        def of_width(width):
            def network(shape, classes):
                return nn.Sequential(nn.Flatten(), nn.Linear(20, width), nn.ReLU(), nn.Linear(width, classes))

            return network

        shapes = [on(of_width(n), made_up()).architecture.shapes(ends_of(made_up())) for n in (3, 4)]
        assert [found["1.weight"] for found in shapes] == [(3, 20), (4, 20)]


class TestParameters:
    def test_those_that_are_not_trained_stay(self):
        data = made_up()
        _, weights = recorded(data, recipe=on(Tied, data, layers="act"), weights_at=(0, 4))
        before, after = weights[0], weights[4]
        assert "also.weight" not in before  # it is again.weight
        for name, values in before.items():
            assert torch.equal(values, after[name]) == name.startswith("frozen")

    def test_random_states_are_left_as_they_were(self):
        before = state_of_random_numbers()
        data = made_up()
        recorded(data, recipe=on(flat, data))
        assert state_of_random_numbers() == before

    def test_a_function_that_draws_with_numpy_follows_the_run(self):
        def scaled(shape, classes):
            module = flat(shape, classes)
            with torch.no_grad():
                module[1].weight.mul_(float(np.random.rand()) + random.random())
            return module

        kind = on(scaled, made_up()).architecture
        first, again, other = (kind.initial(ends_of(made_up()), 0, run)["1.weight"] for run in (0, 0, 1))
        assert torch.equal(first, again)
        assert first.std() != other.std()


class Buffered(nn.Module):
    """A network with a buffer that is drawn at random, or that counts the calls."""

    def __init__(self, shape, classes, counts):
        super().__init__()
        self.net, self.counts = flat(shape, classes), counts
        self.register_buffer("extra", torch.zeros(1) if counts else torch.randn(1))

    def forward(self, x):
        self.extra += self.counts
        return self.net(x)


def with_module(module):
    def network(shape, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(20, 6), module(), nn.Linear(6, classes))

    return network


class Hidden(nn.Module):
    """A network that does with x, a random permutation and its layers what a function says."""

    def __init__(self, shape, classes, form):
        super().__init__()
        self.first, self.act, self.head = nn.Linear(20, 6), nn.ReLU(), nn.Linear(6, classes)
        self.order, self.form = torch.randperm(20), form

    def forward(self, x):
        return self.head(self.act(self.first(self.form(self, x.flatten(1)))))


def doubled(x):
    x[x > 1e9] *= 2  # changes no number, but might change one of other examples
    return x


def tied_by_data(shape, classes):
    module = nn.Sequential(nn.Flatten(), nn.Linear(20, 6), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
    module[4].weight.data = module[2].weight.data.t()
    return nn.Sequential(*module, nn.Linear(6, classes))


def with_zeros(function):
    """A factory of the networks of another one, whose last layer is zero until it is trained."""

    def made(shape, classes):
        module = function(shape, classes)
        last = [child for child in module.modules() if isinstance(child, nn.Linear)][-1]
        nn.init.zeros_(last.weight)
        return module

    return made


class AsComplex(nn.Module):
    def forward(self, x):
        return x.to(torch.complex64)


class Centred(nn.Module):
    def forward(self, x):
        return x - x.mean(dim=0)


class Gated(nn.Module):
    """A residual branch with dropout that counts for nothing until its gate is trained."""

    def __init__(self, shape, classes):
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(20, 20), nn.Dropout())
        self.gate, self.head = nn.Parameter(torch.zeros(())), nn.Linear(20, classes)

    def forward(self, x):
        x = x.flatten(1)
        return self.head(x + self.gate * self.branch(x))


def deep(shape, classes):
    layers = [layer for _ in range(30) for layer in (nn.Linear(40, 40), nn.Tanh())]
    return nn.Sequential(nn.Flatten(), nn.Linear(20, 40), *layers, nn.Linear(40, classes))


def unseeded(shape, classes):
    module, generator = flat(shape, classes), np.random.default_rng()
    with torch.no_grad():
        module[1].weight.copy_(torch.as_tensor(generator.normal(size=(6, 20))))
    return module


_ONLY = flat((1, 4, 5), 2)


class TestLaws:
    @pytest.mark.parametrize(
        ("function", "words"),
        [
            (with_module(lambda: nn.BatchNorm1d(6)), "depends on the other examples of its batch"),
            (with_module(nn.Dropout), "draws random numbers when it is called, as dropout does"),
            (lambda s, c: Buffered(s, c, counts=True), "changes its buffer 'extra' when it is called"),
            (lambda s, c: Buffered(s, c, counts=False), "draws its buffer 'extra' at random"),
            (lambda s, c: Hidden(s, c, lambda m, x: x[:, m.order]), "random numbers that are not its param"),
            (lambda s, c: Hidden(s, c, lambda _, x: doubled(x)), "changes its input in place"),
            (
                lambda s, c: nn.Sequential(*flat(s, c), AsComplex()),
                "returns complex numbers; return logits that are real",
            ),
            (lambda s, c: Hidden(s, c, lambda _, x: x.squeeze()), r"of shape \(2,\) for 1 example;"),
            (with_zeros(with_module(Centred)), "depends on the other examples of its batch"),
            (with_zeros(with_module(nn.Dropout)), "draws random numbers when it is called"),
            (
                with_zeros(lambda s, c: Hidden(s, c, lambda m, x: x[:, m.order])),
                "that are not its parameters",
            ),
            (Gated, "draws random numbers when it is called"),
            (tied_by_data, "parameters '2.weight' and '4.weight' are the same numbers in memory"),
            (unseeded, "the same random numbers give other parameters when the network is built again"),
            (lambda s, c: _ONLY, "two networks share their parameters"),
        ],
        ids=[
            "norm",
            "dropout",
            "counter",
            "buffer",
            "order",
            "in-place",
            "complex",
            "squeeze",
            "norm, zeros",
            "dropout, zeros",
            "order, zeros",
            "gate",
            "tied-data",
            "unseeded",
            "one-network",
        ],
    )
    def test_networks_that_break_them_are_refused(self, function, words):
        data = made_up()
        recipe = on(function, data, layers="all")
        task, _, _ = prepare(recipe, data)
        with pytest.raises(StragError, match=words):
            recipe.architecture.require_lawful(task)

    @pytest.mark.parametrize("function", [flat, Twice, Tied, overwriting, with_zeros(flat), deep])
    def test_others_are_not(self, function):
        data = made_up()
        recipe = on(function, data, layers="head" if function is Twice else None)
        task, _, _ = prepare(recipe, data)
        recipe.architecture.require_lawful(task)


class TestRefused:
    @pytest.mark.parametrize(
        ("function", "words"),
        [
            (lambda shape, classes: None, r"\(\(1, 4, 5\), 2\) returns NoneType; return a torch.nn.Module"),
            (lambda shape: None, "raises TypeError: "),
            (lambda s, c: 1 / 0, r"raises ZeroDivisionError: division by zero"),
            (lambda s, c: nn.Flatten(), "returns a network without parameters to train"),
            (lambda s, c: flat(s, c).double(), "whose parameter '1.weight' is float64"),
            (lambda s, c: flat(s, c + 1), r"returns an output of shape \(3, 3\) for 3 examples"),
            (lambda s, c: nn.Linear(7, c), "raises RuntimeError: mat1 and mat2 shapes cannot be multiplied"),
            (lambda s, c: nn.LSTM(5, 2), "raises ValueError: LSTM: Expected input"),
        ],
    )
    def test_what_is_no_network_of_these_ends(self, function, words):
        with pytest.raises(StragError, match=words):
            on(function, made_up())

    def test_a_lazy_module_is_built(self):
        def lazy(shape, classes):
            return nn.Sequential(nn.Flatten(), nn.LazyLinear(6), nn.Tanh(), nn.LazyLinear(classes))

        data = made_up()
        found, weights = recorded(data, recipe=on(lazy, data), weights_at=(4,))
        assert weights[4]["1.weight"].shape == (2, 6, 20)
        assert np.isfinite(found["train_loss"]).all()

    def test_a_lazy_module_keeps_its_buffers(self):
        def lazy(shape, classes):
            return nn.Sequential(nn.Flatten(), nn.LazyLinear(6), nn.BatchNorm1d(6), nn.LazyLinear(classes))

        data = made_up()
        recipe = on(lazy, data, layers="all")
        assert recipe.architecture.factory.build((1, 4, 5), 2, {})[2].running_mean.tolist() == [0.0] * 6
        with pytest.raises(StragError, match="depends on the other examples of its batch"):
            recipe.architecture.require_lawful(prepare(recipe, data)[0])

    def test_a_lazy_layer_of_training_alone_is_built(self):
        class Trained(nn.Module):
            def __init__(self, shape, classes):
                super().__init__()
                self.act, self.head, self.noise = nn.Tanh(), nn.LazyLinear(classes), nn.LazyLinear(classes)

            def forward(self, x):
                x = self.act(x.flatten(1))
                return self.head(x) + self.noise(x) if self.training else self.head(x)

        shapes = on(Trained, made_up()).architecture.factory.build((1, 4, 5), 2, {}).state_dict()
        assert shapes["noise.weight"].shape == (2, 20)

    def test_what_a_network_prints_is_no_output(self, capsys):
        class Loud(nn.Sequential):
            def forward(self, x):
                print("seen")
                return super().forward(x)

        data = made_up()
        recorded(data, recipe=on(lambda s, c: Loud(*flat(s, c)), data))
        out, err = capsys.readouterr()
        assert out == ""
        assert "seen" in err


class TestImages:
    @pytest.mark.parametrize(
        ("shape", "seen"),
        [
            ((6, 5), (1, 6, 5)),
            ((6, 5, 3), (3, 6, 5)),
            ((3, 6, 5), (3, 6, 5)),
            ((20,), (20,)),
            ((2, 6, 5), (2, 6, 5)),
        ],
    )
    def test_channels_come_first(self, shape, seen):
        assert image_shape(shape) == seen
        x = torch.arange(2 * int(np.prod(shape)), dtype=torch.float32).view(2, -1)
        images = as_images(x, shape)
        assert images.shape == (2, *seen)
        if shape == (6, 5, 3):
            assert torch.equal(images, x.view(2, 6, 5, 3).movedim(3, 1))

    def test_where_the_channels_stand_changes_nothing(self):
        last = made_up(shape=(6, 5, 3))
        first = replace(
            last, x=np.moveaxis(last.x, 3, 1).copy(), x_test=np.moveaxis(last.x_test, 3, 1).copy()
        )
        options = {"model": "cnn", "channels": (2, 3), "layers": "all", "epochs": 3, "lr": 0.2, "runs": 2}
        seen = [recorded(data, recipe=Recipe.of(**options))[0] for data in (last, first)]
        for name, values in seen[0].items():
            np.testing.assert_array_equal(values, seen[1][name], err_msg=name)
