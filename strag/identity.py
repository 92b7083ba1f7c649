"""The identity of data, wherever they are stored: a digest of named arrays."""

import hashlib

import numpy as np


def identity_of(tensors):
    """The sha256 over the name, dtype, shape and bytes of tensors, sorted by name, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        digest.update(f"{name}\0{tensor.dtype.str}\0{tensor.shape}\0".encode())
        digest.update(tensor.data.cast("B") if tensor.size else b"")
    return digest.hexdigest()
