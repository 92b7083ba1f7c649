"""strag expansion: the shares are those of the recorded radii, and wrong inputs are refused in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import strag as strag_package
from strag import kinds
from strag.api.states import NEAR
from strag.bits import unpack
from strag.cli import main
from strag.files.dataset import write_dataset
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.files.makers import complaint, forge
from tests.shell import complains, files_in, shell, strag

TRAIN = "--runs 3 --epochs 400 --width 4 --lr 0.3 -q --weights-at"
EPOCHS = 400


def run(*lines):
    for line in lines:
        assert main(line.split()) == 0, line


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with data `d`, a history `h`, its weights `w` and stragglers `s`, and those of other seeds."""
    folder = tmp_path_factory.mktemp("made")
    write_dataset(str(folder / "d"), made_up(P=300, overlap=2.0), {})
    run(
        f"train {folder}/d {TRAIN} log --weights {folder}/w -o {folder}/h",
        f"find-stragglers {folder}/h -q -o {folder}/s",
        f"train {folder}/d {TRAIN} 0,400 --first-run 3 --weights {folder}/few -o {folder}/h3",
        f"find-stragglers {folder}/h3 -q -o {folder}/others",
        f"train {folder}/d {TRAIN} last --weights {folder}/end -o {folder}/again",
    )
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def expanded(capsys, out, *arguments):
    """Run `strag expansion w d ARGUMENTS`: the Scores, their stamp and the line on stderr."""
    assert main(["expansion", "w", "d", *arguments, "-o", str(out)]) == 0
    scores = kinds.read(str(out), "scores")
    return scores, scores.meta, capsys.readouterr().err


def recorded(update, run, history="h"):
    """R_c^2 that the training recorded."""
    history = kinds.read(history)
    at, position = history.updates.tolist().index(update), history.runs.index(run)
    return history.measures["radius"][at, position, 0].astype(np.float64) ** 2


def test_the_shares_sum_to_the_recorded_change(folder, tmp_path, capsys):
    scores, meta, _ = expanded(capsys, tmp_path / "e", "--from", "10", "--to", "last")
    tensors, data = load_file(tmp_path / "e"), made_up(P=300, overlap=2.0)
    np.testing.assert_array_equal(tensors["index"], data.index)
    np.testing.assert_allclose(tensors["expansion"], scores.of_runs.mean(axis=0), atol=1e-7)
    for number, combined in enumerate(meta["combined"]):
        before, after = recorded(10, number), recorded(EPOCHS, number)
        assert (combined["run"], combined["from"], combined["to"]) == (number, 10, EPOCHS)
        for c, of_class in enumerate(combined["classes"].values()):
            change = tensors[f"run.{number}"][data.groups == c].sum(dtype=np.float64)
            larger = max(before[c], after[c])
            assert abs(change - (after[c] - before[c])) < 1e-5 * larger
            assert abs(of_class["sum"] - (of_class["radius2_to"] - of_class["radius2_from"])) < 1e-12
            np.testing.assert_allclose(of_class["radius2_from"], before[c], rtol=1e-5)
        assert combined["change"] == pytest.approx((after - before).mean(), abs=1e-5)
    assert meta["summary"]["change"]["mean"] == pytest.approx(
        np.mean([run["change"] for run in meta["combined"]])
    )
    assert "moves out" in meta["direction"]


def test_from_the_inversion_of_each_run(folder, tmp_path, capsys):
    scores, meta, said = expanded(capsys, tmp_path / "e", "--stragglers", "s")
    found, updates = kinds.read("s"), load_file("w")["updates"]
    history = kinds.read("h")
    for combined, run in zip(meta["combined"], found.runs, strict=True):
        assert combined["inversion"] == run.inversion.update
        apart = np.abs(np.log(np.maximum(updates, 0.5) / run.inversion.update))
        assert combined["from"] == updates[apart.argmin()]
    assert len({run["from"] for run in meta["combined"]}) > 1
    for number, own in enumerate(scores.own):
        own_update = updates[np.abs(np.log(np.maximum(updates, 0.5) / found.runs[number].update)).argmin()]
        record = history.updates.tolist().index(own_update)
        expected = unpack(history.misclassified[record, number], 300)
        np.testing.assert_array_equal(own, expected)
        parts = meta["combined"][number]["own"]
        shares = scores.of_runs[number].astype(np.float64) / 2
        assert parts["stragglers"] == pytest.approx(shares[own].sum(), abs=1e-6)
        assert parts["others"] == pytest.approx(shares[~own].sum(), abs=1e-6)
        assert parts["examples"] == own.sum()
    np.testing.assert_array_equal(np.flatnonzero(scores.consensus), found.indices)
    own = meta["summary"]["own"]
    assert f"stragglers of each run ({own['examples']['mean']:.0f}, " in said
    assert f"{own['stragglers']['mean']:+.4f}" in said
    assert said.count("\n") == 1
    assert meta["left_out"] == []


