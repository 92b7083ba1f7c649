"""The kind `weights`: the parameters of R networks at chosen updates, over all d inputs."""

import itertools

import numpy as np

from strag.errors import StragError
from strag.files.container import bytes_of
from strag.files.laws import (
    EXAMPLE,
    FINITE,
    FROM_0,
    NOT_ALL_0,
    NOT_NEGATIVE,
    ONCE,
    RISING,
    RUN,
    TRAINED,
    UPDATE,
)
from strag.files.spec import Axis, Spec, Tensor, units
from strag.files.writer import Writer

INPUT = Axis(units(0), "d")
OUTPUTS, INPUTS = Axis("outputs", "outputs", step=0), Axis("inputs", "inputs", step=-1)
SPEC = Spec(
    "weights",
    (
        Tensor("updates", "I64", (UPDATE,), "updates before the parameters were such", (RISING,)),
        Tensor(*("layerK.weight", "F32", (UPDATE, RUN, OUTPUTS, INPUTS)), "K = 1, 2, ... from the input on"),
        Tensor("layerK.bias", "F32", (UPDATE, RUN, OUTPUTS), "likewise"),
        Tensor("mean", "F64", (INPUT,), "map that standardises the inputs", (FINITE,)),
        Tensor("std", "F64", (INPUT,), "likewise", (FINITE, NOT_NEGATIVE, NOT_ALL_0)),
        Tensor(
            *("index", "I64", (EXAMPLE,), "rows of the origin that were trained on or looked at"),
            (FROM_0, ONCE),
        ),
        TRAINED,
    ),
    named=(RUN,),
    filled=(UPDATE, RUN),
)
WHOLE = ("updates", "mean", "std", "index", "trained")


def _widths(sizes):
    """Lengths of the axes of networks with units d, N, ..., C: dict by name."""
    return {units(layer): size for layer, size in enumerate(sizes)}


def parameter_bytes(updates, runs, sizes):
    """Bytes of the parameters of networks with units d, N, ..., C, at so many updates."""
    spec = SPEC.numbered(range(1, len(sizes))).without(WHOLE)
    return bytes_of(spec.layout({"update": updates, "run": runs, **_widths(sizes)}))


class WeightsWriter(Writer):
    """A weights file laid out first and filled as training goes; see `Writer`.

    whole : every tensor but the parameters. sizes : d, N, ..., C.
    """

    def __init__(self, output, meta, whole, sizes):
        super().__init__(output, SPEC.numbered(range(1, len(sizes))), meta, whole, _widths(sizes))
        self.updates = whole["updates"]
        self._position = {int(update): at for at, update in enumerate(self.updates)}

    def add(self, record):
        """Write the parameters of one record, if it has any."""
        for number, (weight, bias) in enumerate(record.weights or (), start=1):
            at = self._position[record.update]
            self.put(f"layer{number}.weight", (at, record.runs), weight)
            self.put(f"layer{number}.bias", (at, record.runs), bias)


class Weights:
    """An open weights file, whose parameters are read update by update.

    Attributes
    ----------
    updates : int64 [U]. runs : run numbers. sizes : d, N, ..., C.
    mean, std : float64 [d], the map that standardises inputs for these networks.
    index, trained : rows of the origin int64 [P], and bits uint8 [R, ceil(P/8)] of those trained on.
    meta, source : as in the file.
    """

    def __init__(self, container):
        self._container, self.meta, self.source = container, container.meta, container.name
        numbers = list(itertools.takewhile(self._is_there, itertools.count(1))) or [1]
        spec = SPEC.numbered(numbers)
        tensors, lengths = spec.checked(container, WHOLE)
        self.updates, self.index, self.trained = (tensors[key] for key in ("updates", "index", "trained"))
        self.mean, self.std = tensors["mean"], tensors["std"]
        self.runs = tuple(self.meta["runs"])
        self.sizes = [lengths[units(layer)] for layer in range(len(numbers) + 1)]
        if len(self.meta.get("classes") or ()) != self.sizes[-1]:
            raise spec.fault("does not name its classes", self.source)

    def _is_there(self, number):
        return f"layer{number}.weight" in self._container.layout()

    def layers(self, at, runs=slice(None)):
        """Stacked layers at position `at` of axis U: list of (weight [R, outputs, inputs], bias)."""
        layers = []
        for number in range(1, len(self.sizes)):
            weight, bias = (self._container.part(f"layer{number}.{what}", at) for what in ("weight", "bias"))
            layers.append((weight[runs], bias[runs]))
        if not all(np.isfinite(part).all() for layer in layers for part in layer):
            raise StragError(
                "holds weights that are not finite", "choose runs that did not diverge", self.source
            )
        return layers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._container.close()


def read(opened):
    """The Weights in an open container, which they keep open."""
    return Weights(opened)
