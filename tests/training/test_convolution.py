"""The convolution that halves a map, against torch's own."""

import pytest
import torch

from strag.training.convolution import Halving, halved


@pytest.mark.parametrize("shape", [(2, 8, 14, 14), (3, 1, 28, 28), (2, 3, 7, 6), (2, 2, 1, 5), (1, 4, 1, 1)])
def test_the_map_and_its_gradients_are_those_of_torch(shape):
    random = torch.Generator().manual_seed(0)
    sizes = [shape, (5, shape[1], 5, 5), (5,)]
    operands = [torch.randn(size, generator=random, dtype=torch.float64) for size in sizes]
    slope = torch.randn(shape[0], 5, *map(halved, shape[2:]), generator=random, dtype=torch.float64)
    seen = []
    for function in (Halving.apply, lambda *parts: torch.nn.functional.conv2d(*parts, stride=2, padding=2)):
        parts = [part.clone().requires_grad_() for part in operands]
        result = function(*parts)
        result.backward(slope)
        seen.append([result, *(part.grad for part in parts)])
    for ours, theirs in zip(*seen, strict=True):
        torch.testing.assert_close(ours, theirs)
