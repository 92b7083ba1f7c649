"""The error that strag raises for its user, and its warnings."""

import contextlib
import os
import re
import sys
import warnings

_OURS = (
    os.path.dirname(__file__) + os.sep,
    contextlib.__file__,
)  # where paths of code between us and the caller begin


class StragError(Exception):
    """An error that the user can understand and fix, stated in one line.

    Parameters
    ----------
    problem : a statement that says what is wrong with the file, tensor or option. Names of parameters, such
        as `batch_size`, are in backticks; the command line spells them as options, see `with_options`.
    remedy : an imperative that says what to do next, also with parameters in backticks.
    source : name of the file that the error is about. The code that opened the file may add it with `about`.
    status : exit status of the command: 1 for bad data or failed work, 2 for bad usage.
    """

    def __init__(self, problem, remedy=None, source=None, status=1):
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.source = source
        self.status = status

    def about(self, source):
        """Set the file that this error is about, unless it has one or it is None. Returns the error."""
        self.source = self.source or (None if source is None else str(source))
        return self

    def as_options(self):
        """Return the same error with its parameters spelled as options."""
        problem, remedy = (text and with_options(text) for text in (self.problem, self.remedy))
        return StragError(problem, remedy, self.source, self.status)

    def __str__(self):
        text = f"{self.source}: {self.problem}" if self.source else self.problem
        text = f"{text}; {self.remedy}" if self.remedy else text
        return text.replace("\n", "\\n")


class StragWarning(UserWarning):
    """A warning about a file, in one line. The command line shows it even with --quiet."""


class StragNote(StragWarning):
    """A note about a file, in one line. The command line does not show it with --quiet."""


def warn_of(source, problem, kind=StragWarning):
    """Issue a Python warning about the file `source`. kind : class of the warning."""
    warn_caller(f"{source}: {problem}", kind)


def note_each(source, sentences):
    """Issue every sentence as a note about the file `source`."""
    for sentence in sentences:
        warn_of(source, sentence, StragNote)


def warn_caller(text, kind=StragWarning):
    """Issue a Python warning at the line outside the package that called it. kind : class of the warning."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, kind, stacklevel=level)


def bad_usage(problem, remedy=None, source=None):
    """Return a `StragError` for invalid options or arguments, with exit status 2."""
    return StragError(problem, remedy, source, status=2)


def is_lack_of_memory(error):
    """Whether an error of Python or torch means that there is not enough memory.

    torch is not imported for this, so its errors are recognised by their texts.
    """
    words = ("can't allocate memory", "out of memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def with_options(text):
    """A text with the parameters that it names in backticks spelled as options: `own_order`, --own-order.

    `from_`, which Python cannot call `from`, is --from.
    """
    return re.sub("`([a-z_]+?)_?`", lambda name: f"--{name[1].replace('_', '-')}", text)
