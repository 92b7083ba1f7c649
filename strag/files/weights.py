"""The kind `weights`: the parameters of R networks at chosen updates, over all d inputs."""

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


def parameter_layout(updates, runs, shapes):
    """Dict of tensor name to (numpy dtype, shape); shapes : of the parameters of one network, by name."""
    return {name: (np.float32, (updates, runs, *shape)) for name, shape in shapes.items()}


class WeightsWriter:
    """A weights file laid out first and filled as training goes.

    Parameters
    ----------
    path, meta : as for `TensorWriter`; meta["runs"] names the runs.
    updates : int [U]. shapes : dict of name to the shape of a parameter in one network.
    mean, std : float64 [d], the map that standardises inputs for these networks.
    index, trained : rows of the origin int64 [P], and bits uint8 [R, ceil(P/8)] of those trained on.
    """

    def __init__(self, path, meta, updates, shapes, mean, std, index, trained, output=None):
        layout = {
            "updates": (np.int64, (len(updates),)),
            "mean": (np.float64, mean.shape),
            "std": (np.float64, std.shape),
            "index": (np.int64, index.shape),
            "trained": (np.uint8, trained.shape),
            **parameter_layout(len(updates), len(meta["runs"]), shapes),
        }
        self.updates = updates
        self._writer = TensorWriter(path, meta, layout, output)
        arrays = self._writer.arrays
        arrays["updates"][:], arrays["mean"][:], arrays["std"][:] = updates, mean, std
        arrays["index"][:], arrays["trained"][:] = index, trained
        self._position = {int(update): at for at, update in enumerate(updates)}

    def add(self, record):
        """Write the parameters of one record, if it has any."""
        for name, values in (record.weights or {}).items():
            self._writer.put(name, (self._position[record.update], record.runs), values)

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
    updates : int64 [U]. runs : run numbers. shapes : dict of name to the shape of a parameter in one network.
    mean, std : float64 [d], the map that standardises inputs for these networks.
    index, trained : rows of the origin int64 [P], and bits uint8 [R, ceil(P/8)] of those trained on.
    meta, source : as in the file.
    """

    def __init__(self, container):
        self._container, self.meta, self.source = container, container.meta, container.name
        names = [name for name in container.layout() if name not in SPEC]
        layout = container.check({**SPEC, **dict.fromkeys(names, ("F32", "U R *", True))})
        tensors = {name: container.read(name) for name in SPEC}
        self.updates, self.index, self.trained = (tensors[key] for key in ("updates", "index", "trained"))
        self.mean, self.std = tensors["mean"], tensors["std"]
        self.runs = tuple(self.meta.get("runs") or ())
        self.shapes = {name: tuple(layout[name][1][2:]) for name in names}
        if not names or len(self.runs) != layout[names[0]][1][1] or not len(self.updates):
            raise StragError("does not name its updates, runs and parameters", _AGAIN, self.source)
        for problem, wrong in (
            ("has bits that do not fit its examples", self.trained.shape[1] != -(-len(self.index) // 8)),
            ("has an index that names an example twice", np.unique(self.index).size != len(self.index)),
            ("has an index below 0", (self.index < 0).any()),
            ("has updates that do not rise", (np.diff(self.updates) <= 0).any()),
            ("has a mean and a deviation that standardise nothing", not _standardises(self.mean, self.std)),
            ("does not name its classes", not self.meta.get("classes")),
        ):
            if wrong:
                raise StragError(problem, _AGAIN, self.source)

    def parameters(self, at, runs=slice(None)):
        """Parameters at position `at` of axis U: dict of name to float32 [R, ...]."""
        found = {name: self._container.part(name, at)[runs] for name in self.shapes}
        if not all(np.isfinite(values).all() for values in found.values()):
            raise StragError(
                "holds weights that are not finite", "choose runs that did not diverge", self.source
            )
        return found

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
