"""Where what a user's own code prints goes."""

import contextlib
import sys


def printing_aside():
    """A context in which what is printed goes to stderr, since stdout is for data."""
    return contextlib.redirect_stdout(sys.stderr)
