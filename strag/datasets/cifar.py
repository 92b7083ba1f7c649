"""Import of CIFAR-10 and CIFAR-100 in their binary version: a folder of files, or the archive that holds it.

A record is one byte for the label (in CIFAR-100 two bytes, coarse label before fine label) and 3072 bytes of
pixels: the red channel row by row, then green, then blue (https://www.cs.toronto.edu/~kriz/cifar.html).
"""

import gzip
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from strag.datasets.imported import Form, Imported
from strag.errors import StragError, bad_usage
from strag.words import number_of, some_of

PIXELS = 3 * 32 * 32
_LARGEST = 2 << 30  # bytes of all files in an archive; CIFAR-10 has 184 million
_PIECE = 1 << 24  # bytes read at a time
_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError)


@dataclass(frozen=True)
class Version:
    """One of the two data sets.

    title : its name. folder : the folder in its archive. train : pattern of the names of training files.
    test : name of the test file. official : names of all training files. labels : dict of the kind of label
    to its number of classes and the file with their names; one kind for each byte before the pixels.
    """

    title: str
    folder: str
    train: re.Pattern
    test: str
    official: tuple
    labels: dict

    @property
    def record(self):
        """Number of bytes of a record."""
        return len(self.labels) + PIXELS

    @property
    def names(self):
        """Dict of each file with names of classes to their number."""
        return {file: count for count, file in self.labels.values()}

    def is_data(self, name):
        """Whether this is the name of a file of records."""
        return bool(self.train.fullmatch(name)) or name == self.test


CIFAR10 = Version(
    "CIFAR-10",
    "cifar-10-batches-bin",
    re.compile(r"data_batch_\d+\.bin"),
    "test_batch.bin",
    tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    {"fine": (10, "batches.meta.txt")},
)
CIFAR100 = Version(
    "CIFAR-100",
    "cifar-100-binary",
    re.compile(r"train\.bin"),
    "test.bin",
    ("train.bin",),
    {"coarse": (20, "coarse_label_names.txt"), "fine": (100, "fine_label_names.txt")},
)
VERSIONS = (CIFAR10, CIFAR100)


def find_cifar(folder):
    """The folder with CIFAR's files, `folder` itself or one in it, and its Version; None if there is none.

    Raises StragError if both data sets are there.
    """
    places = [Path(folder), *(Path(folder) / version.folder for version in VERSIONS)]
    places = [place for place in places if place.is_dir()]
    matches = [(place, version) for place in places for version in VERSIONS if _is(place, version)]
    if len({version.title for _, version in matches}) > 1:
        raise StragError("holds CIFAR-10 and CIFAR-100", "pass the folder of one of them", folder)
    return matches[0] if matches else None


def _is(folder, version):
    """Whether a folder holds the files of a Version."""
    files = _files_in(folder)
    data = [path for name, path in files.items() if version.is_data(name)]
    if version is CIFAR10 or not data:
        return bool(data)
    if folder.resolve().name == version.folder or files.keys() & version.names.keys():
        return True
    sizes = [path.stat().st_size for path in data]  # other data may also be called train.bin
    return all(size and size % version.record == 0 for size in sizes)


def _files_in(folder):
    """Dict of name to path of the files in a folder. A file may be in a subfolder of the same name."""
    files = {}
    for path in sorted(Path(folder).iterdir()):
        for file in (path, path / path.name):
            if file.is_file():
                files[path.name] = file
    return files


def read_cifar_folder(folder, version, label=None):
    """The Imported of a folder, with a test set if there is a test file.

    x is uint8 [P, 32, 32, 3]. label : for CIFAR-100, `fine` (the default) or `coarse`. Batches of CIFAR-10
    may be missing. Raises StragError if a file does not fit the version.
    """
    contents = {}
    for name, path in _files_in(folder).items():
        if version.is_data(name) or name in version.names:
            try:
                _check_size(version, name, path.stat().st_size)
                contents[name] = path.read_bytes()
            except StragError as error:
                raise error.about(path) from None
    return _data(version, contents, folder, label)


def is_archive(path):
    """Whether a file begins like a tar archive, gzipped or not."""
    try:
        return tarfile.is_tarfile(path)
    except (OSError, *_BROKEN):
        return False


def read_cifar_archive(path, label=None):
    """The Imported of a tar archive, gzipped or not, as by `read_cifar_folder`. Nothing is unpacked to disk.

    Raises StragError if the archive is broken, if its files have more than 2 GiB, if a path leads out of it,
    or if one of CIFAR's files is a link or device. Other files are ignored.
    """
    try:
        with open(path, "rb") as raw:
            stream = gzip.GzipFile(fileobj=raw) if raw.read(2) == b"\x1f\x8b" else raw
            raw.seek(0)
            version, contents = _files(_Bounded(stream))
    except StragError as error:
        raise error.about(path) from None
    except _BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StragError(f"is a broken archive ({reason})", "copy it again", path) from None
    return _data(version, contents, path, label)


class _Bounded:
    """A stream that refuses to read large pieces, because a broken header may ask for any number of bytes."""

    def __init__(self, stream):
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size=-1):
        """Read up to `size` bytes; an error of tarfile if that is more than a small piece."""
        if not 0 <= size <= _PIECE:
            raise tarfile.ReadError("a header has an impossible size")
        return self._stream.read(size)


