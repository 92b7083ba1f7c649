"""find-stragglers --per-run, and train --without its sets."""

import re

import numpy as np
import pytest

from strag.cli import main
from strag.files.dataset import write_dataset
from strag.files.history import read_history
from tests.conftest import made_up
from tests.shell import complains, files_in, strag

TRAIN = ["--epochs", "12", "--width", "6", "--lr", "0.4", "-q"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    write_dataset(str(folder / "d"), made_up(P=300, overlap=2.0), {})
    assert (
        main(["train", str(folder / "d"), "--runs", "4", "--first-run", "1", *TRAIN, "-o", str(folder / "h")])
        == 0
    )
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def test_a_sweep_is_many_trainings_in_one(folder, tmp_path, capsys):
    """The network of each set is run r of a training without that set."""
    sets, out = str(tmp_path / "sets"), str(tmp_path / "sweep")
    assert main(["find-stragglers", "h", "--at", "log", "--per-run", "--controls", "class", "-o", sets]) == 0
    assert main(["train", "d", "--without", sets, *TRAIN[:-1], "-o", out]) == 0
    told = r"strag: 88 sets of \d+\.\d examples on average\nstrag: 88 runs, 12 updates, 13 records\n"
    assert re.fullmatch(told, capsys.readouterr().err)
    sweep, whole = read_history(out), read_history("h")
    told = sweep.meta["sets"]
    assert len(sweep.runs) == 88
    assert told["run"][:5] == [1, 2, 3, 4, 1]
    assert told["update"][:5] == [1, 1, 1, 1, 2]
    assert told["control"] == ["none"] * 44 + ["class"] * 44
    trained = sweep.trained_bits()
    for number in (0, 6, 43):
        record, run = told["update"][number], told["run"][number] - 1
        np.testing.assert_array_equal(~trained[number], whole.misclassified_at(record, run))
        np.testing.assert_array_equal(~trained[number + 44].sum(), ~trained[number].sum())
    alone = str(tmp_path / "one")
    assert main(["find-stragglers", "h", "--at", "2", "--per-run", "-q", "-o", alone]) == 0
    assert main(["train", "d", "--without", alone, *TRAIN, "-o", str(tmp_path / "four")]) == 0
    four = read_history(str(tmp_path / "four"))
    number = told["update"].index(2) + 2
    np.testing.assert_allclose(four.train_loss[:, 2], sweep.train_loss[:, number], atol=1e-6)
    np.testing.assert_array_equal(four.misclassified[0], whole.misclassified[0])  # the same initial weights


def test_sets_come_back_through_a_pipe(folder, tmp_path):
    made = strag("find-stragglers", "h", "--at", "3", "--per-run", "-q")
    assert made.returncode == 0
    result = strag("train", "d", "--without", "-", *TRAIN, "-o", tmp_path / "x", stdin=made.stdout)
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(read_history(str(tmp_path / "x")).runs) == 4


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["find-stragglers", "h", "--at", "log"], 2, ["--at log needs --per-run"]),
        (["find-stragglers", "h", "--controls", "class"], 2, ["--controls needs --per-run"]),
        (["find-stragglers", "h", "--dose", "1"], 2, ["--dose needs --per-run"]),
        (["find-stragglers", "h", "--per-run", "--core"], 2, ["--core contradicts --per-run"]),
        (["find-stragglers", "h", "--per-run", "--csv", "x"], 2, ["--csv contradicts --per-run"]),
        (
            ["find-stragglers", "h", "--per-run", "--at", "log", "--dose", "1"],
            2,
            ["--dose and --at log contradict"],
        ),
        (["find-stragglers", "h", "--per-run", "--at", "3", "--dose", "2"], 2, ["cannot read --dose '2'"]),
        (
            ["find-stragglers", "h", "--per-run", "--at", "3", "--controls", "x"],
            2,
            ["cannot read --controls 'x'"],
        ),
        (["find-stragglers", "h", "--per-run", "--at", "99"], 1, ["h: has no record at update 99"]),
        (["find-stragglers", "h", "--per-run", "--at", "3", "-o", "no/x"], 1, ["no/x: cannot be written"]),
        (
            ["train", "mnist8k", "--without", "sets"],
            1,
            ["sets: its indices count in another data set", "made-up.npz"],
        ),
        (["train", "d", "--without", "h"], 1, ["h: is a history file, not a stragglers file"]),
        (["train", "d", "--without", "cut"], 1, ["cut: is cut short"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_and_leaves_nothing(folder, arguments, status, words):
    assert main(["find-stragglers", "h", "--at", "3", "--per-run", "-q", "-o", "sets"]) == 0
    (folder / "cut").write_bytes((folder / "sets").read_bytes()[:-9])
    before = files_in(folder)
    more = ["-o", "out"] if arguments[0] == "train" else []
    complains(strag(*arguments, *more), status, *words)
    assert files_in(folder) == before
