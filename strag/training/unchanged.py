"""A context for forward passes through a network that is being trained, after which it is as before."""

import contextlib

import torch

from strag.training.layers import version_of
from strag.training.seeds import states_kept


@contextlib.contextmanager
def unchanged(model):
    """A context in which a network is in evaluation mode, without gradients, and runs eagerly.

    Afterwards, the modes of all its modules are as before, and so are their attributes and buffers, whatever
    the passes change, and the random numbers of torch, numpy and Python. An attribute that is changed in
    place, such as a list, keeps what is put into it.

    Autocast applies if it is on. Its cache is off, since it would keep weights without gradients for the
    training. Inference mode is off, since a tensor made in it and kept by the network cannot be trained with.
    """
    modules = list(model.modules())
    modes = [module.training for module in modules]
    kept = [vars(module) for module in modules]
    kept += [found["_buffers"] for found in kept if isinstance(found.get("_buffers"), dict)]
    attributes = [(now, dict(now)) for now in kept]
    buffers = [(buffer, version_of(buffer), buffer.clone()) for buffer in model.buffers()]
    caching = torch.is_autocast_cache_enabled()
    try:
        with states_kept(), _eager(), torch.inference_mode(False), torch.no_grad():
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
            if version_of(buffer) != version:
                with torch.no_grad():
                    buffer.copy_(values)


def _eager():
    """A context in which compiled functions run as they were written, and so call the hooks of modules."""
    compiles = "_dynamo" in vars(torch) and hasattr(torch.compiler, "set_stance")  # from torch 2.6 on
    return torch.compiler.set_stance("force_eager") if compiles else contextlib.nullcontext()
