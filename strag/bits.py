"""Sets of examples as bits, little-endian in each byte. Binary files store sets in this form."""

import numpy as np


def pack(members):
    """Convert booleans [..., P] to bits, uint8 [..., ceil(P/8)], padded with 0."""
    return np.packbits(members, axis=-1, bitorder="little")


def unpack(bits, size=None):
    """Convert bits, uint8 [..., ceil(size/8)], to booleans [..., size]; by default including the padding."""
    return np.unpackbits(bits, axis=-1, count=size, bitorder="little").astype(bool)
