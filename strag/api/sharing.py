"""The work of one function shared among processes of this machine, with the results in order.

The processes are forked, so that open files and large arrays need not be sent. Process K of W computes items
K, K + W, ... and waits until its results are collected, which bounds the memory.
"""

import contextlib
import multiprocessing
import os
import signal
from functools import partial

from strag.errors import StragError, StragNote, warn_caller
from strag.values import whole
from strag.words import number_of


def workers_check(value, name):
    """The check of `workers`: a number of processes, or "auto"."""
    return value if isinstance(value, str) and value == "auto" else whole(1, 4096)(value, name)


def cores():
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shared_by(workers):
    """A function that does what `map` does by some processes. workers : number, "auto", or None for this one.

    "auto" is one for each core. Where processes cannot be forked, this one does all the work, with a note.
    """
    number = cores() if workers == "auto" else workers or 1
    if number > 1 and "fork" not in multiprocessing.get_all_start_methods():
        warn_caller(f"this system cannot fork {number_of(number, 'worker')}, so one is used", StragNote)
        number = 1
    return map if number == 1 else partial(_shared, number)


def _shared(number, function, items):
    """Yield function(item) of all items of a list, in order, computed by up to `number` processes."""
    number = min(number, len(items))
    if number < 2:
        yield from map(function, items)
        return
    context, workers = multiprocessing.get_context("fork"), []
    try:
        for first in range(number):
            ours, theirs = context.Pipe(duplex=False)
            known = [ours, *(pipe for _, pipe in workers)]
            worker = context.Process(target=_work, args=(function, items[first::number], theirs, known))
            worker.start()
            theirs.close()
            workers.append((worker, ours))
        for at in range(len(items)):
            yield _received(*workers[at % number])
    finally:
        for worker, pipe in workers:
            worker.kill()
            worker.join()
            pipe.close()


def _received(worker, pipe):
    """The next result of a worker. Raises the error that its function raised, or StragError if it ended."""
    try:
        result, error = pipe.recv()
    except EOFError:
        worker.join()
        how = f"was killed by {signal.Signals(-worker.exitcode).name}" if worker.exitcode < 0 else "ended"
        raise StragError(f"a worker {how}", "use fewer `workers`, which need less memory") from None
    if error is not None:
        raise error
    return result


def _work(function, items, output, inherited):
    """Send function(item) of all items; what a worker does. Ctrl-C is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for pipe in inherited:  # so that a worker notices when the parent has ended
        pipe.close()
    with contextlib.suppress(BrokenPipeError):
        for item in items:
            try:
                message = function(item), None
            except Exception as error:
                message = None, error
            output.send(message)
    os._exit(0)  # without the exit of the parent's objects
