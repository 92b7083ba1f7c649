"""Whether an output is there already, complete, from an earlier command of the same job."""

import json
import os

from strag.errors import StragError
from strag.files.canonical import canonical_json, difference
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
