"""strag train, through its command line."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from strag import kinds
from strag.cli import main
from strag.files.dataset import write_dataset
from tests.conftest import made_up
from tests.shell import complains, files_in, shell, strag

QUICK = ["--runs", "3", "--epochs", "8", "--width", "6", "--lr", "0.3", "-q"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a data set, `d.safetensors`, as working directory."""
    monkeypatch.chdir(tmp_path)
    write_dataset("d.safetensors", made_up(), {})
    return tmp_path


def stragglers_file(path, indices, origin, size=200):
    stamp = {"format": 1, "kind": "stragglers", "version": "0", "origin": origin, "origin_size": size}
    path.write_text(json.dumps({"strag": stamp, "verdict": "inversion", "indices": indices, "examples": {}}))


def test_writes_a_history_with_every_axis_named(folder):
    assert main(["train", "d.safetensors", *QUICK, "--depth", "3", "--layers", "all", "-o", "h"]) == 0
    history = kinds.read("h")
    assert history.updates.tolist() == list(range(9))
    assert history.measures["radius"].shape == (9, 3, 2, 2)
    assert (history.layers, history.classes, history.runs) == ((1, 2), ("even", "odd"), (0, 1, 2))
    assert history.recipe["lr"] == 0.3
    assert history.meta["origin"] == made_up().identity
    assert history.test_updates.tolist() == list(range(9))
    wrong = np.unpackbits(history.misclassified, axis=-1, bitorder="little")[:, :, :200]
    np.testing.assert_allclose(wrong.mean(axis=-1), history.train_error, atol=1e-6)
    assert history.train_loss[-1].max() < history.train_loss[0].min()


def test_the_history_knows_the_original_classes_whatever_the_groups(folder):
    names = ("cat", "dog", "elk", "fox")
    write_dataset("named", made_up(class_names=names), {})
    for source, known in (("named", list(names)), ("d.safetensors", None)):
        assert main(["train", source, *QUICK, "-o", "h"]) == 0
        history = kinds.read("h")
        assert history.meta.get("class_names") == known
        assert history.classes == ("even", "odd")
        np.testing.assert_array_equal(history.y_test, made_up().y_test)
    assert main(["train", "named", *QUICK, "--test-every", "never", "-o", "h"]) == 0
    assert kinds.read("h").y_test is None


def test_the_recipe_holds_no_paths_and_no_speed_options(folder):
    options = ["--threads", "1", "--memory", "4", "--weights", "w"]
    assert main(["train", "d.safetensors", *QUICK, *options, "-o", "h"]) == 0
    assert not {"threads", "memory", "weights", "output", "data", "device"} & kinds.read("h").recipe.keys()


def test_same_command_same_bytes(folder):
    for name in ("a", "b"):
        assert main(["train", "d.safetensors", *QUICK, "--batch-size", "64", "-o", name]) == 0
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()


def test_defaults_of_records(folder):
    assert main(["train", "d.safetensors", *QUICK, "--batch-size", "20", "-o", "h"]) == 0
    history = kinds.read("h")
    assert history.updates[:13].tolist() == [*range(11), 12, 14]
    assert history.updates[-1] == 80
    assert main(["train", "d.safetensors", *QUICK, "--test-every", "never", "-o", "h"]) == 0
    assert "test_error" not in load_file("h")


def test_tests_go_by_their_own_updates(folder):
    options = ["--record-every", "log", "--test-every", "5", "--epochs", "23", "--noise", "3"]
    assert main(["train", "d.safetensors", *QUICK, *options, "-o", "h"]) == 0
    history = kinds.read("h")
    assert history.updates.tolist() == [*range(11), 12, 14, 16, 18, 20, 23]
    assert history.test_updates.tolist() == [0, 5, 10, 15, 20, 23]
    assert (history.test_error[3] > 0).any()


def test_without_leaves_examples_out(folder):
    stragglers_file(folder / "s.json", [5, 1, 9], made_up().identity)
    assert main(["train", "d.safetensors", *QUICK, "--without", "s.json", "-o", "h"]) == 0
    history = kinds.read("h")
    assert np.flatnonzero(~history.trained_bits()[0]).tolist() == [1, 5, 9]
    stragglers_file(folder / "t.json", [1, 9, 5], made_up().identity)
    assert main(["train", "d.safetensors", *QUICK, "--without", "t.json", "-o", "g"]) == 0
    assert (folder / "h").read_bytes() == (folder / "g").read_bytes()