@pytest.mark.slow
def test_info_has_the_numbers(folder, tmp_path, capsys):
    _, meta, _ = expanded(capsys, tmp_path / "e", "--stragglers", "s")
    own, first = meta["summary"]["own"], str(meta["combined"][1]["from"])
    for key, value in (
        ("summary.own.stragglers.mean", repr(own["stragglers"]["mean"])),
        ("combined.1.from", first),
    ):
        assert strag("info", tmp_path / "e", "--get", key).stdout.decode() == f"{value}\n"
    assert b"scores, format 1" in strag("info", tmp_path / "e").stdout


def test_stragglers_of_other_seeds_divide_but_do_not_invert(folder, tmp_path, capsys):
    scores, meta, said = expanded(capsys, tmp_path / "e", "--from", "10", "--stragglers", "others")
    assert scores.own is None
    assert "stragglers of most runs" in said
    np.testing.assert_array_equal(np.flatnonzero(scores.consensus), kinds.read("others").indices)
    assert "own" not in meta["summary"]
    into = ("-o", str(tmp_path / "f"))
    words = "others: has no inversion of runs 0, 1, 2"
    complaint(capsys, 1, words, "expansion", "w", "d", "--stragglers", "others", *into)
    value = json.loads(Path("s").read_text())
    value["strag"]["inputs"]["training"]["lr"] = 0.2
    (tmp_path / "s").write_text(json.dumps(value))
    words = "is of a training with --lr 0.2, but w of one with 0.3; pass the stragglers of the same training"
    complaint(capsys, 1, words, "expansion", "w", "d", "--stragglers", str(tmp_path / "s"), *into)
    scores, _, _ = expanded(capsys, tmp_path / "e", "--from", "10", "--stragglers", str(tmp_path / "s"))
    assert scores.own is None
    assert files_in(tmp_path) == ["e", "s"]


def test_runs_without_an_inversion_are_left_out_and_reported(folder, tmp_path, capsys):
    value = json.loads(Path("s").read_text())
    value["runs"][1]["verdict"] = "open"
    (tmp_path / "s").write_text(json.dumps(value))
    scores, meta, said = expanded(capsys, tmp_path / "e", "--stragglers", str(tmp_path / "s"))
    assert scores.runs == (0, 2)
    assert meta["left_out"] == [{"run": 1, "reason": "no inversion"}]
    assert said.endswith("; 1 run left out: no inversion\n")
    del value["runs"][1]
    (tmp_path / "s").write_text(json.dumps(value))
    _, meta, said = expanded(capsys, tmp_path / "e", "--stragglers", str(tmp_path / "s"))
    assert meta["left_out"] == [{"run": 1, "reason": "not in the stragglers file"}]
    for left in value["runs"]:
        left["verdict"] = "none"
    (tmp_path / "s").write_text(json.dumps(value))
    before = files_in(tmp_path)
    words = ["has no inversion of runs 0, 1, 2; pass updates as --from and --to"]
    arguments = ("expansion", "w", "d", "--stragglers", str(tmp_path / "s"), "-o", str(tmp_path / "f"))
    complaint(capsys, 1, words, *arguments)
    assert files_in(tmp_path) == before
    # Between updates, no inversion is needed.
    scores, _, _ = expanded(capsys, tmp_path / "e", "--from", "10", "--stragglers", str(tmp_path / "s"))
    assert scores.runs == (0, 1, 2)


def test_a_run_counts_only_the_examples_that_it_trained_on(folder, tmp_path, capsys):
    run(
        f"sets h --controls random -q -o {tmp_path}/x",
        f"train d --without {tmp_path}/x --epochs 20 --width 4 --lr 0.3 -q --weights {tmp_path}/v "
        f"--weights-at 0,20 -o {tmp_path}/g",
        f"expansion {tmp_path}/v d --from 0 -q -o {tmp_path}/e",
    )
    capsys.readouterr()
    scores, sets = kinds.read(f"{tmp_path}/e"), kinds.read(f"{tmp_path}/x").sets
    np.testing.assert_array_equal(np.isnan(scores.of_runs), sets.members)
    for number, combined in enumerate(scores.meta["combined"]):
        before, after = (recorded(update, number, f"{tmp_path}/g") for update in (0, 20))
        sums = [of_class["sum"] for of_class in combined["classes"].values()]
        np.testing.assert_allclose(sums, after - before, atol=1e-5)
    mean = np.nanmean(scores.of_runs.astype(np.float64), axis=0)
    np.testing.assert_allclose(scores.expansion, mean, atol=1e-7)


