"""The identity of data: a digest that does not depend on where they are stored."""

import hashlib

import numpy as np


def identity_of(tensors):
    """Return the sha256 of the names, dtypes, shapes and bytes of tensors, in hexadecimal.

    tensors : dict of name to array; its order does not matter.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        digest.update(f"{name}\0{tensor.dtype.str}\0{tensor.shape}\0".encode())
        digest.update(tensor.data.cast("B") if tensor.size else b"")
    return digest.hexdigest()


def identity_of_examples(ids, labels):
    """Return the sha256 of the ids of examples and their labels, in hexadecimal.

    Each example contributes its id as text in UTF-8, NUL, its label as a decimal number, and a line feed.
    ids : list of int, or of str, in increasing order. labels : int [P], in the same order.
    """
    text = "".join(f"{identity}\0{label}\n" for identity, label in zip(ids, labels, strict=True))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
