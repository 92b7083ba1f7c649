"""Conversion of labels to class numbers. Labels may be integers, text, or rows of 0 and 1."""

import re
from dataclasses import dataclass, field

import numpy as np

from strag.datasets.dataset import LARGEST_CLASS
from strag.errors import StragError
from strag.words import number_of, some_of

_NUMBER = re.compile(r"\d{1,7}(\.0*)?")


@dataclass
class Classes:
    """Class numbers of training and test examples, and the names of the classes.

    y : int64 [P]. y_test : int64 [Q], or None without a test set. numbers : the class numbers that occur or
    have a name, in increasing order. names : their names in the same order, or None. notes : pairs of `y` or
    `y_test` and a line on how labels were interpreted.
    """

    y: np.ndarray
    y_test: np.ndarray | None
    numbers: tuple
    names: tuple | None
    notes: list = field(default_factory=list)


def read_labels(y, y_test=None, class_names=None, sources=None):
    """The Classes of raw labels.

    Integers and whole floats are class numbers. Text is class numbers if all of it is whole numbers;
    otherwise it is class names, which are numbered in sorted order. In a row with a single 1 among zeros, the
    column of the 1 is the class number. Raises StragError for all other labels, and for text labels of test
    examples that no training example has.

    y, y_test : labels of training and test examples, [P] or [P, columns]. class_names : names of classes
    0, 1, ..., if a file states them. sources : dict of 'y', 'y_test' to the file that errors are about.
    """
    sources, notes, flat = sources or {}, [], {}
    for key, labels in (("y", y), ("y_test", y_test)):
        if labels is None:
            continue
        flat[key] = _flat(np.asarray(labels), key, sources.get(key), notes)
        if key in sources and flat[key].dtype.kind == "U":
            notes.append((key, "its labels are text: class numbers if all are numbers, else class names"))
    _check_columns(y, y_test, flat, sources)
    numbers, names = _numbered(flat, _distinct(class_names, notes), sources)
    return Classes(flat["y"], flat.get("y_test"), numbers, names, notes)


def _check_columns(y, y_test, flat, sources):
    """Raise StragError if one set has class numbers beyond the columns of the other set's rows of 0 and 1.

    flat : dict of 'y', 'y_test' to one label per example.
    """
    for key, labels, other in (("y", y, "y_test"), ("y_test", y_test, "y")):
        labels = np.asarray(labels)
        is_rows = labels.ndim == 2 and labels.shape[1] > 1
        if is_rows and other in flat and flat[other].dtype.kind == "i" and len(flat[other]):
            largest, columns = int(flat[other].max()), labels.shape[1]
            if largest >= columns:
                problem = f"labels '{other}' go up to {largest}, but rows of '{key}' have {columns} columns"
                raise StragError(problem, "number the classes from 0 in both", sources.get(other))


def _distinct(names, notes):
    """Class names without repetition: the second `crane` becomes `crane (2)`, and a note is added."""
    if names is None or len(set(names)) == len(names):
        return names
    distinct = list(names)
    for at, name in enumerate(names):
        count = names[: at + 1].count(name)
        distinct[at] = f"{name} ({count})" if count > 1 else name
    if len(set(distinct)) < len(distinct):
        raise StragError("has the same name for several classes", "use a different name for every class")
    renamed = some_of(name for name in distinct if name not in names)
    notes.append(("y", f"several classes have the same name; renamed to {renamed}"))
    return tuple(distinct)


