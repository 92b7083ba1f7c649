"""The writer of every binary kind. It lays out a file by its SPEC and fills it part by part."""

import hashlib
import json

import numpy as np

from strag.files.canonical import canonical_json
from strag.files.container import InMemory, TensorWriter
from strag.files.header import DTYPES


class Writer(TensorWriter):
    """A file of a binary kind that is laid out first and filled with `put` as results arrive.

    Parameters
    ----------
    output : an open Output, or a destination, '-' for stdout; None keeps the tensors in memory.
    spec : the Spec of the kind.
    meta : the object under `strag`; the lengths of the axes that it lists are taken from it.
    whole : dict of name to array, for the tensors that are already known.
    lengths : dict of axis name to length, for the axes whose lengths follow neither from `whole` nor `meta`.
    free : dict of name to (numpy dtype, shape) for tensors that the SPEC does not name.
    spare : see `TensorWriter`.
    """

    def __init__(self, output, spec, meta, whole, lengths=None, free=None, spare=0):
        self.meta = meta
        arrays = {name: _as_specified(spec[name].dtypes, array) for name, array in whole.items()}
        named = [axis for axis in spec.named if meta.get(axis.stamped) is not None]
        known = {axis.name: len(meta[axis.stamped]) for axis in named}
        for name, array in arrays.items():
            known |= spec[name].lengths(array.shape)
        layout = spec.without(arrays).layout({**known, **(lengths or {})}, given=arrays)
        layout |= {name: (array.dtype, array.shape) for name, array in arrays.items()}
        super().__init__(output, meta, {**layout, **(free or {})}, spare)
        self._whole = arrays
        if not self.is_begun:
            self._fill()

    def _fill(self):
        """Write the tensors that are known at first."""
        for name, array in self._whole.items():
            self.arrays[name][...] = array

    def reopen(self):
        """Mark the work file of an output that resumes as unfinished, and write what is known at first."""
        super().reopen()
        self._fill()

    @property
    def fingerprint(self):
        """The SHA-256 of the stamp, the layout and the tensors that were known at first, as hex."""
        known = hashlib.sha256(super().fingerprint.encode())
        for name in sorted(self._whole):
            known.update(np.ascontiguousarray(self._whole[name]))
        return known.hexdigest()

    def as_container(self, name):
        """Return the tensors that were written in memory as an InMemory, which can be read again.

        name : name for messages. The stamp is the one that a file would contain.
        """
        return InMemory(name, json.loads(canonical_json(self.meta)), dict(self.arrays))

    @property
    def is_direct(self):
        """Whether the bytes go into a pipe or a device and not into a file."""
        return self.output.is_direct


def _as_specified(dtypes, array):
    """Return an array in its dtype of the SPEC; with alternatives, in its own."""
    return np.asarray(array) if "|" in dtypes else np.asarray(array, DTYPES[dtypes])


def write(output, spec, meta, tensors):
    """Write a whole file of a binary kind at once. tensors : dict of name to numpy array."""
    with Writer(output, spec, meta, tensors) as writer:
        writer.commit()
