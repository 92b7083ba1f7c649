"""Every command says about named layers what it says about numbered ones, with the names in their place."""

import json
import os
import re
import xml.dom.minidom
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from strag import kinds
from strag.cli import main
from strag.files.activations import ActivationsWriter
from strag.files.stamp import stamp
from strag.training.activations import Tile
from strag.words import lacks_layer, layer_called, layer_in_words
from tests.conftest import with_measures
from tests.files.makers import complaint, parts
from tests.shell import in_this_process
from tests.views.histories import T, falling, made, valley, write

NAMINGS = {  # names of the layers 1, 2 and 3; sorted as texts they are in another order
    "a module": ("conv10", "conv2:mean", "block.1.act:mean"),
    "a Sequential": ("2", "10", "1"),
}


def history():
    """A History of three layers that turn at different updates, or never."""
    base = made([valley(20), valley(22), valley(21)], layers=(1, 2, 3))
    factors = np.stack([valley(20) / valley(20), valley(40) / valley(20), falling() / valley(20)], axis=1)
    measures = {
        name: base.measures[name] * factors[:, None, :, None] for name in ("radius", "distance", "mean_norm2")
    }
    wrong = np.arange(64) < np.linspace(60, 4, T)[:, None, None] + np.arange(3)[:, None]
    meta = {**base.meta, "origin_size": 64, "inputs": {"data": "d"}}
    meta["recipe"] = {**meta["recipe"], "layers": [1, 2, 3]}
    packed = np.packbits(wrong, axis=2, bitorder="little")
    return replace(with_measures(base, **measures), misclassified=packed, meta=meta)


def named(history, names):
    """The same History with these names for its layers."""
    meta = {**history.meta, "recipe": {**history.recipe, "layers": list(names)}}
    return replace(history, layers=tuple(names), meta=meta)


