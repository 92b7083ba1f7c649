"""IDX files, gzipped or not: the format of MNIST and its relatives."""

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

# type code -> numpy dtype, from the format's description
_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_NAMED = re.compile(r"[-_.]idx\d|ubyte", re.IGNORECASE)
_QMNIST = 8  # columns of its labels, of which the first is the class


def read_idx(path):
    """The array in an IDX file.

    Raises StragError for a file that is cut short, goes on after its end, or is no IDX file.
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
    return len(start) == 4 and start[:2] == b"\0\0" and start[2] in _TYPES


def is_idx(path):
    """Whether a file begins like an IDX file, gzipped or not."""
    return _is_magic(head_of(path, 4))


def read_idx_files(paths):
    """The Imported of a dict of x, y and, if they are there, x_test and y_test to IDX files."""
    imported = Imported(**{key: read_idx(path) for key, path in paths.items()}, sources=dict(paths))
    understand(imported, paths)
    return imported


def understand(imported, paths):
    """Take the class from QMNIST's labels, and say that EMNIST's images lie on their side, in place.

    paths : dict of `x`, `y` and so on to the IDX files among those that it comes from.
    """
    for key in ("y", "y_test"):
        labels = getattr(imported, key)
        if key in paths and labels.dtype == ">i4" and labels.ndim == 2 and labels.shape[1] == _QMNIST:
            setattr(imported, key, labels[:, 0])
            name = paths[key].name
            imported.notes.append(f"{name} has {_QMNIST} columns: the class is the first, as in QMNIST")
    if "x" in paths and "emnist" in paths["x"].name.lower():
        imported.notes.append("EMNIST's images lie transposed in its files, and stay so")


def find_idx(folder):
    """The IDX files of the one data set in a folder: dict of x, y, x_test, y_test to paths.

    Names say which is which; what other sets have before them, such as emnist-letters-, tells several sets
    apart. The files may lie in folders `raw` or `gzip`, or in one with the name of a file, as some unpackers
    make them. Returns an empty dict where there are none, and raises StragError for several sets, and for one
    that lacks its training images or labels, or half of its test set.
    """
    return _find(Path(folder))[0]


def _find(folder):
    """What `find_idx` says, and notes on how it was found."""
    sets = _sets(folder)
    if not sets:
        return {}, []
    whole = {key: paths for key, paths in sets.items() if _is_whole(paths)}
    if len(whole) > 1:
        raise _several(whole, folder)
    (place, name), found = next(iter((whole or sets).items()))
    named, notes = _without_copies({path.relative_to(place).as_posix(): path for path in found})
    try:
        chosen = choose(list(named), "file", lambda _: "leave one of them in the folder", "add the others")
    except StragError as error:
        raise error.about(place) from None
    if name or place != folder:
        notes.insert(0, f"read the set {_title(place, name, folder)}")
    unused = [named[name] for name in chosen.unused]
    unused += [path for paths in sets.values() if paths is not found for path in paths]
    if unused:
        notes.append(f"left out {some_of(path.relative_to(folder).as_posix() for path in unused)}")
    return {key: named[name] for key, name in chosen.parts.items()}, notes + chosen.notes


def _sets(folder):
    """Lists of IDX files by place and name of their set: in the folder itself, or in those for such files."""
    first = {}
    deeper = [path / "raw" for path in class_folders(folder)]
    for places in ([folder], [folder / "raw", folder / "gzip"], deeper):
        sets = {}
        for place in places:
            for path in _files(place) if _is_folder(place) else ():
                role = role_of(path.name)
                if role.what and (_NAMED.search(path.name) or is_idx(path)):
                    sets.setdefault((place, role.rest), []).append(path)
        if any(map(_is_whole, sets.values())):
            return sets
        first = first or sets
    return first


def _is_folder(path):
    """Whether a path is a folder; the error where that may not be known names the folder above it."""
    try:
        return path.is_dir()
    except PermissionError as error:
        raise PermissionError(error.errno, error.strerror, str(path.parent)) from None


def _files(folder):
    """The files in a folder, and those in folders that have the name of an IDX file."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and _NAMED.search(path.name):
            yield from (inner for inner in sorted(path.iterdir()) if inner.is_file())
        elif path.is_file():
            yield path


def _is_whole(paths):
    roles = [role_of(path.name) for path in paths]
    return {"examples", "labels"} <= {role.what for role in roles if role.split in ("train", None)}


def _title(place, name, folder):
    where = "" if place == folder else f"{place.relative_to(folder).as_posix()}/"
    return f"{where}{name}"


def _several(sets, folder):
    """The error for several sets, with the command that imports the first of them."""
    titles = [_title(*key, folder) or "one without a name" for key in sets]
    files = {}
    for path in next(iter(sets.values())):
        role = role_of(path.name)
        files.setdefault((role.split == "validation", role.split == "test", role.what), path)
    command = " ".join(["strag data", *(shlex.quote(str(files[key])) for key in sorted(files)[:4])])
    problem = f"holds {len(titles)} data sets ({some_of(titles)})"
    return StragError(problem, f"name the files of one: {command}", folder)


def _without_copies(paths):
    """Of files that hold one array under two names, one gzipped for example, the first, a plain one."""
    by_role, notes = {}, []
    for name in sorted(paths, key=lambda name: (name.endswith(".gz"), name)):
        role = role_of(name)
        by_role.setdefault((role.split, role.what), []).append(name)
    copies = []
    for first, *others in by_role.values():
        array = read_idx(paths[first]) if others else None
        copies += [name for name in others if np.array_equal(array, read_idx(paths[name]))]
    if copies:
        notes.append(f"left out {some_of(copies)}, of which another file is a copy")
    return {name: path for name, path in paths.items() if name not in copies}, notes


def _read_folder(paths, _):
    found, notes = _find(paths[0])
    imported = read_idx_files(found)
    imported.notes = notes + imported.notes
    return imported


FOLDER = Form(
    "a folder of IDX files",
    lambda paths: len(paths) == 1 and paths[0].is_dir() and bool(_sets(paths[0])),
    _read_folder,
)
