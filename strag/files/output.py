"""Binary output: a file that is written completely or not at all, or stdout, a FIFO or a device."""

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from strag.errors import StragError, StragNote, bad_usage, warn_of
from strag.files.begun import not_begun_here
from strag.files.beside import RESUME, Beside, BusyError, Kept
from strag.files.streams import CHUNK, OTHER_FOLDER, STANDARD, no_room, send_to_stdout, unwritable
from strag.signals import held
from strag.words import amount, number_of


class Output:
    """An output that is written completely or not at all.

    The constructor checks that the output can be written, before any work is done. A regular file is written
    as a temporary file in the same folder, which `commit` renames. Stdout, FIFOs and devices get their bytes
    at `commit` from an unlinked temporary file, so that a failed command writes nothing into a pipe. Leaving
    this context manager without `commit` removes the bytes written so far.

    Attributes
    ----------
    path : destination as the user named it, '-' for stdout.
    file : binary file, open for reading and writing; it is filled before `commit`.
    is_direct : whether the bytes go to stdout, a FIFO or a device, and not into a regular file.
    resumes : whether the work file is `path`.resume, which stays if it is unfinished and can be continued.
    """

    def __init__(self, path, binary=True, resumes=False):
        self.resumes = resumes
        self.path = STANDARD if str(path) == "/dev/stdout" else str(path)
        self._beside = None
        self.is_direct = self.path == STANDARD
        if not self.path:
            raise bad_usage("the name of an output is empty", "name a file or remove the option")
        if self.is_direct:
            _refuse_stdout(binary)
        else:
            self.is_direct = self._is_special()
        if self.is_direct and resumes:
            raise bad_usage("is not a file, so its training cannot resume", "name a file", self._name)
        if self.is_direct:
            self.file = tempfile.TemporaryFile(prefix="strag-")  # noqa: SIM115
        else:
            self._beside = self._open_beside(Path(os.path.realpath(self.path)))
            self.file = self._beside.file

    def _is_special(self):
        """Whether the path exists and is not a regular file. Raises StragError if it cannot be written."""
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

    def _open_beside(self, target):
        """Open the `Beside` of a regular file, which may exist already."""
        if not target.parent.exists():
            raise StragError(f"cannot be written: no folder {target.parent}", "create it first", self.path)
        if _is_kept_by_its_owner(target):
            problem = "cannot be written: only its owner may replace it in this folder"
            raise StragError(problem, "choose another name", self.path)
        if self.resumes:
            return self._open_kept(target)
        with self.writing():
            beside = Beside(target)
        if beside.removed:
            leftovers = number_of(beside.removed, "unfinished file")
            warn_of(self.path, f"removed {leftovers} left by a command that was killed", StragNote)
        return beside

    def _open_kept(self, target):
        """The `Kept` work file of a regular file, new or to be continued."""
        path = target.with_name(target.name + RESUME)
        with contextlib.suppress(OSError):
            if not stat.S_ISREG(os.lstat(path).st_mode) or _is_kept_by_its_owner(path):
                raise not_begun_here(self.work_file)
        try:
            return Kept(target)
        except BusyError:
            problem = "is being written by another command"
            raise StragError(
                problem, "wait until it ends, or write to another file", self.work_file
            ) from None
        except OSError as error:
            raise unwritable(error, self.work_file) from None

    @property
    def work_file(self):
        """The name of the work file that stays until the output is complete."""
        return f"{self.path}{RESUME}"

    @property
    def is_begun(self):
        """Whether an earlier command has written into the work file."""
        return self.resumes and not self._beside.is_new

    @property
    def can_continue(self):
        """Whether the work file stays, to be continued, if the command ends now."""
        return self.resumes and self._beside.stays

    def require_room(self, size, remedy=None):
        """Raise StragError if the disk has no room for `size` bytes. remedy : the remedy of this error."""
        size -= os.fstat(self.file.fileno()).st_size if self.resumes else 0
        folder = tempfile.gettempdir() if self.is_direct else self._beside.target.parent
        try:
            disk = shutil.disk_usage(folder)
        except OSError:
            return
        if disk.total and size > disk.free:  # some file systems report zeros
            place = f"in {folder}" if self.is_direct else "on its disk"
            problem = f"needs {amount(size)} {place}, but {amount(disk.free)} are free"
            remedy = OTHER_FOLDER if self.is_direct and remedy is None else remedy
            raise StragError(problem, remedy or "choose another place", self._name)

    @property
    def _name(self):
        """The name of the output in messages."""
        return "stdout" if self.path == STANDARD else self.path

    @contextlib.contextmanager
    def writing(self):
        """Context of writes into `file`, in which an OSError becomes a StragError about this output."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise (no_room if self.is_direct else unwritable)(error, self._name) from None

    def commit(self):
        """Move or send the finished bytes to their destination."""
        with self.writing():
            if not self.is_direct:
                self._beside.take_place()
                return
            self.file.flush()
            self.file.seek(0)
            if self.path == STANDARD:
                send_to_stdout(iter(lambda: self.file.read(CHUNK), b""))
            else:
                self._send()

    def _send(self):
        """Copy the bytes into the FIFO or device."""
        try:
            with open(os.open(self.path, os.O_WRONLY | getattr(os, "O_BINARY", 0)), "wb") as sink:
                shutil.copyfileobj(self.file, sink, CHUNK)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(error, self.path) from None

    def drop(self):
        """Remove the work file, whether it could be continued or not."""
        if self._beside is not None:
            self._beside.remove()
        self.__exit__()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._beside is not None:
            self._beside.discard()
            return
        with contextlib.suppress(OSError):
            self.file.close()


def _refuse_stdout(binary):
    """Raise StragError if stdout is closed, or if it is a terminal and the output is binary."""
    if sys.stdout is None:
        raise bad_usage("is closed", "write to a file with -o FILE", source="stdout")
    if binary and sys.stdout.isatty():
        raise bad_usage("is a terminal", "write to a file with -o FILE or into a pipe", source="stdout")


def _is_kept_by_its_owner(target):
    """Whether another user owns this file, in a folder such as /tmp where only owners replace files."""
    try:
        folder, file = os.stat(target.parent), os.stat(target)
    except OSError:
        return False
    return bool(folder.st_mode & stat.S_ISVTX) and os.geteuid() not in (0, folder.st_uid, file.st_uid)


def commit(*outputs):
    """Move several filled Outputs to their destinations: first pipes and devices, then files, each in order.

    If a pipe cannot be written, no file is replaced. Signals are held back until every file is in place.
    """
    for output in outputs:
        if output.is_direct:
            output.commit()
    with held():
        for output in outputs:
            if not output.is_direct:
                output.commit()
