"""The convolution that halves a map, with a gradient that is fast on processors."""

import itertools

import torch

KERNEL, STRIDE, PADDING = 5, 2, 2


def halved(length):
    """Number of positions along an axis of the map that a convolution makes of `length` positions: int."""
    return -(-length // STRIDE)


class Halving(torch.autograd.Function):
    """The convolution of maps [B, c, h, w] with a weight [o, c, 5, 5] and a bias [o]: stride 2, padding 2.

    The map has [B, o, halved(h), halved(w)]. It is that of `torch.nn.functional.conv2d`, and so is the
    gradient; but torch computes the gradient by the input of a convolution with a stride several times slower
    on a processor than the convolution itself.
    """

    @staticmethod
    def forward(ctx, x, weight, bias):
        """The map of the inputs."""
        ctx.save_for_backward(x, weight)
        return torch.conv2d(x, weight, bias, STRIDE, PADDING)

    @staticmethod
    def backward(ctx, slope):
        """The gradients by x, weight and bias, from that by the map."""
        x, weight = ctx.saved_tensors
        slope = slope.contiguous()
        form = [STRIDE] * 2, [PADDING] * 2, [1, 1], False, [0, 0], 1, [False, True, True]
        backward = torch.ops.aten.convolution_backward
        _, by_weight, by_bias = backward(slope, x, weight, [len(weight)], *form)
        by_input = _by_input(slope, weight, x.shape) if ctx.needs_input_grad[0] else None
        return by_input, by_weight, by_bias


def _by_input(slope, weight, shape):
    """The gradient by the input, [B, c, h, w], from that by the map, [B, o, h', w'].

    A position p = 2 m + a of the input, a = 0 or 1, is seen by position i of the map through element
    p - 2 i + 2 = 2 (m - i + 1) + a of the kernel. So each of the four parities (a, b) of positions is a
    convolution of the slope with 3 x 3 elements of the kernel, in reverse order: one convolution with 4 c
    channels, without stride.
    """
    o, c = weight.shape[:2]
    even = torch.nn.functional.pad(weight, (0, 1, 0, 1)).view(o, c, 3, 2, 3, 2)  # element 5 is 0
    kernel = even.flip(2, 4).permute(3, 5, 1, 0, 2, 4).reshape(4 * c, o, 3, 3)
    parities = torch.conv2d(slope, kernel, None, 1, 1).split(c, dim=1)
    by_input = slope.new_empty(shape)
    for parity, part in zip(itertools.product((0, 1), repeat=2), parities, strict=True):
        rows, columns = (slice(start, None, STRIDE) for start in parity)
        into = by_input[:, :, rows, columns]
        into.copy_(part[:, :, : into.shape[2], : into.shape[3]])
    return by_input
