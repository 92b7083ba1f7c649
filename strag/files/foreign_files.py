"""Opening of activations by path: dumps of strag, or arrays of another program, whose files are joined."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from strag.datasets.arrays import read_array
from strag.datasets.labels import read_labels
from strag.datasets.npy import MAGIC
from strag.errors import StragError, bad_usage
from strag.files.arrays import GivenArray, npy_array, npz_arrays, own_file, safetensors_arrays
from strag.files.foreign import LABELS, Arrays, ForeignActivations, positions
from strag.files.header import read_entries
from strag.files.reading import check_size, container_from, is_json, read_header
from strag.files.streams import name_of, open_input, read_exactly
from strag.kinds import read, read_opened
from strag.recording.arrays import as_array
from strag.words import number_of

KIND = "activations"
IN_MEMORY = "the arrays"  # the source of arrays that are not in a file
_MOST = 4096  # classes
_TEXT = ".txt"  # end of the name of a file with one label per line


def labels_in(path):
    """The raw labels [P] in a file: one npy, npz or IDX array, or one label per line of a text file.

    Of several arrays in an npz file, the labels are `labels` or `y`.
    """
    labels = _lines_in(path) if str(path).endswith(_TEXT) else read_array(Path(path), LABELS)
    read_labels(labels, sources={"y": path})  # so that a fault of this file names it, and not the activations
    return labels


def _lines_in(path):
    """The lines of a text file: str [P]."""
    with open_input(path) as stream:
        try:
            lines = stream.readall().decode().splitlines()
        except UnicodeDecodeError:
            raise StragError("is not text in UTF-8", "save one label per line", path) from None
    return np.array(lines, dtype=str)


def open_parts(paths, labels=()):
    """Open files of activations: list of Activations, or of ForeignActivations with common classes.

    paths : paths, '-' for stdin, or dicts of name to array. labels : raw labels of the files, one for each,
    or empty.

    Raises StragError for files that cannot be read, and for dumps of strag together with other arrays.
    """
    with ExitStack() as stack:
        parts = [stack.enter_context(_opened(path, given)) for path, given in _paired(paths, labels)]
        foreign = [part for part in parts if isinstance(part, _Opened)]
        if foreign and len(foreign) < len(parts):
            dump = next(part for part in parts if part not in foreign)
            problem = f"holds arrays of another program, but {dump.source} is a dump of strag"
            raise StragError(problem, "measure them separately", foreign[0].arrays.source)
        if labels and not foreign:
            raise bad_usage("`labels` have no effect, because a dump holds them", "remove `labels`")
        parts = joined([part.arrays for part in foreign]) if foreign else parts
        stack.pop_all()  # from here on, the parts close their files
        return parts


def _paired(paths, labels):
    """Pairs of a path and its labels or None. Raises StragError for another number of labels."""
    if labels and len(labels) != len(paths):
        counts = f"{number_of(len(labels), 'file')} of labels for {number_of(len(paths), 'file')}"
        raise bad_usage(f"`labels` has {counts}", "pass one for each, in order")
    return zip(paths, labels or [None] * len(paths), strict=True)


class _Opened:
    """The Arrays of an open file, as a context."""

    def __init__(self, arrays):
        self.arrays = arrays

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.arrays.stack.close()


def _opened(path, labels):
    """The Activations in a file of strag, or an _Opened. path : as for `open_parts`."""
    if isinstance(path, dict):
        found = {name: GivenArray(name, IN_MEMORY, as_array(array, name)) for name, array in path.items()}
        return _Opened(Arrays(found, IN_MEMORY, labels))
    with open_input(path) as stream, ExitStack() as stack:
        head, name = read_exactly(stream, 8), name_of(path)
        if is_json(head) and path != "-":
            return read(path, KIND)  # reports its kind
        if head.startswith(MAGIC):
            file = stack.enter_context(own_file(stream, head, name))
            layer = Path(name).stem
            found = {layer: npy_array(file, layer, name)}
        elif head.startswith(b"PK"):
            file = stack.enter_context(own_file(stream, head, name))
            found = npz_arrays(file, name, stack)
        else:
            header = read_header(stream, head, name, (KIND,))
            metadata, entries, size = read_entries(header, name)
            file = stack.enter_context(own_file(stream, head + header, name, size + 1))
            if "strag" in metadata:
                file.seek(len(head))
                return read_opened(container_from(file, head, name, (KIND,)))
            check_size(file, size, name)
            found = safetensors_arrays(file, entries, name)
        arrays = Arrays(found, name, labels)
        arrays.stack = stack.pop_all()
    return _Opened(arrays)


def joined(files):
    """The ForeignActivations of several Arrays: their labels, predictions and ids are read together.

    Files without ids hold different examples, one after the other.
    """
    if len({arrays.ids is None for arrays in files}) == 2:
        lacks = next(arrays for arrays in files if arrays.ids is None)
        raise StragError(
            "holds no ids, but other files do", "save 'ids' in all of them or in none", lacks.source
        )
    classes = _together([arrays.labels for arrays in files], files)
    numbers = np.unique(classes.y)
    if not 2 <= len(numbers) <= _MOST:
        problem = f"holds {number_of(len(numbers), 'class', 'classes')}, not 2 to {_MOST}"
        sources = ", ".join(arrays.source for arrays in files)
        raise StragError(problem, "pass examples of at least two classes", sources)
    called = dict(zip(classes.numbers, classes.names or map(str, classes.numbers), strict=True))
    names, ends = tuple(called[number] for number in numbers.tolist()), np.cumsum([0, *map(_length, files)])
    index = _index(files, ends)
    return [
        ForeignActivations(
            arrays,
            names,
            numbers,
            classes.y[start:stop],
            index[start:stop],
            _predicted(arrays, classes, numbers),
        )
        for arrays, start, stop in zip(files, ends, ends[1:], strict=False)
    ]


def _length(arrays):
    """Number of examples in Arrays."""
    return len(arrays.labels)


def _together(labels, files):
    """The Classes of the raw labels of all files."""
    is_text = {array.dtype.kind in "US" for array in labels}
    if len(is_text) == 2 or len({array.ndim for array in labels}) == 2:
        problem = "have labels of different forms, such as text and numbers"
        raise StragError(problem, "use one form", ", ".join(arrays.source for arrays in files))
    sources = ", ".join(arrays.source for arrays in files)
    try:
        return read_labels(np.concatenate(labels))
    except StragError as error:
        raise error.about(sources) from None
    except ValueError:
        raise StragError("have labels of different shapes", "use one shape", sources) from None


def _index(files, ends):
    """The index of all examples, int64: their ids if these are numbers, or positions among the ids."""
    if files[0].ids is None:
        return np.arange(ends[-1])
    ids = [arrays.ids for arrays in files]
    for arrays, own in zip(files, ids, strict=True):
        if own.dtype.kind not in "iuUS" or own.dtype.kind != ids[0].dtype.kind:
            raise StragError(
                f"'ids' are {own.dtype}", "use whole numbers, or text, in all files", arrays.source
            )
        if len(np.unique(own)) < len(own):
            raise StragError("'ids' repeat an example", "give every example an id of its own", arrays.source)
    every = np.concatenate(ids)
    return every.astype(np.int64) if every.dtype.kind in "iu" else np.unique(every, return_inverse=True)[1]


def _predicted(arrays, classes, numbers):
    """The predicted groups, int64 [T, P], or None without predictions. They are of the form of the labels."""
    if "predictions" not in arrays.roles:
        return None
    raw = arrays.roles["predictions"].read()
    own = read_labels(raw.reshape(-1), sources={"y": arrays.source})
    if (own.names is None) != (classes.names is None):
        problem = "'predictions' and labels have different forms, text and numbers"
        raise StragError(problem, "use one form", arrays.source)
    y = own.y
    if own.names is not None:
        known = {name: number for number, name in zip(classes.numbers, classes.names, strict=True)}
        y = np.array([known.get(name, -1) for name in own.names])[np.searchsorted(own.numbers, y)]
    return positions(y, numbers).reshape(-1, len(arrays.labels))
