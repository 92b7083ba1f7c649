"""The `output` of the functions of the package: a path, an open Output, or None."""

import contextlib

from strag.files.jsonfile import write_json
from strag.files.output import Output


@contextlib.contextmanager
def opened(output, binary=True):
    """A context with an open Output for a path, the Output itself, or None for None."""
    if output is None or isinstance(output, Output):
        yield output
        return
    with Output(str(output), binary) as sink:
        yield sink


def write_answer(value, output):
    """Write a JSON object to a path or into an open Output; None writes nothing."""
    with opened(output, binary=False) as sink:
        if sink:
            write_json(value, sink)
