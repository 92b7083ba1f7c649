"""The perceptron, and R perceptrons of one shape computed together.

Arrays are feature-major, [R, N, B] for B examples. The networks share their input, so the first layer of
all networks is one matrix product; every later layer is a batched product. Arrays of this size are allocated
once and reused, because new memory pages for every tile would cost more time than the arithmetic on them.
"""

import itertools
from dataclasses import dataclass

import torch

from strag.parsing import read_whole
from strag.training.architecture import Architecture, Networks
from strag.training.layers import Layer
from strag.training.precision import PRECISIONS, operand_dtypes
from strag.training.products import add_product, product
from strag.training.readout import Readout
from strag.training.seeds import initial_weights
from strag.values import LARGEST, checked_fields, choice, flag, whole

DEEPEST = 1000
NO_HIDDEN = "`depth` 1 has no hidden layer"
GROUP_WIDTH = 640  # columns of the first layer's product that a group of runs fills
TILE_SPACE = 1 << 20  # numbers in the activations of one layer in a tile, which are 4 MiB
SMALLEST_TILE, LARGEST_TILE = 256, 8192  # examples

_aten = torch.ops.aten


def _tanh_(z):
    """Set z to tanh z = 2 / (1 + exp(-2 z)) - 1, to within 2e-7. torch.tanh takes four times as long."""
    return z.mul_(2).sigmoid_().mul_(2).sub_(1)


def _tanh_slope_(grad, before, after):
    """Multiply `grad` by the derivative of tanh, in place. before, after : input and output of tanh."""
    return _aten.tanh_backward.grad_input(grad, after, grad_input=grad)


def _relu_slope_(grad, before, after):
    """As `_tanh_slope_`, for the derivative of relu."""
    return _aten.threshold_backward.grad_input(grad, after, 0, grad_input=grad)


def _gelu_slope_(grad, before, after):
    """As `_tanh_slope_`, for the derivative of gelu."""
    return _aten.gelu_backward.grad_input(grad, before, grad_input=grad)


# activation -> (function in place, product with its slope in place, whether the slope needs its input)
_ACTIVATIONS = {
    "tanh": (_tanh_, _tanh_slope_, False),
    "relu": (torch.relu_, _relu_slope_, False),
    "gelu": (lambda z: _aten.gelu.out(z, out=z), _gelu_slope_, True),
}
ACTIVATIONS = tuple(_ACTIVATIONS)


