"""The use of the columns of a table: the label, the names of the examples, and the inputs."""

import re

import numpy as np

from strag.errors import StragError, bad_usage
from strag.words import MOST

LABELS = ("label", "class", "target", "y")
NAMES = ("id", "name", "file", "filename", "file_name", "path")
MEND_TEXT = "remove the column, encode it as numbers, or rename it to id if it holds names of the examples"
_INDEX = re.compile(r"|Unnamed: 0|__index_level_0__")  # names that pandas gives to an index without a name
_ID = re.compile(r".*(_[iI]|[a-z]I)[dD]")
_CLASS = re.compile(r"\d+(\.0*)?")


def listed(columns):
    """The names of columns for a message; of many columns, the first and the last ones."""
    columns = [f"'{column}'" for column in columns]
    if len(columns) > MOST:
        columns = [*columns[: MOST - 4], "...", *columns[-3:], f"{len(columns)} in all"]
    return ", ".join(columns)


def label_column(columns, wanted=None, classes=()):
    """The name of the column that holds the labels.

    wanted : the column that the user named, or None for the one called label, class, target or y. classes :
    columns that hold classes according to the file, used if no column has such a name. Raises StragError if
    there is no such column or more than one.
    """
    if wanted is not None:
        exact = [column for column in columns if column == wanted]
        matches = exact or [column for column in columns if column.lower() == wanted.lower()]
        if len(matches) == 1:
            return matches[0]
        raise bad_usage(f"has no column '{wanted}'", f"use one of its columns: {listed(columns)}")
    matches = [column for column in columns if column.lower() in LABELS] or list(classes)
    if len(matches) == 1:
        return matches[0]
    if matches:
        problem = f"has {len(matches)} columns that may be the label, {listed(matches)}"
        raise StragError(problem, "choose one of them with `label_column`")
    problem = f"has no column called {', '.join(LABELS[:-1])} or {LABELS[-1]}"
    raise StragError(problem, f"choose the label with `label_column` from its columns: {listed(columns)}")


def name_columns(columns):
    """The columns that hold names of the examples, the index of a data frame first."""
    index = [column for column in columns if _INDEX.fullmatch(column)]
    return index + [column for column in columns if column.lower() in NAMES]


def notes_on_names(columns):
    """Notes on columns that hold names of the examples: the first is used, the others are left out."""
    first = "the first column, which has no header," if columns[0] == "" else f"column '{columns[0]}'"
    notes = [f"{first} holds the names of the examples"]
    return notes + ([f"left out, as they hold names too: {listed(columns[1:])}"] if columns[1:] else [])


def notes_on_ids(columns, x):
    """Notes on inputs, columns of x [P, d], that look like ids: by their name, and as all values differ."""
    ids = [at for at, column in enumerate(columns) if _ID.fullmatch(column)]
    distinct = [columns[at] for at in ids if _all_differ(x[:, at])]
    remedy = "rename it to id if it holds names of the examples"
    return [f"column '{column}' is an input, but all its values differ; {remedy}" for column in distinct]


def _all_differ(values):
    """Whether there are several values, all whole and different."""
    return len(values) > 1 and (values == np.floor(values)).all() and np.unique(values).size == len(values)


def is_number(text):
    """Whether the text of a cell is a number; NaN and infinity are."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def is_class_number(text):
    """Whether the text of a number is a whole number from 0, as class numbers are."""
    return _CLASS.fullmatch(text) is not None


def narrow(array):
    """The array as uint8 if all its numbers are whole and from 0 to 255, otherwise unchanged."""
    if array.dtype == np.uint8 or not array.size or array.dtype.kind not in "biuf":
        return array
    if not (array.min() >= 0 and array.max() <= 255):
        return array
    if array.dtype.kind == "f" and (array != np.floor(array)).any():
        return array
    return array.astype(np.uint8)


def joined(parts):
    """Blocks [rows, ...] as one array. To save memory, the list `parts` loses each block that is copied."""
    x = np.empty((sum(map(len, parts)), *parts[0].shape[1:]), np.result_type(*parts))
    row = 0
    for place, part in enumerate(parts):
        x[row : row + len(part)] = part
        row += len(part)
        parts[place] = None
    return x
