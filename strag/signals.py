"""Handling of the signals that end strag.

strag cleans up and then ends by the same signal, so that a shell sees the cause. The exception that ends the
work can be lost, because Python drops the exceptions of `__del__`. A timer therefore raises it again until
strag ends. No exception is raised during an import, because torch drops some of them and aborts at others.
"""

import contextlib
import os
import signal
import sys
import time

FAILED = 128  # a shell reports this plus the signal's number as the status of a process ended by a signal
SAME = 1.0  # seconds within which signals count as one, since a terminal, make and a wrapper may all send it
AGAIN = 0.1  # seconds after which an exception that nothing handles is raised again
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Interrupted(KeyboardInterrupt):
    """A signal that ends strag. It is raised in the main thread at the current line, like Ctrl-C.

    number : number of the signal.
    """

    def __init__(self, number=signal.SIGINT):
        super().__init__()
        self.number = signal.Signals(number)

    def __str__(self):
        return _WORDS.get(self.number, f"ended by {self.number.name}")


class _Hearing:
    """The state of signal handling. There is one per process, because signals belong to the process."""

    listening = False
    leaving = False  # whether the process has begun to end and ignores further signals
    held = 0  # number of nested steps that a signal may not interrupt
    waiting = None  # the signal that arrived during such steps
    last = None  # time at which the last signal was accepted
    raised = None  # the signal that was raised as `Interrupted`
    unraisable = None  # the hook of `sys` before `listen`
    alarm = None  # the handler of SIGALRM before the timer was set


def _hear(number, frame):
    """Handle a signal: raise `Interrupted` now or after the steps of `held`, or ignore a repetition."""
    now = time.monotonic()
    if _Hearing.leaving or (_Hearing.last is not None and now - _Hearing.last < SAME):
        return
    _Hearing.last = now
    if _Hearing.held:
        _Hearing.waiting = number
        return
    _interrupt(number, frame)


def _interrupt(number, frame=None):
    """Raise `Interrupted`, unless the frame is that of an import; a timer raises it again, or later."""
    _Hearing.raised = number
    _set_timer(AGAIN)
    if not _is_importing(frame):
        raise Interrupted(number)


def _is_importing(frame):
    """Whether the frame belongs to an import. Where no timer could raise the exception later, none does."""
    while frame is not None and frame.f_globals.get("__name__") != "importlib._bootstrap":
        frame = frame.f_back
    return frame is not None and hasattr(signal, "setitimer")


def _set_timer(seconds):
    """Let `_insist` run after so many seconds; 0 is never. There is no timer outside Unix."""
    if not hasattr(signal, "setitimer") or (_Hearing.alarm is None and not seconds):
        return
    if _Hearing.alarm is None:
        _Hearing.alarm = signal.signal(signal.SIGALRM, _insist) or signal.SIG_DFL
    signal.setitimer(signal.ITIMER_REAL, seconds)
    if not seconds:
        signal.signal(signal.SIGALRM, _Hearing.alarm)
        _Hearing.alarm = None


def _insist(_number, frame):
    """Raise `Interrupted` again if it is lost: if no clean-up is in progress that it has started."""
    if _Hearing.leaving or _Hearing.raised is None:
        return
    if _Hearing.held or _is_handled():
        _set_timer(AGAIN)
    else:
        _interrupt(_Hearing.raised, frame)


def _is_handled():
    """Whether the main thread handles an `Interrupted`, or an exception that was raised because of one."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, Interrupted):
        error = error.__context__
    return error is not None


def _unraisable(lost):
    """Report an exception that Python drops, unless it is an `Interrupted`, which the timer raises again."""
    if not isinstance(lost.exc_value, Interrupted):
        _Hearing.unraisable(lost)


def listen():
    """Install handlers that raise `Interrupted` for every signal that would end the process.

    A signal that is ignored, for example under nohup, stays ignored. Returns a dict of the previous handlers,
    which `restore` accepts. The dict is empty if strag listens already, and outside the main thread.
    """
    if _Hearing.listening:
        return {}
    previous = {}
    with contextlib.suppress(ValueError):  # only the main thread may set handlers
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                previous[number] = signal.signal(number, _hear)
    _Hearing.listening = bool(previous)
    if previous:
        _Hearing.unraisable, sys.unraisablehook = sys.unraisablehook, _unraisable
    return previous


def restore(previous):
    """Undo `listen`. previous : the dict of handlers that `listen` returned."""
    if not previous:
        return
    _set_timer(0)
    sys.unraisablehook = _Hearing.unraisable
    for number, handler in previous.items():
        signal.signal(number, handler if handler is not None else signal.SIG_DFL)
    _Hearing.listening = _Hearing.leaving = False
    _Hearing.waiting = _Hearing.last = _Hearing.raised = None


def raised():
    """Return the `Interrupted` that a signal has raised, or None.

    It is stored because a library may catch the exception and raise an error of its own instead.
    """
    return None if _Hearing.raised is None else Interrupted(_Hearing.raised)


def waits():
    """Whether a signal has arrived that takes effect after the steps in progress, see `held`."""
    return _Hearing.waiting is not None


def leave():
    """Ignore all further signals, because the process is about to end."""
    _Hearing.leaving = True
    _set_timer(0)


@contextlib.contextmanager
def held():
    """Context of a few quick steps that belong together. A signal takes effect after these steps."""
    _Hearing.held += 1
    try:
        yield
    finally:
        _Hearing.held -= 1
        if _Hearing.waiting is not None and not _Hearing.held:
            number, _Hearing.waiting = _Hearing.waiting, None
            _interrupt(number)


def die_by(number):
    """End this process by the default action of a signal."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
