"""Opening a strag file of any kind: a container of tensors, or a JSON object."""

import json
import re
from dataclasses import dataclass

from strag.errors import StragError
from strag.files.canonical import legible
from strag.files.reading import container_from, is_json
from strag.files.stamp import check_stamp, not_strag, with_article, wrong_kind
from strag.files.streams import name_of, open_input, read_exactly
from strag.kinds import KINDS, maker_of

LARGEST = 1 << 30  # bytes of a JSON kind
_START = 1 << 16  # bytes of a JSON file among which its stamp is sought


@dataclass(frozen=True)
class Document:
    """An opened file of a JSON kind.

    name : name of the file in messages. value : the whole JSON object.
    """

    name: str
    value: dict
    is_json = True

    @property
    def meta(self):
        """The object under `strag`."""
        return self.value["strag"]

    @property
    def kind(self):
        """The kind in the stamp."""
        return self.meta["kind"]

    def close(self):
        """Do nothing, because the whole file was read."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def open_file(path, wanted=None, unfinished=False):
    """Open a strag file from a path, or from stdin for '-': a Container or a Document.

    wanted : the kind of file that is accepted, a tuple of several, or None for any. unfinished : whether to
    accept, with a warning, a file whose command was killed.

    Raises StragError for a file that is not a strag file, is cut short, or is of another kind.
    """
    wanted = (wanted,) if isinstance(wanted, str) else wanted or ()
    with open_input(path) as stream:
        name = name_of(path)
        head = read_exactly(stream, 8)
        if not is_json(head):
            return container_from(stream, head, name, wanted, unfinished)
        if wanted and not any(KINDS[kind].is_json for kind in wanted):
            kind = _kind_of(head + read_exactly(stream, _START))
            if kind is not None:
                raise wrong_kind(name, kind, wanted[0])
            problem = f"is JSON, not {with_article(wanted[0])} file"
            raise StragError(problem, f"make one with '{maker_of(wanted[0])}'", name)
        return Document(name, _parse(head + _rest(stream, name), name, wanted, unfinished))


def _kind_of(start):
    """Return the kind in the stamp of a JSON object that begins with these bytes, or None."""
    stamp = start.partition(b'"strag"')[2]
    kind = re.search(rb'"kind"\s*:\s*"(\w+)"', stamp)
    return kind[1].decode() if kind and kind[1].decode() in KINDS else None


def _rest(stream, name):
    """Read the rest of a JSON file. Raises StragError if it is too long."""
    rest = read_exactly(stream, LARGEST)
    if len(rest) == LARGEST:
        raise StragError(f"is JSON of more than {LARGEST >> 30} GiB", "pass a file that strag wrote", name)
    return rest


def _parse(text, name, wanted, unfinished):
    """Return the JSON object in a text after checking its stamp."""
    try:
        value = legible(json.loads(text))
    except (ValueError, RecursionError) as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "its text"
        raise StragError(
            f"is not complete JSON (at {place})", "create or copy it again", source=name
        ) from None
    if not isinstance(value, dict) or "strag" not in value:
        raise not_strag(name, wanted=wanted)
    check_stamp(value["strag"], name, wanted, unfinished)
    return value
