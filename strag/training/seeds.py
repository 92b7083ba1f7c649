"""Every random number of a training, from the seed alone."""

import itertools

import numpy as np
import torch

INITIAL, ORDER, NOISE = 0, 1, 2  # streams


def generator(seed, *place):
    """A torch generator on the CPU, seeded by SeedSequence([seed, *place]).

    place : two or three numbers below 2**32, the stream second and none of them 0 where it is third.
    SeedSequence takes a short key as if zeros followed it and a long number as several short ones, so
    every number gets a word of its own, and what a seed has beyond 32 bits comes last: other arguments,
    another stream.
    """
    first, second, third = (*place, 0)[:3]
    beyond = [seed >> 32] if seed >> 32 else []
    state = np.random.SeedSequence([seed % 2**32, first, second, third, *beyond]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


def initial_layer(inputs, outputs, random):
    """Weight [outputs, inputs] and bias [outputs], drawn as `nn.Linear` draws them.

    Uniform between -1/sqrt(fan_in) and 1/sqrt(fan_in), weight before bias.
    """
    bound = inputs**-0.5
    weight = torch.empty(outputs, inputs).uniform_(-bound, bound, generator=random)
    bias = torch.empty(outputs).uniform_(-bound, bound, generator=random)
    return weight, bias


def initial_weights(sizes, seed, run):
    """Layers (weight, bias) of run `run`, whoever its neighbours are; `sizes` are d, N, ..., C."""
    random = generator(seed, run, INITIAL)
    return [initial_layer(n, m, random) for n, m in itertools.pairwise(sizes)]


def epoch_order(rows, seed, epoch, run=None):
    """Order of the origin's rows in one epoch, shared by all runs unless `run` is given: int64 [rows]."""
    key = (seed, epoch, ORDER) if run is None else (seed, epoch, ORDER, 1 + run)
    return torch.randperm(rows, generator=generator(*key))


def noise_array(examples, inputs, seed):
    """Standard normal noise for the test inputs, one array for all runs and conditions."""
    return torch.randn(examples, inputs, generator=generator(seed, 0, NOISE))
