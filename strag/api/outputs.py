"""Where a verb writes what it gives, if it is asked to."""

import contextlib

from strag.files.output import Output


@contextlib.contextmanager
def opened(output, binary=True):
    """An open Output from a path, or the Output itself, or None for None."""
    if output is None or isinstance(output, Output):
        yield output
        return
    with Output(str(output), binary) as sink:
        yield sink
