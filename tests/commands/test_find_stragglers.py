"""strag find-stragglers, through its command line."""

import csv
import json
import os
import re

import numpy as np
import pytest

from strag.cli import main
from strag.files.history import HistoryWriter
from strag.files.stamp import stamp
from strag.training.records import Record
from tests.conftest import history_of
from tests.shell import complains, files_in, strag

T = 60
FALL = np.exp(-np.arange(T) / 20)
VALLEY = 0.8 + 0.1 * np.square(np.log((np.arange(T) + 1) / 21))
EARLY = 0.8 + 0.1 * np.square(np.log((np.arange(T) + 1) / 4))


def write_history(path, curves, recipe=None, **options):
    """Write a History whose rms radius is `curves` [T, R]."""
    history = history_of(np.stack(curves, axis=1), **options)
    size = len(history.index)
    meta = stamp(
        "history",
        recipe=recipe or {"optimizer": "sgd", "batch_size": None},
        runs=list(history.runs),
        layers=[1],
        classes=list(history.classes),
        origin="o",
        origin_size=size,
        title="made-up",
    )
    whole = {name: getattr(history, name) for name in ("updates", "trained", "index", "y", "group")}
    wrong = np.unpackbits(history.misclassified, axis=-1, bitorder="little", count=size).astype(bool)
    with HistoryWriter(str(path), meta, whole) as writer:
        for at, update in enumerate(history.updates):
            values = {name: getattr(history, name)[at] for name in ("train_error", "train_loss")}
            values["measures"] = {name: measured[at] for name, measured in history.measures.items()}
            writer.add(Record(slice(0, len(history.runs)), int(update), misclassified=wrong[at], **values))
        writer.commit()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_history("h", [VALLEY, VALLEY, VALLEY])
    return tmp_path


