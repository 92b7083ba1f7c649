"""A temporary file, exclusive and locked, next to the file that it replaces when it is complete.

A temporary file that a killed command left behind is recognised by its name and by its lock, which no
process holds any more.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat

from strag.signals import held

try:
    import fcntl
except ImportError:  # a system without file locks
    fcntl = None

ATTEMPTS = 20
RESUME = ".resume"  # of the name of a work file that stays
CHUNK = 1 << 20
_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_HAVE_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EROFS)


class Beside:
    """An open temporary file that either replaces `target`, a Path, or is removed.

    Attributes
    ----------
    file : binary file, open for reading and writing. Only its owner may read it while it is written.
    removed : number of temporary files for this target, left by killed commands, that were removed.

    Raises OSError if no file can be created in the folder.
    """

    _path = file = None

    def __init__(self, target):
        self.target = target
        self._mode = 0o666 & ~_umask()
        with held():
            self.removed = _remove_leftovers(target)
            self._path, descriptor = _make(target)
            self.file = open(descriptor, "w+b")  # noqa: SIM115

    def take_place(self):
        """Replace the target by the file, which gets the target's mode, or else that of a new file."""
        self.file.flush()
        _allow(self.file.fileno(), self.target, self._mode)
        _sync(self.file.fileno())
        with held():
            if not _is_at(self._path, self.file.fileno()):
                self._write_again()
            os.replace(self._path, self.target)
            self._path = None
            _sync_folder(self.target.parent)

    def _write_again(self):
        """Copy the open file, whose name another process has removed, into a new temporary file."""
        self._path, descriptor = _make(self.target)
        with open(descriptor, "wb") as copy:
            self.file.seek(0)
            shutil.copyfileobj(self.file, copy, CHUNK)
            copy.flush()
            _allow(descriptor, self.target, self._mode)
            _sync(descriptor)

    def discard(self):
        """Close the file, and remove it unless it has replaced its target."""
        with held():
            if self.file is not None:
                with contextlib.suppress(OSError):  # closing fails if a full disk refuses the last bytes
                    self.file.close()
            if self._path is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self._path)
            self._path = None

    def remove(self):
        """Remove the file."""
        self.discard()

    __del__ = discard  # for code that was stopped before it could call `discard`


class BusyError(Exception):
    """A work file that another process is writing."""


class Kept(Beside):
    """A work file, TARGET.resume, that stays until it replaces its target, so that it can be continued.

    Attributes
    ----------
    is_new : whether the file was empty when it was opened.

    Raises BusyError if another process is writing it. The lock ends with the process that holds it, so that
    a killed command leaves none.
    """

    def __init__(self, target):
        self.target = target
        self._mode = 0o666 & ~_umask()
        path = target.with_name(target.name + RESUME)
        with held():
            self.removed = _remove_leftovers(target)
            descriptor = os.open(path, _FLAGS | os.O_CREAT, 0o600)
            if _lock(descriptor) is False or not _is_at(path, descriptor):
                os.close(descriptor)
                raise BusyError(path)
            self._path, self.file = path, open(descriptor, "r+b")  # noqa: SIM115
        self.is_new = os.fstat(descriptor).st_size == 0

    def discard(self):
        """Close the file. It stays unless it has replaced its target or nothing was written into it."""
        with held():
            if self.file is None or self.file.closed:
                return
            with contextlib.suppress(OSError):
                self.file.flush()
            with contextlib.suppress(OSError):
                if self._path is not None and os.fstat(self.file.fileno()).st_size == 0:
                    os.unlink(self._path)
            with contextlib.suppress(OSError):
                self.file.close()
            self._path = None

    @property
    def stays(self):
        """Whether the file has not replaced its target, so that it can be continued."""
        return self._path is not None

    def remove(self):
        """Remove the file, which will not be continued."""
        with held(), contextlib.suppress(OSError):
            if self._path is not None:
                os.unlink(self._path)
                self._path = None
        self.discard()

    __del__ = discard


def prefix_of(target):
    """The prefix of all temporary files for a target. It is short even if the name of the target is long."""
    return f".strag-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]}-"


def _make(target):
    """Create and lock a temporary file that no other process has. Returns its path and file descriptor.

    Another command may take the file for a leftover and remove it before it is locked. The function then
    creates another one.
    """
    for _ in range(ATTEMPTS):
        path = target.with_name(f"{prefix_of(target)}{secrets.token_hex(8)}.tmp")
        try:
            descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        if _lock(descriptor) is not False and _is_at(path, descriptor):
            return path, descriptor
        os.close(descriptor)
    raise FileExistsError(errno.EEXIST, "every temporary name is taken", str(target))


def _remove_leftovers(target):
    """Remove the temporary files for this target that killed commands left behind. Returns their number."""
    prefix, removed = prefix_of(target), 0
    try:
        names = [name for name in os.listdir(target.parent) if name.startswith(prefix)]
    except OSError:  # the folder may be writable but not readable
        return 0
    for name in names:
        if name.endswith(".tmp"):
            with contextlib.suppress(OSError):
                removed += _remove_unlocked(target.with_name(name))
    return removed


def _remove_unlocked(path):
    """Remove a temporary file of this user unless a process has locked it. Returns whether it was removed."""
    descriptor = os.open(path, _FLAGS | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(descriptor)
        is_own = stat.S_ISREG(status.st_mode) and (
            not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
        )
        if not (is_own and _lock(descriptor) and _is_at(path, descriptor)):
            return False
        os.unlink(path)
        return True
    finally:
        os.close(descriptor)


def _lock(descriptor):
    """Lock an open file until the process ends. Returns whether that worked; None if there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _is_at(path, descriptor):
    """Whether a path is still the name of this open file."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False


def _umask():
    """The umask of this process, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _allow(descriptor, target, mode):
    """Give an open file the owner and mode of its target, or else `mode`, as far as the system allows."""
    if not hasattr(os, "fchmod"):
        return
    with contextlib.suppress(FileNotFoundError):
        replaced, own = os.stat(target), os.fstat(descriptor)
        mode = replaced.st_mode & 0o777
        if (replaced.st_uid, replaced.st_gid) != (own.st_uid, own.st_gid):
            try:
                os.fchown(descriptor, replaced.st_uid, replaced.st_gid)
            except OSError:  # another owner: the group gets no more than everybody has
                mode = mode & 0o707 | (mode & 0o007) << 3
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, mode)


def _sync(descriptor):
    """Write an open file to disk, on file systems that can."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _HAVE_NO_SYNC:
            raise


def _sync_folder(folder):
    """Write the entries of a folder to disk, if possible."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
