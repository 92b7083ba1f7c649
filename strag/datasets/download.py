"""Downloads. A file comes from the first mirror that sends it, and is checked and stored in the cache.

Environment variables: `STRAG_CACHE` is the folder of the cache (default: the user's cache). `STRAG_MIRROR`
is one or more addresses, separated by spaces, that replace the public ones; below them, a file has the same
path as in the cache, DATASET/FILE.
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
    """A file on mirrors: its name, its size in bytes, and the sha256 of its content."""

    name: str
    size: int
    sha256: str


class _RefusedError(Exception):
    """A mirror did not send the file. The text completes "MIRROR ..."."""


def unwatched(url, size, failure=None):
    """A `watch` for `fetch` that shows nothing."""
    return contextlib.nullcontext(lambda done: None)


def cache_folder(name):
    """The folder of the cache for the files of the data set `name`."""
    import pooch

    return Path(os.environ.get(CACHE) or pooch.os_cache("strag")).expanduser() / name


def fetch(name, files, homes, remedy, watch=None):
    """The paths of `files`, RemoteFiles of the data set `name`, in the cache.

    Files that are missing in the cache, or have another checksum there, are downloaded.

    homes : addresses ending in '/', tried in turn. remedy : what to do if no mirror sends a file.
    watch : called as watch(url, size, failure) before every download, where `failure` says what was wrong
        with the previous mirror, or is None. Returns a context manager that gives a function of the number of
        bytes downloaded so far.

    Raises StragError if no mirror sends a complete file, or if the cache cannot be written. Then the cache
    has no file of that name.
    """
    import pooch

    pooch.get_logger().setLevel("ERROR")  # pooch writes notes to stderr
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
            homes = [home, *(other for other in homes if other != home)]  # the next file tries this one first
            break
        else:
            raise StragError(
                f"{file.name} cannot be downloaded ({', '.join(dict.fromkeys(failures))})", remedy, name
            )
    return paths


def _mirrors(name):
    """The addresses of the data set `name` below those in STRAG_MIRROR, ending in '/'."""
    addresses = os.environ.get(MIRROR, "").split()
    for address in addresses:
        if not (address.startswith(("http://", "https://")) and urlsplit(address).netloc):
            problem = f"{MIRROR} contains '{address}', which is not an address"
            raise bad_usage(problem, "use addresses that begin with https://")
    return [f"{address.rstrip('/')}/{name}/" for address in addresses]


def _retrieve(file, home, folder, downloader):
    """The path of a file in the cache, downloaded from one mirror if needed."""
    import pooch
    from requests import exceptions

    try:
        path = pooch.retrieve(home + file.name, f"sha256:{file.sha256}", file.name, folder, None, downloader)
    except exceptions.HTTPError as error:
        answer = f"{error.response.status_code} {error.response.reason}".rstrip()
        raise _RefusedError(f"answered {answer}") from None
    except exceptions.Timeout:
        raise _RefusedError("does not answer") from None
    except exceptions.ChunkedEncodingError:
        raise _RefusedError("closed the connection") from None
    except exceptions.ConnectionError:
        raise _RefusedError("cannot be reached") from None
    except exceptions.RequestException as error:
        raise _RefusedError(f"failed ({type(error).__name__})") from None
    except ValueError:  # pooch's error for a wrong checksum
        raise _RefusedError("sent a file with a wrong checksum") from None
    except OSError as error:
        reason = error.strerror or "permission denied"
        problem = f"cannot hold a download: {reason}"
        raise StragError(problem, f"set {CACHE} to a folder that you can write", folder) from None
    if downloader.called:
        _open_to_others(path)
    return path


def _open_to_others(path):
    """Give a downloaded file the usual mode of a new file, because pooch lets only the owner read it."""
    umask = os.umask(0)
    os.umask(umask)
    with contextlib.suppress(OSError):
        os.chmod(path, 0o666 & ~umask)


class _Download:
    """The downloader that pooch calls for one file. It reports its progress and checks the size.

    failures : what was wrong with the earlier mirrors, for `watch`. called : whether pooch has called it.
    """

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
                headers={"Accept-Encoding": "identity"},  # the file itself, not compressed for transfer
            )(url, output_file, None)
        size = os.stat(output_file).st_size
        if size != self.file.size:
            raise _RefusedError(f"sent {size} of {self.file.size} bytes")


class _Meter:
    """An object that pooch uses like a tqdm bar. It stops a mirror that sends too many bytes."""

    def __init__(self, size, advance):
        self.size, self.advance, self.done, self.total = size, advance, 0, size

    def update(self, more):
        """Count `more` bytes."""
        self.done += more
        if self.done > self.size + _CHUNK:  # pooch counts whole chunks
            raise _RefusedError(f"sent more than {self.size} bytes")
        self.advance(min(self.done, self.size))

    def reset(self):
        """Count from 0 again."""
        self.done = 0

    def close(self):
        """Do nothing. pooch calls this at the end of the download."""
