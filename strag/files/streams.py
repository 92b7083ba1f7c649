"""Binary input from files and stdin, spooling of pipes into temporary files, and output to stdout."""

import contextlib
import errno
import os
import stat
import sys
import tempfile

from strag.errors import StragError, bad_usage

STANDARD = "-"
CHUNK = 1 << 20
OTHER_FOLDER = "set TMPDIR to a folder with more room"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def name_of(path):
    """Return the name of an input path in messages; '-' becomes stdin."""
    return "stdin" if str(path) == STANDARD else str(path) or "''"


def place_of(path):
    """Return the place that the name of an output refers to: '-' for stdout, else the path without links.

    Two names of the same output have the same place. The place of a device, a pipe or a folder is None,
    because a second output does not replace it.
    """
    if str(path) in (STANDARD, "/dev/stdout"):
        return STANDARD
    place = os.path.realpath(path)
    return place if os.path.isfile(place) or not os.path.exists(place) else None


def refuse_terminal_input(path):
    """Raise StragError if `path` is '-' and stdin is a terminal, because nobody types binary data."""
    if str(path) == STANDARD and sys.stdin is not None and sys.stdin.isatty():
        raise bad_usage("is a terminal", "name a file or pipe one in", source="stdin")


def is_piped_in():
    """Whether stdin is a pipe or a file, and not a terminal, /dev/null or a socket, and not closed."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # closed, or replaced by an object without a descriptor
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


@contextlib.contextmanager
def open_input(path):
    """Open a file, or stdin for '-', as an unbuffered binary stream.

    Raises StragError for a missing or unreadable file, a directory, a terminal, and a closed stdin.
    """
    refuse_terminal_input(path)
    if str(path) == STANDARD:
        if sys.stdin is None:
            raise bad_usage("is closed", "name a file or pipe one in", source="stdin")
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
    """Read `size` bytes, or fewer if the stream ends: bytearray. The bytes are in memory only once."""
    content = bytearray()
    while len(content) < size:
        part = stream.read(min(size - len(content), CHUNK))
        if not part:
            break
        content += part
    return content


def read_at(file, offset, array):
    """Fill a contiguous array with the bytes of a file from `offset` on. False if the file is too short.

    The position of the file does not matter, so that processes which share the open file can read at once.
    """
    rest = memoryview(array.reshape(-1).view("u1"))
    if not hasattr(os, "preadv"):
        file.seek(offset)
        return file.readinto(rest) == len(rest)
    while rest:
        count = os.preadv(file.fileno(), [rest], offset)
        if not count:
            return False
        offset, rest = offset + count, rest[count:]
    return True


def is_regular(stream):
    """Whether a stream is a regular file, which can be read at any position."""
    return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)


def spool(head, stream, size=None, name="stdin"):
    """Copy a stream into an unlinked temporary file and return the file, open at its start.

    head : bytes that were already read. size : copy up to this many bytes, `head` included; None for all.
    name : the stream's name in messages. Raises StragError if the temporary folder is full.
    """
    spooled = tempfile.TemporaryFile(prefix="strag-")  # noqa: SIM115
    try:
        spooled.write(head)
        remaining = None if size is None else size - len(head)
        while remaining is None or remaining > 0:
            part = stream.read(CHUNK if remaining is None else min(CHUNK, remaining))
            if not part:
                break
            spooled.write(part)
            remaining = None if remaining is None else remaining - len(part)
        spooled.flush()
        spooled.seek(0)
    except BaseException as error:
        spooled.close()
        if isinstance(error, OSError) and error.errno in _FULL:
            raise no_room(error, name) from None
        raise
    return spooled


def send_to_stdout(chunks):
    """Write all chunks of bytes to stdout, also if Python's own stdout is unbuffered.

    A reader that stops early (`| head -c 10`) is not an error. Raises StragError if stdout is closed or
    cannot be written.
    """
    if sys.stdout is None:
        raise bad_usage("is closed", "connect it to a pipe or a file", source="stdout")
    sys.stdout.flush()
    try:
        with open(sys.stdout.fileno(), "wb", closefd=False) as sink:
            for chunk in chunks:
                sink.write(chunk)
    except BrokenPipeError:
        return
    except OSError as error:
        raise unwritable(error, "stdout") from None


def unwritable(error, name):
    """Return the StragError for an output that cannot be written. error : the OSError."""
    return StragError(f"cannot be written: {error.strerror or error}", "choose another place", source=name)


def no_room(error, name):
    """Return the StragError for a pipe that does not fit in the temporary folder. error : the OSError."""
    problem = f"does not fit in {tempfile.gettempdir()}: {error.strerror}"
    return StragError(problem, OTHER_FOLDER, source=name)
