"""npz and npy files: anyone's own arrays."""

import itertools
import re
import shlex

import numpy as np

from strag.datasets.folders import class_folders
from strag.datasets.idx import is_idx, read_idx, understand
from strag.datasets.imported import Form, Imported, starts_with
from strag.datasets.npy import MAGIC, Npz, head_of, read_npy_file, shape_of_npy
from strag.datasets.pixels import is_image
from strag.datasets.roles import ORDER, assign, choose, is_text_about, role_of
from strag.errors import StragError, bad_usage
from strag.words import amount, number_of, some_of

_SUFFIX = re.compile(r"\.(npz|npy(\.gz)?)$", re.IGNORECASE)
_SAVE = "call the arrays x, y, x_test, y_test"


def read_npz(path):
    """The Imported of an npz file: arrays x, y and, if they are there, x_test, y_test, or named alike.

    Raises StragError where examples or labels are missing, listing the names that are there, and where two
    arrays could be either.
    """
    with Npz(path) as archive:
        if len(archive.names) == 1:
            archive[archive.names[0]]  # what is broken is not a matter of how many
            raise _one_alone(path)
        names = [name for name in archive.names if name in ORDER or not archive.is_scalar(name)]
        chosen = choose(names, "array", lambda key: f"save the one you mean as {key}", _SAVE)
        imported = Imported(**{key: archive[name] for key, name in chosen.parts.items()}, notes=chosen.notes)
        unused = [name for name in archive.names if name not in chosen.parts.values()]
        _add_names(imported, {name: lambda name=name: archive[name] for name in unused})
    return imported


def _add_names(imported, unused):
    """Take the names of classes and examples from arrays that are no part, and say what is left out.

    unused : dict of names to functions that read the array.
    """
    left = []
    for name, read in unused.items():
        classes, examples = (is_text_about(name, of) for of in ("classes", "examples"))
        try:
            found = _texts(read()) if classes or examples else None
        except StragError:  # of what is not needed
            found = None
        if found and classes and imported.class_names is None and _name_classes(found, imported):
            imported.class_names = tuple(found)
            imported.notes.append(f"the classes are called as in {name}")
        elif found and examples and imported.names is None and len(found) == len(imported.x):
            imported.names = found
            imported.notes.append(f"the training examples are called as in {name}")
        else:
            left.append(name)
    if left:
        imported.notes.append(f"left out {some_of(left)}")


def _texts(array):
    """A list of str of an array [n] of text or whole numbers, or None."""
    if array.ndim != 1 or array.dtype.kind not in "USiu":
        return None
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    return [str(value) for value in array.tolist()]


def _name_classes(names, imported):
    """Whether these can be the names of the classes 0, 1, ... of labels that are numbers."""
    labels = [labels for labels in (imported.y, imported.y_test) if labels is not None]
    if not all(array.size and array.dtype.kind in "biuf" for array in labels):
        return False
    columns = [array.shape[1] for array in labels if array.ndim == 2 and array.shape[1] > 1]
    if columns or any(array.ndim > 2 for array in labels):  # of rows of 0 and 1 each column is a class
        return set(columns) == {len(names)}
    distinct = {name.strip() for name in names}
    return len(distinct) == len(names) and "" not in distinct and max(a.max() for a in labels) < len(names)


def read_array(path):
    """The only array in an npy, npz or IDX file."""
    head = head_of(path)
    if head.startswith(MAGIC):
        return read_npy_file(path)
    if head.startswith(b"PK"):
        with _of_one(path) as archive:
            return archive[archive.names[0]]
    if is_idx(path) or (not head and starts_with(path, b"\x1f\x8b")):
        return read_idx(path)  # which says how a gzip file is broken
    if not head and path.is_file() and path.stat().st_size == 0:
        raise StragError("is empty", "make it again", path)
    if path.is_dir():
        raise StragError("is a folder", "give it alone, or files of one array each", path)
    if starts_with(path, b"BZh") or starts_with(path, b"\xfd7zXZ"):
        raise StragError("is packed with bzip2 or xz", "unpack it, or pack it with gzip", path)
    raise StragError("is neither an IDX nor an npy file", "give one array of each file", path)


def _of_one(path):
    """The Npz of a file, which holds one array."""
    _check_not_gzipped(path)
    archive = Npz(path)
    if len(archive.names) != 1:
        archive.close()
        problem = f"holds {number_of(len(archive.names), 'array')} ({some_of(archive.names)})"
        remedy = "give files of one array each, or one npz file alone with x, y, x_test, y_test"
        raise StragError(problem, remedy, path)
    return archive


def _check_not_gzipped(path):
    if starts_with(path, b"\x1f\x8b"):
        command = f"gunzip {shlex.quote(str(path))}"
        raise StragError("is a gzipped npz file, which is packed already", f"unpack it: {command}", path)


def _one_alone(path):
    labels = role_of(path.name).what == "labels"
    files = f"EXAMPLES {path.name}" if labels else f"{path.name} LABELS"
    return bad_usage("holds one array only", f"give two files: strag data {files}", path)


def _read_file(paths, _):
    _check_not_gzipped(paths[0])
    return read_npz(paths[0])


def _read_several(paths, _):
    if len(paths) == 1:
        read_array(paths[0])  # what is broken is not a matter of how many
        raise _one_alone(paths[0])
    for path in paths:
        if head_of(path).startswith(b"PK"):
            _of_one(path).close()
    keys, note = assign([path.name for path in paths])
    files = {key: path for key, path in zip(keys, paths, strict=True) if key}
    return _from_files({key: files[key] for key in ORDER if key in files}, [note] if note else [])


