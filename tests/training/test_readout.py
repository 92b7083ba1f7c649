"""The linear head of a network: found where its logits are those of a Linear on a layer."""

import numpy as np
import pytest
import torch
from torch import nn

from strag.training.architecture import Ends
from strag.training.architectures import architecture
from strag.training.readout import Readout, head_of, readout_of
from tests.networks import example

ENDS = Ends((6, 6), 36, 3)


class Own(nn.Module):
    """A network whose head reads what is no layer's output, or whose logits are changed afterwards."""

    def __init__(self, way):
        super().__init__()
        self.act, self.head, self.way = nn.Tanh(), nn.Linear(36, 3), way

    def forward(self, x):
        h = self.act(x.flatten(1))
        logits = self.head(2 * h if self.way == "scaled" else h)
        return logits.log_softmax(1) if self.way == "softmax" else logits


def test_a_perceptron_has_the_last_of_its_layers():
    for depth in (2, 4):
        head = architecture(depth=depth).readout(ENDS, range(depth))
        assert head == Readout(depth - 1, f"layer{depth}.weight", f"layer{depth}.bias")
        assert architecture(depth=depth).readout(ENDS, range(depth - 1)) is None
    assert architecture(depth=1).readout(ENDS, (0,)) is None


def test_a_convolutional_network_has_its_last_map():
    built = architecture(model="cnn", channels=(4, 5)).on(ENDS)
    assert built.readout(ENDS, ("conv1", "conv2")) == Readout("conv2", "head.weight", "head.bias")
    assert built.readout(ENDS, ("input", "conv1", "conv2:mean")) is None


def test_a_network_of_a_function():
    built = architecture(model=example("perceptron")).on(ENDS)
    head = built.readout(ENDS, built.layers)
    assert head.layer in built.layers
    assert built.shapes(ENDS)[head.weight][0] == 3


def test_a_head_without_a_bias():
    module = nn.Sequential(nn.Flatten(), nn.Linear(36, 5), nn.ReLU(), nn.Linear(5, 3, bias=False))
    assert readout_of(module, (1, 6, 6), ("1", "2")) == Readout("2", "3.weight", None)


def test_a_head_on_the_mean_over_positions():
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), *pooled, nn.Linear(4, 3))
    assert readout_of(module, (1, 6, 6), ("1",)) is None
    assert readout_of(module, (1, 6, 6), ("1:mean",)) == Readout("1:mean", "4.weight", "4.bias")
    assert readout_of(module, (1, 6, 6), ("2",)) == Readout("2", "4.weight", "4.bias")


@pytest.mark.parametrize("way", ["plain", "scaled", "softmax"])
def test_a_head_is_one_only_if_it_reads_a_layer_and_writes_the_logits(way):
    expected = Readout("act", "head.weight", "head.bias") if way == "plain" else None
    assert readout_of(Own(way), (1, 6, 6), ("act",)) == expected


def test_it_draws_no_random_numbers_and_leaves_no_hook():
    module = Own("plain")
    before = torch.get_rng_state()
    readout_of(module, (1, 6, 6), ("act",))
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(m._forward_hooks for m in module.modules())


def test_the_head_of_some_networks():
    weight, bias = np.ones((2, 3, 5), np.float32), np.ones((2, 3), np.float32)
    found = head_of({"w": weight, "b": bias}, Readout(1, "w", "b"))
    assert (found["head_weight"] is weight, found["head_bias"] is bias) == (True, True)
    assert not head_of({"w": weight}, Readout(1, "w", None))["head_bias"].any()
    assert head_of({}, None) == {}
