"""The kind `history`: the recorded dynamics of R runs, update by update."""

import numpy as np

from strag.bits import pack, unpack
from strag.errors import StragError
from strag.files.container import TensorWriter, open_container
from strag.files.dataset import names_of
from strag.files.output import Output
from strag.geometry.curves import shape_of
from strag.geometry.measures import RECORDED
from strag.stragglers.history import History
from strag.stragglers.sets import described_at

_PER_LAYER = {measure.name: measure.axis for measure in RECORDED}
_ALWAYS = ("radius", "distance", "mean_norm2")  # in every history of a layer; other measures came later
_AXES = {"class": " C", "pair": " D", None: ""}
SPEC = {
    "updates": ("I64", "T", True),
    "train_error": ("F32", "T R", True),
    "train_loss": ("F32", "T R", True),
    **{name: ("F32", f"T R L{_AXES[axis]}", name in _ALWAYS) for name, axis in _PER_LAYER.items()},
    "misclassified": ("U8", "T R B", True),
    "trained": ("U8", "R B", True),
    "index": ("I64", "P", True),
    "y": ("I64", "P", True),
    "group": ("I64", "P", True),
    "test_updates": ("I64", "K", False),
    "test_error": ("F32", "K R S", False),
    "test_misclassified": ("U8", "K R S A", False),
    "y_test": ("I64", "Q", False),
    "names": ("U8", "b", False),
    "name_ends": ("I64", "P", False),
}
_PER_RECORD = ("train_error", "train_loss", *_PER_LAYER, "misclassified")
_PER_TEST = ("test_error", "test_misclassified")
_OF_TESTS = ("test_updates", *_PER_TEST, "y_test")
_BITS = ("misclassified", "test_misclassified")


def read_history(path, tests=True):
    """Read a history, or stdin for '-', into a History; `tests` says whether with its test records.

    Where no layer was measured, its tensors may be absent. Raises StragError for axes that do not fit each
    other or the names in the metadata.
    """
    with open_container(path, "history") as container:
        return history_from(container, tests)


