"""One pass over the examples, tile by tile: loss, gradient, errors and class moments together."""

from dataclasses import dataclass

import numpy as np
import torch

from strag.geometry.moments import ClassMoments

TILE = 1024  # examples; a multiple of 8


@dataclass
class Inputs:
    """Standardised examples on the device.

    x : float32 [P, number of inputs that vary]. group : int64 [P]. member : float32 [C, P], one-hot.
    """

    x: torch.Tensor
    group: torch.Tensor
    member: torch.Tensor

    @classmethod
    def of(cls, x, group, classes, device):
        group = torch.as_tensor(group)
        member = torch.nn.functional.one_hot(group, classes).t().to(torch.float32)
        return cls(torch.as_tensor(x).to(device), group.to(device), member.contiguous().to(device))

    def tile(self, rows):
        """The part at `rows`: a slice, int64 [B], or int64 [R, B] for one batch per run."""
        if isinstance(rows, slice) or rows.dim() == 1:
            return Inputs(self.x[rows], self.group[rows], self.member[:, rows])
        return Inputs(self.x[rows], self.group[rows], self.member[:, rows].transpose(0, 1).contiguous())

    def tiles(self):
        """(slice of rows, Inputs) one after the other."""
        for start in range(0, len(self.x), TILE):
            rows = slice(start, min(start + TILE, len(self.x)))
            yield rows, self.tile(rows)


@dataclass
class Measured:
    """What a pass found in the state of R networks.

    loss, error : float64 [R], over trained examples. wrong : bool [R, P], all examples.
    moments : ClassMoments with lead (R,) per measured layer.
    """

    loss: np.ndarray
    error: np.ndarray
    wrong: np.ndarray
    moments: list


def loss_and_slope(logits, member):
    """Cross-entropy per example [R, B] and its derivative by the logits [R, C, B].

    member : one-hot [C, B], or [R, C, B] for one batch per run.
    """
    shifted = logits - logits.amax(dim=1, keepdim=True)
    slope = shifted.exp()
    total = slope.sum(dim=1, keepdim=True)
    loss = total.log().squeeze(1) - (shifted * member).sum(dim=1)
    return loss, slope.div_(total).sub_(member)


def wrongly_classified(logits, group):
    """bool [R, B]: whether the first index of the largest logit is not the group.

    Networks whose logits are not finite are wrong. A running maximum over the few logits is many
    times faster than argmax along a strided axis.
    """
    best, chosen = logits[:, 0], torch.zeros_like(logits[:, 0], dtype=torch.int64)
    for c in range(1, logits.shape[1]):
        chosen.masked_fill_(logits[:, c] > best, c)
        best = torch.maximum(best, logits[:, c])  # NaN if any logit is
    return (chosen != group) | ~torch.isfinite(best)


def full_pass(networks, inputs, layers, trained=None, learn=False, measure=True):
    """Visit every example once.

    Parameters
    ----------
    networks : Networks
    inputs : Inputs, P examples in C groups.
    layers : measured layers, 1 for the first hidden one, 0 for the input.
    trained : float32 [R, P] of 0 and 1, or None for all 1.
    learn : add the gradient of the mean loss over trained examples to the parameters' `grad`.
    measure : return Measured; otherwise None.
    """
    tally = _Tally(layers) if measure else None
    total = float(len(inputs.x)) if trained is None else trained.sum(dim=1).clamp_(min=1)
    scale = 1 / total if trained is None else (1 / total)[:, None, None]
    for rows, tile in inputs.tiles():
        weight = None if trained is None else trained[:, rows]
        hidden, logits = networks.forward(tile.x)
        loss, slope = loss_and_slope(logits, tile.member)
        if measure:
            tally.add(tile, hidden, logits, loss, weight)
        if learn:
            slope.mul_(scale)
            if weight is not None:
                slope.mul_(weight[:, None, :])
            networks.backward(tile.x, hidden, slope)
    return tally.measured(total, networks.weights[0].shape[0]) if measure else None


def batch_step(networks, tile, trained=None):
    """Add the gradient of the mean loss over one batch to `grad`; trained : [R, B] of 0 and 1, or None.

    A batch without examples adds nothing: it is an update with gradient zero.
    """
    if len(tile.group.reshape(-1)) == 0:
        return
    hidden, logits = networks.forward(tile.x)
    _, slope = loss_and_slope(logits, tile.member)
    if trained is None:
        slope.mul_(1 / slope.shape[-1])
    else:
        slope.mul_((trained / trained.sum(dim=1, keepdim=True).clamp_(min=1))[:, None, :])
    networks.backward(tile.x, hidden, slope)


def misclassified(networks, inputs, offset=None):
    """bool [R, P]: the examples that each network gets wrong, with `offset` added to the inputs."""
    wrong = []
    for rows, tile in inputs.tiles():
        x = tile.x if offset is None else tile.x + offset[rows]
        _, logits = networks.forward(x)
        wrong.append(wrongly_classified(logits, tile.group))
    return torch.cat(wrong, dim=1)


class _Tally:
    """Sums over tiles, float32 within one and float64 across; they stay on the device until the end."""

    def __init__(self, layers):
        self.layers = layers
        self.loss, self.errors, self.wrong, self.count = [], [], [], []
        self.sums = [[] for _ in layers]
        self.norms = [[] for _ in layers]

    def add(self, tile, hidden, logits, loss, weight):
        wrong = wrongly_classified(logits, tile.group)
        self.wrong.append(wrong)
        if weight is None:
            self.errors.append(wrong.sum(dim=1))
            self.loss.append(loss.sum(dim=1))
            member = tile.member  # (C, B)
        else:
            self.errors.append((wrong * weight).sum(dim=1))
            self.loss.append((loss * weight).sum(dim=1))
            member = tile.member * weight[:, None, :]  # (R, C, B)
        self.count.append(member.sum(dim=-1))  # (C,) or (R, C)
        for sums, norms, layer in zip(self.sums, self.norms, self.layers, strict=True):
            h = hidden[layer - 1][1] if layer else tile.x.t().unsqueeze(0)  # (R, N, B) or (1, d, B)
            norm2 = h.square().sum(dim=1)  # (R, B)
            inverse = torch.where(norm2 > 0, norm2.rsqrt(), 0)
            scaled = member * inverse[:, None, :]  # (R, C, B)
            sums.append(torch.matmul(scaled, h.transpose(1, 2)))  # (R, C, N)
            norms.append((scaled * (norm2 * inverse)[:, None, :]).sum(dim=-1))  # (R, C)

    def measured(self, total, runs):
        total = total if isinstance(total, float) else total.double().cpu().numpy()
        count = _sum(self.count)
        moments = [
            ClassMoments(
                np.broadcast_to(count, (runs, count.shape[-1])),
                _spread(_sum(sums), runs),
                _spread(_sum(norms), runs),
            )
            for sums, norms in zip(self.sums, self.norms, strict=True)
        ]
        wrong = torch.cat(self.wrong, dim=1).cpu().numpy()
        return Measured(_sum(self.loss) / total, _sum(self.errors) / total, wrong, moments)


def _sum(tiles):
    """Sum over tiles in float64, on the CPU (some accelerators have no float64)."""
    return torch.stack(tiles).cpu().double().sum(dim=0).numpy()


def _spread(values, runs):
    return np.broadcast_to(values, (runs, *values.shape[1:]))
