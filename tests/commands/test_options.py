"""What the options of all commands have in common: outputs replace no input, nor each other."""

import os

import pytest

from strag.cli import main
from tests.files.makers import complaint, dataset_file, history_file, images, stragglers_file
from tests.shell import files_in

READS = {  # every command that writes something else than it reads, with an input as its output
    "train": ["train", "d", "-o", "d"],
    "train --weights": ["train", "d", "-o", "out", "--weights", "d"],
    "train --without": ["train", "d", "--without", "s.json", "-o", "s.json"],
    "train --init": ["train", "d", "--init", "w", "-o", "w"],
    "train --model": ["train", "d", "--model", "net.py:make", "--layers", "0", "-o", "net.py"],
    "train --list-layers": ["train", "d", "--list-layers", "-o", "d"],
    "train --model --list-layers": ["train", "d", "--model", "net.py:make", "--list-layers", "-o", "net.py"],
    "dump": ["dump", "w", "d", "-o", "w"],
    "dump --model": ["dump", "w", "d", "--model", "net.py:make", "--layers", "0", "-o", "net.py"],
    "dump --list-layers": ["dump", "d", "--model", "net.py:make", "--list-layers", "-o", "net.py"],
    "linearity": ["linearity", "w", "d", "-o", "w"],
    "linearity --model": ["linearity", "w", "d", "--model", "net.py:make", "-o", "net.py"],
    "linearity --stragglers": ["linearity", "w", "d", "--stragglers", "s.json", "-o", "s.json"],
    "geometry": ["geometry", "a", "-o", "a"],
    "expansion": ["expansion", "w", "d", "-o", "w"],
    "expansion --model": ["expansion", "w", "d", "--model", "net.py:make", "-o", "net.py"],
    "expansion --stragglers": ["expansion", "w", "d", "--stragglers", "s.json", "-o", "s.json"],
    "find-stragglers": ["find-stragglers", "h", "-o", "h"],
    "find-stragglers --csv": ["find-stragglers", "h", "-o", "out", "--csv", "h"],
    "find-stragglers --reference": ["find-stragglers", "h", "--reference", "d", "-o", "d"],
    "sets": ["sets", "h", "-o", "h"],
    "prune": ["prune", "d", "s.json", "-o", "s.json"],
    "stability": ["stability", "h", "-o", "h"],
    "compare": ["compare", "s.json", "s.json", "-o", "s.json"],
    "summary": ["summary", "s.json", "-o", "s.json"],
    "plot": ["plot", "h", "-o", "h", "--format", "png"],
    "plot --reference": ["plot", "h", "--reference", "d", "-o", "d", "--format", "png"],
    "plot --data": ["plot", "s.json", "--data", "d", "-o", "d", "--format", "png"],
}
NETWORK = """
from torch import nn

def make(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(classes))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = images()
    dataset_file("d", data)
    stragglers_file(tmp_path / "s.json", data, [1, 2])
    history_file(tmp_path / "h")
    for name in ("w", "a"):
        (tmp_path / name).write_bytes(b"precious")
    (tmp_path / "net.py").write_text(NETWORK)
    return tmp_path


@pytest.mark.parametrize("arguments", READS.values(), ids=READS)
def test_an_input_is_not_overwritten(folder, capsys, arguments):
    before = {name: (folder / name).read_bytes() for name in files_in(folder)}
    complaint(capsys, 2, ["is read, and", "would overwrite it; choose another file name"], *arguments)
    assert {name: (folder / name).read_bytes() for name in files_in(folder)} == before


def test_nor_by_another_name_of_it(folder, capsys):
    os.symlink("d", "link")
    for name in ("link", "./d", str(folder / "d")):
        complaint(
            capsys, 2, f"{name}: is read, and -o would overwrite it", "prune", "d", "s.json", "-o", name
        )


def test_a_catalogue_name_is_no_file(folder):
    for _ in range(2):
        assert main(["data", "mnist8k", "--size", "8", "-o", "mnist8k", "-q"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "d", "-o", "x", "--weights", "./x"], "./x: both -o and --weights would write it"),
        (["train", "d", "--weights", "-"], "stdout: both -o and --weights would write it"),
        (["train", "d", "-o", "-", "--weights", "/dev/stdout"], "stdout: both -o and --weights"),
        (["find-stragglers", "h", "-o", "x", "--csv", "x"], "x: both -o and --csv would write it"),
        (["find-stragglers", "h", "--csv", "-"], "stdout: both -o and --csv would write it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_two_outputs_need_two_places(folder, capsys, arguments, words):
    before = files_in(folder)
    complaint(capsys, 2, [words, "use two files"], *arguments)
    assert files_in(folder) == before


def test_a_device_takes_two_outputs(folder):
    """What goes to /dev/null is lost anyway."""
    options = ["--csv", "/dev/null", "--at", "3", "-q"]
    assert main(["find-stragglers", "h", "-o", "/dev/null", *options]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sets", "h", "--dose", "", "-o", "x"], "'--dose': cannot read ''"),
        (["sets", "h", "--controls", "", "-o", "x"], "'--controls': no control ''"),
        (["sets", "h", "--dose", ""], "'--dose': cannot read ''"),
        (["data", "d", "--classes", "", "-o", "x"], "'--classes': cannot read the classes ''"),
        (["train", "d", "--layers", "", "-o", "x"], "'--layers': cannot read ''"),
        (["find-stragglers", "h", "--observable", "", "-o", "x"], "'--observable': no observable ''"),
        (["find-stragglers", "h", "--csv", ""], "the name of an output is empty"),
        (["data", "d", "--labels", "", "-o", "x"], "'--labels': cannot read ''"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_empty_value_is_not_taken_for_none(folder, capsys, arguments, words):
    """It is what a shell makes of a variable that is not set."""
    before = files_in(folder)
    complaint(capsys, 2, words, *arguments)
    assert files_in(folder) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["info", "a\nb\x1b"], "strag: a\\nb\\x1b: no such file"),
        (["train", "d", "--layers", "a\nb"], "cannot read --layers 'a\\nb'; pass layers"),
        (["data", "d", "-o", "no\n/x"], "no\\n/x: cannot be written: no folder"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_name_of_several_lines_makes_one(folder, capsys, arguments, words):
    complaint(capsys, 1 if arguments[0] != "train" else 2, words, *arguments)


@pytest.mark.parametrize("command", [["train"], ["data"], ["prune"], ["plot", "s.json", "--data"]])
def test_a_data_set_without_a_name_is_not_the_folder(folder, capsys, command):
    end = ["s.json"] if command == ["prune"] else []
    complaint(capsys, 1, "strag: '': no such file or catalogue name", *command, "", *end, "-o", "x.png")
    complaint(capsys, 1, "strag: '': no such file", "data", "d", "", "-o", "x")
    assert "x" not in files_in(folder)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "d", "--batch-size", "9" * 30], "'--batch-size': 9"),
        (["train", "d", "--record-every", "²"], "'--record-every': cannot read '²'"),
        (["train", "d", "--test-every", "9" * 5000], "'--test-every': cannot read '9"),
        (["data", "d", "--labels", "9" * 5000], "'--labels': labels make 1 group"),
        (["data", "d", "--labels", "9" * 5000 + "/1"], "d: cannot read --labels '9"),
        (["train", "d", "--layers", "²"], "cannot read --layers '²'; pass layers such as 1, or all"),
        (["find-stragglers", "h", "--at", "9" * 30], "'--at': cannot read '9"),
        (["find-stragglers", "h", "--layer", "9" * 5000], "h: has no layer 99999"),
        (["sets", "h", "--layer", "all"], "'all' is not a layer"),
        (["find-stragglers", "h", "--observable", "radius:²"], "has no class '²'"),
        (["info", "h", "--get", "runs." + "9" * 5000], "has no item '9"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_numbers_that_are_none(folder, capsys, arguments, words):
    before = files_in(folder)
    output = [] if arguments[0] == "info" else ["-o", "x"]
    complaint(capsys, 2, words, *arguments, *output)
    assert files_in(folder) == before
