"""Pipelines through a real shell, with pipefail."""

import json

import pytest

from strag.files.dataset import write_dataset
from tests.conftest import made_up
from tests.shell import files_in, shell

TRAIN = "train - --runs 4 --epochs 40 --width 6 --lr 0.5 --test-every never -q"


@pytest.fixture
def folder(tmp_path):
    write_dataset(str(tmp_path / "d"), made_up(P=400, overlap=2.0), {})
    return tmp_path


def test_the_whole_pipeline_in_pipes(folder):
    script = f"""
    strag {TRAIN} < d | strag find-stragglers - --at 30 -q > s.json
    strag prune d s.json -q | strag {TRAIN} |
        strag find-stragglers --at 30 -q | strag info --get summary.examples
    """
    result = shell(script, folder)
    assert (result.returncode, result.stderr) == (0, b"")
    found = json.loads((folder / "s.json").read_text())
    assert len(found["indices"]) > 0
    assert int(result.stdout) == 400 - len(found["indices"])


@pytest.mark.slow
def test_a_pipe_equals_a_file(folder):
    script = f"""
    strag {TRAIN} -o h < d
    cat d | strag {TRAIN} | cat > piped
    cmp h piped
    strag find-stragglers h --at 30 -q > a.json
    cat h | strag find-stragglers --at 30 -q > b.json
    strag find-stragglers - --at 30 -q < h -o c.json
    cmp a.json b.json && cmp b.json c.json
    strag prune d a.json -q > p; cat a.json | strag prune d -q > q; cat d | strag prune - a.json -q -o r
    cmp p q && cmp q r
    """
    result = shell(script, folder)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_failure(folder):
    made = shell(f"strag {TRAIN} -o h < d; strag find-stragglers h --at 30 -q -o s.json", folder)
    assert made.returncode == 0, made.stderr
    for command in (
        "strag data mnist8k -q",
        f"strag {TRAIN} < d",
        "strag find-stragglers h --at 30 -q",
        "strag prune d s.json -q",
        "strag info h",
        "strag --help",
    ):
        result = shell(f"{command} | head -c 10", folder)
        assert (result.returncode, result.stderr) == (0, b""), command
        assert len(result.stdout) == 10, command


def test_a_failure_upstream_is_the_first_to_speak(folder):
    result = shell("strag prune d nothere.json | strag train - -o h", folder)
    assert result.returncode == 1
    lines = result.stderr.decode().splitlines()
    assert sorted(lines) == [
        "strag: nothere.json: no such file; check the path",
        "strag: stdin: is empty; did the command before it in the pipe fail?",
    ]
    assert files_in(folder) == ["d"]


@pytest.mark.slow
def test_status_three_passes_through_a_pipe_and_a_file(folder):
    script = f"strag {TRAIN} --epochs 6 < d | strag find-stragglers - -q -o s.json"
    result = shell(script, folder)
    assert result.returncode in (1, 3)  # six updates: nothing to be found
    assert json.loads((folder / "s.json").read_text())["verdict"] in ("open", "unresolved")


@pytest.mark.slow
def test_stdout_may_be_a_named_device_or_a_fifo(folder):
    script = f"""
    strag {TRAIN} -o h < d
    mkfifo pipe
    cat pipe > through & strag {TRAIN} -o pipe < d; wait
    cmp h through && test -p pipe
    strag {TRAIN} -o /dev/stdout < d | cmp - h
    strag {TRAIN} -o /dev/null < d && test -c /dev/null
    """
    result = shell(script, folder)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.slow
def test_unbuffered_python_writes_whole(folder):
    result = shell(f"strag {TRAIN} -o h < d; PYTHONUNBUFFERED=1 strag {TRAIN} < d | cmp - h", folder)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.slow
def test_spaces_and_dashes_in_names(folder):
    script = f"""
    strag {TRAIN} -o 'a history' < d
    strag find-stragglers 'a history' --at 30 -q -o ./-s.json
    strag prune d -q -o 'easy ones' -- -s.json
    strag info 'easy ones' --get kind
    """
    result = shell(script, folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"dataset\n", b"")
