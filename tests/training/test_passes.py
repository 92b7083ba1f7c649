"""The moments that a pass over the examples sums up are those of geometry.moments."""

import numpy as np
import pytest
import torch

from strag.geometry.moments import ClassMoments, normalise
from strag.training.architecture import Ends
from strag.training.passes import Inputs, full_pass
from strag.training.perceptron import Perceptron

R, P, D, N, C = 3, 2500, 6, 8, 4  # examples for more than one tile, the last of them not full


@pytest.fixture(params=["tanh", "relu", "gelu"])
def networks(request):
    """Networks of two hidden layers; some representations vanish under relu."""
    random = torch.Generator().manual_seed(0)
    kind, ends = Perceptron(depth=3, width=N, activation=request.param), Ends((D,), D, C)
    state = {name: torch.randn(R, *shape, generator=random) for name, shape in kind.shapes(ends).items()}
    state["layer1.bias"].sub_(2)
    return kind.networks(state, ends, torch.arange(D), "float32", "cpu")


def inputs_and_labels():
    random = np.random.default_rng(0)
    labels = random.integers(C - 1, size=P)  # the last class is empty
    return random.normal(size=(P, D)).astype(np.float32) + labels[:, None], labels


def hidden_by_hand(networks, x):
    """Input and hidden activations of every run in double precision: list of [R, P, N]."""
    act = {"tanh": torch.tanh, "relu": torch.relu, "gelu": torch.nn.functional.gelu}[networks.activation]
    h, seen = torch.from_numpy(x).double().expand(R, P, D), []
    state = networks.state()
    for number in (1, 2, 3):
        seen.append(h.numpy())
        weight, bias = (state[f"layer{number}.{what}"].double() for what in ("weight", "bias"))
        h = act(h @ weight.transpose(1, 2) + bias[:, None])
    return seen


def assert_same_moments(found, expected):
    np.testing.assert_array_equal(found.count, expected.count)
    for name in ("means", "mean_norm2", "radii", "distances"):
        values = (getattr(moments, name)() for moments in (found, expected))
        np.testing.assert_allclose(*values, atol=1e-6, rtol=0, err_msg=name)


@pytest.mark.parametrize("weighted", [False, True])
def test_moments_are_those_of_the_normalised_representations(networks, weighted):
    x, labels = inputs_and_labels()
    kept = np.random.default_rng(1).random((R, P)) < (0.7 if weighted else 2)
    trained = torch.from_numpy(kept).float() if weighted else None
    with torch.no_grad():
        measured = full_pass(networks, Inputs.of(x, labels, C, "cpu"), (0, 1, 2), trained)
    for moments, h in zip(measured.moments, hidden_by_hand(networks, x), strict=True):
        for run in range(R):
            expected = ClassMoments.of(normalise(h[run][kept[run]]), labels[kept[run]], C)
            found = ClassMoments(moments.count[run], moments.total[run], moments.norm2[run])
            assert_same_moments(found, expected)
    if networks.activation == "relu":
        assert (measured.moments[1].mean_norm2()[:, : C - 1] < 1 - 1e-3).any()


def test_radii_and_distances_do_not_change_under_rotation():
    """Inputs turned about the origin: all that a pass measures of layer 0 stays."""
    x, labels = inputs_and_labels()
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(D, D)))[0].astype(np.float32)
    kind, ends = Perceptron(depth=1), Ends((D,), D, C)
    state = {name: torch.zeros(1, *shape) for name, shape in kind.shapes(ends).items()}
    networks = kind.networks(state, ends, torch.arange(D), "float32", "cpu")
    with torch.no_grad():
        plain, turned = (
            full_pass(networks, Inputs.of(inputs, labels, C, "cpu"), (0,)).moments[0]
            for inputs in (x, x @ turn)
        )
    assert np.abs(plain.means() - turned.means())[0, : C - 1].max() > 0.1
    for name in ("radii", "distances", "mean_norm2"):
        values = (getattr(moments, name)() for moments in (plain, turned))
        np.testing.assert_allclose(*values, atol=1e-6, rtol=0, err_msg=name)
