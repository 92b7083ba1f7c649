"""Removal of rows from a data set, and random rows as a control."""

import numpy as np


def random_rows(data, size, seed, like=None):
    """Random rows of a Dataset, without repetition: sorted int64 [size].

    size : number of rows. seed : random seed. like : rows, or None. If given, the random rows have the same
    number of examples of every original class as these, and `size` is ignored.
    """
    random = np.random.default_rng(seed)
    if like is None:
        return np.sort(random.permutation(len(data.y))[:size])
    parts = []
    for c, count in zip(*np.unique(data.y[like], return_counts=True), strict=True):
        parts.append(random.permutation(np.flatnonzero(data.y == c))[:count])
    return np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)


def without_rows(data, rows):
    """The Dataset without these rows, with the mean and std of its block."""
    kept = np.ones(len(data.y), dtype=bool)
    kept[rows] = False
    return data.rows(np.flatnonzero(kept))
