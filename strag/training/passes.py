"""One pass over the examples, tile by tile. It computes loss, gradient, errors and class moments together."""

from dataclasses import dataclass

import numpy as np
import torch

from strag.geometry.moments import ClassMoments


@dataclass
class Inputs:
    """Standardised examples on the device.

    x : [P, d'], the inputs that are used, contiguous, in the dtype of the operands of the first layer.
    group : [P], uint8 for up to 256 groups, else int64. member : float32 [C, P], one-hot.
    """

    x: torch.Tensor
    group: torch.Tensor
    member: torch.Tensor

    @classmethod
    def of(cls, x, group, classes, device, dtype=torch.float32):
        """Move x [P, d'] and group, int [P], to the device: Inputs."""
        group = torch.as_tensor(group)
        member = torch.nn.functional.one_hot(group, classes).t().to(torch.float32)
        small = group.to(torch.uint8 if classes <= 256 else torch.int64)
        x = torch.as_tensor(x).to(device=device, dtype=dtype).contiguous()
        return cls(x, small.to(device), member.contiguous().to(device))

    def tile(self, rows):
        """Return the Inputs at `rows`: a slice, int64 [B], or int64 [R, B] for one batch per run."""
        if isinstance(rows, slice) or rows.dim() == 1:
            return Inputs(self.x[rows], self.group[rows], self.member[:, rows])
        return Inputs(self.x[rows], self.group[rows], self.member[:, rows].transpose(0, 1).contiguous())

    def tiles(self, size):
        """Yield all examples as (slice of rows, Inputs), at most `size` at a time."""
        for start in range(0, len(self.x), size):
            rows = slice(start, min(start + size, len(self.x)))
            yield rows, self.tile(rows)


@dataclass
class Measured:
    """The results of a pass for R networks.

    loss, error : float64 [R], means over the trained examples; loss in nats. wrong : bool [R, P], whether an
    example is misclassified, for all examples. moments : list of ClassMoments with lead (R,), one per
    measured layer.
    """

    loss: np.ndarray
    error: np.ndarray
    wrong: np.ndarray
    moments: list


def log_probabilities(logits):
    """Return the log-probability of every group, [R, C, B].

    The cross-entropy of an example is minus the log-probability of its group.
    """
    return torch.log_softmax(logits, dim=1)


def slope_of(log_p, member):
    """Return the derivative of the cross-entropy by the logits, [R, C, B]. It overwrites `log_p`.

    log_p : log-probabilities [R, C, B]. member : one-hot [C, B], or [R, C, B] for one batch per run.
    """
    return log_p.exp_().sub_(member)


def wrongly_classified(logits, group):
    """Whether the first index of the largest logit differs from the group: bool [R, B].

    An example with logits that are not finite is misclassified. A running maximum over the few logits is
    many times faster than argmax along a strided axis.
    """
    best, chosen = logits[:, 0], None
    for c in range(1, logits.shape[1]):
        higher = logits[:, c] > best
        chosen = higher.to(group.dtype) if chosen is None else chosen.masked_fill_(higher, c)
        best = torch.maximum(best, logits[:, c])  # NaN if any logit is
    return (chosen != group).logical_or_((best < torch.inf).logical_not_())


def full_pass(networks, inputs, layers, trained=None, learn=False, measure=True):
    """Visit every example once, to measure the networks, to add their gradient, or both.

    Parameters
    ----------
    networks : Networks, see `strag.training.architecture`.
    inputs : Inputs, P examples in C groups.
    layers : names of the measured layers.
    trained : float32 [R, P], 1 for an example that a run trains on and 0 otherwise, or None for all 1.
    learn : whether to add the gradient of the mean loss over trained examples to the parameters' `grad`.
    measure : whether to measure.

    Returns Measured, or None without `measure`.
    """
    tally = _Tally(networks, layers) if measure else None
    total = float(len(inputs.x)) if trained is None else trained.sum(dim=1).clamp_(min=1)
    share = None if trained is None else trained / total[:, None]
    for rows, tile in inputs.tiles(networks.tile):
        weight = None if trained is None else trained[:, rows]
        logits, hidden = networks.visit(tile.x, layers if measure else (), learn)
        log_p = log_probabilities(logits)
        if measure:
            tally.add(tile, hidden, logits, log_p, weight)
        if learn:
            slope = slope_of(log_p, tile.member)
            slope.mul_(1 / total if share is None else share[:, None, rows])
            networks.backward(slope)
    return tally.measured(inputs, trained, total) if measure else None


