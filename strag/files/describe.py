"""The description of a file of any kind as one dictionary, which `strag info` shows."""

from strag.datasets.dataset import COUNTED
from strag.errors import StragError, bad_usage
from strag.files.dataset import class_sizes
from strag.identity import identity_of
from strag.words import as_text

_LONGEST = 12  # items of a list that a description shows


def describe(opened):
    """Return the description of a file that `open_file` has opened: dict.

    It contains the values of the stamp, such as kind, format, version and recipe. For a container it contains
    the `shapes` and `dtypes` of the tensors and, for a dataset, its `identity` and `class_sizes`. For a JSON
    kind it contains the values, with `shapes` in place of long lists.
    """
    if opened.is_json:
        return _describe_json(opened.value)
    with opened as container:
        layout = container.layout()
        description = _ordered(container.meta)
        description["shapes"] = {as_text(name): list(shape) for name, (_, shape) in layout.items()}
        description["dtypes"] = {as_text(name): dtype for name, (dtype, _) in layout.items()}
        if container.kind == "dataset" and "y" in layout and not container.meta.get("unfinished"):
            description["class_sizes"] = class_sizes(container)
            counted = {name: container.read(name) for name in COUNTED if name in layout}
            description["identity"] = identity_of(counted)
        return description


def _describe_json(value):
    """Return the description of a JSON kind from its object."""
    description, shapes = _ordered(value["strag"]), {}
    for key, item in value.items():
        if key == "strag":
            continue
        if isinstance(item, list) and len(item) > _LONGEST:
            shapes[key] = [len(item)]
        elif isinstance(item, dict) and item and all(isinstance(column, list) for column in item.values()):
            shapes[key] = [len(next(iter(item.values()))), len(item)]
        else:
            description[key] = item
    return {**description, "shapes": shapes}


def _ordered(meta):
    """Return a stamp with its most important keys first."""
    first = ("kind", "format", "version", "title")
    return {key: meta[key] for key in first if key in meta} | {
        k: v for k, v in meta.items() if k not in first
    }


def lookup(description, opened, key, source):
    """Return the value at a dotted `key` of a description, or of the JSON object itself.

    opened : the opened file. source : its name in messages. If there is no such value, raises a StragError
    that lists the keys available at that point of the path.
    """
    whole = {**(opened.value if opened.is_json else {}), **description}
    value, path = whole, []
    for part in key.split("."):
        if isinstance(value, list) and part.isdecimal() and len(part) < 19 and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            raise _no_key(value, part, path, source)
        path.append(part)
    return value


def _no_key(value, part, path, source):
    """Return the StragError for a `value`, found under `path`, that has no key or item `part`."""
    where = f" in '{'.'.join(path)}'" if path else ""
    if isinstance(value, dict):
        known = ", ".join(key for key in value if key != "strag")
        return bad_usage(f"has no key '{part}'{where}", f"it has {known}", source)
    if isinstance(value, list):
        return bad_usage(f"has no item '{part}'{where}", f"it has {len(value)} items, counted from 0", source)
    return StragError(f"has nothing below '{'.'.join(path)}'", "remove the rest of the key", source, status=2)
