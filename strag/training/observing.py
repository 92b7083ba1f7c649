"""A forward pass through a network that a user trains, which leaves no trace in the training.

The training goes on bit for bit as without the pass: its random numbers, buffers and modes are those from
before, no hook stays, and a compiled network is not compiled again.
"""

import difflib
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from strag.errors import StragError, bad_usage, warn_caller
from strag.training.layers import Watched, hooked, mean_over_positions, split_name
from strag.training.loaders import PUSH, open_data, rows_of
from strag.training.unchanged import unchanged
from strag.values import refused, shown, some_or
from strag.words import number_of, some_of

MEAN, FIRST, LAST, FLATTEN = POOLS = ("mean", "first", "last", "flatten")
_SHARDED = {"FullyShardedDataParallel", "FSDPModule"}  # names of classes, so that they need not be imported


class Observer:
    """Makes forward passes of a network over data, each without a trace in its training.

    Parameters
    ----------
    model : torch.nn.Module; compiled and parallel ones are looked into. layers : names of its submodules, see
    `strag.training.layers.split_name`. data : see `open_data`. pool : what is measured of a layer with a
    token axis [B, T, D]: "mean", "first" or "last" token, or "flatten" for all of them as one vector; a dict
    of layer to such a word, or None without such layers.

    Attributes
    ----------
    examples : number of examples P of the whole data, or None if it is not known. classes : names of the
    classes, or None. origin : the Dataset of strag that the data are, or None.

    Raises StragError for a model, layer, pool or data that cannot be recorded.
    """

    def __init__(self, model, layers, data, pool=None):
        if not isinstance(model, nn.Module):
            raise bad_usage(f"`model` is {shown(model)}, not a torch.nn.Module", PUSH)
        self._model, self.layers = model, _listed(layers)
        self._source = open_data(data)
        self.examples, self.classes = self._source.examples, self._source.classes
        self.origin = self._source.origin
        module = network_in(model)
        _require_layers(module, self.layers)
        self._pools = _pools(pool, self.layers)
        self._before = None

    def observe(self, take):
        """Make a pass, and hand every batch to a function: take(ids, logits, labels, activations).

        ids and labels are what the data yield. logits [B, C] and the activations, a dict of layer to [B, N],
        are torch tensors of at least single precision. The layers are in the order of their calls.

        Raises StragError for a layer that is not called once, and for data and outputs of a wrong form. What
        the network and the data raise is passed on.
        """
        module = network_in(self._model)
        _require_layers(module, self.layers)
        self._require_change(module)
        with unchanged(self._model):
            for ids, inputs, labels in self._source.batches():
                logits, activations = self._pass(module, inputs, rows_of(labels))
                take(ids, logits, labels, activations)

    def _pass(self, module, inputs, examples):
        """The logits and activations of one batch, see `observe`."""
        inputs = _moved(inputs, *_place(module))
        with _Pooled(module, self.layers, self._pools, examples) as watched:
            result = _called(module, inputs)
        if fault := watched.fault():
            raise bad_usage(fault, _called_once(module, inputs))
        logits = tensor_in(result)
        if logits is not None and list(logits.shape) in ([examples], [examples, 1]):
            problem = "the network returns one output z for each example, not one logit for each class"
            raise StragError(problem, f"{PUSH}, with logits [0, z]")
        if logits is None or logits.dim() != 2 or len(logits) != examples:
            what = type(result).__name__ if logits is None else f"an output of shape {list(logits.shape)}"
            problem = f"the network returns {what} for {number_of(examples, 'example')}"
            raise StragError(problem, f"return logits [B, C], or {PUSH}")
        return _wide(logits), watched.outputs()

    def _require_change(self, module):
        """Warn once if no parameter has changed since the last pass."""
        if self._before is False:
            return
        now = [_total(parameter.detach()) for parameter in module.parameters()]
        is_same = bool(now) and self._before == now
        if is_same:
            problem = "no parameter of the network has changed since the last record"
            warn_caller(f"{problem}; pass the network that is trained, and not a copy of it, as `model`")
        self._before = False if is_same else now


def network_in(model):
    """The network inside a compiled or parallel one, in any nesting. Raises StragError for a sharded one."""
    while True:
        if any(base.__name__ in _SHARDED for part in model.modules() for base in type(part).__mro__):
            raise bad_usage("`model` is sharded (FSDP), so that a pass needs all its processes", PUSH)
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(getattr(model, "_orig_mod", None), nn.Module):
            model = model._orig_mod
        else:
            return model


class _Pooled(Watched):
    """A context that keeps the outputs of layers, with one vector per example, see `Observer`.

    pools : dict of layer to one of POOLS; a word under None is for all layers. examples : number of examples.
    The outputs are copies, since the network may overwrite its own.
    """

    def __init__(self, module, layers, pools, examples):
        super().__init__(module, layers)
        self._pools, self._examples = pools, examples

    def _tensor(self, output):
        tensor = tensor_in(output)
        return tensor if tensor is not None and tensor.dim() and len(tensor) == self._examples else None

    def _form(self, layer, is_mean, output):
        if output.is_complex():
            problem = f"layer {layer} returns complex numbers"
            raise bad_usage(problem, "choose a layer after them, or pass |h| or both parts to `update`")
        word = self._pools.get(layer, self._pools.get(None))
        if output.dim() == 3 and word is None:
            problem = f"layer {layer} returns {list(output.shape)}, which may be tokens [B, T, D]"
            raise bad_usage(problem, f"say what to measure of them with `pool`, {some_or(POOLS)}")
        if output.dim() != 3 and layer in self._pools:
            problem = f"layer {layer} returns {list(output.shape)}, not tokens [B, T, D]"
            raise bad_usage(problem, "remove it from `pool`")
        form = _pooled(_wide(output), word) if output.dim() == 3 else _wide(output)
        form = mean_over_positions(form) if is_mean else form
        is_own = form.untyped_storage().data_ptr() != output.untyped_storage().data_ptr()
        return form if is_own else form.clone()

    def fault(self):
        """Why an output cannot be recorded: text, or None."""
        for layer in self.layers:
            calls = self._calls.get(layer, 0)
            if calls != 1:
                return f"layer {layer} is called {number_of(calls, 'time')} in a forward pass, not once"
            if layer not in self._kept:
                return f"layer {layer} does not return a tensor with one row per example"
        return None

    def outputs(self):
        """As `Watched.outputs`, in double precision where the network has it."""
        return {layer: kept.reshape(self._examples, -1) for layer, (kept, _) in self._kept.items()}


