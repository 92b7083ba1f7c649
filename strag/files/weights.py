"""The kind `weights`: the parameters of R networks at chosen updates, over all d inputs."""

import itertools

import numpy as np

from strag.errors import StragError
from strag.files.container import TensorWriter, open_container

SPEC = {
    "updates": ("I64", "U", True),
    "mean": ("F64", "n0", True),
    "std": ("F64", "n0", True),
    "index": ("I64", "P", True),
    "trained": ("U8", "R B", True),
}
_AGAIN = "make it again with 'strag train --weights'"


def parameter_layout(updates, runs, sizes):
    """Dict of tensor name to (numpy dtype, shape) of the parameters of networks with units d, N, ..., C."""
    layout = {}
    for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes), start=1):
        layout[f"layer{number}.weight"] = (np.float32, (updates, runs, outputs, inputs))
        layout[f"layer{number}.bias"] = (np.float32, (updates, runs, outputs))
    return layout


class WeightsWriter:
    """A weights file laid out first and filled as training goes.

    Parameters
    ----------
    path, meta : as for `TensorWriter`; meta["runs"] names the runs.
    updates : int [U]. sizes : d, N, ..., C.
    mean, std : float64 [d], the map that standardises inputs for these networks.
    index, trained : rows of the origin int64 [P], and bits uint8 [R, ceil(P/8)] of those trained on.
    """

    def __init__(self, path, meta, updates, sizes, mean, std, index, trained, output=None):
        layout = {
            "updates": (np.int64, (len(updates),)),
            "mean": (np.float64, mean.shape),
            "std": (np.float64, std.shape),
            "index": (np.int64, index.shape),
            "trained": (np.uint8, trained.shape),
            **parameter_layout(len(updates), len(meta["runs"]), sizes),
        }
        self.updates = updates
        self._writer = TensorWriter(path, meta, layout, output)
        arrays = self._writer.arrays
        arrays["updates"][:], arrays["mean"][:], arrays["std"][:] = updates, mean, std
        arrays["index"][:], arrays["trained"][:] = index, trained
        self._position = {int(update): at for at, update in enumerate(updates)}

    def add(self, record):
        """Write the parameters of one record, if it has any."""
        for number, (weight, bias) in enumerate(record.weights or (), start=1):
            at = self._position[record.update]
            self._writer.put(f"layer{number}.weight", (at, record.runs), weight)
            self._writer.put(f"layer{number}.bias", (at, record.runs), bias)

    def commit(self):
        """Put the finished file in its place."""
        self._writer.commit()

    @property
    def is_direct(self):
        """Whether it goes into a pipe or a device rather than into a file."""
        return self._writer.output.is_direct

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self._writer.__exit__(*details)


class WeightsFile:
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
        spec, depth = dict(SPEC), 0
        while f"layer{depth + 1}.weight" in container.layout():
            depth += 1
            spec[f"layer{depth}.weight"] = ("F32", f"U R n{depth} n{depth - 1}", True)
            spec[f"layer{depth}.bias"] = ("F32", f"U R n{depth}", True)
        layout = container.check(spec)
        tensors = {name: container.read(name) for name in SPEC}
        self.updates, self.index, self.trained = (tensors[key] for key in ("updates", "index", "trained"))
        self.mean, self.std = tensors["mean"], tensors["std"]
        self.runs = tuple(self.meta.get("runs") or ())
        shapes = [layout[f"layer{number}.weight"][1] for number in range(1, depth + 1)]
        if not shapes or len(self.runs) != shapes[0][1] or not len(self.updates):
            raise StragError("does not name its updates, runs and layers", _AGAIN, self.source)
        self.sizes = [shapes[0][3], *[shape[2] for shape in shapes]]
        for problem, wrong in (
            ("has bits that do not fit its examples", self.trained.shape[1] != -(-len(self.index) // 8)),
            ("has an index that names an example twice", np.unique(self.index).size != len(self.index)),
            ("has an index below 0", (self.index < 0).any()),
            ("has updates that do not rise", (np.diff(self.updates) <= 0).any()),
            ("has a mean and a deviation that standardise nothing", not _standardises(self.mean, self.std)),
            ("does not name its classes", len(self.meta.get("classes") or ()) != self.sizes[-1]),
        ):
            if wrong:
                raise StragError(problem, _AGAIN, self.source)

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


def _standardises(mean, std):
    return bool(np.isfinite(mean).all() and np.isfinite(std).all() and (std >= 0).all() and std.any())


def open_weights(path):
    """Open a weights file, or stdin for '-'."""
    container = open_container(path, "weights")
    try:
        return WeightsFile(container)
    except BaseException:
        container.close()
        raise
