"""The stacked perceptron: R perceptrons of one shape as one computation.

Arrays are feature-major, [R, N, B] for B examples, so that the shared input makes the first layer of
all networks one matrix product and every later layer a batched one. Everything of that size lives in
memory that is allocated once: fresh pages for every tile would cost more than the arithmetic on them.
"""

import itertools
from dataclasses import dataclass

import torch

from strag.training.architecture import Architecture, Networks
from strag.training.precision import operand_dtypes
from strag.training.products import add_product, product
from strag.training.seeds import initial_weights
from strag.values import LARGEST, checked_fields, choice, whole

DEEPEST = 1000
GROUP_WIDTH = 640  # columns of the first layer's product that a group of runs fills
TILE_SPACE = 1 << 20  # numbers in one layer's activations of a tile: 4 MiB
SMALLEST_TILE, LARGEST_TILE = 256, 8192  # examples

_aten = torch.ops.aten


def _tanh_(z):
    """tanh z = 2 / (1 + exp(-2 z)) - 1, to 2e-7: torch's own takes four times as long."""
    return z.mul_(2).sigmoid_().mul_(2).sub_(1)


def _tanh_slope_(grad, before, after):
    return _aten.tanh_backward.grad_input(grad, after, grad_input=grad)


def _relu_slope_(grad, before, after):
    return _aten.threshold_backward.grad_input(grad, after, 0, grad_input=grad)


def _gelu_slope_(grad, before, after):
    return _aten.gelu_backward.grad_input(grad, before, grad_input=grad)


# activation -> (in place, times its slope in place, whether the slope needs the value before)
_ACTIVATIONS = {
    "tanh": (_tanh_, _tanh_slope_, False),
    "relu": (torch.relu_, _relu_slope_, False),
    "gelu": (lambda z: _aten.gelu.out(z, out=z), _gelu_slope_, True),
}
ACTIVATIONS = tuple(_ACTIVATIONS)


