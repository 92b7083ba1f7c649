"""Signals that end strag: it cleans up first, and then dies by the signal, so that a shell sees why."""

import contextlib
import os
import signal
import sys
import time

FAILED = 128  # added to a signal's number, the exit status of who dies by it, as shells count
SAME = 1.0  # seconds in which what comes again is the same one: a terminal, make and a wrapper all send it
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Interrupted(KeyboardInterrupt):
    """A signal that ends strag, raised where the work stands; everyone cleans up as after Ctrl-C.

    number : of the signal.
    """

    def __init__(self, number=signal.SIGINT):
        super().__init__()
        self.number = signal.Signals(number)

    def __str__(self):
        return _WORDS.get(self.number, f"ended by {self.number.name}")


class _Hearing:
    """What was heard in this process, whose signals there is one set of."""

    listening = False
    leaving = False  # the end has begun: nothing that comes now changes it
    held = 0  # steps in progress that a signal may not part
    waiting = None  # the signal that came during them
    last = None  # when one was raised
    raised = None  # the signal that was raised where the work stood


def _hear(number, _frame):
    now = time.monotonic()
    if _Hearing.leaving or (_Hearing.last is not None and now - _Hearing.last < SAME):
        return
    _Hearing.last = now
    if _Hearing.held:
        _Hearing.waiting = number
        return
    _Hearing.raised = number
    raise Interrupted(number)


def listen():
    """Raise `Interrupted` for what would end the process; a signal that is ignored, as by nohup, stays so.

    Returns what `restore` needs; nothing where it was done before, or where this is not the main thread.
    """
    if _Hearing.listening:
        return {}
    previous = {}
    with contextlib.suppress(ValueError):  # not in the main thread: signals are somebody else's
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                previous[number] = signal.signal(number, _hear)
    _Hearing.listening = bool(previous)
    return previous


def restore(previous):
    """Undo what `listen` did, of which `previous` came."""
    if not previous:
        return
    for number, handler in previous.items():
        signal.signal(number, handler if handler is not None else signal.SIG_DFL)
    _Hearing.listening = _Hearing.leaving = False
    _Hearing.waiting = _Hearing.last = _Hearing.raised = None


def raised():
    """What a signal has raised, an `Interrupted`, whatever a library made of it on its way; or None."""
    return None if _Hearing.raised is None else Interrupted(_Hearing.raised)


def leave():
    """From now on hear nothing more: the process is about to end."""
    _Hearing.leaving = True


@contextlib.contextmanager
def held():
    """A few quick steps that belong together: a signal takes effect after them."""
    _Hearing.held += 1
    try:
        yield
    finally:
        _Hearing.held -= 1
        if _Hearing.waiting is not None and not _Hearing.held:
            number, _Hearing.waiting = _Hearing.waiting, None
            _Hearing.raised = number
            raise Interrupted(number)


def die_by(number):
    """End this process by a signal's own doing."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
