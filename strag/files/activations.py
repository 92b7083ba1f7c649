"""The kind `activations`: what networks make of examples, layer by layer."""

import numpy as np

from strag.errors import StragError
from strag.files.container import TensorWriter, open_container
from strag.files.dataset import names_of

SPEC = {
    "updates": ("I64", "U", True),
    "index": ("I64", "P", True),
    "y": ("I64", "P", True),
    "group": ("I64", "P", True),
    "trained": ("U8", "R B", True),
    "prediction": ("I32", "U R P", True),
    "loss": ("F32", "U R P", True),
    "names": ("U8", "b", False),
    "name_ends": ("I64", "P", False),
}
_AGAIN = "make it again with 'strag dump'"
LARGEST_HALF = 65504  # what half precision ends at; near zero it counts in steps of 6e-8
_SMALL, _MOVED = 1e-3, 0.01  # lengths |h| at which these steps may matter, and what may be lost of one


class ActivationsWriter:
    """An activations file laid out first and filled tile by tile.

    Parameters
    ----------
    path, meta : as for `TensorWriter`; meta names `layers`, `classes` and `runs`.
    updates : int [U]. widths : dict of layer to its number of units.
    per_example : dict of `index`, `y`, `group`, int64 [P], and perhaps `names` and `name_ends`.
    trained : bits, uint8 [R, ceil(P/8)].
    half : store activations as float16.
    """

    def __init__(self, path, meta, updates, widths, per_example, trained, half=False, output=None):
        U, R, P = len(updates), len(meta["runs"]), len(per_example["index"])
        dtype = np.float16 if half else np.float32
        layout = {
            "updates": (np.int64, (U,)),
            **{name: (values.dtype, values.shape) for name, values in per_example.items()},
            "trained": (np.uint8, trained.shape),
            "prediction": (np.int32, (U, R, P)),
            "loss": (np.float32, (U, R, P)),
            **{f"layer{layer}": (dtype, (U, R, P, width)) for layer, width in widths.items()},
        }
        self._half, self._writer = half, TensorWriter(path, meta, layout, output)
        arrays = self._writer.arrays
        arrays["updates"][:], arrays["trained"][:] = updates, trained
        for name, values in per_example.items():
            arrays[name][:] = values

    def add(self, at, tile):
        """Write one Tile of the networks at position `at` of axis U.

        Raises StragError where half precision cannot hold its activations.
        """
        place, update = (at, tile.runs, tile.rows), self._writer.arrays["updates"][at]
        layers = {
            f"layer{layer}": _in_half(h, f"layer {layer} at update {update}") if self._half else h
            for layer, h in tile.hidden.items()
        }
        for name, values in {"prediction": tile.prediction, "loss": tile.loss, **layers}.items():
            self._writer.put(name, place, values)

    def commit(self):
        """Put the finished file in its place."""
        self._writer.commit()

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self._writer.__exit__(*details)


def _in_half(h, what):
    """Activations h of a layer, float32 [..., N], as float16; `what` names them in errors.

    What is infinite or NaN already may stay so. Raises StragError where a finite value becomes infinite,
    and where half precision moves the activations of an example by more than 1 % of their length |h|, as
    it does with tiny ones: they may vanish.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        half = h.astype(np.float16)
        if not (h.max() <= LARGEST_HALF and h.min() >= -LARGEST_HALF):  # also where one is NaN
            finite = np.isfinite(h)
            if np.isinf(half[finite]).any():
                largest = np.abs(h[finite]).max()
                _refuse_half(f"{what} reaches {largest:.6g}, and half precision ends at {LARGEST_HALF}")
        small = np.einsum("...i,...i->...", h, h) < _SMALL**2  # quick, and so only where to look
        if small.any():
            exact = h[small].astype(np.float64)
            moved, length = (np.linalg.norm(v, axis=-1) for v in (half[small] - exact, exact))
            lost = exact[moved > _MOVED * length]
            if lost.size:
                largest = np.abs(lost).max()
                _refuse_half(f"{what} reaches {largest:.2g} only for an example, which half precision loses")
    return half


def _refuse_half(problem):
    raise StragError(problem, "leave --half out")


class ActivationsFile:
    """An open activations file, read part by part; see `strag.geometry.measure.Part`.

    Attributes
    ----------
    updates : int64 [U]. runs, layers, classes : names of the axes.
    index, y, group : int64 [P]. names : Names of the examples, or None. trained : bits, uint8 [R, ceil(P/8)].
    model : what must agree between files that are measured together. meta, source : as in the file.
    """

    def __init__(self, container):
        self._container, self.meta, self.source = container, container.meta, container.name
        self.runs, self.layers, self.classes = (self._axis(name) for name in ("runs", "layers", "classes"))
        spec = {**SPEC, **{f"layer{layer}": ("F32|F16", f"U R P w{layer}", True) for layer in self.layers}}
        container.check(spec)
        for name in ("updates", "index", "y", "group", "trained"):
            setattr(self, name, container.read(name))
        there = [name for name in ("names", "name_ends") if name in container.layout()]
        self.names = names_of({name: container.read(name) for name in there}, self.source)
        P, R, C = len(self.index), len(self.runs), len(self.classes)
        for problem, wrong in (
            ("has no examples, updates or layers", not P or not len(self.updates) or not self.layers),
            ("does not name its runs", self.trained.shape[0] != R),
            ("has bits that do not fit its examples", self.trained.shape[1] != -(-P // 8)),
            ("has groups that do not fit its classes", ((self.group < 0) | (self.group >= C)).any()),
            ("has updates that do not rise", (np.diff(self.updates) <= 0).any()),
            ("has an index that names an example twice", np.unique(self.index).size != P),
            ("has names that do not fit its examples", bool(self.names and self.names.fault(P))),
            ("does not say its origin", not isinstance(self.meta.get("origin"), str)),
        ):
            if wrong:
                raise StragError(problem, _AGAIN, self.source)
        inputs, recipe = (self.meta.get(key) or {} for key in ("inputs", "recipe"))
        self.model = {
            "layers": self.layers,
            "classes": self.classes,
            "origin": self.meta["origin"],
            "recipe": {k: v for k, v in recipe.items() if k not in ("runs", "first_run")},
            "training": inputs.get("training"),
        }

    def _axis(self, name):
        if not isinstance(self.meta.get(name), list):
            raise StragError(f"does not name its {name}", _AGAIN, self.source)
        return tuple(self.meta[name])

    def width(self, layer):
        """Number of units of a layer."""
        return self._container.layout()[f"layer{layer}"][1][3]

    def hidden(self, layer, update, run, rows):
        """Activations of one layer at positions `update` and `run`, for a slice of rows: [rows, N]."""
        return self._container.part(f"layer{layer}", update, run, rows)

    def prediction(self, update, run):
        """Predicted group of every example: int32 [P]."""
        return self._container.part("prediction", update, run)

    def loss(self, update, run):
        """Cross-entropy of every example: float32 [P]."""
        return self._container.part("loss", update, run)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._container.close()


def open_activations(path):
    """Open an activations file, or stdin for '-'."""
    container = open_container(path, "activations")
    try:
        return ActivationsFile(container)
    except BaseException:
        container.close()
        raise
