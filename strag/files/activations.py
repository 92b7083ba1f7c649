"""The kind `activations`: the activations and predictions of networks for examples, layer by layer."""

from dataclasses import replace

import numpy as np

from strag.errors import StragError
from strag.files.dataset import names_of
from strag.files.laws import (
    CLASS,
    EXAMPLE,
    GROUP,
    INDEX,
    LAYER,
    NAMES,
    RISING,
    RUN,
    TRAINED,
    UPDATE,
    Y,
)
from strag.files.spec import Axis, Spec, Tensor, units
from strag.files.writer import Writer
from strag.words import Brief, number_of, some_of

UNITS = Axis("units", "N", step=0)
HEAD_UNITS = Axis("units of the head", "N")
SPEC = Spec(
    "activations",
    (
        Tensor("updates", "I64", (UPDATE,), "updates of the networks", (RISING,)),
        Tensor(
            *("layerK", "F32|F16", (UPDATE, RUN, EXAMPLE, UNITS)),
            "activations after the nonlinearity of hidden layer K, not normalised, one row per example; "
            "`layer0` holds the standardised inputs whose `std` in the weights is above 0. For a layer "
            "with a name, the tensor is `layer.NAME`, such as `layer.conv2:mean`: `layer1` is layer 1 of "
            "a perceptron, and `layer.1` a module called 1. F16 only where it is precise enough: it makes "
            "no finite value infinite and moves no example by more than 1 % of its length",
        ),
        Tensor(
            *("prediction", "I32", (UPDATE, RUN, EXAMPLE)),
            "predicted group: first index of the largest logit",
        ),
        Tensor("loss", "F32", (UPDATE, RUN, EXAMPLE), "cross-entropy, in nats"),
        *(INDEX, Y, GROUP),
        *NAMES,
        Tensor(
            *("trained", "U8", TRAINED.axes),
            "examples that the run was trained on; all examples if the data have another origin than "
            "the training set, which the stamp then has as `training_origin`",
        ),
        Tensor(
            *("head_weight", "F32", (UPDATE, RUN, CLASS, HEAD_UNITS)),
            "weights of the linear head, whose output is the logits; the stamp has the layer that it reads "
            "as `head`. Absent for networks without such a head, and without this layer",
            required=False,
            beside="head_bias",
        ),
        Tensor(
            *("head_bias", "F32", (UPDATE, RUN, CLASS)),
            "biases of the linear head",
            required=False,
            beside="head_weight",
        ),
    ),
    named=(RUN, LAYER, CLASS),
    filled=(EXAMPLE, UPDATE, LAYER),
    says=("origin",),
)
WHOLE = ("updates", "index", "y", "group", "names", "name_ends", "trained")
HEAD = ("head_weight", "head_bias")
LARGEST_HALF = 65504  # largest half-precision number; near zero the numbers are 6e-8 apart
_SMALL, _MOVED = 1e-3, 0.01  # lengths |h| at which these steps may matter; largest relative error


class ActivationsWriter(Writer):
    """An activations file that is laid out first and filled tile by tile; see `Writer`.

    whole : dict of name to array, every tensor except the activations, predictions and losses.
    widths : dict of layer to its number of units. half : whether to store activations as float16. A stamp
    with `head` makes room for the head.
    """

    def __init__(self, output, meta, whole, widths, half=False):
        spec, lengths = SPEC.numbered(widths, {"layerK": "F16" if half else "F32"}), {}
        if meta.get("head") is None:
            spec = spec.without(HEAD)
        else:
            forms = (replace(t, required=True) if t.name in HEAD else t for t in spec.tensors)
            spec, lengths = replace(spec, tensors=tuple(forms)), {HEAD_UNITS.name: widths[meta["head"]]}
        lengths |= {units(layer): N for layer, N in widths.items()}
        super().__init__(output, spec, meta, whole, lengths)
        self._half = half

    def add(self, at, tile):
        """Write one Tile of the networks at position `at` of axis U.

        Raises StragError if half precision cannot represent its activations.
        """
        place, update = (at, tile.runs, tile.rows), self.arrays["updates"][at]
        layers = {
            _tensor(layer): in_half(h, f"layer {layer} at update {update}") if self._half else h
            for layer, h in tile.hidden.items()
        }
        for name, values in {"prediction": tile.prediction, "loss": tile.loss, **layers}.items():
            self.put(name, place, values)
        for name, values in tile.head.items():
            self.put(name, (at, tile.runs), values)


