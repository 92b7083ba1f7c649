"""The container of every binary kind: safetensors with one metadata key, `strag`.

The library `safetensors` checks and reads. Writing is done here because the library can only write
tensors that are all in memory: here a header is laid out first and one contiguous buffer filled
through a memory map, as the work goes on.
"""

import contextlib
import json
import math
import mmap
import os
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError
from strag.files.canonical import canonical_json
from strag.files.stamp import MAKERS, check_fields, check_stamp, no_content, not_strag, with_article
from strag.files.streams import Output, is_regular, name_of, open_input, read_exactly, spool

DTYPES = {  # as they lie on disk, little-endian
    "U8": np.dtype("u1"),
    "F16": np.dtype("<f2"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
RESIDENT = 1 << 25  # bytes of a file being written that may stay in memory
LARGEST_HEADER = 100_000_000  # bytes, as in the safetensors library


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

    A context manager around `Output`: nothing appears at `path` before `commit`.
    """

    def __init__(self, path, meta, layout, output=None):
        self.output = output or Output(path)
        header, offsets, size = _header(meta, layout)
        self._resident = 0
        with self._failing_cleanly(), self.output.writing():
            self.output.file.write(header)
            self.output.file.flush()
            _reserve(self.output.file, len(header) + size)
            self.arrays = {
                name: _mapped(self.output.file, dtype, shape, len(header) + offsets[name])
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


def _header(meta, layout):
    """The first bytes of the file, the offset of each tensor after them, and the size of all.

    Tensors come in order of falling size of an element, so that each is aligned, then of name.
    """
    order = sorted(layout, key=lambda name: (-np.dtype(layout[name][0]).itemsize, name))
    entries, offsets, end = {"__metadata__": {"strag": canonical_json(meta)}}, {}, 0
    for name in order:
        dtype, shape = np.dtype(layout[name][0]), [int(n) for n in layout[name][1]]
        offsets[name] = end
        end += dtype.itemsize * math.prod(shape)
        entries[name] = {
            "dtype": _NAMES[dtype.newbyteorder("<")],
            "shape": shape,
            "data_offsets": [offsets[name], end],
        }
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, offsets, end


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
    _handle: object
    _file: object

    @property
    def kind(self):
        return self.meta["kind"]

    def names(self):
        """Names of the tensors, sorted."""
        return sorted(self._handle.keys())

    def layout(self):
        """Dict of tensor name to (dtype name, shape)."""
        slices = {name: self._handle.get_slice(name) for name in self.names()}
        return {name: (part.get_dtype(), tuple(part.get_shape())) for name, part in slices.items()}

    def read(self, name):
        """One tensor, as a numpy array."""
        return self._handle.get_tensor(name)

    def part(self, name, *where):
        """A part of one tensor: `where` are numbers and slices of its first axes."""
        return self._handle.get_slice(name)[where]

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
        self._handle = None
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


def container_from(stream, head, name, wanted=None):
    """Open a container on `stream`, of which the first eight bytes, `head`, were read already."""
    header, size = _read_header(stream, head, name, wanted)
    meta = _metadata(header, name, wanted)
    check_stamp(meta, name, wanted)
    if is_regular(stream) and stream.tell() == len(head) + len(header):
        file = os.fdopen(os.dup(stream.fileno()), "rb")
    else:
        file = spool(head + header, stream, size + 1, name)
    try:
        return Container(name, meta, _validated(file, size, name), file)
    except BaseException:
        file.close()
        raise


def _read_header(stream, head, name, wanted):
    """The JSON header's bytes, and the size that the file must have."""
    if not head:
        raise no_content(name)
    length = int.from_bytes(head, "little")
    if len(head) < 8 or not 2 <= length <= LARGEST_HEADER:
        raise not_strag(name, head, wanted)
    header = read_exactly(stream, length)
    if not header.startswith(b"{"):
        raise not_strag(name, head, wanted)
    if len(header) < length:
        raise StragError(
            f"is cut short: {len(header)} of {length} bytes of its header",
            _again(name),
            source=name,
        )
    try:
        entries = json.loads(header)
        ends = [entry["data_offsets"][1] for key, entry in entries.items() if key != "__metadata__"]
        return header, 8 + length + int(max(ends, default=0))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError):
        raise StragError("has a broken header", _again(name), source=name) from None


def _metadata(header, name, wanted):
    try:
        return json.loads(json.loads(header)["__metadata__"]["strag"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise not_strag(name, wanted=wanted) from None


def _validated(file, size, name):
    from safetensors import SafetensorError, safe_open

    file.seek(0, 2)
    found = file.tell()
    if found < size:
        raise StragError(f"is cut short: {found} of {size} bytes", _again(name), source=name)
    if found > size:
        raise StragError(f"goes on after its end at {size} bytes", _again(name), source=name)
    try:
        return safe_open(f"/dev/fd/{file.fileno()}", framework="numpy")
    except (SafetensorError, OSError) as error:
        raise StragError(f"has a broken header ({error})", _again(name), source=name) from None


def _again(name):
    return "did the command before it in the pipe fail?" if name == "stdin" else "make or copy it again"
