"""Shell completion: files and data sets complete wherever a command reads or writes them."""

import os
import subprocess
import sys

import pytest
from click.shell_completion import BashComplete

from strag.cli import COMMANDS, group
from strag.commands.paths import CATALOGUE, DataPath, FilePath
from strag.datasets import catalogue

FILES = ("FILE", "HISTORY", "WEIGHTS", "STRAGGLERS", "DATA", "SOURCE", "LOGS")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("h.safetensors", "mine.npz", "mnist8k", "mnist", ".hidden", "two words", "m$x"):
        (tmp_path / name).touch()
    (tmp_path / "mnfolder").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(*words, of=""):
    """What completes `of` after these words: list of (type, value)."""
    found = BashComplete(group, {}, "strag", "_STRAG_COMPLETE").get_completions(list(words), of)
    return [(item.type, item.value) for item in found]


def test_the_names_are_those_of_the_catalogue():
    assert tuple(catalogue.CATALOGUE) == CATALOGUE


def holds_a_file(param):
    return (param.metavar or "").rstrip(".").strip("[]") in FILES or "FILE.py" in (param.metavar or "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_file_of_every_command_completes(name):
    params = group.get_command(None, name).params
    assert any(holds_a_file(param) for param in params)
    for param in params:
        assert isinstance(param.type, FilePath) == holds_a_file(param), param.name
        assert isinstance(param.type, DataPath) == any(
            word in (param.metavar or "") for word in ("DATA", "SOURCE")
        ), param.name


@pytest.mark.parametrize(
    ("words", "of"),
    [
        (["plot"], "h"),
        (["plot", "h", "-o"], ""),
        (["train", "mnist8k", "--without"], ""),
        (["find-stragglers", "h", "--csv"], "x"),
        (["dump"], "w"),
        (["train"], "x"),
        (["train"], "mnfolder/"),
        (["train"], "./mn"),
        (["prune", "mnist8k"], "s"),
    ],
)
def test_a_shell_is_asked_for_files(words, of, folder):
    assert completed(*words, of=of) == [("file", of)]


@pytest.mark.parametrize("words", [["train"], ["dump", "w"], ["prune"], ["plot", "s", "--data"]])
def test_names_of_the_catalogue_stand_before_the_files(words, folder):
    assert completed(*words, of="mn") == [("plain", name) for name in ("mnist8k", "mnist", "mnfolder/")]
    assert completed(*words) == [("file", "")]  # a shell quotes what needs it, and knows no catalogue
    for name in ("two words", "m$x"):
        (folder / name).unlink()
    everything = [value for _, value in completed(*words)]
    assert everything == [*CATALOGUE, "h.safetensors", "mine.npz", "mnfolder/"]


def test_commands_and_choices_still_complete():
    assert completed(of="su") == [("plain", "summary")]
    assert ("plain", "first-increase") in completed("find-stragglers", "--rule")


def test_it_is_quick(folder):
    """What completes has not loaded numpy, torch or matplotlib, for which nobody waits at a key."""
    script = (
        "import sys; from strag.cli import main\ntry: main([])\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    environment = {"_STRAG_COMPLETE": "bash_complete", "COMP_WORDS": "strag train mnist", "COMP_CWORD": "2"}
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "plain,mnist8k\nplain,mnist\n"
    assert not {"numpy", "torch", "matplotlib"} & set(result.stderr.split())


def test_the_advertised_line_is_understood_by_bash():
    line = next(text for text in group.epilog.splitlines() if "eval" in text).strip()
    script = f'strag() {{ "{sys.executable}" -m strag "$@"; }}\n{line}\ncomplete -p strag'
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "-F _strag_completion strag" in result.stdout
