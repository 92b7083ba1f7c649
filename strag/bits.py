"""Sets of examples as bits, little-endian in each byte, as histories, sets and activations store them."""

import numpy as np


def pack(members):
    """Booleans [..., P] as bits, uint8 [..., ceil(P/8)], padded with 0."""
    return np.packbits(members, axis=-1, bitorder="little")


def unpack(bits, size=None):
    """Bits [..., ceil(size/8)] as booleans [..., size]; by default all bits, including the padding."""
    return np.unpackbits(bits, axis=-1, count=size, bitorder="little").astype(bool)
