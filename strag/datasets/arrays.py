"""Import of the user's own arrays: npz files, npy files, and folders of such files."""

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
_SAVE = "save the arrays as x, y, x_test, y_test"


def read_npz(path):
    """The Imported of an npz file with arrays x, y and, optionally, x_test, y_test, or similar names.

    See `strag.datasets.roles.choose` for the names. Raises StragError if examples or labels are missing, and
    if two arrays may have the same role.
    """
    with Npz(path) as archive:
        if len(archive.names) == 1:
            archive[archive.names[0]]  # reports a broken array first
            raise _only_array(path)
        names = [name for name in archive.names if name in ORDER or not archive.is_scalar(name)]
        chosen = choose(names, "array", lambda key: f"save the one you mean as {key}", _SAVE)
        imported = Imported(**{key: archive[name] for key, name in chosen.parts.items()}, notes=chosen.notes)
        unused = [name for name in archive.names if name not in chosen.parts.values()]
        _add_names(imported, {name: lambda name=name: archive[name] for name in unused})
    return imported


def _add_names(imported, unused):
    """Add the names of classes and examples from other arrays to an Imported, and note which are left out.

    unused : dict of the names of arrays that are not examples or labels to functions that read them.
    """
    left_out = []
    for name, read in unused.items():
        of_classes, of_examples = (is_text_about(name, subject) for subject in ("classes", "examples"))
        try:
            texts = _texts(read()) if of_classes or of_examples else None
        except StragError:  # the array is left out, because names are optional
            texts = None
        if texts and of_classes and imported.class_names is None and _name_classes(texts, imported):
            imported.class_names = tuple(texts)
            imported.notes.append(f"the class names are those in {name}")
        elif texts and of_examples and imported.names is None and len(texts) == len(imported.x):
            imported.names = texts
            imported.notes.append(f"the names of the training examples are those in {name}")
        else:
            left_out.append(name)
    if left_out:
        imported.notes.append(f"left out {some_of(left_out)}")


def _texts(array):
    """An array [n] of text or integers as a list of str; None for other arrays."""
    if array.ndim != 1 or array.dtype.kind not in "USiu":
        return None
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    return [str(value) for value in array.tolist()]


def _name_classes(names, imported):
    """Whether `names` can be the names of classes 0, 1, ... of an Imported whose labels are numbers."""
    labels = [labels for labels in (imported.y, imported.y_test) if labels is not None]
    if not all(array.size and array.dtype.kind in "biuf" for array in labels):
        return False
    columns = [array.shape[1] for array in labels if array.ndim == 2 and array.shape[1] > 1]
    if columns or any(array.ndim > 2 for array in labels):  # in rows of 0 and 1, every column is a class
        return set(columns) == {len(names)}
    distinct = {name.strip() for name in names}
    return len(distinct) == len(names) and "" not in distinct and max(a.max() for a in labels) < len(names)


def read_array(path, names=()):
    """The only array in an npy, npz or IDX file.

    names : names of arrays, one of which is read if an npz file holds several and only this one of them.
    Raises StragError for other files, and for several arrays among which the names do not decide.
    """
    head = head_of(path)
    if head.startswith(MAGIC):
        return read_npy_file(path)
    if head.startswith(b"PK"):
        archive, name = _of_one(path, names)
        with archive:
            return archive[name]
    if is_idx(path) or (not head and starts_with(path, b"\x1f\x8b")):
        return read_idx(path)  # reports how a gzip file is broken
    if not head and path.is_file() and path.stat().st_size == 0:
        raise StragError("is empty", "create it again", path)
    if path.is_dir():
        raise StragError("is a folder", "pass only the folder, or files of one array each", path)
    if starts_with(path, b"BZh") or starts_with(path, b"\xfd7zXZ"):
        raise StragError("is compressed with bzip2 or xz", "decompress it, or compress it with gzip", path)
    raise StragError("is not an IDX, npy or npz file", "pass files of one array each", path)


def _of_one(path, names=()):
    """The open Npz of a file that holds one array, and the name of this array.

    names : as for `read_array`. Raises StragError if the file holds none, or several.
    """
    _check_not_gzipped(path)
    archive = Npz(path)
    found = archive.names if len(archive.names) == 1 else [n for n in names if n in archive.names]
    if len(found) != 1:
        archive.close()
        problem = f"holds {number_of(len(archive.names), 'array')} ({some_of(archive.names)})"
        remedy = "pass files of one array each, or only one npz file with x, y, x_test, y_test"
        if names:
            remedy = f"keep one array, or one that is called {' or '.join(names)}"
        raise StragError(problem, remedy, path)
    return archive, found[0]


def _check_not_gzipped(path):
    """Raise StragError for an npz file that is gzipped as a whole."""
    if starts_with(path, b"\x1f\x8b"):
        command = f"gunzip {shlex.quote(str(path))}"
        raise StragError("is a gzipped npz file", f"decompress it: {command}", path)


def _only_array(path):
    """The error for a file that holds one array and was passed without a second file."""
    labels = role_of(path.name).what == "labels"
    files = f"EXAMPLES {path.name}" if labels else f"{path.name} LABELS"
    return bad_usage("holds only one array", f"pass two files: strag data {files}", path)


def _read_file(paths, _):
    """The Imported of one npz file."""
    _check_not_gzipped(paths[0])
    return read_npz(paths[0])