def dump(path, history, layers, rows, seed=0):
    """An activations file of some rows of a History, whose layers are called so and are 5, 6 and 7 wide."""
    random = np.random.default_rng(seed)
    updates = np.array([0, 20, 100])
    keys = ("origin", "origin_size", "title", "inputs")
    meta = {key: history.meta[key] for key in keys} | {"command": "strag data d.npz", "labels": "parity"}
    meta |= {"recipe": {**history.recipe, "layers": list(layers)}, "runs": [0, 1, 2], "layers": list(layers)}
    index = np.arange(64)[rows]
    whole = {"updates": updates, "index": index, "y": history.y[rows], "group": history.group[rows]}
    whole["trained"] = np.packbits(np.ones((3, len(index)), bool), axis=1, bitorder="little")
    widths = dict(zip(layers, (5, 6, 7), strict=True))
    with ActivationsWriter(
        str(path), stamp("activations", classes=["even", "odd"], **meta), whole, widths
    ) as file:
        for at in range(len(updates)):
            hidden = {
                layer: random.standard_normal((3, len(index), width)).astype(np.float32)
                for layer, width in widths.items()
            }
            guess = random.integers(2, size=(3, len(index)))
            loss = random.random((3, len(index)))
            file.add(at, Tile(slice(0, 3), slice(0, len(index)), hidden, guess, loss))
        file.commit()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of files of numbered layers, and one for each naming with the same files of named layers."""
    made_of = {"numbers": (1, 2, 3), **NAMINGS}
    root, numbered = tmp_path_factory.mktemp("layers"), history()
    for name, layers in made_of.items():
        folder = root / name
        folder.mkdir()
        of_name = numbered if name == "numbers" else named(numbered, layers)
        write(folder / "h.safetensors", of_name)
        for part, rows in (("a", slice(0, 40)), ("b", slice(40, 64))):
            dump(folder / f"{part}.safetensors", numbered, layers, rows)
        in_this_process(
            "\n".join(
                f"strag find-stragglers h.safetensors --layer '{layer}' --any-verdict -q -o s{n}.json"
                for n, layer in enumerate(layers, 1)
            ),
            folder,
        )
    return root


COMMANDS = (
    "find-stragglers h.safetensors --any-verdict -o OUT.json",
    *(f"find-stragglers h.safetensors --layer {n} --any-verdict -o OUT.json" for n in (1, 2, 3)),
    "find-stragglers h.safetensors --layer all --any-verdict -o OUT.json",
    "find-stragglers h.safetensors --layer 2 --per-class --any-verdict -o OUT.json",
    "sets h.safetensors --layer 2 --controls random --dose 0.5 -o OUT.safetensors",
    "sets h.safetensors --at log:4 -o OUT.safetensors",
    "stability h.safetensors -o OUT.json",
    "geometry a.safetensors -o OUT.json",
    "geometry a.safetensors b.safetensors -o OUT.json",
    "geometry b.safetensors a.safetensors -o OUT.safetensors",
    "compare s1.json s2.json -o OUT.json",
    "summary s3.json s2.json s1.json -o OUT.json",
    "info h.safetensors --json",
    "info a.safetensors --json",
    "info s2.json --json",
    "info h.safetensors --get layers",
    *(f"plot h.safetensors --layer {n} -o OUT.svg" for n in (1, 2, 3)),
    "plot h.safetensors --layer all --curves radius,error -o OUT.svg",
    "plot h.safetensors h.safetensors --layer 2 --x error -o OUT.svg",
    "plot s2.json --by-class -o OUT.svg",
)


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_says_the_same_of_named_layers(line, naming, folders, tmp_path, capfd):
    names = dict(zip((1, 2, 3), NAMINGS[naming], strict=True))
    expected = said(line, folders / "numbers", tmp_path / "n", capfd)
    other = re.sub(r"--layer (\d)", lambda option: f"--layer {names[int(option[1])]}", line)
    found = said(other, folders / naming, tmp_path / "m", capfd)
    assert found == renamed(expected, names)
    assert expected["status"] == 0


def said(line, folder, out, capfd):
    """What a command writes, with what does not depend on layers left out: dict of plain values."""
    suffix = re.search(r"OUT(\.\w+)", line)
    path = out.with_suffix(suffix[1]) if suffix else None
    before = os.getcwd()
    os.chdir(folder)
    try:
        status = main(line.replace(suffix[0], str(path)).split() if suffix else line.split())
    finally:
        os.chdir(before)
    shown, notes = capfd.readouterr()
    result = {"status": status, "notes": notes.replace(str(out), "OUT")}
    if path is None:
        return result | {"shown": json.loads(shown) if shown.startswith("{") else shown.split()}
    if path.suffix == ".json":
        return result | {"file": json.loads(path.read_text())}
    if path.suffix == ".svg":
        return result | {"texts": texts_of(path)}
    tensors = {name: tensor.tolist() for name, tensor in load_file(path).items()}
    return result | {"stamp": parts(path)[1], "tensors": repr(tensors)}


def texts_of(path):
    """The texts in a picture."""
    document = xml.dom.minidom.parse(str(path))
    return ["".join(node.data for node in text.childNodes) for text in document.getElementsByTagName("text")]


@pytest.mark.parametrize(
    "line",
    [
        "find-stragglers h.safetensors --layer conv2",
        "find-stragglers h.safetensors --per-class --layer conv2",
        "sets h.safetensors --layer conv2",
        "plot h.safetensors --layer conv2 -o p.svg",
    ],
)
def test_an_unknown_layer_lists_those_that_exist(line, folders, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(folders / "a module")
    listed = "choose --layer from conv10, conv2:mean, block.1.act:mean"
    complaint(capsys, 2, [f"has no layer conv2, but it has conv2:mean; {listed}"], *line.split())
    other = line.replace("conv2", "1")
    complaint(capsys, 2, [f"has no layer 1; {listed}"], *other.split())
    monkeypatch.chdir(folders / "numbers")
    complaint(capsys, 2, ["has no layer conv2; choose --layer from 1, 2, 3"], *line.split())


def test_a_hint_needs_the_same_place():
    assert lacks_layer("conv2:mean", ("conv2", "conv2:max")) == "has no layer conv2:mean, but it has conv2"
    assert lacks_layer("conv", ("conv2", "conv:mean.a")) == "has no layer conv"
    assert lacks_layer(7, (1, 2), "hidden layer") == "has no hidden layer 7"


def test_a_number_means_what_the_file_says():
    assert layer_called("1", (1, 2)) == layer_called(1, (1, 2)) == 1
    assert layer_called("1", ("0", "1")) == layer_called(1, ("0", "1")) == "1"
    assert (layer_called("1", (1, "1")), layer_called(1, ("1", 1))) == ("1", 1)
    assert layer_called("x", (1, "1")) is None


def test_all_layers_are_of_one_history(folders, monkeypatch, capsys):
    monkeypatch.chdir(folders / "a module")
    words = "--layer all draws the layers of one history, but there are 2; plot one history"
    complaint(capsys, 2, words, *["plot", "h.safetensors", "h.safetensors", "--layer", "all", "-o", "p.svg"])


def test_dumps_of_other_layers_are_not_measured_together(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(folders)
    other = folders / "a Sequential" / "b.safetensors"
    listed = "has layers 2, 10, 1, but a module/a.safetensors has layers conv10, conv2:mean, block.1.act:mean"
    complaint(capsys, 1, listed, "geometry", "a module/a.safetensors", other)


def test_a_layer_called_1_is_not_layer_1(folders):
    numbers, names = (load_file(folders / name / "a.safetensors") for name in ("numbers", "a Sequential"))
    assert {"layer1", "layer2", "layer3"} <= numbers.keys()
    assert {"layer.2", "layer.10", "layer.1"} <= names.keys()
    np.testing.assert_array_equal(numbers["layer1"], names["layer.2"])
    assert not {"layer1", "layer2", "layer10"} & names.keys()


def test_a_file_that_says_nothing_of_layers_keeps_its_format(folders, tmp_path):
    history = str(folders / "a module" / "h.safetensors")
    assert main(["stability", history, "-q", "-o", str(tmp_path / "a.json")]) == 0
    assert json.loads((tmp_path / "a.json").read_text())["strag"]["format"] == 1


def test_conditions_are_in_the_order_of_the_layers(folders, tmp_path):
    for naming, layers in NAMINGS.items():
        folder, out = folders / naming, str(tmp_path / "s.json")
        files = [str(folder / f"s{n}.json") for n in (2, 3, 1)]
        assert main(["summary", *files, "-q", "-o", out]) == 0
        summary = kinds.read(out)
        assert [condition.label for condition in summary.conditions] == [f"layer {layer}" for layer in layers]


@pytest.mark.parametrize("naming", NAMINGS)
def test_all_layers_have_an_entry_each_in_the_picture(naming, folders, tmp_path, capsys):
    file, out = str(folders / naming / "h.safetensors"), str(tmp_path / "p.svg")
    assert main(["plot", file, "--layer", "all", "--label", "mine", "-o", out]) == 0
    entries = [text for text in texts_of(out) if text.startswith("mine, layer ")]
    names = [layer_in_words(layer) for layer in NAMINGS[naming]]
    assert [text.partition(":")[0] for text in entries] == [f"mine, {name}" for name in names]
    notes = capsys.readouterr().err.splitlines()
    assert [note.split(": ")[2] for note in notes] == [f"mine, {name}" for name in names]


KINDS_OF_LAYERS = ("history", "activations", "geometry", "stragglers", "sets")  # whose stamps name layers


def renamed(value, names, key=None):
    """What a command says of numbered layers, with names in place of the numbers."""
    if isinstance(value, dict):
        of_new_format = value.get("kind") in KINDS_OF_LAYERS
        made = {
            re.sub(r"^layer(\d)$", lambda name: f"layer.{names[int(name[1])]}", name): renamed(
                item, names, name
            )
            for name, item in value.items()
        }
        return made | ({"format": 2} if of_new_format and "format" in value else {})
    if isinstance(value, list):
        return [renamed(item, names, key) for item in value]
    if key in ("layer", "layers") and type(value) is int:
        return names[value]
    if isinstance(value, str):
        in_words = {n: re.sub("(.*):mean", r"\1 (mean over positions)", name) for n, name in names.items()}
        called = in_words if key in ("texts", "notes") else names
        value = names[int(value)] if key == "shown" else value
        return re.sub(r"\blayer (\d)", lambda text: f"layer {called[int(text[1])]}", value)
    return value
