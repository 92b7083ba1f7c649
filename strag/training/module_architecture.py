"""Architectures whose networks are torch modules."""

import copy
import functools
import math
from abc import abstractmethod
from dataclasses import dataclass

import torch

from strag.aside import printing_aside
from strag.errors import StragError, is_lack_of_memory
from strag.training.architecture import Architecture, Ends, misfit
from strag.training.factory import in_words
from strag.training.images import image_shape
from strag.training.laws import require_trainable
from strag.training.layers import EXAMPLES, output_of, place_of, seen_layers, split_name, units_of
from strag.training.modules import Modules
from strag.training.readout import readout_of
from strag.training.seeds import INITIAL, number, seeded

TILE = 256  # examples that are visited at a time


@dataclass(frozen=True)
class Seen:
    """What a network shows before it is trained.

    shapes : dict of the name of each parameter to its shape. layers : its Layers, in the order of the calls.
    """

    shapes: dict
    layers: tuple


class ModuleArchitecture(Architecture):
    """Networks that a function builds as torch modules.

    A subclass implements `module`. A layer is a submodule, by its name, or with `:mean` the mean of its
    output over all positions. Which layers there are is known `on` the ends of the networks.
    """

    takes_all = True
    built_by = None  # the function of a user that builds the networks; equal architectures may have others
    _seen = None

    @abstractmethod
    def module(self, ends):
        """Build a network with the present states of random numbers: torch.nn.Module, see `Factory.build`."""

    def seen(self, ends):
        """What a network with these Ends shows: Seen."""
        return _seen(self, self.built_by, ends.shape, ends.classes)

    def on(self, ends):
        """As `Architecture.on`; a network is built and called once."""
        bound = self.seeing(self.seen(ends))
        if not bound.layers:
            remedy = "make its nonlinearities modules, such as torch.nn.ReLU()"
            raise StragError(f"{self} has no submodule that can be measured", remedy, self.file)
        return bound

    def seeing(self, seen):
        """The architecture that knows what one of its networks shows, a Seen."""
        bound = copy.copy(self)
        object.__setattr__(bound, "_seen", seen)
        return bound

    @property
    def layers(self):
        """The layers that can be measured, without those that return the output of another one.

        None before `on`.
        """
        if self._seen is None:
            return None
        return tuple(layer.name for layer in self._seen.layers if not layer.fault and not layer.passes_on)

    def shown(self, ends):
        """As `Architecture.shown`."""
        return self.seen(ends).layers

    def readout(self, ends, layers):
        """As `Architecture.readout`, tried on a network that is built and called once."""
        hidden = [layer for layer in layers if layer != self.input_layer]
        with seeded(0):
            module = self.module(ends)
            return self.calling(lambda: readout_of(module, image_shape(ends.shape), hidden))

    def layer_named(self, text):
        """The name itself. Raises ValueError if it is empty."""
        if not split_name(text.strip())[0]:
            raise ValueError
        return text.strip()

    def place(self, layer):
        """As `Architecture.place`; the mean over positions follows its layer."""
        return place_of(layer, self._seen.layers if self._seen else ())

    def fault_of(self, layer):
        """As `Architecture.fault_of`."""
        if self._seen is None:
            return None
        name, is_mean = split_name(layer)
        found = {layer.name: layer for layer in self._seen.layers}.get(name)
        if found is None:
            return f"{self} has no layer {name}"
        if found.fault:
            return f"layer {name} of {self} {found.fault}"
        return f"layer {name} of {self} has no positions" if is_mean and len(found.shape) < 2 else None

    def units(self, layer, ends):
        """As `Architecture.units`."""
        if layer == self.input_layer:
            return ends.features
        found = {layer.name: layer for layer in self.seen(ends).layers}
        return units_of(layer, found[split_name(layer)[0]].shape)

    def shapes(self, ends):
        """As `Architecture.shapes`, with the module's own names in its order."""
        return self.seen(ends).shapes

    def initial(self, ends, seed, run):
        """The parameters of the network that is built with the random numbers of the run."""
        module = self._drawn(ends, seed, run)
        return {name: parameter.detach().clone() for name, parameter in module.named_parameters()}

    def _drawn(self, ends, seed, run):
        """The module that is built with the random numbers of a run."""
        with seeded(number(seed, run, INITIAL)):
            module = self.module(ends)
        shapes = {name: parameter.shape for name, parameter in module.named_parameters()}
        if fault := misfit(shapes, self.shapes(ends)):
            problem = f"a network of another run {fault}"
            raise StragError(problem, "do not draw sizes at random; pass them as `model_args`", self.file)
        return module

    def networks(self, state, ends, columns, precision, device):
        """Build the Modules with these parameters. All inputs are used."""
        runs = len(next(iter(state.values())))
        with seeded(0):
            modules = [self.module(ends) for _ in range(runs)]
        return Modules(modules, state, ends, self.tile(1, ends), device, self.calling)

    def require_lawful(self, task):
        """As `Architecture.require_lawful`, tried on some examples by networks of several runs."""
        tried = [self._drawn(task.ends, seed, 0) for seed in (0, 0, 1)]
        x = torch.as_tensor(task.x[:TILE])
        self.calling(lambda: require_trainable(*tried, x, task.shape, task.classes))

    def calling(self, function):
        """What a function returns that calls a network.

        Errors of the network become a StragError about the file.
        """
        try:
            with printing_aside():
                return function()
        except StragError as error:
            raise error.about(self.file) from None
        except (Exception, SystemExit) as error:
            if is_lack_of_memory(error):
                raise
            remedy = "correct the network, or pass data of the shape that it takes"
            raise StragError(f"{self} raises {in_words(error, self.file)}", remedy, self.file) from None

    def operations(self, ends):
        """As `Architecture.operations`, counted by torch in a pass over one example."""
        return _operations(self, self.built_by, ends.shape, ends.classes)

    def group_size(self, ends):
        """One run: networks take turns, so others would gain nothing."""
        return 1

    def tile(self, runs, ends):
        """As `Architecture.tile`: so few that the outputs of small layers stay in the cache."""
        return TILE

    def held(self, ends):
        """As `Architecture.held`: the outputs of all layers, and their slopes."""
        return 2 * sum(math.prod(layer.shape) for layer in self.seen(ends).layers if layer.shape)