def batch_step(networks, tile, trained=None):
    """Add the gradient of the mean loss over one batch to `grad`.

    tile : Inputs. trained : float32 [R, B], 1 for an example that a run trains on and 0 otherwise, or None
    for all 1. A batch without examples adds nothing: its update has gradient zero.
    """
    if tile.group.numel() == 0:
        return
    logits, _ = networks.visit(tile.x, learn=True)
    slope = slope_of(log_probabilities(logits), tile.member)
    if trained is None:
        slope.mul_(1 / slope.shape[-1])
    else:
        slope.mul_((trained / trained.sum(dim=1, keepdim=True).clamp_(min=1))[:, None, :])
    networks.backward(slope)


def misclassified(networks, inputs, offset=None):
    """Return the examples that each network misclassifies, bool [R, P]; offset [P, d'] is added to inputs."""
    wrong = []
    for rows, tile in inputs.tiles(networks.tile):
        x = tile.x if offset is None else (tile.x + offset[rows]).to(tile.x.dtype)
        logits, _ = networks.visit(x)
        wrong.append(wrongly_classified(logits, tile.group))
    return torch.cat(wrong, dim=1)


class _Tally:
    """Sums over tiles: float32 within a tile, float64 across tiles. They stay on the device until the end."""

    def __init__(self, networks, layers):
        self.networks, self.layers = networks, layers
        self.loss, self.wrong = [], []
        self.sums = [[] for _ in layers]
        self.norms = [[] for _ in layers]

    def add(self, tile, hidden, logits, log_p, weight):
        """Add a tile. weight : `trained` at the rows of the tile, or None."""
        self.wrong.append(wrongly_classified(logits, tile.group))
        counted = tile.member if weight is None else tile.member * weight[:, None, :]  # (C, B) or (R, C, B)
        self.loss.append((log_p * counted).sum(dim=(1, 2)))
        for sums, norms, layer in zip(self.sums, self.norms, self.layers, strict=True):
            h = hidden[layer]  # (R, N, B) or (1, N, B)
            norm2 = self._squared_norms(h)  # (R, B)
            inverse = torch.where(norm2 > 0, norm2.rsqrt(), 0)
            scaled = counted * inverse[:, None, :]  # (R, C, B)
            sums.append(torch.matmul(scaled, h.transpose(1, 2)))  # (R, C, N)
            norms.append((scaled @ norm2.mul_(inverse).unsqueeze(-1)).squeeze(-1))  # (R, C)

    def _squared_norms(self, h):
        """The squared norms |h|^2 of activations [R, N, B]: [R, B]."""
        if not h.is_contiguous() and h.stride(1) == 1:  # a module's, whose units are neighbours in memory
            return torch.linalg.vector_norm(h, dim=1).square_()
        return torch.mul(h, h, out=self.networks.scratch("square", *h.shape)).sum(dim=1)

    def measured(self, inputs, trained, total):
        """Return the Measured of all tiles. total : number of trained examples, one number or [R]."""
        runs = self.networks.runs
        member = inputs.member.sum(dim=1) if trained is None else trained @ inputs.member.t()
        count = np.broadcast_to(member.cpu().double().numpy(), (runs, len(inputs.member)))
        moments = [
            ClassMoments(count, _spread(_sum(sums), runs), _spread(_sum(norms), runs))
            for sums, norms in zip(self.sums, self.norms, strict=True)
        ]
        wrong = torch.cat(self.wrong, dim=1)
        errors = (wrong if trained is None else wrong & (trained > 0)).sum(dim=1).cpu().double().numpy()
        total = total if trained is None else total.cpu().double().numpy()
        return Measured(-_sum(self.loss) / total, errors / total, wrong.cpu().numpy(), moments)


def _sum(tiles):
    """Sum over tiles in float64, on the CPU because some accelerators have no float64."""
    return torch.stack(tiles).cpu().double().sum(dim=0).numpy()


def _spread(values, runs):
    """Repeat values [R, ...] or [1, ...] for all runs: [R, ...]."""
    return np.broadcast_to(values, (runs, *values.shape[1:]))
