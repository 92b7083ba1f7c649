"""JSON kinds: one object, with format, kind and provenance under `strag`."""

import json

import numpy as np

from strag.errors import StragError
from strag.files.canonical import finite, legible
from strag.files.container import container_from, is_json
from strag.files.stamp import check_stamp, no_content, not_strag, wrong_kind
from strag.files.streams import name_of, open_input, read_exactly

LARGEST = 1 << 30  # bytes


def json_text(value):
    """`value` as JSON for people and jq: indented, with short columns on one line each."""
    parts = [f"  {json.dumps(key)}: {_item(item)}" for key, item in finite(value).items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _item(value):
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {json.dumps(row)}" for row in value) + "\n  ]"
    if isinstance(value, dict) and value and any(isinstance(item, (list, dict)) for item in value.values()):
        rows = [f"    {json.dumps(key)}: {json.dumps(item)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + "\n  }"
    return json.dumps(value)


def write_json(value, output):
    """Write a JSON kind into an open Output and put it in its place."""
    with output.writing():
        output.file.write(json_text(value).encode())
    output.commit()


def numbers(values, whole=False):
    """A list of numbers and nulls as float64, null as NaN; None for what is no such list.

    whole : natural numbers alone, as int64.
    """
    if not isinstance(values, list):
        return None
    kinds = (int,) if whole else (int, float, type(None))
    if not all(type(value) in kinds and (value is None or abs(value) < 2**53) for value in values):
        return None
    if whole:
        return np.array(values, dtype=np.int64) if not values or min(values) >= 0 else None
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def open_any(path, unfinished=False):
    """Open a strag file of any kind: a Container, or a dict for a JSON kind.

    unfinished : whether to take, with a warning, what a command was killed over.
    """
    with open_input(path) as stream:
        name = name_of(path)
        head = read_exactly(stream, 8)
        if is_json(head):
            return _parse(head + _rest(stream, name), name, unfinished=unfinished)
        return container_from(stream, head, name, unfinished=unfinished)


def read_json(path, wanted):
    """Read a JSON kind from a path, or from stdin for '-'; the whole object."""
    with open_input(path) as stream:
        name = name_of(path)
        head = read_exactly(stream, 8)
        if not head:
            raise no_content(name)
        if not is_json(head):
            with container_from(stream, head, name, wanted) as container:
                raise wrong_kind(name, container.kind, wanted)
        return _parse(head + _rest(stream, name), name, wanted)


def _rest(stream, name):
    rest = read_exactly(stream, LARGEST)
    if len(rest) == LARGEST:
        raise StragError(f"is JSON of more than {LARGEST >> 30} GiB", "give a file that strag wrote", name)
    return rest


def _parse(text, name, wanted=None, unfinished=False):
    try:
        value = legible(json.loads(text))
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "its text"
        raise StragError(f"is no complete JSON (at {where})", "make or copy it again", source=name) from None
    if not isinstance(value, dict) or "strag" not in value:
        raise not_strag(name, wanted=wanted)
    check_stamp(value["strag"], name, wanted, unfinished)
    return value
