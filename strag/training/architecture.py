"""The interface that every architecture implements for training, dumping and planning.

An `Architecture` holds the options of one kind of network. It computes what follows from these options
(layers, parameters, cost) without building a network. Its method `networks` builds `Networks`: a group of
networks on a device. Other modules refer to layers and parameters by name; the names of the parameters are
those in weights files.

To add an architecture, write a module that implements these two classes, enter it in
`strag.training.architectures`, and add its options to `strag train`. The tests of the laws that every
architecture obeys (tests/training/test_architectures.py) then ask for examples of it.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields

import torch

from strag.training.precision import FLOAT32


@dataclass(frozen=True)
class Ends:
    """The sizes of a network's input and output.

    shape : shape of an example, such as (784,) or (3, 32, 32). columns : number of inputs that are used, out
    of prod(shape); the unused inputs are zero for every example. classes : number of logits.
    """

    shape: tuple
    columns: int
    classes: int

    @property
    def features(self):
        """Number of all inputs d = prod(shape), used or not."""
        return math.prod(self.shape)


class Architecture(ABC):
    """The options of one kind of network. A subclass is a frozen dataclass whose fields are the options.

    The names of the fields are keys of the recipe in a file, so they must differ from the fields of
    `Recipe`. The values are JSON values or tuples. An invalid value raises StragError. `str()` describes
    such a network in messages: "a network of depth 2".
    """

    input_layer = "input"  # name of the input when it is listed among the layers
    drawn_by = ()  # names of the options that the initial parameters depend on
    later = ()  # names of options that older files lack; a recipe holds them only if they are not the default
    precisions = (FLOAT32,)  # those that its products can have, see `strag.training.precision`
    file = None  # name of the user's file that builds the networks, for messages
    takes_all = False  # whether the networks take all inputs, also those that are zero for every example

    @property
    def unused(self):
        """Options without an effect, because of the other options: dict of name to the reason."""
        return {}

    def on(self, ends):
        """The architecture for networks with these Ends; it knows the layers that only a network shows.

        Raises StragError if such a network cannot have these ends.
        """
        return self

    def require_lawful(self, task):
        """Raise StragError if networks on this Task do not obey the laws that the training needs.

        The output of an example depends on that example and the parameters alone.
        """
        return

    def held_at_zero(self, ends):
        """Names of the parameters that are zero and that training does not change: tuple of str."""
        return ()

    @property
    @abstractmethod
    def layers(self):
        """Names of the layers that can be measured, in the order of the forward pass: tuple of int or str.

        None if they are known only `on` the ends of the networks.
        """

    @property
    def default_layers(self):
        """Names of the layers that are measured by default: the first layer alone."""
        return self.layers[:1]

    @abstractmethod
    def shown(self, ends):
        """All layers of such a network as a forward pass shows them: tuple of Layer, see `layers.Layer`."""

    def layer_named(self, text):
        """Return the name of the layer that a user calls `text`. Raises ValueError for an invalid name."""
        return text

    def place(self, layer):
        """Where a layer, which need not exist, comes in the order of the forward pass: a key to sort by."""
        order = (self.input_layer, *self.layers)
        return order.index(layer) if layer in order else len(order)

    def fault_of(self, layer):
        """Why a layer cannot be measured: text, or None if it can."""
        return None if layer in self.layers else f"{self} has no hidden layer {layer}"

    def readout(self, ends, layers):
        """The linear head of such a network: Readout, or None if it has none that reads one of the layers."""
        return

    @abstractmethod
    def units(self, layer, ends):
        """Number of units of a layer, flattened if it is a map; for `input_layer`, ends.columns: int."""

    @abstractmethod
    def shapes(self, ends):
        """Shape of every parameter of one network, for all d inputs: dict of name to tuple.

        Raises StragError if such a network cannot have these ends.
        """

    @abstractmethod
    def initial(self, ends, seed, run):
        """Initial parameters of a run, float32 on the CPU: dict of name to tensor.

        They depend on the options, `ends`, `seed` and `run` alone, not on the other runs.
        """

    @abstractmethod
    def networks(self, state, ends, columns, precision, device):
        """Build the `Networks` with these parameters.

        state : dict of name to float32 [R, *shape], in any order; the networks may keep and change these
        tensors. columns : int64 [d'], the positions of the used inputs among all d. precision : precision of
        the operands of the large products. device : the torch device.
        """

    @abstractmethod
    def operations(self, ends):
        """Floating-point operations of the products of one network per example: (forward, backward), int."""

    @abstractmethod
    def group_size(self, ends):
        """Number of runs that are trained together. It depends on shapes alone and changes no result: int."""

    @abstractmethod
    def tile(self, runs, ends):
        """Number of examples that a group of this many runs visits at a time, from shapes alone: int."""

    @abstractmethod
    def held(self, ends):
        """Count of the numbers that a visit stores per run and example, without those for the logits: int."""

    def operands(self, precision, ends):
        """Dtypes of the operands of the products: list of torch dtypes. The first is that of the inputs.

        If a precision changes none of them, `strag train` refuses it.
        """
        return [torch.float32]

    def parameters(self, ends):
        """Number of parameters of one network."""
        return sum(math.prod(shape) for shape in self.shapes(ends).values())

    def as_dict(self):
        """The options as JSON values: dict of name to value, with lists for tuples; see `later`."""
        usual = self.later_defaults()
        values = {name: v for name, v in asdict(self).items() if name not in usual or v != usual[name]}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    @classmethod
    def described(cls, recipe, factory):
        """The Architecture that the recipe in a file describes.

        recipe : dict that holds its options. factory : Factory that may have built its networks, or None.
        """
        values = {name: recipe[name] for name in cls.option_names()}
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})

    @classmethod
    def option_names(cls):
        """Names of the options, in the order of the fields: tuple of str."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def later_defaults(cls):
        """The values of the options in `later` where a recipe does not hold them: dict."""
        return {field.name: field.default for field in fields(cls) if field.name in cls.later}


class Networks(ABC):
    """R networks of one architecture on a device, evaluated and trained together.

    Attributes
    ----------
    parameters : dict of name to float32 [R, ...]. Each has a `grad`, which starts at zero. The architecture
    chooses the layout of the axes after the first. Training changes the parameters in place.
    fixed : dict of name to float32 [R, ...], the parameters that are not trained.
    tile : number of examples to visit at a time.
    """

    def __init__(self, parameters, tile, fixed=None):
        self.parameters, self.fixed, self.tile = parameters, fixed or {}, tile
        for parameter in parameters.values():
            parameter.grad = torch.zeros_like(parameter)
        self._memory = {}

    @property
    def runs(self):
        """Number of networks R."""
        return len(next(iter(self.parameters.values())))

    @abstractmethod
    def visit(self, x, layers=(), learn=False):
        """Run all networks on B >= 1 examples.

        Parameters
        ----------
        x : the inputs that are used, in the dtype of the operands of the first product: [B, d'] if all
        networks get the same examples, or [R, B, d'] if each network gets its own batch.
        layers : names of the layers whose activations are returned; `input_layer` may be one of them.
        learn : whether a call of `backward` follows.

        Returns
        -------
        The logits, float32 [R, C, B], and a dict of layer to its activations after the nonlinearity,
        flattened: float32 [R, N, B], or [1, N, B] where they are the same for all networks. Both may be
        overwritten by the next call, and neither carries a history of gradients.
        """

    @abstractmethod
    def backward(self, slope):
        """Add the gradient of the loss at the last visit to every `grad`.

        slope : d loss / d logits, float32 [R, C, B]. It may be overwritten.
        """

    @abstractmethod
    def state(self):
        """Copies of the parameters, with the shapes of `Architecture.shapes`: dict of name to tensor.

        The tensors are float32 [R, *shape] on the CPU. `Architecture.networks` accepts this dict.
        """

    def reached(self):
        """Names of the parameters that have a gradient since `zero_grad`, which may be zero: by default all.

        The optimiser leaves the others as they are, as those of torch do.
        """
        return self.parameters.keys()

    def zero_grad(self):
        """Set every gradient to zero without freeing its memory."""
        for parameter in self.parameters.values():
            parameter.grad.zero_()

    def scratch(self, name, *shape):
        """Return float32 memory of this shape. Its content lasts until the next call with the same name."""
        size = math.prod(shape)
        if name not in self._memory or len(self._memory[name]) < size:
            self._memory[name] = torch.empty(size, device=next(iter(self.parameters.values())).device)
        return self._memory[name][:size].view(shape)


def stack(states):
    """Stack the states of R networks into one: dict of name to tensor [R, ...]."""
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def not_held(state, names):
    """Describe a parameter that is not zero in a state, among those held at zero: text, or None.

    state : dict of name to array [R, ...]. names : see `Architecture.held_at_zero`.
    """
    moved = [name for name in names if (state[name] != 0).any()]
    return (
        f"has a parameter '{moved[0]}' that is not zero, but these networks hold it at zero"
        if moved
        else None
    )


def misfit(stored, wanted):
    """Describe how the parameters of stored networks differ from the wanted ones: text, or None if equal.

    stored, wanted : dicts of parameter name to its shape in one network.
    """
    for name, shape in wanted.items():
        if name not in stored:
            return f"has no parameter '{name}'"
        if tuple(stored[name]) != tuple(shape):
            sizes = (" x ".join(map(str, lengths)) for lengths in (stored[name], shape))
            return "has a parameter '{}' of {}, not {}".format(name, *sizes)
    extra = [name for name in stored if name not in wanted]
    return f"has a parameter '{extra[0]}', which these networks do not have" if extra else None
