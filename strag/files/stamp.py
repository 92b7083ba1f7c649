"""The stamp of every strag file, and the errors for files without one or of another kind."""

from strag import __version__
from strag.errors import StragError, warn_of
from strag.kinds import KINDS, maker_of, remake

NEWEST = 2  # of the formats: 1, and 2 where a layer has a name


def stamp(kind, **fields):
    """The object under the key `strag` of a file of this kind, in the lowest format that can hold it."""
    named = any(isinstance(layer, str) for layer in fields.get("layers") or ())
    return {"format": 2 if named else 1, "kind": kind, "version": __version__, **fields}


def wrong_kind(source, kind, wanted):
    """The error for a file whose kind the command does not read."""
    problem = f"is {with_article(kind)} file, not {with_article(wanted)} file"
    return StragError(problem, f"make one with '{maker_of(wanted)}'", source=source)


def with_article(kind):
    """A kind of file after 'a' or 'an'."""
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"


def check_stamp(meta, source, wanted=(), unfinished=False):
    """Check format and kind of the object under `strag`; return it.

    wanted : the kinds that it may be, empty for any. unfinished : whether to accept, with a warning, a file
    whose command was killed. The finished part of an interrupted training also causes a warning.
    """
    fields = (("kind", str), ("format", int))
    if not isinstance(meta, dict) or not all(isinstance(meta.get(key), type_) for key, type_ in fields):
        raise not_strag(source, wanted=wanted)
    if meta["format"] > NEWEST:
        raise StragError(
            f"has format {meta['format']}, but this strag reads formats up to {NEWEST}",
            "upgrade strag",
            source=source,
        )
    if wanted and meta["kind"] not in wanted:
        raise wrong_kind(source, meta["kind"], wanted[0])
    if meta.get("unfinished"):
        problem = "is unfinished: the command that wrote it was killed"
        if not unfinished:
            raise StragError(problem, "run it again", source)
        warn_of(source, problem)
    if type(meta.get("interrupted")) is int:
        warn_of(source, f"is the finished part of a training, up to update {meta['interrupted']}")
    return meta


def check_fields(meta, source):
    """Check the types of those values under `strag` that are used later."""
    for name, fits in _FIELDS.items():
        holder, key = meta, name
        while "." in key:
            first, key = key.split(".", 1)
            holder = holder.get(first) or {}
        if holder.get(key) is not None and not fits(holder[key]):
            remedy = remake(meta["kind"]) if meta["kind"] in KINDS else "create it again"
            raise StragError(f"its '{name}' cannot be read", remedy, source)


def _is_object(value):
    return isinstance(value, dict)


def _is_text(value):
    return isinstance(value, str)


def _are_texts(value):
    return isinstance(value, list) and all(map(_is_text, value))


def _are_numbers(value):
    """Whether it is a list of natural numbers without duplicates."""
    natural = isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)
    return natural and len(set(value)) == len(value)


def _are_layers(value):
    """Whether it is a list of natural numbers and names without duplicates."""
    names = [layer for layer in value if isinstance(layer, str)] if isinstance(value, list) else []
    numbers = [layer for layer in value if layer not in names] if isinstance(value, list) else value
    return _are_numbers(numbers) and all(names) and len(set(names)) == len(names)


def _is_count(value):
    return type(value) is int and 0 <= value < 2**53


def _is_real(value):
    return type(value) in (int, float) and abs(value) < float("inf")


# The values of a stamp that are used. An object comes before its parts.
_FIELDS = {
    "recipe": _is_object,
    "recipe.lr": _is_real,
    "recipe.noise": lambda value: isinstance(value, list) and all(map(_is_real, value)),
    "inputs": _is_object,
    "inputs.training": _is_object,
    "inputs.training.lr": _is_real,
    "inputs.history": _is_object,
    "interrupted": _is_count,
    "origin_size": _is_count,
    "title": _is_text,
    "command": _is_text,
    "labels": _is_text,
    "classes": _are_texts,
    "runs": _are_numbers,
    "layers": _are_layers,
}


def not_strag(name, head=b"", wanted=()):
    """The error for a file that strag did not write. The remedy creates the first kind of `wanted`."""
    wanted = wanted[0] if wanted else None
    known = (
        (b"PK\x03\x04", "an npz or zip file"),
        (b"\x93NUMPY", "an npy file"),
        (b"\x1f\x8b", "a gzipped file"),
        (b"\x00\x00\x08", "an IDX file"),
    )
    what = next((what for magic, what in known if head.startswith(magic)), None)
    if wanted not in (None, "dataset"):
        remedy = f"make one with '{maker_of(wanted)}'"
    elif what:
        remedy = "import it with 'strag data FILE'"
    elif wanted:
        remedy = "make one with 'strag data FILE', from images, arrays, tables and more"
    else:
        remedy = "pass a file that strag wrote"
    return StragError(f"is {what}, not a strag file" if what else "is not a strag file", remedy, source=name)


def no_content(name):
    """The error for an empty file, such as the output of a failed command in a pipe."""
    remedy = "did the command before it in the pipe fail?" if name == "stdin" else "create it again"
    return StragError("is empty", remedy, source=name)