@functools.lru_cache(maxsize=16)
def _seen(architecture, _function, shape, classes):
    """See `ModuleArchitecture.seen`."""
    with seeded(0):
        module = architecture.module(Ends(shape, math.prod(shape), classes))
        layers, output = architecture.calling(lambda: seen_layers(module, image_shape(shape)))
    if output[1:] != (classes,):
        problem = f"{architecture} returns an output of shape {output} for {EXAMPLES} examples"
        raise StragError(problem, f"return logits of shape [B, {classes}]", architecture.file)
    parameters = dict(module.named_parameters())
    shapes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
    return Seen(shapes, layers)


@functools.lru_cache(maxsize=16)
def _operations(architecture, _function, shape, classes):
    """See `ModuleArchitecture.operations`."""
    from torch.utils.flop_counter import FlopCounterMode  # loads more of torch

    with seeded(0):
        module = architecture.module(Ends(shape, math.prod(shape), classes))
        return architecture.calling(lambda: _counted(module, shape, FlopCounterMode(display=False)))


def _counted(module, shape, counter):
    """The operations of a module on one example, see `Architecture.operations`, in a context that counts."""
    with counter, torch.enable_grad():
        logits = output_of(module(torch.zeros(1, *image_shape(shape))), module)
        forward = counter.get_total_flops()
        logits.sum().backward()
        whole = counter.get_total_flops()
    return forward, whole - forward