def test_weights_go_out_and_come_back(folder):
    options = ["--weights", "w", "--weights-at", "0,4"]
    assert main(["train", "d.safetensors", *QUICK, *options, "-o", "h"]) == 0
    with kinds.read("w") as weights:
        assert weights.updates.tolist() == [0, 4]
        assert weights.shapes["layer1.weight"] == (6, 20)
        assert weights.shapes["layer2.bias"] == (2,)
    tensors = load_file("w")
    assert tensors["layer1.weight"].shape == (2, 3, 6, 20)
    assert tensors["mean"].shape == (20,)
    assert main(["train", "d.safetensors", *QUICK, "--epochs", "4", "--init", "w", "-o", "g"]) == 0
    np.testing.assert_array_equal(kinds.read("g").train_loss, kinds.read("h").train_loss[4:])


def test_data_without_a_test_set(folder):
    data = made_up()
    bare = {name: getattr(data, name) for name in ("x", "y", "index", "labels")}
    write_dataset("bare.safetensors", type(data)(**bare), {})
    assert main(["train", "bare.safetensors", *QUICK, "-o", "h"]) == 0
    assert "test_error" not in load_file("h")


def test_an_empty_class_is_left_out_with_one_warning(folder, capsys):
    data = made_up(classes=4, labels="0-1/2/3/7-9")
    write_dataset("empty.safetensors", data, {})
    assert main(["train", "empty.safetensors", *QUICK, "-o", "h"]) == 0
    assert capsys.readouterr().err == (
        "strag: warning: no training examples in class 7-9: left out of every mean over classes\n"
    )
    assert np.isfinite(kinds.read("h").observable("radius")).all()


