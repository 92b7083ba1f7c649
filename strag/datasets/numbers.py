"""Conversion of inputs to the stored types, uint8 or float32, with an error if float32 loses too much."""

import numpy as np

from strag.errors import StragError

TILE = 1 << 22  # numbers checked at a time
LOST = 1e-3  # largest rounding that is allowed, in standard deviations of the input


def stored(array, name, like=None):
    """Examples [P, ...] as they are stored: uint8 stays, all other numbers become float32.

    name : of the array, in errors. like : examples with whose standard deviation the rounding is compared, by
    default `array` itself. For test examples, pass the training examples.

    Raises StragError if `array` does not hold numbers, if a number is too large for float32, and if float32
    rounds an input by more than 1/1000 of its standard deviation. That happens if values have a large offset,
    vary little compared with their size, or are so small that they become 0.
    """
    if array.ndim < 2:
        problem = f"'{name}' has shape {list(array.shape)}"
        raise StragError(problem, "provide an array with one row per example")
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "biuf":
        raise StragError(f"'{name}' holds {array.dtype}, not numbers", "provide integers or floats")
    with np.errstate(over="ignore", under="ignore"):
        kept = np.ascontiguousarray(array, dtype=np.float32)
    if array.dtype.kind == "f" and (np.isinf(kept) & np.isfinite(array)).any():
        raise StragError(f"'{name}' holds numbers too large for float32", "scale its inputs")
    if len(array) and not np.can_cast(array.dtype, np.float32):
        like = array if like is None or not len(like) or like.shape[1:] != array.shape[1:] else like
        _check_rounding(*(part.reshape(len(part), -1) for part in (array, kept, like)), name)
    return kept


def _check_rounding(exact, kept, like, name):
    """Raise StragError if rounding has moved a value of an input too far.

    exact, kept : inputs [P, d] before and after rounding. like : inputs [Q, d] with the standard deviation to
    compare with.
    """
    step = max(1, TILE // max(1, len(exact)))
    for start in range(0, exact.shape[1], step):
        part = slice(start, start + step)
        moved, spread = _moved(exact[:, part], kept[:, part]), _spread(like[:, part])
        lost = np.flatnonzero(moved > LOST * spread)
        if lost.size:
            column = exact[:, start + lost[0]]
            low, high = f"{column.min():.10g}", f"{column.max():.10g}"
            if low == high:
                low, high = f"{column.min():.17g}", f"{column.max():.17g}"
            values = f"input {start + lost[0]} of '{name}' has values from {low} to {high}"
            problem = f"{values}, whose differences float32 cannot hold"
            raise StragError(problem, "subtract its mean or scale it before you save it")


def _wide(x):
    """The numbers `x` in a type that holds their differences exactly enough."""
    return x.astype(np.longdouble if x.dtype.kind in "iu" or x.dtype.itemsize > 8 else np.float64)


def _moved(exact, kept):
    """The largest rounding error of each column.

    It is 0 for constant columns, which training does not use, and for columns with infinities or NaN, which
    `check_part` refuses.
    """
    wide = _wide(exact)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        moved = np.abs(kept.astype(wide.dtype) - wide).max(axis=0)
        same = (wide == wide[:1]).all(axis=0)
    return np.where(same | ~np.isfinite(moved), 0, moved)


def _spread(like):
    """The standard deviation of each column, without overflow."""
    wide = _wide(like)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        centred = wide - wide[:1]  # differences between examples are exact even if the values are large
        scale = np.abs(centred).max(axis=0)
        return scale * (centred / np.where(scale > 0, scale, 1)).std(axis=0)
