"""Which rows a pruned data set keeps, and the random controls that match it."""

import numpy as np


def random_rows(data, size, seed, like=None):
    """`size` of a Dataset's rows at random, without repetition: sorted int64.

    like : rows whose number per original class is matched; `size` is then theirs.
    """
    random = np.random.default_rng(seed)
    if like is None:
        return np.sort(random.permutation(len(data.y))[:size])
    parts = []
    for c, wanted in zip(*np.unique(data.y[like], return_counts=True), strict=True):
        parts.append(random.permutation(np.flatnonzero(data.y == c))[:wanted])
    return np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)


def without_rows(data, rows):
    """The Dataset without these rows, standardised by the map of its block."""
    kept = np.ones(len(data.y), dtype=bool)
    kept[rows] = False
    return data.rows(np.flatnonzero(kept))
