"""What an architecture is: all that training, dumping and planning need to know of the networks.

An `Architecture` holds the options of one kind of network and answers, without building anything, what
follows from them: layers, parameters, cost. Its `networks` are a group of networks on a device. Both meet
the outside by names: of parameters, which are the names in weights files, and of layers.

To add an architecture, write a module with these two classes, enter it in
`strag.training.architectures`, and give `strag train` its options. The tests of the laws that every
architecture obeys (tests/training/test_architectures.py) then ask for examples of it.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields

import torch


@dataclass(frozen=True)
class Ends:
    """What lies at the two ends of a network.

    shape : of an example, such as (784,) or (3, 32, 32). columns : number of inputs that are used, of all
    prod(shape); the others are zero for every example. classes : number of logits.
    """

    shape: tuple
    columns: int
    classes: int

    @property
    def features(self):
        """Number of inputs d, used or not."""
        return math.prod(self.shape)


class Architecture(ABC):
    """The options of one kind of network; a subclass is a frozen dataclass whose fields are these options.

    The fields' names are keys of the recipe in a file, and so must differ from those of `Recipe`; their
    values are what JSON holds, or tuples. A value that makes no sense raises StragError. `str()` is what a
    message calls such a network: "a network of depth 2".
    """

    input_layer = "input"  # what the input is called among the layers
    drawn_by = ()  # names of the options that the initial parameters depend on

    @property
    @abstractmethod
    def layers(self):
        """Names of the layers that can be measured, in the order of the forward pass: tuple of int or str."""

    @property
    def default_layers(self):
        """Names of the layers that are measured unless others are asked for: the first."""
        return self.layers[:1]

    def layer_named(self, text):
        """The name of the layer that a user means by `text`. Raises ValueError for what cannot be a name."""
        return text

    @abstractmethod
    def units(self, layer, ends):
        """Number of units of a layer, or of its flattened map; of `input_layer` the columns: int."""

    @abstractmethod
    def shapes(self, ends):
        """Shape of every parameter of one network, by name, over all inputs: dict of str to tuple.

        Raises StragError for ends that such networks cannot have.
        """

    @abstractmethod
    def initial(self, ends, seed, run):
        """Initial parameters of a run, by name, float32 on the CPU: dict of str to tensor.

        They follow from (seed, run) alone, whoever the neighbours of the run are.
        """

    @abstractmethod
    def networks(self, state, ends, columns, precision, device):
        """The `Networks` with these parameters.

        state : dict of name to float32 [R, *shape], in any order; they may be taken over and changed.
        columns : int64 [d'], where the inputs that are used stand among all. precision : of the operands of
        the large products. device : of torch.
        """

    @abstractmethod
    def operations(self, ends):
        """Floating-point operations of one network's products per example: (forward, backward), int."""

    @abstractmethod
    def group_size(self, ends):
        """Number of runs trained together. It follows from shapes alone, so that it changes no result."""

    @abstractmethod
    def tile(self, runs, ends):
        """Number of examples that a group of so many runs visits at a time, by shapes alone: int."""

    @abstractmethod
    def held(self, ends):
        """Numbers that a visit keeps in memory per run and example, beside those about logits: int."""

    def operands(self, precision, ends):
        """Dtypes of the operands of the products, the first of which takes the inputs: list of torch dtypes.

        float32 alone where an architecture knows no other: another precision is then refused as one that
        changes nothing.
        """
        return [torch.float32]

    def parameters(self, ends):
        """Number of parameters of one network."""
        return sum(math.prod(shape) for shape in self.shapes(ends).values())

    def as_dict(self):
        """The options, as JSON holds them."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def option_names(cls):
        """Names of the options, in order: tuple of str."""
        return tuple(field.name for field in fields(cls))


class Networks(ABC):
    """R networks of one architecture on a device, visited and changed together.

    Attributes
    ----------
    parameters : dict of name to float32 [R, ...], each with its `grad`, which starts at zero. How the axes
    after the first are laid out is up to the architecture. They are changed in place.
    tile : number of examples to visit at a time.
    """

    def __init__(self, parameters, tile):
        self.parameters, self.tile = parameters, tile
        for parameter in parameters.values():
            parameter.grad = torch.zeros_like(parameter)
        self._memory = {}

    @property
    def runs(self):
        """Number of networks R."""
        return len(next(iter(self.parameters.values())))

    @abstractmethod
    def visit(self, x, layers=(), learn=False):
        """Run all networks on some examples.

        Parameters
        ----------
        x : [B, d'], shared by the networks, or [R, B, d'], a batch of its own for each; the inputs that
        are used, in the dtype of the first product's operands. There is at least one example.
        layers : names of the layers whose activations are wanted, `input_layer` among them or not.
        learn : whether `backward` follows.

        Returns
        -------
        logits float32 [R, C, B], and dict of layer to its activations, float32 [R, N, B], after the
        nonlinearity and flattened; [1, N, B] where they are the same for all networks. They may last until
        the next call only, and carry no history of gradients.
        """

    @abstractmethod
    def backward(self, slope):
        """Add to every `grad` what the last visit adds to it, for d loss / d logits = slope [R, C, B].

        The slope may be overwritten.
        """

    @abstractmethod
    def state(self):
        """Copies of the parameters over all inputs, as `Architecture.shapes` says: dict of name to tensor.

        float32 [R, *shape] on the CPU. `Architecture.networks` takes it back.
        """

    def zero_grad(self):
        """Set every gradient to zero, keeping its memory."""
        for parameter in self.parameters.values():
            parameter.grad.zero_()

    def scratch(self, name, *shape):
        """Memory of this shape, float32, whose content lasts until the next call with the same name."""
        size = math.prod(shape)
        if name not in self._memory or len(self._memory[name]) < size:
            self._memory[name] = torch.empty(size, device=next(iter(self.parameters.values())).device)
        return self._memory[name][:size].view(shape)


def stack(states):
    """One state of several networks from the states of each: dict of name to tensor [R, ...]."""
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def misfit(found, wanted):
    """How the parameters of stored networks differ from those that are wanted: text, or None.

    found, wanted : dicts of name to the shape in one network.
    """
    for name, shape in wanted.items():
        if name not in found:
            return f"has no parameter '{name}'"
        if tuple(found[name]) != tuple(shape):
            sizes = (" x ".join(map(str, one)) for one in (found[name], shape))
            return "has a parameter '{}' of {}, not {}".format(name, *sizes)
    extra = [name for name in found if name not in wanted]
    return f"has a parameter '{extra[0]}', which these networks do not have" if extra else None
