"""From labels as people store them to class numbers: integers, text, or rows of 0 and 1."""

import re
from dataclasses import dataclass, field

import numpy as np

from strag.datasets.dataset import LARGEST_CLASS
from strag.errors import StragError
from strag.words import some_of

_NUMBER = re.compile(r"\d{1,7}(\.0*)?")


@dataclass
class Classes:
    """Class numbers of training and test examples, and what the classes are called.

    y, y_test : int64 [P] and [Q], or None without a test set. numbers : the class numbers that occur, or that
    have a name, rising. names : of these, in the same order, or None. notes : pairs of
    `y` or `y_test` and what was understood how.
    """

    y: np.ndarray
    y_test: np.ndarray | None
    numbers: tuple
    names: tuple | None
    notes: list = field(default_factory=list)


def read_labels(y, y_test=None, class_names=None, sources=None):
    """The Classes of raw labels.

    Integers, and floats that are whole, are class numbers; so is text where all of it is whole numbers. Other
    text names the classes, which are then numbered in sorted order. Rows with one 1 among zeros mean its
    column. Raises StragError for anything else, and for test labels of a class that the training lacks a name
    for.

    class_names : of classes 0, 1, ..., where the file says so. sources : dict of 'y', 'y_test' to the file
    that errors are about.
    """
    sources, notes, found = sources or {}, [], {}
    for key, labels in (("y", y), ("y_test", y_test)):
        if labels is None:
            continue
        found[key] = _flat(np.asarray(labels), key, sources.get(key), notes)
        if key in sources and found[key].dtype.kind == "U":
            notes.append((key, "its labels are text: numbers where all of it is, else names in sorted order"))
    _check_columns(y, y_test, found, sources)
    numbers, names = _numbered(found, _told_apart(class_names, notes), sources)
    return Classes(found["y"], found.get("y_test"), numbers, names, notes)


def _check_columns(y, y_test, found, sources):
    """Refuse class numbers beyond the columns of the rows of 0 and 1 that stand for the other part."""
    for key, labels, other in (("y", y, "y_test"), ("y_test", y_test, "y")):
        labels = np.asarray(labels)
        is_rows = labels.ndim == 2 and labels.shape[1] > 1
        if is_rows and other in found and found[other].dtype.kind == "i" and len(found[other]):
            largest, columns = int(found[other].max()), labels.shape[1]
            if largest >= columns:
                problem = f"labels '{other}' go up to {largest}, but rows of '{key}' have {columns} columns"
                raise StragError(problem, "number the classes from 0 in both", sources.get(other))


def _told_apart(names, notes):
    """Class names of which each stands once: the second `crane` is called `crane (2)`."""
    if names is None or len(set(names)) == len(names):
        return names
    made = list(names)
    for at, name in enumerate(names):
        count = names[: at + 1].count(name)
        made[at] = f"{name} ({count})" if count > 1 else name
    if len(set(made)) < len(made):
        raise StragError("calls several classes by one name", "give every class a name of its own")
    twice = some_of(name for name in made if name not in names)
    notes.append(("y", f"several classes have one name, and are told apart: {twice}"))
    return tuple(made)


