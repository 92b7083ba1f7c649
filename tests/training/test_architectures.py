"""Laws that every architecture obeys; a new one gives examples of itself here, and is held to them."""

import json

import numpy as np
import pytest
import torch

from strag.errors import StragError
from strag.training.architecture import Ends, misfit, stack
from strag.training.architectures import ARCHITECTURES, architecture, described, from_description
from strag.training.passes import Inputs, full_pass
from strag.training.plan import Size, memory_parts
from strag.training.prepare import prepare, start_from
from strag.training.recipe import Recipe, read_layers
from tests.conftest import made_up
from tests.networks import example
from tests.training.runs import assert_same, recorded

EXAMPLES = {  # model -> its options, by what could differ: sizes, activations
    "mlp": [
        {},
        {"depth": 1},
        {"depth": 3, "width": 7, "activation": "relu"},
        {"depth": 4, "width": 5, "activation": "gelu"},
        {"depth": 3, "width": 6, "no_bias": True},
        {"depth": 1, "no_bias": True},
    ],
    "cnn": [
        {},
        {"channels": (4,), "activation": "relu"},
        {"channels": (3, 5, 2)},
    ],
    "factory": [
        {"model": example("residual"), "model_args": {"width": 4, "blocks": 1, "groups": 2}},
        {"model": example("perceptron")},
    ],
}
CASES = [{"model": model, **options} for model, cases in EXAMPLES.items() for options in cases]
R, P, SHAPE, C = 3, 90, (16, 15), 4


def columns(options):
    """The inputs that are used: of a perceptron not all."""
    return np.arange(240) if architecture(**options).takes_all else np.flatnonzero(np.arange(240) % 7)


def ends(options, classes=C):
    return Ends(SHAPE, len(columns(options)), classes)


def named(options):
    """The options with the name of a factory in its place."""
    return {name: getattr(value, "name", value) for name, value in options.items()}


pytestmark = pytest.mark.parametrize(
    "options", CASES, ids=lambda options: " ".join(map(str, named(options).values()))
)


@pytest.fixture(scope="module")
def images():
    return made_up(P=P, Q=30, shape=SHAPE)


@pytest.fixture
def inputs(options):
    random = np.random.default_rng(0)
    x = random.normal(size=(P, len(columns(options)))).astype(np.float32)
    return Inputs.of(x, random.integers(C, size=P), C, "cpu")


def built(options, state=None, runs=R):
    """Networks from the seed, or with this state."""
    kind = architecture(**options).on(ends(options))
    state = state or stack([kind.initial(ends(options), 0, run) for run in range(runs)])
    return kind.networks(state, ends(options), torch.from_numpy(columns(options)), "float32", "cpu")


def trained(data, options, **more):
    """What is recorded of a short training that measures all layers."""
    small = {"runs": R, "epochs": 5, "lr": 0.2, "layers": "all"}
    recipe = Recipe.of(**{**small, **options, **more.pop("recipe", {})})
    return recorded(data, recipe=recipe, **more)


def gradients(networks):
    return {name: parameter.grad.clone() for name, parameter in networks.parameters.items()}


def assert_close(found, expected, rtol=1e-4):
    """Dicts of tensors that agree to a share of the largest number in each."""
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        scale = max(values.abs().max().item(), 1e-6)
        torch.testing.assert_close(found[name], values, atol=rtol * scale, rtol=0, msg=name)


class TestOptions:
    def test_every_architecture_has_examples(self, options):
        assert EXAMPLES.keys() == ARCHITECTURES.keys()
        assert type(architecture(**options)) in ARCHITECTURES.values()

    def test_they_come_back_from_a_file(self, options):
        kind = architecture(**options).on(ends(options))
        recipe = json.loads(json.dumps(Recipe(architecture=kind).as_dict()))
        factory = getattr(kind, "factory", None)
        assert from_description(recipe, factory) == kind
        assert described(kind).items() <= recipe.items()
        del recipe[kind.option_names()[0]]
        with pytest.raises(StragError, match="does not say what its networks compute"):
            from_description(recipe, factory)

    def test_their_names_are_those_of_no_other_option(self, options):
        names = {"model", "architecture", *architecture(**options).option_names()}
        assert not names & Recipe.option_names()

    def test_layers_are_named_in_order(self, options):
        kind = architecture(**options).on(ends(options))
        assert len(set(kind.layers)) == len(kind.layers) > 0
        assert set(kind.default_layers) <= set(kind.layers)
        assert read_layers("all", kind) == kind.layers
        assert read_layers(",".join(map(str, reversed(kind.layers))), kind) == kind.layers
        assert read_layers(str(kind.input_layer), kind) == (kind.input_layer,)

    def test_costs_are_numbers_that_grow(self, options):
        kind, more = architecture(**options).on(ends(options)), ends(options, C + 3)
        forward, backward = kind.operations(ends(options))
        assert 0 < forward <= backward
        assert kind.operations(more)[0] > forward
        assert (
            kind.parameters(more)
            > kind.parameters(ends(options))
            == sum(values.numel() for values in kind.initial(ends(options), 0, 0).values())
        )
        assert min(kind.group_size(ends(options)), kind.tile(R, ends(options))) >= 1
        assert kind.held(ends(options)) >= 0
        recipe = Recipe(architecture=kind, runs=2, epochs=3)
        assert min(memory_parts(recipe, Size(P, 0, ends(options), P)).values()) > 0


