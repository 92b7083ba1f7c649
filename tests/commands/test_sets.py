"""sets, and train --without its sets."""

import json
import re

import numpy as np
import pytest
from safetensors.numpy import load_file

from strag import kinds
from strag.cli import main
from strag.files.dataset import write_dataset
from strag.files.opening import open_file
from strag.files.sets import SPEC
from tests.commands.test_find_stragglers import EARLY, FALL, VALLEY, T, write_history
from tests.conftest import made_up
from tests.shell import complains, files_in, shell, strag

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
    assert main(["sets", "h", "--at", "log", "--controls", "class", "-o", sets]) == 0
    assert main(["train", "d", "--without", sets, *TRAIN[:-1], "-o", out]) == 0
    told = r"strag: 88 sets of \d+\.\d examples on average\nstrag: 88 runs, 12 updates, 13 records\n"
    assert re.fullmatch(told, capsys.readouterr().err)
    sweep, whole = kinds.read(out), kinds.read("h")
    told = sweep.meta["sets"]
    assert len(sweep.runs) == 88
    assert told["run"][:5] == [1, 2, 3, 4, 1]
    assert told["update"][:5] == [1, 1, 1, 1, 2]
    assert told["control"] == ["none"] * 44 + ["class"] * 44
    trained = sweep.trained_bits()
    for number in (0, 6, 43):
        record, run = told["update"][number], told["run"][number] - 1
        np.testing.assert_array_equal(~trained[number], whole.misclassified_at(record, run))
        of_class = np.eye(4)[whole.y]  # (P, 4)
        np.testing.assert_array_equal((~trained[number + 44]) @ of_class, (~trained[number]) @ of_class)
        assert (trained[number + 44] != trained[number]).any()
    alone = str(tmp_path / "one")
    assert main(["sets", "h", "--at", "2", "-q", "-o", alone]) == 0
    assert main(["train", "d", "--without", alone, *TRAIN, "-o", str(tmp_path / "four")]) == 0
    four = kinds.read(str(tmp_path / "four"))
    number = told["update"].index(2) + 2
    np.testing.assert_allclose(four.train_loss[:, 2], sweep.train_loss[:, number], atol=1e-6)
    np.testing.assert_array_equal(four.misclassified[0], whole.misclassified[0])  # the same initial weights


def test_a_sweep_has_as_many_times_as_one_asks_for(folder, tmp_path, capsys):
    sets = str(tmp_path / "sets")
    assert main(["sets", "h", "--at", "log:4", "-o", sets]) == 0
    assert capsys.readouterr().err.startswith("strag: 16 sets of ")
    with open_file(sets, "sets") as container:
        found = SPEC.read(container)
    assert found["update"].tolist() == [t for t in (1, 2, 5, 12) for _ in range(4)]


@pytest.mark.slow
def test_a_sweep_of_a_sweep_starts_from_the_weights_of_its_runs(folder, tmp_path, capsys):
    """Networks are numbered by their set; sets found in them name the run, and controls fit the network."""
    first, sweep, second, again = (str(tmp_path / name) for name in ("first", "sweep", "second", "again"))
    find = ["--at", "2", "-q", "-o"]
    assert main(["sets", "h", "--controls", "random", *find, first]) == 0
    assert (
        main(["train", "d", "--without", first, *TRAIN, "--weights", str(tmp_path / "w"), "-o", sweep]) == 0
    )
    assert main(["sets", sweep, "--controls", "random", *find, second]) == 0
    assert main(["train", "d", "--without", second, *TRAIN, "-o", again]) == 0
    found, told = kinds.read(sweep), kinds.read(again).meta["sets"]
    assert found.runs == tuple(range(8))
    assert told["run"] == [1, 2, 3, 4] * 4
    np.testing.assert_array_equal(kinds.read(again).misclassified[0, :4], kinds.read("h").misclassified[0])
    left_out = ~kinds.read(again).trained_bits()
    for network in range(8):
        np.testing.assert_array_equal(left_out[network], found.misclassified_at(2, network))
        assert left_out[network + 8].sum() == left_out[network].sum()
        assert not (left_out[network + 8] & ~found.trained_bits()[network]).any()
    script = "strag dump w d -q -o a && strag geometry a -q -o g.safetensors"
    result = shell(script.replace(" d ", f" {folder}/d "), tmp_path)
    assert (result.returncode, result.stderr) == (0, b"")
    assert kinds.read(str(tmp_path / "g.safetensors")).meta["sets"] == found.meta["sets"]


