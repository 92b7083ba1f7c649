"""The hidden activations of trained networks on given examples."""

from dataclasses import dataclass

import numpy as np
import torch

from strag.training.passes import Inputs, log_probabilities


@dataclass
class Tile:
    """Activations, predictions and losses of some networks on B examples.

    The first axis of every array, written `.`, is that of the networks in the tile.

    runs, rows : slices of all runs and of all examples. hidden : dict of layer to float32 [., B, N], the
    activations. prediction : int32 [., B]. loss : float32 [., B], cross-entropy in nats.
    """

    runs: slice
    rows: slice
    hidden: dict
    prediction: np.ndarray
    loss: np.ndarray


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
    architecture = recipe.architecture
    dtype = architecture.operands(recipe.precision, ends)[0]
    inputs = Inputs.of(x, group, ends.classes, device, dtype)
    R, size = len(next(iter(state.values()))), architecture.group_size(ends)
    for start in range(0, R, size):
        runs = slice(start, min(start + size, R))
        part = {name: torch.as_tensor(values[runs]) for name, values in state.items()}
        networks = architecture.networks(part, ends, torch.as_tensor(columns), recipe.precision, device)
        for rows, tile in inputs.tiles(networks.tile):
            logits, hidden = networks.visit(tile.x, wanted)
            loss = -(log_probabilities(logits) * tile.member).sum(dim=1)
            by_example = {layer: _by_example(h, networks.runs) for layer, h in hidden.items()}
            yield Tile(runs, rows, by_example, logits.argmax(dim=1).int().cpu().numpy(), loss.cpu().numpy())


def _by_example(h, runs):
    """Return the activations of one layer, [R, N, B] or [1, N, B], as an array [R, B, N]."""
    return h.transpose(1, 2).clone().expand(runs, -1, -1).cpu().numpy()
