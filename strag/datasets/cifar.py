"""CIFAR-10 and CIFAR-100 in their binary version: a folder of files, or the archive that holds it.

A record is the label, one byte, or in CIFAR-100 two of them, coarse before fine, and 3072 bytes of pixels:
the red channel row by row, then green, then blue (https://www.cs.toronto.edu/~kriz/cifar.html).
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
from strag.words import some_of

PIXELS = 3 * 32 * 32
_LARGEST = 2 << 30  # bytes that an archive may unpack to; CIFAR-10 has 184 million
_PIECE = 1 << 24  # bytes read at a time
_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError)


@dataclass(frozen=True)
class Version:
    """One of the two data sets.

    folder : as its archive calls it. train : what matches the names of training files. test : the test file.
    official : the training files that there are. labels : by what kind of label each byte before the pixels
    is, its number of classes and the file with their names.
    """

    title: str
    folder: str
    train: re.Pattern
    test: str
    official: tuple
    labels: dict

    @property
    def record(self):
        """Bytes of a record."""
        return len(self.labels) + PIXELS

    @property
    def names(self):
        """Number of classes by the file with their names."""
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
    """The folder of files that `folder` is or, unpacked there, holds, and its Version; None if there is none.

    Raises StragError for both data sets in one folder.
    """
    places = [Path(folder), *(Path(folder) / version.folder for version in VERSIONS)]
    places = [place for place in places if place.is_dir()]
    found = [(place, version) for place in places for version in VERSIONS if _is(place, version)]
    if len({version.title for _, version in found}) > 1:
        raise StragError("holds CIFAR-10 and CIFAR-100", "give the folder of one of them", folder)
    return found[0] if found else None


def _is(folder, version):
    files = _files_in(folder)
    data = [path for name, path in files.items() if version.is_data(name)]
    if version is CIFAR10 or not data:
        return bool(data)
    if folder.resolve().name == version.folder or files.keys() & version.names.keys():
        return True
    sizes = [path.stat().st_size for path in data]  # train.bin is what others call a file, too
    return all(size and size % version.record == 0 for size in sizes)


def _files_in(folder):
    """Paths by name of the files in a folder; also of one within a folder of its own name."""
    files = {}
    for path in sorted(Path(folder).iterdir()):
        for file in (path, path / path.name):
            if file.is_file():
                files[path.name] = file
    return files


def read_cifar_folder(folder, version, label=None):
    """The Imported of a folder, with a test set if there is a test file.

    x is uint8 [P, 32, 32, 3]. label : of CIFAR-100, `fine` (the default) or `coarse`. Batches of CIFAR-10 may
    be missing. Raises StragError for what is no file of this version.
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
    """The same from a tar archive, gzipped or not, of which nothing is unpacked to disk.

    Raises StragError for an archive that is broken, that unpacks to more than 2 GiB, or in which a
    path leads out of it. Links, devices and files of other names are passed over.
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
    """A stream that hands out small pieces alone, since a header may ask for any number of bytes."""

    def __init__(self, stream):
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size=-1):
        if not 0 <= size <= _PIECE:
            raise tarfile.ReadError("a header of an impossible size")
        return self._stream.read(size)


def _files(stream):
    """The Version in a tar archive, and the content of its files by name."""
    found, total = {}, 0
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            total += max(member.size, 0)
            if total > _LARGEST:
                raise StragError(
                    f"unpacks to more than {_LARGEST >> 30} GiB at '{member.name}'",
                    "import the folder of its files instead",
                )
            version, name = _name(member)
            if version is None:
                continue
            _check_size(version, name, member.size)
            contents = found.setdefault(version.title, {})
            if name in contents:
                raise StragError(f"holds {name} twice", "keep one of them")
            contents[name] = _content(archive.extractfile(member), member.size)
    while stream.read(_PIECE):  # only its end says whether a gzip file is whole
        pass
    if len(found) > 1:
        raise StragError("holds CIFAR-10 and CIFAR-100", "unpack it and give the folder of one of them")
    version = next((version for version in VERSIONS if version.title in found), CIFAR10)
    return version, found.get(version.title, {})


def _name(member):
    """The Version and name of a member that is to be read, None and its name for others."""
    parts = member.name.replace("\\", "/").split("/")
    if not parts[0] or parts[0].endswith(":") or ".." in parts:
        raise StragError(f"holds a path that leads out of it, '{member.name}'", "do not trust this archive")
    name = parts[-1]
    version = next((v for v in VERSIONS if v.is_data(name) or name in v.names), None)
    if version and member.isdir():
        version = None
    if version and not member.isreg():
        raise StragError(f"holds {name} as a link or device", "pack the files themselves")
    return version, name


def _content(stream, size):
    content = bytearray()
    while len(content) < size:
        piece = stream.read(min(_PIECE, size - len(content)))
        if not piece:
            raise EOFError("it ends within a file")
        content += piece
    return bytes(content)


def _check_size(version, name, size):
    if name in version.names:
        if size > 1 << 16:
            problem = f"{name} has {size} bytes"
            raise StragError(problem, f"give the {version.names[name]} class names, one a line")
    elif size == 0 or size % version.record:
        raise StragError(f"{name} has {size} bytes, not a multiple of {version.record}", "copy it again")


def _data(version, contents, source, label):
    """The Imported of the content of files by name."""
    kinds = list(version.labels)
    if label is not None and version is CIFAR10:
        raise bad_usage("is CIFAR-10, to which --label-column means nothing", "leave it out", source)
    if label is not None and label not in kinds:
        raise bad_usage(f"has no label column '{label}'", "give fine or coarse", source)
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
            problem = f"holds no {version.title} training {'batch' if version is CIFAR10 else 'examples'}"
            raise StragError(problem, f"it needs {version.official[0]} at least")
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
    notes = []
    if len(version.labels) > 1 and label is None:
        notes.append("the labels are the 100 fine classes; --label-column coarse takes the 20 coarse ones")
    lacking = [name for name in version.official if name not in names]
    if lacking:
        holds = f"holds {len(version.official) - len(lacking)} of {len(version.official)} training batches"
        notes.append(f"{holds}; {some_of(lacking)} {'is' if len(lacking) == 1 else 'are'} not there")
    return notes


def _class_names(content, file, count):
    names = [line.strip() for line in content.decode("utf-8", "replace").splitlines() if line.strip()]
    if len(names) != count:
        raise StragError(f"{file} names {len(names)} classes", f"give {count}, one a line")
    return tuple(names)


def _records(version, content, name):
    records = np.frombuffer(content, np.uint8).reshape(-1, version.record)
    for column, (kind, (count, _)) in enumerate(version.labels.items()):
        wrong = np.flatnonzero(records[:, column] >= count)
        if wrong.size:
            which = f"{kind} label" if len(version.labels) > 1 else "label"
            raise StragError(
                f"{name} has {which} {records[wrong[0], column]} in record {wrong[0]}",
                f"give labels 0 to {count - 1}, as in the binary version of {version.title}",
            )
    return records


def _images(batches, column):
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
