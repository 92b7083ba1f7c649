"""The laws that a network which is a torch module obeys, so that strag can train or measure it.

They are tested by what the network does with some examples. Its class does not matter.
"""

from contextlib import contextmanager

import torch

from strag.errors import StragError
from strag.training.images import as_images
from strag.training.layers import output_of
from strag.training.seeds import seeded
from strag.words import number_of

CLOSE = 1e-3  # largest difference of logits that is rounding, relative to the largest logit
STEP = 0.1  # a change of parameters, relative to their size or to that of usual initial weights


def require_trainable(first, same, other, x, shape, classes):
    """Raise StragError unless a network follows from the random numbers of its run, and obeys all laws.

    Its parameters follow from the states of random numbers, and its output from its parameters: the initial
    ones, and others, see `changed`.

    first, same, other : networks of one factory. The first two were built with the same random numbers.
    x : float32 [B, d], examples to try them on. shape : shape of an example in the data set. classes : number
    of groups.
    """
    _require_own_memory(first, other)
    if not _are_equal(first.named_parameters(), same.named_parameters()):
        problem = "the same random numbers give other parameters when the network is built again"
        raise StragError(problem, "draw from torch, numpy.random or random, without a generator of your own")
    buffers = {name: buffer.clone() for name, buffer in first.named_buffers()}
    for name, buffer in other.named_buffers():
        if name not in buffers or not torch.equal(buffer, buffers[name]):
            raise StragError(f"the network draws its buffer '{name}' at random", "make it a parameter")
    images = as_images(x.clone(), shape)
    if not logits_of(first, images, classes).requires_grad:
        problem = "the output of the network has no gradient"
        raise StragError(problem, "remove torch.no_grad, detach and the like from its forward pass")
    _require_lawful(first, other, images, classes, buffers)
    with changed(first):
        _require_lawful(first, other, images, classes, buffers)


def _require_lawful(module, other, images, classes, buffers):
    """Raise StragError if the output of a module depends on more than an example and its parameters.

    other : another network of its factory, which gets its parameters. buffers : those of the module at first.
    """
    remedy = (
        "replace BatchNorm by GroupNorm and remove dropout, or train the network in a loop of your own and "
        "record it with strag.Recorder"
    )
    require_single(module, images, classes, remedy)
    for parameter, values in zip(other.parameters(), module.parameters(), strict=True):
        parameter.data = values.detach().clone()
    if not _are_close(_outputs(module, images, classes), _outputs(other, images, classes)):
        problem = "the output of the network depends on random numbers that are not its parameters"
        raise StragError(problem, "make them parameters; without requires_grad they are not trained")
    for name, buffer in module.named_buffers():
        if not torch.equal(buffer, buffers[name]):
            raise StragError(f"the network changes its buffer '{name}' when it is called", remedy)


@contextmanager
def changed(module):
    """A context in which the parameters of a module that are trained have other values, none of them zero.

    Parameters that are zero at first, as in a last layer or at the end of a residual branch, hide what comes
    before them until they are trained.
    """
    before = [parameter.detach().clone() for parameter in module.parameters()]
    with seeded(0), torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad and parameter.numel():
                inputs = parameter[0].numel() if parameter.ndim else 1
                size = max(float(parameter.abs().square().mean().sqrt()), inputs**-0.5)
                parameter.add_(torch.randn_like(parameter), alpha=STEP * size)
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, values in zip(module.parameters(), before, strict=True):
                parameter.copy_(values)


def require_single(module, images, classes, remedy):
    """Raise StragError unless a network treats every example by itself and draws no random numbers.

    images : [B, ...], examples as the network takes them. classes : number of its logits. remedy : for a
    network that does not.
    """
    with seeded(0):
        whole = _outputs(module, images, classes)
    with seeded(1):
        again = _outputs(module, images, classes)
    if not torch.equal(whole, again):
        raise StragError("the network draws random numbers when it is called, as dropout does", remedy)
    for cut in (len(images) // 3, 1):
        parts = [_outputs(module, part, classes) for part in (images[:cut], images[cut:]) if len(part)]
        if not _are_close(whole, torch.cat(parts)):
            problem = "the output of an example depends on the other examples of its batch, as with BatchNorm"
            raise StragError(problem, remedy)


def logits_of(module, images, classes):
    """The logits [B, C] that a module returns for examples.

    images : [B, ...], examples as the module takes them, whose memory other networks may read, too.

    Raises StragError if the module changes them, and for an output of another shape.
    """
    version = images._version
    logits = output_of(module(images), module)
    if images._version != version:
        problem = "the network changes its input in place"
        raise StragError(problem, "make its first operation return a copy")
    if logits.shape != (len(images), classes):
        examples = number_of(len(images), "example")
        problem = f"the network returns an output of shape {tuple(logits.shape)} for {examples}"
        raise StragError(problem, f"return logits of shape [B, {classes}]")
    if logits.is_complex():
        raise StragError("the network returns complex numbers", "return logits that are real numbers")
    return logits


@torch.no_grad()
def _outputs(module, images, classes):
    """The logits of a module, with numbers in place of those that are not finite."""
    return logits_of(module, images.clone(), classes).nan_to_num()


def _are_close(logits, others):
    """Whether logits differ by no more than rounding."""
    return bool(((logits - others).abs() <= CLOSE * logits.abs().max()).all())


def _are_equal(named, others):
    """Whether two lists of (name, parameter) have the same names, shapes and values."""
    ours, theirs = dict(named), dict(others)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def _require_own_memory(module, other):
    """Raise StragError if a parameter shares memory with one of another network, or with another one."""
    if {id(parameter) for parameter in module.parameters()} & {id(p) for p in other.parameters()}:
        raise StragError("two networks share their parameters", "build all of them at every call")
    names = {}
    for name, parameter in module.named_parameters():
        start = parameter.untyped_storage().data_ptr(), parameter.storage_offset()
        if parameter.numel() and names.setdefault(start, name) != name:
            problem = f"the parameters '{names[start]}' and '{name}' are the same numbers in memory"
            raise StragError(problem, "use one torch.nn.Parameter for both, or clone its values")