def test_divergence_is_said(folder, capsys):
    options = ["--lr", "1e30", "--activation", "relu", "--optimizer", "sgd"]
    assert main(["train", "d.safetensors", *QUICK, *options, "-o", "h"]) == 0
    assert "warning: diverged: run 0, 1, 2 (first at update" in capsys.readouterr().err
    assert np.isnan(kinds.read("h").train_loss[-1]).all()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nothere"], 1, ["nothere: no such file or catalogue name", "mnist8k"]),
        (["."], 1, [".: is a directory, not a dataset file; import it with 'strag data . -o FILE'"]),
        (["empty"], 1, ["empty: is empty"]),
        (["d.safetensors", "-o", "d.safetensors/x"], 1, ["d.safetensors/x: cannot be written"]),
        (["d.safetensors", "-o", "."], 2, [".: is a directory"]),
        (["d.safetensors", "--weights", "no/w"], 1, ["no/w: cannot be written"]),
        (["d.safetensors", "--epochs", "0"], 2, ["--epochs", "train --help"]),
        (["d.safetensors", "--lr", "fast"], 2, ["--lr", "fast"]),
        (["d.safetensors", "--lr", "nan"], 2, ["'--lr': nan is not a finite number"]),
        (["d.safetensors", "--noise", "inf"], 2, ["'--noise': inf is not a finite number"]),
        (["d.safetensors", "--memory", "nan"], 2, ["'--memory': nan is not a finite number"]),
        (["d.safetensors", "--first-run", str(10**30)], 2, ["'--first-run'", "not in the range"]),
        (["d.safetensors", "--epochs", str(10**12)], 2, ["'--epochs'", "not in the range"]),
        (["d.safetensors", "--depth", "100000"], 2, ["'--depth'", "not in the range"]),
        (["d.safetensors", "--width", str(10**9)], 1, ["not enough memory", "--width"]),
        (
            ["d.safetensors", "--record-every", "never"],
            2,
            ["'--record-every': cannot read 'never'; use a number of updates, or log"],
        ),
        (["d.safetensors", "--record-every", ""], 2, ["'--record-every': cannot read ''"]),
        (["d.safetensors", "--without", ""], 1, ["'': no such file"]),
        (["d.safetensors", "--init", ""], 1, ["'': no such file"]),
        (["d.safetensors", "--weights", ""], 2, ["the name of an output is empty"]),
        (["d.safetensors", "--weights-at", "3"], 2, ["--weights-at needs --weights"]),
        (["d.safetensors", "--json"], 2, ["--json needs --plan or --list-layers"]),
        (["d.safetensors", "--init", "-", "--without", "-"], 2, ["cannot both be stdin"]),
        (["d.safetensors", "--no-such"], 2, ["no such option", "--no-such"]),
        (["d.safetensors", "--layers", "2"], 2, ["depth 2 has no hidden layer 2; pass layers from 1"]),
        (
            ["d.safetensors", "--layers", "1,,2"],
            2,
            ["'--layers': cannot read '1,,2'; use layers such as 1,2 or conv1,conv2:mean, or all"],
        ),
        (
            ["d.safetensors", "--layers", "first"],
            2,
            ["cannot read --layers 'first'; pass layers such as 1, or all"],
        ),
        (["d.safetensors", "--record-every", "x"], 2, ["'--record-every': cannot read 'x'"]),
        (["d.safetensors", "--own-order"], 2, ["--own-order needs --batch-size"]),
        (["d.safetensors", "--without", "nothere"], 1, ["nothere: no such file"]),
        (["d.safetensors", "--without", "other.json"], 1, ["another data set", "strag data mnist8k"]),
        (["d.safetensors", "--without", "far.json"], 1, ["far.json", "leaves the range"]),
        (
            ["d.safetensors", "--without", "all.json"],
            1,
            ["all.json: leaves no example of d.safetensors to train on"],
        ),
        (
            ["d.safetensors", "--init", "d.safetensors"],
            1,
            ["is a dataset file, not a weights file", "--weights"],
        ),
        (["d.safetensors", "--weights", "w", "--weights-at", "9"], 2, ["--weights-at 9 is outside"]),
        (["d.safetensors", "--memory", "1e-6"], 2, ["more than the limit --memory"]),
        (["-", "--without", "-"], 2, ["cannot both be stdin"]),
        (["-"], 1, ["stdin: is empty", "pipe"]),
        (["h"], 1, ["h: is a history file, not a dataset file; make one with 'strag data'"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_and_leaves_nothing(folder, capfd, monkeypatch, arguments, status, words):
    (folder / "empty").touch()
    stragglers_file(folder / "far.json", [200], made_up().identity)
    stragglers_file(folder / "all.json", list(range(200)), made_up().identity)
    stragglers_file(folder / "other.json", [1], "elsewhere")
    other = json.loads((folder / "other.json").read_text())
    other["strag"]["command"] = "strag data mnist8k --size 512"
    (folder / "other.json").write_text(json.dumps(other))
    assert main(["train", "d.safetensors", *QUICK, "-o", "h"]) == 0
    before = files_in(folder)
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115
    output = [] if "-o" in arguments else ["-o", "out"]
    assert main(["train", *QUICK[:4], *arguments, *output]) == status
    said = capfd.readouterr().err
    assert said.startswith("strag: ")
    assert said.count("\n") == 1, said
    for word in words:
        assert word in said
    assert files_in(folder) == before


def test_init_of_another_shape(folder, capsys):
    assert main(["train", "d.safetensors", *QUICK, "--weights", "w", "-o", "h"]) == 0
    assert main(["train", "d.safetensors", "--runs", "3", "--init", "w", "-o", "g"]) == 2
    assert (
        "w: has a parameter 'layer1.weight' of 6 x 20, not 20 x 20; pass the options (--depth, --width"
        in capsys.readouterr().err
    )
    assert main(["train", "d.safetensors", "--runs", "4", "--width", "6", "--init", "w", "-o", "g"]) == 2
    assert "w: has no run 3; choose among runs 0 to 2" in capsys.readouterr().err


def test_two_gigabytes_of_nothing_are_refused_at_once(folder):
    with open("/dev/zero", "rb") as zeros:
        result = subprocess.run(
            [sys.executable, "-m", "strag", "train", "-", "-o", "h"],
            stdin=zeros,
            capture_output=True,
            timeout=60,
        )
    complains(result, 1, "stdin: is not a strag file")


def interrupted(folder, output, until):
    """Start a long training, interrupt it when `until` says so; the finished process."""
    command = [sys.executable, "-m", "strag", "train", "d.safetensors", "--runs", "3", "--epochs", "2000000"]
    command += ["--record-every", "50", "--test-every", "never", "--width", "6", "-o", output]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in jobs put behind
    )
    deadline = time.monotonic() + 60
    while not until() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def test_ctrl_c_leaves_the_finished_part(folder):
    started = lambda: any(name.endswith(".tmp") for name in files_in(folder))  # noqa: E731
    result = interrupted(folder, "h", started)
    assert result.returncode == -signal.SIGINT, result.stderr
    assert files_in(folder) == ["d.safetensors", "h.partial"]
    history = kinds.read("h.partial")
    assert history.updates[-1] == history.meta["interrupted"] > 0
    assert np.isfinite(history.train_loss).all()
    assert (history.train_loss > 0).all()
    lines = result.stderr.decode().splitlines()
    assert lines[0].startswith("strag: h.partial: holds the finished part, 3 runs up to update")
    assert lines[1:] == ["strag: interrupted"]


@pytest.mark.slow
def test_ctrl_c_into_a_pipe_leaves_nothing(folder):
    begun = time.monotonic()
    result = interrupted(folder, "-", lambda: time.monotonic() > begun + 4)
    assert (result.returncode, result.stdout) == (-signal.SIGINT, b"")
    assert files_in(folder) == ["d.safetensors"]


def test_no_arguments_at_a_terminal(folder):
    """Binary to a terminal is refused before any work."""
    import os
    import pty

    ours, theirs = pty.openpty()
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "strag", "train"], stdout=theirs, stderr=subprocess.PIPE
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.decode() == "strag: stdout: is a terminal; write to a file with -o FILE or into a pipe\n"
    assert time.monotonic() - begun < 30
    os.close(ours)
    os.close(theirs)