def test_writes_what_was_found(folder, capsys):
    assert main(["find-stragglers", "h", "-o", "s.json"]) == 0
    found = json.loads((folder / "s.json").read_text())
    assert found["verdict"] == "inversion"
    assert found["indices"] == list(range(0, 64, 2))
    assert [run["update"] for run in found["runs"]] == [20, 20, 20]
    assert found["runs"][0]["refined_update"] == pytest.approx(20, abs=0.2)
    assert found["runs"][0]["stragglers"] == 32
    assert found["examples"]["index"] == found["indices"]
    assert set(found["examples"]["status"]) == {"core"}
    assert found["model_unknown"] is None
    assert found["strag"]["origin"] == "o"
    assert capsys.readouterr().err.startswith("strag: inversion (3 of 3 runs), eps* = ")
    assert main(["find-stragglers", "h", "-o", "s.json", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("curve", "error", "status", "verdict"),
    [
        (VALLEY, np.linspace(0.5, 0.1, T), 0, "inversion"),
        (FALL, np.linspace(0.5, 0.01, T), 3, "none"),
        (FALL, np.linspace(0.5, 0.1, T), 3, "open"),
        (np.where(np.arange(T) == 30, np.nan, VALLEY), np.linspace(0.5, 0.1, T), 3, "diverged"),
        (EARLY, np.linspace(0.5, 0.1, T), 3, "unresolved"),
    ],
)
def test_exit_status_tells_the_verdict_and_the_output_is_complete(folder, curve, error, status, verdict):
    write_history("x", [curve, curve], error=error, loss=np.linspace(0.7, 0.3, len(curve)))
    result = strag("find-stragglers", "x")
    assert result.returncode == status, result.stderr
    found = json.loads(result.stdout)
    assert found["verdict"] == verdict
    assert len(found["runs"]) == 2
    lines = result.stderr.decode().splitlines()
    assert lines[0].startswith("strag: ")
    assert [line.startswith("strag: warning: x: ") for line in lines[1:]] == [True] * (verdict == "diverged")
    quiet = strag("find-stragglers", "x", "-q")
    assert quiet.stderr.decode().splitlines() == lines[1:]
    allowed = strag("find-stragglers", "x", "--any-verdict")
    assert allowed.returncode == 0
    assert allowed.stdout == result.stdout


def test_an_option_of_before_names_the_one_of_today(folder):
    complains(
        strag("find-stragglers", "h", "--allow-none"), 2, "--allow-none no longer exists", "--any-verdict"
    )


def test_unstable_runs(folder):
    write_history("x", [VALLEY], loss=np.where(np.arange(T) < 10, 0.5, 0.6))
    result = strag("find-stragglers", "x")
    assert (result.returncode, json.loads(result.stdout)["verdict"]) == (3, "unstable")
    run = json.loads(result.stdout)["runs"][0]
    assert (run["unstable_from"], run["loss_rise"]) == (10, pytest.approx(0.2))
    assert result.stderr.count(b"\n") == 2
    assert b"warning: x: the loss rises in 1 of 1 run, by up to 20%, from update 10 on" in result.stderr


def test_of_a_training_that_nobody_described_a_rising_loss_is_a_warning(folder):
    loss = np.linspace(0.7, 0.1, T) * np.where((np.arange(T) >= 30) & (np.arange(T) < 33), 2.0, 1.0)
    write_history("x", [VALLEY, VALLEY], loss=loss, recipe={"lr": 0.1})
    result = strag("find-stragglers", "x")
    assert result.returncode == 0
    assert {run["unstable_from"] for run in json.loads(result.stdout)["runs"]} == {30}
    assert b"warning: x: the loss rises in 2 of 2 runs, by up to 95%, from update 30" in result.stderr


def test_per_class_does_not_hide_a_rising_loss(folder):
    write_history("x", [VALLEY], loss=np.where(np.arange(T) < 50, 0.5, 0.6))
    result = strag("find-stragglers", "x", "--per-class")
    assert json.loads(result.stdout)["runs"][0]["unstable_from"] == 50
    assert b"warning: x: the loss rises in 1 of 1 run" in result.stderr


def test_a_chosen_moment_needs_no_inversion(folder):
    write_history("x", [FALL, FALL])
    result = strag("find-stragglers", "x", "--at", "12")
    assert result.returncode == 0
    found = json.loads(result.stdout)
    assert found["verdict"] == "none"
    assert [run["update"] for run in found["runs"]] == [12, 12]
    assert len(found["indices"]) == 32
    said = strag("find-stragglers", "x", "--at", "12", "-o", "y").stderr
    assert said == b"strag: 32 stragglers of 64, misclassified at update 12 (2 of 2 runs)\n"
    said = strag("find-stragglers", "x", "--any-verdict", "-o", "y").stderr
    assert b"; use --at error:X for the examples misclassified at training error X" in said


def test_the_condition_that_failed_is_told(folder):
    wrong = np.zeros((T, 2, 64), bool)
    wrong[:, :, :8] = True
    write_history("x", [VALLEY, VALLEY], wrong=wrong, error=np.linspace(0.5, 0.1, T))
    result = strag("find-stragglers", "x")
    assert result.returncode == 3
    found = json.loads(result.stdout)
    assert found["summary"]["shortfall"]["condition"] == "misclassified"
    assert (found["summary"]["shortfall"]["value"], found["summary"]["shortfall"]["needed"]) == (8, 10)
    assert [run["failed"] for run in found["runs"]] == ["misclassified"] * 2
    assert b"at t = 20, is 0." in result.stderr
    assert (
        b"has 8 misclassified examples, fewer than 10 (--min-misclassified sets this number)" in result.stderr
    )
    assert b"train for" not in result.stderr  # which would leave fewer still
    lower = strag("find-stragglers", "x", "--min-misclassified", "8")
    assert (lower.returncode, json.loads(lower.stdout)["indices"]) == (0, list(range(8)))
    assert json.loads(lower.stdout)["strag"]["recipe"]["min_misclassified"] == 8


def test_an_open_run_says_what_is_excluded_and_how_long_to_train(folder):
    write_history("x", [FALL, FALL], error=np.linspace(0.5, 0.1, T))
    result = strag("find-stragglers", "x")
    summary = json.loads(result.stdout)["summary"]
    assert (summary["excluded_below"], summary["verdicts"]) == (29.5, {"open": 2})
    until = summary["train_until"]
    assert until >= 2 * 59
    assert f"open); train for {until} updates to learn more; the curve" in result.stderr.decode()
    assert "; an inversion is excluded only at t* below 29.5" in result.stderr.decode()


def test_the_notebook_rule_takes_the_radius_of_class_0_unless_another_is_given(folder):
    recipes = [
        json.loads(strag("find-stragglers", "h", "--rule", "first-increase", *more).stdout)["strag"]["recipe"]
        for more in ([], ["--observable", "radius"], ["--per-class"])
    ]
    assert [recipe["observable"] for recipe in recipes] == ["radius:0", "radius", "radius"]


def test_the_quorum_is_the_share_of_sets_that_an_example_must_exceed(folder):
    wrong = np.zeros((T, 10, 64), bool)
    for example in range(40):
        wrong[:, : example % 10 + 1, example] = True  # in 1 to 10 of ten sets, 4 examples each
    write_history("x", [VALLEY] * 10, wrong=wrong)
    few = ("--min-misclassified", "1")
    for quorum, least in (("0", 1), ("0.5", 6), ("0.7", 8), ("0.99", 10)):
        found = json.loads(strag("find-stragglers", "x", *few, "--quorum", quorum).stdout)
        assert found["indices"] == [one for one in range(40) if one % 10 + 1 >= least], quorum
        assert found["strag"]["recipe"]["quorum"] == float(quorum)
    strag("sets", "x", *few, "--quorum", "0.8", "--dose", "1", "-o", "sets")
    assert strag("info", "sets", "--get", "recipe.quorum").stdout == b"0.8\n"
    for wrong_one in ("1", "-0.1", "nan", "half"):
        complains(strag("find-stragglers", "x", "--quorum", wrong_one), 2, "--quorum")
    complains(strag("find-stragglers", "x", "--quorum", "0.1", "--core"), 2, "--quorum contradicts --core")


def test_what_makes_no_sense_is_doubted_in_words(folder):
    everything = np.ones((T, 2, 64), bool)
    write_history("x", [VALLEY, VALLEY], wrong=everything, error=np.full(T, 0.8))
    said = strag("find-stragglers", "x", "-q").stderr.decode()
    assert "the training error at the inversion, 0.8, is no better than 0.5" in said
    assert "64 of 64 examples are stragglers" in said
    assert strag("find-stragglers", "h", "-q").stderr == b""


def test_where_no_example_straggles_there_is_no_model(folder):
    write_history("x", [VALLEY, VALLEY], wrong=np.zeros((T, 2, 64), bool))
    found = json.loads(strag("find-stragglers", "x", "--at", "20").stdout)
    assert (found["model"], found["model_unknown"]) == (None, "no example straggles in any run")
    complains(
        strag("find-stragglers", "x", "--at", "20", "--core"), 1, "x: has no core: no example straggles"
    )
    found = json.loads(strag("find-stragglers", "h").stdout)
    assert found["model_unknown"] is None


def test_core_is_part_of_what_was_called(folder):
    wrong = np.zeros((T, 10, 64), bool)
    wrong[:, :, :20] = True
    wrong[:, :6, 20:40] = True
    write_history("x", [VALLEY] * 10, wrong=wrong)
    plain, core = (json.loads(strag("find-stragglers", "x", *more).stdout) for more in ([], ["--core"]))
    assert plain["indices"] == list(range(40))
    assert core["indices"] == list(range(20))
    assert plain["examples"] == core["examples"]
    status = dict(zip(plain["examples"]["index"], plain["examples"]["status"], strict=True))
    assert (status[0], status[30]) == ("core", "fringe")


def test_one_run_has_sets_but_no_probabilities(folder):
    write_history("x", [VALLEY])
    found = json.loads(strag("find-stragglers", "x").stdout)
    assert found["model"] is None
    assert set(found["examples"]["probability"]) == {None}
    assert len(found["indices"]) == 32


def test_one_run_has_no_core(folder):
    write_history("x", [VALLEY])
    complains(strag("find-stragglers", "x", "--core"), 1, "x: the core needs two runs with a set", "--runs")
    write_history("x", [VALLEY, FALL])
    complains(strag("find-stragglers", "x", "--core", "-o", "s.json"), 1, "two runs with a set")
    assert not (folder / "s.json").exists()
    write_history("x", [FALL])
    assert strag("find-stragglers", "x", "--core").returncode == 3


def test_csv_is_the_table_of_examples(folder):
    assert main(["find-stragglers", "h", "-o", "s.json", "--csv", "s.csv", "-q"]) == 0
    table = json.loads((folder / "s.json").read_text())["examples"]
    rows = list(csv.DictReader((folder / "s.csv").open()))
    assert {int(row["class"]) == int(row["index"]) % 10 for row in rows} == {True}
    assert [int(row["index"]) for row in rows] == table["index"]
    assert [float(row["probability"]) for row in rows] == table["probability"]


def test_table_at_a_terminal_and_json_on_demand(folder):
    import os
    import pty
    import subprocess
    import sys

    texts = []
    for more in ([], ["--json"]):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "strag", "find-stragglers", "h", *more]
        assert subprocess.run(command, stdout=theirs, timeout=60, check=False).returncode == 0
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 65536):
                text += part
        except OSError:
            pass
        os.close(ours)
        texts.append(text.decode())
    assert "verdict" in texts[0]
    assert "inversion (3 of 3 runs)" in texts[0]
    assert json.loads(texts[1])["verdict"] == "inversion"


