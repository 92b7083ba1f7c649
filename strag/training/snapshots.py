"""Networks with the parameters and buffers of checkpoints, as they are in evaluation mode."""

import numpy as np
import torch

from strag.training.activations import Tile
from strag.training.architecture import misfit
from strag.training.images import as_images, image_shape
from strag.training.laws import changed, logits_of, require_single
from strag.training.layers import Watched, seen_layers
from strag.training.module_architecture import Seen
from strag.training.precision import exact
from strag.training.readout import head_of, readout_of
from strag.training.seeds import seeded


class Snapshots:
    """One network of a ModuleArchitecture, whose parameters and buffers are replaced by those of checkpoints.

    The network is in evaluation mode: BatchNorm uses the statistics of its checkpoint, and dropout does
    nothing.

    Parameters
    ----------
    architecture : ModuleArchitecture. ends : Ends of the network. device : the torch device.

    Attributes
    ----------
    architecture : the same, which knows the layers of the network in evaluation mode. output : shape of its
    output for one example.

    Raises StragError if the network cannot be built, or fails on a batch of zeros.
    """

    def __init__(self, architecture, ends, device="cpu"):
        self.ends, self.device = ends, device
        with seeded(0):
            module = architecture.module(ends).eval()
            layers, output = architecture.calling(lambda: seen_layers(module, image_shape(ends.shape)))
        shapes = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
        self.architecture, self.output = architecture.seeing(Seen(shapes, layers)), output[1:]
        self.layers, self.module = layers, module.to(device)

    @property
    def names(self):
        """Names of the parameters and buffers: list of str."""
        return list(self._own())

    def _own(self):
        """The tensors of the module's own state dict: dict of name to tensor."""
        held = self.module.state_dict()
        return {name: tensor for name, tensor in held.items() if isinstance(tensor, torch.Tensor)}

    def readout(self, layers):
        """The Readout of the network on one of these layers, or None; see `Architecture.readout`."""
        shape = image_shape(self.ends.shape)
        return self.architecture.calling(lambda: readout_of(self.module, shape, layers))

    def head(self, readout):
        """The head of the network as it is now, as arrays of one run; see `head_of`."""
        names = [] if readout is None else [name for name in (readout.weight, readout.bias) if name]
        held = {name: self.module.get_parameter(name).detach() for name in names}
        return head_of({name: _as_array(tensor.float()) for name, tensor in held.items()}, readout)

    def misfit(self, shapes):
        """How parameters and buffers of these shapes differ from those of the network: text, or None.

        A tensor that the network has under several names needs to be there under one of them.
        shapes : dict of name to shape.
        """
        own = self._own()
        there = {(own[name].data_ptr(), own[name].shape) for name in own if name in shapes}
        wanted = {
            name: tensor.shape
            for name, tensor in own.items()
            if name in shapes or (tensor.data_ptr(), tensor.shape) not in there or not tensor.numel()
        }
        return misfit(shapes, wanted)

    def load(self, tensors):
        """Put parameters and buffers, a dict of name to array, into the network.

        Raises StragError if the network refuses them.
        """
        state = {name: torch.from_numpy(np.array(array)) for name, array in tensors.items()}
        self.architecture.calling(lambda: self.module.load_state_dict(state, strict=False))

    @torch.no_grad()
    def tiles(self, x, group, layers):
        """Yield the activations of the network on P examples as Tiles, in order.

        Parameters
        ----------
        x : float32 [P, d], all inputs, standardised. group : int [P]. layers : names of layers, see
        `strag.training.layers.split_name`.

        Raises StragError for a layer that is not called once in a pass, and for an output that is not one
        logit for each group.
        """
        size = self.architecture.tile(1, self.ends)
        for start in range(0, len(x), size):
            rows = slice(start, min(start + size, len(x)))
            logits, hidden = self.architecture.calling(lambda rows=rows: self._pass(x[rows], layers))
            member = torch.as_tensor(group[rows]).to(logits.device)
            loss = torch.nn.functional.cross_entropy(logits, member, reduction="none")
            by_example = {layer: _as_array(hidden[layer]) for layer in layers}
            yield Tile(slice(0, 1), rows, by_example, _as_array(logits.argmax(dim=1).int()), _as_array(loss))

    def require_lawful(self, x):
        """Raise StragError unless the network treats every example by itself and draws no random numbers.

        x : float32 [P, d], as for `tiles`; the first ones are tried.
        """
        images = self._images(x[: self.architecture.tile(1, self.ends)])
        remedy = "correct it for evaluation mode, where neither dropout nor other examples may have an effect"

        def tried():
            require_single(self.module, images, self.ends.classes, remedy)
            with changed(self.module):
                require_single(self.module, images, self.ends.classes, remedy)

        self.architecture.calling(tried)

    def _images(self, x):
        """Examples x [B, d] as the network takes them, on its device."""
        return as_images(torch.as_tensor(x).to(self.device), self.ends.shape)

    def _pass(self, x, layers):
        """The logits of the network for x [B, d], float32 [B, C], and the outputs [B, N] of layers: dict."""
        with Watched(self.module, layers, layers) as watched, exact(self.device):
            logits = logits_of(self.module, self._images(x), self.ends.classes).float()
        return logits, watched.outputs()


def _as_array(tensor):
    """A tensor [B, ...] of one network as an array [1, B, ...]."""
    return tensor.unsqueeze(0).cpu().numpy()
