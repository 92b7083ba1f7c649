"""`strag train --list-layers`: the layers that can be measured, before any training."""

import json

import pytest

from strag.files.dataset import write_dataset
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.files.makers import complaint
from tests.networks import EXAMPLES
from tests.shell import files_in, in_this_process


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("--depth 3", [1, 2]),
        ("--depth 1", [0]),
        ("--model cnn --channels 2,3,4", ["conv1", "conv2", "conv3"]),
        (f"--model {EXAMPLES}:perceptron", ["flatten", "linear1", "act1", "head"]),
    ],
)
def test_train_lists_the_layers_of_its_networks(tmp_path, options, names):
    write_dataset(str(tmp_path / "d"), made_up(), {})
    in_this_process(f"strag train d --list-layers {options} -o l", tmp_path)
    listed = [json.loads(line) for line in (tmp_path / "l").read_text().splitlines()]
    assert [layer["name"] for layer in listed] == names
    assert {layer["calls"] for layer in listed} == {1}
    assert files_in(tmp_path) == ["d", "l"]


@pytest.mark.slow
def test_json_at_a_terminal_on_demand(tmp_path):
    write_dataset(str(tmp_path / "d"), made_up(), {})
    status, error, text = at_terminal("stdout", "train", str(tmp_path / "d"), "--list-layers", "--json")
    assert (status, error) == (0, "")
    assert [json.loads(line)["name"] for line in text.splitlines()] == [1]


def test_layers_to_measure_have_no_effect_on_the_list(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--layers contradicts --list-layers; remove --layers"]
    complaint(capsys, 2, words, "train", "mnist8k", "--list-layers", "--layers", "2")