def test_what_no_run_trained_on_has_no_score(folder, tmp_path, capsys):
    run(
        f"prune d s -q -o {tmp_path}/p",
        f"train {tmp_path}/p --runs 2 --epochs 20 --width 4 -q --weights {tmp_path}/v --weights-at 0,20 "
        f"-o {tmp_path}/g",
        f"expansion {tmp_path}/v d --from 0 -q -o {tmp_path}/e",
        f"expansion {tmp_path}/v {tmp_path}/p --from 0 -q -o {tmp_path}/f",
    )
    scores, again, kept = (kinds.read(f"{tmp_path}/{name}") for name in ("e", "f", "p"))
    np.testing.assert_array_equal(scores.index, kept.index)
    np.testing.assert_allclose(again.of_runs, scores.of_runs, atol=1e-7)
    words = ["lacks ", " on which w was trained; use the data set of 'strag data made-up.npz'"]
    arguments = ("expansion", "w", str(tmp_path / "p"), "--from", "0", "-o", str(tmp_path / "n"))
    complaint(capsys, 1, words, *arguments)


def test_to_the_inversion_and_in_another_layer(folder, tmp_path, capsys):
    _, meta, _ = expanded(capsys, tmp_path / "e", "--from", "5", "--to", "inversion", "--stragglers", "s")
    assert {run["from"] for run in meta["combined"]} == {5}
    assert [run["to"] for run in meta["combined"]] != [EPOCHS] * 3
    run(
        f"train d --runs 2 --epochs 20 --width 4 --depth 3 --layers all -q --weights {tmp_path}/v "
        f"--weights-at 0,20 -o {tmp_path}/g"
    )
    run(f"expansion {tmp_path}/v d --from 0 --layer 2 --runs 1 -q -o {tmp_path}/f")
    scores, history = kinds.read(f"{tmp_path}/f"), kinds.read(f"{tmp_path}/g")
    radius2 = history.measures["radius"][[0, -1], 1, 1].astype(np.float64) ** 2
    assert scores.meta["layers"] == [2]
    assert scores.runs == (1,)
    sums = [of_class["sum"] for of_class in scores.meta["combined"][0]["classes"].values()]
    np.testing.assert_allclose(sums, radius2[1] - radius2[0], atol=1e-5)


@pytest.mark.slow
def test_two_runs_of_a_command_write_the_same_bytes_through_a_pipe_too(folder, tmp_path):
    script = (
        "strag expansion w d --stragglers s -q > {0}/a; cat w | strag expansion - d --stragglers s > {0}/b"
    )
    result = shell(script.format(tmp_path), folder)
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith(b"strag: R^2 changes by ")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


