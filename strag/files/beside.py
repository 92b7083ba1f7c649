"""A file that is written beside the one whose place it takes: exclusive, locked, and never in part.

What a command that was killed left of its own file is recognised by its name and by its lock, which
nobody holds any more.
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
except ImportError:  # a system without such locks
    fcntl = None

ATTEMPTS = 20
CHUNK = 1 << 20
_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_HAVE_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EROFS)


class Beside:
    """An open file that takes the place of `target`, a Path, or is removed.

    Attributes
    ----------
    file : binary file, open for reading and writing; only its owner may read it while it is written.
    removed : number of files of this target that were removed, whose commands had been killed.

    Raises OSError where the folder takes no file.
    """

    _path = file = None

    def __init__(self, target):
        self.target = target
        self._mode = 0o666 & ~_umask()
        with held():
            self.removed = _remove_leftovers(target)
            self._path, number = _make(target)
            self.file = open(number, "w+b")  # noqa: SIM115

    def take_place(self):
        """Put the file in its target's place, with the mode of what was there or that of a new file."""
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
        """Somebody removed the file, whose bytes are still here: copy them under another name."""
        self._path, number = _make(self.target)
        with open(number, "wb") as copy:
            self.file.seek(0)
            shutil.copyfileobj(self.file, copy, CHUNK)
            copy.flush()
            _allow(number, self.target, self._mode)
            _sync(number)

    def discard(self):
        """Close the file; remove it unless it took its place."""
        with held():
            if self.file is not None:
                with contextlib.suppress(OSError):  # a full disk may not have taken the last bytes
                    self.file.close()
            if self._path is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self._path)
            self._path = None

    __del__ = discard  # whoever was stopped before it could


def prefix_of(target):
    """How the names of all files begin that are written beside a target: short, whatever its own is."""
    return f".strag-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]}-"


def _make(target):
    """Make and lock a file that nobody else has: its path and its number.

    Another command that takes it for a leftover, before it is locked, may remove it; then there is a next.
    """
    for _ in range(ATTEMPTS):
        path = target.with_name(f"{prefix_of(target)}{secrets.token_hex(8)}.tmp")
        try:
            number = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        if _lock(number) is not False and _is_at(path, number):
            return path, number
        os.close(number)
    raise FileExistsError(errno.EEXIST, "every temporary name is taken", str(target))


def _remove_leftovers(target):
    """Remove what commands that were killed left of their files beside this target: how many."""
    prefix, removed = prefix_of(target), 0
    try:
        names = [name for name in os.listdir(target.parent) if name.startswith(prefix)]
    except OSError:  # a folder that may be written but not listed
        return 0
    for name in names:
        if name.endswith(".tmp"):
            with contextlib.suppress(OSError):
                removed += _remove_unlocked(target.with_name(name))
    return removed


def _remove_unlocked(path):
    number = os.open(path, _FLAGS | getattr(os, "O_NONBLOCK", 0))
    try:
        found = os.fstat(number)
        ours = stat.S_ISREG(found.st_mode) and (not hasattr(os, "geteuid") or found.st_uid == os.geteuid())
        if not (ours and _lock(number) and _is_at(path, number)):
            return False
        os.unlink(path)
        return True
    finally:
        os.close(number)


def _lock(number):
    """Whether an open file could be locked, which ends with its process; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _is_at(path, number):
    try:
        return os.path.samestat(os.lstat(path), os.fstat(number))
    except OSError:
        return False


def _umask():
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _allow(number, target, mode):
    """Give an open file the owner and mode of its target, else `mode`, as far as the system lets us."""
    if not hasattr(os, "fchmod"):
        return
    with contextlib.suppress(FileNotFoundError):
        there, own = os.stat(target), os.fstat(number)
        mode = there.st_mode & 0o777
        if (there.st_uid, there.st_gid) != (own.st_uid, own.st_gid):
            try:
                os.fchown(number, there.st_uid, there.st_gid)
            except OSError:  # in other hands: the new group gets what all have
                mode = mode & 0o707 | (mode & 0o007) << 3
    with contextlib.suppress(OSError):
        os.fchmod(number, mode)


def _sync(number):
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in _HAVE_NO_SYNC:
            raise


def _sync_folder(folder):
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            os.fsync(number)
        finally:
            os.close(number)
