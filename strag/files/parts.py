"""Dataclasses from JSON, checked against the annotations of their fields."""

import contextlib
from dataclasses import MISSING, fields
from math import isfinite
from types import UnionType
from typing import get_args

import numpy as np

from strag.errors import StragError

LARGEST = 2**53  # of whole numbers; larger ones are not exact as floats


@contextlib.contextmanager
def reading(what, source, remedy):
    """Turn errors from invalid values into a StragError that names this part of a file."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise StragError(f"has {what} that cannot be read", remedy, source) from None


def part_from(cls, told, names=None, **known):
    """The dataclass `cls` from an object in JSON, which may lack optional keys and have further ones.

    names : dict of field to key, where they differ. known : values of fields that are not read.

    Raises ValueError or TypeError for a value that its field cannot hold, and for a required key that is
    missing.
    """
    if not isinstance(told, dict):
        raise TypeError
    keys = {field.name: (names or {}).get(field.name, field.name) for field in fields(cls)}
    values = {
        field.name: checked(told[keys[field.name]], field.type)
        for field in fields(cls)
        if field.name not in known and keys[field.name] in told
    }
    if any(field.default is MISSING and field.name not in {*values, *known} for field in fields(cls)):
        raise ValueError
    return cls(**values, **known)


def checked(value, type_):
    """A value from JSON for a field of this type, which may be a union.

    Whole numbers must not be negative. Tuples hold numbers or null; dicts hold numbers and texts. Null is NaN
    for a required number.

    Raises ValueError for any other value.
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
    """A list from JSON, empty for null; raises TypeError for anything else."""
    if not isinstance(value, (list, type(None))):
        raise TypeError
    return value or []


def _is_plain(value):
    return isinstance(value, str) or (type(value) in (int, float) and isfinite(value))