def _from_files(files, notes):
    """The Imported of files of one array each, a dict of x, y and so on to paths."""
    imported = Imported(**{key: read_array(path) for key, path in files.items()}, notes=notes, sources=files)
    understand(imported, {key: path for key, path in files.items() if is_idx(path)})
    return imported


def _files_in(folder):
    """Paths of npz and npy files in a folder, and names of what else is there, without hidden ones."""
    paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    files = [path for path in paths if _SUFFIX.search(path.name) and not path.is_dir()]
    return files, [f"{path.name}{'/' * path.is_dir()}" for path in paths if path not in files]


def is_array_folder(folder):
    """Whether a folder holds an npz file or several npy files, and is no folder of images."""
    files, _ = _files_in(folder)
    if len(files) < 2 and not any(path.suffix.lower() == ".npz" for path in files):
        return False
    return not any(is_image(path) for inner in class_folders(folder) for path in inner.iterdir())


def read_array_folder(folder):
    """The Imported of a folder of npy and npz files.

    Names say which array is what, see `strag.datasets.roles.choose`; where none says so, each npy file holds
    the examples of the class that it is called after. A single npz file is read as if it were alone.
    """
    files, others = _files_in(folder)
    named = {}
    for path in files:
        if not path.exists():
            raise StragError("is a link to nothing", "mend or remove it", path)
        other = named.setdefault(_SUFFIX.sub("", path.name), path)
        if other != path:
            raise StragError(f"holds {other.name} and {path.name}", "leave one of them in the folder", folder)
    if len(files) == 1:
        imported = read_npz(files[0])
        imported.notes.insert(0, f"read {files[0].name}")
    elif any(role_of(name).what for name in named):
        remedy = "name the files that you mean: strag data EXAMPLES LABELS [TEST_EXAMPLES TEST_LABELS]"
        chosen = choose(list(named), "file", lambda _: remedy, f"{_SAVE}, or {remedy}")
        imported = _from_files({key: named[name] for key, name in chosen.parts.items()}, chosen.notes)
        _add_names(imported, {name: lambda name=name: read_array(named[name]) for name in chosen.unused})
    else:
        imported = _read_classes(folder, named)
    if others:
        imported.notes.append(f"left out {some_of(others)}")
    return imported


def _read_classes(folder, files):
    """The Imported of a dict of names to npy files, each with the examples of one class."""
    if all(role_of(name).split for name in files):
        problem = f"does not say which of its files ({some_of(files)}) are examples and which labels"
        raise StragError(problem, "call them x_train.npy, y_train.npy and so on", folder)
    prefix = _shared_prefix(files)
    classes = {name.removeprefix(prefix): path for name, path in files.items()}
    if all(re.fullmatch("[0-9]{1,7}", name) for name in classes):
        classes = {name: classes[name] for name in sorted(classes, key=int)}
    shapes = {name: _shape_of(path) for name, path in classes.items()}
    first, (shape, dtype) = next(iter(shapes.items()))
    for name, (other, kind) in shapes.items():
        if len(other) < 2 or other[1:] != shape[1:] or kind.kind != dtype.kind:
            problem = f"has shape {list(other)} of {kind}, {classes[first].name} {list(shape)} of {dtype}"
            raise StragError(problem, "give every class one row per example, all of one form", classes[name])
        if not other[0]:
            raise StragError(
                "holds no examples", "give every class one at least, or remove it", classes[name]
            )
    counts = [shape[0] for shape, _ in shapes.values()]
    kept = np.result_type(*(dtype for _, dtype in shapes.values()))
    try:
        x = np.empty((sum(counts), *shape[1:]), kept)
    except (MemoryError, ValueError):
        size = amount(sum(counts) * np.prod(shape[1:], dtype=float) * kept.itemsize)
        raise StragError(f"holds {size}, which do not fit in memory", "give a part of it", folder) from None
    for path, end, count in zip(classes.values(), np.cumsum(counts), counts, strict=True):
        x[end - count : end] = read_npy_file(path)
    without = f", without the '{prefix}' before them" if prefix else ""
    note = f"each file is a class of its own, called after it{without}: {some_of(classes)}"
    return Imported(x, np.repeat(list(classes), counts), notes=[note])


def _shared_prefix(names):
    """What all names begin with, up to the last character of it that is no letter or digit."""
    pairs = zip(min(names), max(names), strict=False)
    shared = "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return re.match(r"(.*[\W_])?", shared)[0]


def _shape_of(path):
    if head_of(path).startswith(b"PK"):
        raise StragError(
            "is an npz file among files of one class each", "save its array with numpy.save", path
        )
    return shape_of_npy(path)


ARCHIVE = Form(
    "an npz file", lambda paths: len(paths) == 1 and head_of(paths[0]).startswith(b"PK"), _read_file
)
FOLDER = Form(
    "a folder of arrays",
    lambda paths: len(paths) == 1 and paths[0].is_dir() and is_array_folder(paths[0]),
    lambda paths, _: read_array_folder(paths[0]),
)
SEVERAL = Form(
    "files of one array each",
    lambda paths: len(paths) > 1 or head_of(paths[0]).startswith(MAGIC) or is_idx(paths[0]),
    _read_several,
)
