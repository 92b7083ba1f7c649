"""One batch of outputs, checked, before anything of it is counted."""

from dataclasses import dataclass

import numpy as np

from strag.errors import bad_usage
from strag.recording.arrays import as_array
from strag.recording.ids import ids_of
from strag.values import shown
from strag.words import number_of, some_of


@dataclass(frozen=True)
class Batch:
    """B examples. ids : list of int or str. logits : float [B, C]. labels : int64 [B].

    activations : dict of layer to float [B, N], not normalised.
    """

    ids: list
    logits: np.ndarray
    labels: np.ndarray
    activations: dict


def batch_of(ids, logits, labels, activations, classes=None):
    """Check the arguments of `Recorder.update` and return the Batch.

    classes : number of classes C, or None if the logits determine it. Raises StragError for ids, logits,
    labels and activations of a wrong type, shape or value.
    """
    ids = ids_of(ids if isinstance(ids, (list, tuple, range, str)) else as_array(ids, "ids"))
    logits, labels = _logits(logits, classes), _labels(labels)
    if not len(ids) == len(logits) == len(labels):
        counts = f"{number_of(len(ids), 'id')}, {number_of(len(logits), 'row')} of logits and "
        problem = f"a batch has {counts}{number_of(len(labels), 'label')}"
        raise bad_usage(problem, "pass one of each per example")
    C = logits.shape[1]
    outside = np.flatnonzero((labels < 0) | (labels >= C))
    if outside.size:
        problem = f"example {ids[outside[0]]!r} has label {labels[outside[0]]}, not 0 to {C - 1}"
        raise bad_usage(problem, "pass labels as positions of the logits")
    if not isinstance(activations, dict):
        raise bad_usage(f"cannot use {shown(activations)} as `activations`", "pass a dict of layer to array")
    return Batch(ids, logits, labels, {n: _activation(n, h, len(ids)) for n, h in activations.items()})


def _logits(values, classes):
    """Check logits: float [B, C]."""
    logits = as_array(values, "logits")
    width = "C" if classes is None else classes
    if logits.ndim != 2 or logits.shape[1] < 2:
        remedy = "pass one row per example and one column per class; of one output z pass [0, z]"
        raise bad_usage(f"`logits` has shape {list(logits.shape)}, not [B, {width}]", remedy)
    if logits.dtype.kind != "f":
        raise bad_usage(f"`logits` is {logits.dtype}, not float", "pass the outputs of the network")
    if classes is not None and logits.shape[1] != classes:
        problem = f"`logits` has {logits.shape[1]} columns for {classes} classes"
        raise bad_usage(problem, "pass one logit per class, and the same classes at every record")
    return logits


def _labels(values):
    """Check labels: int64 [B]."""
    labels = as_array(values, "labels")
    if labels.ndim != 1:
        problem = f"`labels` has shape {list(labels.shape)}, not [B]"
        raise bad_usage(problem, "pass one class per example, and argmax(1) of one-hot labels")
    if labels.dtype.kind not in "iu" and labels.size:
        raise bad_usage(f"`labels` is {labels.dtype}, not integer", "pass classes as 0, 1, ...")
    return labels.astype(np.int64)


def _activation(name, values, examples):
    """Check the activations of a layer: float [B, N], with all further axes as one."""
    if not isinstance(name, str) or not name:
        problem = f"cannot use {shown(name)} as the name of a layer in `activations`"
        raise bad_usage(problem, "name each layer by a text")
    h = as_array(values, f"activations['{name}']")
    if h.dtype.kind not in "fiu":
        raise bad_usage(f"the activations of layer {name} are {h.dtype}, not numbers", "pass floats")
    if h.ndim < 2 or len(h) != examples:
        problem = f"the activations of layer {name} have shape {list(h.shape)}, not [{examples}, ...]"
        raise bad_usage(problem, "pass one row per example")
    if not np.prod(h.shape[1:]):
        raise bad_usage(f"the activations of layer {name} have no units", "pass at least one per example")
    return h.reshape(examples, int(np.prod(h.shape[1:])))


def require_layers(batch, widths):
    """Raise StragError unless a Batch has the layers of earlier ones, with their widths.

    widths : dict of layer to its number of units N, None where it is not known yet.
    """
    given = {name: h.shape[1] for name, h in batch.activations.items()}
    missing = [name for name in widths if name not in given]
    if missing:
        problem = f"a batch lacks the activations of {_layers(missing)}"
        raise bad_usage(problem, "pass all layers with every batch")
    further = [name for name in given if name not in widths]
    if further:
        problem = f"a batch has activations of {_layers(further)}, which earlier batches lack"
        raise bad_usage(problem, "pass the same layers with every batch")
    for name, N in widths.items():
        if N is not None and given[name] != N:
            problem = f"layer {name} has {number_of(given[name], 'unit')}, but {N} before"
            raise bad_usage(problem, "pass inputs of one size, or a mean over positions")


def _layers(names):
    """Return names of layers for a message."""
    return f"{'layer' if len(names) == 1 else 'layers'} {some_of(names)}"
