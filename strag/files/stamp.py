"""The stamp of every strag file, and the errors for files without a stamp or of another kind."""

from strag import __version__
from strag.errors import StragError, warn_of
from strag.files.beside import RESUME
from strag.kinds import KINDS, maker_of, remake

# The newest format. Files about layers with names, from a training until decided, or of a training that strag
# did not make have format 2, all others format 1.
NEWEST = 2


def stamp(kind, **fields):
    """Return the object under the key `strag` of a file, in the lowest format that can hold it."""
    recipe = _object(fields.get("recipe"))
    is_recorded = fields.get("recording") is not None and "recipe" not in fields
    is_named = any(isinstance(layer, str) for layer in _layers_of(fields))
    is_new = recipe.get("until") is not None or is_named or is_recorded
    return {"format": 2 if is_new else 1, "kind": kind, "version": __version__, **fields}


def _layers_of(fields):
    """Return the measured layers, or those of the training if something was found in one of them: list."""
    layers = fields.get("layers")
    if layers is None and _object(fields.get("recipe")).get("layer") is not None:
        layers = _object(_object(fields.get("inputs")).get("training")).get("layers")
    return layers or []


def _object(value):
    """Return a JSON object, or an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def wrong_kind(source, kind, wanted):
    """Return the StragError for a file of another kind than the wanted one."""
    problem = f"is {with_article(kind)} file, not {with_article(wanted)} file"
    if kind == "recording":
        return StragError(problem, "join the ranks with 'strag merge'", source=source)
    return StragError(problem, f"make one with '{maker_of(wanted)}'", source=source)


def with_article(kind):
    """Return the name of a kind with its article, as it stands before the word 'file'."""
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"


def check_stamp(meta, source, wanted=(), unfinished=False):
    """Check the format and kind in a stamp, the object under `strag`, and return the stamp.

    source : name of the file in messages. wanted : the kinds that are accepted, empty for any. unfinished :
    whether to accept, with a warning, a file whose command was killed. The finished part of an interrupted
    training also causes a warning. Raises StragError for a stamp that is not accepted.
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
        problem, remedy = "is unfinished: the command that wrote it was killed", "run it again"
        if str(source).endswith(RESUME):
            problem = "is unfinished: its training was stopped, or still runs"
            remedy = "run the same command with `resume` again"
        if not unfinished:
            raise StragError(problem, remedy, source)
        warn_of(source, problem)
    if type(meta.get("interrupted")) is int:
        warn_of(source, f"is the finished part of a training, up to update {meta['interrupted']}")
    return meta


def check_fields(meta, source):
    """Check the types of the values in a stamp that strag uses. Raises StragError for a wrong type."""
    for name, fits in _FIELDS.items():
        holder, key = meta, name
        while "." in key:
            first, key = key.split(".", 1)
            holder = holder.get(first) or {}
        if holder.get(key) is not None and not fits(holder[key]):
            remedy = remake(meta["kind"]) if meta["kind"] in KINDS else "create it again"
            raise StragError(f"its '{name}' cannot be read", remedy, source)


def _is_object(value):
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def _is_text(value):
    """Whether a JSON value is a text."""
    return isinstance(value, str)


def _are_texts(value):
    """Whether a JSON value is a list of texts."""
    return isinstance(value, list) and all(map(_is_text, value))


def _are_numbers(value):
    """Whether a JSON value is a list of natural numbers without duplicates."""
    natural = isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)
    return natural and len(set(value)) == len(value)


def _are_layers(value):
    """Whether a JSON value is a list of natural numbers and names without duplicates."""
    names = [layer for layer in value if isinstance(layer, str)] if isinstance(value, list) else []
    numbers = [layer for layer in value if layer not in names] if isinstance(value, list) else value
    return _are_numbers(numbers) and all(names) and len(set(names)) == len(names)


def _is_count(value):
    """Whether a JSON value is a natural number below 2**53."""
    return type(value) is int and 0 <= value < 2**53


def _is_real(value):
    """Whether a JSON value is a finite number."""
    return type(value) in (int, float) and abs(value) < float("inf")


# The values of a stamp that strag uses, with a check of each. An object comes before its parts.
_FIELDS = {
    "recipe": _is_object,
    "recipe.lr": _is_real,
    "recipe.noise": lambda value: isinstance(value, list) and all(map(_is_real, value)),
    "inputs": _is_object,
    "inputs.training": _is_object,
    "inputs.training.lr": _is_real,
    "inputs.history": _is_object,
    "inputs.checkpoints": _is_object,
    "interrupted": _is_count,
    "origin_size": _is_count,
    "recording": _is_text,
    "title": _is_text,
    "command": _is_text,
    "labels": _is_text,
    "classes": _are_texts,
    "runs": _are_numbers,
    "layers": _are_layers,
    "lacks": _are_texts,
}


def not_strag(name, head=b"", wanted=()):
    """Return the StragError for a file that strag did not write.

    head : the first bytes of the file. wanted : the kinds that are accepted; the remedy names the command
    that creates the first one.
    """
    kind = wanted[0] if wanted else None
    known = (
        (b"PK\x03\x04", "an npz or zip file"),
        (b"\x93NUMPY", "an npy file"),
        (b"\x1f\x8b", "a gzipped file"),
        (b"\x00\x00\x08", "an IDX file"),
    )
    form = next((form for magic, form in known if head.startswith(magic)), None)
    if kind not in (None, "dataset"):
        remedy = f"make one with '{maker_of(kind)}'"
        remedy += ", or pass an npy, npz or safetensors file of arrays" if kind == "activations" else ""
    elif form:
        remedy = "import it with 'strag data FILE'"
        if form == "an npz or zip file" and kind is None:
            remedy += ", or predictions with 'strag history FILE'"
    elif kind:
        remedy = "make one with 'strag data FILE', from images, arrays, tables and more"
    else:
        remedy = "pass a file that strag wrote"
    return StragError(f"is {form}, not a strag file" if form else "is not a strag file", remedy, source=name)


def no_content(name):
    """Return the StragError for an empty file, such as the output of a failed command in a pipe."""
    remedy = "did the command before it in the pipe fail?" if name == "stdin" else "create it again"
    return StragError("is empty", remedy, source=name)
