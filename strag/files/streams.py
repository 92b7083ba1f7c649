"""Where bytes come from and go to: paths, stdin and stdout, spooled pipes, whole or absent files."""

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from strag.errors import StragError, bad_usage

STANDARD = "-"
CHUNK = 1 << 20
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
            raise _no_room(error, name) from None
        raise
    return spooled


class Output:
    """A file that is written whole or not at all, or stdout.

    Opening it checks that it can be written, before any work. A regular file is written as a
    temporary file beside it and renamed by `commit`; stdout, FIFOs and devices get their bytes at
    `commit`, from an unlinked temporary file, so that a failed command writes nothing into a pipe.
    A context manager: leaving it without `commit` removes what was written.

    Attributes
    ----------
    path : destination as the user named it, '-' for stdout.
    file : binary file, open for reading and writing, to be filled before `commit`.
    is_direct : whether the bytes go to stdout, a FIFO or a device, rather than into a file.
    """

    def __init__(self, path, binary=True):
        self.path = STANDARD if str(path) == "/dev/stdout" else str(path)
        self._temporary = None
        self.is_direct = False
        if not self.path:
            raise bad_usage("an output has no name", "name a file, or leave the option out")
        if self.path == STANDARD:
            if sys.stdout is None:
                raise bad_usage("is closed", "write to a file with -o FILE", source="stdout")
            if binary and sys.stdout.isatty():
                raise bad_usage(
                    "is a terminal", "write to a file with -o FILE, or into a pipe", source="stdout"
                )
            self.is_direct = True
        else:
            self.is_direct = self._is_special()
        if self.is_direct:
            self.file = tempfile.TemporaryFile(prefix="strag-")  # noqa: SIM115
        else:
            self._target = Path(os.path.realpath(self.path))
            self.file = self._beside(self._target)

    def _is_special(self):
        with self.writing():
            try:
                mode = os.stat(self.path).st_mode
            except FileNotFoundError:
                if self.path.endswith(os.sep):
                    raise StragError("cannot be written: no such folder", "name a file", self.path) from None
                return False
        if stat.S_ISDIR(mode):
            raise bad_usage("is a directory", "name a file in it", source=self.path)
        if stat.S_ISREG(mode) and not os.access(self.path, os.W_OK):
            raise StragError("cannot be written: permission denied", "choose another name", source=self.path)
        return not stat.S_ISREG(mode)

    def _beside(self, target):
        if not target.parent.exists():
            raise StragError(f"cannot be written: no folder {target.parent}", "make it first", self.path)
        self._temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        with self.writing():
            number = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        return open(number, "w+b")

    @contextlib.contextmanager
    def writing(self):
        """While bytes go into `file`: a full disk, or what else stops them, is an error about this output."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            where = "stdout" if self.path == STANDARD else self.path
            if self.is_direct:
                raise _no_room(error, where) from None
            raise _unwritable(error, where) from None

    def commit(self):
        """Put the finished bytes in their place."""
        with self.writing():
            self.file.flush()
            if not self.is_direct:
                os.replace(self._temporary, self._target)
                self._temporary = None
                return
            self.file.seek(0)
            if self.path == STANDARD:
                send_to_stdout(iter(lambda: self.file.read(CHUNK), b""))
            else:
                self._send()

    def _send(self):
        try:
            with open(self.path, "wb") as sink:
                shutil.copyfileobj(self.file, sink, CHUNK)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _unwritable(error, self.path) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):  # of what a full disk did not take, there is nothing to save
            self.file.close()
        if self._temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._temporary)


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
        raise _unwritable(error, "stdout") from None


def _unwritable(error, where):
    return StragError(f"cannot be written: {error.strerror}", "choose another place", source=where)


def _no_room(error, where):
    """What goes through a pipe, whole or not at all, waits in the temporary folder."""
    problem = f"finds no room in {tempfile.gettempdir()}: {error.strerror}"
    return StragError(problem, "let TMPDIR name a folder with more", source=where)
