"""Networks whose layers have names: what train, dump, geometry and expansion make of them.

They are perceptrons, so that every number is known from the same perceptrons with numbered layers.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from safetensors.numpy import load_file

import strag
from strag import kinds
from strag.cli import main
from strag.files.dataset import write_dataset
from strag.training.architectures import ARCHITECTURES
from strag.training.perceptron import Perceptron
from tests.conftest import made_up
from tests.files.makers import complaint, parts

NUMBERS = {"input": 0, "act10": 1, "2": 2, "act.1:mean": 3}
TRAIN = {"runs": 2, "epochs": 8, "lr": 0.3, "layers": "all"}


@dataclass(frozen=True)
class Named(Perceptron):
    """Perceptrons of depth 4 whose hidden layers have names."""

    depth: int = 4

    input_layer = "input"

    @property
    def layers(self):
        return tuple(NUMBERS)[1:]

    def layer_named(self, text):
        return text.strip()

    def units(self, layer, ends):
        return super().units(NUMBERS[layer], ends)

    def networks(self, state, ends, columns, precision, device):
        networks = super().networks(state, ends, columns, precision, device)
        visit = networks.visit

        def visit_names(x, layers=(), learn=False):
            logits, hidden = visit(x, [NUMBERS[name] for name in layers], learn)
            return logits, {name: hidden[NUMBERS[name]] for name in layers}

        networks.visit = visit_names
        return networks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data `d`, and histories and weights of numbered layers (n) and of named ones (m)."""
    folder = tmp_path_factory.mktemp("named")
    write_dataset(str(folder / "d"), made_up(P=120), {})
    data = kinds.read(folder / "d")
    ARCHITECTURES["named"] = Named
    try:
        for letter, kind in (("n", Perceptron), ("m", Named)):
            files = {"output": folder / f"{letter}.h", "weights": folder / f"{letter}.w"}
            strag.train(
                data, strag.Recipe(architecture=kind(depth=4, width=6), **TRAIN), weights_at="0,4,8", **files
            )
        yield folder
    finally:
        del ARCHITECTURES["named"]


@pytest.fixture(autouse=True)
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)


def test_a_training_writes_names_and_the_numbers_of_the_same_networks():
    numbered, named = kinds.read("n.h"), kinds.read("m.h")
    assert named.layers == ("act10", "2", "act.1:mean") == tuple(named.recipe["layers"])
    assert [parts(f"{name}.h")[1]["format"] for name in "nm"] == [1, 2]
    for name, values in numbered.measures.items():
        np.testing.assert_array_equal(named.measures[name], values)
    np.testing.assert_array_equal(named.misclassified, numbered.misclassified)


@pytest.mark.parametrize("layers", ["all", "2", "act.1:mean,act10", "input,2"])
def test_a_dump_holds_the_same_activations_under_names(layers, tmp_path):
    numbers = ",".join(str(NUMBERS.get(name, name)) for name in layers.split(","))
    for letter, option in (("n", numbers), ("m", layers)):
        assert main(["dump", f"{letter}.w", "d", "--layers", option, "-q", "-o", str(tmp_path / letter)]) == 0
    numbered, named = (load_file(tmp_path / letter) for letter in "nm")
    stored = parts(tmp_path / "m")[1]["layers"]
    assert stored == [
        name for name in NUMBERS if name in layers.split(",") or (layers == "all" and name != "input")
    ]
    for name in stored:
        np.testing.assert_array_equal(named[f"layer.{name}"], numbered[f"layer{NUMBERS[name]}"])
    assert main(["geometry", str(tmp_path / "m"), "-q", "-o", str(tmp_path / "g.safetensors")]) == 0
    assert kinds.read(tmp_path / "g.safetensors").layers == tuple(stored)


@pytest.mark.parametrize("layer", ["act10", "2", "act.1:mean"])
def test_the_scores_of_a_named_layer_are_those_of_its_number(layer, tmp_path):
    for letter, option in (("n", str(NUMBERS[layer])), ("m", layer)):
        line = ["expansion", f"{letter}.w", "d", "--from", "0", "--layer", option, "-q"]
        assert main([*line, "-o", str(tmp_path / letter)]) == 0
    numbered, named = (load_file(tmp_path / letter) for letter in "nm")
    for name, values in numbered.items():
        np.testing.assert_array_equal(named[name], values)
    stamp = parts(tmp_path / "m")[1]
    assert (stamp["layers"], stamp["recipe"]["layer"], stamp["format"]) == ([layer], layer, 2)


def test_an_unknown_layer_lists_those_that_exist(capsys):
    known = "choose --layer from act10, 2, act.1:mean"
    expansion = ["expansion", "m.w", "d", "--from", "0", "-o", "x", "--layer"]
    complaint(capsys, 2, f"has no hidden layer act.1, but it has act.1:mean; {known}", *expansion, "act.1")
    complaint(capsys, 2, f"has no hidden layer 1; {known}", *expansion, "1")
    complaint(
        capsys, 2, ["act.1", "act10, 2, act.1:mean"], "dump", "m.w", "d", "-o", "x", "--layers", "act.1"
    )


@pytest.mark.parametrize("layers", ["-1", "1.5", "²", 50 * "9", "conv1", "1;2", "block.1.act:mean"])
def test_a_perceptron_has_only_numbers(layers, capsys):
    for line in (["dump", "n.w", "d"], ["train", "d", "--epochs", "1"]):
        text = complaint(capsys, 2, "--layers", *line, "-o", "x", f"--layers={layers}")
        assert layers[:20] in text


def test_stragglers_of_another_layer_are_reported(tmp_path, capsys):
    for letter in "nm":
        found = str(tmp_path / f"{letter}.json")
        assert main(["find-stragglers", f"{letter}.h", "--at", "4", "-q", "-o", found]) == 0
        line = ["expansion", f"{letter}.w", "d", "--from", "0", "--layer", "2", "--stragglers", found]
        assert main([*line, "-q", "-o", str(tmp_path / "x")]) == 0
    first, second = [line for line in capsys.readouterr().err.splitlines() if "was found" in line]
    assert "was found in layer 1, but layer 2 is measured" in first
    assert "was found in layer act10, but layer 2 is measured" in second
