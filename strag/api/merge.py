"""`strag.merge`: parts of a training, or files of a Recorder, joined into one."""

import contextlib
import os
import warnings
from contextlib import ExitStack, contextmanager

from strag import kinds
from strag.api.outputs import opened
from strag.errors import StragWarning, bad_usage, warn_of
from strag.files import joined, merging
from strag.files.opening import open_file
from strag.values import checked, path, several

MERGED = ("history", "weights")
READ = ("history", "weights", "recording")
SPARE = 64  # files that a process may have open besides the parts


def _paths(value, name):
    """The check of the path of one file, or of several; they become a list."""
    if isinstance(value, (str, os.PathLike)):
        value = [value]
    return list(several(path, "paths of the files to join", 1)(value, name))


@checked(files=_paths, output=path)
def merge(files, output):
    """Join the parts of a training, or the files of a Recorder.

    The parts of a training by `strag.train`, in any order, become the bytes of the training that was not
    split. The recordings of all processes of one run, in any order, become the history of this run. Histories
    of a Recorder, of the same examples and updates, become one history, whose runs are numbered in the order
    given.

    Parameters
    ----------
    files : paths of all histories, or of all weights, written by `strag.train` with `part`, or of files that
        `Recorder.save` wrote.
    output : where to write the joined file: a path.

    Returns
    -------
    History, or Weights.

    Raises StragError for files that do not belong together, for a run that several histories hold, for a part
    that is missing, that occurs twice or
    that is unfinished, for examples that are missing, and for an `output` that is one of the files.

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
        parts.write(sink)
    return kinds.read(output, MERGED)


@contextmanager
def open_parts(files, among_missing=False):
    """A context with the Parts, Ranks or Runs in files, which are open in it.

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
            containers = [stack.enter_context(open_file(file, READ, unfinished=True)) for file in files]
        if any(container.kind == "recording" for container in containers):
            yield joined.Ranks.of(containers)
        elif any(map(joined.is_recorded, containers)):
            yield joined.Runs.of(containers)
        else:
            yield merging.gathered(containers, among_missing)


def _allow_open_files(number):
    """Let this process open so many files at once, where the system allows it."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit

        soft, hard = getrlimit(RLIMIT_NOFILE)
        if RLIM_INFINITY != soft < number:
            setrlimit(RLIMIT_NOFILE, (number if hard == RLIM_INFINITY else min(number, hard), hard))
