"""All random numbers of training. They follow from the seed alone."""

import contextlib
import itertools
import random as python_random

import numpy as np
import torch

INITIAL, ORDER, NOISE = 0, 1, 2  # numbers of the streams: weights, order of examples, test noise


def number(seed, *place):
    """Return the number that seeds a generator; different arguments give different streams of numbers.

    For seeds below 2**32 it is drawn from SeedSequence([seed, *place]).

    place : two or three numbers below 2**32. The second is the stream; a third must not be 0. SeedSequence
    extends a short key by zeros and splits a number of more than 32 bits into several. Therefore each
    number here fills one 32-bit word, a missing third number is 0, and the bits of the seed beyond 32 come
    last.
    """
    first, second, third = (*place, 0)[:3]
    beyond = [seed >> 32] if seed >> 32 else []
    state = np.random.SeedSequence([seed % 2**32, first, second, third, *beyond]).generate_state(1, np.uint64)
    return int(state[0])


def generator(seed, *place):
    """Return a torch generator on the CPU that is seeded by the `number` of these arguments."""
    return torch.Generator().manual_seed(number(seed, *place))


@contextlib.contextmanager
def states_kept():
    """A context that leaves the random numbers of torch, numpy and Python as they are before it."""
    states = np.random.get_state(), python_random.getstate()
    cards = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    apple = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    try:
        with torch.random.fork_rng(devices=cards):
            yield
    finally:
        np.random.set_state(states[0])
        python_random.setstate(states[1])
        if apple is not None:
            torch.mps.set_rng_state(apple)


@contextlib.contextmanager
def seeded(seed):
    """A context in which the random numbers of torch, numpy and Python follow from a number below 2**64.

    Their states are as before afterwards.
    """
    with states_kept():
        torch.manual_seed(seed)
        np.random.seed([seed >> 32, seed % 2**32])
        python_random.seed(seed)
        yield


def initial_layer(inputs, outputs, random):
    """Draw a weight [outputs, inputs] and a bias [outputs] from the distribution of `nn.Linear`.

    Both are uniform between -1/sqrt(inputs) and 1/sqrt(inputs). The weight is drawn before the bias.
    """
    bound = inputs**-0.5
    weight = torch.empty(outputs, inputs).uniform_(-bound, bound, generator=random)
    bias = torch.empty(outputs).uniform_(-bound, bound, generator=random)
    return weight, bias


def initial_weights(sizes, seed, run):
    """Draw the initial (weight, bias) of every layer of run `run`: list. sizes : d, N, ..., C."""
    random = generator(seed, run, INITIAL)
    return [initial_layer(n, m, random) for n, m in itertools.pairwise(sizes)]


def epoch_order(rows, seed, epoch, run=None):
    """Draw the order of the origin's rows in one epoch: int64 [rows]. Without `run`, all runs share it."""
    key = (seed, epoch, ORDER) if run is None else (seed, epoch, ORDER, 1 + run)
    return torch.randperm(rows, generator=generator(*key))


def noise_array(examples, inputs, seed):
    """Draw the standard normal noise on the test inputs, [examples, inputs], which all runs share."""
    return torch.randn(examples, inputs, generator=generator(seed, 0, NOISE))