def _read_several(paths, _):
    """The Imported of files of one array each."""
    if len(paths) == 1:
        read_array(paths[0])  # reports a broken array first
        raise _only_array(paths[0])
    for path in paths:
        if head_of(path).startswith(b"PK"):
            _of_one(path)[0].close()
    keys, note = assign([path.name for path in paths])
    files = {key: path for key, path in zip(keys, paths, strict=True) if key}
    return _from_files({key: files[key] for key in ORDER if key in files}, [note] if note else [])


def _from_files(files, notes):
    """The Imported of files of one array each. files : dict of x, y, x_test, y_test to paths."""
    imported = Imported(**{key: read_array(path) for key, path in files.items()}, notes=notes, sources=files)
    understand(imported, {key: path for key, path in files.items() if is_idx(path)})
    return imported


def _files_in(folder):
    """The paths of the npz and npy files in a folder, and the names of its other visible entries."""
    paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    files = [path for path in paths if _SUFFIX.search(path.name) and not path.is_dir()]
    return files, [f"{path.name}{'/' * path.is_dir()}" for path in paths if path not in files]


def is_array_folder(folder):
    """Whether a folder holds an npz file or several npy files, and is not a folder of images."""
    files, _ = _files_in(folder)
    if len(files) < 2 and not any(path.suffix.lower() == ".npz" for path in files):
        return False
    return not any(is_image(path) for inner in class_folders(folder) for path in inner.iterdir())


def read_array_folder(folder):
    """The Imported of a folder of npy and npz files.

    The names of the files state their roles, see `strag.datasets.roles.choose`. If no name states a role,
    each npy file holds the examples of one class, and the name of the file is the name of the class. A single
    npz file is read by `read_npz`. Raises StragError if the files do not fit together.
    """
    files, other_names = _files_in(folder)
    named = {}
    for path in files:
        if not path.exists():
            raise StragError("is a broken link", "repair or remove it", path)
        first = named.setdefault(_SUFFIX.sub("", path.name), path)
        if first != path:
            raise StragError(f"holds {first.name} and {path.name}", "keep only one of them", folder)
    if len(files) == 1:
        imported = read_npz(files[0])
        imported.notes.insert(0, f"read {files[0].name}")
    elif any(role_of(name).what for name in named):
        remedy = "pass the files themselves: strag data EXAMPLES LABELS [TEST_EXAMPLES TEST_LABELS]"
        chosen = choose(list(named), "file", lambda _: remedy, f"{_SAVE}, or {remedy}")
        imported = _from_files({key: named[name] for key, name in chosen.parts.items()}, chosen.notes)
        _add_names(imported, {name: lambda name=name: read_array(named[name]) for name in chosen.unused})
    else:
        imported = _read_classes(folder, named)
    if other_names:
        imported.notes.append(f"left out {some_of(other_names)}")
    return imported


def _read_classes(folder, files):
    """The Imported of npy files that each hold the examples of one class. files : dict of names to paths."""
    if all(role_of(name).split for name in files):
        problem = f"has files whose names ({some_of(files)}) do not say what is examples and what is labels"
        raise StragError(problem, "rename them to x_train.npy, y_train.npy and so on", folder)
    prefix = _shared_prefix(files)
    classes = {name.removeprefix(prefix): path for name, path in files.items()}
    if all(re.fullmatch("[0-9]{1,7}", name) for name in classes):
        classes = {name: classes[name] for name in sorted(classes, key=int)}
    shapes = {name: _shape_of(path) for name, path in classes.items()}
    first, (shape, dtype) = next(iter(shapes.items()))
    for name, (own_shape, own_dtype) in shapes.items():
        if len(own_shape) < 2 or own_shape[1:] != shape[1:] or own_dtype.kind != dtype.kind:
            expected = f"{classes[first].name} has shape {list(shape)} of {dtype}"
            problem = f"has shape {list(own_shape)} of {own_dtype}, but {expected}"
            remedy = "save every class with one row per example, all of the same shape and type"
            raise StragError(problem, remedy, classes[name])
        if not own_shape[0]:
            remedy = "provide at least one example, or remove the file"
            raise StragError("holds no examples", remedy, classes[name])
    counts = [shape[0] for shape, _ in shapes.values()]
    common_dtype = np.result_type(*(dtype for _, dtype in shapes.values()))
    try:
        x = np.empty((sum(counts), *shape[1:]), common_dtype)
    except (MemoryError, ValueError):
        size = amount(sum(counts) * np.prod(shape[1:], dtype=float) * common_dtype.itemsize)
        problem = f"holds {size}, which does not fit in memory"
        raise StragError(problem, "pass a part of it", folder) from None
    for path, end, count in zip(classes.values(), np.cumsum(counts), counts, strict=True):
        x[end - count : end] = read_npy_file(path)
    without = f" without '{prefix}'" if prefix else ""
    note = f"each file is a class, named after the file{without}: {some_of(classes)}"
    return Imported(x, np.repeat(list(classes), counts), notes=[note])


def _shared_prefix(names):
    """The common beginning of all names, up to its last character that is not a letter or digit."""
    pairs = zip(min(names), max(names), strict=False)
    shared = "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return re.match(r"(.*[\W_])?", shared)[0]


def _shape_of(path):
    """Shape and dtype of the array in the npy file of a class. Raises StragError for an npz file."""
    if head_of(path).startswith(b"PK"):
        raise StragError("is an npz file among npy files", "save its array with numpy.save", path)
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