LITTLE = "train --runs 1 --epochs 1 --test-every never"


@pytest.mark.parametrize("script", ["strag {} < d.safetensors", "cat d.safetensors | strag {}"])
def test_data_that_is_not_named_is_what_is_piped_in(folder, script):
    result = shell(f"{script.format(f'{LITTLE} -o h')} && strag info h --get shapes.index", folder)
    assert (result.returncode, result.stdout) == (0, b"200\n"), result.stderr
    assert b"mnist8k" not in result.stderr


def test_a_pipe_that_is_for_another_option_is_no_data(folder):
    (folder / "none.json").write_text(json.dumps({"strag": {"kind": "stragglers", "format": 1}}))
    result = shell(f"cat none.json | strag {LITTLE} --without - -o h", folder)
    assert result.returncode == 1
    assert b"mnist8k is used" in result.stderr
    assert b"stdin: 'indices' is not a list of whole numbers" in result.stderr


@pytest.mark.parametrize("stdin", ["< /dev/null", pytest.param("<&-", marks=pytest.mark.slow)])
def test_without_a_pipe_the_embedded_data_is_taken_with_a_note(folder, stdin):
    result = shell(f"strag {LITTLE} -o h {stdin} && strag info h --get shapes.index", folder)
    assert (result.returncode, result.stdout) == (0, b"8192\n")
    assert b"strag: no DATA is given or piped in, so mnist8k is used\n" in result.stderr
    quiet = shell(f"strag {LITTLE} -q -o h {stdin}", folder)
    assert (quiet.returncode, quiet.stderr) == (0, b"")


def test_an_empty_pipe_is_an_error_and_trains_on_nothing_else(folder):
    result = shell(f"strag data nothere.npz 2> /dev/null | strag {LITTLE} -o h", folder)
    assert result.returncode == 1
    assert b"stdin: is empty; did the command before it in the pipe fail?" in result.stderr
    assert files_in(folder) == ["d.safetensors"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
@pytest.mark.parametrize(
    "outputs", [["-o", "/dev/full", "--weights", "w"], ["-o", "h", "--weights", "/dev/full"]]
)
def test_of_two_outputs_none_is_left_where_one_cannot_be_written(folder, outputs):
    result = strag("train", "d.safetensors", *QUICK, *outputs)
    complains(result, 1, "/dev/full: cannot be written")
    assert files_in(folder) == ["d.safetensors"]