def test_networks_that_share_their_weights_are_no_independent_runs(folder, tmp_path):
    sets, sweep = str(tmp_path / "sets"), str(tmp_path / "sweep")
    assert main(["sets", "h", "--at", "2", "--dose", "1", "-q", "-o", sets]) == 0
    assert main(["train", "d", "--without", sets, *TRAIN, "-o", sweep]) == 0
    result = strag("find-stragglers", sweep, "--at", "3", "-q")
    found = json.loads(result.stdout)
    assert result.returncode == 0
    assert result.stderr.decode() == (
        f"strag: warning: {sweep}: several networks start from run 1 and leave out different examples; "
        "no consensus and no probabilities are computed\n"
    )
    assert (found["indices"], found["model"]) == ([], None)
    assert set(found["examples"]["probability"]) == {None}
    assert [run["stragglers"] > 0 for run in found["runs"]] == [True] * 8
    assert found["strag"]["sets"]["run"] == [1, 2, 3, 4] * 2
    for arguments, words in (
        (
            ["stability", sweep],
            ["networks with the initial weights of run 1", "in which its sets were found"],
        ),
        (["find-stragglers", sweep, "--at", "3", "--core"], ["share their initial weights", "no core"]),
        (
            ["sets", sweep, "--at", "3", "--dose", "1"],
            ["share their initial weights", "take doses of the history"],
        ),
    ):
        complains(strag(*arguments), 1, f"{sweep}: has", *words)


def test_own_sets_of_a_sweep_are_pooled_as_ever(folder, tmp_path):
    """One network per run: they differ by their seed, and by what each run found hard."""
    sets, sweep = str(tmp_path / "sets"), str(tmp_path / "sweep")
    assert main(["sets", "h", "--at", "2", "-q", "-o", sets]) == 0
    assert main(["train", "d", "--without", sets, *TRAIN, "-o", sweep]) == 0
    result = strag("find-stragglers", sweep, "--at", "3", "-q")
    assert (result.returncode, result.stderr) == (0, b"")
    assert json.loads(result.stdout)["model"] is not None
    assert strag("stability", sweep, "-q").returncode == 0


def test_columns_tell_every_set_of_a_file_apart(folder, tmp_path):
    sets = str(tmp_path / "sets")
    options = ["--at", "log", "--dose", "0.5,1", "--controls", "random", "-q", "-o", sets]
    write_history(tmp_path / "v", [VALLEY] * 3)
    assert main(["sets", str(tmp_path / "v"), *options]) == 0
    with open_file(sets, "sets") as container:
        found = SPEC.read(container)
    columns = list(zip(*(found[name].tolist() for name in ("run", "update", "dose", "control")), strict=True))
    assert len(set(columns)) == len(columns) == 2 * (24 + 2) * 3
    assert [column for column in columns if column[2] == 1][:3] == [
        (0, 20, 1, 0),
        (1, 20, 1, 0),
        (2, 20, 1, 0),
    ]
    assert (20, 0, 0) in {column[1:] for column in columns}


@pytest.mark.parametrize("more", [[], ["--dose", "0.5"], ["--controls", "random,class"]])
def test_without_an_inversion_there_are_no_sets_and_that_is_an_answer(tmp_path, monkeypatch, more, capsys):
    monkeypatch.chdir(tmp_path)
    write_history("f", [FALL, FALL])
    assert main(["sets", "f", *more, "-o", "sets"]) == 3
    assert capsys.readouterr().err == "strag: 0 sets; no inversion: training has finished without one\n"
    assert main(["sets", "f", "--any-verdict", *more, "-o", "sets"]) == 0
    assert strag("info", "sets", "--get", "shapes.members").stdout == b"0\n8\n"
    complains(
        strag("train", "mnist8k", "--without", "sets", "-o", "x"), 1, "sets: holds no sets because no run"
    )
    assert files_in(tmp_path) == ["f", "sets"]


