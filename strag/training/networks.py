"""R networks of one shape as one computation.

Arrays are feature-major, [R, N, B] for B examples, so that the shared input makes the first layer of
all networks one matrix product and every later layer a batched one.
"""

import torch

from strag.training.seeds import initial_weights


def _gelu_slope(before, after):
    half = torch.erf(before * 2**-0.5).add_(1).mul_(0.5)
    density = torch.exp(before.square().mul_(-0.5)).mul_((2 * torch.pi) ** -0.5)
    return half.addcmul_(before, density)


# activation -> (in place, slope from the value before, which only gelu keeps, and after)
_ACTIVATIONS = {
    "tanh": (torch.tanh_, lambda before, after: 1 - after.square()),
    "relu": (torch.relu_, lambda before, after: (after > 0).to(after.dtype)),
    "gelu": (torch.nn.functional.gelu, _gelu_slope),
}


class Networks:
    """R networks with d inputs, hidden layers of N units and C logits.

    Parameters
    ----------
    layers : list of (weight [R, outputs, inputs], bias [R, outputs]) over all d inputs.
    activation : tanh, relu or gelu.
    columns : int64, the inputs that are used; the others are always zero and get no gradient.

    Attributes
    ----------
    weights, biases : lists of parameters, [R, outputs, inputs] and [R, outputs, 1], with `grad`.
    """

    def __init__(self, layers, activation, columns, device):
        self.activation = activation
        self.columns = columns
        self._first = layers[0][0]
        used = [self._first[:, :, columns]] + [weight for weight, _ in layers[1:]]
        self.weights = [weight.contiguous().to(device) for weight in used]
        self.biases = [bias.unsqueeze(-1).contiguous().to(device) for _, bias in layers]
        for parameter in self.parameters():
            parameter.grad = torch.zeros_like(parameter)

    @classmethod
    def initial(cls, sizes, runs, seed, activation, columns, device):
        """Networks as initialised by the seed, for an iterable of run numbers."""
        drawn = [initial_weights(sizes, seed, run) for run in runs]
        return cls(stack(drawn), activation, columns, device)

    def parameters(self):
        """All parameters, weights first."""
        return [*self.weights, *self.biases]

    def forward(self, x):
        """Hidden activations and logits for inputs x, [B, d] shared or [R, B, d] one batch each.

        Returns
        -------
        list of (before, after) [R, N, B] per hidden layer, logits [R, C, B]. `before` is kept only
        where the slope needs it.
        """
        act, _ = _ACTIVATIONS[self.activation]
        hidden, h = [], x
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = self._first_layer(weight, x) if number == 0 else torch.bmm(weight, h)
            z.add_(bias)
            if number + 1 == len(self.weights):
                return hidden, z
            h = act(z)
            hidden.append((z if h is not z else None, h))
        raise AssertionError("a network has at least one layer")

    def _first_layer(self, weight, x):
        if x.dim() == 3:
            return torch.bmm(weight, x.transpose(1, 2))
        R, N, d = weight.shape
        return torch.mm(weight.view(R * N, d), x.t()).view(R, N, -1)  # (R, N, B)

    def backward(self, x, hidden, slope):
        """Add the gradient for d loss / d logits = slope [R, C, B] to the parameters' `grad`."""
        _, derivative = _ACTIVATIONS[self.activation]
        for number in reversed(range(len(self.weights))):
            weight, bias = self.weights[number], self.biases[number]
            bias.grad.add_(slope.sum(dim=-1, keepdim=True))
            if number == 0:
                self._first_gradient(weight, x, slope)
            else:
                before, after = hidden[number - 1]
                weight.grad.baddbmm_(slope, after.transpose(1, 2))
                slope = torch.bmm(weight.transpose(1, 2), slope).mul_(derivative(before, after))

    def _first_gradient(self, weight, x, slope):
        if x.dim() == 3:
            weight.grad.baddbmm_(slope, x)
        else:
            R, N, d = weight.shape
            weight.grad.view(R * N, d).addmm_(slope.reshape(R * N, -1), x)

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


def stack(networks):
    """One list of stacked layers from the layers of several networks."""
    return [
        (torch.stack([weight for weight, _ in layer]), torch.stack([bias for _, bias in layer]))
        for layer in zip(*networks, strict=True)
    ]
