"""Networks for `strag train --model networks.py:NAME`: functions (shape, classes, **args) of a module.

shape is (channels, height, width) for images, or (inputs,); classes is the number of logits. The random
numbers of torch follow from the seed and the run, so the function need not seed anything.
"""

import itertools
import math

from torch import nn


class Block(nn.Module):
    """y = relu(x + f(x)), f two convolutions 3 x 3 with GroupNorm.

    GroupNorm treats every example by itself; BatchNorm would not, and strag refuses it.
    """

    def __init__(self, width, groups):
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(groups, width), nn.ReLU()
        )
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(groups, width))
        self.act = nn.ReLU()  # a module of its own, so that its output is a layer: block1.act

    def forward(self, x):
        return self.act(x + self.second(self.first(x)))


def residual(shape, classes, width=8, blocks=2, groups=4):
    """A small residual network: a convolution with stride 2, blocks, the mean over positions, a readout."""
    net = nn.Sequential()
    net.add_module("stem", nn.Conv2d(shape[0], width, 5, stride=2, padding=2))
    net.add_module("act", nn.ReLU())
    for number in range(1, blocks + 1):
        net.add_module(f"block{number}", Block(width, groups))
    net.add_module("pool", nn.AdaptiveAvgPool2d(1))
    net.add_module("flatten", nn.Flatten())
    net.add_module("head", nn.Linear(width, classes))
    return net


def perceptron(shape, classes, width=20, depth=2):
    """The perceptrons of `--model mlp` with tanh, as a module; its first hidden layer is called act1."""
    sizes = [math.prod(shape), *[width] * (depth - 1)]
    net = nn.Sequential()
    net.add_module("flatten", nn.Flatten())
    for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes), start=1):
        net.add_module(f"linear{number}", nn.Linear(inputs, outputs))
        net.add_module(f"act{number}", nn.Tanh())
    net.add_module("head", nn.Linear(sizes[-1], classes))
    return net
