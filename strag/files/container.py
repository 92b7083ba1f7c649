"""The container of every binary kind: a safetensors file with one metadata key, `strag`.

A header is laid out first and one contiguous buffer filled through a memory map, as the work goes on, so
that no tensor needs to be in memory; it is read tensor by tensor, or in parts.
"""

import contextlib
import math
import mmap
import os
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError
from strag.files.header import (
    DTYPES,
    LARGEST,
    again,
    header_of,
    read_entries,
    stamp_in,
    unfinished_header,
)
from strag.files.output import Output
from strag.files.stamp import MAKERS, check_fields, check_stamp, no_content, not_strag, with_article
from strag.files.streams import is_regular, name_of, open_input, read_exactly, spool

RESIDENT = 1 << 25  # bytes of a file being written that may stay in memory


class TensorWriter:
    """A safetensors file laid out beforehand and filled in place.

    Parameters
    ----------
    path : destination, '-' for stdout.
    meta : the object under the metadata key `strag`.
    layout : dict of tensor name to (numpy dtype, shape).

    Attributes
    ----------
    arrays : dict of tensor name to a numpy array over the file, zero at first.

    A context manager around `Output`: nothing appears at `path` before `commit`. Until then the stamp says
    `unfinished`: should the command be killed, what it leaves is not taken for a result.
    """

    def __init__(self, path, meta, layout, output=None):
        self.output = output or Output(path)
        self._resident = 0
        with self._failing_cleanly(), self.output.writing():
            self._header, offsets, size = header_of(meta, layout)
            start = len(self._header)
            self.output.require_room(start + size)
            self.output.file.write(unfinished_header(meta, layout, start))
            self.output.file.flush()
            _reserve(self.output.file, start + size)
            self.arrays = {
                name: _mapped(self.output.file, dtype, shape, start + offsets[name])
                for name, (dtype, shape) in layout.items()
            }

    @contextlib.contextmanager
    def _failing_cleanly(self):
        try:
            yield
        except BaseException:
            self.output.__exit__()
            raise

    def put(self, name, where, values):
        """Write a part of one tensor. Now and then the system takes back the memory of what was written."""
        part = self.arrays[name][where]
        part[...] = values
        self._resident += part.nbytes
        if self._resident > RESIDENT:
            self._release()

    def _release(self):
        self._resident = 0
        for array in self.arrays.values():
            if isinstance(array, np.memmap):
                with contextlib.suppress(AttributeError):  # a system without such advice
                    array.base.madvise(mmap.MADV_DONTNEED)

    def commit(self):
        """Put the finished file in its place."""
        for array in self.arrays.values():
            if isinstance(array, np.memmap):
                array.flush()
        with self.output.writing():
            self.output.file.seek(0)
            self.output.file.write(self._header)
        self.output.commit()

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self.arrays = {}
        self.output.__exit__(*details)


def bytes_of(layout):
    """Bytes of the tensors of a layout, a dict of name to (numpy dtype, shape)."""
    return sum(np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in layout.values())


def write_tensors(path, meta, tensors, output=None):
    """Write a whole container at once; `tensors` is a dict of name to numpy array."""
    layout = {name: (np.asarray(tensor).dtype, np.shape(tensor)) for name, tensor in tensors.items()}
    with TensorWriter(path, meta, layout, output) as writer:
        for name, tensor in tensors.items():
            writer.arrays[name][...] = tensor
        writer.commit()


def _reserve(file, size):
    """Give the file its size, and its place on the disk: a map onto a full disk is a crash, not an error."""
    file.truncate(size)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)


def _mapped(file, dtype, shape, offset):
    dtype = np.dtype(dtype).newbyteorder("<")
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype)
    return np.memmap(file, dtype, "r+", offset, tuple(shape))