def _flat(labels, key, source, notes):
    """One label per example, int64 [P] or text [P]. A note is added for rows of 0 and 1."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    elif labels.ndim == 2 and _is_one_hot(labels):
        notes.append((key, "its labels are rows of 0 and 1; the column of the 1 is the class"))
        labels = labels.argmax(axis=1)
    if labels.ndim != 1:
        problem = f"labels '{key}' have shape {list(labels.shape)}"
        raise StragError(problem, "provide one class per example, or rows with a single 1", source)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind in "UT":
        return np.char.strip(labels.astype(str))
    if labels.dtype.kind not in "biuf":
        problem = f"labels '{key}' are {labels.dtype}, not numbers or text"
        raise StragError(problem, "provide class numbers from 0, or class names", source)
    return _whole(labels, key, source)


def _whole(labels, key, source):
    """Numeric labels as class numbers, int64. Raises StragError for numbers that are not class numbers."""
    if labels.dtype.kind == "f":
        broken = ~(np.isfinite(labels) & (labels == np.floor(labels)) & (np.abs(labels) < 2.0**53))
        if broken.any():
            row = _first(broken)
            problem = f"label {labels[row]} in row {row} of '{key}' is not a whole number"
            raise StragError(problem, "provide class numbers from 0, or class names", source)
    wrong = (labels < 0) | (labels > LARGEST_CLASS)
    if wrong.any():
        problem = f"labels '{key}' range from {labels.min()} to {labels.max()} (row {_first(wrong)})"
        raise StragError(problem, f"number the classes from 0 to at most {LARGEST_CLASS}", source)
    return np.ascontiguousarray(labels, dtype=np.int64)


def _is_one_hot(labels):
    """Whether every row has a single 1, and all its other values are 0."""
    if labels.dtype.kind not in "biuf" or labels.shape[1] < 2:
        return False
    return bool(np.isin(labels, (0, 1)).all() and (labels.sum(axis=1, dtype=np.int64) == 1).all())


def _first(wrong):
    """The number of the first row that is True."""
    return int(np.flatnonzero(wrong)[0])


def _numbered(flat, class_names, sources):
    """Replace text in `flat` by class numbers, in place. Returns class numbers, and names or None."""
    texts = {key: labels for key, labels in flat.items() if labels.dtype.kind == "U"}
    if not texts:
        return _known(flat, class_names, sources)
    if len(texts) != len(flat):
        text, numbers = ("training", "test") if "y" in texts else ("test", "training")
        problem = f"{text} labels are text, but {numbers} labels are numbers"
        raise StragError(problem, "use the same form for both", sources.get("y_test"))
    for key, labels in texts.items():
        if (labels == "").any():
            problem = f"label in row {_first(labels == '')} of '{key}' is empty"
            raise StragError(problem, "provide a class for every example", sources.get(key))
    distinct = np.unique(np.concatenate(list(texts.values())))
    if all(_NUMBER.fullmatch(text) for text in distinct):
        return _as_numbers(flat, distinct, sources)
    names = np.unique(texts["y"])
    for key, labels in texts.items():
        unknown = ~np.isin(labels, names)
        if unknown.any():
            name = labels[_first(unknown)]
            problem = f"class '{name}' of the test set is not a class of the training set ({some_of(names)})"
            remedy = "use the same classes in both"
            raise StragError(problem, remedy, sources.get(key))
        flat[key] = np.searchsorted(names, labels).astype(np.int64)
    return tuple(range(len(names))), tuple(map(str, names))


def _as_numbers(flat, texts, sources):
    """Class numbers and class names of labels that are numbers written as text; replaces the text in `flat`.

    The name of a class is its text, or its number if the text has a decimal point (`3.0`).
    """
    values = np.array([int(float(text)) for text in texts])
    order = np.argsort(values, kind="stable")
    texts, values = texts[order], values[order]
    same = np.flatnonzero(values[1:] == values[:-1])
    if same.size:
        problem = f"labels '{texts[same[0]]}' and '{texts[same[0] + 1]}' are the same number"
        raise StragError(problem, "rename one of the two classes", sources.get("y"))
    if values[-1] > LARGEST_CLASS:
        remedy = f"number the classes from 0 to at most {LARGEST_CLASS}"
        raise StragError(f"has class {values[-1]}", remedy, sources.get("y"))
    for key, labels in flat.items():
        distinct, where = np.unique(labels, return_inverse=True)
        flat[key] = np.array([int(float(text)) for text in distinct], dtype=np.int64)[where]
    names = (str(value) if "." in text else str(text) for text, value in zip(texts, values, strict=True))
    return tuple(values.tolist()), tuple(names)


def _known(flat, class_names, sources):
    """Class numbers and class names (or None) of labels that are numbers.

    Raises StragError if there are class names, but fewer than classes.
    """
    present = np.unique(np.concatenate(list(flat.values())))
    if class_names is None:
        return tuple(present.tolist()), None
    for key, labels in flat.items():
        if labels.size and labels.max() >= len(class_names):
            problem = f"has class {labels.max()} in '{key}' but {number_of(len(class_names), 'class name')}"
            raise StragError(problem, "provide one name per class", sources.get(key))
    return tuple(range(len(class_names))), tuple(class_names)