@checked_fields(depth=whole(1, DEEPEST), width=whole(1, LARGEST), activation=choice(*ACTIVATIONS))
@dataclass(frozen=True)
class Perceptron(Architecture):
    """Perceptrons of K = `depth` linear layers, hidden ones of N = `width` units; by default the paper's.

    The layers that can be measured are the hidden ones, 1 to K - 1, or, for a linear classifier, 0, the
    input. Parameters are those of `torch.nn.Linear`: layerK.weight [outputs, inputs], layerK.bias [outputs].
    """

    depth: int = 2
    width: int = 20
    activation: str = "tanh"

    input_layer = 0

    def __str__(self):
        return f"a network of depth {self.depth}"

    @property
    def layers(self):
        """1 to K - 1, or 0 alone without hidden layers."""
        return tuple(range(1, self.depth)) or (0,)

    @property
    def drawn_by(self):
        """The options that the initial parameters depend on: without hidden layers not the width."""
        return ("depth", "width") if self.depth > 1 else ("depth",)

    def layer_named(self, text):
        """The number of a layer."""
        return int(text)

    def sizes(self, ends):
        """Units of every layer from the input to the logits: d, N, ..., C."""
        return [ends.features, *[self.width] * (self.depth - 1), ends.classes]

    def units(self, layer, ends):
        """N, or of the input the columns."""
        return self.width if layer else ends.columns

    def shapes(self, ends):
        """layer1.weight, layer1.bias, layer2.weight and so on."""
        found = {}
        for number, (inputs, outputs) in enumerate(itertools.pairwise(self.sizes(ends)), start=1):
            found[f"layer{number}.weight"], found[f"layer{number}.bias"] = (outputs, inputs), (outputs,)
        return found

    def initial(self, ends, seed, run):
        """As `nn.Linear` draws them, layer by layer."""
        drawn = [part for layer in initial_weights(self.sizes(ends), seed, run) for part in layer]
        return dict(zip(self.shapes(ends), drawn, strict=True))

    def networks(self, state, ends, columns, precision, device):
        """The StackedPerceptrons with these parameters."""
        dtypes = self.operands(precision, ends)
        state = {name: state[name] for name in self.shapes(ends)}
        tile = self.tile(len(state["layer1.bias"]), ends)
        return StackedPerceptrons(state, self.activation, columns, dtypes, tile, device)

    def operations(self, ends):
        """The slope of the input is not taken."""
        products = [n * m for n, m in itertools.pairwise([ends.columns, *self.sizes(ends)[1:]])]
        return 2 * sum(products), 2 * (2 * sum(products) - products[0])

    def group_size(self, ends):
        """As many runs as fill the columns of the first layer's product."""
        widest = max(self.width if self.depth > 1 else 0, ends.classes)
        return max(1, GROUP_WIDTH // widest)

    def tile(self, runs, ends):
        """A power of 2, so few examples that one layer's activations stay in the cache."""
        return tile_size(runs, max(self.sizes(ends)[1:]))

    def held(self, ends):
        """Activations after every hidden layer and their slopes, before it with gelu, and their squares."""
        hidden = self.sizes(ends)[1:-1]
        return sum(hidden) * (3 if self.activation == "gelu" else 2) + max([0, *hidden])

    def operands(self, precision, ends):
        """One for each layer, see `strag.training.precision`."""
        return operand_dtypes(precision, self.sizes(ends))


class StackedPerceptrons(Networks):
    """R perceptrons with d inputs, hidden layers of N units and C logits.

    Parameters
    ----------
    state : dict of layerK.weight [R, outputs, inputs] and layerK.bias [R, outputs], in this order, over all
    d inputs.
    activation : tanh, relu or gelu.
    columns : int64, the inputs that are used; the others are always zero and get no gradient.
    dtypes : of the operands of each layer's products. tile : examples to visit at a time.

    In `parameters` the first weight has the used inputs alone, and a bias is [R, outputs, 1].
    """

    def __init__(self, state, activation, columns, dtypes, tile, device):
        self.activation, self.columns, self.dtypes = activation, columns, dtypes
        parts = list(state.values())
        self._all_inputs = parts[0]
        weights, biases = [parts[0][:, :, columns], *parts[2::2]], parts[1::2]
        self._weights = [weight.contiguous().to(device) for weight in weights]
        self._biases = [bias.unsqueeze(-1).contiguous().to(device) for bias in biases]
        paired = [part for layer in zip(self._weights, self._biases, strict=True) for part in layer]
        super().__init__(dict(zip(state, paired, strict=True)), tile)
        self._cast = {}
        self._visited = None

    def visit(self, x, layers=(), learn=False):
        """As `Networks.visit`; the first hidden layer is 1, the input 0."""
        hidden, logits = self._forward(x)
        self._visited = x, hidden
        return logits, {layer: hidden[layer - 1][1] if layer else _feature_major(x) for layer in layers}

    def _forward(self, x):
        """List of (before, after) [R, N, B] per hidden layer, and logits [R, C, B].

        `before` is kept only where the slope needs it. They last until the next call.
        """
        act, _, keeps_before = _ACTIVATIONS[self.activation]
        hidden, h = [], x
        for number, (weight, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            z = self.scratch(("after", number), *weight.shape[:2], x.shape[-2])
            if number == 0:
                self._first_layer(x, z)
            else:
                product(self._operand(number), h, z)
            z.add_(bias)
            if number + 1 == len(self._weights):
                return hidden, z
            before = self.scratch(("before", number), *z.shape).copy_(z) if keeps_before else None
            h = act(z)
            hidden.append((before, h))
        raise AssertionError("a network has at least one layer")

    def _operand(self, number):
        """The weight of a layer as its products take it, cast anew after it has changed."""
        weight, dtype = self._weights[number], self.dtypes[number]
        if dtype == weight.dtype:
            return weight
        if self._cast.get(number, (None,))[0] != weight._version:
            self._cast[number] = weight._version, weight.to(dtype)
        return self._cast[number][1]

    def _first_layer(self, x, out):
        weight = self._operand(0)
        if x.dim() == 3:
            product(weight, x.transpose(1, 2), out)
        else:
            R, N, d = weight.shape
            product(weight.view(R * N, d), x.t(), out.view(R * N, -1))

    def backward(self, slope):
        """As `Networks.backward`, layer by layer from the last."""
        x, hidden = self._visited
        _, times_slope_, _ = _ACTIVATIONS[self.activation]
        for number in reversed(range(len(self._weights))):
            weight, bias = self._weights[number], self._biases[number]
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
        if x.dim() == 3:
            add_product(self.dtypes[0], slope, x, weight.grad)
        else:
            R, N, d = weight.shape
            add_product(self.dtypes[0], slope.view(R * N, -1), x, weight.grad.view(R * N, d))

    def state(self):
        """Copies of the parameters, those of the unused inputs as they were at the start."""
        first = self._all_inputs.clone()
        first[:, :, self.columns] = self._weights[0].cpu()
        weights = [first, *(weight.cpu().clone() for weight in self._weights[1:])]
        biases = [bias.squeeze(-1).cpu().clone() for bias in self._biases]
        copies = [part for layer in zip(weights, biases, strict=True) for part in layer]
        return dict(zip(self.parameters, copies, strict=True))


def _feature_major(x):
    """Inputs as a layer: float32 [1, d', B], or [R, d', B]."""
    return x.float().transpose(1, 2) if x.dim() == 3 else x.float().t().unsqueeze(0)


def tile_size(runs, widest):
    """Examples that a group of runs visits at a time, if its widest layer has so many units."""
    fits = max(1, TILE_SPACE // (runs * widest))
    return min(LARGEST_TILE, max(SMALLEST_TILE, 1 << (fits.bit_length() - 1)))
