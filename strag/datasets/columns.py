"""What the columns of a table are for: its label, the names of its examples, its inputs."""

import re

import numpy as np

from strag.errors import StragError, bad_usage
from strag.words import MOST

LABELS = ("label", "class", "target", "y")
NAMES = ("id", "name", "file", "filename", "file_name", "path")
MEND_TEXT = "leave such a column out, code it as numbers, or call it id, if it names the examples"
_INDEX = re.compile(r"|Unnamed: 0|__index_level_0__")  # what pandas calls an index without a name
_ID = re.compile(r".*(_[iI]|[a-z]I)[dD]")
_CLASS = re.compile(r"\d+(\.0*)?")


def listed(columns):
    """Names of columns for a message: of many the first and the last ones."""
    columns = [f"'{column}'" for column in columns]
    if len(columns) > MOST:
        columns = [*columns[: MOST - 4], "...", *columns[-3:], f"{len(columns)} in all"]
    return ", ".join(columns)


def label_column(columns, wanted=None, classes=()):
    """The column that holds the labels: the wanted one, else the one that is called so.

    classes : the columns that a file says to hold classes, for where none has such a name. Raises StragError
    where there is none, or more than one.
    """
    if wanted is not None:
        exact = [column for column in columns if column == wanted]
        found = exact or [column for column in columns if column.lower() == wanted.lower()]
        if len(found) == 1:
            return found[0]
        raise bad_usage(f"has no column '{wanted}'", f"its columns are {listed(columns)}")
    found = [column for column in columns if column.lower() in LABELS] or list(classes)
    if len(found) == 1:
        return found[0]
    if found:
        problem = f"has {len(found)} columns that may be the label, {listed(found)}"
        raise StragError(problem, "name the one that is with --label-column")
    problem = f"has no column called {', '.join(LABELS[:-1])} or {LABELS[-1]}"
    raise StragError(problem, f"name the label with --label-column: its columns are {listed(columns)}")


def name_columns(columns):
    """Those of the columns that name the examples, the index of a data frame first."""
    index = [column for column in columns if _INDEX.fullmatch(column)]
    return index + [column for column in columns if column.lower() in NAMES]


def notes_on_names(columns):
    """What to say of columns that name the examples: the first of them does, others are left out."""
    first = "the first column, which has no name," if columns[0] == "" else f"column '{columns[0]}'"
    notes = [f"{first} names the examples"]
    return notes + ([f"left out, as names too: {listed(columns[1:])}"] if columns[1:] else [])


def notes_on_ids(columns, x):
    """What to say of inputs that are called like an id and differ in all examples; x is [P, d]."""
    ids = [at for at, column in enumerate(columns) if _ID.fullmatch(column)]
    found = [columns[at] for at in ids if _counts(x[:, at])]
    like = "is an input, though its values all differ: call it id if it names the examples"
    return [f"column '{column}' {like}" for column in found]


def _counts(values):
    return len(values) > 1 and (values == np.floor(values)).all() and np.unique(values).size == len(values)


def is_number(text):
    """Whether a cell is a number, NaN and infinity among them."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def is_class_number(text):
    """Whether a number as text can be that of a class."""
    return _CLASS.fullmatch(text) is not None


def narrow(array):
    """The same numbers as uint8, if all are whole and between 0 and 255."""
    if array.dtype == np.uint8 or not array.size or array.dtype.kind not in "biuf":
        return array
    if not (array.min() >= 0 and array.max() <= 255):
        return array
    if array.dtype.kind == "f" and (array != np.floor(array)).any():
        return array
    return array.astype(np.uint8)


def joined(parts):
    """Blocks [rows, ...] as one array, each given up as soon as it is copied."""
    x = np.empty((sum(map(len, parts)), *parts[0].shape[1:]), np.result_type(*parts))
    row = 0
    for place, part in enumerate(parts):
        x[row : row + len(part)] = part
        row += len(part)
        parts[place] = None
    return x
