"""A file is written whole or not at all; pipes, devices and links stay what they are."""

import errno
import io
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.files.container import TensorWriter
from strag.files.output import Output
from strag.files.streams import name_of, open_input, read_exactly, spool
from tests.files.makers import dataset_file, images, refused
from tests.shell import shell

NOT_AS_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do not bind root")


def write(path, content):
    with Output(path) as output:
        output.file.write(content)
        output.commit()


def fail_halfway(path, error):
    with Output(path) as output:
        output.file.write(b"half")
        raise error


def read_all(path, into):
    into.append(Path(path).read_bytes())


def test_nothing_appears_before_commit_and_all_of_it_after(tmp_path):
    path = tmp_path / "f"
    with Output(path) as output:
        output.file.write(b"whole")
        assert not path.exists()
        output.commit()
        assert path.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_nothing(tmp_path, error):
    with pytest.raises(error):
        fail_halfway(tmp_path / "f", error)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_keeps_the_old_file(tmp_path, error):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(error):
        fail_halfway(path, error)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_leaving_without_commit_leaves_nothing(tmp_path):
    with Output(tmp_path / "f") as output:
        output.file.write(b"half")
    assert os.listdir(tmp_path) == []


def test_a_reader_of_the_old_file_goes_on_reading_it(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with open(path, "rb") as reader:
        write(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_the_mode_is_the_umasks(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write(tmp_path / "f", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == mode


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path):
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "f", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_link_into_the_void_makes_its_target(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "f")
    write(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_fifo_gets_the_bytes_and_stays_a_fifo(tmp_path):
    path, received = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=read_all, args=(path, received))
    reader.start()
    write(path, b"x" * 200_000)
    reader.join(10)
    assert received == [b"x" * 200_000]
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_failure_writes_nothing_into_a_fifo(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(ValueError):
            fail_halfway(path, ValueError)
        assert os.read(number, 10) == b""
    finally:
        os.close(number)


def test_an_open_pipe_by_its_name_in_dev_fd(tmp_path):
    """What `-o >(command)` gives: a link to a pipe, which has no name in any folder."""
    ours, theirs = os.pipe()
    try:
        write(f"/dev/fd/{theirs}", b"bytes")
        assert os.read(ours, 10) == b"bytes"
    finally:
        os.close(ours)
        os.close(theirs)


def test_output_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    file, loop = tmp_path / "file", tmp_path / "loop"
    file.write_bytes(b"old")
    loop.symlink_to(loop)
    refused(lambda: Output(tmp_path), tmp_path, "is a directory", status=2)
    refused(lambda: Output(tmp_path / "nowhere" / "f"), "nowhere/f", "no folder", "nowhere; create it first")
    refused(lambda: Output(file / "f"), file / "f", "cannot be written: Not a directory")
    refused(lambda: Output(loop), loop, "cannot be written")
    refused(lambda: Output(tmp_path / ("n" * 300)), "nnn", "cannot be written: File name too long")
    refused(lambda: Output(""), "the name of an output is empty", status=2)
    assert sorted(os.listdir(tmp_path)) == ["file", "loop"]


@NOT_AS_ROOT
def test_permission_is_needed(tmp_path):
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.touch(0o400)
    folder.mkdir(0o500)
    refused(lambda: Output(file), file, "cannot be written: permission denied")
    refused(lambda: Output(folder / "f"), folder / "f", "cannot be written: Permission denied")
    (tmp_path / "secret").touch(0o000)
    refused(lambda: open_input(tmp_path / "secret").__enter__(), "secret", "cannot be read")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_names_the_output():
    def fill():
        write("/dev/full", b"x" * 100_000)

    refused(fill, "/dev/full", "No space left on device")


def test_room_for_a_container_is_taken_first(tmp_path, monkeypatch):
    """A memory map onto a full disk would be a crash in the middle of the work."""

    def no_room(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", no_room, raising=False)
    path = tmp_path / "f"
    refused(lambda: TensorWriter(path, {}, {"x": (np.uint8, (9,))}), path, "No space left on device")
    assert os.listdir(tmp_path) == []


FILLS = """
import resource, sys
from strag.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("arguments", "where"), [(["d"], "stdout"), (["-", "-o", "out"], "stdin")])
def test_a_full_temporary_folder_is_named(tmp_path, arguments, where):
    """What goes through a pipe waits there: another place for the output would be no cure."""
    content = Path(dataset_file(tmp_path / "d", images(P=1000))).read_bytes()
    found = subprocess.run(
        [sys.executable, "-c", FILLS, "data", *arguments],
        cwd=tmp_path, input=content, capture_output=True, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    problem = f"does not fit in {tmp_path}: File too large"
    assert found.stderr.decode() == f"strag: {where}: {problem}; set TMPDIR to a folder with more room\n"
    assert (found.returncode, found.stdout) == (1, b"")
    assert os.listdir(tmp_path) == ["d"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_stdout_is_named(tmp_path):
    dataset_file(tmp_path / "d")
    found = shell("strag info d > /dev/full", tmp_path)
    text = "strag: stdout: cannot be written: No space left on device; choose another place\n"
    assert (found.returncode, found.stderr.decode()) == (1, text)


def test_a_limit_on_file_sizes_names_the_output(tmp_path):
    script = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from strag.cli import main
sys.exit(main(["data", "mnist8k", "--size", "100", "-o", "f"]))
"""
    found = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert found.stderr == "strag: f: cannot be written: File too large; choose another place\n"
    assert found.returncode == 1
    assert os.listdir(tmp_path) == []


def test_input_that_cannot_be_read(tmp_path):
    (tmp_path / "file").touch()
    for path, words in (
        (tmp_path, ["is a directory", "name a file in it"]),
        (tmp_path / "nothere", ["nothere: no such file", "check the path"]),
        (tmp_path / "file" / "f", ["cannot be read: Not a directory"]),
        ("", ["'': no such file"]),
    ):
        refused(lambda path=path: open_input(path).__enter__(), *words)


class Dripping(io.RawIOBase):
    """A raw stream that gives a few bytes at a time, as pipes do."""

    def __init__(self, content, sizes):
        self.rest, self.sizes = content, list(sizes)

    def read(self, size=-1):
        step = min(size if size >= 0 else len(self.rest), self.sizes.pop(0) if self.sizes else 7)
        part, self.rest = self.rest[:step], self.rest[step:]
        return part


@given(content=st.binary(max_size=60), size=st.integers(0, 80), sizes=st.lists(st.integers(1, 9)))
@settings(deadline=None)
def test_reading_is_exact_however_the_bytes_arrive(content, size, sizes):
    stream = Dripping(content, sizes)
    head = read_exactly(stream, size)
    assert head == content[:size]
    with spool(head, stream, size + 20) as spooled:
        assert spooled.read() == content[: size + 20]


def test_names_in_messages():
    assert name_of("-") == "stdin"
    assert name_of(Path("a/b")) == "a/b"
    assert name_of("") == "''"


def test_a_disk_that_fills_up_at_the_end_leaves_nothing(tmp_path):
    """A small file waits in a buffer, whose bytes the disk refuses when it is closed."""
    script = """
import resource, sys
from strag.files.output import Output
from strag.errors import StragError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    with Output("f") as output:
        with output.writing():
            output.file.write(b"x" * 5000)
        output.commit()
except StragError as error:
    sys.exit(str(error))
"""
    found = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert found.stderr == "f: cannot be written: File too large; choose another place\n"
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there_is_no_file(tmp_path):
    refused(lambda: Output(f"{tmp_path}/results/"), "results/: cannot be written: no such folder")
    assert os.listdir(tmp_path) == []