class TestParameters:
    def test_the_initial_ones_follow_from_seed_and_run(self, options):
        kind = architecture(**options).on(ends(options))
        shapes = {name: tuple(values.shape) for name, values in kind.initial(ends(options), 0, 0).items()}
        assert list(shapes.items()) == list(kind.shapes(ends(options)).items())
        held = kind.held_at_zero(ends(options))
        for seed, run, is_same in ((0, 0, True), (0, 1, False), (0, 2, False), (1, 0, False)):
            first, other = kind.initial(ends(options), 0, 0), kind.initial(ends(options), seed, run)
            for name, values in first.items():
                is_constant = bool((values == values.flatten()[0]).all())  # held at zero, or of a norm
                assert torch.equal(values, other[name]) is (is_same or is_constant)
                assert values.any() or name in held or is_constant
        assert set(kind.drawn_by) <= {*described(kind), *kind.option_names()}

    def test_they_come_back_as_they_went(self, options, inputs):
        networks = built(options)
        state = networks.state()
        shapes = {name: values.shape[1:] for name, values in state.items()}
        assert misfit(shapes, architecture(**options).shapes(ends(options))) is None
        for parameter in networks.parameters.values():
            parameter.add_(0.1)
        moved = networks.state()
        again = built(options, dict(reversed(moved.items())))  # whatever the order in a file
        assert all(torch.equal(again.state()[name], values) for name, values in moved.items())
        assert torch.equal(again.visit(inputs.x)[0], networks.visit(inputs.x)[0])
        held = architecture(**options).held_at_zero(ends(options))
        assert networks.parameters.keys() == state.keys() - set(held)
        assert all((moved[name] != values).any() == (name not in held) for name, values in state.items())

    def test_others_are_refused(self, options, images):
        recipe = Recipe.of(runs=2, **options)
        task, _, _ = prepare(recipe, images)
        state = stack([recipe.architecture.initial(task.ends, 5, run) for run in range(4)])
        start_from(task, recipe, state, (0, 1, 2, 3), "w")
        assert all(torch.equal(task.initial[name], values[:2]) for name, values in state.items())
        name = next(iter(state))
        for wrong, words in (
            ({**state, "more": state[name]}, "has a parameter 'more', which these"),
            ({**state, name: state[name][:, :-1]}, f"has a parameter '{name}' of"),
            ({key: values for key, values in state.items() if key != name}, f"has no parameter '{name}'"),
        ):
            with pytest.raises(StragError, match=words):
                start_from(task, recipe, wrong, (0, 1, 2, 3), "w")


