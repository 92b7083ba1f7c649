"""The hidden activations of trained networks on given examples."""

from dataclasses import dataclass

import numpy as np
import torch

from strag.training.passes import Inputs, log_probabilities


@dataclass
class Tile:
    """What some networks make of some examples; arrays are [runs of the tile, B, ...].

    runs, rows : slices of the runs and of the examples. hidden : dict of layer to float32 [., B, N].
    prediction : int32 [., B]. loss : float32 [., B], cross-entropy in nats.
    """

    runs: slice
    rows: slice
    hidden: dict
    prediction: np.ndarray
    loss: np.ndarray


@torch.no_grad()
def activations(state, recipe, ends, x, columns, group, wanted, device="cpu"):
    """Yield Tiles of the activations of R networks on P examples, group of runs after group.

    Parameters
    ----------
    state : dict of name to float32 [R, ...], the parameters.
    recipe : the Recipe that the networks were trained by. ends : their Ends.
    x : float32 [P, d'], standardised inputs at the `columns` that are used. group : int [P].
    wanted : names of layers, the input's among them or not.
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
            found = {layer: _by_example(h, networks.runs) for layer, h in hidden.items()}
            yield Tile(runs, rows, found, logits.argmax(dim=1).int().cpu().numpy(), loss.cpu().numpy())


def _by_example(h, runs):
    """A layer's activations, [R, N, B] or [1, N, B], as an array [R, B, N]."""
    return h.transpose(1, 2).clone().expand(runs, -1, -1).cpu().numpy()