def test_an_open_history_says_how_many_runs_have_not_finished(tmp_path, capsys):
    for done, words in ((2, "and 2 runs have not finished training"), (0, "and training has not finished")):
        error = np.stack([np.linspace(0.5, 0 if run < done else 0.3, T) for run in range(4)], axis=1)
        write_history(tmp_path / "h", [FALL] * 4, error=error)
        assert main(["find-stragglers", str(tmp_path / "h"), "-o", str(tmp_path / "s")]) == 3
        said = capsys.readouterr().err
        assert f"no inversion so far, {words} (0 of 4 runs" in said
        assert re.search(r"open\); train for \d+ updates to learn more; the curve has no valley", said)


def test_runs_that_never_reach_a_training_error_are_counted(tmp_path, capsys):
    falls = np.linspace(0.5, 0.1, T)
    for never, words in (
        (0, "(3 of 3 runs)\n"),
        (1, "(2 of 3 runs); 1 run never reaches it\n"),
        (2, "(1 of 3 runs); 2 runs never reach it\n"),
    ):
        error = np.stack([falls / (2 if run < never else 1) for run in range(3)], axis=1)
        write_history(tmp_path / "h", [VALLEY] * 3, error=error)
        assert (
            main(["find-stragglers", str(tmp_path / "h"), "--at", "error:0.3", "-o", str(tmp_path / "s")])
            == 0
        )
        assert f"misclassified at training error 0.3 {words}" in capsys.readouterr().err
        assert main(["sets", str(tmp_path / "h"), "--at", "error:0.3", "-o", str(tmp_path / "sets")]) == 0
        assert f"of 32.0 examples on average{words.partition(')')[2]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nothere"], 1, ["nothere: no such file"]),
        (["."], 1, [".: is a directory"]),
        (["empty"], 1, ["empty: is empty"]),
        (["cut"], 1, ["cut: is cut short", "create or copy it again"]),
        (["text"], 1, ["text: is not a strag file"]),
        (["s.json"], 1, ["s.json: is a stragglers file, not a history file; make one with 'strag train'"]),
        (["h", "--observable", "size"], 2, ["'--observable': no observable 'size'; use radius,"]),
        (["h", "--observable", "distance:0"], 2, ["'--observable': no observable 'distance:0'"]),
        (["h", "--observable", "radius:7"], 2, ["h: has no class '7'; it has even, odd"]),
        (["h", "--layer", "x"], 2, ["h: has no layer x; it has only layer 1"]),
        (["h", "--per-class", "--at", "3"], 2, ["--at contradicts --per-class"]),
        (["h", "--per-class", "--layer", "all"], 2, ["--layer all contradicts --per-class"]),
        (["h", "--layer", "4"], 2, ["h: has no layer 4; it has only layer 1"]),
        (["h", "--at", "99"], 1, ["h: has no record at update 99; the nearest are at 58 and 59"]),
        (["h", "--at", "soon"], 2, ["'--at': cannot read 'soon'; use inversion"]),
        (["h", "--at", "error:0"], 1, ["h: no run reaches the training error 0.0"]),
        (["h", "--at", "error:1"], 1, ["h: no run has a training error of 1.0 or more; the highest is 0.5"]),
        (["h", "--rule", "best"], 2, ["--rule", "best"]),
        (["h", "-o", "no/s.json"], 1, ["no/s.json: cannot be written"]),
        (["h", "--csv", "no/s.csv"], 1, ["no/s.csv: cannot be written"]),
        (["h", "g"], 2, ["unexpected extra argument"]),
        ([], 1, ["stdin: is empty"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_and_leaves_nothing(folder, arguments, status, words):
    (folder / "empty").touch()
    (folder / "text").write_text("a line of text, longer than a header\n")
    (folder / "cut").write_bytes((folder / "h").read_bytes()[:-100])
    (folder / "s.json").write_text('{"strag": {"kind": "stragglers", "format": 1}}')
    before = files_in(folder)
    complains(strag("find-stragglers", *arguments), status, *words)
    assert files_in(folder) == before


def test_a_rising_loss_is_told_where_the_verdict_does_not(tmp_path, capsys):
    """An oscillating run without a valley is open; that it needs a lower learning rate must not be lost."""
    loss = np.linspace(0.7, 0.1, T)
    loss[40] *= 1.5
    write_history(tmp_path / "h", [FALL, FALL], loss=loss)
    assert main(["find-stragglers", str(tmp_path / "h"), "-o", str(tmp_path / "s"), "-q"]) == 3
    assert "warning: " in (said := capsys.readouterr().err)
    assert "the loss rises in 2 of 2 runs" in said
    assert said.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
@pytest.mark.parametrize("outputs", [["-o", "/dev/full", "--csv", "s"], ["-o", "s", "--csv", "/dev/full"]])
def test_of_two_outputs_none_is_left_where_one_cannot_be_written(folder, outputs):
    result = strag("find-stragglers", "h", *outputs)
    complains(result, 1, "/dev/full: cannot be written")
    assert files_in(folder) == ["h"]
