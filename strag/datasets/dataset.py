"""The data set in memory: examples, labels, identity, and the map that standardises it."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from strag.datasets.grouping import Grouping, group_examples
from strag.datasets.names import Names
from strag.errors import StragError

COUNTED = ("x", "y", "index", "x_test", "y_test", "mean", "std")  # by the identity
TILE = 1024  # examples converted to float64 at a time
LARGEST_CLASS = 1_000_000


def identity_of(tensors):
    """sha256 over name, dtype, shape and bytes of tensors, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        digest.update(f"{name}\0{tensor.dtype.str}\0{tensor.shape}\0".encode())
        digest.update(tensor.data.cast("B") if tensor.size else b"")
    return digest.hexdigest()


@dataclass(frozen=True)
class Dataset:
    """P labelled training examples, test examples if there are any, and where they come from.

    Attributes
    ----------
    x : uint8 or float32 [P, ...], the inputs as imported; d is the product of the axes after P.
    y : int64 [P], the original classes.
    index : int64 [P], rows of the origin, each at most once.
    x_test, y_test : the test set in the same form, or None.
    mean, std : float64 [d] of the block that it was cut from, or None for an uncut data set.
    labels : how classes form groups, see `strag.datasets.grouping`.
    class_numbers : the original classes, rising: those that were present at import, or have a name. None
    means 0, 1, ... Rows cut out of a data set have the classes of the whole, so that a network on them has
    the same logits.
    class_names : one name per class number, in their order, or None.
    class_count : one more than the largest class number; 0 means what labels and numbers need.
    columns : what the d inputs of rows of numbers are called, or None.
    names : Names of the P examples, such as those of their files, or None.
    y_true : int64 [P], what `y` was before labels were flipped, or None.
    origin : identity of the data set in whose rows `index` counts; None means this one.
    origin_size : number of rows of the origin.
    title : what to call it in a figure. command : the command that makes its origin.
    source : the file's name, for messages; by default the title.
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
    def has_test(self):
        return self.x_test is not None

    @property
    def features(self):
        """Number of inputs d."""
        return int(np.prod(self.x.shape[1:], dtype=np.int64))

    @property
    def tensors(self):
        """Dict of tensor name to array: what a file holds."""
        true = {} if self.y_true is None else {"y_true": self.y_true}
        kept = {name: getattr(self, name) for name in COUNTED if getattr(self, name) is not None}
        return {**kept, **self.named, **true}

    @property
    def named(self):
        """The names of the examples as tensors: dict of `names` and `name_ends`, empty without names."""
        return {} if self.names is None else self.names.tensors

    @cached_property
    def identity(self):
        return identity_of({name: array for name, array in self.tensors.items() if name in COUNTED})

    @cached_property
    def class_sizes(self):
        """Number of training examples of each of `class_numbers`: int64."""
        return np.bincount(self.y, minlength=self.class_count)[list(self.class_numbers)]

    def class_name(self, number):
        """What an original class is called: its number where it has no name."""
        if self.class_names is None or number not in self.class_numbers:
            return str(number)
        return self.class_names[self.class_numbers.index(number)]

    @cached_property
    def groups(self):
        """Group of each training example, int64 [P]."""
        return group_examples(self.grouping, self.y, self.class_name)

    @cached_property
    def test_groups(self):
        """Group of each test example, int64, or None without a test set."""
        return group_examples(self.grouping, self.y_test, self.class_name) if self.has_test else None

    def standardisation(self, again=False):
        """The map of the block: its own `mean` and `std`, or, `again` or without them, these rows'."""
        if self.mean is not None and not again:
            return self.mean, self.std
        return mean_and_std(self.x)

    def rows(self, chosen):
        """The examples at these rows, standardised by the map of this data set's block."""
        mean, std = self.standardisation()
        kept = {name: getattr(self, name)[chosen] for name in ("x", "y", "index")}
        return replace(self, **kept, **self.beside(chosen), mean=mean, std=std)

    def beside(self, chosen):
        """What else these rows carry, which their identity does not count: dict of `names` and `y_true`."""
        names = None if self.names is None else self.names.take(chosen)
        return {"names": names, "y_true": None if self.y_true is None else self.y_true[chosen]}

    def positions(self, indices):
        """Rows at which the origin's `indices` stand; StragError where one is absent or out of range."""
        indices = np.asarray(indices, dtype=np.int64)
        if indices.size and (indices.min() < 0 or indices.max() >= self.origin_size):
            worst = int(indices[(indices < 0) | (indices >= self.origin_size)][0])
            raise StragError(
                f"index {worst} is out of range: the data set has {self.origin_size} rows",
                "find the stragglers again",
            )
        order = np.argsort(self.index)
        after = np.searchsorted(self.index, indices, sorter=order)
        found = order[np.minimum(after, len(order) - 1)]
        missing = indices[self.index[found] != indices]
        if missing.size:
            raise StragError(
                f"lacks example {missing[0]} ({missing.size} of {indices.size} are not in it)",
                "use the data set before they were removed",
            )
        return found


