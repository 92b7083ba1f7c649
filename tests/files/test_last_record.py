"""Histories whose runs end at different records, from file to file."""

import json

import numpy as np
import pytest

from strag import kinds
from strag.cli import main
from strag.files.describe import describe
from strag.files.history import SPEC
from strag.files.opening import open_file
from strag.files.stamp import stamp
from strag.files.writer import write
from tests.files.makers import forge, parts, refused
from tests.stragglers.endings import ENDS, FULL_BATCH, ending, whole

RECIPE = {**FULL_BATCH, "until": "decided", "epochs": 160, "noise": [0.0], "lr": 0.2}


@pytest.fixture
def made():
    return ending(whole(), ENDS)


@pytest.fixture
def path(tmp_path, made):
    """A file of the History `made`."""
    names = ("updates", "trained", "index", "y", "group", "train_error", "train_loss", "misclassified")
    tested = ("test_updates", "test_error", "test_misclassified", "y_test", "last_record")
    tensors = {name: getattr(made, name) for name in (*names, *tested)} | made.measures
    meta = {"recipe": RECIPE, "origin": "o", "origin_size": made.examples, "title": "made-up", "inputs": {}}
    lists = {name: list(getattr(made, name)) for name in ("runs", "layers", "classes")}
    write(str(tmp_path / "h"), SPEC, stamp("history", **meta, **lists), tensors)
    return str(tmp_path / "h")


def test_the_last_records_are_read_again(path, made):
    history = kinds.read(path)

    np.testing.assert_array_equal(history.last_record, ENDS)
    np.testing.assert_array_equal(history.recorded, made.recorded)
    np.testing.assert_array_equal(history.finite, made.finite)
    np.testing.assert_array_equal(kinds.read(path, tests=False).last_updates, ENDS)


def test_only_trainings_until_decided_have_the_next_format(path):
    _, meta, _ = parts(path)

    assert meta["format"] == 2
    assert stamp("history", recipe={"until": None})["format"] == 1
    assert stamp("history", recipe={})["format"] == stamp("history")["format"] == 1


@pytest.mark.parametrize("ends", [(-1, 5, 5, 5), (0, 1, 2, 160)])
def test_a_last_record_that_is_not_there_is_refused(path, tmp_path, ends):
    refused(lambda: kinds.read(forge(path, tmp_path / "bad", last_record=np.array(ends))), "last_record")


def test_every_command_reads_it_and_says_how_long_each_run_was(path, tmp_path):
    names = ("s.json", "at.json", "a.json", "sets", "h.png", "a.png", "sum.json")
    out = {name: str(tmp_path / name) for name in names}
    for arguments in (
        ("find-stragglers", path, "-o", out["s.json"]),
        ("find-stragglers", path, "--at", "error:0.75", "-o", out["at.json"]),
        ("find-stragglers", path, "--at", "90", "-o", out["at.json"]),
        ("find-stragglers", path, "--per-class", "--any-verdict", "-o", out["at.json"]),
        ("stability", path, "-o", out["a.json"]),
        ("sets", path, "--at", "log", "-o", out["sets"]),
        ("summary", out["s.json"], "-o", out["sum.json"]),
        ("plot", path, "-o", out["h.png"]),
        ("plot", out["a.json"], "-o", out["a.png"]),
    ):
        assert main(list(arguments)) == 0, arguments
    with open(out["s.json"]) as stream:
        runs = json.load(stream)["runs"]
    assert [run["last_update"] for run in runs] == list(ENDS)
    assert {run["verdict"] for run in runs} <= {"inversion", "open"}
    assert describe(open_file(path))["shapes"]["last_record"] == [4]
