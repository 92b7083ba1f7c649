"""What cannot fit is refused by arithmetic, before anything large is built."""

import os
import subprocess
import sys
import time
from collections import namedtuple

import pytest

from strag.api import job as train_job
from strag.api import room
from strag.cli import main
from strag.files import output
from strag.files.dataset import write_dataset
from strag.training.architecture import Ends
from strag.training.plan import Size, memory_parts
from strag.training.recipe import Recipe
from tests.conftest import made_up
from tests.files.makers import complaint
from tests.shell import files_in

GIB = 2**30
NEEDS = "not enough memory: training needs about"
Disk = namedtuple("Disk", "total used free")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_dataset(str(tmp_path / "d"), made_up(P=300, Q=50), {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def unbuilt(monkeypatch):
    """On a machine of 8 GiB with a disk of 1 TiB, where no task may be built."""

    def build(*_):
        raise AssertionError("it was built")

    monkeypatch.setattr(train_job, "prepare", build)
    monkeypatch.setattr(room, "free_memory", lambda: 8 * GIB)
    monkeypatch.setattr(output.shutil, "disk_usage", lambda _: Disk(2**41, 2**40, 2**40))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--runs 2000000000", [f"{NEEDS} 559 GiB, but 8 GiB are free; train fewer --runs"]),
        ("--runs 2000000000 --plan", [f"{NEEDS} 559 GiB, but 8 GiB are free; train fewer --runs"]),
        ("--width 1000000000", [NEEDS, "TiB, but 8 GiB are free", "--width"]),
        ("--depth 1000 --width 100000", [NEEDS, "TiB, but 8 GiB are free", "narrower layers"]),
        ("--epochs 10000000 --batch-size 1 --record-every 1", [NEEDS, "838 GiB", "--record-every"]),
        ("--epochs 9999999 --batch-size 1 --test-every 1", [NEEDS, "838 GiB", "--test-every"]),
        ("--epochs 10000000 --record-every 1 --runs 9000", ["h: needs", "TiB on its disk", "1 TiB are free"]),
        ("--epochs 10000000 --record-every log --test-every 1 --runs 99999", ["h: needs", "--test-every"]),
        (
            "--runs 10000000 --width 80 --weights w --weights-at log --record-every 250",
            ["w: needs", "--weights-at"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_one_line_at_once(folder, capsys, unbuilt, options, words):
    begun = time.monotonic()
    complaint(capsys, 1, words, "train", "d", *options.split(), "-o", "h")
    assert time.monotonic() - begun < 20
    assert files_in(folder) == ["d"]


def test_into_a_pipe_it_is_the_temporary_folder_that_has_no_room(folder, capfd, monkeypatch):
    monkeypatch.setattr(output.shutil, "disk_usage", lambda _: Disk(1000, 999, 1))
    complaint(capfd, 1, ["stdout: needs", "but 1 bytes are free; set TMPDIR to"], "data", "d")


def test_a_disk_that_says_nothing_is_no_full_one(folder, monkeypatch):
    monkeypatch.setattr(output.shutil, "disk_usage", lambda _: Disk(0, 0, 0))
    assert main(["data", "d", "-q", "-o", "e"]) == 0


def test_the_limit_is_the_users_too(folder, capsys, monkeypatch):
    """Both before and after the task is built, of which the size is known better."""
    monkeypatch.setattr(room, "free_memory", lambda: None)
    words = "needs about", "more than the limit --memory 1; use fewer examples"
    complaint(capsys, 2, words, "train", "d", "--width", "10000000", "--memory", "1", "-o", "h")
    assert main(["train", "d", "--runs", "1", "--epochs", "1", "--memory", "50", "-q", "-o", "h"]) == 0


@pytest.mark.parametrize("free", [None, 8 * GIB])
def test_what_fits_is_trained(folder, monkeypatch, free):
    monkeypatch.setattr(room, "free_memory", lambda: free)
    assert main(["train", "d", "--runs", "2", "--epochs", "2", "-q", "-o", "h"]) == 0


def test_a_graphics_card_has_memory_of_its_own(monkeypatch):
    size = Size(examples=300, test_examples=0, ends=Ends((20,), 19, 2), rows=300)
    monkeypatch.setattr(room, "free_memory", lambda: GIB)
    wide = Recipe.of(width=10**7, epochs=2)
    with pytest.raises(room.StragError, match="not enough memory"):
        room.require_memory(wide, size, None, "cpu")
    room.require_memory(wide, size, None, "cuda")
    with pytest.raises(room.StragError, match="fewer `runs`"):
        room.require_memory(Recipe(runs=10**7), size, None, "cuda")


@pytest.mark.parametrize("record", ["1", "7", "log"])
def test_more_of_anything_is_never_less(record):
    base = {"runs": 50, "width": 10, "depth": 3, "epochs": 100, "record_every": record}
    size = {"examples": 300, "test_examples": 50, "ends": Ends((20,), 19, 2), "rows": 300}
    whole = sum(memory_parts(Recipe.of(**base), Size(**size)).values())
    for name in ("runs", "depth", "epochs"):
        more = Recipe.of(**{**base, name: 2 * base[name]})
        assert sum(memory_parts(more, Size(**size)).values()) >= whole, name
    assert sum(memory_parts(Recipe.of(**base), Size(**size, subsets=True)).values()) > whole


class TestFreeMemory:
    @pytest.fixture
    def machine(self, tmp_path, monkeypatch):
        """A function that writes files below this machine's /proc and /sys/fs/cgroup."""
        monkeypatch.setattr(room, "PROC", tmp_path / "proc")
        monkeypatch.setattr(room, "GROUPS", tmp_path / "groups")

        def write(**texts):
            for name, text in texts.items():
                path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

        write(proc__meminfo="MemTotal: 100 kB\nMemAvailable:   50 kB\nSwapFree: 4 kB\n")
        return write

    def test_it_is_what_is_available_with_swap(self, machine):
        assert room.free_memory() == 54 * 1024

    def test_a_group_leaves_less(self, machine):
        machine(
            proc__self__cgroup="0::/a/b\n",
            groups__a__b__memory_DOT_max="max\n",
            groups__a__b__memory_DOT_current="9\n",
            groups__a__b__memory_DOT_stat="inactive_file 1\n",
            groups__a__memory_DOT_max="20000\n",
            groups__a__memory_DOT_current="9000\n",
            groups__a__memory_DOT_stat="anon 7\ninactive_file 400\nactive_file 30\n",
        )
        assert room.free_memory() == 20000 - 9000 + 430

    def test_in_a_container_it_is_the_outermost_that_is_seen(self, machine):
        machine(
            proc__self__cgroup="0::/../../docker/x\n",
            groups__memory_DOT_max="5000\n",
            groups__memory_DOT_current="6000\n",
            groups__memory_DOT_stat="inactive_file 0\n",
        )
        assert room.free_memory() == 0

    def test_a_group_of_the_first_version(self, machine):
        machine(
            proc__self__cgroup="5:cpu,cpuacct:/a\n4:memory:/a\n",
            groups__memory__a__memory_DOT_limit_in_bytes="30000\n",
            groups__memory__a__memory_DOT_usage_in_bytes="10000\n",
            groups__memory__a__memory_DOT_stat="inactive_file 5\n",
        )
        assert room.free_memory() == 20005

    def test_without_proc_it_is_the_machines(self, machine, tmp_path):
        os.unlink(tmp_path / "proc" / "meminfo")
        assert room.free_memory() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def test_where_nobody_says_nothing_is_known(self, machine, tmp_path, monkeypatch):
        os.unlink(tmp_path / "proc" / "meminfo")
        monkeypatch.delattr(os, "sysconf")
        assert room.free_memory() is None


@pytest.mark.slow
def test_what_a_process_has_taken_is_not_what_the_process_that_started_it_has():
    if not os.path.exists("/proc/self/status"):
        pytest.skip("needs /proc")
    child = "from strag.api import room; print(room.taken_so_far())"
    parent = f"""
import subprocess, sys
large = bytearray(GIB)
large[::4096] = b"1" * (GIB // 4096)
subprocess.run([sys.executable, "-c", {child!r}], check=True)
"""
    script = parent.replace("GIB", str(GIB))
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert 0 < int(result.stdout) < GIB
