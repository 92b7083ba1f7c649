"""R networks that are torch modules, which take turns, and the laws that they obey."""

import torch

from strag.errors import StragError
from strag.training.architecture import Networks
from strag.training.images import as_images
from strag.training.layers import INPUT, Watched, output_of
from strag.training.precision import exact
from strag.training.seeds import seeded

CLOSE = 1e-3  # largest difference of logits that is rounding, relative to the largest logit


class Modules(Networks):
    """R networks, each a torch.nn.Module with d inputs and C logits.

    Parameters
    ----------
    modules : list of R modules. state : dict of the name of each parameter to float32 [R, *shape].
    shape : shape of an example in the data set. tile : number of examples to visit at a time.
    device : the torch device. calling : a function that returns what a function returns which calls a module,
    and names the module in its errors.

    In `parameters` are those that are trained. The parameters of module r are views of row r, and so are
    their gradients, to which torch adds in place.
    """

    def __init__(self, modules, state, shape, tile, device, calling):
        self.modules, self.shape = [module.to(device) for module in modules], shape
        self._calling = calling
        self._state = {name: values.contiguous().to(device) for name, values in state.items()}
        named = [dict(module.named_parameters()) for module in self.modules]
        trained = {name: self._state[name] for name, p in named[0].items() if p.requires_grad}
        super().__init__(trained, tile)
        for run, parameters in enumerate(named):
            for name, parameter in parameters.items():
                parameter.data = self._state[name][run]
                if name in trained:
                    parameter.grad = trained[name].grad[run]
        self._copied, self._logits = set(), []

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
            logits = output_of(module(as_images(x, self.shape)), module)
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

    def state(self):
        """As `Networks.state`."""
        return {name: values.detach().cpu().clone() for name, values in self._state.items()}


def require_lawful(module, other, x, shape, classes):
    """Raise StragError unless a network treats every example by itself and draws no random numbers.

    module, other : two networks of one factory, drawn with different random numbers. x : float32 [B, d],
    examples to try it on. shape : shape of an example in the data set. classes : number of groups.
    """
    remedy = (
        "replace BatchNorm by GroupNorm and remove dropout, or train the network in a loop of your own "
        "and pass its checkpoints to 'strag dump'"
    )
    if {id(parameter) for parameter in module.parameters()} & {id(p) for p in other.parameters()}:
        raise StragError("two networks share their parameters", "build all of them at every call")
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}
    for name, buffer in other.named_buffers():
        if not torch.equal(buffer, buffers[name]):
            raise StragError(f"the network draws its buffer '{name}' at random", "make it a parameter")
    given, x = x, as_images(x.clone(), shape)
    if not output_of(module(x), module).requires_grad:
        problem = "the output of the network has no gradient"
        raise StragError(problem, "remove torch.no_grad, detach and the like from its forward pass")
    if not torch.equal(x, as_images(given, shape)):
        raise StragError("the network changes its input in place", "make its first operation return a copy")
    with torch.no_grad():
        with seeded(0):
            whole = output_of(module(x), module)
        with seeded(1):
            again = output_of(module(x), module)
        cut = max(1, len(x) // 3)
        halves = torch.cat([output_of(module(part), module) for part in (x[:cut], x[cut:])])
    if whole.shape != (len(x), classes):
        problem = f"the network returns an output of shape {tuple(whole.shape)} for {len(x)} examples"
        raise StragError(problem, f"return logits of shape [B, {classes}]")
    whole, again, halves = (logits.nan_to_num() for logits in (whole, again, halves))
    if not torch.equal(whole, again):
        raise StragError("the network draws random numbers when it is called, as dropout does", remedy)
    scale = whole.abs().max()
    if not ((whole - halves).abs() <= CLOSE * scale).all():
        problem = "the output of an example depends on the other examples of its batch, as with BatchNorm"
        raise StragError(problem, remedy)
    for name, buffer in module.named_buffers():
        if not torch.equal(buffer, buffers[name]):
            raise StragError(f"the network changes its buffer '{name}' when it is called", remedy)
