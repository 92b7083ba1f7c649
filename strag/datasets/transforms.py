"""What `strag data` makes of a data set: images, classes, test examples, blocks, flipped labels."""

import re
import shlex
from dataclasses import dataclass, fields, replace

import numpy as np

from strag.datasets.dataset import Dataset
from strag.datasets.grouping import Grouping, beyond, read_classes
from strag.errors import StragError, bad_usage

_COLOURS = (1, 3, 4)
_HELD_OUT, _FLIPPED = 1, 2  # streams of random numbers


@dataclass(frozen=True)
class Changes:
    """What to make of a data set, in this order; None and False leave it as it is.

    shape : of an example, in place of the one it has. resize : height and width of all images. gray : average
    the colours of each pixel. classes : keep these alone, such as `3,8` or `cat,dog`. labels : how classes
    form groups. hold_out : share of the
    training examples that become the test set. shuffle : seed. size, block : the `block`-th `size` training
    examples, counted from 1. flip_labels : share of the training examples that get a class of another group.
    seed : of `hold_out` and `flip_labels`.
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
        """The options that change examples, as the command line has them, in the order in which they work.

        How classes form groups is one of them only where labels are flipped between groups.
        """
        found = []
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if value is None or value is False or (name, value) == ("block", 1):
                continue
            if name == "labels" and self.flip_labels is None:
                continue
            text = "x".join(map(str, value)) if isinstance(value, tuple) else shlex.quote(str(value))
            found += [f"--{name.replace('_', '-')}"] + ([] if value is True else [text])
        return found


_OPTIONS = re.compile("|".join(f" --{one.name.replace('_', '-')}" for one in fields(Changes)))


def changed(data, changes):
    """The Dataset that `changes` make of a Dataset.

    It is an origin of its own: `index` counts its rows, and it is standardised by itself. Changes that change
    nothing give the data set back.
    """
    if changes.flip_labels is not None:
        changes = replace(changes, labels=changes.labels or data.labels)
    parts = _Parts.of(data)
    for step in (_shape, _resize, _grey, _keep_classes, _group, _hold_out, _block, _flip_labels):
        step(parts, changes)
    if not changes.words():
        return replace(data, labels=parts.labels)
    rows = len(parts.y)
    return replace(
        data,
        **vars(parts),
        index=np.arange(rows, dtype=np.int64),
        class_count=0,
        mean=None,
        std=None,
        origin=None,
        origin_size=0,
        command=" ".join([_base(data), *changes.words()]),
    )


def with_test(data, other, words=()):
    """A Dataset without a test set, with the training examples of another one as its test set.

    Classes with names are the same where their names are, else where their numbers are. words : the options
    that the command line says it with.
    """
    if data.has_test:
        raise bad_usage("has a test set already", "leave --test out")
    if (data.class_names is None) != (other.class_names is None):
        raise StragError("names its classes, or its test set does, but not both", "give both in one form")
    y = other.y
    if data.class_names is not None:
        numbers = dict(zip(data.class_names, data.class_numbers, strict=True))
        unknown = [name for name in other.class_names if name not in numbers]
        if unknown:
            raise StragError(f"lacks the class '{unknown[0]}' of its test set", "give both the same classes")
        table = np.zeros(other.class_count, dtype=np.int64)
        table[list(other.class_numbers)] = [numbers[name] for name in other.class_names]
        y = table[y]
    numbers = data.class_numbers
    if data.class_names is None:
        numbers = tuple(np.unique([*numbers, *other.class_numbers]).tolist())
    x, x_test = data.x, _in_order_of(data, other)
    if x.dtype != x_test.dtype:
        x, x_test = x.astype(np.float32), x_test.astype(np.float32)
    return replace(
        data,
        x=x,
        x_test=x_test,
        y_test=y,
        class_numbers=numbers,
        origin=None,
        command=" ".join([data.command, *words]),
    )


def _in_order_of(data, other):
    """The examples of another data set with their inputs in the order of this one, where they have names."""
    if data.columns is None or other.columns is None or data.columns == other.columns:
        return other.x
    lacking = sorted(set(data.columns) - set(other.columns)) or sorted(set(other.columns) - set(data.columns))
    if lacking:
        problem = f"the column '{lacking[0]}' is in its training or in its test examples, but not in both"
        raise StragError(problem, "give both the same columns")
    return other.x[:, [other.columns.index(name) for name in data.columns]]


@dataclass
class _Parts:
    """What changes of a data set, under the names that it has there."""

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
        return cls(**{one.name: getattr(data, one.name) for one in fields(cls)})

    def take(self, rows):
        """Keep these training examples alone."""
        self.x, self.y = self.x[rows], self.y[rows]
        self.names = None if self.names is None else self.names.take(rows)
        self.y_true = None if self.y_true is None else self.y_true[rows]

    def each(self, change):
        """Change the inputs of training and test examples alike."""
        self.x = change(self.x)
        self.x_test = None if self.x_test is None else change(self.x_test)


def _shape(parts, changes):
    if changes.shape is None:
        return
    inputs, wanted = int(np.prod(parts.x.shape[1:])), int(np.prod(changes.shape))
    if inputs != wanted:
        shape = "x".join(map(str, changes.shape))
        problem = f"examples have {inputs} inputs, --shape {shape} makes {wanted}"
        raise bad_usage(problem, "give a shape of as many numbers")
    parts.each(lambda x: x.reshape(len(x), *changes.shape))
    parts.columns = parts.columns if len(changes.shape) == 1 else None


def _resize(parts, changes):
    if changes.resize is not None:
        parts.each(lambda x: _scaled(x, changes.resize))


def _scaled(x, size):
    """Images [P, h, w], [P, h, w, colours] or [P, colours, h, w] in another height and width."""
    axis = _colour_axis(x.shape) if x.ndim == 4 else None
    if x.ndim not in (3, 4) or (x.ndim == 4 and axis is None):
        raise bad_usage(f"examples of shape {list(x.shape[1:])} are no images", "leave --resize out")
    from strag.datasets.pixels import scaled

    images = np.moveaxis(x, 1, 3) if axis == 1 else x
    made = np.empty((len(x), *size, *images.shape[3:]), dtype=x.dtype)
    for row, image in enumerate(images):
        made[row] = scaled(image, *size)
    return np.ascontiguousarray(np.moveaxis(made, 3, 1)) if axis == 1 else made


def _grey(parts, changes):
    if not changes.gray:
        return
    axis = _colour_axis(parts.x.shape)
    if axis is None:
        problem = f"examples of shape {list(parts.x.shape[1:])} have no colours"
        raise StragError(problem, "leave --gray out")
    parts.each(lambda x: x.mean(axis=axis, dtype=np.float32))


def _colour_axis(shape):
    """The axis of the colours of [P, h, w, colours] or [P, colours, h, w], or None."""
    return next((axis for axis in (3, 1) if len(shape) == 4 and shape[axis] in _COLOURS), None)


def _keep_classes(parts, changes):
    if changes.classes is None:
        return
    kept = read_classes(changes.classes, parts.class_numbers, parts.class_names)
    sizes = np.bincount(parts.y, minlength=max(kept) + 1)
    empty = [c for c in kept if c >= len(sizes) or not sizes[c]]
    if empty:
        raise bad_usage(f"has no training examples of class {empty[0]}", "leave it out of --classes")
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
    if changes.labels is None:
        return
    outside = beyond(changes.labels, parts.class_numbers, parts.class_names)
    if outside:
        problem = f"has no class beyond {parts.class_numbers[-1]}, but the labels say '{outside}'"
        raise bad_usage(problem, "name the classes that there are")
    parts.labels = changes.labels


def _hold_out(parts, changes):
    if changes.hold_out is None:
        return
    if parts.y_test is not None:
        raise bad_usage("has a test set already", "leave --hold-out out")
    P, order = len(parts.y), None
    held = round(changes.hold_out * P)
    if not 0 < held < P:
        problem = f"--hold-out {changes.hold_out:g} of {P} examples is {held}"
        raise bad_usage(problem, "give a share that leaves some on both sides")
    order = np.random.default_rng([changes.seed or 0, _HELD_OUT]).permutation(P)
    test, rest = np.sort(order[:held]), np.sort(order[held:])
    lost = np.setdiff1d(parts.y, parts.y[rest])
    if lost.size:
        problem = f"--hold-out {changes.hold_out:g} leaves no training example of class {lost[0]}"
        raise bad_usage(problem, "hold out fewer, or give another --seed")
    parts.x_test, parts.y_test = parts.x[test], parts.y[test]
    parts.take(rest)


def _block(parts, changes):
    P, size, block = len(parts.y), changes.size, changes.block
    if block is not None and size is None:
        raise bad_usage("--block needs --size", "add --size 8192, the size of the paper's blocks")
    if size is not None and not 1 <= size <= P:
        raise bad_usage(f"--size {size} is not possible: there are {P} examples", f"give 1 to {P}")
    size, block = size or P, block or 1
    if block * size > P:
        problem = f"there is no block {block} of {size} among {P} examples"
        raise bad_usage(problem, f"give a block from 1 to {P // size}")
    if changes.shuffle is not None:
        parts.take(np.random.default_rng(changes.shuffle).permutation(P)[(block - 1) * size : block * size])
    elif size < P:
        parts.take(np.arange((block - 1) * size, block * size))


def _flip_labels(parts, changes):
    """Give round(Q P) training examples, at random, a class of another group that has training examples."""
    if changes.flip_labels is None:
        return
    flips = round(changes.flip_labels * len(parts.y))
    if not flips:
        problem = f"--flip-labels {changes.flip_labels:g} of {len(parts.y)} examples flips none"
        raise bad_usage(problem, "give a larger share")
    members = np.array(Grouping.parse(parts.labels, parts.class_numbers, parts.class_names).members)
    present = np.unique(parts.y)
    groups = members[present]
    if np.unique(groups[groups >= 0]).size < 2:
        raise bad_usage("has examples of one group only, so that no label can be flipped", "change --labels")
    random = np.random.default_rng([changes.seed or 0, _FLIPPED])
    rows = random.permutation(len(parts.y))[:flips]
    parts.y_true = parts.y.copy() if parts.y_true is None else parts.y_true
    flipped = parts.y.copy()
    for row in rows:
        others = present[(groups >= 0) & (groups != members[parts.y[row]])]
        flipped[row] = others[random.integers(len(others))]
    parts.y = flipped


def _base(data):
    """The command that more options can follow: rows of a changed or pruned data set are counted anew."""
    if len(data.y) < data.origin_size:
        return f"{data.command} | strag prune - STRAGGLERS | strag data -"
    return f"{data.command} | strag data -" if _OPTIONS.search(data.command) else data.command