class TestVisit:
    @pytest.fixture(autouse=True)
    def _as_in_training(self):
        """An architecture that needs torch's history of gradients turns it on itself."""
        with torch.no_grad():
            yield

    def test_shapes_are_those_that_are_said(self, options, inputs):
        kind, networks = architecture(**options).on(ends(options)), built(options)
        layers = tuple(dict.fromkeys((kind.input_layer, *kind.layers)))
        logits, hidden = networks.visit(inputs.x, layers)
        assert (networks.runs, logits.shape) == (R, (R, C, P))
        assert hidden.keys() == set(layers)
        for layer, h in hidden.items():
            assert h.dtype == torch.float32
            assert tuple(h.shape) in {(runs, kind.units(layer, ends(options)), P) for runs in (1, R)}
        torch.testing.assert_close(hidden[kind.input_layer][0], inputs.x.t())
        assert networks.visit(inputs.x)[1] == {}

    def test_an_example_does_not_see_the_others(self, options, inputs):
        networks, order = built(options), torch.randperm(P, generator=torch.Generator().manual_seed(1))
        whole = networks.visit(inputs.x)[0].clone()
        torch.testing.assert_close(networks.visit(inputs.x[order])[0], whole[:, :, order])
        torch.testing.assert_close(networks.visit(inputs.x[:1])[0], whole[:, :, :1])

    def test_backward_is_the_slope(self, options, inputs):
        """Along a random direction in each parameter: the difference of two values, in each network."""
        networks, random, step = built(options), torch.Generator().manual_seed(2), 2e-5
        weights = torch.randn(R, C, P, generator=random)
        networks.visit(inputs.x, learn=True)
        networks.backward(weights.clone())
        for name, parameter in networks.parameters.items():
            direction, values = torch.randn(parameter.shape, generator=random), []
            for move in (step, -2 * step):
                parameter.add_(move * direction)
                values.append((networks.visit(inputs.x)[0] * weights).double().sum(dim=(1, 2)))
            parameter.add_(step * direction)
            along = (parameter.grad * direction).double().flatten(1).sum(dim=1)
            slope = (values[0] - values[1]) / (2 * step)
            usual = parameter.grad.flatten(1).norm(dim=1)  # of a slope in a random direction
            assert ((along - slope).abs() < 0.04 * usual).all(), name

    def test_gradients_add_up_and_start_anew(self, options, inputs):
        networks, slope = built(options), torch.ones(R, C, P) / P
        for _ in range(2):
            networks.visit(inputs.x, learn=True)
            networks.backward(slope.clone())
        twice = gradients(networks)
        networks.zero_grad()
        assert all((parameter.grad == 0).all() for parameter in networks.parameters.values())
        networks.visit(inputs.x, learn=True)
        networks.backward(slope.clone())
        assert_close({name: 2 * values for name, values in gradients(networks).items()}, twice)

    def test_batches_of_their_own_are_batches(self, options, inputs):
        """The same examples, shared or once for each network: the same logits and gradients."""
        networks, seen = built(options), []
        for x in (inputs.x, inputs.x.expand(R, -1, -1).contiguous()):
            networks.zero_grad()
            logits = networks.visit(x, learn=True)[0].clone()
            networks.backward(torch.ones(R, C, P) / P)
            seen.append({"logits": logits, **gradients(networks)})
        assert_close(*seen)

    @pytest.mark.parametrize("tile", [1, 7, 64])
    def test_a_pass_in_tiles_is_the_whole_pass(self, options, inputs, tile):
        layers, seen = architecture(**options).on(ends(options)).layers, []
        weight = (torch.rand(R, P, generator=torch.Generator().manual_seed(3)) < 0.8).float()
        for size in (P, tile):
            networks = built(options)
            networks.tile = size
            measured = full_pass(networks, inputs, layers, weight, learn=True)
            radii = {f"radii {n}": torch.from_numpy(m.radii()) for n, m in enumerate(measured.moments)}
            numbers = {"loss": torch.from_numpy(measured.loss), "error": torch.from_numpy(measured.error)}
            seen.append({**numbers, **radii, **gradients(networks)})
        assert_close(*seen)


class TestTraining:
    def test_a_run_is_the_same_whoever_its_neighbours_are(self, options, images):
        together, weights = trained(images, options, recipe={"runs": 5}, weights_at=(5,))
        alone, of_alone = trained(images, options, recipe={"runs": 1, "first_run": 3}, weights_at=(5,))
        assert_same(together, {name: values[:, 0] for name, values in alone.items()}, atol=1e-6, runs=3)
        for name, values in of_alone[5].items():
            torch.testing.assert_close(values[0], weights[5][name][3], atol=1e-6, rtol=0)

    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"batch_size": 20},
            {"batch_size": 20, "own_order": True},
            {"standardise": "channel"},
            {"standardise": "none"},
        ],
        ids=str,
    )
    def test_leaving_examples_out_by_weight_equals_training_on_the_slice(self, options, images, more):
        left_out = np.arange(3, P, 5)
        kept = np.setdiff1d(np.arange(P), left_out)
        weighted, _ = trained(images, options, recipe=more, removed=left_out)
        sliced, _ = trained(images.rows(kept), options, recipe=more)
        weighted["misclassified"] = weighted["misclassified"][:, :, kept]
        assert_same(weighted, sliced, atol=1e-5)

    def test_stored_parameters_continue_a_training(self, options, images):
        whole, weights = trained(images, options, weights_at=(3,))
        rest, _ = trained(
            images, options, recipe={"epochs": 2}, change=lambda task: setattr(task, "initial", weights[3])
        )
        for name in ("train_loss", "radius", "misclassified"):
            np.testing.assert_array_equal(rest[name], whole[name][3:])

    def test_it_learns(self, options, images):
        found, _ = trained(images, options, recipe={"epochs": 40, "record_every": "40"})
        assert (found["train_loss"][-1] < found["train_loss"][0] - 0.02).all()
