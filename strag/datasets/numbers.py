"""Inputs as they are stored, uint8 or float32, and the refusal of what that cannot hold."""

import numpy as np

from strag.errors import StragError

TILE = 1 << 22  # numbers looked at at a time
LOST = 1e-3  # rounding that is too much, in standard deviations of the input


def stored(array, name, like=None):
    """Examples [P, ...] as they are stored: uint8 stays, all other numbers become float32, if they can.

    like : examples beside whose spread rounding is judged, as test examples are beside the training ones; by
    default these themselves.

    Raises StragError for what is no array of numbers, for numbers beyond float32, and for an input whose
    values float32 would move by more than 1/1000 of their standard deviation: a large offset, a spread that
    is tiny beside the values, or numbers so small that they become 0.
    """
    if array.ndim < 2:
        raise StragError(f"'{name}' has {array.ndim} axes", "give one row per example")
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "biuf":
        raise StragError(f"'{name}' holds {array.dtype}, not numbers", "give integers or floats")
    with np.errstate(over="ignore", under="ignore"):
        kept = np.ascontiguousarray(array, dtype=np.float32)
    if array.dtype.kind == "f" and (np.isinf(kept) & np.isfinite(array)).any():
        raise StragError(f"'{name}' holds numbers too large for float32", "scale its inputs")
    if len(array) and not np.can_cast(array.dtype, np.float32):
        like = array if like is None or not len(like) or like.shape[1:] != array.shape[1:] else like
        _check_rounding(*(part.reshape(len(part), -1) for part in (array, kept, like)), name)
    return kept


def _check_rounding(exact, kept, like, name):
    """Refuse inputs [P, d] of which rounding has moved a value too far beside the spread of `like`."""
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
            runs = f"input {start + lost[0]} of '{name}' runs from {low} to {high}"
            problem = f"{runs}, of which float32 loses the differences"
            raise StragError(problem, "subtract its mean, or scale it, before you save it")


def _wide(x):
    """Numbers in which the differences of `x` are kept."""
    return x.astype(np.longdouble if x.dtype.kind in "iu" or x.dtype.itemsize > 8 else np.float64)


def _moved(exact, kept):
    """The largest rounding of each column; 0 where it is constant, or not finite and refused elsewhere."""
    wide = _wide(exact)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        moved = np.abs(kept.astype(wide.dtype) - wide).max(axis=0)
        same = (wide == wide[:1]).all(axis=0)
    return np.where(same | ~np.isfinite(moved), 0, moved)


def _spread(like):
    """The standard deviation of each column, without overflow."""
    wide = _wide(like)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        centred = wide - wide[:1]  # differences from an example are exact where those from 0 are not
        scale = np.abs(centred).max(axis=0)
        return scale * (centred / np.where(scale > 0, scale, 1)).std(axis=0)