def _check(data):
    if (data.x_test is None) != (data.y_test is None):
        raise StragError("has test examples or test labels but not both", "add the others, or leave both out")
    for suffix in ("", "_test") if data.has_test else ("",):
        check_part(getattr(data, f"x{suffix}"), getattr(data, f"y{suffix}"), suffix, data.x.shape[1:])
    if not 0 <= data.class_count <= LARGEST_CLASS + 1:
        raise StragError(f"has {data.class_count} classes", "make it again with 'strag data'")
    if data.features == 0:
        raise StragError("examples have no inputs", "give at least one number per example")
    _check_beside(data, "make it again with 'strag data'")
    _check_origin(data, "make it again with 'strag data'")


def check_part(x, y, suffix, shape):
    """Refuse training examples, or with `suffix` '_test' test examples, that make no sense.

    shape : of a training example.
    """
    size = len(y)
    if len(x) != size:
        problem = f"has {len(x)} examples in 'x{suffix}' but {size} labels in 'y{suffix}'"
        raise StragError(problem, "give one label per example")
    if size == 0:
        remedy = "leave the test set out" if suffix else "give at least one"
        raise StragError(f"has no examples in 'x{suffix}'", remedy)
    if x.shape[1:] != shape:
        problem = f"test examples have shape {list(x.shape[1:])}, training ones {list(shape)}"
        raise StragError(problem, "give both the same shape")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x.reshape(size, -1)).all(axis=1))[0])
        raise StragError(f"'x{suffix}' is not finite in row {row}", "remove or mend such examples")
    if y.min() < 0 or y.max() > LARGEST_CLASS:
        problem = f"labels in 'y{suffix}' run from {y.min()} to {y.max()}"
        raise StragError(problem, "number the classes from 0")


def _check_beside(data, remedy):
    fault = None if data.names is None else data.names.fault(len(data.y))
    if fault:
        raise StragError(fault, remedy)
    if data.columns is not None and data.x.shape[1:] != (len(data.columns),):
        raise StragError(f"has names for {len(data.columns)} inputs, but {data.features} inputs", remedy)
    true = data.y_true
    if true is not None and (len(true) != len(data.y) or true.min() < 0 or true.max() > LARGEST_CLASS):
        raise StragError("'y_true' does not fit its labels", remedy)


def _class_numbers(data, present):
    """The class numbers of a data set in which these are `present`, checked."""
    remedy = "make it again with 'strag data'"
    if data.class_numbers is None:
        named = 0 if data.class_names is None else len(data.class_names)
        needed = max(1 + int(present[-1]), data.class_count)
        if data.class_names is not None and named < needed:
            raise StragError(f"has {needed} classes but names for {named}", "give one name per class")
        return tuple(range(max(needed, named)))
    numbers = np.asarray(data.class_numbers)
    if (
        not numbers.size
        or numbers.min() < 0
        or numbers.max() > LARGEST_CLASS
        or (np.diff(numbers) <= 0).any()
    ):
        raise StragError("'class_numbers' are not rising class numbers", remedy)
    if not np.isin(present, numbers).all():
        raise StragError(
            f"has class {present[~np.isin(present, numbers)][0]}, which it does not list", remedy
        )
    if data.class_names is not None and len(data.class_names) != numbers.size:
        problem = f"has {numbers.size} classes but names for {len(data.class_names)}"
        raise StragError(problem, "give one name per class")
    return tuple(numbers.tolist())


def _check_origin(data, remedy):
    index = np.asarray(data.index)
    size = data.origin_size or len(data.y)
    if index.min() < 0 or index.max() >= size:
        raise StragError(f"'index' leaves the range 0 to {size - 1}", remedy)
    if np.unique(index).size != len(data.y):
        raise StragError("'index' names an example twice", remedy)
    if (data.mean is None) != (data.std is None):
        raise StragError("has only one of 'mean' and 'std'", remedy)
    if data.mean is not None and not (
        data.mean.shape == data.std.shape == (data.features,)
        and np.isfinite(data.mean).all()
        and np.isfinite(data.std).all()
        and (data.std >= 0).all()
    ):
        raise StragError("'mean' and 'std' do not fit its inputs", remedy)


def mean_and_std(x):
    """Mean and unbiased standard deviation of each input over the rows of x, float64 [d] each.

    The deviation of an input that is constant is exactly 0.
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
    """(x - mean) / std of the inputs that vary in the block: float32 [P, number with std > 0].

    Raises StragError where that is too large for float32, such as for a test image unlike all others.
    """
    flat = x.reshape(len(x), -1)
    varying = np.flatnonzero(std > 0)
    mean, scale = mean[varying], 1 / std[varying]
    standard = np.empty((len(x), varying.size), dtype=np.float32)
    for start in range(0, len(x), TILE):
        with np.errstate(over="ignore"):
            standard[start : start + TILE] = (flat[start : start + TILE][:, varying] - mean) * scale
        wild = ~np.isfinite(standard[start : start + TILE]).all(axis=1)
        if wild.any():
            row = start + int(np.flatnonzero(wild)[0])
            problem = f"has an example, number {row}, too far from the mean to be standardised"
            raise StragError(problem, "scale its inputs, or leave it out")
    return standard
