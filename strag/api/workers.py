"""One training by several processes, each of which trains groups of runs with few threads.

Every worker is a Python process of its own that receives the task once, then one group after another, and
sends back what `strag.training.loop.train` would yield. Which worker trains a group changes no number.
"""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass, replace

from strag.errors import StragError, StragWarning
from strag.training.device import set_threads
from strag.training.group import Group, open_inputs
from strag.training.loop import begun_groups
from strag.training.records import STATE, STOP

WAITING = 0.1  # seconds after which the parent looks whether a state is due
AHEAD = 4  # records that a worker may be ahead of the parent
START = (  # Ctrl-C is the parent's, also while the worker loads
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = {!r}; from strag.api.workers import work; work()"
)


@dataclass(frozen=True)
class _Order:
    """What every worker needs: the arguments of `train`. every : seconds between Checkpoints, or None."""

    recipe: object
    task: object
    weights_at: tuple
    device: str
    threads: int
    every: float | None
    keep: bool
    decide: object
    parent: int


def train_by(crew, recipe, task, weights_at=(), begun=(), due=None, every=None, keep=False, decide=None):
    """Yield what `strag.training.loop.train` yields, in another order, from the workers of a Crew.

    due : see `train`; where it returns STOP, every worker sends its last Checkpoint and ends. every : seconds
    between the Checkpoints of a group, with `due`.

    Raises StragError if a worker ends by itself.
    """
    groups = list(begun_groups(recipe, task, begun))
    every = None if due is None else every
    workers, events = [], queue.Queue()
    try:
        for device in crew.devices[: len(groups)]:
            order = _Order(
                *(recipe, task, tuple(weights_at), device, crew.threads, every, keep, decide, os.getpid())
            )
            workers.append(_Worker(order, events))
        for worker in workers:  # all of them have begun to load by now
            worker.begin()
            worker.send(groups.pop(0))
        yield from _followed(workers, groups, events, due)
    finally:
        for worker in workers:
            worker.end()


def _followed(workers, groups, events, due):
    """Yield the events of all workers until every group is done, or all have stopped."""
    active, stopping = set(workers), False
    while active:
        if due is not None and not stopping and due() == STOP:
            stopping = True
            for worker in active:
                worker.stop()
        try:
            worker, event = events.get(timeout=WAITING)
        except queue.Empty:
            continue
        worker.taken.release()
        if worker not in active:
            continue  # it has ended, as it was asked to
        if isinstance(event, _Failure):
            raise event.error
        if not isinstance(event, _Done):
            yield event
        elif event.is_stopped and not stopping:
            raise StragError("a worker of the training was terminated", "train again")
        elif groups and not stopping:
            worker.send(groups.pop(0))
        else:
            active.discard(worker)


@dataclass
class _Done:
    """The end of a group. is_stopped : whether the worker was asked to stop before the group was complete."""

    is_stopped: bool


@dataclass
class _Failure:
    """An exception in the place of an event."""

    error: Exception


class _Worker:
    """A worker process, and the thread that passes on its events. The last event of a group is a _Done."""

    def __init__(self, order, events):
        command = [sys.executable, "-c", START.format(sys.path)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(order.threads)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self.taken, self.order = threading.Semaphore(AHEAD), order
        threading.Thread(target=self._pass_on, args=(events,), daemon=True).start()

    def _put(self, message):
        with contextlib.suppress(BrokenPipeError):  # `_pass_on` reports that it has ended
            pickle.dump(message, self.process.stdin, pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()

    def begin(self):
        """Give the worker its order."""
        self._put(self.order)

    def send(self, group):
        """Give the worker a group: its slice of runs, and its Checkpoint or None."""
        runs, checkpoint = group
        if checkpoint is not None:
            checkpoint = replace(checkpoint, seen=list(checkpoint.seen))
        self._put((runs, checkpoint))

    def stop(self):
        """Let the worker send the Checkpoint of its group and end."""
        self.process.terminate()

    def end(self):
        """End the worker at once."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def _pass_on(self, events):
        """Pass on the events of the process, a few at a time; runs in a thread."""
        try:
            while True:
                event = pickle.load(self.process.stdout)
                self.taken.acquire()
                events.put((self, event))
        except Exception:  # its output ended, or was cut
            events.put((self, _Failure(_ended(self.process.wait()))))


def _ended(status):
    """The error for a worker that ended by itself."""
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    lacks_memory = status == -getattr(signal, "SIGKILL", 9)
    remedy = "use fewer `workers`, which need less memory" if lacks_memory else "train again"
    return StragError(f"a worker of the training {how}", remedy)


def work():
    """Train the groups that arrive on stdin; what a worker process runs."""
    orders, output = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints does not mix with the events
    stopped = _listen()
    warnings.simplefilter("ignore", StragWarning)  # the parent has issued them
    with contextlib.suppress(EOFError, BrokenPipeError, pickle.UnpicklingError):  # the parent has ended
        order = pickle.load(orders)
        set_threads(order.threads)
        due = _Due(order, stopped)
        inputs = open_inputs(order.recipe, order.task, order.device)
        while not stopped:
            for event in _events(order, inputs, *pickle.load(orders), due):
                pickle.dump(event, output, pickle.HIGHEST_PROTOCOL)
                output.flush()


def _events(order, inputs, runs, checkpoint, due):
    """Yield the events of one group, and a _Done at its end; an error is an event, too."""
    try:
        group = Group(
            order.recipe, order.task, *inputs, runs, frozenset(order.weights_at), order.device, order.decide
        )
        if checkpoint is not None:
            group.restore(checkpoint)
        yield from group.events(due, order.keep or order.every is not None)
        yield _Done(group.is_stopped)
    except Exception as error:
        yield _Failure(error)


def _listen():
    """A list that gets an item when the parent asks the worker to stop; other signals are the parent's."""
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    for name in ("SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    return stopped


class _Due:
    """Whether a Checkpoint is due in a worker; see `train`. Ends the worker if its parent has ended."""

    def __init__(self, order, stopped):
        self.order, self.stopped = order, stopped
        self._next = time.monotonic() + (order.every or 0)

    def __call__(self):
        if os.getppid() != self.order.parent:
            os._exit(1)
        if self.stopped and self.order.every is None:
            os._exit(1)
        if self.stopped:
            return STOP
        if self.order.every is None or time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + self.order.every
        return STATE
