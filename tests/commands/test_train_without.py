"""strag train --without sets: the initial weights of each set's run, or a refusal."""

import numpy as np
import pytest

from strag import kinds
from strag.cli import main
from strag.files.dataset import write_dataset
from tests.conftest import made_up
from tests.files.makers import forge
from tests.shell import complains, files_in, strag

TRAIN = ["--epochs", "12", "--width", "6", "--lr", "0.4", "-q"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a data set, the history of four runs on it with seed 5, and their sets."""
    folder = tmp_path_factory.mktemp("without")
    data, history, sets = (str(folder / name) for name in ("d", "h", "sets"))
    write_dataset(data, made_up(P=300, overlap=2.0), {})
    write_dataset(str(folder / "classes"), made_up(P=300, overlap=2.0, labels="classes"), {})
    runs = ["--runs", "4", "--first-run", "1", "--seed", "5"]
    assert main(["train", data, *runs, *TRAIN, "-o", history]) == 0
    assert main(["sets", history, "--at", "3", "-q", "-o", sets]) == 0
    forge(sets, str(folder / "sets-init"), {"inputs": {"training": {}, "history": {"init": {}}}})
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def test_the_networks_may_learn_in_another_way_from_the_same_start(folder, tmp_path):
    """The optimizer and its options may differ from the training that the sets were found in."""
    options = ["--seed", "5", "--optimizer", "adam", "--lr", "0.01", "--batch-size", "50"]
    out = str(tmp_path / "x")
    assert main(["train", "d", "--without", "sets", *TRAIN, *options, "-o", out]) == 0
    np.testing.assert_array_equal(kinds.read(out).misclassified[0], kinds.read("h").misclassified[0])
    assert main(["train", "d", "--without", "sets", *TRAIN, *options, "--activation", "relu", "-o", out]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["d", "sets", *TRAIN],
            ["sets: its runs were trained with --seed 5, these would be with 0", "give --seed 5"],
        ),
        (
            ["d", "sets", *TRAIN[:2], "--seed", "5"],
            ["with --width 6, these would be with 20", "give --width 6"],
        ),
        (
            ["d", "sets", *TRAIN, "--seed", "5", "--depth", "3"],
            ["with --depth 2", "with 3", "give --depth 2"],
        ),
        (
            ["classes", "sets", *TRAIN, "--seed", "5"],
            [
                "trained on 2 groups (even, odd), these",
                "4 groups (0, 1, 2, 3)",
                "'strag data --labels parity'",
            ],
        ),
        (
            ["d", "sets", *TRAIN, "--seed", "5", "--runs", "10"],
            ["sets: holds sets, which contradict --runs", "remove --runs"],
        ),
        (["d", "sets", *TRAIN, "--seed", "5", "--first-run", "0"], ["which contradict --first-run"]),
        (["d", "sets-init", *TRAIN], ["sets-init: its runs started from the --init", "give --init again"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_another_start_is_refused(folder, arguments, words):
    before = files_in(folder)
    data, sets, *options = arguments
    complains(strag("train", data, "--without", sets, *options, "-o", "out"), 2, *words)
    assert files_in(folder) == before
