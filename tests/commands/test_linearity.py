"""strag linearity: values of real networks, its file, its picture, and what it refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import strag
from strag.cli import main
from strag.datasets.dataset import standardise
from strag.files.dataset import write_dataset
from strag.kinds import read
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.files.makers import complaint

TRAIN = "--runs 3 --epochs 30 --lr 0.4 -q"


def done(line):
    """Run a command that has to work."""
    assert main(line.split()) == 0, line


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("linearity")
    data = made_up(P=300, Q=60, shape=(5, 4), overlap=2.0)
    write_dataset(str(folder / "d"), data, {})
    write_dataset(str(folder / "other"), made_up(P=300, Q=60, shape=(5, 4), overlap=2.0, seed=5), {})
    lines = (
        f"train {folder}/d {TRAIN} --width 6 --weights {folder}/w --weights-at 0,3,9,30 -o {folder}/h",
        f"train {folder}/d {TRAIN} --depth 1 --weights {folder}/linear --weights-at 0,30 -o {folder}/h1",
        f"find-stragglers {folder}/h --at 9 --any-verdict -q -o {folder}/s",
        f"train {folder}/d {TRAIN} --width 6 --without {folder}/s --weights {folder}/wo -o {folder}/ho",
    )
    for line in lines:
        done(line)
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def measured(*arguments):
    assert main(["linearity", *arguments, "-q", "-o", "out"]) == 0
    return json.loads(Path("out").read_text()), read("out")


class TestValues:
    def test_a_linear_classifier_is_linear(self, folder):
        value, result = measured("linear", "d")
        np.testing.assert_allclose(result.r2, 1, atol=1e-6)
        assert (result.agreement == 1).all()
        assert [record["update"] for record in value["records"]] == [0, 0, 0, 30, 30, 30]

    def test_they_are_those_of_a_plain_computation(self, folder):
        _, result = measured("w", "d", "--min-variance", "0")
        data = strag.read("d")
        with strag.read("w") as weights:
            x = standardise(data.x, weights.mean, weights.std).astype(np.float64)
            used = weights.std > 0
            even = data.index % 2 == 0
            for at in range(4):
                state = weights.parameters(at)
                for run in range(3):
                    part = {name: values[run].astype(np.float64) for name, values in state.items()}
                    hidden = np.tanh(x @ part["layer1.weight"][:, used].T + part["layer1.bias"])
                    z = hidden @ part["layer2.weight"].T + part["layer2.bias"]
                    y = z[:, 1] - z[:, 0]
                    rows = np.concatenate([np.ones((300, 1)), x], axis=1)
                    f = rows[~even] @ np.linalg.lstsq(rows[even], y[even], rcond=None)[0]
                    share = 1 - np.square(y[~even] - f).sum() / np.square(y[~even] - y[~even].mean()).sum()
                    assert result.r2[at, run] == pytest.approx(share, abs=1e-4)
                    assert result.agreement[at, run] == pytest.approx(((f > 0) == (y[~even] > 0)).mean())
                    assert result.train_error[at, run] == pytest.approx(
                        (z.argmax(axis=1) != data.groups).mean(), abs=1e-6
                    )

    @pytest.mark.parametrize("way", ["pixel", "channel", "none"])
    def test_the_training_error_is_that_of_the_history(self, folder, tmp_path, way):
        """However the inputs were standardised, the weights say so."""
        files = [str(tmp_path / name) for name in "wh"]
        more = f"--width 6 --weights-at 0,3,9,30 --weights {files[0]} -o {files[1]}"
        done(f"train d {TRAIN} --standardise {way} {more}")
        _, result = measured(files[0], "d")
        assert np.isfinite(result.r2).all()
        history = strag.read(files[1])
        at = [history.updates.tolist().index(update) for update in (0, 3, 9, 30)]
        np.testing.assert_allclose(result.train_error, history.train_error[at], atol=1e-6)

    def test_a_run_is_the_same_whoever_its_neighbours_are(self, folder):
        done(f"train d {TRAIN} --first-run 2 --runs 1 --width 6 --weights w1 -o h2")
        _, alone = measured("w1", "d")
        _, together = measured("w", "d")
        np.testing.assert_allclose(alone.r2[0, 0], together.r2[3, 2], atol=1e-4)

    def test_only_examples_that_a_run_was_trained_on_count(self, folder):
        """Leaving examples out by weight, from the data, and by neither."""
        stragglers = strag.read("s")
        done(f"train d {TRAIN} --width 6 --without s --weights wo -o ho")
        done("prune d s -q -o p")
        values = [measured("wo", data)[1] for data in ("d", "p")]
        np.testing.assert_allclose(values[0].r2, values[1].r2, atol=1e-9)
        np.testing.assert_array_equal(values[0].train_error, values[1].train_error)
        kept = np.setdiff1d(np.arange(300), stragglers.indices)
        for result in values:
            assert result.fitted.tolist() == [(kept % 2 == 0).sum()] * 3
            assert result.tested.tolist() == [(kept % 2 == 1).sum()] * 3
        done("sets h --at 9 -q -o sets")
        assert (
            main(
                [
                    "train",
                    "d",
                    "--epochs",
                    "30",
                    "--lr",
                    "0.4",
                    "-q",
                    "--width",
                    "6",
                    "--without",
                    "sets",
                    "--weights",
                    "ws",
                    "-o",
                    "hs",
                ]
            )
            == 0
        )
        assert len(set(measured("ws", "d")[1].fitted.tolist())) > 1

    def test_runs_and_updates_can_be_chosen(self, folder):
        _, whole = measured("w", "d")
        _, part = measured("w", "d", "--runs", "0,2", "--updates", "3,30")
        assert (part.runs, part.updates[:, 0].tolist()) == ((0, 2), [3, 30])
        np.testing.assert_allclose(part.r2, whole.r2[[1, 3]][:, [0, 2]], atol=1e-6)

    def test_networks_that_diverged_are_named(self, folder, capsys):
        done("train d --runs 2 --epochs 20 --lr 1e38 -q --weights wd -o hd")
        words = "wd: holds weights that are not finite; choose runs that did not diverge"
        complaint(capsys, 1, words, "linearity", "wd", "d", "-o", "x")

    def test_several_classes(self, folder):
        done("data mnist8k --size 200 --labels classes --resize 4x4 -q -o ten")
        done("train ten --runs 2 --depth 1 --epochs 20 -q --weights wt -o ht")
        _, result = measured("wt", "ten", "--min-variance", "0")
        np.testing.assert_allclose(result.r2, 1, atol=1e-5)
        assert (result.agreement == 1).all()

    def test_too_few_rows_have_no_value(self, folder, capsys):
        done("data d --size 40 -q -o few")
        done("train few --runs 2 --epochs 3 --width 4 -q --weights wf -o hf")
        capsys.readouterr()
        done("linearity wf few -q -o out")
        few = "strag: warning: few: has 20 rows of even index for 19 inputs that vary, too few to fit\n"
        assert capsys.readouterr().err == few
        value, result = json.loads(Path("out").read_text()), read("out")
        complaint(capsys, 1, "out: has no fit to show: 20 rows of even index, 19 inputs", "plot", "out")
        assert {(record["r2"], record["agreement"]) for record in value["records"]} == {(None, None)}
        assert np.isfinite(result.train_error).all()

    def test_networks_that_end_on_their_own_have_their_own_updates(self, folder):
        options = "--until decided --runs 3 --lr 0.4 --width 6 -q --weights wu -o hu"
        done(f"train d {options} --epochs 400")
        _, result = measured("wu", "d")
        with strag.read("wu") as weights:
            assert result.updates.tolist() == [weights.last_update.tolist()]


class TestFile:
    def test_it_comes_back_as_it_went(self, folder):
        value, result = measured("w", "d", "--stragglers", "s")
        with strag.read("w") as weights:
            again = strag.linearity(weights, strag.read("d"), strag.read("s"), device="cpu")
        assert again.meta == result.meta
        for name in ("r2", "agreement", "train_error", "updates", "fitted", "tested", "inputs", "directions"):
            np.testing.assert_allclose(getattr(again, name), getattr(result, name), atol=1e-6)
        assert value["strag"]["recipe"]["min_variance"] == 0.01
        assert (value["at_inversion"] == []) == (again.moments == ())

    def test_without_stragglers_there_is_no_inversion(self, folder):
        value, result = measured("w", "d")
        assert (value["at_inversion"], result.inversion, result.moments) == (None, None, ())

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda value: value.update(records=[]), "'records' is not a list of records"),
            (lambda value: value["records"].pop(), "does not have a record for every update and run"),
            (lambda value: value["records"][0].update(r2="x"), "has a record or run with an invalid 'r2'"),
            (lambda value: value["records"][0].update(r2=1.1), "has a record with an invalid 'r2'"),
            (
                lambda value: value["records"][0].update(agreement=-1),
                "has a record with an invalid 'agreement'",
            ),
            (lambda value: value["records"][0].update(train_error=2), "with an invalid 'train_error'"),
            (lambda value: value["records"][0].update(update=-1), "with an invalid 'update'"),
            (lambda value: value["runs"][0].pop("inputs"), "has a record or run with an invalid 'inputs'"),
            (lambda value: value.update(runs=3), "'runs' is not a list of runs"),
            (lambda value: value["runs"][0].update(run=1), "does not have a record for every update and run"),
        ],
    )
    def test_other_values_are_refused(self, folder, capsys, change, words):
        value, _ = measured("w", "d")
        change(value)
        Path("bad").write_text(json.dumps(value))
        complaint(capsys, 1, [f"bad: {words}" if words[0] in "'hd" else words], "plot", "bad", "-o", "x.png")

    def test_its_picture_and_table(self, folder):
        measured("w", "d", "--stragglers", "s")
        for x in ("updates", "error"):
            done(f"plot out --x {x} -q -o {x}.png")
        assert Path("updates.png").read_bytes() != Path("error.png").read_bytes()
        assert strag.plot(read("out"), x="error").figure
        status, error, shown = at_terminal("stdout", "linearity", "w", "d", "--stragglers", "s")
        assert (status, error) == (0, "")
        assert "error" in shown
        assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in shown.splitlines()) <= 80


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (
            ["w", "other"],
            2,
            "other: is not the data set that the networks of w were trained on; pass that one",
        ),
        (["w", "mnist8k"], 1, "has 784 inputs, but the networks of w have 20; pass data of the same shape"),
        (["h", "d"], 1, "h: is a history file, not a weights file; make one with 'strag train --weights'"),
        (["d", "w"], 1, "d: is a dataset file, not a weights file"),
        (["mnist8k", "w"], 2, "the order is WEIGHTS DATA"),
        (["w", "d", "--stragglers", "h"], 1, "h: is a history file, not a stragglers file"),
        (
            ["linear", "d", "--stragglers", "s"],
            1,
            "s: is of a training with --depth 2, but linear of one with 1",
        ),
        (["wo", "d", "--stragglers", "s"], 1, "s: is of a training on other examples, or from other weights"),
        (["w", "d", "--min-variance", "-1"], 2, "--min-variance"),
        (["w", "d", "--runs", "7"], 2, "w: has no run 7; choose --runs from 0, 1, 2"),
        (["w", "d", "--updates", "4"], 2, "w: has no update 4; choose --updates from 0, 3, 9, 30"),
        (["w", "missing"], 1, "missing: "),
        (["-", "-"], 2, "only one input can be stdin"),
        (["w", "d", "-o", "w"], 2, "w: is read, and -o would overwrite it"),
        (["w", "d", "--stragglers", "s", "-o", "s"], 2, "s: is read, and -o would overwrite it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_fit_is_refused_in_one_line(folder, capsys, arguments, status, words):
    complaint(capsys, status, words, "linearity", *arguments)
