"""`strag.merge`: parts of a training joined into the whole."""

import contextlib
import os
import warnings
from contextlib import ExitStack, contextmanager

from strag import kinds
from strag.api.outputs import opened
from strag.errors import StragWarning, bad_usage, warn_of
from strag.files import merging
from strag.files.opening import open_file
from strag.values import checked, path, several

MERGED = ("history", "weights")
SPARE = 64  # files that a process may have open besides the parts


def _paths(value, name):
    """The check of the path of one file, or of several; they become a list."""
    if isinstance(value, (str, os.PathLike)):
        value = [value]
    return list(several(path, "paths of the parts of a training", 1)(value, name))


@checked(files=_paths, output=path)
def merge(files, output):
    """Join the parts of a training, in any order: the bytes of the training that was not split.

    Parameters
    ----------
    files : paths of all its histories, or of all its weights, written by `strag.train` with `part`.
    output : where to write the file of the whole training: a path.

    Returns
    -------
    History, or Weights.

    Raises StragError for files that are not parts of one training, for a part that is missing, that occurs
    twice or that is unfinished, and for an `output` that is one of the parts.

    Examples
    --------
    >>> import numpy as np, os, strag, tempfile
    >>> x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    >>> data, folder = strag.data(x, x[:, 0] > 0), tempfile.mkdtemp()
    >>> files = [os.path.join(folder, f"h.{number}") for number in (1, 2)]
    >>> for number, file in enumerate(files, 1):
    ...     part = strag.train(data, runs=40, epochs=2, part=f"{number}/2", output=file)
    >>> strag.merge(files, os.path.join(folder, "h")).train_error.shape
    (3, 40)
    """
    for file in files:
        if os.path.exists(file) and os.path.exists(output) and os.path.samefile(file, output):
            raise bad_usage("is read, and `output` would overwrite it", "choose another file name", file)
    with open_parts(files) as parts, opened(output) as sink:
        merging.merge(parts, sink)
    return kinds.read(output, MERGED)


@contextmanager
def open_parts(files, among_missing=False):
    """A context with the Parts in files, which are open in it.

    files : paths, of at least one part. among_missing : whether files that do not exist, and unfinished
    parts, see `merging.gathered`, count as missing.
    """
    present = [file for file in files if os.path.exists(file)]
    if among_missing and present:  # a shell names those of {1..8} that do not exist, too
        for file in files:
            if file not in present:
                warn_of(file, "does not exist, and counts as missing")
        files = present
    _allow_open_files(len(files) + SPARE)
    with ExitStack() as stack:
        with warnings.catch_warnings():
            # That a part is unfinished is said below, with what follows from it.
            warnings.simplefilter("ignore", StragWarning)
            containers = [stack.enter_context(open_file(file, MERGED, unfinished=True)) for file in files]
        yield merging.gathered(containers, among_missing)


def _allow_open_files(number):
    """Let this process open so many files at once, where the system allows it."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit

        soft, hard = getrlimit(RLIMIT_NOFILE)
        if RLIM_INFINITY != soft < number:
            setrlimit(RLIMIT_NOFILE, (number if hard == RLIM_INFINITY else min(number, hard), hard))
