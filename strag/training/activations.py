"""The hidden activations of trained networks on given examples."""

from dataclasses import dataclass

import numpy as np
import torch

from strag.training.loop import group_size
from strag.training.networks import Networks
from strag.training.passes import Inputs, log_probabilities
from strag.training.precision import operand_dtypes


@dataclass
class Tile:
    """What some networks make of some examples; arrays are [runs of the tile, B, ...].

    runs, rows : slices of the runs and of the examples. hidden : dict of layer to float32 [., B, N];
    layer 0 is the input. prediction : int32 [., B]. loss : float32 [., B], cross-entropy in nats.
    """

    runs: slice
    rows: slice
    hidden: dict
    prediction: np.ndarray
    loss: np.ndarray


@torch.no_grad()
def activations(layers, recipe, x, columns, group, wanted, device="cpu"):
    """Yield Tiles of the activations of R networks on P examples, group of runs after group.

    Parameters
    ----------
    layers : list of (weight float32 [R, outputs, d], bias float32 [R, outputs]).
    recipe : the Recipe that the networks were trained by.
    x : float32 [P, d'], standardised inputs at the `columns` that vary. group : int [P].
    wanted : layers, 1 to depth - 1, or 0.
    """
    classes = layers[-1][1].shape[1]
    sizes = [layers[0][0].shape[2], *[weight.shape[1] for weight, _ in layers]]
    dtypes = operand_dtypes(recipe.precision, sizes)
    inputs = Inputs.of(x, group, classes, device, dtypes[0])
    R, size = layers[0][1].shape[0], group_size(recipe, classes)
    for start in range(0, R, size):
        runs = slice(start, min(start + size, R))
        part = [(torch.from_numpy(weight[runs]), torch.from_numpy(bias[runs])) for weight, bias in layers]
        networks = Networks(part, recipe.activation, torch.as_tensor(columns), device, dtypes)
        for rows, tile in inputs.tiles(networks.tile):
            hidden, logits = networks.forward(tile.x)
            loss = -(log_probabilities(logits) * tile.member).sum(dim=1)
            found = {layer: _of_layer(layer, hidden, tile, logits.shape[0]) for layer in wanted}
            yield Tile(runs, rows, found, logits.argmax(dim=1).int().cpu().numpy(), loss.cpu().numpy())


def _of_layer(layer, hidden, tile, runs):
    if layer == 0:
        return tile.x.float().expand(runs, -1, -1).cpu().numpy()
    return hidden[layer - 1][1].transpose(1, 2).clone().cpu().numpy()  # (R, B, N)
