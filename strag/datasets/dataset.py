"""The data set in memory: its examples, labels and identity, and the standardisation of its inputs."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from strag.datasets.grouping import Grouping, group_examples
from strag.datasets.names import Names
from strag.errors import StragError
from strag.identity import identity_of
from strag.words import Brief, number_of

COUNTED = ("x", "y", "index", "x_test", "y_test", "mean", "std")  # tensors that the identity depends on
TILE = 1024  # examples converted to float64 at a time
LARGEST_CLASS = 1_000_000
_AGAIN = "create it again with 'strag data'"


@dataclass(frozen=True, repr=False)
class Dataset(Brief):
    """P labelled training examples, an optional test set, and their origin.

    Attributes
    ----------
    x : uint8 or float32 [P, ...], the inputs as imported; d is the product of the axes after P.
    y : int64 [P], the original classes.
    index : int64 [P], rows of the origin, each at most once.
    x_test, y_test : the test set in the same form, or None.
    mean, std : float64 [d] of the block that the examples were cut from, or None if they were not cut.
    labels : how classes form groups, see `strag.datasets.grouping`.
    class_numbers : the original classes in increasing order: all that were present at import or have a name.
    None means 0, 1, ... Examples cut out of a data set keep the classes of the whole, so that a network
    trained on them has the same logits.
    class_names : one name per class number, in the same order, or None.
    class_count : the largest class number plus 1; 0 means as many as labels and numbers need.
    columns : names of the d inputs if examples are rows of a table, or None.
    names : Names of the P examples, such as those of their files, or None.
    y_true : int64 [P], the values of `y` before labels were flipped, or None.
    origin : identity of the data set in whose rows `index` counts; None means this one.
    origin_size : number of rows of the origin.
    title : name of the data set in figures. command : the command that creates its origin.
    source : name of the file, for messages; the title by default.

    Raises StragError if its parts do not fit each other.
    """

    x: np.ndarray
    y: np.ndarray
    index: np.ndarray
    x_test: np.ndarray | None = None
    y_test: np.ndarray | None = None
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    labels: str = "classes"
    class_names: tuple | None = None
    class_numbers: tuple | None = None
    class_count: int = 0
    columns: tuple | None = None
    names: Names | None = None
    y_true: np.ndarray | None = None
    origin: str | None = None
    origin_size: int = 0
    title: str = "data"
    command: str = "strag data"
    source: str | None = field(default=None, compare=False)
    grouping: Grouping = field(init=False, compare=False)

    def __post_init__(self):
        _check(self)
        present = np.unique(np.concatenate([y for y in (self.y, self.y_test) if y is not None]))
        object.__setattr__(self, "class_numbers", _class_numbers(self, present))
        object.__setattr__(self, "class_count", max(self.class_count, 1 + max(self.class_numbers)))
        grouping = Grouping.parse(self.labels, self.class_numbers, self.class_names)
        object.__setattr__(self, "grouping", grouping)
        object.__setattr__(self, "source", self.source or self.title)
        object.__setattr__(self, "origin", self.origin or self.identity)
        object.__setattr__(self, "origin_size", self.origin_size or len(self.y))

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        shape = " x ".join(map(str, self.x.shape[1:]))
        groups = number_of(len(self.grouping.names), "group")
        test = number_of(len(self.y_test), "test example") if self.has_test else "no test set"
        return f"{self.title}, {number_of(len(self.y), 'example')} of {shape}, {groups}, {test}"

    @property
    def has_test(self):
        """Whether there is a test set."""
        return self.x_test is not None

    @property
    def features(self):
        """Number of inputs d."""
        return int(np.prod(self.x.shape[1:], dtype=np.int64))

    @property
    def tensors(self):
        """Dict of tensor name to array, as a dataset file holds them."""
        true = {} if self.y_true is None else {"y_true": self.y_true}
        counted = {name: getattr(self, name) for name in COUNTED if getattr(self, name) is not None}
        return {**counted, **self.named, **true}

    @property
    def named(self):
        """The names of the examples as tensors `names` and `name_ends`: dict, empty without names."""
        return {} if self.names is None else self.names.tensors

    @cached_property
    def identity(self):
        """The sha256 of the tensors in COUNTED, see `identity_of`; names and `y_true` are not among them."""
        return identity_of({name: array for name, array in self.tensors.items() if name in COUNTED})

    @cached_property
    def class_sizes(self):
        """Number of training examples of each class in `class_numbers`: int64."""
        return np.bincount(self.y, minlength=self.class_count)[list(self.class_numbers)]

    def class_name(self, number):
        """The name of an original class, or its number as text if it has no name."""
        if self.class_names is None or number not in self.class_numbers:
            return str(number)
        return self.class_names[self.class_numbers.index(number)]

    @cached_property
    def groups(self):
        """Group of each training example, int64 [P]."""
        return group_examples(self.grouping, self.y, self.class_name)

    @cached_property
    def test_groups(self):
        """Group of each test example, int64; None without a test set."""
        return group_examples(self.grouping, self.y_test, self.class_name) if self.has_test else None

    def standardisation(self, again=False):
        """Mean and standard deviation by which inputs are standardised: float64 [d] each.

        These are `mean` and `std` of the block, or those of these examples if there are none or if `again`.
        """
        if self.mean is not None and not again:
            return self.mean, self.std
        return mean_and_std(self.x)

    def rows(self, chosen):
        """The Dataset of the examples at these rows, with the mean and std of this data set's block."""
        mean, std = self.standardisation()
        selected = {name: getattr(self, name)[chosen] for name in ("x", "y", "index")}
        return replace(self, **selected, **self.beside(chosen), mean=mean, std=std)

    def beside(self, chosen):
        """`names` and `y_true` of these rows as a dict; the identity does not depend on them."""
        names = None if self.names is None else self.names.take(chosen)
        return {"names": names, "y_true": None if self.y_true is None else self.y_true[chosen]}

    def positions(self, indices):
        """The rows of this data set that hold the origin's rows `indices`: int64.

        Raises StragError if an index is out of range, or absent from this data set.
        """
        indices = np.asarray(indices, dtype=np.int64)
        if indices.size and (indices.min() < 0 or indices.max() >= self.origin_size):
            worst = int(indices[(indices < 0) | (indices >= self.origin_size)][0])
            raise StragError(
                f"index {worst} is out of range: the data set has {number_of(self.origin_size, 'row')}",
                "find the stragglers again",
            )
        order = np.argsort(self.index)
        after = np.searchsorted(self.index, indices, sorter=order)
        rows = order[np.minimum(after, len(order) - 1)]
        missing = indices[self.index[rows] != indices]
        if missing.size:
            raise StragError(
                f"lacks example {missing[0]} ({missing.size} of {indices.size} are not in it)",
                "use the data set before they were removed",
            )
        return rows