def _flat(labels, key, source, notes):
    """One label per example: int64 [P], or text [P]."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    elif labels.ndim == 2 and _is_one_hot(labels):
        notes.append((key, "its labels are rows of 0 and 1: the column of the 1 is the class"))
        labels = labels.argmax(axis=1)
    if labels.ndim != 1:
        problem = f"labels '{key}' have shape {list(labels.shape)}"
        raise StragError(problem, "give one class per example, or rows with a single 1", source)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind in "UT":
        return np.char.strip(labels.astype(str))
    if labels.dtype.kind not in "biuf":
        problem = f"labels '{key}' are {labels.dtype}, no numbers or text"
        raise StragError(problem, "give class numbers from 0, or class names", source)
    return _whole(labels, key, source)


def _whole(labels, key, source):
    if labels.dtype.kind == "f":
        broken = ~(np.isfinite(labels) & (labels == np.floor(labels)) & (np.abs(labels) < 2.0**53))
        if broken.any():
            problem = f"label {labels[_first(broken)]} in row {_first(broken)} of '{key}' is no whole number"
            raise StragError(problem, "give class numbers from 0, or class names", source)
    wrong = (labels < 0) | (labels > LARGEST_CLASS)
    if wrong.any():
        problem = f"labels '{key}' run from {labels.min()} to {labels.max()} (row {_first(wrong)})"
        raise StragError(problem, f"number the classes from 0 to {LARGEST_CLASS} at most", source)
    return np.ascontiguousarray(labels, dtype=np.int64)


def _is_one_hot(labels):
    if labels.dtype.kind not in "biuf" or labels.shape[1] < 2:
        return False
    return bool(np.isin(labels, (0, 1)).all() and (labels.sum(axis=1, dtype=np.int64) == 1).all())


def _first(wrong):
    return int(np.flatnonzero(wrong)[0])


def _numbered(found, class_names, sources):
    """Turn text in `found` into numbers, in place; the class numbers, and their names or None."""
    texts = {key: labels for key, labels in found.items() if labels.dtype.kind == "U"}
    if not texts:
        return _known(found, class_names, sources)
    if len(texts) != len(found):
        problem = "training labels or test labels are text, but not both"
        raise StragError(problem, "give both in one form", sources.get("y_test"))
    for key, labels in texts.items():
        if (labels == "").any():
            problem = f"labels '{key}' have no text in row {_first(labels == '')}"
            raise StragError(problem, "name a class for every example", sources.get(key))
    every = np.unique(np.concatenate(list(texts.values())))
    if all(_NUMBER.fullmatch(text) for text in every):
        return _as_numbers(found, every, sources)
    names = np.unique(texts["y"])
    for key, labels in texts.items():
        unknown = ~np.isin(labels, names)
        if unknown.any():
            lacking = f"label '{labels[_first(unknown)]}' is a class that the training examples lack"
            remedy = "give training and test the same classes"
            raise StragError(f"{lacking} ({some_of(names)})", remedy, sources.get(key))
        found[key] = np.searchsorted(names, labels).astype(np.int64)
    return tuple(range(len(names))), tuple(map(str, names))


def _as_numbers(found, texts, sources):
    """Numbers written as text keep their value, and, where it is no decimal fraction, their text as name."""
    values = np.array([int(float(text)) for text in texts])
    order = np.argsort(values, kind="stable")
    texts, values = texts[order], values[order]
    same = np.flatnonzero(values[1:] == values[:-1])
    if same.size:
        problem = f"'{texts[same[0]]}' and '{texts[same[0] + 1]}' are one number but two classes"
        raise StragError(problem, "rename one of them", sources.get("y"))
    if values[-1] > LARGEST_CLASS:
        remedy = f"number the classes from 0 to {LARGEST_CLASS} at most"
        raise StragError(f"has class {values[-1]}", remedy, sources.get("y"))
    for key, labels in found.items():
        distinct, where = np.unique(labels, return_inverse=True)
        found[key] = np.array([int(float(text)) for text in distinct], dtype=np.int64)[where]
    names = (str(value) if "." in text else str(text) for text, value in zip(texts, values, strict=True))
    return tuple(values.tolist()), tuple(names)


def _known(found, class_names, sources):
    present = np.unique(np.concatenate(list(found.values())))
    if class_names is None:
        return tuple(present.tolist()), None
    for key, labels in found.items():
        if labels.size and labels.max() >= len(class_names):
            problem = f"has class {labels.max()} in '{key}', but names for {len(class_names)} classes"
            raise StragError(problem, "give one name per class", sources.get(key))
    return tuple(range(len(class_names))), tuple(class_names)
