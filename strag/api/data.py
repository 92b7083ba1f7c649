"""`strag.data`: a data set from arrays, from a file or folder, or from the catalogue."""

import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from strag import kinds
from strag.datasets import catalogue
from strag.datasets.imported import Imported, Reading
from strag.datasets.importing import dataset_of, import_files
from strag.datasets.transforms import Changes, changed
from strag.errors import bad_usage
from strag.files.container import is_json
from strag.files.streams import open_input, read_exactly
from strag.values import checked, optional, path, text
from strag.words import reason_of

READING, CHANGING = ([option.name for option in fields(kind)] for kind in (Reading, Changes))
ONLY_READ = [name for name in READING if name not in CHANGING]  # for files; all others also for arrays


def _array(value, name):
    """The check of an array, which becomes one of numpy."""
    if isinstance(value, (str, bytes, list, tuple)) or not hasattr(value, "__array__"):
        remedy = (
            "pass numpy.asarray of it" if isinstance(value, (list, tuple)) else "pass one row per example"
        )
        raise bad_usage(f"`{name}` must be an array, but it is of type {type(value).__name__}", remedy)
    return _of_numpy(value, name)


def _of_numpy(value, name):
    """An array-like value as an array of numpy. Masked entries are refused."""
    if np.ma.is_masked(value):
        raise bad_usage(f"`{name}` has masked entries", "fill them in, or remove their examples")
    try:
        return np.asarray(value)
    except Exception as error:  # of the other library, or of rows of different lengths
        raise bad_usage(f"cannot read `{name}` as an array: {reason_of(error)}", "pass an array") from None


def _examples(value, name):
    """The check of `x`: an array, or a path or a name, which becomes text."""
    return path(value, name) if isinstance(value, (str, os.PathLike)) else _array(value, name)


def _labels(value, name):
    """The check of labels: an array or a list."""
    return _of_numpy(value, name) if isinstance(value, (list, tuple)) else _array(value, name)


@checked(
    options=lambda: [*CHANGING, *ONLY_READ],
    x=_examples,
    y=optional(_labels),
    x_test=optional(_array),
    y_test=optional(_labels),
    title=optional(text("a text")),
)
def data(x, y=None, x_test=None, y_test=None, title=None, **options):
    """A data set to train on.

    Parameters
    ----------
    x : array [P, ...] of inputs, as uint8 images or numbers that float32 can hold; or the name of a data set
        in the catalogue, of a dataset file, or of a file or folder that `strag data` can import.
    y : labels of the P examples: whole numbers, texts, or rows with a single 1.
    x_test, y_test : the test set in the same form; both or neither.
    title : name of the data set in pictures and messages.
    options : those of `strag data`: `labels`, `size`, `block`, `shuffle`, `classes`, `hold_out`,
        `flip_labels`, `gray`, `seed`, and for files also `label_column`, `shape`, `resize`, `background`,
        `skip_broken`.

    Returns
    -------
    Dataset

    Raises StragError for arrays that do not match and for files that cannot be read.

    Examples
    --------
    >>> import numpy as np, strag
    >>> digits = strag.data(np.eye(6, dtype=np.float32), [0, 1, 2, 0, 1, 2], labels="0/1-2")
    >>> digits.features, digits.grouping.names
    (6, ('0', '1-2'))
    """
    reading = Reading(**{name: options[name] for name in READING if name in options})
    changes = Changes(**{name: options[name] for name in CHANGING if name in options})
    if changes.seed is not None and changes.hold_out is None and changes.flip_labels is None:
        raise bad_usage("`seed` needs `hold_out` or `flip_labels`", "pass one of them, or remove `seed`")
    arrays = {"y": y, "x_test": x_test, "y_test": y_test}
    if isinstance(x, str):
        for name in (name for name, array in arrays.items() if array is not None):
            raise bad_usage(f"`{name}` needs an array `x`, but `x` is the text '{x}'", f"remove `{name}`")
        data_set = _read(x, reading)
        data_set = data_set if title is None else replace(data_set, title=title)
    else:
        _refuse_reading(reading, "is an array", "`x`")
        if y is None:
            raise bad_usage("`x` is an array without labels", "pass the labels of its examples as `y`")
        for name, other in (("x_test", "y_test"), ("y_test", "x_test")):
            if arrays[name] is not None and arrays[other] is None:
                raise bad_usage(f"`{name}` needs `{other}`", "pass both, or neither")
        title = title or "data"
        data_set = dataset_of(Imported(x=x, **arrays), title, title=title)
    return changed(data_set, changes)


def _read(source, reading):
    """The Dataset of a name in the catalogue or of a path."""
    if source in catalogue.CATALOGUE:
        _refuse_reading(reading, "is a data set of the catalogue", source)
        return catalogue.load(source)
    if not Path(source).is_dir() and is_strag_file(source):
        _refuse_reading(reading, "is a strag file", source)
        return kinds.read(source, "dataset")
    return import_files([source], reading)


def _refuse_reading(reading, problem, source):
    """Refuse options that apply only to files that are imported."""
    for name in reading.given:
        if name in ONLY_READ:
            raise bad_usage(f"{problem} and does not use `{name}`", f"remove `{name}`", source)


def is_strag_file(source):
    """Whether a source is read as a strag file: it begins like one, is empty, is missing, or is a pipe."""
    if not Path(source).is_file():  # missing, or a named pipe
        return True
    with open_input(source) as stream:
        head = read_exactly(stream, 1 << 16)
    is_container = head[4:9] == b"\0\0\0\0{"  # the upper half of its header's length, then the header
    return is_container or (is_json(head[:8]) and b'"strag"' in head) or not head
