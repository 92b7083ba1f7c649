"""An output takes its place when its bytes are on the disk, whatever became of its folder meanwhile."""

import errno
import os
import stat

import pytest

from strag.files import beside
from strag.files.output import Output
from tests.files.makers import refused
from tests.shell import files_in


def write(path, content):
    with Output(path) as output:
        output.file.write(content)
        output.commit()


def test_the_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def noting_sync(number):
        done.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")
        fsync(number)

    def noting_replace(*paths):
        done.append("name")
        replace(*paths)

    monkeypatch.setattr(beside.os, "fsync", noting_sync)
    monkeypatch.setattr(beside.os, "replace", noting_replace)
    write(tmp_path / "f", b"x")
    assert done == ["file", "name", "folder"]


def test_a_disk_that_fails_is_an_error_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fail(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(beside.os, "fsync", fail)
    refused(lambda: write(path, b"new"), path, "cannot be written: Input/output error")
    assert path.read_bytes() == b"old"
    assert files_in(tmp_path) == ["f"]


def test_a_file_system_that_knows_no_such_thing_is_none(tmp_path, monkeypatch):
    def unknown(_):
        raise OSError(errno.EINVAL, "what?")

    monkeypatch.setattr(beside.os, "fsync", unknown)
    write(tmp_path / "f", b"x")
    assert (tmp_path / "f").read_bytes() == b"x"


def test_one_that_somebody_removed_is_whole_all_the_same(tmp_path):
    path = tmp_path / "f"
    with Output(path) as output:
        output.file.write(b"bytes" * 50_000)
        for name in files_in(tmp_path):
            (tmp_path / name).unlink()
        output.commit()
    assert path.read_bytes() == b"bytes" * 50_000
    assert files_in(tmp_path) == ["f"]


def test_a_link_in_its_place_does_not_become_the_result(tmp_path):
    path, victim = tmp_path / "f", tmp_path / "victim"
    victim.write_bytes(b"precious")
    with Output(path) as output:
        output.file.write(b"new")
        (name,) = [name for name in files_in(tmp_path) if name.startswith(".strag-")]
        (tmp_path / name).unlink()
        (tmp_path / name).symlink_to(victim)
        output.commit()
    assert (path.read_bytes(), victim.read_bytes()) == (b"new", b"precious")
    assert not path.is_symlink()


def test_a_folder_that_vanishes_is_one_line(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    output = Output(folder / "f")
    for name in files_in(folder):
        (folder / name).unlink()
    folder.rmdir()
    refused(output.commit, "folder/f: cannot be written: No such file or directory")
    output.__exit__()


def test_a_target_that_becomes_a_folder_is_one_line(tmp_path):
    output = Output(tmp_path / "f")
    (tmp_path / "f").mkdir()
    refused(output.commit, "f: cannot be written: Is a directory")
    output.__exit__()
    assert files_in(tmp_path) == ["f"]


def test_what_nobody_closed_leaves_nothing(tmp_path):
    Output(tmp_path / "f")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(("folder", "there", "kept"), [(7, 7, True), (5, 7, False), (7, 5, False)])
def test_a_file_of_somebody_else_in_a_shared_folder(tmp_path, monkeypatch, folder, there, kept):
    """In a folder such as /tmp only its owner, or the folder's, may replace a file."""
    path = tmp_path / "f"
    path.write_bytes(b"old")
    owners = {str(tmp_path): folder, str(path): there}
    real = os.stat

    def owned(of, **options):
        found = real(of, **options)
        if str(of) not in owners:
            return found
        mode = found.st_mode | (stat.S_ISVTX if str(of) == str(tmp_path) else 0)
        return os.stat_result((mode, *found[1:4], owners[str(of)], *found[5:]))

    monkeypatch.setattr(os, "stat", owned)
    monkeypatch.setattr(os, "geteuid", lambda: 5)
    if kept:
        refused(lambda: Output(path), path, "only its owner may replace it")
    else:
        Output(path).__exit__()
