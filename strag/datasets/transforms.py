"""What `strag data` makes of a data set: images, classes, test examples, blocks, flipped labels."""

import re
import shlex
from dataclasses import dataclass, fields, replace

import numpy as np

from strag.datasets.dataset import Dataset
from strag.datasets.grouping import Grouping, check_labels, read_classes
from strag.datasets.shaping import grey, resized, shaped
from strag.errors import StragError, bad_usage

_HELD_OUT, _FLIPPED = 1, 2  # streams of random numbers


@dataclass(frozen=True)
class Changes:
    """What to make of a data set, in this order; None and False leave it as it is.

    shape : of an example, in place of the one it has. resize : height and width of all images. gray : average
    the colours of each pixel. classes : keep these alone, such as `3,8` or `cat,dog`. labels : how classes
    form groups. hold_out : share of the training examples that become the test set. shuffle : seed.
    size, block : the `block`-th `size` training examples, counted from 1. flip_labels : share of the training
    examples that get a class of another group. seed : of `hold_out` and `flip_labels`.
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
    parts = _Parts.of(data)
    for step in (_shape, _resize, _grey, _keep_classes, _group, _hold_out, _block, _flip_labels):
        step(parts, changes)
    if changes.flip_labels is not None:
        changes = replace(changes, labels=parts.labels)
    if not changes.words():
        return replace(data, labels=parts.labels)
    return _origin(data, changes.words(), **vars(parts))


def with_test(data, other, words=()):
    """A Dataset without a test set, with the training examples of another one as its test set.

    Classes with names are the same where their names are, else where their numbers are. Labels that were
    flipped count as what they were. The result is an origin of its own. words : the options that the command
    line says it with.
    """
    if data.has_test:
        raise bad_usage("has a test set already", "leave --test out")
    y = other.y if other.y_true is None else other.y_true
    names, others = _names_of(data), _names_of(other)
    if (names is None) != (others is None):
        raise StragError("names its classes, or its test set does, but not both", "give both in one form")
    numbers = dict(zip(names or data.class_numbers, data.class_numbers, strict=True))
    unknown = [c for c in others or other.class_numbers if c not in numbers]
    if unknown:
        raise StragError(f"lacks the class '{unknown[0]}' of its test set", "give both the same classes")
    table = np.zeros(other.class_count, dtype=np.int64)
    table[list(other.class_numbers)] = [numbers[c] for c in others or other.class_numbers]
    x, x_test = data.x, _in_order_of(data, other)
    if x.dtype != x_test.dtype:
        x, x_test = x.astype(np.float32), x_test.astype(np.float32)
    return _origin(data, words, x=x, x_test=x_test, y_test=table[y])


def _origin(data, words, **changed):
    """A Dataset that differs in this, as an origin of its own, which the command makes with these words."""
    made = {"mean": None, "std": None, "class_count": 0, **changed}
    index = np.arange(len(made.get("y", data.y)), dtype=np.int64)
    command = " ".join([_base(data), *words])
    return replace(data, **made, index=index, origin=None, origin_size=0, command=command)


def _names_of(data):
    """What the classes are called; None where that is their numbers."""
    named = data.class_names is not None and data.class_names != tuple(map(str, data.class_numbers))
    return data.class_names if named else None


def _in_order_of(data, other):
    """The examples of another data set with their inputs in the order of this one, where they have names."""
    if data.columns is None or other.columns is None or data.columns == other.columns:
        return other.x
    for has, lacks, which in ((data, other, "test"), (other, data, "training")):
        lacking = sorted(set(has.columns) - set(lacks.columns))
        if lacking:
            problem = f"its {which} examples lack the column '{lacking[0]}', which the others have"
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

    @property
    def true(self):
        """Labels before any were flipped."""
        return self.y if self.y_true is None else self.y_true

    def class_name(self, number):
        """What a class is called: its number where it has no name."""
        names = self.class_names or tuple(map(str, self.class_numbers))
        return dict(zip(self.class_numbers, names, strict=True)).get(int(number), str(number))

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
    if changes.shape is not None:
        parts.each(lambda x: shaped(x, changes.shape))
        parts.columns = parts.columns if len(changes.shape) == 1 else None


def _resize(parts, changes):
    if changes.resize is not None:
        parts.each(lambda x: resized(x, changes.resize))


def _grey(parts, changes):
    if changes.gray:
        parts.each(grey)


def _keep_classes(parts, changes):
    if changes.classes is None:
        return
    kept = read_classes(changes.classes, parts.class_numbers, parts.class_names)
    if len(kept) < 2:
        raise bad_usage(f"--classes {changes.classes} keeps one class only", "name two at least")
    sizes = np.bincount(parts.y, minlength=max(kept) + 1)
    empty = [c for c in kept if c >= len(sizes) or not sizes[c]]
    if empty:
        name = parts.class_name(empty[0])
        raise bad_usage(f"has no training examples of class {name}", "leave it out of --classes")
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
    if changes.labels is not None:
        check_labels(changes.labels, parts.class_numbers, parts.class_names)
        parts.labels = changes.labels
    elif changes.classes is not None:
        try:
            Grouping.parse(parts.labels, parts.class_numbers, parts.class_names)
        except StragError:
            problem = f"its groups, {parts.labels}, name classes that --classes leaves out"
            raise bad_usage(problem, "give --labels, too") from None


def _hold_out(parts, changes):
    if changes.hold_out is None:
        return
    if parts.y_test is not None:
        raise bad_usage("has a test set already", "leave --hold-out out")
    P = len(parts.y)
    held = round(changes.hold_out * P)
    if not 0 < held < P:
        problem = f"--hold-out {changes.hold_out:g} of {P} examples is {held}"
        raise bad_usage(problem, "give a share that leaves some on both sides")
    order = np.random.default_rng([changes.seed or 0, _HELD_OUT]).permutation(P)
    test, rest = np.sort(order[:held]), np.sort(order[held:])
    lost = np.setdiff1d(parts.y, parts.y[rest])
    if lost.size:
        name = parts.class_name(lost[0])
        problem = f"--hold-out {changes.hold_out:g} leaves no training example of class {name}"
        raise bad_usage(problem, "hold out fewer, or give another --seed")
    parts.x_test, parts.y_test = parts.x[test], parts.true[test]
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
    flipped = parts.y.copy()
    for c in np.unique(parts.y[rows]):
        of_class = rows[parts.y[rows] == c]
        others = present[(groups >= 0) & (groups != members[c])]
        flipped[of_class] = random.choice(others, size=len(of_class))
    parts.y, parts.y_true = flipped, parts.true


def _base(data):
    """The command that more options can follow: rows of a changed or pruned data set are counted anew."""
    if len(data.y) < data.origin_size:
        return f"{data.command} | strag prune - STRAGGLERS | strag data -"
    return f"{data.command} | strag data -" if _OPTIONS.search(data.command) else data.command
