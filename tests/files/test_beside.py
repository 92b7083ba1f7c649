"""The file beside an output: nobody else's, locked, never in part; what is left of the killed is removed."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from strag.errors import StragNote
from strag.files import beside
from strag.files.output import Output
from tests.files.makers import parts, refused
from tests.shell import files_in

pytestmark = pytest.mark.skipif(beside.fcntl is None, reason="no locks on this system")


def write(path, content):
    with Output(path) as output:
        output.file.write(content)
        output.commit()


def left_beside(path, name="0" * 16):
    """Make what a command that was killed over `path` leaves; its path."""
    left = path.with_name(f"{beside.prefix_of(path)}{name}.tmp")
    left.write_bytes(b"half")
    return left


@pytest.fixture
def named(monkeypatch):
    """Let the random part of temporary names be 0, 1, 2, ... in hexadecimal."""
    numbers = iter(range(1000))
    monkeypatch.setattr(beside.secrets, "token_hex", lambda size: f"{next(numbers):0{2 * size}x}")


def of(path, number):
    return path.with_name(f"{beside.prefix_of(path)}{number:016x}.tmp")


class TestNobodyElses:
    @pytest.mark.parametrize("plant", ["link", "dangling link", "hard link", "folder", "fifo"])
    def test_what_is_planted_at_its_name_is_left_alone(self, tmp_path, named, plant):
        path, victim = tmp_path / "f", tmp_path / "victim"
        victim.write_bytes(b"precious")
        for number in range(3):
            planted = of(path, number)
            if plant == "link":
                planted.symlink_to(victim)
            elif plant == "dangling link":
                planted.symlink_to(tmp_path / "nowhere")
            elif plant == "hard link":
                planted.hardlink_to(victim)
            elif plant == "folder":
                planted.mkdir()
            else:
                os.mkfifo(planted)
        with Output(path) as output:
            output.file.write(b"new")
            output.commit()
        assert (path.read_bytes(), victim.read_bytes()) == (b"new", b"precious")
        assert not path.is_symlink()
        assert not (tmp_path / "nowhere").exists()

    def test_where_every_name_is_taken_it_is_refused(self, tmp_path, named):
        path, victim = tmp_path / "f", tmp_path / "victim"
        victim.write_bytes(b"precious")
        for number in range(beside.ATTEMPTS):
            of(path, number).symlink_to(victim)
        refused(lambda: Output(path), path, "cannot be written")
        assert victim.read_bytes() == b"precious"
        assert not path.exists()

    def test_names_differ_and_are_short(self, tmp_path):
        path = tmp_path / ("n" * 255)
        outputs = [Output(path) for _ in range(3)]
        names = files_in(tmp_path)
        assert len(set(names)) == 3
        assert max(map(len, names)) < 50
        for output in outputs:
            output.__exit__()
        assert files_in(tmp_path) == []

    @pytest.mark.parametrize("length", [1, 200, 245, 255])
    def test_a_name_may_be_as_long_as_the_system_allows(self, tmp_path, length):
        write(tmp_path / ("n" * length), b"x")
        assert files_in(tmp_path) == ["n" * length]

    def test_two_at_once_give_two_whole_results_and_the_later_stays(self, tmp_path):
        path = tmp_path / "f"
        with Output(path) as first, Output(path) as second:
            first.file.write(b"first" * 1000)
            second.file.write(b"second")
            second.commit()
            assert path.read_bytes() == b"second"
            first.commit()
        assert path.read_bytes() == b"first" * 1000
        assert files_in(tmp_path) == ["f"]

    def test_two_processes_that_have_one_number(self, tmp_path):
        """As in containers, where every job may be process 1."""
        script = """
import os, sys, time
os.getpid = lambda: 1
import numpy as np
from strag.files.container import TensorWriter
from strag.files.stamp import stamp
value = int(sys.argv[1])
with TensorWriter("f", stamp("history", value=value), {"x": (np.uint8, (50, 1000))}) as writer:
    for row in range(50):
        writer.put("x", row, value)
        time.sleep(0.01)
    writer.commit()
