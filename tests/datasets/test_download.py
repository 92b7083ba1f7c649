"""Downloads: whole files or none, from whichever mirror has them, and only once."""

import contextlib
import os
import stat
from pathlib import Path

import pytest

from strag.datasets import download
from strag.datasets.download import cache_folder, fetch
from tests.datasets.mirror import (
    Mirror,
    broken_off,
    circular,
    corrupted,
    endless,
    failing,
    hanging,
    missing,
    remote_file,
    short,
)
from tests.files.makers import refused
from tests.shell import files_in

CONTENT = {"a.gz": bytes(range(256)) * 1000, "b.gz": b"second"}
FILES = tuple(remote_file(name, content) for name, content in CONTENT.items())
SERVED = {f"/{name}": content for name, content in CONTENT.items()}
REMEDY = "do it by hand"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The folder of data set `digits` in an empty cache."""
    monkeypatch.setenv("STRAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("STRAG_MIRROR", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache" / "digits"


def get(*mirrors, watch=None):
    return fetch("digits", FILES, [mirror.address for mirror in mirrors], REMEDY, watch)


def left(cache):
    return files_in(cache) if cache.exists() else []


def test_a_file_is_what_the_mirror_serves_and_is_asked_for_once(cache):
    with Mirror(SERVED) as mirror:
        paths = get(mirror)
        assert list(map(str, paths)) == [str(cache / name) for name in CONTENT]
        assert [Path(path).read_bytes() for path in paths] == list(CONTENT.values())
        assert get(mirror) == paths
        assert mirror.asked == ["/a.gz", "/b.gz"]
    assert get(mirror) == paths  # nobody is there any more
    assert files_in(cache) == sorted(CONTENT)


def test_the_next_mirror_is_asked_and_the_one_that_worked_comes_first(cache):
    with Mirror(SERVED, missing) as bad, Mirror(SERVED, corrupted) as worse, Mirror(SERVED) as good:
        get(bad, worse, good)
        assert (bad.asked, worse.asked, good.asked) == (["/a.gz"], ["/a.gz"], ["/a.gz", "/b.gz"])
    assert files_in(cache) == sorted(CONTENT)


def test_who_watches_learns_address_size_progress_and_what_went_wrong_before():
    seen = []

    @contextlib.contextmanager
    def watch(url, size, failure=None):
        seen.append((url, size, failure, steps := []))
        yield steps.append

    with Mirror(SERVED, missing) as bad, Mirror(SERVED) as good:
        get(bad, good, watch=watch)
    first, second, third = seen
    assert first == (f"{bad.address}a.gz", 256_000, None, [])
    assert second[:3] == (f"{good.address}a.gz", 256_000, f"{bad.host} answered 404 Not Found")
    assert third[:3] == (f"{good.address}b.gz", 6, None)
    steps = second[3]
    assert len(steps) > 3
    assert steps == sorted(steps)
    assert steps[-1] == 256_000


def test_a_damaged_file_in_the_cache_is_replaced(cache):
    cache.mkdir(parents=True)
    (cache / "a.gz").write_bytes(b"damaged")
    with Mirror(SERVED) as mirror:
        get(mirror)
    assert (cache / "a.gz").read_bytes() == CONTENT["a.gz"]


def test_the_umask_says_who_may_read_a_file(cache):
    before = os.umask(0o027)
    try:
        with Mirror(SERVED) as mirror:
            get(mirror)
    finally:
        os.umask(before)
    assert stat.S_IMODE((cache / "a.gz").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (corrupted, "sent a file with a wrong checksum"),
        (short, "sent 128000 of 256000 bytes"),
        (broken_off, "closed the connection"),
        (endless, "sent more than 256000 bytes"),
        (missing, "answered 404 Not Found"),
        (failing, "answered 500 Internal Server Error"),
        (circular, "failed (TooManyRedirects)"),
    ],
)
def test_a_bad_mirror_is_named_and_leaves_nothing(cache, behave, words):
    with Mirror(SERVED, behave) as mirror:
        refused(
            lambda: get(mirror), f"digits: a.gz cannot be downloaded ({mirror.host} {words}", f"; {REMEDY}"
        )
    assert left(cache) == []


def test_every_mirror_that_failed_is_named(cache):
    with Mirror(SERVED, missing) as bad, Mirror(SERVED, corrupted) as worse:
        text = refused(lambda: get(bad, worse))
    assert f"({bad.host} answered 404 Not Found, {worse.host} sent a file with" in text


def test_a_mirror_that_says_nothing(cache, monkeypatch):
    monkeypatch.setattr(download, "_PATIENCE", (0.3, 0.3))
    with Mirror(SERVED, hanging) as mirror:
        refused(lambda: get(mirror), f"{mirror.host} does not answer")
    assert left(cache) == []


def test_without_a_network(cache):
    with Mirror(SERVED) as mirror:
        pass  # its port is closed again
    refused(lambda: get(mirror), f"a.gz cannot be downloaded ({mirror.host} cannot be reached); {REMEDY}")
    assert left(cache) == []


def test_a_host_that_fails_twice_is_named_once(cache, monkeypatch):
    with Mirror(SERVED) as mirror:
        pass
    monkeypatch.setenv("STRAG_MIRROR", f"http://{mirror.host}/a http://{mirror.host}/b")
    refused(lambda: get(mirror), f"cannot be downloaded ({mirror.host} cannot be reached); {REMEDY}")


def test_an_interrupted_download_leaves_nothing(cache):
    @contextlib.contextmanager
    def interrupt(*_):
        def advance(done):
            raise KeyboardInterrupt

        yield advance

    with Mirror(SERVED) as mirror, pytest.raises(KeyboardInterrupt):
        get(mirror, watch=interrupt)
    assert left(cache) == []


def test_a_mirror_of_ones_own_takes_the_place_of_the_public_ones(cache, monkeypatch):
    served = {f"/deep/digits/{name}": content for name, content in CONTENT.items()}
    with Mirror(SERVED) as public, Mirror({}) as empty, Mirror(served) as own:
        monkeypatch.setenv("STRAG_MIRROR", f" {empty.address}\t{own.address}deep ")
        get(public)
        assert (public.asked, empty.asked) == ([], ["/digits/a.gz"])
    assert files_in(cache) == sorted(CONTENT)


def test_a_cache_is_a_mirror(tmp_path, cache, monkeypatch):
    """It is served as it lies."""
    with Mirror(SERVED) as mirror:
        get(mirror)
    lying = {f"/{p.relative_to(cache.parent)}": p.read_bytes() for p in cache.parent.rglob("*.gz")}
    monkeypatch.setenv("STRAG_CACHE", str(tmp_path / "other"))
    with Mirror(lying) as mirror:
        monkeypatch.setenv("STRAG_MIRROR", mirror.address)
        fetch("digits", FILES, [], REMEDY)
    assert files_in(tmp_path / "other" / "digits") == sorted(CONTENT)


@pytest.mark.parametrize("address", ["mirror.example", "ftp://mirror.example/", "file:///data", "https://"])
def test_what_is_no_address(monkeypatch, address):
    monkeypatch.setenv("STRAG_MIRROR", address)
    refused(
        lambda: fetch("digits", FILES, [], REMEDY), f"STRAG_MIRROR contains '{address}'", "https://", status=2
    )


def test_a_cache_that_cannot_be(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("STRAG_CACHE", str(tmp_path / "file"))
    with Mirror(SERVED) as mirror:
        refused(lambda: get(mirror), f"{tmp_path}/file/digits: cannot hold a download", "set STRAG_CACHE to")


@pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do not bind root")
def test_a_cache_that_is_read_only(cache):
    cache.mkdir(parents=True)
    cache.chmod(0o500)
    with Mirror(SERVED) as mirror:
        refused(lambda: get(mirror), f"{cache}: cannot hold a download: permission denied", "STRAG_CACHE")


def test_the_cache_is_the_users_unless_said_otherwise(tmp_path, monkeypatch):
    assert cache_folder("mnist") == tmp_path / "cache" / "mnist"
    monkeypatch.setenv("STRAG_CACHE", "~/kept")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder("mnist") == tmp_path / "kept" / "mnist"
    monkeypatch.setenv("STRAG_CACHE", "")
    assert cache_folder("mnist").parts[-2:] == ("strag", "mnist")
