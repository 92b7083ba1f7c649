"""The work file that an earlier command has begun, compared with the one that this command would begin."""

import contextlib
import json
import os

from strag.errors import StragError
from strag.files.canonical import canonical_json, difference

_HEAD = b'{"__metadata__":{"strag"'  # of the header of every file that strag writes
_REMOVE = "remove it, or write to another file"


def is_header_of(found, unfinished, finished):
    """Whether the first bytes of a work file are its header, also if the command was killed as it wrote it.

    found : the bytes; fewer than a header if the file was just begun. unfinished, finished : the header while
    the file is written, and when it is complete. A killed command may have replaced only the first part of
    one by the other. A work file begins with zeros until the training begins.
    """
    if len(found) < len(unfinished):
        return unfinished.startswith(found)
    if found in (unfinished, finished):
        return True
    zeros = bytes(len(found))
    pairs = ((zeros, unfinished), (unfinished, finished), (finished, unfinished))
    return any(_is_partly(found, old, new) for old, new in pairs)


def _is_partly(found, old, new):
    """Whether `found` is `old`, of which a first part, none or all may have been replaced by `new`."""
    pairs = enumerate(zip(found, new, strict=True))
    replaced = next((at for at, (ours, theirs) in pairs if ours != theirs), len(found))
    return found[replaced:] == old[replaced:]


def begun_otherwise(file, meta, path):
    """The error for a work file that is not that of a training with the stamp `meta`."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    header = file.read(min(length, os.fstat(file.fileno()).st_size))
    if not header.startswith(_HEAD):
        return not_begun_here(path)
    what = "tensors differ"
    with contextlib.suppress(ValueError, KeyError, TypeError):  # a header that is not whole
        theirs = json.loads(json.loads(header)["__metadata__"]["strag"])
        ours = json.loads(canonical_json(meta))
        what = difference(theirs, ours, ("unfinished", "version")) or what
    return StragError(f"belongs to another training: its {what}", f"finish that one, or {_REMOVE}", path)


def begun_with_less(path):
    """The error for a work file without room for the state of as many groups of runs at once."""
    problem = "was begun with fewer workers, or is cut short"
    return StragError(problem, f"use as many workers as then, or {_REMOVE}", path)


def not_begun_here(path):
    """The error for a file, link or folder in the place of a work file that strag did not put there."""
    return StragError("is not a work file that strag began", _REMOVE, path)
