"""Arrays in npy and npz files. Nothing is unpickled, and incomplete arrays are errors."""

import contextlib
import lzma
import shlex
import tokenize
import warnings
import zipfile
import zlib

import numpy as np

from strag.datasets.imported import starts_with
from strag.datasets.rows import BROKEN_GZIP, opened
from strag.errors import StragError
from strag.words import amount, reason_of

MAGIC = b"\x93NUMPY"
_AGAIN = "save it again with numpy"
_PIECE = 1 << 24  # bytes read at a time
# Errors of zipfile, and of the compression modules that it uses, for broken, encrypted or wrong files.
_BROKEN = (
    ValueError,
    EOFError,
    OSError,
    RuntimeError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


@contextlib.contextmanager
def unpacked(path):
    """Open a file as a binary stream, decompressed if it is gzipped. Raises StragError if that fails."""
    try:
        with opened(path) as stream:
            yield stream
    except StragError as error:
        raise error.about(path) from None
    except BROKEN_GZIP as error:
        raise StragError(f"is a broken gzip file ({error})", "copy it again", path) from None


def head_of(path, size=8):
    """The first bytes of a file, decompressed if it is gzipped; b'' if it is not a file or is broken."""
    if not path.is_file():
        return b""
    try:
        with unpacked(path) as stream:
            return stream.read(size)
    except (OSError, StragError):
        return b""


def array_of(stream, dtype, shape, remedy):
    """The array whose bytes are the rest of a stream.

    Memory grows with the bytes that are read, even if the shape is wrong. Raises StragError, with this
    remedy, if the stream has fewer or more bytes than the array.
    """
    expected = dtype.itemsize * int(np.prod(shape, dtype=object))
    size = f"has shape {list(shape)}, {expected} bytes,"
    body = bytearray()
    try:
        while piece := stream.read(min(_PIECE, expected + 1 - len(body))):
            body += piece
            if len(body) > expected:
                raise StragError(f"{size} but holds more", remedy)
    except MemoryError:
        problem = f"holds {amount(expected)}, which does not fit in memory"
        raise StragError(problem, "pass a part of it") from None
    if len(body) < expected:
        raise StragError(f"{size} but holds only {len(body)}", remedy)
    return np.frombuffer(body, dtype).reshape(shape)


def read_npy(stream, convert="save arrays of numbers"):
    """The array in a binary stream in the npy format.

    convert : the remedy for Python objects. Raises StragError for Python objects, for records, and for arrays
    that are broken, cut short, or followed by extra bytes.
    """
    shape, column_major, dtype = header_of(stream, convert)
    array = array_of(stream, dtype, shape[::-1] if column_major else shape, _AGAIN)
    return array.T if column_major else array


def header_of(stream, convert):
    """The shape of the array in an npy stream, whether it is stored by columns, and its dtype; checked."""
    shape, column_major, dtype = _parsed(stream)
    if dtype.hasobject:
        raise StragError("holds Python objects, which can run any code when they are opened", convert)
    if dtype.names or dtype.subdtype:
        fields = f" ({', '.join(dtype.names)})" if dtype.names else ""
        raise StragError(f"holds records{fields}, not plain numbers", "save one array of plain numbers")
    if not dtype.itemsize or min(shape, default=0) < 0:
        raise StragError(f"cannot be read (shape {list(shape)}, {dtype})", _AGAIN)
    return shape, column_major, dtype


def _parsed(stream):
    """The same as `header_of`, not yet checked."""
    form = np.lib.format
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy warns about headers that Python 2 wrote
            read = {1: form.read_array_header_1_0, 2: form.read_array_header_2_0}
            version = form.read_magic(stream)
            if version == (3, 0):
                raise StragError("holds records, not plain numbers", "save one array of plain numbers")
            return read[version[0]](stream)
    except KeyError:
        reason = f"version {version[0]} of the format"
    except (tokenize.TokenError, ValueError, SyntaxError, TypeError) as error:
        reason = reason_of(error)
    except (RecursionError, MemoryError) as error:  # the header is nested too deeply
        reason = type(error).__name__
    raise StragError(f"cannot be read ({reason})", _AGAIN)


def read_npy_file(path):
    """The array in an npy file, gzipped or not."""
    with unpacked(path) as stream:
        return read_npy(stream, _conversion(path))


def shape_of_npy(path):
    """Shape and dtype of the array in an npy file, gzipped or not, from its header."""
    with unpacked(path) as stream:
        shape, _, dtype = header_of(stream, _conversion(path))
    return shape, dtype


def _conversion(path, name=None):
    """The remedy for an array of Python objects, such as text: the command that converts it.

    name : the array in an npz file, or None for an npy file.
    """
    gzipped = starts_with(path, b"\x1f\x8b")
    load = f"np.load({'gzip.open(sys.argv[1])' if gzipped else 'sys.argv[1]'}, allow_pickle=True)"
    if name is None:
        line = f"import gzip, sys, numpy as np; np.save(sys.argv[2], np.array({load}.tolist()))"
        out = f"{path.name.removesuffix('.gz').removesuffix('.npy')}-plain.npy"
    else:
        line = (
            f"import sys, numpy as np; d = {load}; "
            "np.savez(sys.argv[2], **{k: np.array(d[k].tolist()) for k in d})"
        )
        out = f"{path.name.removesuffix('.npz')}-plain.npz"
    line = line if gzipped else line.replace("gzip, ", "")
    return f"if you trust it: python3 -c {shlex.quote(line)} {shlex.quote(str(path))} {shlex.quote(out)}"


class Npz:
    """The arrays in an npz file by name. An array is read when it is used.

    path : the file, or its name in messages if it is read from `stream`, a binary file that can seek.
    names : list of names, in the order in which the arrays were saved. Raises StragError if the file is
    broken, has extra bytes at its end, or holds two arrays of one name.
    """

    def __init__(self, path, stream=None):
        self.path = path
        try:
            self._archive = zipfile.ZipFile(stream or path)
            with contextlib.nullcontext(stream) if stream else open(path, "rb") as raw:
                raw.seek(-22 - len(self._archive.comment), 2)
                ends_at_archive = raw.read(4) == b"PK\5\6"
        except _BROKEN as error:
            raise self._unreadable(error) from None
        if not ends_at_archive:
            raise StragError("has extra bytes at its end", _AGAIN, path)
        members = [name for name in self._archive.namelist() if not name.endswith("/")]
        self._members = {name.removesuffix(".npy"): name for name in members}
        if len(self._members) < len(members):
            raise StragError("holds two arrays with the same name", _AGAIN, path)
        self.names = list(self._members)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Close the file."""
        self._archive.close()

    def __getitem__(self, name):
        return self.with_stream(name, read_npy)

    def form_of(self, name):
        """Shape and dtype of an array, from its header."""
        shape, _, dtype = self.with_stream(name, header_of)
        return shape, dtype

    def along(self, name):
        """Yield the parts of an array along its first axis, so that only one is in memory.

        An array that is stored by columns is read as a whole.
        """
        shape, column_major, dtype = self.with_stream(name, header_of)
        if column_major or len(shape) < 2 or not dtype.itemsize * np.prod(shape[1:]):
            yield from self[name]
            return
        with self._reading(name) as stream:
            header_of(stream, "")
            for _ in range(shape[0]):
                yield array_of(
                    _Part(stream, dtype.itemsize * int(np.prod(shape[1:]))), dtype, shape[1:], _AGAIN
                )
            if stream.read(1):
                raise StragError("holds more than its shape says", _AGAIN)

    def is_scalar(self, name):
        """Whether an array has no axes. False also if the array cannot be read."""
        try:
            return self.with_stream(name, header_of)[0] == ()
        except StragError:
            return False

    def info(self, name):
        """The ZipInfo of an array."""
        return self._archive.getinfo(self._members[name])

    def with_stream(self, name, read):
        """The result of `read`, a function of the stream of an array and of the remedy for Python objects."""
        with self._reading(name) as stream:
            return read(stream, _conversion(self.path, name))

    @contextlib.contextmanager
    def _reading(self, name):
        """Open the stream of an array. What fails in this context is a StragError about the array."""
        try:
            with self._archive.open(self._members[name]) as stream:
                if not self._members[name].endswith(".npy"):
                    raise StragError("is not an array", "save arrays x and y with numpy.savez")
                yield stream
        except StragError as error:
            raise StragError(f"array '{name}' {error.problem}", error.remedy, self.path) from None
        except _BROKEN as error:
            raise self._unreadable(error, f"array '{name}' ") from None

    def _unreadable(self, error, subject=""):
        """The StragError for a broken file. subject : the array, or nothing for the whole file."""
        return StragError(f"{subject}cannot be read ({reason_of(error)})", _AGAIN, self.path)


class _Part:
    """A binary stream that ends after some bytes of another one."""

    def __init__(self, stream, size):
        self._stream, self._left = stream, size

    def read(self, size):
        """The next bytes, at most `size`."""
        part = self._stream.read(min(size, self._left))
        self._left -= len(part)
        return part
