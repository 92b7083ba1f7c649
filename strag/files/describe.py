"""The description of a file of any kind, its content and its origin, as one dictionary."""

from strag.datasets.dataset import COUNTED
from strag.errors import StragError, bad_usage
from strag.files.dataset import class_sizes
from strag.identity import identity_of
from strag.words import as_text

_LONGEST = 12  # items of a list that a description shows


def describe(opened):
    """The description of an opened file, the result of `open_file`: dict.

    It has kind, format, version, recipe and the like; `shapes` and `dtypes` of tensors; for a dataset its
    `identity`; for a JSON kind its values, with `shapes` in place of long lists.
    """
    if opened.is_json:
        return _describe_json(opened.value)
    with opened as container:
        layout = container.layout()
        told = _ordered(container.meta)
        told["shapes"] = {as_text(name): list(shape) for name, (_, shape) in layout.items()}
        told["dtypes"] = {as_text(name): dtype for name, (dtype, _) in layout.items()}
        if container.kind == "dataset" and "y" in layout and not container.meta.get("unfinished"):
            told["class_sizes"] = class_sizes(container)
            told["identity"] = identity_of({name: container.read(name) for name in COUNTED if name in layout})
        return told


def _describe_json(value):
    told, shapes = _ordered(value["strag"]), {}
    for key, item in value.items():
        if key == "strag":
            continue
        if isinstance(item, list) and len(item) > _LONGEST:
            shapes[key] = [len(item)]
        elif isinstance(item, dict) and item and all(isinstance(column, list) for column in item.values()):
            shapes[key] = [len(next(iter(item.values()))), len(item)]
        else:
            told[key] = item
    return {**told, "shapes": shapes}


def _ordered(meta):
    first = ("kind", "format", "version", "title")
    return {key: meta[key] for key in first if key in meta} | {
        k: v for k, v in meta.items() if k not in first
    }


def lookup(told, opened, key, source):
    """The value at a dotted `key` of a description, or of a JSON kind itself.

    Raises a StragError that lists the keys available where the path ends.
    """
    whole = {**(opened.value if opened.is_json else {}), **told}
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
    where = f" in '{'.'.join(path)}'" if path else ""
    if isinstance(value, dict):
        known = ", ".join(key for key in value if key != "strag")
        return bad_usage(f"has no key '{part}'{where}", f"it has {known}", source)
    if isinstance(value, list):
        return bad_usage(f"has no item '{part}'{where}", f"it has {len(value)} items, counted from 0", source)
    return StragError(f"has nothing below '{'.'.join(path)}'", "remove the rest of the key", source, status=2)
