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