"""
        jobs = [subprocess.Popen([sys.executable, "-c", script, str(v)], cwd=tmp_path) for v in (3, 4)]
        assert [job.wait(60) for job in jobs] == [0, 0]
        assert files_in(tmp_path) == ["f"]
        _, meta, tensors = parts(tmp_path / "f")
        assert (tensors["x"] == meta["value"]).all()


class TestModes:
    @pytest.mark.parametrize("umask", [0o077, 0o022, 0o000])
    def test_while_it_is_written_only_its_owner_reads_it(self, tmp_path, umask):
        before = os.umask(umask)
        try:
            with Output(tmp_path / "f"):
                (name,) = files_in(tmp_path)
                assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        finally:
            os.umask(before)

    @pytest.mark.parametrize("umask", [0o077, 0o022])
    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
    def test_a_replaced_file_keeps_its_mode(self, tmp_path, umask, mode):
        path = tmp_path / "f"
        path.write_bytes(b"old")
        path.chmod(mode)
        before = os.umask(umask)
        try:
            write(path, b"new")
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert path.read_bytes() == b"new"

    def test_the_umask_stays_what_it_was(self, tmp_path):
        before = os.umask(0o027)
        try:
            write(tmp_path / "f", b"x")
            assert os.umask(0o027) == 0o027
        finally:
            os.umask(before)

    def test_a_group_that_cannot_be_kept_gets_what_all_have(self, tmp_path, monkeypatch):
        path = tmp_path / "f"
        path.write_bytes(b"old")
        path.chmod(0o664)

        def other(number):
            found = list(fstat(number))
            found[5] += 1  # st_gid
            return os.stat_result(found)

        def refuse(*_):
            raise PermissionError(errno.EPERM, "no")

        with Output(path) as output:
            fstat = os.fstat
            monkeypatch.setattr(os, "fchown", refuse)
            with monkeypatch.context() as patch:
                patch.setattr(beside.os, "fstat", other)
                beside._allow(output.file.fileno(), path, 0o600)
            assert stat.S_IMODE(os.fstat(output.file.fileno()).st_mode) == 0o644


class TestLeftovers:
    def test_those_of_the_killed_are_removed_with_a_note(self, tmp_path):
        path = tmp_path / "f"
        left_beside(path)
        left_beside(path, "1" * 16)
        with pytest.warns(
            StragNote, match=r"f: removed 2 unfinished files left by a command that was killed"
        ):
            write(path, b"new")
        assert files_in(tmp_path) == ["f"]

    def test_one_that_is_being_written_stays(self, tmp_path):
        path = tmp_path / "f"
        with Output(path) as first:
            first.file.write(b"first")
            write(path, b"second")
            first.commit()
        assert path.read_bytes() == b"first"

    def test_those_of_other_files_and_finished_parts_stay(self, tmp_path):
        path = tmp_path / "f"
        other = left_beside(tmp_path / "g")
        for name in ("f.partial", "f.resume", ".f.123.tmp", ".strag-mine"):
            (tmp_path / name).write_bytes(b"x")
        write(path, b"new")
        expected = [".f.123.tmp", ".strag-mine", other.name, "f", "f.partial", "f.resume"]
        assert files_in(tmp_path) == sorted(expected)

    def test_a_link_a_folder_or_a_pipe_of_such_a_name_stays(self, tmp_path):
        path, victim = tmp_path / "f", tmp_path / "victim"
        victim.write_bytes(b"precious")
        of(path, 1).symlink_to(victim)
        of(path, 2).mkdir()
        os.mkfifo(of(path, 3))
        write(path, b"new")
        assert victim.read_bytes() == b"precious"
        assert len(files_in(tmp_path)) == 5

    @pytest.mark.parametrize("locks", [None, errno.ENOLCK, errno.EOPNOTSUPP])
    def test_without_locks_it_is_written_and_nothing_is_removed(self, tmp_path, monkeypatch, locks):
        def none(*_):
            raise OSError(locks, "no locks")

        if locks is None:
            monkeypatch.setattr(beside, "fcntl", None)
        else:
            monkeypatch.setattr(beside.fcntl, "flock", none)
        left = left_beside(tmp_path / "f")
        write(tmp_path / "f", b"new")
        assert files_in(tmp_path) == sorted([left.name, "f"])
        assert (tmp_path / "f").read_bytes() == b"new"

    def test_one_that_another_takes_for_a_leftover_is_made_anew(self, tmp_path, monkeypatch):
        """Before its lock is taken, somebody else may find it, lock it and remove it."""
        path, removed = tmp_path / "f", []
        lock = beside._lock

        def late(number):
            if not removed:
                removed.extend(tmp_path.glob(".strag-*"))
                removed[0].unlink()
            return lock(number)

        monkeypatch.setattr(beside, "_lock", late)
        write(path, b"new")
        assert len(removed) == 1
        assert path.read_bytes() == b"new"
        assert files_in(tmp_path) == ["f"]

    def test_a_folder_that_cannot_be_listed(self, tmp_path, monkeypatch):
        def refuse(*_):
            raise PermissionError(errno.EACCES, "no")

        monkeypatch.setattr(beside.os, "listdir", refuse)
        write(tmp_path / "f", b"new")
        assert (tmp_path / "f").read_bytes() == b"new"