def _check(data):
    """Raise StragError if the parts of a Dataset, before its class numbers are known, do not fit."""
    if (data.x_test is None) != (data.y_test is None):
        missing = "labels" if data.y_test is None else "examples"
        raise StragError(
            f"has a test set without {missing}", f"add the test {missing} or remove the test set"
        )
    for suffix in ("", "_test") if data.has_test else ("",):
        check_part(getattr(data, f"x{suffix}"), getattr(data, f"y{suffix}"), suffix, data.x.shape[1:])
    if not 0 <= data.class_count <= LARGEST_CLASS + 1:
        raise StragError(f"has {data.class_count} classes", _AGAIN)
    if data.features == 0:
        raise StragError("has examples without inputs", "provide at least one number per example")
    _check_beside(data)
    _check_origin(data)


def check_part(x, y, suffix, shape):
    """Raise StragError if the examples and labels of the training set or the test set make no sense.

    x, y : examples [P, ...] and labels [P]. suffix : '' for the training set, '_test' for the test set.
    shape : shape of a training example.
    """
    size = len(y)
    if len(x) != size:
        examples, labels = number_of(len(x), "example"), number_of(size, "label")
        problem = f"has {examples} in 'x{suffix}' but {labels} in 'y{suffix}'"
        raise StragError(problem, "provide one label per example")
    if size == 0:
        remedy = "remove the test set" if suffix else "provide at least one example"
        raise StragError(f"has no examples in 'x{suffix}'", remedy)
    if x.shape[1:] != shape:
        problem = f"test examples have shape {list(x.shape[1:])}, training examples {list(shape)}"
        raise StragError(problem, "use the same shape for both")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x.reshape(size, -1)).all(axis=1))[0])
        raise StragError(f"'x{suffix}' is not finite in row {row}", "remove or correct such examples")
    if y.min() < 0 or y.max() > LARGEST_CLASS:
        problem = f"labels in 'y{suffix}' range from {y.min()} to {y.max()}"
        raise StragError(problem, f"number the classes from 0 to at most {LARGEST_CLASS}")


