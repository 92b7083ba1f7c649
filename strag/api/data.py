"""`strag.data`: a data set from arrays, from a file or folder, or from the catalogue."""

import os
from dataclasses import asdict, fields, replace
from types import SimpleNamespace

import numpy as np

from strag import kinds
from strag.api.arguments import destination, refuse_overwriting
from strag.api.options import with_options_of
from strag.api.outputs import opened
from strag.datasets import catalogue
from strag.datasets.dataset import Dataset
from strag.datasets.imported import Imported, Reading
from strag.datasets.importing import dataset_of, import_files
from strag.datasets.transforms import Changes, changed
from strag.errors import StragError, bad_usage, warn_of
from strag.files.dataset import write_dataset
from strag.files.reading import is_json
from strag.files.streams import STANDARD, name_of, open_input, read_exactly
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
    """The check of `x`: a Dataset, an array, or a path or a name, which becomes text."""
    if isinstance(value, Dataset):
        return value
    return path(value, name) if isinstance(value, (str, os.PathLike)) else _array(value, name)


def _labels(value, name):
    """The check of labels: an array or a list."""
    return _of_numpy(value, name) if isinstance(value, (list, tuple)) else _array(value, name)


@with_options_of(Changes, Reading)
@checked(
    options=lambda: [*CHANGING, *ONLY_READ],
    x=_examples,
    y=optional(_labels),
    x_test=optional(_array),
    y_test=optional(_labels),
    title=optional(text("a text")),
    output=optional(destination),
)
def data(x, y=None, x_test=None, y_test=None, title=None, output=None, **options):
    """A data set to train on.

    Parameters
    ----------
    x : array [P, ...] of inputs, as uint8 images or numbers that float32 can hold; or the name of a data set
        in the catalogue, of a dataset file, or of a file or folder to import, see `strag data`; or a Dataset.
    y : labels of the P examples: whole numbers, texts, or rows with a single 1.
    x_test, y_test : the test set in the same form; both or neither.
    title : name of the data set in pictures and messages.
    output : where to write the file of `strag data` as well: a path.
    options : those of `strag data`.

    Options work in the order of this list. `label_column`, `background` and `skip_broken` apply only to files
    that are imported.

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
    refuse_unused(changes)
    arrays = {"y": y, "x_test": x_test, "y_test": y_test}
    if isinstance(x, (str, Dataset)):
        what = f"the text '{x}'" if isinstance(x, str) else "a Dataset"
        for name in (name for name, array in arrays.items() if array is not None):
            raise bad_usage(f"`{name}` needs an array `x`, but `x` is {what}", f"remove `{name}`")
        data_set = _read(x, reading, output)
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
    finished = changed(data_set, changes)
    if output is not None:
        finished.groups, finished.test_groups  # noqa: B018 - every class must be in a group
        recipe = {**asdict(reading), **asdict(changes), "labels": finished.labels}
        with opened(output) as sink:
            write_dataset(sink, finished, recipe, {"data": data_set.identity})
    return finished


def refuse_unused(changes):
    """Refuse a seed of Changes that draw nothing."""
    if changes.seed is not None and changes.hold_out is None and changes.flip_labels is None:
        raise bad_usage("`seed` needs `hold_out` or `flip_labels`", "pass one of them, or remove `seed`")


def _read(source, reading, output):
    """The Dataset of a catalogue name or of a path, or a given one. `output` must not be its file."""
    if isinstance(source, Dataset):
        _refuse_reading(reading, "is a Dataset", "`x`")
        refuse_overwriting([source], output=output)
        return source
    if source not in catalogue.CATALOGUE:
        refuse_overwriting([SimpleNamespace(source=source)], output=output)
    if source in catalogue.CATALOGUE:
        _refuse_reading(reading, "is a data set of the catalogue", source)
    elif is_strag_file(source):
        _refuse_reading(reading, "is a strag file", source)
    else:
        return import_files([source], reading)
    return load(source)


def load(source, watch=None):
    """The Dataset of a name in the catalogue, which takes precedence, of a dataset file, or of stdin for '-'.

    watch : for downloads, see `strag.datasets.download.fetch`. A warning says that a file of the name of a
    data set is not read.
    """
    if source in catalogue.CATALOGUE:
        if os.path.exists(source):
            used = "using the data set of the catalogue, not the file of that name"
            warn_of(source, f"{used}; for the file, use './{source}'")
        return catalogue.load(source, watch)
    if source != STANDARD and not os.path.exists(source):
        known = ", ".join(catalogue.CATALOGUE)
        raise StragError("no such file or catalogue name", f"the catalogue has {known}", name_of(source))
    return kinds.read(source, "dataset")


def _refuse_reading(reading, problem, source):
    """Refuse options that apply only to files that are imported."""
    for name in reading.given:
        if name in ONLY_READ:
            raise bad_usage(f"{problem} and does not use `{name}`", f"remove `{name}`", source)


def is_strag_file(source):
    """Whether a source is read as a strag file: it begins like one, is missing, or is a pipe.

    An empty file is one, too, unless its name ends like that of a file of another program.
    """
    if not os.path.isfile(source):  # missing, or a named pipe, or a folder
        return not os.path.isdir(source)
    with open_input(source) as stream:
        head = read_exactly(stream, 1 << 16)
    is_container = head[4:9] == b"\0\0\0\0{"  # the upper half of its header's length, then the header
    is_empty = not head and os.path.splitext(source)[1] in ("", ".json", ".safetensors", ".partial")
    return is_container or (is_json(head[:8]) and b'"strag"' in head) or is_empty
