"""R networks that are torch modules, which take turns."""

from functools import partial

import torch

from strag.training.architecture import Networks
from strag.training.images import as_images
from strag.training.laws import logits_of
from strag.training.layers import INPUT, Watched
from strag.training.precision import exact


class Modules(Networks):
    """R networks, each a torch.nn.Module with d inputs and C logits.

    Parameters
    ----------
    modules : list of R modules. state : dict of the name of each parameter to float32 [R, *shape].
    ends : their Ends. tile : number of examples to visit at a time.
    device : the torch device. calling : a function that returns what a function returns which calls a module,
    and names the module in its errors.

    The parameters of module r are views of row r, and so are the gradients of those that are trained, to
    which torch adds in place.
    """

    def __init__(self, modules, state, ends, tile, device, calling):
        self.modules, self.ends = [module.to(device) for module in modules], ends
        self._calling = calling
        self._state = {name: values.contiguous().to(device) for name, values in state.items()}
        named = [dict(module.named_parameters()) for module in self.modules]
        trained = {name: self._state[name] for name, p in named[0].items() if p.requires_grad}
        fixed = {name: values for name, values in self._state.items() if name not in trained}
        super().__init__(trained, tile, fixed)
        for run, parameters in enumerate(named):
            for name, parameter in parameters.items():
                parameter.data = self._state[name][run]
                if name in trained:
                    parameter.grad = trained[name].grad[run]
        self._copied, self._logits, self._reached = set(), [], set()
        for parameters in named:
            for name in trained:
                parameters[name].register_post_accumulate_grad_hook(partial(_add, self._reached, name))

    def visit(self, x, layers=(), learn=False):
        """As `Networks.visit`, one network after another."""
        batches = [x[run] if x.dim() == 3 else x for run in range(self.runs)]
        seen = self._calling(
            lambda: [
                self._pass(module, batch, layers, learn)
                for module, batch in zip(self.modules, batches, strict=True)
            ]
        )
        self._logits = [logits for logits, _ in seen] if learn else []
        logits = torch.stack([logits.detach().float().t() for logits, _ in seen])
        return logits, {layer: self._stacked([h[layer] for _, h in seen]) for layer in layers}

    def _stacked(self, outputs):
        """The outputs [B, N] of a layer in all networks: [R, N, B]; of one network, not copied."""
        stacked = outputs[0].unsqueeze(0) if len(outputs) == 1 else torch.stack(outputs)
        return stacked.transpose(1, 2)

    def _pass(self, module, x, layers, learn):
        """The output of one network for x [B, d], and those of its layers: dict of name to [B, N]."""
        inner = tuple(layer for layer in layers if layer != INPUT)
        recorded = torch.set_grad_enabled(learn)
        with Watched(module, inner, self._copied) as watched, recorded, exact(x.device):
            logits = logits_of(module, as_images(x, self.ends.shape), self.ends.classes)
        if changed := watched.overwritten():
            self._copied |= changed
            return self._pass(module, x, layers, learn)
        hidden = watched.outputs() if inner else {}
        return logits, ({INPUT: x.float(), **hidden} if INPUT in layers else hidden)

    def backward(self, slope):
        """As `Networks.backward`; torch frees the outputs of the visit."""
        pairs = list(zip(self._logits, slope, strict=True))
        with exact(slope.device):
            self._calling(lambda: [logits.backward(of_run.t().to(logits.dtype)) for logits, of_run in pairs])
        self._logits = []

    def reached(self):
        """As `Networks.reached`. After a batch without examples, those that the output depends on."""
        if not self._reached:
            device = next(iter(self.parameters.values())).device
            logits, _ = self.visit(torch.zeros(1, self.ends.features, device=device), learn=True)
            self.backward(torch.zeros_like(logits))
            reached = set(self._reached)
            self.zero_grad()  # also of 0 times infinity
            return reached
        return self._reached

    def zero_grad(self):
        """As `Networks.zero_grad`."""
        super().zero_grad()
        self._reached.clear()

    def state(self):
        """As `Networks.state`."""
        return {name: values.detach().cpu().clone() for name, values in self._state.items()}


def _add(names, name, _):
    """Add a name to a set; a hook of torch, to which a parameter is passed as well."""
    names.add(name)
