"""The header of a container: names, dtypes, shapes and offsets of its tensors, written and checked.

The `safetensors` library can only read a file by its name. Pipes, and on some systems open files, have no
name, so its checks are repeated here. The tests compare them with those of the library.
"""

import json
import math
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError
from strag.files.canonical import canonical_json, legible
from strag.files.stamp import not_strag

DTYPES = {  # on disk, little-endian
    "U8": np.dtype("u1"),
    "F16": np.dtype("<f2"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
BITS = {  # bits of an element, for every dtype of the format
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
LARGEST = 100_000_000  # bytes of a header, as in the safetensors library
MOST_AXES = 32  # as in numpy


@dataclass(frozen=True)
class Entry:
    """One tensor of a file: the name of its dtype, its shape, and the offset of its first byte."""

    dtype: str
    shape: tuple
    start: int


def header_of(meta, layout):
    """Make the header of a file for these tensors.

    Returns the header (bytes), a dict of tensor name to its offset from the end of the header, and the total
    size of the tensors in bytes.

    meta : the object under `strag`. layout : dict of tensor name to (numpy dtype, shape).

    Tensors are ordered by the size of an element, largest first, so that each is aligned, and then by name.
    Raises StragError if the header is larger than the format allows.
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
    if len(text) > LARGEST:
        problem = f"needs a header of {len(text)} bytes, but the format allows {LARGEST}"
        raise StragError(problem, "use fewer runs or updates")
    return len(text).to_bytes(8, "little") + text, offsets, end


def unfinished_header(meta, layout, size):
    """Make a header of `size` bytes for a file whose tensors are being written.

    Its stamp has `unfinished` in place of `version`. If this header does not fit, zeros are returned, which
    every reader refuses.
    """
    meta = {key: value for key, value in meta.items() if key != "version"}
    header, _, _ = header_of({**meta, "unfinished": True}, layout)
    if len(header) > size:
        return bytes(size)
    return (size - 8).to_bytes(8, "little") + header[8:].ljust(size - 8)


def read_entries(header, name):
    """Parse a JSON header: metadata, dict of tensor name to Entry, and size of the whole file in bytes.

    header : bytes. name : the file's name in messages. Raises StragError for a header that is invalid. The
    tensors must follow each other without gaps from the end of the header, and the length of each must agree
    with its shape and dtype.
    """
    try:
        entries = json.loads(header.decode())
        metadata = entries.pop("__metadata__", {})
        if not all(isinstance(value, str) for value in metadata.values()):
            raise _ContradictionError("its metadata values are not text")
        return metadata, *_placed(entries, 8 + len(header))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f" ({error.args[0]})" if isinstance(error, _ContradictionError) else ""
        raise StragError(f"has a broken header{why}", again(name), source=name) from None


class _ContradictionError(ValueError):
    """A contradiction in a header."""


def _placed(entries, start):
    """Return a dict of tensor name to Entry, and the size of the file. start : offset of the first tensor."""
    tensors, previous_end = {}, 0
    for name, entry in sorted(entries.items(), key=lambda item: tuple(item[1]["data_offsets"])):
        dtype, shape = entry["dtype"], entry["shape"]
        begin, end = entry["data_offsets"]
        are_lists = isinstance(shape, list) and isinstance(entry["data_offsets"], list)
        are_natural = are_lists and all(type(n) is int and 0 <= n < 2**63 for n in (begin, end, *shape))
        if not are_natural or len(shape) > MOST_AXES or math.prod(number or 1 for number in shape) >= 2**60:
            raise _ContradictionError(f"tensor '{name}' has an impossible shape")
        if dtype not in BITS:
            raise _ContradictionError(f"tensor '{name}' has the unknown dtype {dtype}")
        if begin != previous_end or 8 * (end - begin) != BITS[dtype] * math.prod(shape):
            raise _ContradictionError(f"tensor '{name}' has the wrong offset or length")
        tensors[name], previous_end = Entry(dtype, tuple(shape), start + begin), end
    return tensors, start + previous_end


def stamp_in(metadata, name, wanted=()):
    """Return the object under the metadata key `strag`. Raises StragError if there is none."""
    try:
        return legible(json.loads(metadata["strag"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise not_strag(name, wanted=wanted) from None


def again(name):
    """Return the remedy for a damaged file with this name."""
    return "did the command before it in the pipe fail?" if name == "stdin" else "create or copy it again"
