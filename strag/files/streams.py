"""Where bytes come from, and the streams that they go through: paths, stdin and stdout, spooled pipes."""

import contextlib
import errno
import os
import stat
import sys
import tempfile

from strag.errors import StragError, bad_usage

STANDARD = "-"
CHUNK = 1 << 20
OTHER_FOLDER = "let TMPDIR name a folder with more"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def name_of(path):
    """How messages call a path: '-' is stdin."""
    return "stdin" if str(path) == STANDARD else str(path) or "''"


def place_of(path):
    """What two names of one output have in common: '-' for stdout, else the file without links.

    None for a device, a pipe or a folder, which a second output does not replace.
    """
    if str(path) in (STANDARD, "/dev/stdout"):
        return STANDARD
    place = os.path.realpath(path)
    return place if os.path.isfile(place) or not os.path.exists(place) else None


def refuse_terminal_input(path):
    """Refuse to wait for data that nobody is going to type."""
    if str(path) == STANDARD and sys.stdin is not None and sys.stdin.isatty():
        raise bad_usage("is a terminal", "name a file, or pipe one in", source="stdin")


def is_piped_in():
    """Whether stdin is a pipe or a file, rather than a terminal, /dev/null, a socket, or closed."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # closed, or somebody's object in its place
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


@contextlib.contextmanager
def open_input(path):
    """Open a file, or stdin for '-', as an unbuffered binary stream.

    Raises StragError for what cannot be read: a missing file, a directory, a terminal, no permission.
    """
    refuse_terminal_input(path)
    if str(path) == STANDARD:
        if sys.stdin is None:
            raise bad_usage("is closed", "name a file, or pipe one in", source="stdin")
        yield open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115
        return
    try:
        stream = open(path, "rb", buffering=0)  # noqa: SIM115
    except IsADirectoryError:
        raise StragError("is a directory, not a file", "name a file in it", source=path) from None
    except FileNotFoundError:
        raise StragError("no such file", "check the path", source=name_of(path)) from None
    except OSError as error:
        raise StragError(f"cannot be read: {error.strerror}", "check the path", source=path) from None
    with stream:
        if stat.S_ISDIR(os.fstat(stream.fileno()).st_mode):
            raise StragError("is a directory, not a file", "name a file in it", source=path)
        yield stream


def read_exactly(stream, size):
    """Read `size` bytes, or fewer where the stream ends before: a bytearray, in memory once."""
    content = bytearray()
    while len(content) < size:
        part = stream.read(min(size - len(content), CHUNK))
        if not part:
            break
        content += part
    return content


def is_regular(stream):
    """Whether a stream is a plain file on disk, which can be mapped as it lies."""
    return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)


def spool(head, stream, size=None, name="stdin"):
    """Copy `head` and the rest of `stream`, called `name`, into an unlinked file, up to `size` bytes."""
    spooled = tempfile.TemporaryFile(prefix="strag-")  # noqa: SIM115
    try:
        spooled.write(head)
        left = None if size is None else size - len(head)
        while left is None or left > 0:
            part = stream.read(CHUNK if left is None else min(CHUNK, left))
            if not part:
                break
            spooled.write(part)
            left = None if left is None else left - len(part)
        spooled.flush()
        spooled.seek(0)
    except BaseException as error:
        spooled.close()
        if isinstance(error, OSError) and error.errno in _FULL:
            raise no_room(error, name) from None
        raise
    return spooled


def send_to_stdout(chunks):
    """Write bytes to stdout, whole even where Python's own stdout is unbuffered.

    A reader that leaves early (`| head -c 10`) has had enough; that is no failure.
    """
    if sys.stdout is None:
        raise bad_usage("is closed", "give it to a reader or a file", source="stdout")
    sys.stdout.flush()
    try:
        with open(sys.stdout.fileno(), "wb", closefd=False) as sink:
            for chunk in chunks:
                sink.write(chunk)
    except BrokenPipeError:
        return
    except OSError as error:
        raise unwritable(error, "stdout") from None


def unwritable(error, where):
    return StragError(f"cannot be written: {error.strerror or error}", "choose another place", source=where)


def no_room(error, where):
    """What goes through a pipe, whole or not at all, waits in the temporary folder."""
    problem = f"finds no room in {tempfile.gettempdir()}: {error.strerror}"
    return StragError(problem, OTHER_FOLDER, source=where)
