"""CIFAR-10 in its binary version: a folder of batches, or the archive that holds it.

A record is one byte of label and 3072 bytes of pixels: the red channel row by row, then green, then
blue (https://www.cs.toronto.edu/~kriz/cifar.html).
"""

import gzip
import re
import tarfile
import zlib
from pathlib import Path

import numpy as np

from strag.errors import StragError

RECORD = 1 + 3 * 32 * 32
CLASSES = 10
_BATCH = re.compile(r"(data_batch_\d+|test_batch)\.bin")
_NAMES = "batches.meta.txt"
_FOLDER = "cifar-10-batches-bin"  # as the archive calls it
_LARGEST = 2 << 30  # bytes that an archive may unpack to; CIFAR-10 has 184 million
_PIECE = 1 << 24  # bytes read at a time
_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError)


def find_cifar(folder):
    """The folder of batches that `folder` is or, unpacked there, holds; None if there is none."""
    for place in (Path(folder), Path(folder) / _FOLDER):
        if place.is_dir() and any(_BATCH.fullmatch(path.name) for path in place.iterdir()):
            return place
    return None


def read_cifar_folder(folder):
    """Arrays x, y and, if there is a test batch, x_test, y_test, and the class names, or None.

    x is uint8 [P, 32, 32, 3]. Batches may be missing. Raises StragError for what is no batch.
    """
    contents = {}
    for path in sorted(Path(folder).iterdir()):
        if _BATCH.fullmatch(path.name) or path.name == _NAMES:
            try:
                _check_size(path.name, path.stat().st_size)
                contents[path.name] = path.read_bytes()
            except StragError as error:
                raise error.about(path) from None
    return _data(contents, folder)


def is_archive(path):
    """Whether a file begins like a tar archive, gzipped or not."""
    try:
        return tarfile.is_tarfile(path)
    except (OSError, *_BROKEN):
        return False


def read_cifar_archive(path):
    """The same from a tar archive, gzipped or not, of which nothing is unpacked to disk.

    Raises StragError for an archive that is broken, that unpacks to more than 2 GiB, or in which a
    path leads out of it. Links, devices and files of other names are passed over.
    """
    try:
        with open(path, "rb") as raw:
            stream = gzip.GzipFile(fileobj=raw) if raw.read(2) == b"\x1f\x8b" else raw
            raw.seek(0)
            contents = _batches(_Bounded(stream))
    except StragError as error:
        raise error.about(path) from None
    except _BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StragError(f"is a broken archive ({reason})", "copy it again", path) from None
    return _data(contents, path)


class _Bounded:
    """A stream that hands out small pieces alone, since a header may ask for any number of bytes."""

    def __init__(self, stream):
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size=-1):
        if not 0 <= size <= _PIECE:
            raise tarfile.ReadError("a header of an impossible size")
        return self._stream.read(size)


def _batches(stream):
    """Content by file name of the batches in a tar archive."""
    contents, total = {}, 0
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            total += max(member.size, 0)
            if total > _LARGEST:
                raise StragError(
                    f"unpacks to more than {_LARGEST >> 30} GiB at '{member.name}'",
                    "import the folder of its batches instead",
                )
            name = _name(member)
            if name is None:
                continue
            _check_size(name, member.size)
            if name in contents:
                raise StragError(f"holds {name} twice", "keep one of them")
            contents[name] = _content(archive.extractfile(member), member.size)
    while stream.read(_PIECE):  # only its end says whether a gzip file is whole
        pass
    return contents


def _name(member):
    """The name of a member that is to be read, None for others."""
    parts = member.name.replace("\\", "/").split("/")
    if not parts[0] or parts[0].endswith(":") or ".." in parts:
        raise StragError(f"holds a path that leads out of it, '{member.name}'", "do not trust this archive")
    if not (_BATCH.fullmatch(parts[-1]) or parts[-1] == _NAMES):
        return None
    if not member.isreg():
        raise StragError(f"holds {parts[-1]} as a link or device", "pack the files themselves")
    return parts[-1]


def _content(stream, size):
    content = bytearray()
    while len(content) < size:
        piece = stream.read(min(_PIECE, size - len(content)))
        if not piece:
            raise EOFError("it ends within a file")
        content += piece
    return bytes(content)


def _check_size(name, size):
    if name == _NAMES:
        if size > 1 << 16:
            raise StragError(f"{name} has {size} bytes", "give the ten class names, one a line")
    elif size == 0 or size % RECORD:
        raise StragError(f"{name} has {size} bytes, not a multiple of {RECORD}", "copy it again")


def _data(contents, source):
    try:
        names = _class_names(contents.pop(_NAMES, None))
        batches = {name: _records(content, name) for name, content in contents.items()}
        test = batches.pop("test_batch.bin", None)
        if not batches:
            raise StragError("holds no CIFAR-10 training batch", "it needs data_batch_1.bin at least")
    except StragError as error:
        raise error.about(source) from None
    ordered = sorted(batches, key=lambda name: int(re.sub(r"\D", "", name)))
    arrays = dict(zip(("x", "y"), _images([batches[name] for name in ordered]), strict=True))
    if test is not None:
        arrays["x_test"], arrays["y_test"] = _images([test])
    return arrays, names


def _class_names(content):
    if content is None:
        return None
    names = [line.strip() for line in content.decode("utf-8", "replace").splitlines() if line.strip()]
    if len(names) != CLASSES:
        raise StragError(f"{_NAMES} names {len(names)} classes", f"give {CLASSES}, one a line")
    return tuple(names)


def _records(content, name):
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    wrong = np.flatnonzero(records[:, 0] >= CLASSES)
    if wrong.size:
        raise StragError(
            f"{name} has label {records[wrong[0], 0]} in record {wrong[0]}",
            f"give labels 0 to {CLASSES - 1}, as in the binary version of CIFAR-10",
        )
    return records


def _images(batches):
    y = np.concatenate([records[:, 0] for records in batches])
    x = np.empty((len(y), 32, 32, 3), np.uint8)
    start = 0
    for records in batches:
        planes = records[:, 1:].reshape(-1, 3, 32, 32)
        x[start : start + len(records)] = planes.transpose(0, 2, 3, 1)  # (n, row, column, colour)
        start += len(records)
    return x, y