def history_from(container, tests=True):
    """The History in an open container."""
    tensors, meta, name = container.read_all(_spec(container.meta, tests)), container.meta, container.name
    C = len(meta["classes"]) if isinstance(meta.get("classes"), list) else 0
    T, R = tensors["train_error"].shape
    for layered in _ALWAYS:
        shape = (T, R, 0, *shape_of(_PER_LAYER[layered], C))
        tensors.setdefault(layered, np.zeros(shape, np.float32))
    _, _, L, C = tensors["radius"].shape
    P = len(tensors["index"])
    remedy = "make it again with 'strag train'"
    for axis, size in (("layers", L), ("classes", C), ("runs", R)):
        if not isinstance(meta.get(axis), list) or len(meta[axis]) != size:
            raise StragError(f"does not name its {size} {axis}", remedy, name)
    for what, wrong in (
        ("has no records", T == 0 or R == 0 or P == 0),
        ("has updates that do not rise", (np.diff(tensors["updates"]) <= 0).any()),
        ("has test updates that do not rise", (np.diff(tensors.get("test_updates", [])) <= 0).any()),
        ("has bits that do not fit its examples", tensors["trained"].shape[1] != -(-P // 8)),
        (
            "has distances that do not fit its classes",
            tensors["distance"].shape[3] != C * (C - 1) // 2,
        ),
        ("has groups that do not fit its classes", ((tensors["group"] < 0) | (tensors["group"] >= C)).any()),
        ("has training errors outside 0 to 1", _outside(tensors["train_error"])),
        ("has losses below 0", (tensors["train_loss"] < 0).any()),
        ("has an index that names an example twice", np.unique(tensors["index"]).size != P),
        ("has test bits that do not fit its test examples", not _fits_tests(tensors)),
        ("does not say its origin", not isinstance(meta.get("origin"), str)),
        (
            "has only one of test updates and test errors",
            ("test_updates" in tensors) != ("test_error" in tensors),
        ),
        ("has test errors for other noise than its recipe", not _levels_fit(tensors, meta)),
    ):
        if wrong:
            raise StragError(what, remedy, name)
    idle = np.flatnonzero(~unpack(tensors["trained"], P).any(axis=1))
    if idle.size:
        raise StragError(f"has no example that run {meta['runs'][idle[0]]} trains on", remedy, name)
    axes = {axis: tuple(meta[axis]) for axis in ("layers", "classes", "runs")}
    names = names_of(tensors, name)
    fault = names and names.fault(P)
    if fault:
        raise StragError(fault, remedy, name)
    measures = {layered: tensors.pop(layered) for layered in _PER_LAYER if layered in tensors}
    return History(**tensors, **axes, measures=measures, names=names, meta=meta, source=name)


def _spec(meta, tests):
    """The SPEC of a history with this stamp: without layers, nothing needs to be measured in them."""
    spec = SPEC if tests else {name: axes for name, axes in SPEC.items() if name not in _OF_TESTS}
    bare = {name: (*spec[name][:2], False) for name in _PER_LAYER} if meta.get("layers") == [] else {}
    return {**spec, **bare}


def _levels_fit(tensors, meta):
    """Whether the noise levels that the recipe names, if any, are those of the test errors, if any."""
    levels = (meta.get("recipe") or {}).get("noise")
    return not levels or "test_error" not in tensors or tensors["test_error"].shape[2] == len(levels)


def _outside(error):
    with np.errstate(invalid="ignore"):
        return bool(((error < 0) | (error > 1)).any())


def _fits_tests(tensors):
    bits, y_test = tensors.get("test_misclassified"), tensors.get("y_test")
    return bits is None or y_test is None or bits.shape[3] == -(-len(y_test) // 8)


def history_layout(R, C, L, T, P, K=0, S=0, Q=0):
    """Dict of tensor name to (numpy dtype, shape), by the lengths of the axes, see FORMATS.md."""
    layout = {
        "updates": (np.int64, (T,)),
        "train_error": (np.float32, (T, R)),
        "train_loss": (np.float32, (T, R)),
        **{name: (np.float32, (T, R, L, *shape_of(axis, C))) for name, axis in _PER_LAYER.items()},
        "misclassified": (np.uint8, (T, R, -(-P // 8))),
        "trained": (np.uint8, (R, -(-P // 8))),
        **dict.fromkeys(("index", "y", "group"), (np.int64, (P,))),
    }
    if K:
        layout |= {
            "test_updates": (np.int64, (K,)),
            "test_error": (np.float32, (K, R, S)),
            "test_misclassified": (np.uint8, (K, R, S, -(-Q // 8))),
            "y_test": (np.int64, (Q,)),
        }
    return layout


class HistoryWriter:
    """A history laid out first and filled as training goes.

    Parameters
    ----------
    path : destination, '-' for stdout.
    meta : the object under `strag`; `runs`, `layers` and `classes` name the axes.
    updates, test_updates : update of every record, int.
    per_example : dict of `index`, `y`, `group`, int64 [P], and perhaps `names` and `name_ends`.
    trained : bits, uint8 [R, ceil(P/8)].
    noise_levels, y_test : S, and the original classes, int64 [Q]; 0 test updates mean no test tensors.
    """

    def __init__(
        self,
        path,
        meta,
        updates,
        per_example,
        trained,
        test_updates=(),
        noise_levels=0,
        y_test=(),
        output=None,
    ):
        axes = (len(meta[name]) for name in ("runs", "classes", "layers"))
        examples, tests = len(per_example["index"]), (len(test_updates), noise_levels, len(y_test))
        layout = history_layout(*axes, len(updates), examples, *tests)
        layout |= {name: (values.dtype, values.shape) for name, values in per_example.items()}
        self.path, self.meta, self.layout = path, meta, layout
        self._writer = TensorWriter(path, meta, layout, output)
        self._arrays = self._writer.arrays
        self._arrays["updates"][:] = updates
        self._arrays["trained"][:] = trained
        for name, values in per_example.items():
            self._arrays[name][:] = values
        if len(test_updates):
            self._arrays["test_updates"][:] = test_updates
            self._arrays["y_test"][:] = y_test
        self._records = {int(update): at for at, update in enumerate(updates)}
        self._tests = {int(update): at for at, update in enumerate(test_updates)}
        self._committed = False
        self._done = {}  # runs (first, end) -> last update that was finished

    def add(self, record):
        """Write one record: its `runs` (a slice of axis R), its `update`, and its values."""
        for names, positions in ((_PER_RECORD, self._records), (_PER_TEST, self._tests)):
            at = positions.get(record.update)
            for name in names if at is not None else ():
                value = record.measures.get(name) if name in _PER_LAYER else getattr(record, name)
                if value is not None:
                    self._writer.put(name, (at, record.runs), pack(value) if name in _BITS else value)
        self._done[(record.runs.start, record.runs.stop)] = record.update

    def commit(self):
        """Put the finished history in its place."""
        self._writer.commit()
        self._committed = True

    def commit_partial(self):
        """Leave the finished part as PATH.partial: (path, runs, last update), or None if there is none.

        The finished runs if any run has finished, else the finished records of the first runs.
        Into a pipe nothing is left, nor once the history is in its place.
        """
        if self.is_direct or self._committed or not self._done:
            return None
        last = int(self._arrays["updates"][-1])
        finished = [runs for runs, update in self._done.items() if update >= last]
        runs = max(stop for _, stop in finished or self._done)
        until = last if finished else next(iter(self._done.values()))
        arrays = {name: self._cut(name, runs, until) for name in self.layout}
        arrays = {name: array for name, array in arrays.items() if len(array) or name not in _OF_TESTS}
        meta = {**self.meta, "runs": self.meta["runs"][:runs], "interrupted": until}
        if meta.get("sets"):
            meta["sets"] = described_at(meta["sets"], range(runs))
        path = f"{self.path}.partial"
        layout = {name: (array.dtype, array.shape) for name, array in arrays.items()}
        with TensorWriter(path, meta, layout, Output(path)) as writer:
            for name, array in arrays.items():
                writer.arrays[name][...] = array
            writer.commit()
        return path, runs, until

    def _cut(self, name, runs, until):
        array = self._arrays[name]
        if name == "trained":
            return array[:runs]
        if name in ("updates", *_PER_RECORD):
            array = array[: np.searchsorted(self._arrays["updates"], until, "right")]
        elif name in ("test_updates", *_PER_TEST):
            array = array[: np.searchsorted(self._arrays["test_updates"], until, "right")]
        elif name == "y_test" and until < self._arrays["test_updates"][0]:
            array = array[:0]
        return array[:, :runs] if array.ndim > 1 else array

    @property
    def is_direct(self):
        """Whether it goes into a pipe or a device rather than into a file."""
        return self._writer.output.is_direct

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self._arrays = {}
        self._writer.__exit__(*details)
