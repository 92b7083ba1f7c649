"""Files from the network: checked, cached, from the first of several mirrors that has them.

Environment: `STRAG_CACHE` is the folder where they are kept (default: the user's cache), `STRAG_MIRROR`
one or more addresses, separated by spaces, that take the place of the public ones; a mirror serves a
cache folder as it lies, DATASET/FILE.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from strag.errors import StragError, bad_usage

CACHE, MIRROR = "STRAG_CACHE", "STRAG_MIRROR"
_CHUNK = 1 << 16
_PATIENCE = (10, 60)  # seconds: for a connection, and for the next bytes


@dataclass(frozen=True)
class RemoteFile:
    """A file that mirrors hold: its name, its size in bytes, and the sha256 of its content."""

    name: str
    size: int
    sha256: str


class _RefusedError(Exception):
    """A mirror sent something else than the file."""


def unwatched(url, size, failure=None):
    """Nobody watches this download: a context manager that gives a function of the bytes done."""
    return contextlib.nullcontext(lambda done: None)


def cache_folder(name):
    """Where the files of the data set `name` are kept."""
    import pooch

    return Path(os.environ.get(CACHE) or pooch.os_cache("strag")).expanduser() / name


def fetch(name, files, homes, remedy, watch=None):
    """Paths of the `files` of data set `name`, downloaded where the cache lacks them or holds others.

    homes : addresses ending in '/', tried in turn. remedy : what to do where none of them helps.
    watch : called as watch(url, size, failure) before every download, with what the mirror before it
        did wrong, or None; a context manager that gives a function of the bytes done.

    Raises StragError where a file comes from no mirror whole, or the cache cannot be written; the
    cache then holds nothing under the name of that file.
    """
    import pooch

    pooch.get_logger().setLevel("ERROR")  # it writes to stderr itself
    homes = _mirrors(name) or list(homes)
    folder, paths = cache_folder(name), []
    for file in files:
        failures = []
        for home in homes:
            try:
                paths.append(_retrieve(file, home, folder, _Download(file, watch or unwatched, failures)))
            except _RefusedError as error:
                failures.append(f"{urlsplit(home).netloc} {error}")
                continue
            homes = [home, *(other for other in homes if other != home)]  # what worked comes first
            break
        else:
            raise StragError(f"{file.name} cannot be downloaded ({', '.join(failures)})", remedy, name)
    return paths


def _mirrors(name):
    addresses = os.environ.get(MIRROR, "").split()
    for address in addresses:
        if not (address.startswith(("http://", "https://")) and urlsplit(address).netloc):
            raise bad_usage(f"{MIRROR} names '{address}'", "give addresses that begin with https://")
    return [f"{address.rstrip('/')}/{name}/" for address in addresses]


def _retrieve(file, home, folder, downloader):
    import pooch
    from requests import exceptions

    try:
        path = pooch.retrieve(home + file.name, f"sha256:{file.sha256}", file.name, folder, None, downloader)
    except exceptions.HTTPError as error:
        raise _RefusedError(
            f"answers {error.response.status_code} {error.response.reason}".rstrip()
        ) from None
    except exceptions.Timeout:
        raise _RefusedError("does not answer") from None
    except exceptions.ChunkedEncodingError:
        raise _RefusedError("broke off") from None
    except exceptions.ConnectionError:
        raise _RefusedError("cannot be reached") from None
    except exceptions.RequestException as error:
        raise _RefusedError(f"fails ({type(error).__name__})") from None
    except ValueError:  # pooch's word for a wrong checksum
        raise _RefusedError("sent other bytes than the checksum says") from None
    except OSError as error:
        reason = error.strerror or "permission denied"
        problem = f"cannot keep a download: {reason}"
        raise StragError(problem, f"set {CACHE} to a folder that can be written", folder) from None
    if downloader.called:
        _open_to_others(path)
    return path


def _open_to_others(path):
    """Give a downloaded file the mode that the umask asks for; pooch leaves it to its owner alone."""
    umask = os.umask(0)
    os.umask(umask)
    with contextlib.suppress(OSError):
        os.chmod(path, 0o666 & ~umask)


class _Download:
    """pooch's downloader for one file, which is watched and must have its size."""

    def __init__(self, file, watch, failures):
        self.file, self.watch, self.failures, self.called = file, watch, failures, False

    def __call__(self, url, output_file, _):
        import pooch

        self.called = True
        failure = self.failures[-1] if self.failures else None
        with self.watch(url, self.file.size, failure) as advance:
            pooch.HTTPDownloader(
                progressbar=_Meter(self.file.size, advance),
                chunk_size=_CHUNK,
                timeout=_PATIENCE,
                headers={"Accept-Encoding": "identity"},  # the file as it lies, gzipped or not
            )(url, output_file, None)
        size = os.stat(output_file).st_size
        if size != self.file.size:
            raise _RefusedError(f"sent {size} of {self.file.size} bytes")


class _Meter:
    """What pooch calls as if it were tqdm; it stops a mirror that goes on and on."""

    def __init__(self, size, advance):
        self.size, self.advance, self.done, self.total = size, advance, 0, size

    def update(self, more):
        self.done += more
        if self.done > self.size + _CHUNK:  # pooch counts whole chunks
            raise _RefusedError(f"sent more than {self.size} bytes")
        self.advance(min(self.done, self.size))

    def reset(self):
        self.done = 0

    def close(self):
        pass
