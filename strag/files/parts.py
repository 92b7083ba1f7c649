"""Conversion of JSON objects to dataclasses, checked against the annotations of the fields."""

import contextlib
from dataclasses import MISSING, fields
from math import isfinite
from types import UnionType
from typing import get_args

import numpy as np

from strag.errors import StragError

LARGEST = 2**53  # bound on whole numbers; larger ones are not exact as floats


@contextlib.contextmanager
def reading(what, source, remedy):
    """Context that turns errors from invalid values into a StragError.

    what : the part of the file that is read. source : name of the file. remedy : the remedy of the error.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise StragError(f"has {what} that cannot be read", remedy, source) from None


def part_from(cls, value, names=None, **known):
    """Make an instance of the dataclass `cls` from a JSON object.

    The object may lack keys of optional fields and may have further keys. names : dict of field to key, where
    the two differ. known : values of fields that are not read from the object.

    Raises ValueError or TypeError for a value that does not fit its field, and for a missing required key.
    """
    if not isinstance(value, dict):
        raise TypeError
    keys = {field.name: (names or {}).get(field.name, field.name) for field in fields(cls)}
    values = {
        field.name: checked(value[keys[field.name]], field.type)
        for field in fields(cls)
        if field.name not in known and keys[field.name] in value
    }
    if any(field.default is MISSING and field.name not in {*values, *known} for field in fields(cls)):
        raise ValueError
    return cls(**values, **known)


def checked(value, type_):
    """Convert a JSON value for a field of this type, which may be a union.

    Whole numbers must not be negative. Tuples hold numbers or null; dicts hold numbers and texts. For a
    field of type float, null becomes NaN. Raises ValueError for a value that does not fit.
    """
    kinds = get_args(type_) if isinstance(type_, UnionType) else (type_,)
    if value is None and kinds == (float,):
        return np.nan
    if isinstance(value, list) and tuple in kinds:
        return tuple(checked(item, float | None) for item in value)
    if not _fits(value, kinds):
        raise ValueError
    return value


def _fits(value, kinds):
    """Whether a JSON value, which is not a list, fits one of these types."""
    if value is None:
        return type(None) in kinds
    if type(value) is int and float not in kinds:
        return int in kinds and 0 <= value < LARGEST
    if type(value) in (int, float):
        return float in kinds and isfinite(value)
    if isinstance(value, dict):
        return dict in kinds and all(map(_is_plain, value.values()))
    return type(value) in kinds


def listed(value):
    """Return a JSON list, which is empty for null. Raises TypeError for any other value."""
    if not isinstance(value, (list, type(None))):
        raise TypeError
    return value or []


def _is_plain(value):
    """Whether a JSON value is a text or a finite number."""
    return isinstance(value, str) or (type(value) in (int, float) and isfinite(value))