def _pooled(tokens, word):
    """What is measured of tokens [B, T, D]: [B, D], or the tokens themselves."""
    if word == MEAN:
        return tokens.mean(dim=1)
    return {FIRST: tokens[:, 0], LAST: tokens[:, -1], FLATTEN: tokens}[word]


def _called_once(module, inputs):
    """A remedy that lists the layers which are called once in a pass."""
    calls = {name: 0 for name, _ in module.named_modules() if name}

    def counted(name):
        return lambda *_: calls.update({name: calls[name] + 1})

    with hooked({module.get_submodule(name): counted(name) for name in calls}):
        _called(module, inputs)
    return f"choose from those called once: {some_of(name for name in calls if calls[name] == 1)}"


def tensor_in(result):
    """The first tensor in what a module returns, or its attribute or item `logits`; None without a tensor."""
    if isinstance(result, torch.Tensor):
        return result
    if isinstance(getattr(result, "logits", None), torch.Tensor):
        return result.logits
    if isinstance(result, Mapping):
        result = [result["logits"]] if "logits" in result else list(result.values())
    parts = result if isinstance(result, (tuple, list)) else ()
    return next((part for part in parts if isinstance(part, torch.Tensor)), None)


def _wide(tensor):
    """A tensor in at least single precision, in which the squares of half precision do not overflow."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _place(module):
    """The device and dtype of the first parameter of a network, or None, and whether autocast is on."""
    for parameter in module.parameters():
        if parameter.is_floating_point():
            return parameter.device, parameter.dtype, torch.is_autocast_enabled(parameter.device.type)
    return None, None, False


def _moved(inputs, device, dtype, is_autocast):
    """Inputs of a network, or a collection of them, on its device; floating-point numbers in its dtype.

    Autocast chooses the dtype of its own operations, except of those in double precision.
    """
    if isinstance(inputs, torch.Tensor):
        is_cast = not is_autocast or torch.float64 in (inputs.dtype, dtype)
        return inputs.to(device, dtype if is_cast and inputs.is_floating_point() else None)
    place = device, dtype, is_autocast
    if isinstance(inputs, Mapping):
        return {name: _moved(part, *place) for name, part in inputs.items()}
    if isinstance(inputs, (tuple, list)):
        return [_moved(part, *place) for part in inputs]
    return inputs


def _called(module, inputs):
    """What a network returns for its inputs, which may be several: a dict by name, or a list."""
    if isinstance(inputs, Mapping):
        return module(**inputs)
    return module(*inputs) if isinstance(inputs, list) else module(inputs)


def _total(parameter):
    """The sum of a parameter: float; it changes if the parameter is trained."""
    values = torch.view_as_real(parameter) if parameter.is_complex() else parameter
    return float(values.sum(dtype=torch.float32 if values.device.type == "mps" else torch.float64))


def _listed(layers):
    """The names of layers that a user passes, as a tuple: a list, or a text with commas."""
    names = layers.split(",") if isinstance(layers, str) else layers
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise refused(layers, "layers", "names of submodules, such as ['layer3', 'avgpool']")
    return tuple(dict.fromkeys(name.strip() for name in names))


def _require_layers(module, layers):
    """Raise StragError if a network lacks one of the layers, or has parameters without shape or values."""
    if any(isinstance(parameter, UninitializedParameter) for parameter in module.parameters()):
        problem = "the network has parameters that get their shape in the first forward pass"
        raise StragError(problem, "make a forward pass before recording")
    if any(parameter.is_meta for parameter in module.parameters()):
        problem = "the network is on the meta device, where parameters have no values"
        raise bad_usage(problem, "pass the network that is trained as `model`")
    names = [name for name, _ in module.named_modules(remove_duplicate=False) if name]
    for layer in layers:
        name, _ = split_name(layer)
        if name not in names:
            near = difflib.get_close_matches(name, names)
            known = [*near, *(other for other in names if other not in near)]
            raise bad_usage(f"the network has no layer {name!r}", f"choose `layers` from {some_of(known)}")


def _pools(pool, layers):
    """`pool` as a dict of layer to one of POOLS; a word for all layers is under None."""
    pools = {} if pool is None else pool if isinstance(pool, dict) else {None: pool}
    for layer, word in pools.items():
        if word not in POOLS:
            raise refused(word, "pool", f"{some_or(POOLS)}, or a dict of layer to one of them")
        if layer is not None and layer not in layers:
            raise bad_usage(f"`pool` is for {layer!r}, which is not among `layers`", "add it to `layers`")
    return pools
