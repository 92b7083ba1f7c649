"""Writing the container of every binary kind: a safetensors file with one metadata key, `strag`.

The header is laid out first, and the tensors are filled through a memory map as the results arrive, so that
no tensor has to fit in memory.
"""

import contextlib
import hashlib
import math
import mmap
import os
from dataclasses import dataclass

import numpy as np

from strag.files.begun import begun_otherwise, begun_with_less, is_header_of
from strag.files.header import DTYPES, header_of, unfinished_header
from strag.files.output import Output

RESIDENT = 1 << 25  # bytes of a file being written that may stay in memory


class TensorWriter:
    """A safetensors file laid out beforehand and filled in place.

    Parameters
    ----------
    output : an open Output, or a destination, '-' for stdout; None keeps the tensors in memory.
    meta : the object under the metadata key `strag`.
    layout : dict of tensor name to (numpy dtype, shape).
    spare : bytes behind the tensors for what only the work file holds.

    Attributes
    ----------
    arrays : dict of tensor name to a numpy array over the file, zero at first.
    end : number of bytes of the finished file, after which the spare ones begin.
    spare : number of spare bytes, which an earlier command may have chosen.
    is_begun : whether the work file of an earlier command is continued.
    is_complete : whether that file is complete and only needs to take its place.

    A context manager around `Output`: nothing appears at the destination before `commit`. Until then the
    stamp has `unfinished`, so that the file left by a killed command is not mistaken for a result.
    """

    def __init__(self, output, meta, layout, spare=0):
        self._resident, self.is_begun, self.is_complete = 0, False, False
        if output is None:
            self.output, self._header = None, b""
            self.arrays = {name: np.zeros(shape, dtype) for name, (dtype, shape) in layout.items()}
            return
        self.output = output if isinstance(output, Output) else Output(output)
        with self._failing_cleanly(), self.output.writing():
            self._header, offsets, size = header_of(meta, layout)
            start = len(self._header)
            self.end = start + size
            self._unfinished, self.spare = unfinished_header(meta, layout, start), spare
            self._begin(meta)
            self.arrays = {
                name: _mapped(self.output.file, dtype, shape, start + offsets[name])
                for name, (dtype, shape) in layout.items()
            }

    def _begin(self, meta):
        """Lay out the work file, or take up that of an earlier command; reserve its bytes."""
        file = self.output.file
        length = os.fstat(file.fileno()).st_size if self.output.is_begun else 0
        found = file.read(len(self._header))
        if not is_header_of(found, self._unfinished, self._header):
            raise begun_otherwise(file, meta, self.output.work_file)
        self.is_complete = found == self._header and length >= self.end
        is_long = length > self.end or (length == self.end and not self.spare)
        self.is_begun = self.is_complete or (is_long and any(found))
        if self.is_begun and not self.is_complete:
            if length < self.end + self.spare:
                raise begun_with_less(self.output.work_file)
            self.spare = length - self.end
        if not self.is_begun:
            self.output.require_room(self.end + self.spare)
            file.truncate(0)
            if not self.output.resumes:
                self._write_header(self._unfinished)
        _reserve(file, self.end + self.spare)

    def reopen(self):
        """Mark the work file of an output that resumes as unfinished, before anything is put."""
        self.is_complete = False
        self._write_header(self._unfinished)

    def _write_header(self, header):
        self.output.file.seek(0)
        self.output.file.write(header)
        self.output.file.flush()

    @property
    def fingerprint(self):
        """The SHA-256 of the finished header, as hex: equal for files of the same stamp and layout."""
        return hashlib.sha256(self._header).hexdigest()

    def flush(self):
        """Write what was put to the file."""
        for array in self.arrays.values():
            if isinstance(array, np.memmap):
                array.flush()

    @contextlib.contextmanager
    def _failing_cleanly(self):
        """Context that discards the output if an error occurs in it, except what an earlier command began."""
        try:
            yield
        except BaseException:
            (self.output.__exit__ if self.output.is_begun else self.output.drop)()
            raise

    def put(self, name, where, values):
        """Write `values` into a part of one tensor.

        name : name of the tensor. where : index of the part. From time to time, the memory of the written
        parts is released.
        """
        array, values = self.arrays[name], np.asarray(values)
        array[where] = values
        self._resident += values.size * array.itemsize
        if self._resident > RESIDENT:
            self._release()

    def _release(self):
        """Let the system free the memory of the parts that were written."""
        self._resident = 0
        for array in self.arrays.values():
            if isinstance(array, np.memmap):
                with contextlib.suppress(AttributeError):  # a system without such advice
                    array.base.madvise(mmap.MADV_DONTNEED)

    def commit(self):
        """Move the finished file to its destination."""
        self.flush()
        with self.output.writing():
            self._write_header(self._header)
            self.output.file.truncate(self.end)
        self.output.commit()

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self.arrays = {}
        if self.output is not None:
            self.output.__exit__(*details)


@dataclass
class InMemory:
    """A stamp and tensors in memory that are read in the same way as a Container.

    name : name for messages. meta : the object under `strag`. arrays : dict of tensor name to array.
    """

    name: str
    meta: dict
    arrays: dict
    is_json = False

    @property
    def kind(self):
        """The kind in the stamp."""
        return self.meta["kind"]

    def layout(self):
        """Dict of tensor name to (dtype name, shape), sorted."""
        names = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
        return {name: (names[array.dtype], array.shape) for name, array in sorted(self.arrays.items())}

    def read(self, name):
        """Return one tensor as a numpy array."""
        return self.arrays[name]

    def part(self, name, *where):
        """Return a part of one tensor, see `Container.part`."""
        return self.arrays[name][where]

    def close(self):
        """Do nothing, because there is no file."""


def bytes_of(layout):
    """Return the bytes of all tensors of a layout, a dict of name to (numpy dtype, shape): int."""
    return sum(np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in layout.values())


def _reserve(file, size):
    """Reserve `size` bytes of disk space, because a write to a memory map on a full disk is a crash."""
    file.truncate(size)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)


def _mapped(file, dtype, shape, offset):
    """Return a little-endian array over the file, from byte `offset` on."""
    dtype = np.dtype(dtype).newbyteorder("<")
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype)
    return np.memmap(file, dtype, "r+", offset, tuple(shape))
