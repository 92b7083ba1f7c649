"""The hidden activations of trained networks on given examples."""

from dataclasses import dataclass, field

import numpy as np
import torch

from strag.training.passes import Inputs, log_probabilities


@dataclass
class Tile:
    """Activations, predictions and losses of some networks on B examples.

    The first axis of every array, written `.`, is that of the networks in the tile.

    runs, rows : slices of all runs and of all examples. hidden : dict of layer to float32 [., B, N], the
    activations. prediction : int32 [., B]. loss : float32 [., B], cross-entropy in nats. head : dict of
    `head_weight` [., C, N] and `head_bias` [., C], empty without a linear head on one of the layers.
    """

    runs: slice
    rows: slice
    hidden: dict
    prediction: np.ndarray
    loss: np.ndarray
    head: dict = field(default_factory=dict)


@torch.no_grad()
def activations(state, recipe, ends, x, columns, group, wanted, device="cpu"):
    """Yield the activations of R networks on P examples as Tiles, one group of runs after another.

    Parameters
    ----------
    state : dict of name to float32 [R, ...], the parameters.
    recipe : the Recipe that the networks were trained with. ends : the networks' Ends.
    x : float32 [P, d'], the standardised inputs that the networks use. columns : int [d'], the positions of
    these inputs among all d. group : int [P].
    wanted : names of the layers to return; the input layer may be one of them.
    """
    inputs = _inputs(recipe, ends, x, group, device)
    for runs, networks in _groups(state, recipe, ends, columns, device):
        for rows, tile in inputs.tiles(networks.tile):
            logits, hidden = networks.visit(tile.x, wanted)
            loss = -(log_probabilities(logits) * tile.member).sum(dim=1)
            by_example = {layer: _by_example(h, networks.runs) for layer, h in hidden.items()}
            yield Tile(runs, rows, by_example, logits.argmax(dim=1).int().cpu().numpy(), loss.cpu().numpy())


@torch.no_grad()
def logits_of(state, recipe, ends, x, columns, group, device="cpu"):
    """Yield the logits of R networks on P examples, one group of runs after another.

    The parameters are those of `activations`. A group is a slice of all runs and float32 [., P, C].
    """
    inputs = _inputs(recipe, ends, x, group, device)
    for runs, networks in _groups(state, recipe, ends, columns, device):
        tiles = [networks.visit(tile.x)[0].clone() for _, tile in inputs.tiles(networks.tile)]
        yield runs, torch.cat(tiles, dim=2).transpose(1, 2).cpu().numpy()


def _inputs(recipe, ends, x, group, device):
    """The Inputs of networks, in the dtype of their first layer."""
    dtype = recipe.architecture.operands(recipe.precision, ends)[0]
    return Inputs.of(x, group, ends.classes, device, dtype)


def _groups(state, recipe, ends, columns, device):
    """Yield the Networks of every group of runs, with the slice of all runs that it is."""
    architecture = recipe.architecture
    R, size = len(next(iter(state.values()))), architecture.group_size(ends)
    for start in range(0, R, size):
        runs = slice(start, min(start + size, R))
        part = {name: torch.as_tensor(values[runs]) for name, values in state.items()}
        yield runs, architecture.networks(part, ends, torch.as_tensor(columns), recipe.precision, device)


def _by_example(h, runs):
    """Return the activations of one layer, [R, N, B] or [1, N, B], as an array [R, B, N]."""
    return h.transpose(1, 2).clone().expand(runs, -1, -1).cpu().numpy()
