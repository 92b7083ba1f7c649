"""The layers of a module by their names, and what a forward pass shows of them."""

import contextlib
import math
from dataclasses import dataclass

import torch

from strag.errors import StragError, bad_usage
from strag.words import MEAN

INPUT = "input"  # the name of the input among the layers

EXAMPLES = 3  # in the pass that shows the layers


@dataclass(frozen=True)
class Layer:
    """A submodule in one forward pass.

    name : as in `named_modules`, or the number of a layer of a perceptron. type : name of its class, or of
    the nonlinearity. shape : shape of its output for one example, or None if the output is not one tensor
    with an axis of examples. calls : how many times it was called. passes_on : whether it returns the output
    of one of its own submodules, as a Sequential does.
    """

    name: int | str
    type: str
    shape: tuple | None
    calls: int
    passes_on: bool = False

    @property
    def fault(self):
        """Why the layer cannot be measured: text, or None if it can."""
        if self.name == INPUT:
            return "has the name that strag gives to the input, so it needs another name"
        if self.calls != 1:
            return f"is called {self.calls} times in a forward pass"
        return "does not return one tensor of the examples" if self.shape is None else None


def split_name(layer):
    """The name of the submodule of a layer, and whether the mean over positions is meant: (str, bool)."""
    return (layer.removesuffix(MEAN), True) if layer.endswith(MEAN) else (layer, False)


def output_of(result, module):
    """The logits in what a module returns: a tensor, the first item, or the attribute or item `logits`.

    Raises StragError if there is none.
    """
    found = result
    if hasattr(result, "logits"):
        found = result.logits
    elif isinstance(result, dict):
        found = result.get("logits")
    elif isinstance(result, (tuple, list)) and result:
        found = result[0]
    if not isinstance(found, torch.Tensor):
        kind = type(result).__name__
        raise StragError(f"{type(module).__name__} returns {kind}, not logits", "return a tensor [B, C]")
    return found


def seen_layers(module, shape):
    """The Layers of a module in the order in which they are first called, and the shape of its output.

    shape : shape of an example. One pass over zeros, without gradients. Layers that are never called are the
    last ones.
    """
    kinds = {m: name for name, m in module.named_modules() if name}
    calls, outputs = {}, {}

    def see(submodule, _, output):
        name = kinds[submodule]
        calls[name] = calls.get(name, 0) + 1
        outputs[name] = output

    with hooked(dict.fromkeys(kinds, see)), torch.no_grad():
        result = output_of(module(torch.zeros(EXAMPLES, *shape)), module)
    layers, begun = [], _order_of_calls(calls, kinds.values())
    for name in begun:
        output, submodule = outputs.get(name), module.get_submodule(name)
        fits = isinstance(output, torch.Tensor) and output.dim() >= 2 and len(output) == EXAMPLES
        shape_of = tuple(output.shape[1:]) if fits and output.is_floating_point() else None
        inner = [outputs.get(f"{name}.{child}") for child, _ in submodule.named_modules() if child]
        passes_on = output is not None and any(output is other for other in inner)
        layers.append(Layer(name, type(submodule).__name__, shape_of, calls.get(name, 0), passes_on))
    return tuple(layers), tuple(result.shape)


def _order_of_calls(calls, names):
    """Names in the order in which their calls end, then those that are not called."""
    return [*calls, *(name for name in names if name not in calls)]


@contextlib.contextmanager
def hooked(hooks):
    """A context in which forward hooks are on modules: dict of module to function."""
    handles = []
    try:
        handles += [module.register_forward_hook(hook) for module, hook in hooks.items()]
        yield
    finally:
        for handle in handles:
            handle.remove()


class Watched:
    """A context in which the outputs of some layers of a module are kept, flattened: float32 [B, N].

    module : the network. layers : their names, see `split_name`. copied : names of the layers whose output is
    copied at once, because the network overwrites it.

    The hooks live within the context, which is for one forward pass.
    """

    def __init__(self, module, layers, copied=()):
        self.module, self.layers, self.copied = module, layers, copied
        self._kept, self._calls = {}, {}

    def __enter__(self):
        wanted = {}
        for layer in self.layers:
            name, is_mean = split_name(layer)
            wanted.setdefault(self.module.get_submodule(name), []).append((layer, is_mean))
        self._hooks = hooked({m: self._hook(forms) for m, forms in wanted.items()})
        self._hooks.__enter__()
        return self

    def __exit__(self, *failure):
        return self._hooks.__exit__(*failure)

    def _hook(self, forms):
        def keep(_, __, output):
            tensor = self._tensor(output)
            for layer, is_mean in forms:
                self._calls[layer] = self._calls.get(layer, 0) + 1
                if tensor is not None:
                    kept = self._form(layer, is_mean, tensor.detach())
                    self._kept[layer] = kept, version_of(kept)

        return keep

    def _tensor(self, output):
        """The tensor in what a layer returns, or None."""
        return output if isinstance(output, torch.Tensor) else None

    def _form(self, layer, is_mean, output):
        """The form in which the output of a layer is kept."""
        kept = output.clone() if layer in self.copied else output
        return mean_over_positions(kept) if is_mean else kept

    def outputs(self):
        """The outputs of all layers. Raises StragError for a layer that was not called once."""
        for layer in self.layers:
            calls = self._calls.get(layer, 0)
            if calls != 1 or layer not in self._kept:
                once = [name for name in self._kept if self._calls[name] == 1]
                fault = f"is called {calls} times in a forward pass" if calls != 1 else "returns no tensor"
                others = f"; {', '.join(once)} are called once" if once else ""
                raise bad_usage(f"the layer {layer} {fault}{others}", "choose other `layers`")
        return {layer: kept.flatten(1).float() for layer, (kept, _) in self._kept.items()}

    def overwritten(self):
        """Names of the layers whose output was overwritten after it was kept: set."""
        return {layer for layer, (kept, version) in self._kept.items() if version_of(kept) != version}


def version_of(tensor):
    """How often a tensor has been changed in place, or None if torch does not count it."""
    return None if tensor.is_inference() else tensor._version


def mean_over_positions(output):
    """The mean over all axes after that of the channels: [B, channels]."""
    return output.flatten(2).mean(dim=2) if output.dim() > 2 else output


def units_of(layer, shape):
    """Number of units of a layer whose output for one example has this shape: int."""
    return shape[0] if split_name(layer)[1] else math.prod(shape)


def place_of(layer, layers):
    """Where a layer comes among Layers, as a key to sort by; the mean over positions follows its layer."""
    name, is_mean = split_name(layer)
    names = [layer.name for layer in layers]
    return names.index(name) if name in names else len(names), is_mean
