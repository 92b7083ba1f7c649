"""Whether an output is there already, complete, from an earlier command of the same job."""

import json
import os

from strag.errors import StragError
from strag.files.canonical import canonical_json
from strag.files.opening import open_file


def is_complete(path, meta, updates=None, tensors=()):
    """Whether a file is the output with this stamp; False if there is no such file.

    updates : of weights, the updates that it must hold. tensors : names of optional tensors that it must
    hold. The environment may differ. Raises StragError if the file is anything else, which must not be
    replaced.
    """
    if not os.path.exists(path):
        return False
    with open_file(path) as opened:
        meta = json.loads(canonical_json(meta))
        what = difference(opened.meta, meta, ("environment",))
        if what is None and updates is not None and opened.read("updates").tolist() != list(updates):
            what = "updates differ"
        if what is None and not set(tensors) <= opened.layout().keys():
            what = "state is missing"
    if what:
        raise StragError(f"is the output of another job: its {what}", "use another name, or remove it", path)
    return True


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