WRONG = {  # arguments after `strag expansion`: exit status and words of the line
    "w d": (2, "--from inversion needs --stragglers; pass those of the training, or an update"),
    "end d --from 0": (2, "end: has no update 0; it has only update 400; train with --weights-at log"),
    "end d --from 400": (2, "end: has only update 400; train with --weights-at log"),
    "w d --from 77": (2, "w: has no update 77; choose --from from 0, 1, 2, "),
    "w d --from 5 --to 77": (2, "w: has no update 77; choose --to from 0, 1, 2, "),
    "w d --from 5 --to 5": (
        2,
        "w: --to is not after --from: run 0 would be compared at update 5 with update 5; choose",
    ),
    "w d --from 400 --to 5": (2, "run 0 would be compared at update 400 with update 5"),
    "w d --to 5 --stragglers s": (2, "with update 5; choose a later stored update as --to"),
    "few d --stragglers others": (
        1,
        "has its inversion at update ",
        "and no stored update is near: it has 0, 400",
    ),
    "w d --from x": (2, "'--from': cannot read 'x'; pass an update, or inversion"),
    "w d --from -1": (2, "'--from': cannot read '-1'"),
    "w d --from last": (2, "'--from': cannot read 'last'"),
    "w d --from 0 --to 1.5": (2, "'--to': cannot read '1.5'; pass an update, or inversion or last"),
    "w d --from 0 --layer 2": (2, "w: has no hidden layer 2; choose --layer from 1"),
    "w d --from 0 --layer x": (2, "w: has no hidden layer x"),
    "w d --from 0 --runs 8": (2, "w: has no run 8; choose --runs from 0, 1, 2"),
    "w mnist8k --from 0": (1, "mnist8k: has 784 inputs, but the networks of w have 20"),
    "w elsewhere --from 0": (1, "elsewhere: is not the data set on which w was trained; use the data set of"),
    "w d --from 0 --stragglers alien": (1, "alien: has indices of another data set than 'd'"),
    "w d --stragglers few": (1, "few: is a weights file, not a stragglers file"),
    "h d --from 0": (1, "h: is a history file, not a weights file; make one with 'strag train --weights'"),
    "d w --from 0": (1, "d: is a dataset file, not a weights file"),
    "- - --from 0": (2, "only one input can be stdin"),
    "linear d --from 0": (1, "linear: has networks without hidden layers, and their inputs do not move"),
    "spoilt d --from 0": (1, "spoilt: holds weights that are not finite"),
    "nothing d --from 0": (1, "nothing: "),
}


@pytest.fixture
def wrong(folder):
    """The folder, with the files of WRONG."""
    if not Path("alien").exists():
        write_dataset("elsewhere", made_up(P=300, overlap=2.0, seed=9), {})
        value = json.loads(Path("s").read_text())
        value["strag"]["origin"] = "0" * 64
        Path("alien").write_text(json.dumps(value))
        run("train d --runs 1 --depth 1 --epochs 4 -q --weights linear --weights-at 0,4 -o linear.h")
        tensor = load_file("w")["layer1.bias"].copy()
        tensor[0, 0] = np.nan
        forge("w", "spoilt", **{"layer1.bias": tensor})
    return folder


@pytest.mark.parametrize(("line", "expected"), WRONG.items(), ids=WRONG)
def test_a_wrong_input_is_one_line_and_writes_nothing(wrong, tmp_path, capsys, line, expected):
    status, *words = expected
    complaint(capsys, status, words, "expansion", *line.split(), "-o", str(tmp_path / "out"))
    assert files_in(tmp_path) == []


@pytest.mark.slow
def test_a_terminal_gets_a_table_and_no_bytes_and_a_closed_pipe_no_traceback(folder):
    run("expansion w d --stragglers s -q -o e")
    status, error, shown = at_terminal("stdout", "expansion", "w", "d", "--from", "0")
    assert (status, shown) == (2, "")
    assert error.count("\n") == 1
    assert "terminal" in error
    status, error, shown = at_terminal("stdout", "plot", "e")
    assert (status, error) == (0, "")
    assert "others' part" in shown
    complains(strag("expansion", "-", "d", "--from", "0", cwd=folder), 1, "stdin: is empty")
    result = shell("strag expansion w d --from 0 -q | head -c 10 > /dev/null", folder)
    assert result.stderr == b""


def test_the_stored_update_must_be_near_the_inversion(folder):
    with strag_package.read("w") as weights:
        found = kinds.read("s")
        strag_package.expansion(weights, made_up(P=300, overlap=2.0), stragglers=found)
    steps = np.diff(np.log(load_file("w")["updates"][8:]))
    assert steps.max() < 2 * np.log(NEAR)


def test_an_empty_set_of_stragglers_is_doubted(folder, tmp_path, capsys):
    value = json.loads(Path("s").read_text())
    (tmp_path / "none").write_text(json.dumps({**value, "indices": [], "frequency": []}))
    arguments = ("--from", "0", "--to", "5", "--stragglers", str(tmp_path / "none"), "-q")
    _, _, said = expanded(capsys, tmp_path / "e", *arguments)
    words = "has no stragglers among the examples (its verdict is 'inversion')"
    assert said == f"strag: warning: {tmp_path}/none: {words}\n"


def test_stragglers_of_another_layer_are_doubted(folder, tmp_path, capsys):
    value = json.loads(Path("s").read_text())
    value["strag"]["recipe"]["layer"] = 2
    (tmp_path / "s").write_text(json.dumps(value))
    _, _, said = expanded(capsys, tmp_path / "e", "--from", "0", "--stragglers", str(tmp_path / "s"))
    assert "warning: " in said
    assert "was found in layer 2, but layer 1 is measured" in said
