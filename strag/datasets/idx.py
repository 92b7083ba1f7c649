"""Import of IDX files, gzipped or not: the format of MNIST and of data sets like it."""

import re
import shlex
from pathlib import Path

import numpy as np

from strag.datasets.folders import class_folders
from strag.datasets.imported import Form, Imported
from strag.datasets.npy import array_of, head_of, unpacked
from strag.datasets.roles import choose, role_of
from strag.errors import StragError
from strag.words import some_of

# numpy dtype of each type code of the format
_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_NAMED = re.compile(r"[-_.]idx\d|ubyte", re.IGNORECASE)
_QMNIST = 8  # columns of QMNIST's labels; the first is the class


def read_idx(path):
    """The array in an IDX file.

    Raises StragError if the file is not an IDX file, is cut short, or has extra bytes at its end.
    """
    with unpacked(path) as stream:
        magic = stream.read(4)
        if not _is_magic(magic) or not 1 <= magic[3] <= 8:
            raise StragError("is not an IDX file", "copy it again")
        sizes = stream.read(4 * magic[3])
        if len(sizes) < 4 * magic[3]:
            raise StragError("is cut short in its header", "copy it again")
        shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
        return array_of(stream, np.dtype(_TYPES[magic[2]]), shape, "copy it again")


def _is_magic(start):
    """Whether an IDX file can begin with these four bytes."""
    return len(start) == 4 and start[:2] == b"\0\0" and start[2] in _TYPES


def is_idx(path):
    """Whether a file begins like an IDX file, gzipped or not."""
    return _is_magic(head_of(path, 4))


def read_idx_files(paths):
    """The Imported of IDX files. paths : dict of x, y and, optionally, x_test and y_test to their paths."""
    imported = Imported(**{key: read_idx(path) for key, path in paths.items()}, sources=dict(paths))
    understand(imported, paths)
    return imported


def understand(imported, paths):
    """Extract the class from QMNIST's labels, in place, and note that EMNIST's images are transposed.

    paths : dict of x, y, x_test, y_test to the files of the Imported that are IDX files.
    """
    for key in ("y", "y_test"):
        labels = getattr(imported, key)
        if key in paths and labels.dtype == ">i4" and labels.ndim == 2 and labels.shape[1] == _QMNIST:
            setattr(imported, key, labels[:, 0])
            name = paths[key].name
            imported.notes.append(f"{name} has {_QMNIST} columns; the first is the class, as in QMNIST")
    if "x" in paths and "emnist" in paths["x"].name.lower():
        imported.notes.append("EMNIST's images are transposed in its files and stay transposed")


def find_idx(folder):
    """The IDX files of the data set in a folder: dict of x, y, x_test, y_test to paths; {} without IDX files.

    The names of the files state their roles. Names with different other words, such as emnist-letters-,
    belong to different data sets. The files may be in folders called `raw` or `gzip`, or each in a folder
    with the name of the file. Raises StragError for several data sets, and for a data set that lacks training
    images or labels, or one of the two for its test set.
    """
    return _find(Path(folder))[0]


def _find(folder):
    """The files that `find_idx` returns, and notes on the choice."""
    sets = _sets(folder)
    if not sets:
        return {}, []
    complete = {key: paths for key, paths in sets.items() if _is_complete(paths)}
    if len(complete) > 1:
        raise _several(complete, folder)
    (place, name), files = next(iter((complete or sets).items()))
    named, notes = _without_copies({path.relative_to(place).as_posix(): path for path in files})
    try:
        chosen = choose(list(named), "file", lambda _: "keep only one of them", "add the missing files")
    except StragError as error:
        raise error.about(place) from None
    if name or place != folder:
        notes.insert(0, f"read the data set {_title(place, name, folder)}")
    unused = [named[name] for name in chosen.unused]
    unused += [path for paths in sets.values() if paths is not files for path in paths]
    if unused:
        notes.append(f"left out {some_of(path.relative_to(folder).as_posix() for path in unused)}")
    return {key: named[name] for key, name in chosen.parts.items()}, notes + chosen.notes


def _sets(folder):
    """The IDX files of every data set: dict of (folder, name of the set) to a list of paths.

    They are searched in the folder itself, then in `raw` and `gzip`, then in `raw` of each folder in it.
    """
    first = {}
    deeper = [path / "raw" for path in class_folders(folder)]
    for places in ([folder], [folder / "raw", folder / "gzip"], deeper):
        sets = {}
        for place in places:
            for path in _files(place) if _is_folder(place) else ():
                role = role_of(path.name)
                if role.what and (_NAMED.search(path.name) or is_idx(path)):
                    sets.setdefault((place, role.rest), []).append(path)
        if any(map(_is_complete, sets.values())):
            return sets
        first = first or sets
    return first


def _is_folder(path):
    """Whether a path is a folder. A PermissionError names the folder that contains it."""
    try:
        return path.is_dir()
    except PermissionError as error:
        raise PermissionError(error.errno, error.strerror, str(path.parent)) from None


def _files(folder):
    """Yield the files in a folder, and those in its folders that have the name of an IDX file."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and _NAMED.search(path.name):
            yield from (inner for inner in sorted(path.iterdir()) if inner.is_file())
        elif path.is_file():
            yield path


def _is_complete(paths):
    """Whether files include training examples and training labels."""
    roles = [role_of(path.name) for path in paths]
    return {"examples", "labels"} <= {role.what for role in roles if role.split in ("train", None)}


def _title(place, name, folder):
    """The name of a data set in notes, with its folder below the given one."""
    where = "" if place == folder else f"{place.relative_to(folder).as_posix()}/"
    return f"{where}{name}"


def _several(sets, folder):
    """The error for several data sets, with the command that imports the first of them."""
    titles = [_title(*key, folder) or "one without a name" for key in sets]
    files = {}
    for path in next(iter(sets.values())):
        role = role_of(path.name)
        files.setdefault((role.split == "validation", role.split == "test", role.what), path)
    command = " ".join(["strag data", *(shlex.quote(str(files[key])) for key in sorted(files)[:4])])
    problem = f"holds {len(titles)} data sets ({some_of(titles)})"
    return StragError(problem, f"pass the files of one: {command}", folder)


def _without_copies(paths):
    """The files without copies, and notes. Files with the same role and the same array are copies.

    Of copies, one that is not gzipped is kept, if there is one. paths : dict of name to path.
    """
    by_role, notes = {}, []
    for name in sorted(paths, key=lambda name: (name.endswith(".gz"), name)):
        role = role_of(name)
        by_role.setdefault((role.split, role.what), []).append(name)
    copies = []
    for first, *further in by_role.values():
        array = read_idx(paths[first]) if further else None
        copies += [name for name in further if np.array_equal(array, read_idx(paths[name]))]
    if copies:
        notes.append(f"left out {some_of(copies)}, as other files hold the same arrays")
    return {name: path for name, path in paths.items() if name not in copies}, notes


def _read_folder(paths, _):
    """The Imported of a folder of IDX files."""
    files, notes = _find(paths[0])
    imported = read_idx_files(files)
    imported.notes = notes + imported.notes
    return imported


FOLDER = Form(
    "a folder of IDX files",
    lambda paths: len(paths) == 1 and paths[0].is_dir() and bool(_sets(paths[0])),
    _read_folder,
)
