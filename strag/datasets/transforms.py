"""The changes that `strag data` makes to a data set: shapes, classes, a test set, blocks, flipped labels."""

import re
import shlex
from dataclasses import dataclass, fields, replace

import numpy as np

from strag.datasets.dataset import Dataset
from strag.datasets.grouping import Grouping, check_labels, read_classes
from strag.datasets.shaping import grey, resized, shaped
from strag.errors import StragError, bad_usage
from strag.values import checked_fields, flag, number, optional, sizes, text, whole
from strag.words import number_of

_HELD_OUT, _FLIPPED = 1, 2  # streams of random numbers


@checked_fields(
    shape=optional(sizes(1, 4)),
    resize=optional(sizes(2)),
    gray=flag,
    classes=optional(text("classes such as '3,8' or 'cat,dog'")),
    labels=optional(text("'parity', 'classes', or groups such as '0-4/5-9'")),
    hold_out=optional(number(0, 1, above=True, below=True)),
    shuffle=optional(whole(0)),
    size=optional(whole(1)),
    block=optional(whole(1)),
    flip_labels=optional(number(0, 1, above=True)),
    seed=optional(whole(0)),
)
@dataclass(frozen=True)
class Changes:
    """Changes to a data set, which are made in this order. None and False mean no change.

    Parameters
    ----------
    shape : new shape of an example, such as (28, 28).
    resize : new height and width of all images.
    gray : whether to average the colours of each pixel.
    classes : the only classes that are kept, such as "3,8" or "cat,dog".
    labels : how classes form groups: "parity", "classes", or groups such as "0-4/5-9" or "cat,dog/eel". None
        is parity for the catalogue, the groups of a dataset as they are, and classes for anything else.
    hold_out : share of the training examples that are moved into a test set.
    shuffle : seed by which the training examples are shuffled.
    size : number of training examples that are kept.
    block : number of the block of `size` training examples that is kept, counted from 1. None is the first.
    flip_labels : share of the training examples that get a class of another group.
    seed : seed of `hold_out` and `flip_labels`, one of which it needs. None is 0.

    Raises StragError for other values.
    """

    shape: tuple | None = None
    resize: tuple | None = None
    gray: bool = False
    classes: str | None = None
    labels: str | None = None
    hold_out: float | None = None
    shuffle: int | None = None
    size: int | None = None
    block: int | None = None
    flip_labels: float | None = None
    seed: int | None = None

    def words(self):
        """The options that change examples, as words of the command line, in their order: list of str.

        `labels` is one of them only with `flip_labels`, because labels are flipped between groups.
        """
        words = []
        for name in (option.name for option in fields(self)):
            value = getattr(self, name)
            if value is None or value is False or (name, value) == ("block", 1):
                continue
            if name == "labels" and self.flip_labels is None:
                continue
            word = "x".join(map(str, value)) if isinstance(value, tuple) else shlex.quote(str(value))
            words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [word])
        return words


_OPTIONS = re.compile("|".join(f" --{option.name.replace('_', '-')}" for option in fields(Changes)))


def changed(data, changes):
    """The Dataset with these Changes.

    It is a new origin: `index` counts its rows, and it is standardised by its own mean and std. Without any
    change to the examples, the origin stays.
    """
    parts = _Parts.of(data)
    for step in (_shape, _resize, _grey, _keep_classes, _group, _hold_out, _block, _flip_labels):
        step(parts, changes)
    if changes.flip_labels is not None:
        changes = replace(changes, labels=parts.labels)
    if not changes.words():
        return replace(data, labels=parts.labels)
    return _origin(data, changes.words(), **vars(parts))


def with_test(data, other, words=()):
    """The Dataset with the training examples of another Dataset as its test set. It is a new origin.

    Two classes are the same if their names are equal, or their numbers if they have no names. Labels of the
    test set that were flipped are restored. words : the options for this as words of the command line. Raises
    StragError if `data` has a test set already, and if the classes or columns do not match.
    """
    if data.has_test:
        raise bad_usage("has a test set already", "remove `test`")
    y = other.y if other.y_true is None else other.y_true
    names, others = _names_of(data), _names_of(other)
    if (names is None) != (others is None):
        named, numbered = ("test", "training") if names is None else ("training", "test")
        problem = f"the classes of the {named} set have names, but those of the {numbered} set do not"
        raise StragError(problem, "use the same form of labels for both")
    numbers = dict(zip(names or data.class_numbers, data.class_numbers, strict=True))
    unknown = [c for c in others or other.class_numbers if c not in numbers]
    if unknown:
        problem = f"its class '{unknown[0]}' is not a class of the training set"
        raise StragError(problem, "use the same classes for both")
    table = np.zeros(other.class_count, dtype=np.int64)
    table[list(other.class_numbers)] = [numbers[c] for c in others or other.class_numbers]
    x, x_test = data.x, _in_order_of(data, other)
    if x.dtype != x_test.dtype:
        x, x_test = x.astype(np.float32), x_test.astype(np.float32)
    return _origin(data, words, x=x, x_test=x_test, y_test=table[y])


