"""Contexts for a forward pass through a network that is being trained, after which all is as before."""

import collections
import contextlib
import copy
import itertools
import random
from types import ModuleType

import numpy as np
import torch

from strag.training.layers import version_of
from strag.training.seeds import states_kept

SEARCHED = 5_000  # objects among which generators are searched
LONGEST = 100  # parts of a list that are searched
_OF_EVERY_MODULE = vars(torch.nn.Module()).keys()  # attributes, without those that a network adds
_ALONE = (torch.Tensor, torch.nn.Module, np.ndarray, type, ModuleType)  # whose attributes are not searched


@contextlib.contextmanager
def unchanged(model):
    """A context in which a network is in evaluation mode, without gradients, and runs eagerly.

    Afterwards, the modes of all its modules are as before, and so are their attributes and buffers, whatever
    the passes change, and the random numbers of torch, numpy and Python, also those of generators that are
    attributes of the modules. An attribute that is changed in place, such as a list, keeps what is put into
    it.

    Autocast applies if it is on. Its cache is off, since it would keep weights without gradients for the
    training. Inference mode is off, since a tensor made in it and kept by the network cannot be trained with.
    """
    modules = list(model.modules())
    modes = [module.training for module in modules]
    kept = [vars(module) for module in modules]
    kept += [found["_buffers"] for found in kept if isinstance(found.get("_buffers"), dict)]
    attributes = [(now, dict(now)) for now in kept]
    buffers = [(buffer, version_of(buffer), buffer.clone()) for buffer in model.buffers()]
    added = [
        value for own in map(vars, modules) for name, value in own.items() if name not in _OF_EVERY_MODULE
    ]
    caching = torch.is_autocast_cache_enabled()
    try:
        with generators_kept(*added), states_kept(), _eager(), torch.inference_mode(False), torch.no_grad():
            torch.set_autocast_cache_enabled(False)
            for module in modules:  # not module.train(), which a network may override to change its weights
                module.training = False
            yield
    finally:
        torch.set_autocast_cache_enabled(caching)
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        for now, before in attributes:
            if now.keys() != before.keys() or any(now[name] is not before[name] for name in before):
                now.clear()
                now.update(before)
        for buffer, version, values in buffers:
            if version_of(buffer) != version or not _is_same(buffer, values):
                with torch.inference_mode(buffer.is_inference()), torch.no_grad():
                    buffer.copy_(values)


def _is_same(buffer, values):
    """Whether a buffer has these values. torch does not count a change through `data` as a version."""
    return bool(((buffer == values) | ((buffer != buffer) & (values != values))).all())


def _eager():
    """A context in which compiled functions run as they were written, and so call the hooks of modules."""
    compiles = "_dynamo" in vars(torch) and hasattr(torch.compiler, "set_stance")  # from torch 2.6 on
    return torch.compiler.set_stance("force_eager") if compiles else contextlib.nullcontext()


@contextlib.contextmanager
def generators_kept(*holders):
    """A context that leaves the generators of random numbers in objects and their attributes as before.

    holders : such as a DataLoader, whose samplers, data set and transforms may have generators of their own.
    """
    states = [(generator, _state_of(generator)) for generator in _generators(holders)]
    try:
        yield
    finally:
        for generator, state in states:
            if isinstance(generator, torch.Generator):
                generator.set_state(state)
            elif isinstance(generator, random.Random):
                generator.setstate(state)
            else:
                generator.state = state


def _state_of(generator):
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    return generator.getstate() if isinstance(generator, random.Random) else copy.deepcopy(generator.state)


def _generators(holders):
    """The generators in objects, their attributes and the attributes of these, nearest first: list.

    The parts of lists and dicts count as attributes; of long lists the first ones.
    """
    found, seen, waiting = [], {}, collections.deque(holders)
    while waiting and len(seen) < SEARCHED:
        part = waiting.popleft()
        if id(part) in seen or isinstance(part, (str, bytes, int, float)):
            continue
        seen[id(part)] = part
        if isinstance(part, (torch.Generator, random.Random, np.random.BitGenerator)):
            found.append(part)
        elif isinstance(part, np.random.Generator):
            waiting.append(part.bit_generator)
        elif isinstance(part, np.random.RandomState):
            waiting.append(part._bit_generator)
        elif isinstance(part, (list, tuple)):
            waiting.extend(part[:LONGEST])
        elif isinstance(part, dict):
            waiting.extend(itertools.islice(part.values(), LONGEST))
        elif not isinstance(part, _ALONE):
            waiting.extend(getattr(part, "__dict__", {}).values())
    return found
