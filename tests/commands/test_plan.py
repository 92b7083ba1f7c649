"""strag train --plan: the cost of a job, before it is run, against what it then takes."""

import json
import os
import subprocess
import sys

import pytest

from strag.files.dataset import write_dataset
from strag.geometry.times import logarithmic
from strag.views.plan import _rows
from tests.conftest import made_up
from tests.shell import complains, files_in, strag

TRAIN = ["d", "--runs", "3", "--epochs", "20", "--width", "6"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_dataset(str(tmp_path / "d"), made_up(P=300, Q=50), {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(*arguments):
    result = strag("train", *arguments, "--plan")
    assert (result.returncode, result.stderr) == (0, b"")
    return json.loads(result.stdout)


def test_it_counts_and_writes_nothing(folder):
    found = plan(*TRAIN, "-o", "h", "--weights", "w", "--weights-at", "0,20")
    assert files_in(folder) == ["d"]
    assert found["strag"]["kind"] == "plan"
    assert found["network_updates"] == 60
    inputs, hidden, logits = 19, 6, 2  # one of 20 inputs is constant
    forward = 2 * (inputs * hidden + hidden * logits)
    backward = forward + 2 * hidden * logits
    tests = len([0, *logarithmic(range(21))])
    assert found["operations"] == 3 * (300 * (20 * (forward + backward) + forward) + tests * 50 * forward)
    assert found["weights_bytes"] == 2 * 3 * 4 * (21 * 6 + 7 * 2)
    assert found["seconds"] > 0


def test_the_sizes_are_those_of_the_files(folder):
    found = plan(*TRAIN, "--weights", "w", "--weights-at", "log")
    assert strag("train", *TRAIN, "-o", "h", "--weights", "w", "--weights-at", "log", "-q").returncode == 0
    for name, key in (("h", "history_bytes"), ("w", "weights_bytes")):
        header = 8 + int.from_bytes((folder / name).read_bytes()[:8], "little")
        more = os.path.getsize(folder / name) - header - found[key]
        assert more == (0 if name == "h" else 8 * (340 + 1 + len(logarithmic(range(21)))) + 3 * 38)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--runs", "40", "--epochs", "3", "--noise", "1", "--test-every", "1"],
        ["--runs", "2", "--epochs", "2", "--depth", "3", "--width", "400", "--activation", "gelu"],
    ],
    ids=" ".join,
)
def test_memory_is_what_the_job_takes_to_a_fifth(tmp_path, options):
    found = plan("mnist8k", *options)
    arguments = ["train", "mnist8k", *options, "-q", "-o", "h"]
    script = f"import resource; from strag.cli import main; main({arguments!r}); "
    script += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    result = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True)
    assert found["memory_bytes"] == pytest.approx(1024 * int(result.stdout), rel=0.2)


def test_a_plan_is_no_history(folder):
    (folder / "plan").write_bytes(strag("train", *TRAIN, "--plan").stdout)
    complains(strag("find-stragglers", "plan"), 1, "plan: is a plan file, not a history file", "strag train")
    complains(strag("train", "d", "--without", "plan"), 1, "plan: is a plan file, not a stragglers file")


def test_its_table_has_units():
    value = {
        "network_updates": 455000,
        "operations": 2.5e14,
        "seconds": 4000.2,
        "memory_bytes": 2**29,
        "history_bytes": 2**20,
        "weights_bytes": 2**21,
    }
    assert _rows(value) == [
        ("network-updates", "455,000"),
        ("arithmetic", "250 TFLOP"),
        ("time", "1:06:40"),
        ("per network-update", "8.79 ms"),
        ("memory", "0.50 GiB"),
        ("history on disk", "1.0 MiB"),
        ("weights on disk", "2.0 MiB"),
    ]
