"""Two slots behind the tensors of a work file, written in turn, for the state of a job that can be resumed.

A slot holds a stamp and tensors, as a safetensors file does, after their length and their SHA-256. Whenever a
command is killed, the slot that it was not writing is whole.
"""

import hashlib
import json
import os

import numpy as np

from strag.files.header import DTYPES, header_of, read_entries

HEAD = 40  # bytes: the length of the content, and its SHA-256


class Slots:
    """The two slots of a work file.

    file : open binary file. start : offset of the first slot. size : bytes of one slot.
    """

    def __init__(self, file, start, size):
        self.file, self.start, self.size = file, start, size
        self._written = max((meta["sequence"] for _, meta, _ in self._whole()), default=-1) + 1

    def clear(self):
        """Forget what both slots hold."""
        for number in range(2):
            self.file.seek(self.start + number * self.size)
            self.file.write(bytes(HEAD))
        self.file.flush()

    def save(self, meta, arrays):
        """Write a stamp, a dict, and tensors, a dict of name to numpy array, over the older slot.

        Raises OSError if the file cannot be written, and ValueError if the content is too large for a slot.
        """
        layout = {name: (array.dtype, array.shape) for name, array in arrays.items()}
        header, offsets, _ = header_of({**meta, "sequence": self._written}, layout)
        ordered = sorted(arrays, key=offsets.get)
        content = b"".join([header, *(np.ascontiguousarray(arrays[name]).tobytes() for name in ordered)])
        if HEAD + len(content) > self.size:
            raise ValueError(f"a state of {len(content)} bytes does not fit in a slot of {self.size}")
        self.file.seek(self.start + self._written % 2 * self.size)
        self.file.write(len(content).to_bytes(8, "little") + hashlib.sha256(content).digest() + content)
        self.file.flush()
        os.fsync(self.file.fileno())
        self._written += 1

    def load(self):
        """The newest whole content: (stamp, dict of name to numpy array), or None."""
        newest = max(self._whole(), key=lambda slot: slot[1]["sequence"], default=None)
        if newest is None:
            return None
        content, meta, entries = newest
        arrays = {}
        for name, entry in entries.items():
            array = np.frombuffer(content, DTYPES[entry.dtype], int(np.prod(entry.shape)), entry.start)
            arrays[name] = array.reshape(entry.shape).copy()
        return meta, arrays

    def _whole(self):
        """The content, the stamp and the entries of every slot that is whole: list."""
        slots = []
        for number in range(2):
            self.file.seek(self.start + number * self.size)
            head = self.file.read(HEAD)
            length = int.from_bytes(head[:8], "little")
            if not 0 < length <= self.size - HEAD:
                continue
            content = self.file.read(length)
            if hashlib.sha256(content).digest() != head[8:]:
                continue
            end = 8 + int.from_bytes(content[:8], "little")
            metadata, entries, _ = read_entries(content[8:end], "state")
            slots.append((content, json.loads(metadata["strag"]), entries))
        return slots


def slot_size(arrays, lists=1 << 16):
    """Bytes of a slot. arrays : list of the bytes of each tensor. lists : bytes of the stamp."""
    return HEAD + lists + sum(size + 256 for size in arrays)
