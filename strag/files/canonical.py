"""JSON as strag writes it: only finite numbers, and the same text for the same value."""

import json
import math

import numpy as np

from strag.words import as_text


def canonical_json(value):
    """Return `value` as one line of JSON with sorted keys; NaN and infinities become null."""
    return json.dumps(finite(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def finite(value):
    """Return `value` with None for non-finite numbers, and Python values for numpy arrays and scalars."""
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, np.ndarray):
        return finite(value.tolist())
    if isinstance(value, np.generic):
        return finite(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def legible(value):
    """Return a JSON value with every text in it, keys included, made printable by `strag.words.as_text`."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, dict):
        return {as_text(key): legible(item) for key, item in value.items()}
    return [legible(item) for item in value] if isinstance(value, list) else value


def difference(meta, other, ignored=()):
    """The first value in which two stamps differ, as text: "recipe.lr is 0.2, not 0.1"; None if they agree.

    ignored : keys that may differ.
    """
    for key in sorted({*meta, *other} - set(ignored)):
        ours, theirs = meta.get(key), other.get(key)
        if canonical_json(ours) == canonical_json(theirs):
            continue
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return f"{key}.{difference(ours, theirs)}"
        if all(isinstance(value, (str, int, float, bool, type(None))) for value in (ours, theirs)):
            return f"{key} is {_shown(ours)}, not {_shown(theirs)}"
        return f"{key} differs"
    return None


def _shown(value):
    """A value for a message, shortened."""
    text = "absent" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
