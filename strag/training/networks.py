"""R networks of one shape as one computation.

Arrays are feature-major, [R, N, B] for B examples, so that the shared input makes the first layer of
all networks one matrix product and every later layer a batched one. Everything of that size lives in
memory that is allocated once: fresh pages for every tile would cost more than the arithmetic on them.
"""

import math

import torch

from strag.training.seeds import initial_weights

TILE_SPACE = 1 << 20  # numbers in one layer's activations of a tile: 4 MiB
SMALLEST_TILE, LARGEST_TILE = 256, 8192  # examples

_aten = torch.ops.aten
_onednn = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
)


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


class Networks:
    """R networks with d inputs, hidden layers of N units and C logits.

    Parameters
    ----------
    layers : list of (weight [R, outputs, inputs], bias [R, outputs]) over all d inputs.
    activation : tanh, relu or gelu.
    columns : int64, the inputs that are used; the others are always zero and get no gradient.
    dtypes : of the operands of each layer's products, see `strag.training.precision`; float32 by default.

    Attributes
    ----------
    weights, biases : lists of parameters, float32 [R, outputs, inputs] and [R, outputs, 1], with `grad`.
    """

    def __init__(self, layers, activation, columns, device, dtypes=None):
        self.activation = activation
        self.columns = columns
        self.dtypes = dtypes or [torch.float32] * len(layers)
        self._first = layers[0][0]
        used = [self._first[:, :, columns]] + [weight for weight, _ in layers[1:]]
        self.weights = [weight.contiguous().to(device) for weight in used]
        self.biases = [bias.unsqueeze(-1).contiguous().to(device) for _, bias in layers]
        for parameter in self.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self._memory = {}
        self._cast = {}

    @classmethod
    def initial(cls, sizes, runs, seed, activation, columns, device, dtypes=None):
        """Networks as initialised by the seed, for an iterable of run numbers."""
        drawn = [initial_weights(sizes, seed, run) for run in runs]
        return cls(stack(drawn), activation, columns, device, dtypes)

    def parameters(self):
        """All parameters, weights first."""
        return [*self.weights, *self.biases]

    @property
    def tile(self):
        """Examples to visit at a time, by shapes alone: see `tile_size`."""
        return tile_size(len(self.weights[0]), max(weight.shape[1] for weight in self.weights))

    def space(self, name, *shape):
        """Memory of this shape, float32, whose content lasts until the next call with the same name."""
        size = math.prod(shape)
        if name not in self._memory or len(self._memory[name]) < size:
            self._memory[name] = torch.empty(size, device=self.weights[0].device)
        return self._memory[name][:size].view(shape)

    def forward(self, x):
        """Hidden activations and logits for inputs x, [B, d] shared or [R, B, d] one batch each.

        x has the dtype of the first layer's operands.

        Returns
        -------
        list of (before, after) [R, N, B] per hidden layer, logits [R, C, B]. `before` is kept only
        where the slope needs it. They last until the next call.
        """
        act, _, keeps_before = _ACTIVATIONS[self.activation]
        hidden, h = [], x
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = self.space(("after", number), *weight.shape[:2], x.shape[-2])
            if number == 0:
                self._first_layer(x, z)
            else:
                product(self._operand(number), h, z)
            z.add_(bias)
            if number + 1 == len(self.weights):
                return hidden, z
            before = self.space(("before", number), *z.shape).copy_(z) if keeps_before else None
            h = act(z)
            hidden.append((before, h))
        raise AssertionError("a network has at least one layer")

    def _operand(self, number):
        """The weight of a layer as its products take it, cast anew after it has changed."""
        weight, dtype = self.weights[number], self.dtypes[number]
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

    def backward(self, x, hidden, slope):
        """Add the gradient for d loss / d logits = slope [R, C, B] to the parameters' `grad`."""
        _, times_slope_, _ = _ACTIVATIONS[self.activation]
        for number in reversed(range(len(self.weights))):
            weight, bias = self.weights[number], self.biases[number]
            bias.grad.add_(slope.sum(dim=-1, keepdim=True))
            if number == 0:
                self._first_gradient(weight, x, slope)
            else:
                before, after = hidden[number - 1]
                add_product(self.dtypes[number], slope, after.transpose(1, 2), weight.grad)
                below = self.space(("slope", number), *after.shape)
                product(self._operand(number).transpose(1, 2), slope, below)
                slope = times_slope_(below, before, after)

    def _first_gradient(self, weight, x, slope):
        if x.dim() == 3:
            add_product(self.dtypes[0], slope, x, weight.grad)
        else:
            R, N, d = weight.shape
            add_product(self.dtypes[0], slope.view(R * N, -1), x, weight.grad.view(R * N, d))

    def zero_grad(self):
        """Set every gradient to zero, keeping its memory."""
        for parameter in self.parameters():
            parameter.grad.zero_()

    def layers(self):
        """Copies of (weight [R, outputs, d], bias [R, outputs]) with all d inputs, on the CPU."""
        first = self._first.clone()
        first[:, :, self.columns] = self.weights[0].cpu()
        weights = [first] + [weight.cpu().clone() for weight in self.weights[1:]]
        return [
            (weight, bias.squeeze(-1).cpu().clone())
            for weight, bias in zip(weights, self.biases, strict=True)
        ]


def tile_size(runs, widest):
    """Examples to visit at a time: a power of 2, so few that one layer's activations stay in the cache.

    runs : of the group. widest : units of the widest layer.
    """
    fits = max(1, TILE_SPACE // (runs * widest))
    return min(LARGEST_TILE, max(SMALLEST_TILE, 1 << (fits.bit_length() - 1)))


def product(a, b, out):
    """out = a b, float32, of matrices or batches of them; b gets the dtype of a."""
    if a.dim() == 3 and a.dtype == out.dtype:
        torch.bmm(a, b, out=out)
    elif a.dtype == out.dtype and not _by_onednn(a):
        torch.mm(a, b, out=out)
    else:
        out.copy_(_multiply(a, b.to(a.dtype)))


def add_product(dtype, a, b, total):
    """total += a b, float32, of matrices or batches of them, whose operands are cast to `dtype`."""
    if a.dim() == 3 and dtype == total.dtype:
        total.baddbmm_(a, b)
    elif dtype == total.dtype and not _by_onednn(a):
        total.addmm_(a, b)
    else:
        total.add_(_multiply(a.to(dtype), b.to(dtype)))


def _multiply(a, b):
    """a b, of matrices or batches of them of one dtype."""
    if a.dim() == 3:
        return torch.bmm(a, b)
    return _onednn(a, _packed(b).t(), None, "none", [], "") if _by_onednn(a) else torch.mm(a, b)


def _packed(matrix):
    """The matrix, row by row or column by column without gaps: oneDNN takes a thousand times as long else."""
    is_packed = matrix.is_contiguous() or matrix.t().is_contiguous()
    return matrix if is_packed else matrix.contiguous()


def _by_onednn(a):
    """Whether oneDNN multiplies this float32 matrix: faster than torch's BLAS, most so for few rows."""
    return _onednn is not None and a.dtype == torch.float32 and a.device.type == "cpu"


def stack(networks):
    """One list of stacked layers from the layers of several networks."""
    return [
        (torch.stack([weight for weight, _ in layer]), torch.stack([bias for _, bias in layer]))
        for layer in zip(*networks, strict=True)
    ]
