"""Every random number of a training, from the seed alone."""

import itertools

import numpy as np
import torch

INITIAL, ORDER, NOISE = 0, 1, 2  # streams


def generator(*key):
    """A torch generator on the CPU, seeded by SeedSequence(key)."""
    state = np.random.SeedSequence(key).generate_state(1, np.uint64)
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
    return torch.randn(examples, inputs, generator=generator(seed, NOISE))