def _tensor(layer):
    """Return the name of the tensor of a layer."""
    return SPEC["layerK"].numbered(layer).name


def in_half(h, what):
    """Convert the activations h of a layer, float32 [..., N], to float16. what : their name in messages.

    Values that are infinite or NaN stay as they are. Raises StragError if a finite value becomes infinite, or
    if half precision moves the activations of an example by more than 1 % of their length |h|. That happens
    to tiny activations, which may become 0.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        half = h.astype(np.float16)
        if not (h.max() <= LARGEST_HALF and h.min() >= -LARGEST_HALF):  # also where one is NaN
            finite = np.isfinite(h)
            if np.isinf(half[finite]).any():
                largest = np.abs(h[finite]).max()
                _refuse_half(f"{what} reaches {largest:.6g}, but half precision ends at {LARGEST_HALF}")
        small = np.einsum("...i,...i->...", h, h) < _SMALL**2  # a quick test that selects candidates
        if small.any():
            exact = h[small].astype(np.float64)
            moved, length = (np.linalg.norm(v, axis=-1) for v in (half[small] - exact, exact))
            lost = exact[moved > _MOVED * length]
            if lost.size:
                largest = np.abs(lost).max()
                _refuse_half(
                    f"{what} has an example that reaches only {largest:.2g}, which half precision loses"
                )
    return half


def _refuse_half(problem):
    """Raise the StragError for activations that half precision cannot represent."""
    raise StragError(problem, "remove `half`")


class Activations(Brief):
    """An open activations file, read part by part; see `strag.geometry.measure.Part`.

    Attributes
    ----------
    updates : int64 [U]. runs, layers, classes : names of the axes.
    index, y, group : int64 [P]. names : Names of the examples, or None. trained : bits, uint8 [R, ceil(P/8)].
    model : dict of the values that must be equal in files that are measured together.
    is_other : whether the examples have another origin than the training set.
    head_layer : the layer that the linear head reads, or None if the file does not hold the head.
    is_foreign : False, because strag wrote the file; see `strag.files.foreign`.
    meta, source : stamp and name of the file.
    """

    is_foreign, remarks = False, ()

    def __init__(self, container):
        self._container, self.meta, self.source = container, container.meta, container.name
        layers = self.meta.get("layers")
        tensors = SPEC.numbered(layers if isinstance(layers, list) else ()).read(container, WHOLE)
        self.runs, self.layers, self.classes = (tuple(self.meta[axis.stamped]) for axis in SPEC.named)
        self.names = names_of(tensors)
        self.is_other = self.meta.get("training_origin") is not None
        self.head_layer = self._head_layer()
        for name, values in tensors.items():
            setattr(self, name, values)
        inputs, recipe = (self.meta.get(key) or {} for key in ("inputs", "recipe"))
        self.model = {
            "classes": self.classes,
            "origin": self.meta["origin"],
            "recipe": {k: v for k, v in recipe.items() if k not in ("runs", "first_run")},
            "training": inputs.get("training"),
        }

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        runs, examples = number_of(len(self.runs), "run"), number_of(len(self.index), "example")
        return f"{runs} at updates {some_of(self.updates)}, {examples}, layers {some_of(self.layers)}"

    def _head_layer(self):
        """The layer of the head. Raises StragError for a head that does not fit this layer."""
        layer, held = self.meta.get("head"), self._container.layout()
        if HEAD[0] not in held:
            return None
        if layer not in self.layers or self.width(layer) != held[HEAD[0]][1][3]:
            raise SPEC.fault("has a linear head that does not fit its layers", self.source)
        return layer

    def width(self, layer):
        """Number of units of a layer."""
        return self._container.layout()[_tensor(layer)][1][3]

    def hidden(self, layer, update, run, rows):
        """Return the activations of one layer for a slice of rows, [rows, N]; update, run : positions."""
        return self._container.part(_tensor(layer), update, run, rows)

    def prediction(self, update, run):
        """Return the predicted group of every example, int32 [P]; update, run : positions."""
        return self._container.part("prediction", update, run)

    def loss(self, update, run):
        """Return the cross-entropy of every example, float32 [P]; update, run : positions."""
        return self._container.part("loss", update, run)

    def head(self, update, run):
        """Return the weights of the linear head, float32 [C, N]; update, run : positions."""
        return self._container.part(HEAD[0], update, run)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._container.close()


def read(opened):
    """Return the Activations in an open container, which stays open until they are closed."""
    return Activations(opened)