def _files(stream):
    """The Version in a tar archive, and the content of its files: dict of name to bytes."""
    by_version, total = {}, 0
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            total += max(member.size, 0)
            if total > _LARGEST:
                problem = f"has files of more than {_LARGEST >> 30} GiB, at '{member.name}'"
                raise StragError(problem, "unpack it and pass the folder of CIFAR's files")
            version, name = _name(member)
            if version is None:
                continue
            _check_size(version, name, member.size)
            contents = by_version.setdefault(version.title, {})
            if name in contents:
                raise StragError(f"holds {name} twice", "keep only one of them")
            contents[name] = _content(archive.extractfile(member), member.size)
    while stream.read(_PIECE):  # the checksum of a gzip file is at its end
        pass
    if len(by_version) > 1:
        raise StragError("holds CIFAR-10 and CIFAR-100", "unpack it and pass the folder of one of them")
    version = next((version for version in VERSIONS if version.title in by_version), CIFAR10)
    return version, by_version.get(version.title, {})


def _name(member):
    """The Version and the name of a member of an archive; the Version is None for members to ignore."""
    parts = member.name.replace("\\", "/").split("/")
    if not parts[0] or parts[0].endswith(":") or ".." in parts:
        problem = f"holds '{member.name}', a path that leads out of it"
        raise StragError(problem, "do not trust this archive")
    name = parts[-1]
    version = next((v for v in VERSIONS if v.is_data(name) or name in v.names), None)
    if version and member.isdir():
        version = None
    if version and not member.isreg():
        raise StragError(f"holds {name} as a link or device", "pack the file itself")
    return version, name


def _content(stream, size):
    """The bytes of a file in an archive."""
    content = bytearray()
    while len(content) < size:
        piece = stream.read(min(_PIECE, size - len(content)))
        if not piece:
            raise EOFError("it ends within a file")
        content += piece
    return bytes(content)


def _check_size(version, name, size):
    """Raise StragError if a file cannot have this size in bytes."""
    if name in version.names:
        if size > 1 << 16:
            problem = f"{name} has {size} bytes, too many for class names"
            raise StragError(problem, f"provide the {version.names[name]} class names, one per line")
    elif size == 0 or size % version.record:
        raise StragError(f"{name} has {size} bytes, not a multiple of {version.record}", "copy it again")


def _data(version, contents, source, label):
    """The Imported of the content of files. contents : dict of name to bytes. label : see above."""
    kinds = list(version.labels)
    if label is not None and version is CIFAR10:
        raise bad_usage("is CIFAR-10 and does not use `label_column`", "remove `label_column`", source)
    if label is not None and label not in kinds:
        raise bad_usage(f"has no label column '{label}'", "use fine or coarse", source)
    column = kinds.index(label or "fine")
    try:
        names = {
            name: _class_names(contents.pop(name), name, count)
            for name, count in version.names.items()
            if name in contents
        }
        records = {name: _records(version, content, name) for name, content in contents.items()}
        test = records.pop(version.test, None)
        if not records:
            problem = f"holds no training {'batch' if version is CIFAR10 else 'examples'} of {version.title}"
            raise StragError(problem, f"add at least {version.official[0]}")
    except StragError as error:
        raise error.about(source) from None
    ordered = sorted(records, key=lambda name: int(re.sub(r"\D", "", name) or 0))
    x, y = _images([records[name] for name in ordered], column)
    x_test, y_test = (None, None) if test is None else _images([test], column)
    notes = _notes(version, ordered, label)
    return Imported(
        x, y, x_test, y_test, class_names=names.get(version.labels[kinds[column]][1]), notes=notes
    )


def _notes(version, names, label):
    """Notes on the kind of labels, and on missing batches. names : the training files that exist."""
    notes = []
    if len(version.labels) > 1 and label is None:
        notes.append("the labels are the 100 fine classes; `label_column` coarse uses the 20 coarse classes")
    lacking = [name for name in version.official if name not in names]
    if lacking:
        count = f"{len(version.official) - len(lacking)} of {len(version.official)} training batches"
        notes.append(f"holds {count}; {some_of(lacking)} {'is' if len(lacking) == 1 else 'are'} missing")
    return notes


def _class_names(content, file, count):
    """The names of `count` classes in the content of a file."""
    names = [line.strip() for line in content.decode("utf-8", "replace").splitlines() if line.strip()]
    if len(names) != count:
        problem = f"{file} has {number_of(len(names), 'class name')}"
        raise StragError(problem, f"provide {count} class names, one per line")
    return tuple(names)


def _records(version, content, name):
    """The records of a file: uint8 [n, bytes of a record]."""
    records = np.frombuffer(content, np.uint8).reshape(-1, version.record)
    for column, (kind, (count, _)) in enumerate(version.labels.items()):
        wrong = np.flatnonzero(records[:, column] >= count)
        if wrong.size:
            which = f"{kind} label" if len(version.labels) > 1 else "label"
            raise StragError(
                f"{name} has {which} {records[wrong[0], column]} in record {wrong[0]}",
                f"use labels 0 to {count - 1}, as in the binary version of {version.title}",
            )
    return records


def _images(batches, column):
    """The examples, uint8 [P, 32, 32, 3], and the labels in one column of records."""
    y = np.concatenate([records[:, column] for records in batches])
    x = np.empty((len(y), 32, 32, 3), np.uint8)
    start = 0
    for records in batches:
        planes = records[:, -PIXELS:].reshape(-1, 3, 32, 32)
        x[start : start + len(records)] = planes.transpose(0, 2, 3, 1)  # (n, row, column, colour)
        start += len(records)
    return x, y


FOLDER = Form(
    "a folder of CIFAR",
    lambda paths: len(paths) == 1 and paths[0].is_dir() and find_cifar(paths[0]) is not None,
    lambda paths, reading: read_cifar_folder(*find_cifar(paths[0]), reading.label_column),
    ("label_column",),
)
ARCHIVE = Form(
    "an archive of CIFAR",
    lambda paths: len(paths) == 1 and is_archive(paths[0]),
    lambda paths, reading: read_cifar_archive(paths[0], reading.label_column),
    ("label_column",),
)
