"""Cutting a data set into blocks and turning colours into grey."""

import re
from dataclasses import replace

import numpy as np

from strag.errors import StragError, bad_usage

_COLOURS = (1, 3, 4)
_CUT = re.compile(" --(size|block|shuffle|gray)")


def block_of(data, size=None, block=None, shuffle=None):
    """The `block`-th `size` examples (counted from 1), shuffled first if a seed is given.

    The result is an origin of its own: `index` counts its rows, and it is standardised by itself.
    """
    P = len(data.y)
    if block is not None and size is None:
        raise bad_usage("--block needs --size", "add --size 8192, the size of the paper's blocks")
    if size is not None and not 1 <= size <= P:
        raise bad_usage(f"--size {size} is not possible: there are {P} examples", f"give 1 to {P}")
    size, block = size or P, block or 1
    if block * size > P:
        raise bad_usage(
            f"there is no block {block} of {size} among {P} examples",
            f"give a block from 1 to {P // size}",
        )
    order = np.arange(P) if shuffle is None else np.random.default_rng(shuffle).permutation(P)
    chosen = order[(block - 1) * size : block * size]
    options = {"size": size, "block": block if block > 1 else None, "shuffle": shuffle}
    command = _base(data) + "".join(
        f" --{name} {value}" for name, value in options.items() if value is not None
    )
    return _origin(data, x=data.x[chosen], y=data.y[chosen], command=command)


def grey(data):
    """One channel, the mean over the colours, for images [P, h, w, colours] or [P, colours, h, w]."""
    axis = _colour_axis(data.x.shape)
    convert = {name: getattr(data, name) for name in ("x", "x_test")}
    convert = {
        name: None if images is None else images.mean(axis=axis, dtype=np.float32)
        for name, images in convert.items()
    }
    return _origin(data, **convert, command=f"{_base(data)} --gray")


def _colour_axis(shape):
    if len(shape) == 4:
        for axis in (3, 1):
            if shape[axis] in _COLOURS:
                return axis
    raise StragError(f"examples of shape {list(shape[1:])} have no colours", "leave --gray out")


def _base(data):
    """The command that more options can follow: rows of a cut or pruned data set are counted anew."""
    if len(data.y) < data.origin_size:
        return f"{data.command} | strag prune - STRAGGLERS | strag data -"
    return f"{data.command} | strag data -" if _CUT.search(data.command) else data.command


def _origin(data, **changed):
    rows = len(changed["x"])
    return replace(
        data,
        **changed,
        index=np.arange(rows, dtype=np.int64),
        mean=None,
        std=None,
        origin=None,
        origin_size=0,
    )
