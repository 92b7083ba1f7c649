"""Arrays in npy, npz and safetensors files of other programs, which are read part by part.

There is one reader for each format. Nothing is unpickled, and no array has to fit in memory: arrays that are
compressed are unpacked into an unlinked temporary file.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from strag.datasets.npy import Npz, header_of
from strag.errors import StragError
from strag.files.header import again
from strag.files.reading import check_size
from strag.files.streams import is_regular, read_at, spool

PLAIN = "save arrays of numbers"
_LOCAL = 30  # bytes of the fixed part of a member's header in a zip file
_SAFETENSORS = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "BF16": "<u2",
}


@dataclass
class StoredArray:
    """An array in an open file.

    name, source : the name of the array, and that of its file, in messages. file : the open file. start :
    offset of the first byte. dtype, shape : as stored. by_columns : whether the first axis varies fastest
    (Fortran order). is_bfloat16 : whether the uint16 numbers are the upper halves of float32.
    """

    name: str
    source: str
    file: object
    start: int
    dtype: np.dtype
    shape: tuple
    by_columns: bool = False
    is_bfloat16: bool = False

    @property
    def is_float(self):
        """Whether the array holds floating-point numbers."""
        return self.dtype.kind == "f" or self.is_bfloat16

    def read(self):
        """The whole array."""
        shape = self.shape[::-1] if self.by_columns else self.shape
        array = self._read(0, shape)
        return array.T if self.by_columns else array

    def rows(self, lead, rows):
        """Rows of the array, flattened: [rows, N]. lead : positions on the axes before that of the rows."""
        axis = len(lead)
        P, width = self.shape[axis], math.prod(self.shape[axis + 1 :])
        start, stop, _ = rows.indices(P)
        if not self.by_columns:
            first = int(np.ravel_multi_index(lead, self.shape[:axis])) if lead else 0
            return self._read((first * P + start) * width, (stop - start, width))
        step = math.prod(self.shape[:axis])
        offset = int(np.ravel_multi_index(lead, self.shape[:axis], order="F")) if lead else 0
        columns = np.empty((width, stop - start), np.float32 if self.is_bfloat16 else self.dtype)
        for column in range(width):  # in Fortran order
            first = (column * P + start) * step
            columns[column] = self._read(first, ((stop - start) * step,))[offset::step]
        units = self.shape[axis + 1 :][::-1]
        return columns.reshape(*units, stop - start).T.reshape(stop - start, width)

    def _read(self, first, shape):
        """Read an array of `shape` that begins `first` elements into this one."""
        array = np.empty(shape, self.dtype)
        if array.size and not read_at(self.file, self.start + first * self.dtype.itemsize, array):
            raise StragError("became shorter while it was read", again(self.source), self.source)
        if not self.is_bfloat16:
            return array
        return (array.astype(np.uint32) << 16).view(np.float32)


@dataclass
class GivenArray:
    """An array in memory that is read in the same way as a StoredArray."""

    name: str
    source: str
    array: np.ndarray

    dtype = property(lambda self: self.array.dtype)
    shape = property(lambda self: self.array.shape)
    is_float = property(lambda self: self.array.dtype.kind == "f")

    def read(self):
        """The whole array."""
        return self.array

    def rows(self, lead, rows):
        """Rows of the array, flattened, see `StoredArray.rows`."""
        part = self.array[lead][rows]
        return part.reshape(len(part), -1)


def npy_array(file, name, source):
    """The StoredArray in an npy file, which is open at its start. name : the name of the array."""
    file.seek(0)
    try:
        shape, by_columns, dtype = header_of(file, PLAIN)
        _require_numbers(dtype)
    except StragError as error:
        raise error.about(source) from None
    start = file.tell()
    check_size(file, start + dtype.itemsize * math.prod(shape), source)
    return StoredArray(name, source, file, start, dtype, shape, by_columns)


def npz_arrays(file, source, stack):
    """The arrays in an npz file: dict of name to StoredArray, or to a StragError if it cannot be read.

    stack : the ExitStack that closes the temporary files of compressed arrays.
    """
    archive, found = Npz(Path(source), file), {}
    for name in archive.names:
        try:
            found[name] = _member(archive, name, file, source, stack)
        except StragError as error:
            found[name] = error.about(source)
    return found


def _member(archive, name, file, source, stack):
    """The StoredArray of a member of an Npz."""

    def read(stream, convert):
        shape, by_columns, dtype = header_of(stream, convert)
        _require_numbers(dtype)
        size, info = dtype.itemsize * math.prod(shape), archive.info(name)
        head = stream.tell()
        if info.file_size != head + size:
            problem = f"has shape {list(shape)}, {size} bytes, but holds {info.file_size - head}"
            raise StragError(problem, "save it again with numpy")
        if info.compress_type or info.flag_bits & 1:
            stored = stack.enter_context(spool(b"", stream, name=source))
            return StoredArray(name, source, stored, 0, dtype, shape, by_columns)
        local = np.empty(_LOCAL, np.uint8)
        if not read_at(file, info.header_offset, local):
            raise StragError("is cut short", again(source))
        lengths = local[26:30].view("<u2")  # of the member's name and of its extra field
        start = info.header_offset + _LOCAL + int(lengths.sum()) + head
        return StoredArray(name, source, file, start, dtype, shape, by_columns)

    return archive.with_stream(name, read)


def safetensors_arrays(file, entries, source):
    """The arrays in a safetensors file: dict of name to StoredArray, or to a StragError for unknown dtypes.

    entries : dict of name to Entry, see `strag.files.header.read_entries`.
    """
    found = {}
    for name, entry in entries.items():
        if entry.dtype in _SAFETENSORS:
            dtype = np.dtype(_SAFETENSORS[entry.dtype])
            half = entry.dtype == "BF16"
            found[name] = StoredArray(name, source, file, entry.start, dtype, entry.shape, is_bfloat16=half)
        else:
            found[name] = StragError(f"tensor '{name}' is {entry.dtype}", "save it as float32", source)
    return found


def _require_numbers(dtype):
    """Raise StragError for raw bytes, as which numpy stores numbers that it does not know."""
    if dtype.kind not in "biufcUS":
        raise StragError(f"holds {dtype}, not plain numbers", "save it as float32")


def own_file(stream, head, name, size=None):
    """An open file of its own with the content of a stream, of which `head` was read already.

    A pipe is copied to an unlinked temporary file. size : copy up to this many bytes; None for all.
    """
    if is_regular(stream) and stream.tell() == len(head):
        return os.fdopen(os.dup(stream.fileno()), "rb")
    return spool(head, stream, size, name)