def test_doses_beside_sets_over_time_need_an_inversion(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_history("f", [FALL, FALL])
    options = ["--at", "log", "--dose", "1", "-q", "-o", "sets"]
    assert main(["sets", "f", *options]) == 3
    assert strag("info", "sets", "--get", "shapes.run").stdout == b"48\n"


def test_whatever_the_verdict_sets_that_are_none_are_status_three(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_history("e", [EARLY, EARLY])
    assert main(["sets", "e", "-o", "sets"]) == 3
    assert capsys.readouterr().err == "strag: 0 sets; unresolved\n"
    assert main(["sets", "e", "-o", "sets", "--any-verdict"]) == 0


def test_no_set_is_taken_where_a_run_is_not_finite(tmp_path, monkeypatch):
    """A run that diverges at update 30, all of whose examples count as misclassified from there on."""
    monkeypatch.chdir(tmp_path)
    t = np.arange(T)
    wrong = np.zeros((T, 2, 64), bool)
    wrong[:, :, :20] = True
    wrong[30:, 1] = True
    curves = [VALLEY, np.where(t < 30, VALLEY, np.nan)]
    loss = np.stack([np.linspace(0.7, 0.1, T), np.where(t < 30, 0.5, np.nan)], axis=1)
    write_history("h", curves, wrong=wrong, loss=loss)
    for at, runs in (("29", [0, 1]), ("40", [0])):
        assert main(["find-stragglers", "h", "--at", at, "-q", "-o", "s.json"]) == 0
        found = json.loads((tmp_path / "s.json").read_text())
        assert found["indices"] == list(range(20))
        assert [run["stragglers"] for run in found["runs"]] == [20 if run in runs else None for run in (0, 1)]
    assert main(["sets", "h", "--at", "log", "-q", "-o", "sets"]) == 0
    sets = load_file("sets")
    assert (sets["update"][sets["run"] == 1] < 30).all()
    assert np.unpackbits(sets["members"], axis=1, bitorder="little").sum(axis=1).tolist() == [20] * len(
        sets["run"]
    )


def test_sets_come_back_through_a_pipe(folder, tmp_path):
    made = strag("sets", "h", "--at", "3", "-q")
    assert made.returncode == 0
    result = strag("train", "d", "--without", "-", *TRAIN, "-o", tmp_path / "x", stdin=made.stdout)
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(kinds.read(str(tmp_path / "x")).runs) == 4


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["find-stragglers", "h", "--at", "log"], 2, ["--at", "use 'strag sets'"]),
        (["find-stragglers", "h", "--at", "log:4"], 2, ["--at", "use 'strag sets'"]),
        (["sets", "h", "--at", "log:1"], 2, ["'--at': cannot read 'log:1'; use inversion", "log, or log:N"]),
        (["sets", "h", "--at", "3", "--dose", "2"], 2, ["'--dose': cannot read '2'; use fractions"]),
        (
            ["sets", "h", "--at", "3", "--controls", "x"],
            2,
            ["'--controls': no control 'x'; use one or more of random, class, hard"],
        ),
        (["sets", "h", "--at", "99"], 1, ["h: has no record at update 99"]),
        (["sets", "h", "--at", "3", "-o", "no/x"], 1, ["no/x: cannot be written"]),
        (
            ["train", "mnist8k", "--without", "sets"],
            1,
            ["sets: has indices of another data set", "made-up.npz"],
        ),
        (["train", "d", "--without", "h"], 1, ["h: is a history file, not a stragglers file"]),
        (["train", "d", "--without", "cut"], 1, ["cut: is cut short"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_and_leaves_nothing(folder, arguments, status, words):
    assert main(["sets", "h", "--at", "3", "-q", "-o", "sets"]) == 0
    (folder / "cut").write_bytes((folder / "sets").read_bytes()[:-9])
    before = files_in(folder)
    more = ["-o", "out"] if arguments[0] == "train" else []
    complains(strag(*arguments, *more), status, *words)
    assert files_in(folder) == before
