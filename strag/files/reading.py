"""Reading the container of every binary kind, see `strag.files.container`: tensors or parts of them."""

import math
import os
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, bad_usage
from strag.files.header import DTYPES, LARGEST, again, read_entries, stamp_in
from strag.files.stamp import check_stamp, no_content, not_strag
from strag.files.streams import is_regular, read_at, read_exactly, spool
from strag.kinds import remake


@dataclass
class Container:
    """An open safetensors file of strag: its metadata, and its tensors, which are read on demand."""

    name: str
    meta: dict
    _entries: dict
    _file: object
    is_json = False

    @property
    def kind(self):
        """The kind in the stamp."""
        return self.meta["kind"]

    def layout(self):
        """Dict of tensor name to (dtype name, shape), sorted."""
        return {name: (entry.dtype, entry.shape) for name, entry in sorted(self._entries.items())}

    def read(self, name):
        """Return one tensor as a numpy array."""
        return self.part(name)

    def part(self, name, *where):
        """Return a part of one tensor as a numpy array. The part is contiguous in the file.

        where : positions on the first axes of the tensor; the last of them may be a slice. Raises StragError
        if strag does not read the tensor's dtype, or if the file has become shorter.
        """
        entry = self._entries[name]
        if entry.dtype not in DTYPES:
            problem = f"tensor '{name}' is {entry.dtype}, which strag does not read"
            raise StragError(problem, remake(self.kind), self.name)
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
        """Read an array of `shape` that begins `first` elements into the tensor."""
        if self._file.closed:
            raise bad_usage("is closed", "use it inside its 'with' block, or read it again", self.name)
        array = np.empty(shape, DTYPES[entry.dtype])
        if array.size and not read_at(self._file, entry.start + first * array.itemsize, array):
            raise StragError("became shorter while it was read", again(self.name), self.name)
        return array

    def close(self):
        """Close the file. Tensors that were already read stay valid."""
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_json(head):
    """Whether a file that begins with the eight bytes `head` is a JSON object and not a container.

    The first eight bytes of a container are the length of its header, whose upper bytes are 0.
    """
    return head.lstrip(b" \t\r\n").startswith(b"{") and b"\0" not in head


def container_from(stream, head, name, wanted=(), unfinished=False):
    """Open a container on `stream`, whose first eight bytes, `head`, were already read.

    wanted : the kinds that are accepted, empty for any. unfinished : whether to accept a file whose command
    was killed. Raises StragError for a file that is not a complete container of strag.
    """
    header = read_header(stream, head, name, wanted)
    metadata, entries, size = read_entries(header, name)
    meta = check_stamp(stamp_in(metadata, name, wanted), name, wanted, unfinished)
    if is_regular(stream) and stream.tell() == len(head) + len(header):
        file = os.fdopen(os.dup(stream.fileno()), "rb")
    else:
        file = spool(head + header, stream, size + 1, name)
    try:
        check_size(file, size, name, meta.get("unfinished"))
        return Container(name, meta, entries, file)
    except BaseException:
        file.close()
        raise


def read_header(stream, head, name, wanted):
    """Read the bytes of the JSON header. head : the first eight bytes, which hold its length."""
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


def check_size(file, size, name, is_unfinished=False):
    """Raise StragError unless the file has `size` bytes; an unfinished one may hold a state after them."""
    length = file.seek(0, os.SEEK_END)
    if length < size:
        raise StragError(f"is cut short: {length} of {size} bytes", again(name), source=name)
    if length > size and not is_unfinished:
        raise StragError(f"has bytes after its end at {size} bytes", again(name), source=name)
