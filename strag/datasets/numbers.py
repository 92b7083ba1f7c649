"""Inputs as they are stored, uint8 or float32, and the refusal of what that cannot hold."""

import numpy as np

from strag.errors import StragError

TILE = 1 << 22  # numbers looked at at a time
LOST = 1e-3  # rounding that is too much, in standard deviations of the input


def stored(array, name):
    """Examples [P, ...] as they are stored: uint8 stays, all other numbers become float32, if they can.

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
        _check_rounding(array.reshape(len(array), -1), kept.reshape(len(array), -1), name)
    return kept


def _check_rounding(exact, kept, name):
    """Refuse inputs [P, d] of which rounding has moved a value too far beside their spread."""
    step = max(1, TILE // max(1, len(exact)))
    for start in range(0, exact.shape[1], step):
        part = slice(start, start + step)
        moved, spread = _moved_and_spread(exact[:, part], kept[:, part])
        lost = np.flatnonzero(moved > LOST * spread)
        if lost.size:
            column = exact[:, start + lost[0]]
            problem = (
                f"input {start + lost[0]} of '{name}' runs from {column.min():.10g} to {column.max():.10g}, "
                f"of which float32 loses the differences"
            )
            raise StragError(problem, "subtract its mean, or scale it, before you save it")


def _moved_and_spread(exact, kept):
    """The largest rounding of each column and its standard deviation, 0 where it is constant: float64."""
    middle = exact[:1]  # differences from an example are exact where those from 0 are not
    wide = np.longdouble if exact.dtype.kind in "iu" or exact.dtype.itemsize > 8 else np.float64
    centred = exact.astype(wide) - middle.astype(wide)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        moved = np.abs(kept.astype(wide) - exact.astype(wide)).max(axis=0)
        scale = np.abs(centred).max(axis=0)
        unit = centred / np.where(scale > 0, scale, 1)
        spread = scale * unit.std(axis=0)
    # What is constant, or not finite and refused elsewhere, loses no difference.
    return np.where((scale > 0) & np.isfinite(scale), moved, 0), spread
