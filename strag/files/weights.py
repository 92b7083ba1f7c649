"""The kind `weights`: the parameters of R networks with d inputs, at chosen updates."""

from dataclasses import replace

import numpy as np

from strag.errors import StragError
from strag.files.container import bytes_of
from strag.files.laws import (
    EXAMPLE,
    FINITE,
    NOT_ALL_0,
    NOT_NEGATIVE,
    ONCE,
    RISING,
    RUN,
    TRAINED,
    UPDATE,
)
from strag.files.spec import Axis, Spec, Tensor
from strag.files.writer import Writer
from strag.words import Brief, number_of, some_of

INPUT = Axis("input", "d")
PARAMETER = Tensor(
    *("PARAMETER", "F32", (UPDATE, RUN, ...)),
    "a parameter of each network, under its own name. Perceptrons have `layerK.weight`, [outputs, inputs], "
    "and `layerK.bias`, [outputs], with K = 1, 2, ... counted from the input; if `recipe.no_bias` is true, "
    "biases are zero. Networks of `cnn` have `convK.weight`, [channels, channels before, 5, 5], "
    "`convK.bias`, [channels], `head.weight` and `head.bias`. Those of a user's function have the names of "
    "`named_parameters()`",
)
SPEC = Spec(
    "weights",
    (
        Tensor(
            "updates",
            "I64",
            (UPDATE,),
            "number of updates before the networks had these parameters",
            (RISING,),
        ),
        Tensor("mean", "F64", (INPUT,), "mean that is subtracted from each input", (FINITE,)),
        Tensor(
            "std",
            "F64",
            (INPUT,),
            "standard deviation that each input is divided by; where it is 0, perceptrons do not use "
            "the input and it is 0 for other networks",
            (FINITE, NOT_NEGATIVE, NOT_ALL_0),
        ),
        Tensor(
            *(
                "index",
                "I64",
                (EXAMPLE,),
                "row of the origin, of every training example that a run trains on or measures",
            ),
            (NOT_NEGATIVE, ONCE),
        ),
        TRAINED,
        Tensor(
            *("last_update", "I64", (RUN,)),
            "number of updates of each run, if runs end on their own; `updates` then holds the largest",
            (NOT_NEGATIVE,),
            required=False,
        ),
    ),
    named=(RUN,),
    filled=(UPDATE, RUN),
    free=PARAMETER,
)


def _with_parameters(names):
    """Return the Spec of a weights file with parameters of these names."""
    return replace(SPEC, tensors=(*SPEC.tensors, *(replace(PARAMETER, name=name) for name in names)))


def parameter_bytes(updates, runs, shapes):
    """Return the bytes of the parameters of `runs` networks at `updates` updates: int.

    shapes : dict of name to the shape of a parameter in one network.
    """
    return bytes_of({name: (np.float32, (updates, runs, *shape)) for name, shape in shapes.items()})


class WeightsWriter(Writer):
    """A weights file that is laid out first and filled during training; see `Writer`.

    whole : dict of name to array, every tensor except the parameters.
    shapes : dict of name to the shape of a parameter in one network. until : whether runs end on their own.
    """

    def __init__(self, output, meta, whole, shapes, until=False):
        lead = (len(whole["updates"]), len(meta["runs"]))
        free = {name: (np.float32, (*lead, *shape)) for name, shape in shapes.items()}
        free |= {"last_update": (np.int64, lead[1:])} if until else {}
        super().__init__(output, SPEC, meta, whole, free=free)
        self.updates = whole["updates"]
        self._position = {int(update): at for at, update in enumerate(self.updates)}

    def add(self, record):
        """Write the parameters of a Record, see `strag.training.records`, if it has any."""
        at = self._position.get(record.update, len(self.updates) - 1)
        for name, values in (record.weights or {}).items():
            if record.ended is None:
                self.put(name, (at, record.runs), values)
            else:
                ended = np.flatnonzero(record.ended)
                self.put(name, (at, ended + record.runs.start), values[ended])
                self.put("last_update", ended + record.runs.start, record.update)

    def commit(self):
        """Move the finished weights to their destination."""
        if "last_update" in self.arrays:
            self.arrays["updates"][-1] = self.arrays["last_update"].max()
        super().commit()


class Weights(Brief):
    """An open weights file, whose parameters are read update by update.

    Attributes
    ----------
    updates : int64 [U]. runs : run numbers. shapes : dict of name to the shape of a parameter in one network.
    mean, std : float64 [d], the mean and standard deviation that standardise inputs for these networks.
    last_update : int64 [R], the number of updates of each run, where runs end on their own; else None.
    index : int64 [P], rows of the origin. trained : uint8 [R, ceil(P/8)], bits of the examples trained on.
    meta, source : stamp and name of the file.
    """

    def __init__(self, container):
        self._container, self.meta, self.source = container, container.meta, container.name
        names = [name for name in container.layout() if name not in SPEC.names]
        spec = _with_parameters(names)
        tensors, _ = spec.checked(container, SPEC.names)
        self.updates, self.index, self.trained = (tensors[key] for key in ("updates", "index", "trained"))
        self.mean, self.std = tensors["mean"], tensors["std"]
        self.last_update = tensors.get("last_update")
        self.runs = tuple(self.meta["runs"])
        self.shapes = {name: tuple(container.layout()[name][1][2:]) for name in names}
        for problem, applies in (
            ("has no parameters", not names),
            ("does not name its classes", not self.meta.get("classes")),
        ):
            if applies:
                raise spec.fault(problem, self.source)

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        runs, updates = number_of(len(self.runs), "run"), some_of(self.updates)
        return f"{runs} at updates {updates}, {number_of(len(self.shapes), 'parameter')}"

    def parameters(self, at, runs=slice(None)):
        """Return the parameters at position `at` of axis U: dict of name to float32 [R, ...].

        runs : slice or positions of the runs. Raises StragError for parameters that are not finite.
        """
        parameters = {name: self._container.part(name, at)[runs] for name in self.shapes}
        if not all(np.isfinite(values).all() for values in parameters.values()):
            raise StragError(
                "holds weights that are not finite", "choose runs that did not diverge", self.source
            )
        return parameters

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._container.close()


def read(opened):
    """Return the Weights in an open container, which stays open until they are closed."""
    return Weights(opened)
