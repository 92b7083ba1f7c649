"""strag train --plan: the cost of a job, before it is run, against what it then takes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from strag.files.dataset import write_dataset
from strag.geometry.times import logarithmic
from strag.training.plan import longest_part, parts_for
from strag.views.plan import _rows, sentence
from tests.conftest import made_up
from tests.shell import complains, files_in, strag

RESIDUAL = f"{Path(__file__).parents[2] / 'examples' / 'networks' / 'networks.py'}:residual"
SMALL = ["--model", RESIDUAL]
WIDE = ["--model", RESIDUAL, "--model-args", '{"width": 32}']
TRAIN = ["d", "--runs", "3", "--epochs", "20", "--width", "6"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_dataset(str(tmp_path / "d"), made_up(P=300, Q=50), {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(*arguments, cwd=None):
    result = strag("train", *arguments, "--plan", cwd=cwd)
    assert (result.returncode, result.stderr) == (0, b"")
    return json.loads(result.stdout)


@pytest.mark.slow
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


def peak_of(folder, options, data="mnist8k"):
    """Peak memory of a training in bytes. (ru_maxrss would be at least that of the process of the tests.)"""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("needs /proc")
    arguments = ["train", data, *options, "-q", "-o", "h"]
    script = f"from strag.cli import main; main({arguments!r}); print(open('/proc/self/status').read())"
    result = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, check=True)
    return 1024 * int(re.search(rb"VmHWM:\s+(\d+) kB", result.stdout)[1])


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
    assert found["memory_bytes"] == pytest.approx(peak_of(tmp_path, options), rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--model", "cnn", "--runs", "2", "--epochs", "2", "--noise", "1"],
        ["--model", "cnn", "--runs", "1", "--epochs", "2", "--channels", "64,128", "--test-every", "never"],
        [*SMALL, "--runs", "2", "--epochs", "1", "--layers", "all"],
        [*WIDE, "--runs", "1", "--epochs", "1", "--test-every", "never"],
    ],
    ids=["cnn", "wide cnn", "residual", "wide residual"],
)
def test_networks_of_modules_take_at_most_what_is_forecast_and_at_least_half(tmp_path, options):
    assert strag("data", "mnist8k", "--size", "500", "-o", "d", cwd=tmp_path).returncode == 0
    forecast, peak = plan("d", *options, cwd=tmp_path)["memory_bytes"], peak_of(tmp_path, options, "d")
    assert peak <= forecast <= 2 * peak, (peak / 2**20, forecast / 2**20)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_networks_of_modules(tmp_path):
    one, many = (
        peak_of(tmp_path, ["--model", "cnn", "--runs", runs, "--epochs", "2"]) for runs in ("1", "8")
    )
    assert many == pytest.approx(one, rel=0.05)


def test_a_plan_is_no_history(folder):
    (folder / "plan").write_bytes(strag("train", *TRAIN, "--plan").stdout)
    complains(strag("find-stragglers", "plan"), 1, "plan: is a plan file, not a history file", "strag train")
    complains(strag("train", "d", "--without", "plan"), 1, "plan: is a plan file, not a stragglers file")


HOUR = 3600.0


@pytest.mark.parametrize(
    ("seconds", "of"),
    [
        ([HOUR / 2, HOUR / 2], None),
        ([2 * HOUR], None),  # a group is not split
        ([HOUR, HOUR, HOUR], 3),
        ([0.6 * HOUR, 0.6 * HOUR], 2),
        ([HOUR / 100] * 101, 3),
        ([60.0] * 31250, 1042),
    ],
)
def test_parts_are_suggested_for_a_training_of_more_than_an_hour(seconds, of):
    assert parts_for(seconds) == of
    if of:
        groups = [slice(32 * at, 32 * at + 32) for at in range(len(seconds))]
        runs, longest = longest_part(groups, seconds, of)
        assert 600 <= longest <= 3600
        assert (runs.stop - runs.start) / 32 * seconds[0] == pytest.approx(longest)
        assert runs.stop - runs.start >= 32 * len(seconds) / of


def test_the_longest_part_counts_unequal_groups():
    groups = [slice(0, 1), slice(1, 3), slice(3, 5), slice(5, 6)]
    assert longest_part(groups, [1.0, 5.0, 5.0, 1.0], 2) == (slice(0, 3), 6.0)
    assert longest_part(groups, [1.0, 5.0, 5.0, 2.0], 2) == (slice(3, 6), 7.0)
    assert longest_part(groups, [1.0, 5.0, 5.0, 1.0], 4) == (slice(1, 3), 5.0)


@pytest.mark.slow
def test_a_long_training_is_split_in_the_plan_and_a_short_one_is_not(folder):
    long = ["d", "--runs", "9", "--width", "320", "--epochs", "10000000", "--record-every", "log"]
    found = plan(*long, "--weights", "w.%p")
    parts = found["parts"]
    assert parts["number"] == 5  # all groups of two runs, the last of one
    assert parts["runs"] == 2
    assert parts["seconds"] < found["seconds"] / 4
    for name in ("history_bytes", "weights_bytes"):
        assert 2 / 9 * found[name] <= parts[name] < found[name] / 3, name
    assert 0 < parts["memory_bytes"] < found["memory_bytes"]
    part = plan(*long, "--part", "1/5", "--weights", "w.%p")
    assert part["parts"] is None
    for name in ("history_bytes", "weights_bytes"):
        assert part[name] == parts[name], name
    assert part["network_updates"] == 2 * 10_000_000
    assert part["memory_bytes"] == pytest.approx(parts["memory_bytes"], rel=0.2)
    assert plan(*TRAIN)["parts"] is None
    assert files_in(folder) == ["d"]


def test_parts_are_in_the_table_and_in_the_sentence():
    parts = {"number": 12, "runs": 32, "seconds": 1700.0, "memory_bytes": 2**30, "history_bytes": 2**21}
    value = {"network_updates": 10, "operations": 1, "seconds": 20000, "memory_bytes": 2**30}
    value |= {"history_bytes": 2**24, "weights_bytes": 0, "parts": {**parts, "weights_bytes": 0}}
    assert _rows(value)[-4:] == [
        ("suggested parts", "12"),
        ("time of a part", "0:28:20"),
        ("memory of a part", "1.00 GiB"),
        ("history on disk of a part", "2.0 MiB"),
    ]
    assert sentence(value).endswith("; or 12 parts (--part K/12) of 28 minutes")
    assert sentence({**value, "parts": None}) == "about 333.3 minutes, 1.00 GiB of memory"


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
