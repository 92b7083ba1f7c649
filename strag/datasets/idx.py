"""IDX files, gzipped or not: the format of MNIST and its relatives."""

import gzip
import re
import zlib
from pathlib import Path

import numpy as np

from strag.errors import StragError

# type code -> numpy dtype, from the format's description
_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_NAMED = re.compile(r"(?P<part>train|t10k|test)-(?P<what>images|labels)[-.]idx[13]-ubyte(\.gz)?")


def read_idx(path):
    """The array in an IDX file.

    Raises StragError for a file that is cut short, goes on after its end, or is no IDX file.
    """
    try:
        with open(path, "rb") as raw:
            stream = gzip.GzipFile(fileobj=raw) if raw.read(2) == b"\x1f\x8b" else raw
            raw.seek(0)
            return _read(stream)
    except StragError as error:
        raise error.about(path) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StragError(f"is a broken gzip file ({error})", "copy it again", path) from None


def _read(stream):
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not 1 <= magic[3] <= 8:
        raise StragError("is not an IDX file", "copy it again")
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise StragError("is cut short in its header", "copy it again")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    dtype = np.dtype(_TYPES[magic[2]])
    wanted = dtype.itemsize * int(np.prod(shape, dtype=object))
    body = stream.read()  # all there is: a lying header must not make room for what is not
    if len(body) != wanted:
        raise StragError(f"has shape {list(shape)}, {wanted} bytes, but holds {len(body)}", "copy it again")
    return np.frombuffer(body, dtype).reshape(shape)


def is_idx(path):
    """Whether a file begins like an IDX file, gzipped or not."""
    try:
        with open(path, "rb") as raw:
            start = raw.read(4)
            if start[:2] == b"\x1f\x8b":
                raw.seek(0)
                start = gzip.GzipFile(fileobj=raw).read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return len(start) == 4 and start[:2] == b"\0\0" and start[2] in _TYPES


def find_idx(folder):
    """The IDX files of a folder under their usual names: dict of x, y, x_test, y_test to paths."""
    keys = {("train", "images"): "x", ("train", "labels"): "y"}
    found = {}
    for path in sorted(Path(folder).iterdir()):
        name = _NAMED.fullmatch(path.name)
        if name:
            key = (
                keys.get((name["part"], name["what"]))
                or {"images": "x_test", "labels": "y_test"}[name["what"]]
            )
            found.setdefault(key, path)
    for key in ("x_test", "y_test"):
        if key in found and not {"x_test", "y_test"} <= found.keys():
            raise StragError("has test images or test labels but not both", "add the other file", folder)
    return found if {"x", "y"} <= found.keys() else {}
