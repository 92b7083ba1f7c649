"""Writing and reading JSON kinds: one object, with format, kind and provenance under `strag`."""

import json

import numpy as np

from strag.files.canonical import finite


def json_text(value):
    """Return the object `value` as JSON, with each item of a list of objects or dict of lists on one line."""
    parts = [f"  {json.dumps(key)}: {_item(item)}" for key, item in finite(value).items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _item(value):
    """Return one value of the object as JSON."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {json.dumps(row)}" for row in value) + "\n  ]"
    if isinstance(value, dict) and value and any(isinstance(item, (list, dict)) for item in value.values()):
        rows = [f"    {json.dumps(key)}: {json.dumps(item)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + "\n  }"
    return json.dumps(value)


def write_json(value, output):
    """Write a JSON kind into an open Output and move it to its destination."""
    with output.writing():
        output.file.write(json_text(value).encode())
    output.commit()


def numbers(values, whole=False):
    """Return a JSON list of numbers and nulls as float64, with NaN for null.

    Returns None if `values` is not such a list.
    whole : whether to accept natural numbers only, and return int64.
    """
    if not isinstance(values, list):
        return None
    kinds = (int,) if whole else (int, float, type(None))
    if not all(type(value) in kinds and (value is None or abs(value) < 2**53) for value in values):
        return None
    if whole:
        return np.array(values, dtype=np.int64) if not values or min(values) >= 0 else None
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