@checked_fields(
    depth=whole(1, DEEPEST), width=whole(1, LARGEST), activation=choice(*ACTIVATIONS), no_bias=flag
)
@dataclass(frozen=True)
class Perceptron(Architecture):
    """Perceptrons of K = `depth` linear layers with N = `width` units in every hidden layer.

    The defaults are the paper's network. The layers that can be measured are the hidden layers 1 to K - 1;
    a linear classifier (K = 1) has layer 0, the input, instead. The parameters are those of
    `torch.nn.Linear`: layer1.weight [outputs, inputs], layer1.bias [outputs], layer2.weight and so on.

    Parameters
    ----------
    depth : number K of linear layers. 1 is a linear classifier.
    width : number N of units in every hidden layer.
    activation : nonlinearity of the hidden layers: "tanh", "relu" or "gelu".
    no_bias : whether all biases are held at zero. The weights are drawn as with biases.
    """

    depth: int = 2
    width: int = 20
    activation: str = "tanh"
    no_bias: bool = False

    input_layer = 0
    precisions = PRECISIONS
    later = ("no_bias",)

    def __str__(self):
        return f"a network of depth {self.depth}"

    @property
    def layers(self):
        """The hidden layers 1 to K - 1, or 0 alone for a network without hidden layers."""
        return tuple(range(1, self.depth)) or (0,)

    def shown(self, ends):
        """As `Architecture.shown`: the outputs of the nonlinearity, or the input of a linear classifier."""
        kind = self.activation if self.depth > 1 else "input"
        return tuple(Layer(layer, kind, (self.units(layer, ends),), 1) for layer in self.layers)

    def readout(self, ends, layers):
        """As `Architecture.readout`: the last linear layer, which reads the last hidden layer."""
        head, last = f"layer{self.depth}", self.depth - 1
        return Readout(last, f"{head}.weight", f"{head}.bias") if last and last in layers else None

    @property
    def drawn_by(self):
        """The options that the initial parameters depend on: without hidden layers, all but width."""
        return ("depth", "width", "no_bias") if self.depth > 1 else ("depth", "no_bias")

    def held_at_zero(self, ends):
        """The biases with `no_bias`, otherwise none."""
        return tuple(self.shapes(ends))[1::2] if self.no_bias else ()

    @property
    def unused(self):
        """The options of hidden layers, if there are none, each with the reason: dict."""
        return {} if self.depth > 1 else dict.fromkeys(("width", "activation"), NO_HIDDEN)

    def layer_named(self, text):
        """Return the number of the layer. Raises ValueError if the text is not a number."""
        return read_whole(text.strip())

    def sizes(self, ends):
        """Number of units of every layer from the input to the logits: list d, N, ..., C."""
        return [ends.features, *[self.width] * (self.depth - 1), ends.classes]

    def units(self, layer, ends):
        """Number of units of a layer: N, or for the input ends.columns."""
        return self.width if layer else ends.columns

    def shapes(self, ends):
        """Shapes of layer1.weight, layer1.bias, layer2.weight and so on, in this order."""
        shapes = {}
        for number, (inputs, outputs) in enumerate(itertools.pairwise(self.sizes(ends)), start=1):
            shapes[f"layer{number}.weight"], shapes[f"layer{number}.bias"] = (outputs, inputs), (outputs,)
        return shapes

    def initial(self, ends, seed, run):
        """Draw the initial parameters from the distribution of `nn.Linear`, layer by layer.

        With `no_bias`, the biases are drawn and then set to zero, so that the weights are the same.
        """
        drawn = [part for layer in initial_weights(self.sizes(ends), seed, run) for part in layer]
        parameters = dict(zip(self.shapes(ends), drawn, strict=True))
        for name in self.held_at_zero(ends):
            parameters[name].zero_()
        return parameters

    def networks(self, state, ends, columns, precision, device):
        """Build the StackedPerceptrons with these parameters."""
        dtypes = self.operands(precision, ends)
        state = {name: state[name] for name in self.shapes(ends)}
        tile = self.tile(len(state["layer1.bias"]), ends)
        held = self.held_at_zero(ends)
        return StackedPerceptrons(state, self.activation, columns, dtypes, tile, device, held)

    def operations(self, ends):
        """Operations of all products; the backward ones exclude the derivative by the input."""
        products = [n * m for n, m in itertools.pairwise([ends.columns, *self.sizes(ends)[1:]])]
        return 2 * sum(products), 2 * (2 * sum(products) - products[0])

    def group_size(self, ends):
        """Number of runs whose widest layers together have at most GROUP_WIDTH units, and at least 1."""
        widest = max(self.width if self.depth > 1 else 0, ends.classes)
        return max(1, GROUP_WIDTH // widest)

    def tile(self, runs, ends):
        """Number of examples to visit at a time: a power of 2 so small that a layer stays in the cache."""
        return tile_size(runs, max(self.sizes(ends)[1:]))

    def held(self, ends):
        """Outputs and slopes of every hidden layer, inputs of gelu, and the squares of one layer."""
        hidden = self.sizes(ends)[1:-1]
        return sum(hidden) * (3 if self.activation == "gelu" else 2) + max([0, *hidden])

    def operands(self, precision, ends):
        """Dtype of the operands of each layer, see `strag.training.precision`."""
        return operand_dtypes(precision, self.sizes(ends))


class StackedPerceptrons(Networks):
    """R perceptrons with d inputs, hidden layers of N units and C logits.

    Parameters
    ----------
    state : dict of layer1.weight [R, outputs, inputs], layer1.bias [R, outputs], layer2.weight and so on, in
    this order, for all d inputs.
    activation : tanh, relu or gelu.
    columns : int64 [d'], the inputs that are used. The others are always zero and get no gradient.
    dtypes : dtype of the operands of each layer's products. tile : number of examples to visit at a time.
    device : the torch device. held : names of the biases that are zero, which are all or none.

    In `parameters`, the first weight has the d' used inputs only, and a bias has shape [R, outputs, 1].
    Biases that are held at zero are not among them.
    """

    def __init__(self, state, activation, columns, dtypes, tile, device, held=()):
        self.activation, self.columns, self.dtypes = activation, columns, dtypes
        self._names, parts = list(state), list(state.values())
        self._all_inputs = parts[0]
        weights, biases = [parts[0][:, :, columns], *parts[2::2]], parts[1::2]
        self._weights = [weight.contiguous().to(device) for weight in weights]
        self._biases = [bias.unsqueeze(-1).contiguous().to(device) for bias in biases]
        self._has_biases = not held
        paired = [part for layer in zip(self._weights, self._biases, strict=True) for part in layer]
        trained = dict(zip(state, paired, strict=True))
        super().__init__({name: part for name, part in trained.items() if name not in held}, tile)
        self._cast = {}
        self._visited = None

    def visit(self, x, layers=(), learn=False):
        """As `Networks.visit`. Layer 0 is the input, and layer 1 is the first hidden layer."""
        hidden, logits = self._forward(x)
        self._visited = x, hidden
        return logits, {layer: hidden[layer - 1][1] if layer else _feature_major(x) for layer in layers}

    def _forward(self, x):
        """Return (before, after) [R, N, B] of every hidden layer as a list, and the logits [R, C, B].

        before, after : input and output of the nonlinearity; `before` is None unless the slope needs it. The
        next call overwrites these arrays.
        """
        act, _, keeps_before = _ACTIVATIONS[self.activation]
        hidden, h = [], x
        for number, (weight, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            z = self.scratch(("after", number), *weight.shape[:2], x.shape[-2])
            if number == 0:
                self._first_layer(x, z)
            else:
                product(self._operand(number), h, z)
            if self._has_biases:
                z.add_(bias)
            if number + 1 == len(self._weights):
                return hidden, z
            before = self.scratch(("before", number), *z.shape).copy_(z) if keeps_before else None
            h = act(z)
            hidden.append((before, h))
        raise AssertionError("a network has at least one layer")

    def _operand(self, number):
        """Return the weight of a layer in the dtype of its operands, cast again after each change."""
        weight, dtype = self._weights[number], self.dtypes[number]
        if dtype == weight.dtype:
            return weight
        if self._cast.get(number, (None,))[0] != weight._version:
            self._cast[number] = weight._version, weight.to(dtype)
        return self._cast[number][1]

    def _first_layer(self, x, out):
        """Set out [R, N, B] to the product of the first weight with x, [B, d'] or [R, B, d']."""
        weight = self._operand(0)
        if x.dim() == 3:
            product(weight, x.transpose(1, 2), out)
        else:
            R, N, d = weight.shape
            product(weight.view(R * N, d), x.t(), out.view(R * N, -1))

    def backward(self, slope):
        """As `Networks.backward`, layer by layer from the last to the first."""
        x, hidden = self._visited
        _, times_slope_, _ = _ACTIVATIONS[self.activation]
        for number in reversed(range(len(self._weights))):
            weight, bias = self._weights[number], self._biases[number]
            if self._has_biases:
                bias.grad.add_(slope.sum(dim=-1, keepdim=True))
            if number == 0:
                self._first_gradient(weight, x, slope)
            else:
                before, after = hidden[number - 1]
                add_product(self.dtypes[number], slope, after.transpose(1, 2), weight.grad)
                below = self.scratch(("slope", number), *after.shape)
                product(self._operand(number).transpose(1, 2), slope, below)
                slope = times_slope_(below, before, after)

    def _first_gradient(self, weight, x, slope):
        """Add the gradient of the first weight to its `grad`, from the slope [R, N, B] and the inputs x."""
        if x.dim() == 3:
            add_product(self.dtypes[0], slope, x, weight.grad)
        else:
            R, N, d = weight.shape
            add_product(self.dtypes[0], slope.view(R * N, -1), x, weight.grad.view(R * N, d))

    def state(self):
        """As `Networks.state`. The weights of the unused inputs are those at the start."""
        first = self._all_inputs.clone()
        first[:, :, self.columns] = self._weights[0].cpu()
        weights = [first, *(weight.cpu().clone() for weight in self._weights[1:])]
        biases = [bias.squeeze(-1).cpu().clone() for bias in self._biases]
        copies = [part for layer in zip(weights, biases, strict=True) for part in layer]
        return dict(zip(self._names, copies, strict=True))


def _feature_major(x):
    """Return inputs [B, d'] or [R, B, d'] as a layer's activations: float32 [1, d', B] or [R, d', B]."""
    return x.float().transpose(1, 2) if x.dim() == 3 else x.float().t().unsqueeze(0)


def tile_size(runs, widest):
    """Number of examples that a group of runs visits at a time. widest : units of the widest layer."""
    fits = max(1, TILE_SPACE // (runs * widest))
    return min(LARGEST_TILE, max(SMALLEST_TILE, 1 << (fits.bit_length() - 1)))