def _check_beside(data):
    """Raise StragError if names, columns or `y_true` do not fit the examples."""
    fault = None if data.names is None else data.names.fault(len(data.y))
    if fault:
        raise StragError(fault, _AGAIN)
    if data.columns is not None and data.x.shape[1:] != (len(data.columns),):
        inputs = number_of(data.features, "input")
        raise StragError(f"has {inputs} but {number_of(len(data.columns), 'name')} of inputs", _AGAIN)
    true = data.y_true
    if true is not None and (len(true) != len(data.y) or true.min() < 0 or true.max() > LARGEST_CLASS):
        raise StragError("'y_true' does not fit its labels", _AGAIN)


def _class_numbers(data, present):
    """The class numbers of a data set as a tuple, checked. present : the classes of its labels."""
    if data.class_numbers is None:
        named = 0 if data.class_names is None else len(data.class_names)
        needed = max(1 + int(present[-1]), data.class_count)
        if data.class_names is not None and named < needed:
            raise _names_missing(needed, named)
        return tuple(range(max(needed, named)))
    numbers = np.asarray(data.class_numbers)
    if (
        not numbers.size
        or numbers.min() < 0
        or numbers.max() > LARGEST_CLASS
        or (np.diff(numbers) <= 0).any()
    ):
        raise StragError("'class_numbers' are not increasing class numbers", _AGAIN)
    if not np.isin(present, numbers).all():
        unlisted = present[~np.isin(present, numbers)][0]
        raise StragError(f"has labels of class {unlisted}, which 'class_numbers' does not list", _AGAIN)
    if data.class_names is not None and len(data.class_names) != numbers.size:
        raise _names_missing(numbers.size, len(data.class_names))
    return tuple(numbers.tolist())


def _names_missing(classes, names):
    """The error for a number of class names that differs from that of the classes."""
    problem = f"has {number_of(classes, 'class', 'classes')} but {number_of(names, 'class name')}"
    return StragError(problem, "provide one name per class")


def _check_origin(data):
    """Raise StragError if `index` does not fit the origin, or `mean` and `std` do not fit the inputs."""
    index = np.asarray(data.index)
    size = data.origin_size or len(data.y)
    if index.min() < 0 or index.max() >= size:
        raise StragError(f"'index' is not in the range 0 to {size - 1}", _AGAIN)
    if np.unique(index).size != len(data.y):
        raise StragError("'index' has the same example twice", _AGAIN)
    if (data.mean is None) != (data.std is None):
        raise StragError("has only one of 'mean' and 'std'", _AGAIN)
    if data.mean is not None and not (
        data.mean.shape == data.std.shape == (data.features,)
        and np.isfinite(data.mean).all()
        and np.isfinite(data.std).all()
        and (data.std >= 0).all()
    ):
        raise StragError("'mean' and 'std' do not fit its inputs", _AGAIN)


def mean_and_std(x):
    """Mean and unbiased standard deviation of each input over the rows of x, float64 [d] each.

    The deviation of a constant input is exactly 0.
    """
    P = len(x)
    flat = x.reshape(P, -1)
    total = np.zeros(flat.shape[1])
    for start in range(0, P, TILE):
        total += flat[start : start + TILE].sum(axis=0, dtype=np.float64)
    mean = total / P
    squares = np.zeros_like(mean)
    for start in range(0, P, TILE):
        squares += np.square(flat[start : start + TILE] - mean).sum(axis=0)
    std = np.sqrt(squares / max(P - 1, 1))
    std[flat.min(axis=0) == flat.max(axis=0)] = 0
    return mean, std


def standardise(x, mean, std):
    """(x - mean) / std of the inputs with std > 0: float32 [P, number of such inputs].

    Raises StragError if a value is too large for float32, as for a test image unlike all training images.
    """
    flat = x.reshape(len(x), -1)
    varying = np.flatnonzero(std > 0)
    mean, scale = mean[varying], 1 / std[varying]
    standard = np.empty((len(x), varying.size), dtype=np.float32)
    for start in range(0, len(x), TILE):
        with np.errstate(over="ignore"):
            standard[start : start + TILE] = (flat[start : start + TILE][:, varying] - mean) * scale
        infinite = ~np.isfinite(standard[start : start + TILE]).all(axis=1)
        if infinite.any():
            row = start + int(np.flatnonzero(infinite)[0])
            problem = f"the example in row {row} is too far from the mean to be standardised"
            raise StragError(problem, "scale its inputs or leave it out")
    return standard