@dataclass
class Container:
    """An open safetensors file of strag: its metadata, and its tensors read when asked for."""

    name: str
    meta: dict
    _entries: dict
    _file: object

    @property
    def kind(self):
        return self.meta["kind"]

    def layout(self):
        """Dict of tensor name to (dtype name, shape), sorted."""
        return {name: (entry.dtype, entry.shape) for name, entry in sorted(self._entries.items())}

    def read(self, name):
        """One tensor, as a numpy array."""
        return self.part(name)

    def part(self, name, *where):
        """A part of one tensor: `where` are numbers on its first axes, the last of them may be a slice.

        Such a part lies in one piece.
        """
        entry = self._entries[name]
        if entry.dtype not in DTYPES:
            problem = f"tensor '{name}' is {entry.dtype}, which strag does not read"
            raise StragError(problem, f"make it again with '{MAKERS.get(self.kind, 'strag')}'", self.name)
        first, shape, step = 0, entry.shape, math.prod(entry.shape)
        for at in where:
            rows = range(shape[0])[at]
            step = step // shape[0] if shape[0] else 0
            if isinstance(at, slice):
                first += rows.start * step if rows else 0
                shape = (len(rows), *shape[1:])
            else:
                first, shape = first + rows * step, shape[1:]
        return self._array(entry, first, shape)

    def _array(self, entry, first, shape):
        """An array of `shape` from the file, `first` elements into the tensor."""
        array = np.empty(shape, DTYPES[entry.dtype])
        if array.size:
            self._file.seek(entry.start + first * array.itemsize)
            if self._file.readinto(memoryview(array.reshape(-1).view(np.uint8))) < array.nbytes:
                raise StragError("became shorter while it was read", again(self.name), self.name)
        return array

    def read_all(self, spec):
        """Every tensor of `spec` that is there, checked: dict of name to numpy array.

        `spec` maps a name to (dtype names 'F32|U8', shape of axis letters or None for any shape,
        required). The same letter stands for the same length everywhere; `*` takes the rest.
        """
        layout = self.check(spec)
        return {name: self.read(name) for name in spec if name in layout}

    def check(self, spec):
        """Check the stamp, and the tensors against `spec`, see `read_all`, unread; their layout."""
        check_fields(self.meta, self.name)
        layout, lengths = self.layout(), {}
        for name, (dtypes, shape, required) in spec.items():
            if name not in layout:
                if required:
                    raise StragError(
                        f"has no tensor '{name}'", f"make it with '{MAKERS[self.kind]}'", self.name
                    )
                continue
            self._check(name, layout[name], dtypes, shape, lengths)
        return layout

    def _check(self, name, found, dtypes, shape, lengths):
        dtype, actual = found
        remedy = f"make it again with '{MAKERS[self.kind]}'"
        if dtype not in dtypes.split("|"):
            raise StragError(
                f"tensor '{name}' is {dtype}, not {dtypes.replace('|', ' or ')}", remedy, self.name
            )
        axes = shape.split()
        rest = axes and axes[-1] == "*"
        axes = axes[:-1] if rest else axes
        fits = len(actual) >= len(axes) if rest else len(actual) == len(axes)
        for axis, length in zip(axes, actual, strict=False):
            wanted = int(axis) if axis.isdigit() else lengths.setdefault(axis, length)
            fits = fits and wanted == length
        if not fits:
            known = ", ".join(str(lengths.get(axis, axis)) for axis in axes) + (", ..." if rest else "")
            raise StragError(
                f"tensor '{name}' has shape {list(actual)}, not [{known}]",
                remedy,
                self.name,
            )

    def close(self):
        """Close the file; tensors already read stay."""
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def open_container(path, wanted=None):
    """Open a safetensors file of strag, from a path or from stdin ('-').

    Raises StragError for what is no strag file, is cut short, or is of another kind than `wanted`.
    """
    with open_input(path) as stream:
        name = name_of(path)
        head = read_exactly(stream, 8)
        if wanted and is_json(head):
            raise StragError(
                f"is JSON, not {with_article(wanted)} file", f"make one with '{MAKERS[wanted]}'", name
            )
        return container_from(stream, head, name, wanted)


def is_json(head):
    """Whether the first eight bytes of a file begin a JSON object, rather than a container.

    Of a container they are the length of its header, of which the upper bytes are 0.
    """
    return head.lstrip(b" \t\r\n").startswith(b"{") and b"\0" not in head


def container_from(stream, head, name, wanted=None, unfinished=False):
    """Open a container on `stream`, of which the first eight bytes, `head`, were read already.

    unfinished : whether to take one that a command was killed over.
    """
    header = _read_header(stream, head, name, wanted)
    metadata, entries, size = read_entries(header, name)
    meta = check_stamp(stamp_in(metadata, name, wanted), name, wanted, unfinished)
    if is_regular(stream) and stream.tell() == len(head) + len(header):
        file = os.fdopen(os.dup(stream.fileno()), "rb")
    else:
        file = spool(head + header, stream, size + 1, name)
    try:
        _check_size(file, size, name)
        return Container(name, meta, entries, file)
    except BaseException:
        file.close()
        raise


def _read_header(stream, head, name, wanted):
    """The JSON header's bytes."""
    if not head:
        raise no_content(name)
    length = int.from_bytes(head, "little")
    if len(head) < 8 or not 2 <= length <= LARGEST:
        raise not_strag(name, head, wanted)
    header = read_exactly(stream, length)
    if not header.startswith(b"{"):
        raise not_strag(name, head, wanted)
    if len(header) < length:
        problem = f"is cut short: {len(header)} of {length} bytes of its header"
        raise StragError(problem, again(name), source=name)
    return header


def _check_size(file, size, name):
    found = file.seek(0, os.SEEK_END)
    if found < size:
        raise StragError(f"is cut short: {found} of {size} bytes", again(name), source=name)
    if found > size:
        raise StragError(f"goes on after its end at {size} bytes", again(name), source=name)
