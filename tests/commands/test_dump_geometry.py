"""strag dump and strag geometry: what was trained, measured again from its weights."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import strag as strag_package
from strag import kinds
from strag.bits import pack
from strag.cli import main
from strag.datasets.dataset import standardise
from strag.datasets.names import Names
from strag.files.activations import ActivationsWriter, in_half
from strag.files.dataset import write_dataset
from strag.files.stamp import stamp as stamped
from strag.training.activations import Tile
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.files.makers import forge, refused
from tests.shell import complains, files_in, shell, strag

FORMATS = Path(strag_package.__file__).parent / "files" / "FORMATS.md"
TRAIN = ["--runs", "3", "--epochs", "12", "--lr", "0.3", "--record-every", "log", "--weights-at", "log", "-q"]
DEEP = ["--width", "6", "--depth", "3", "--layers", "all"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with data `d`, its history `h`, weights `w` and activations `a` of two hidden layers."""
    folder = tmp_path_factory.mktemp("made")
    write_dataset(str(folder / "d"), made_up(P=300), {})
    for arguments in (
        ["train", folder / "d", *TRAIN, *DEEP, "--weights", folder / "w", "-o", folder / "h"],
        ["dump", folder / "w", folder / "d", "--layers", "all", "-q", "-o", folder / "a"],
    ):
        assert main([str(argument) for argument in arguments]) == 0
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def assert_same_history(found, expected, atol=1e-6):
    for name, values in expected.measures.items():
        np.testing.assert_allclose(found.measures[name], values, atol=atol, err_msg=name)
    for name in ("train_error", "train_loss"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=atol, err_msg=name)
    for name in ("updates", "misclassified", "trained", "index", "y", "group"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert (found.runs, found.layers, found.classes) == (expected.runs, expected.layers, expected.classes)
    assert found.recipe == expected.recipe
    assert found.meta["origin"] == expected.meta["origin"]


def test_geometry_of_the_dump_is_what_training_recorded(folder, tmp_path):
    out = str(tmp_path / "g.safetensors")
    assert main(["geometry", "a", "-o", out, "-q"]) == 0
    assert_same_history(kinds.read(out), kinds.read("h"))


@pytest.mark.parametrize(
    "options",
    [
        "--depth 1",
        "--width 5 --batch-size 64",
        "--width 5 --standardise none --without s.json",
        *(
            pytest.param(f"--width 5 {more}", marks=pytest.mark.slow)
            for more in (
                "--activation relu",
                "--weight-decay 0.01",
                "--without s.json",
                "--first-run 4",
                "--standardise channel",
            )
        ),
    ],
)
def test_whatever_was_trained_comes_back(folder, tmp_path, options):
    stamp = {"format": 1, "kind": "stragglers", "version": "0", "origin": made_up(P=300).identity}
    (folder / "s.json").write_text(json.dumps({"strag": stamp, "verdict": "x", "indices": [3, 200]}))
    out = [str(tmp_path / name) for name in ("h", "w", "g.safetensors")]
    assert main(["train", "d", *TRAIN, *options.split(), "-o", out[0], "--weights", out[1]]) == 0
    script = f"strag dump {out[1]} d -q | strag geometry -q -o {out[2]}"
    result = shell(script, folder)
    assert (result.returncode, result.stderr) == (0, b"")
    assert_same_history(kinds.read(out[2]), kinds.read(out[0]))


def test_dumps_may_be_split_and_named_in_any_order(folder, tmp_path):
    options = {"late": ["--updates", "12,10"], "early": ["--updates", "0,1,2,3,4,5,6,7,8,9"]}
    for name, more in options.items():
        assert main(["dump", "w", "d", "--layers", "all", "-q", *more, "-o", str(tmp_path / name)]) == 0
    for runs in ("0", "1,2"):
        more = ["--updates", "0", "--runs", runs]
        assert main(["dump", "w", "d", "-q", *more, "-o", str(tmp_path / f"runs{runs[0]}")]) == 0
    out, again = str(tmp_path / "g.safetensors"), str(tmp_path / "i.safetensors")
    assert main(["geometry", str(tmp_path / "late"), str(tmp_path / "early"), "-q", "-o", out]) == 0
    assert_same_history(kinds.read(out), kinds.read("h"), atol=1e-6)
    assert main(["geometry", str(tmp_path / "early"), str(tmp_path / "late"), "-q", "-o", again]) == 0
    np.testing.assert_array_equal(kinds.read(again).measures["radius"], kinds.read(out).measures["radius"])
    result = strag("geometry", tmp_path / "runs1", tmp_path / "runs0")
    records = json.loads(result.stdout)["records"]
    assert [(record["run"], record["update"]) for record in records] == [(0, 0), (1, 0), (2, 0)]


def test_an_activations_file_holds_what_its_names_say(folder):
    tensors, data = load_file("a"), made_up(P=300)
    assert tensors["layer1"].shape == tensors["layer2"].shape == (12, 3, 300, 6)
    assert tensors["layer1"].dtype == np.float32
    np.testing.assert_array_equal(tensors["group"], data.groups)
    history = kinds.read("h")
    wrong = tensors["prediction"] != data.groups
    np.testing.assert_allclose(wrong.mean(axis=-1), history.train_error, atol=1e-6)
    np.testing.assert_allclose(tensors["loss"].mean(axis=-1), history.train_loss, atol=1e-5)


def test_half_precision_takes_half_the_space_and_keeps_three_digits(folder, tmp_path):
    assert main(["dump", "w", "d", "--layers", "all", "--half", "-q", "-o", str(tmp_path / "half")]) == 0
    half = load_file(tmp_path / "half")
    assert half["layer1"].dtype == np.float16
    out = str(tmp_path / "g.safetensors")
    assert main(["geometry", str(tmp_path / "half"), "-q", "-o", out]) == 0
    np.testing.assert_allclose(
        kinds.read(out).measures["radius"], kinds.read("h").measures["radius"], atol=1e-3
    )


def test_the_json_names_its_axes(folder):
    found = json.loads(strag("geometry", "a").stdout)
    assert found["classes"] == ["even", "odd"]
    assert found["pairs"] == [["even", "odd"]]
    assert found["class_sizes"] == np.bincount(made_up(P=300).groups).tolist()
    assert len(found["records"]) == 12 * 3 * 2
    assert found["records"][-1].keys() == {
        "update",
        "run",
        "layer",
        "radius_rms",
        "separation",
        "radius",
        "distance",
        "class_sizes",
        "train_error",
        "train_loss",
    }
    assert found["strag"]["kind"] == "geometry"
    section = FORMATS.read_text().split("## geometry")[1].split("\n## ")[0]
    for key in {*found, *found["records"][0]} - {"strag"}:
        assert f"`{key}`" in section


def test_pruned_data_is_measured_where_it_is(folder, tmp_path):
    """Networks trained on everything, run on a part: only that part is measured."""
    stamp = {"format": 1, "kind": "stragglers", "version": "0", "origin": made_up(P=300).identity}
    (tmp_path / "s.json").write_text(json.dumps({"strag": stamp, "verdict": "x", "indices": [*range(100)]}))
    assert main(["prune", "d", str(tmp_path / "s.json"), "-q", "-o", str(tmp_path / "p")]) == 0
    assert main(["dump", "w", str(tmp_path / "p"), "-q", "-o", str(tmp_path / "b")]) == 0
    part, whole = load_file(tmp_path / "b"), load_file("a")
    np.testing.assert_allclose(part["layer1"], whole["layer1"][:, :, 100:], atol=1e-6)
    assert part["index"].tolist() == list(range(100, 300))


def test_examples_that_were_not_trained_on_do_not_count(folder, tmp_path, capfd):
    """Networks trained on a part, run on everything: geometry is that of the part, and says so."""
    stamp = {"format": 1, "kind": "stragglers", "version": "0", "origin": made_up(P=300).identity}
    (tmp_path / "s.json").write_text(json.dumps({"strag": stamp, "verdict": "x", "indices": [*range(100)]}))
    part, h, w, a = (str(tmp_path / name) for name in "phwa")
    assert main(["prune", "d", str(tmp_path / "s.json"), "-q", "-o", part]) == 0
    assert main(["train", part, *TRAIN, "--width", "6", "--weights", w, "-o", h]) == 0
    capfd.readouterr()
    assert main(["dump", w, "d", "-o", a]) == 0
    assert capfd.readouterr().err == "strag: 3 runs at 12 updates, 300 examples, 100 of them not trained on\n"
    out = str(tmp_path / "g.safetensors")
    assert main(["geometry", a, "-o", out]) == 0
    assert capfd.readouterr().err.endswith("300 examples, 100 of them not trained on and left out\n")
    measured, trained = kinds.read(out), kinds.read(h)
    assert not measured.trained_bits()[:, :100].any()
    np.testing.assert_allclose(measured.train_error, trained.train_error, atol=1e-6)
    np.testing.assert_allclose(measured.measures["radius"], trained.measures["radius"], atol=1e-6)


def test_other_data_make_no_training_error_and_no_history(folder, tmp_path):
    """Also a training set that is a subset made by `strag data`, which is a new origin."""
    subset, w, a, out = (str(tmp_path / name) for name in ("d", "w", "a", "g.safetensors"))
    assert main(["data", "d", "--size", "64", "-q", "-o", subset]) == 0
    train = ["train", subset, *TRAIN, "--width", "6", "--weights", w, "-o", str(tmp_path / "h")]
    assert main(train) == 0
    answer = "strag: 3 runs at 12 updates, 300 examples of other data, not trained on\n"
    assert strag("dump", w, "d", "-o", a).stderr.decode() == answer
    result = strag("geometry", a)
    assert result.stderr.decode() == answer
    found = json.loads(result.stdout)
    assert found["strag"]["training_origin"] == kinds.read(subset).origin != found["strag"]["origin"]
    wrong = load_file(a)["prediction"] != made_up(P=300).groups
    for record in found["records"]:
        at = load_file(a)["updates"].tolist().index(record["update"])
        assert record["test_error"] == pytest.approx(wrong[at, record["run"]].mean())
        assert {"train_error", "train_loss"}.isdisjoint(record)
        assert sum(record["class_sizes"]) == 300
    assert "300 examples of other data, not trained on" in at_terminal("stdout", "geometry", a)[2]
    said = (
        "a: holds examples of other data than the training set, so that it makes no history; dump the data of"
    )
    complains(strag("geometry", a, "-o", out), 1, said)
    assert not Path(out).exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["dump"], 2, ["missing argument 'WEIGHTS'"]),
        (["dump", "w"], 2, ["missing argument 'DATA'"]),
        (["dump", "nothere", "d"], 1, ["nothere: no such file"]),
        (["dump", "h", "d"], 1, ["h: is a history file, not a weights file", "strag train --weights"]),
        (["dump", "w", "nothere"], 1, ["nothere: no such file or catalogue name"]),
        (["dump", "w", "mnist8k"], 1, ["mnist8k: has 784 inputs, but the networks of w have 20"]),
        (["dump", "w", "classes"], 1, ["classes: its groups are 0, 1, 2, 3", "--labels parity"]),
        (["dump", "w", "d", "--layers", "3"], 2, ["depth 3 has no hidden layer 3; pass layers from 1, 2"]),
        (["dump", "w", "d", "--updates", "11"], 2, ["w: has no update 11; choose --updates from 0, 1, 2"]),
        (
            ["dump", "w", "d", "--updates", "x"],
            2,
            ["'--updates': cannot read 'x'; use updates such as 0,40, or all"],
        ),
        (["dump", "w", "d", "--runs", "7"], 2, ["w: has no run 7; choose --runs from 0, 1, 2"]),
        (["dump", "-", "-"], 2, ["cannot both be stdin"]),
        (["dump", "w", "."], 1, [".: is a directory"]),
        (["dump", "cut", "d"], 1, ["cut: is cut short"]),
        (["geometry"], 1, ["stdin: is empty"]),
        (["geometry", "nothere"], 1, ["nothere: no such file"]),
        (["geometry", "h"], 1, ["h: is a history file, not an activations file", "strag dump"]),
        (["geometry", "."], 1, [".: is a directory"]),
        (["geometry", "empty"], 1, ["empty: is empty"]),
        (["geometry", "cut_a"], 1, ["cut_a: is cut short"]),
        (["geometry", "a", "a"], 1, ["a: repeats examples of another dump at update 0"]),
        (["geometry", "a", "b"], 1, ["b: has layers 1, but a has layers 1, 2"]),
        (["geometry", "-", "-"], 2, ["only one input can be stdin"]),
        (["geometry", "a", "-o", "no/g.safetensors"], 1, ["no/g.safetensors: cannot be written"]),
        (["geometry", "a", "--layer", "1"], 2, ["no such option"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_and_leaves_nothing(folder, arguments, status, words):
    if not (folder / "b").exists():
        (folder / "cut").write_bytes((folder / "w").read_bytes()[:-9])
        (folder / "cut_a").write_bytes((folder / "a").read_bytes()[:-9])
        (folder / "empty").touch()
        write_dataset("classes", made_up(P=300, labels="classes"), {})
        assert main(["train", "d", *TRAIN, "--seed", "1", "--weights", "v", "-o", "g"]) == 0
        assert main(["dump", "v", "d", "-q", "-o", "b"]) == 0
    before = files_in(folder)
    complains(strag(*arguments), status, *words)
    assert files_in(folder) == before


@pytest.mark.slow
def test_real_images_give_the_same_stragglers(tmp_path):
    """Weights, dumped and measured, lead find-stragglers to what the history itself leads it to."""
    train = "train d --runs 2 --epochs 80 --lr 0.2 --record-every log --test-every never -q"
    script = f"""
    strag data mnist8k --size 2048 -q -o d
    strag {train} --weights w --weights-at log -o h
    strag dump w d -q | strag geometry - -q -o g.safetensors
    strag find-stragglers h -q -o h.json
    strag find-stragglers g.safetensors -q -o g.json
    """
    result = shell(f"set -e\n{script}", tmp_path)
    assert (result.returncode, result.stderr) == (0, b"")
    assert_same_history(kinds.read(str(tmp_path / "g.safetensors")), kinds.read(str(tmp_path / "h")))
    recorded, measured = (json.loads((tmp_path / name).read_text()) for name in ("h.json", "g.json"))
    assert len(recorded["indices"]) > 50
    assert measured["indices"] == recorded["indices"]
    assert measured["examples"] == recorded["examples"]
    for one, other in zip(measured["runs"], recorded["runs"], strict=True):
        assert one["verdict"] == "inversion"
        assert (one["update"], one["stragglers"]) == (other["update"], other["stragglers"])


def _forged(folder, name, tmp_path, meta=None, **tensors):
    return forge(folder / name, tmp_path / "bad", meta, **tensors)


@pytest.mark.parametrize(
    ("meta", "tensors", "words"),
    [
        ({"recipe": 3}, {}, "its 'recipe' cannot be read"),
        ({"recipe": None}, {}, "does not say what its networks compute"),
        ({"recipe": {"activation": "sine", "precision": "float32"}}, {}, "does not say what its networks"),
        ({"inputs": "x"}, {}, "its 'inputs' cannot be read"),
        ({"runs": [0, 0, 1]}, {}, "its 'runs' cannot be read"),
        ({"classes": None}, {}, "does not name its classes"),
        ({}, {"std": np.zeros(20)}, "'std' is 0 for every input"),
        ({}, {"mean": np.full(20, np.nan)}, "'mean' is not finite"),
        ({}, {"index": np.arange(300) + 10**6}, "an index beyond the end of its data set"),
        ({}, {"index": np.zeros(300, np.int64)}, "lists an example twice"),
        ({}, {"trained": np.ones((3, 2), np.uint8)}, "bits that do not fit"),
    ],
)
def test_weights_that_were_edited(folder, tmp_path, meta, tensors, words):
    bad = _forged(folder, "w", tmp_path, meta, **tensors)
    result = strag("dump", bad, "d", "-o", tmp_path / "out")
    complains(result, 1, "bad: ", words, "--weights'")
    assert files_in(tmp_path) == ["bad"]


def test_weights_whose_map_is_for_other_data(folder, tmp_path):
    bad = _forged(folder, "w", tmp_path, mean=np.full(20, 1e300))
    complains(strag("dump", bad, "d", "-o", tmp_path / "out"), 1, "strag: d: the example in row 0 is too far")


@pytest.mark.parametrize(
    ("meta", "tensors", "words"),
    [
        ({"recipe": [1]}, {}, "its 'recipe' cannot be read"),
        ({"inputs": {"training": "x"}}, {}, "its 'inputs.training' cannot be read"),
        ({"runs": [0, "1", 2]}, {}, "its 'runs' cannot be read"),
        ({}, {"index": np.zeros(300, np.int64)}, "lists an example twice"),
        ({}, {"trained": np.zeros((3, 38), np.uint8)}, "has no example that run 0 was trained on"),
    ],
)
def test_activations_that_were_edited(folder, tmp_path, meta, tensors, words):
    bad = _forged(folder, "a", tmp_path, meta, **tensors)
    complains(strag("geometry", bad, "-o", tmp_path / "g.safetensors"), 1, "bad: ", words)
    assert files_in(tmp_path) == ["bad"]


def test_infinite_activations_are_one_warning(folder, tmp_path):
    wild = np.full((1, 1, 1), np.inf, np.float32)
    bad = _forged(folder, "a", tmp_path, layer1=np.broadcast_to(wild, load_file("a")["layer1"].shape))
    result = strag("geometry", bad, "-q", "-o", tmp_path / "g.json")
    assert (result.returncode, result.stdout) == (0, b"")
    told = "300 examples of classes even, odd in layer 1 are not finite at update 0 in run 0"
    text = f"{told} (and 35 more times): these classes have no radius there"
    assert result.stderr.decode() == f"strag: warning: {bad}: {text}\n"


def activations(path, group=None, layer1=None, **stamp):
    """An activations file of 2 updates and 20 examples in the classes a and b, all trained on."""
    group = np.arange(20) % 2 if group is None else group
    noise = np.random.default_rng(0).standard_normal((2, 1, 20, 5)).astype(np.float32)
    meta = {"runs": [0], "layers": [1], "classes": ["a", "b"], "labels": "classes", "title": "mine"}
    meta = {**meta, "origin": "o", "origin_size": 20, "command": "mine", "recipe": {}, "inputs": {}, **stamp}
    whole = {"updates": [0, 10], "index": np.arange(20), "y": group, "group": group}
    whole["trained"] = pack(np.ones((1, 20), bool))
    with ActivationsWriter(str(path), stamped("activations", **meta), whole, {1: 5}) as writer:
        for at in range(2):
            h = noise[at] if layer1 is None else layer1[at]
            tile = Tile(slice(0, 1), slice(0, 20), {1: h}, np.zeros((1, 20)), np.ones((1, 20)))
            writer.add(at, tile)
        writer.commit()
    return noise


@pytest.mark.parametrize("suffix", ["json", "safetensors"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_example_that_is_not_finite_spoils_its_own_class_alone(tmp_path, capfd, value, suffix):
    h = activations(tmp_path / "clean")
    h[0, 0, [3, 5, 7], 1] = value
    activations(tmp_path / "bad", layer1=h)
    found = {}
    for name in ("clean", "bad"):
        out = str(tmp_path / f"{name}.{suffix}")
        assert main(["geometry", str(tmp_path / name), "-q", "-o", out]) == 0
        if suffix == "json":
            radii = [record["radius"] for record in json.loads(Path(out).read_text())["records"]]
            found[name] = np.array(radii, dtype=float)  # null is NaN
        else:
            found[name] = kinds.read(out).measures["radius"][:, 0, 0]
    told = "3 examples of class b in layer 1 are not finite at update 0 in run 0"
    assert capfd.readouterr().err == (
        f"strag: warning: {tmp_path / 'bad'}: {told}: that class has no radius there\n"
    )
    expected = found["clean"].copy()
    expected[0, 1] = np.nan
    np.testing.assert_allclose(found["bad"], expected)


def test_a_table_of_what_is_not_known_has_dashes_and_no_warnings(tmp_path):
    h = activations(tmp_path / "one", group=np.zeros(20, int))
    status, text, shown = at_terminal("stdout", "geometry", tmp_path / "one")
    assert (status, text) == (0, "")
    assert [line.split()[4] for line in _rows(shown)] == ["-", "-"]
    h[0, 0, 3] = np.nan
    activations(tmp_path / "bad", layer1=h)
    status, text, shown = at_terminal("stdout", "geometry", tmp_path / "bad")
    assert status == 0
    assert text.count("\n") == 1
    assert [line.split()[3:] == ["-"] * 3 for line in _rows(shown)] == [True, False]
    assert "nan" not in shown


def _rows(shown):
    """Lines of a table that begin with a number."""
    return [line for line in shown.splitlines() if line.split() and line.split()[0].isdigit()]


def test_the_table_holds_in_80_columns(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, text, shown = at_terminal("stdout", "geometry", "a")
    rows = _rows(shown)
    assert text == ""
    assert len(rows) == 12 * 2
    assert all(len(row) <= 80 and len(row.split()) == 6 for row in rows)


@pytest.mark.slow
def test_one_line_with_the_answer_unless_the_table_was_shown(folder, tmp_path, capfd):
    answer, out = "strag: 3 runs at 12 updates, 300 examples\n", ["-o", str(tmp_path / "out")]
    for arguments in (["geometry", "a"], ["dump", "w", "d"]):
        for quiet in ([], ["-q"]):
            assert main([*arguments, *out, *quiet]) == 0
            assert capfd.readouterr().err == ("" if quiet else answer)
    assert shell("strag dump w d | strag geometry | cat", folder).stderr.decode() == 2 * answer
    assert at_terminal("stdout", "geometry", "a", "--json")[1] == answer


def _scaled(folder, tmp_path, factor):
    """The weights `w` with the first layer of update 12 scaled by a factor, so that relu units follow."""
    weights = load_file(folder / "w")
    changed = {name: weights[name].copy() for name in ("layer1.weight", "layer1.bias")}
    for values in changed.values():
        values[-1] *= np.float32(factor)
    recipe = json.loads(strag("info", "w", "--json", cwd=folder).stdout)["recipe"]
    return _forged(folder, "w", tmp_path, {"recipe": {**recipe, "activation": "relu"}}, **changed)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1e6, ["layer 1 at update 12 reaches ", "half precision ends at 65504"]),
        (1e-9, ["layer 1 at update 12 has an example that reaches only ", "which half precision loses"]),
    ],
)
def test_what_half_precision_cannot_hold_is_refused(folder, tmp_path, factor, words):
    bad = _scaled(folder, tmp_path, factor)
    result = strag("dump", bad, "d", "--half", "-o", tmp_path / "out")
    complains(result, 1, f"strag: {bad} on d: ", *words, "; remove --half")
    complains(strag("dump", bad, "d", "--half"), 1, *words)
    assert files_in(tmp_path) == ["bad"]
    assert main(["dump", bad, "d", "-q", "-o", str(tmp_path / "out")]) == 0
    largest = load_file(tmp_path / "out")["layer1"][-1].max()
    if factor > 1:
        assert f"reaches {largest:.6g}, " in result.stderr.decode()


def test_half_precision_keeps_zeros_and_what_was_infinite(tmp_path):
    h = np.zeros((1, 4, 5), np.float32)
    h[0, 1, 2], h[0, 2, 0], h[0, 3] = np.inf, np.nan, [65504, -65504, 1e-9, 0, 1]
    np.testing.assert_array_equal(in_half(h, "x"), h.astype(np.float16))
    for row, what in (([65520, 0, 0, 0, 0], "65520"), ([np.inf, -1e9, np.nan, 0, 0], "1e+09")):
        h[0, 0] = row
        refused(lambda: in_half(h, "layer 1"), f"layer 1 reaches {what}, but half", "remove `half`")
    for row in ([1e-8] * 5, [1e-30, 0, 0, 0, 0], [0, 2e-7, 0, 0, 1e-7]):
        h[0, 0] = row
        refused(lambda: in_half(h, "layer 1"), f"reaches only {max(row):.2g}, which", "remove `half`")
    h[0, 0] = [0, 2e-5, 0, 0, 1e-9]
    in_half(h, "layer 1")


def test_layer_0_is_the_standardised_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = made_up(P=60, Q=20)
    write_dataset("d", data, {})
    train = ["train", "d", "--runs", "2", "--epochs", "4", "--weights", "w", "-q", "-o", "h"]
    assert main(train) == 0
    assert main(["dump", "w", "d", "--layers", "0,1", "-q", "-o", "a"]) == 0
    x = standardise(data.x, *data.standardisation())
    found = load_file("a")
    for run in range(2):
        np.testing.assert_array_equal(found["layer0"][0, run], x)
    assert main(["geometry", "a", "-q", "-o", "g.safetensors"]) == 0
    history = kinds.read("g.safetensors")
    assert history.layers == (0, 1)
    np.testing.assert_array_equal(history.measures["radius"][0, 0, 0], history.measures["radius"][0, 1, 0])


def test_what_classes_and_examples_are_called_comes_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = made_up(P=60, Q=20, labels="classes")
    numbers = np.array([1, 2, 5, 9])
    renumbered = {"y": numbers[data.y], "y_test": numbers[data.y_test], "class_numbers": (1, 2, 5, 9)}
    called = {"class_names": ("ant", "bee", "elk", "fox"), "names": Names.of([f"{i}.png" for i in range(60)])}
    write_dataset("d", replace(data, **renumbered, **called, class_count=0, origin=None), {})
    assert main(["train", "d", "--runs", "2", "--epochs", "4", "--weights", "w", "-q", "-o", "h"]) == 0
    for runs in "01":
        assert main(["dump", "w", "d", "--runs", runs, "-q", "-o", f"a{runs}"]) == 0
    assert main(["geometry", "a1", "a0", "-q", "-o", "g.safetensors"]) == 0
    trained, measured = kinds.read("h"), kinds.read("g.safetensors")
    assert [measured.class_name(c) for c in numbers] == ["ant", "bee", "elk", "fox"]
    assert [measured.names[row] for row in range(60)] == [trained.names[row] for row in range(60)]
