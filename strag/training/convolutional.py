"""Small convolutional networks."""

import itertools
from collections import OrderedDict
from dataclasses import dataclass

import torch

from strag.errors import StragError
from strag.training.convolution import KERNEL, PADDING, STRIDE, Halving, halved
from strag.training.images import image_shape
from strag.training.layers import split_name
from strag.training.module_architecture import ModuleArchitecture
from strag.values import checked_fields, choice, several, whole

LARGEST_CHANNELS = 65536
_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu}


class Convolution(torch.nn.Conv2d):
    """A convolution 5 x 5 with stride 2 and padding 2, and the nonlinearity after it."""

    def __init__(self, channels, maps, activation):
        super().__init__(channels, maps, KERNEL, STRIDE, PADDING)
        self._act = _ACTIVATIONS[activation]

    def forward(self, x):
        """The map [B, maps, halved(h), halved(w)] of x [B, channels, h, w]."""
        return self._act(Halving.apply(x, self.weight, self.bias))


class Readout(torch.nn.Linear):
    """A linear readout of the flattened map."""

    def forward(self, x):
        """The logits [B, C] of a map."""
        return super().forward(x.flatten(1))


def channels_check(value, name):
    """The check of `channels`: natural numbers, or a text of them such as `8,16`; tuple of int."""
    if isinstance(value, str):
        value = [int(part) if part.strip().isdecimal() else part for part in value.split(",")]
    return several(whole(1, LARGEST_CHANNELS), "numbers of channels such as (8, 16)", fewest=1)(value, name)


@checked_fields(channels=channels_check, activation=choice(*_ACTIVATIONS))
@dataclass(frozen=True)
class Convolutional(ModuleArchitecture):
    """Networks of convolutions 5 x 5 with stride 2 and padding 2, and a linear readout of the flattened map.

    The layers conv1, conv2 and so on are the maps after the nonlinearity. The parameters are those of torch's
    Conv2d and Linear: conv1.weight [channels, c, 5, 5], conv1.bias [channels], ..., head.weight, head.bias.

    Parameters
    ----------
    channels : number of channels of each convolution of `model` cnn.
    activation : nonlinearity of the hidden layers, "tanh" or "relu".
    """

    channels: tuple = (8, 16)
    activation: str = "tanh"

    drawn_by = ("channels",)

    def __str__(self):
        return f"a cnn of {len(self.channels)} convolution{'s' if len(self.channels) > 1 else ''}"

    @property
    def layers(self):
        """The maps conv1, conv2 and so on."""
        return tuple(f"conv{number}" for number in range(1, len(self.channels) + 1))

    def shown(self, ends):
        """As `Architecture.shown`: the maps."""
        return tuple(layer for layer in super().shown(ends) if layer.name in self.layers)

    def place(self, layer):
        """As `Architecture.place`; the mean over positions follows its layer."""
        name, is_mean = split_name(layer)
        return self.layers.index(name) if name in self.layers else len(self.layers), is_mean

    def fault_of(self, layer):
        """As `Architecture.fault_of`."""
        name, _ = split_name(layer)
        return None if name in self.layers else f"{self} has no layer {name}"

    def module(self, ends):
        """As `ModuleArchitecture.module`. Raises StragError for examples that are no images."""
        shape = image_shape(ends.shape)
        if len(shape) != 3:
            problem = f"`model` cnn needs images, but an example has shape {tuple(ends.shape)}"
            raise StragError(problem, "pass images of shape (h, w) or (c, h, w), or use `model` mlp")
        channels, h, w = shape
        maps = OrderedDict()
        for layer, (below, above) in zip(
            self.layers, itertools.pairwise((channels, *self.channels)), strict=True
        ):
            maps[layer] = Convolution(below, above, self.activation)
            h, w = halved(h), halved(w)
        maps["head"] = Readout(self.channels[-1] * h * w, ends.classes)
        return torch.nn.Sequential(maps)
