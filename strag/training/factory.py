"""A function of the user that builds a network, and the network that it builds, checked."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from strag.aside import printing_aside
from strag.errors import StragError, StragNote, is_lack_of_memory, warn_of
from strag.words import some_of


@dataclass(frozen=True)
class Factory:
    """A function that builds networks: function(shape, classes, **args) returns a torch.nn.Module.

    The module maps x, float32 [B, *shape], to logits, [B, classes]. Its examples are independent of each
    other, and it draws no random numbers when it is called.

    Attributes
    ----------
    name : name of the function. source : sha256 of the file that it comes from, in hexadecimal.
    function : the function itself. file : name of the file, for messages. again : a function and its
    arguments, which return this Factory in another process; None if that is not possible.
    """

    name: str
    source: str
    function: Callable = field(compare=False, repr=False)
    file: str | None = field(default=None, compare=False, repr=False)
    again: tuple | None = field(default=None, compare=False, repr=False)

    def __reduce__(self):
        if self.again is None:
            raise StragError(f"{self.name} cannot be sent to another process", "remove `workers`")
        return self.again

    def build(self, shape, classes, args):
        """Build a network; its random numbers are torch's, numpy's and Python's.

        shape : (c, h, w) or (d,). args : dict of further arguments.

        Raises StragError if the function raises an error, and if it does not return a network of float32
        parameters.
        """
        shown = [f"{shape}", f"{classes}", *(f"{name}={value!r}" for name, value in args.items())]
        call = f"{self.name}({', '.join(shown)})"
        try:
            with printing_aside():
                module, undone = unwrapped(self.function(shape, classes, **args))
                if undone:
                    text = f"its networks are used without {some_of(undone)}, which hides their layers"
                    warn_of(self.file or self.name, text, StragNote)
                return checked_module(module, shape, call)
        except StragError as error:
            raise error.about(self.file) from None
        except (Exception, SystemExit) as error:
            if is_lack_of_memory(error):
                raise
            remedy = "correct the factory or its arguments"
            raise StragError(f"{call} raises {in_words(error, self.file)}", remedy, self.file) from None


def in_words(error, file=None):
    """An exception in one line: its type, its first line, and the line of the user's file that raised it."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    frames = traceback.walk_tb(error.__traceback__)
    numbers = [number for frame, number in frames if frame.f_code.co_filename == file]
    return f"{text} (line {numbers[-1]})" if numbers else text


def is_network(value):
    """Whether a value is a torch.nn.Module."""
    return isinstance(value, torch.nn.Module)


def unwrapped(module):
    """A module without torch.compile and DataParallel, also in its parts, and the names of those: list.

    They hide the layers from hooks, and compiled arithmetic may depend on how many examples a pass has. What
    is not a module is returned as it is.
    """
    if not is_network(module):
        return module, []
    undone = set()
    module = _inner(module, undone)
    for part in list(module.modules()):
        for name, child in list(part._modules.items()):
            if (inner := _inner(child, undone)) is not child:
                part._modules[name] = inner
        if part._compiled_call_impl is not None:  # by part.compile()
            part._compiled_call_impl = None
            undone.add("torch.compile")
    return module, sorted(undone)


def _inner(module, undone):
    """The module inside of all wrappers, whose names are added to a set."""
    while True:
        if isinstance(module, torch.nn.DataParallel):
            module = module.module
            undone.add("DataParallel")
        elif hasattr(module, "_orig_mod"):
            module = module._orig_mod
            undone.add("torch.compile")
        else:
            return module


@torch.no_grad()
def _complete(module, shape):
    """Give lazy parameters their shapes, by a pass in evaluation mode, which changes no other buffers.

    Layers that are called in training mode alone need a pass in that mode.
    """
    lazy = torch.nn.parameter.UninitializedTensorMixin
    modes = [(child, child.training) for child in module.modules()]
    for mode in (False, True):
        if any(isinstance(parameter, lazy) for parameter in module.parameters()):
            module.train(mode)(torch.zeros(2, *shape))
    for child, mode in modes:
        child.training = mode


def checked_module(module, shape, call):
    """The module, once it has parameters that can be trained. call : how it was made, for messages.

    Raises StragError for what is not a module, and for one without trainable float32 parameters on the CPU.
    """
    if not is_network(module):
        raise StragError(f"{call} returns {type(module).__name__}", "return a torch.nn.Module")
    _complete(module, shape)
    parameters = dict(module.named_parameters())
    if not any(parameter.requires_grad for parameter in parameters.values()):
        raise StragError(f"{call} returns a network without parameters to train", "return one that has some")
    for name, parameter in parameters.items():
        if parameter.dtype != torch.float32:
            kind = str(parameter.dtype).removeprefix("torch.")
            problem = f"{call} returns a network whose parameter '{name}' is {kind}"
            raise StragError(problem, "make all parameters float32")
        if parameter.device.type != "cpu":
            problem = f"{call} returns a network whose parameter '{name}' is on {parameter.device}"
            raise StragError(problem, "build it on the CPU; it is moved to the `device`")
    return module
