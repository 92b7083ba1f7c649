"""`strag.merge`: parts of a training joined into the whole."""

import os
from contextlib import ExitStack, contextmanager

from strag import kinds
from strag.api.outputs import opened
from strag.errors import bad_usage
from strag.files import merging
from strag.files.opening import open_file

MERGED = ("history", "weights")


def merge(files, output):
    """Join the parts of a training, in any order: the bytes of the training that was not split.

    Parameters
    ----------
    files : paths of all its histories, or of all its weights, written by `strag train --part`.
    output : path of the file of the whole training.

    Returns
    -------
    History, or Weights.

    Raises StragError for parts of different trainings, and if one is missing or occurs twice.
    """
    files = [files] if isinstance(files, (str, os.PathLike)) else list(files)
    for path in files:
        if os.path.exists(path) and os.path.exists(output) and os.path.samefile(path, output):
            raise bad_usage("is read, and `output` would overwrite it", "choose another file name", str(path))
    with open_parts(files) as parts, opened(output) as sink:
        merging.merge(parts, sink)
    return kinds.read(str(output), MERGED)


@contextmanager
def open_parts(files):
    """A context with the Parts in files, which are open in it. files : paths, of at least one part."""
    if not files:
        raise bad_usage("there are no parts to merge", "pass files that 'strag train --part' wrote")
    with ExitStack() as stack:
        yield merging.gathered([stack.enter_context(open_file(str(path), MERGED)) for path in files])
