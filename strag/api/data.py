"""`strag.data`: a data set from arrays, from a file or folder, or from the catalogue."""

import os
from pathlib import Path

from strag import kinds
from strag.datasets import catalogue
from strag.datasets.imported import Imported, Reading
from strag.datasets.importing import dataset_of, import_files
from strag.datasets.transforms import Changes, changed
from strag.files.container import is_json
from strag.files.streams import open_input, read_exactly

ONLY_READ = (
    "label_column",
    "background",
    "skip_broken",
)  # options for files only; the others also apply to arrays


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
    reading = Reading(**{name: options[name] for name in Reading.__dataclass_fields__ if name in options})
    changes = Changes(**{name: options[name] for name in options if name not in ONLY_READ})
    if isinstance(x, (str, os.PathLike)):
        whole = _read(str(x), reading)
    else:
        imported = Imported(x=x, y=y, x_test=x_test, y_test=y_test)
        whole = dataset_of(imported, title or "data", title=title or "data")
    return changed(whole, changes)


def _read(source, reading):
    """The Dataset of a name in the catalogue or of a path."""
    if source in catalogue.CATALOGUE:
        return catalogue.load(source)
    if not Path(source).is_dir() and is_strag_file(source):
        return kinds.read(source, "dataset")
    return import_files([source], reading)


def is_strag_file(path):
    """Whether a path is read as a strag file: it begins like one, is empty, is missing, or is a pipe."""
    if not Path(path).is_file():  # missing, or a named pipe
        return True
    with open_input(path) as stream:
        head = read_exactly(stream, 1 << 16)
    is_container = head[4:9] == b"\0\0\0\0{"  # the upper half of its header's length, then the header
    return is_container or (is_json(head[:8]) and b'"strag"' in head) or not head
