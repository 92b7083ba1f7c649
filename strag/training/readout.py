"""The linear head of a network: the layer that it reads, and its parameters."""

from dataclasses import dataclass

import numpy as np
import torch

from strag.training.layers import EXAMPLES, Watched, output_of


@dataclass(frozen=True)
class Readout:
    """A linear head, whose output is the logits.

    layer : name of the layer that it reads, flattened. weight, bias : names of its parameters, [C, N] and
    [C]; bias is None for a head without one.
    """

    layer: int | str
    weight: str
    bias: str | None


@torch.no_grad()
def readout_of(module, shape, layers):
    """The Readout of a module on one of these layers, or None.

    None means that its logits are not the output of a torch Linear that reads one of the layers.

    shape : shape of an example. layers : names of layers, see `strag.training.layers.split_name`. One pass
    over random numbers shows which of them is the input of which Linear.
    """
    heads = {m: name for name, m in module.named_modules() if isinstance(m, torch.nn.Linear)}
    seen = {}

    def see(head, inputs, output):
        seen[heads[head]] = (inputs[0].flatten(1).clone(), output) if inputs else (None, output)

    handles = [head.register_forward_hook(see) for head in heads]
    try:
        x = torch.rand(EXAMPLES, *shape, generator=torch.Generator().manual_seed(0))
        x = x.to(next(module.parameters(), x).device)
        with Watched(module, layers, layers) as watched:
            logits = output_of(module(x), module)
    finally:
        for handle in handles:
            handle.remove()
    hidden = watched.outputs()
    for name, (read, written) in seen.items():
        if written is logits and read is not None:
            for layer in reversed(layers):
                if hidden[layer].shape == read.shape and torch.allclose(hidden[layer], read.float()):
                    has_bias = module.get_submodule(name).bias is not None
                    return Readout(layer, f"{name}.weight", f"{name}.bias" if has_bias else None)
    return None


def head_of(state, readout):
    """The head in the parameters of R networks: dict of `head_weight` [R, C, N] and `head_bias` [R, C].

    state : dict of name to float32 [R, ...]. readout : the Readout, or None, which makes the dict empty. The
    bias of a head without one is 0.
    """
    if readout is None:
        return {}
    weight = np.asarray(state[readout.weight])
    bias = np.zeros(weight.shape[:2], np.float32) if readout.bias is None else np.asarray(state[readout.bias])
    return {"head_weight": weight, "head_bias": bias}