def _origin(data, words, **changed):
    """The Dataset with changed attributes as a new origin. words : options of the command that creates it."""
    parts = {"mean": None, "std": None, "class_count": 0, **changed}
    index = np.arange(len(parts.get("y", data.y)), dtype=np.int64)
    command = " ".join([_base(data), *words])
    return replace(data, **parts, index=index, origin=None, origin_size=0, command=command)


def _names_of(data):
    """The names of the classes; None if they have none, or if the names are the class numbers."""
    named = data.class_names is not None and data.class_names != tuple(map(str, data.class_numbers))
    return data.class_names if named else None


def _in_order_of(data, other):
    """The inputs of `other`, with columns in the order of `data` if both have names of columns."""
    if data.columns is None or other.columns is None or data.columns == other.columns:
        return other.x
    for has, lacks, which in ((data, other, "test"), (other, data, "training")):
        lacking = sorted(set(has.columns) - set(lacks.columns))
        if lacking:
            problem = f"the {which} set lacks column '{lacking[0]}', which the other set has"
            raise StragError(problem, "use the same columns in both")
    return other.x[:, [other.columns.index(name) for name in data.columns]]


@dataclass
class _Parts:
    """The attributes of a Dataset that changes can affect, under the same names."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None
    y_test: np.ndarray | None
    columns: tuple | None
    names: object
    y_true: np.ndarray | None
    labels: str
    class_names: tuple | None
    class_numbers: tuple

    @classmethod
    def of(cls, data: Dataset):
        """The _Parts of a Dataset."""
        return cls(**{part.name: getattr(data, part.name) for part in fields(cls)})

    @property
    def true(self):
        """The labels before any were flipped: int64 [P]."""
        return self.y if self.y_true is None else self.y_true

    def class_name(self, number):
        """The name of a class, or its number as text if it has no name."""
        names = self.class_names or tuple(map(str, self.class_numbers))
        return dict(zip(self.class_numbers, names, strict=True)).get(int(number), str(number))

    def take(self, rows):
        """Keep only these training examples, in this order."""
        self.x, self.y = self.x[rows], self.y[rows]
        self.names = None if self.names is None else self.names.take(rows)
        self.y_true = None if self.y_true is None else self.y_true[rows]

    def each(self, change):
        """Apply a function to the inputs of both the training set and the test set."""
        self.x = change(self.x)
        self.x_test = None if self.x_test is None else change(self.x_test)


def _shape(parts, changes):
    """Give all examples another shape."""
    if changes.shape is not None:
        parts.each(lambda x: shaped(x, changes.shape))
        parts.columns = parts.columns if len(changes.shape) == 1 else None


def _resize(parts, changes):
    """Scale all images."""
    if changes.resize is not None:
        parts.each(lambda x: resized(x, changes.resize))


def _grey(parts, changes):
    """Average the colours of all images."""
    if changes.gray:
        parts.each(grey)


def _keep_classes(parts, changes):
    """Keep only some classes; the test set is dropped if it has none of them."""
    if changes.classes is None:
        return
    kept = read_classes(changes.classes, parts.class_numbers, parts.class_names)
    if len(kept) < 2:
        raise bad_usage(f"`classes` {changes.classes} keeps only one class", "list at least two classes")
    counts = np.bincount(parts.y, minlength=max(kept) + 1)
    empty = [c for c in kept if c >= len(counts) or not counts[c]]
    if empty:
        name = parts.class_name(empty[0])
        raise bad_usage(f"has no training examples of class {name}", "remove the class from `classes`")
    parts.take(np.isin(parts.y, kept).nonzero()[0])
    if parts.y_test is not None:
        rows = np.isin(parts.y_test, kept).nonzero()[0]
        parts.x_test = parts.x_test[rows] if rows.size else None
        parts.y_test = parts.y_test[rows] if rows.size else None
    if parts.class_names is not None:
        named = dict(zip(parts.class_numbers, parts.class_names, strict=True))
        parts.class_names = tuple(named[c] for c in kept)
    parts.class_numbers = tuple(kept)


def _group(parts, changes):
    """Set how classes form groups, or check that the groups fit the classes that are kept."""
    if changes.labels is not None:
        check_labels(changes.labels, parts.class_numbers, parts.class_names)
        parts.labels = changes.labels
    elif changes.classes is not None:
        try:
            Grouping.parse(parts.labels, parts.class_numbers, parts.class_names)
        except StragError:
            problem = f"its groups, '{parts.labels}', contain classes that `classes` does not keep"
            raise bad_usage(problem, "use `labels` with groups of the kept classes") from None


def _hold_out(parts, changes):
    """Move random training examples into a test set, with their labels before any were flipped."""
    if changes.hold_out is None:
        return
    if parts.y_test is not None:
        raise bad_usage("has a test set already", "remove `hold_out`")
    P = len(parts.y)
    held = round(changes.hold_out * P)
    if not 0 < held < P:
        problem = f"`hold_out` {changes.hold_out:g} moves {held} of {number_of(P, 'example')}"
        raise bad_usage(problem, "use a share that leaves examples in both sets")
    order = np.random.default_rng([changes.seed or 0, _HELD_OUT]).permutation(P)
    test, rest = np.sort(order[:held]), np.sort(order[held:])
    lost = np.setdiff1d(parts.y, parts.y[rest])
    if lost.size:
        name = parts.class_name(lost[0])
        problem = f"`hold_out` {changes.hold_out:g} leaves no training example of class {name}"
        raise bad_usage(problem, "use a smaller share or another `seed`")
    parts.x_test, parts.y_test = parts.x[test], parts.true[test]
    parts.take(rest)


def _block(parts, changes):
    """Shuffle the training examples, and keep one block of them."""
    P, size, block = len(parts.y), changes.size, changes.block
    if block is not None and size is None:
        raise bad_usage("`block` needs `size`", "use `size`, such as 8192 for the blocks of the paper")
    if size is not None and size > P:
        problem = f"`size` {size} is not possible with {number_of(P, 'example')}"
        raise bad_usage(problem, f"use a size from 1 to {P}")
    size, block = size or P, block or 1
    if block * size > P:
        problem = f"has no block {block} of size {size}, only {number_of(P, 'example')}"
        raise bad_usage(problem, f"use a block from 1 to {P // size}")
    if changes.shuffle is not None:
        parts.take(np.random.default_rng(changes.shuffle).permutation(P)[(block - 1) * size : block * size])
    elif size < P:
        parts.take(np.arange((block - 1) * size, block * size))


def _flip_labels(parts, changes):
    """Give a random class of another group to round(Q P) random training examples, where Q is the share.

    Only classes that have training examples are given.
    """
    if changes.flip_labels is None:
        return
    flips = round(changes.flip_labels * len(parts.y))
    if not flips:
        examples = number_of(len(parts.y), "example")
        problem = f"`flip_labels` {changes.flip_labels:g} flips none of {examples}"
        raise bad_usage(problem, "use a larger share")
    members = np.array(Grouping.parse(parts.labels, parts.class_numbers, parts.class_names).members)
    present = np.unique(parts.y)
    groups = members[present]
    if np.unique(groups[groups >= 0]).size < 2:
        problem = "has examples of only one group, so that no label can be flipped"
        raise bad_usage(problem, "use other `labels`")
    random = np.random.default_rng([changes.seed or 0, _FLIPPED])
    rows = random.permutation(len(parts.y))[:flips]
    flipped = parts.y.copy()
    for c in np.unique(parts.y[rows]):
        of_class = rows[parts.y[rows] == c]
        others = present[(groups >= 0) & (groups != members[c])]
        flipped[of_class] = random.choice(others, size=len(of_class))
    parts.y, parts.y_true = flipped, parts.true


def _base(data):
    """The command that creates a data set, to which more options can be added.

    If the data set was changed or pruned, a second `strag data` follows, because options count its own rows.
    """
    if len(data.y) < data.origin_size:
        return f"{data.command} | strag prune - STRAGGLERS | strag data -"
    return f"{data.command} | strag data -" if _OPTIONS.search(data.command) else data.command
