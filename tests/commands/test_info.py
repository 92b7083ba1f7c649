"""strag info: what a file holds, and what made it."""

import json
import subprocess
import sys

import pytest

from strag.cli import main
from tests.commands.terminal import at_terminal, fed
from tests.files.makers import complaint, dataset_file, forge, history_file, images, stragglers_file
from tests.shell import complains, shell, strag


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset_file("data")
    history_file("history")
    stragglers_file(tmp_path / "stragglers", images(), [1, 4, 9])
    forge("data", "newer", {"format": 3})
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("x,y\n")
    (tmp_path / "short").write_bytes((tmp_path / "data").read_bytes()[:-1])
    (tmp_path / "long").write_bytes((tmp_path / "data").read_bytes() + b"\n")
    (tmp_path / "half").write_text('{"strag": {"format": 1, "kind": "stragglers"}')
    (tmp_path / "other").write_text('{"a": 1}')
    (tmp_path / "bare").write_text('{"strag": {"format": 1, "kind": "stragglers"}}')
    return tmp_path


def shown(capfd, *arguments):
    """What `strag info ARGUMENTS` writes to stdout."""
    assert main(["info", *map(str, arguments)]) == 0
    out, text = capfd.readouterr()
    assert text == ""
    return out


@pytest.mark.parametrize("name", ["data", "history", "stragglers", "bare"])
def test_the_first_line_is_name_and_kind(folder, capfd, name):
    first = shown(capfd, name).splitlines()[0]
    kind = {"data": "dataset", "bare": "stragglers"}.get(name, name)
    assert first.startswith(f"{name}: {kind}, format 1, strag ")


def test_a_line_per_key_and_tensor(folder, capfd):
    lines = [line.split() for line in shown(capfd, "data").splitlines()]
    assert ["labels", "parity"] in lines
    assert ["classes", "even,", "odd"] in lines
    assert ["identity", images().identity] in lines
    assert ["x", "U8", "[24,", "2,", "3]"] in lines
    assert ["y_test", "I64", "[5]"] in lines


def test_of_many_checkpoints_the_first_and_last_are_shown(folder, capfd):
    many = {str(update): f"sha{update}" for update in (0, 10, 100, 20)}
    forge("data", "series", {"inputs": {"checkpoints": many, "data": "d"}})
    line = "  inputs         checkpoints 0 sha0, ..., 100 sha100 (4), data d"
    assert line in shown(capfd, "series").splitlines()
    assert json.loads(shown(capfd, "series", "--json"))["inputs"]["checkpoints"] == many
    forge("data", "few", {"inputs": {"checkpoints": {"0": "sha0", "10": "sha10"}}})
    assert "  inputs         checkpoints 0 sha0, 10 sha10" in shown(capfd, "few").splitlines()


@pytest.mark.parametrize("name", ["data", "history", "stragglers"])
def test_get_finds_what_json_shows(folder, capfd, name):
    told = json.loads(shown(capfd, name, "--json"))
    assert told["format"] == 1
    for key, value in told.items():
        bare = shown(capfd, name, "--get", key)
        if isinstance(value, str):
            assert bare == f"{value}\n"
        elif not isinstance(value, list):
            assert json.loads(bare) == value


@pytest.mark.parametrize(
    ("name", "key", "text"),
    [
        ("data", "kind", "dataset\n"),
        ("data", "shapes.x", "24\n2\n3\n"),
        ("data", "shapes.x.0", "24\n"),
        ("data", "class_names", "null\n"),
        ("data", "classes", "even\nodd\n"),
        ("data", "dtypes.x", "U8\n"),
        ("history", "recipe.lr", "0.1\n"),
        ("history", "runs", "0\n1\n"),
        ("history", "recipe", '{"lr": 0.1, "optimizer": "sgd"}\n'),
        ("stragglers", "summary.train_error_mean", "0.09\n"),
        ("stragglers", "indices", "1\n4\n9\n"),
        ("stragglers", "verdict", "inversion\n"),
    ],
)
def test_bare_values_for_scripts(folder, capfd, name, key, text):
    assert shown(capfd, name, "--get", key) == text


@pytest.mark.parametrize("name", ["data", "stragglers"])
def test_stdin_is_the_default_and_the_same_as_a_file(folder, capfd, name):
    content = (folder / name).read_bytes()
    expected = shown(capfd, name, "--json").encode()
    for result in (
        strag("info", "--json", stdin=content),
        strag("info", "-", "--json", stdin=content),
        shell(f"strag info --json < {name}", folder),
        shell(f"strag info --json <(cat {name})", folder),
    ):
        assert (result.returncode, result.stdout, result.stderr) == (0, expected, b"")


def test_stdin_may_be_a_file_read_in_part_already(folder):
    (folder / "joined").write_bytes(bytes(100) + (folder / "data").read_bytes())
    with open(folder / "joined", "rb", buffering=0) as stream:
        stream.seek(100)
        command = [sys.executable, "-m", "strag", "info", "--get", "kind"]
        result = subprocess.run(command, stdin=stream, capture_output=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"dataset\n", b"")


def test_a_name_that_is_no_unicode(folder):
    result = shell("mv data $'\\xff'; strag info $'\\xff'", folder)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.startswith(b"\\udcff: dataset")


WRONG = {
    "no such file": (1, ["nothere"], ["nothere: no such file; check the path"]),
    "a catalogue name": (2, ["mnist8k"], ["mnist8k: is the name of a data set", "strag data mnist8k"]),
    "an empty name": (1, [""], ["'': no such file; check the path"]),
    "a folder": (1, ["."], [".: is a directory, not a file; name a file in it"]),
    "below a file": (1, ["text/x"], ["text/x: cannot be read: Not a directory"]),
    "an empty file": (1, ["empty"], ["empty: is empty"]),
    "a text": (1, ["text"], ["text: is not a strag file"]),
    "cut short": (1, ["short"], ["short: is cut short", "create or copy it again"]),
    "with a tail": (1, ["long"], ["long: has bytes after its end", "create or copy it again"]),
    "half a JSON": (1, ["half"], ["half: is not complete JSON (at line 1)", "create or copy it again"]),
    "another JSON": (1, ["other"], ["other: is not a strag file"]),
    "a newer format": (
        1,
        ["newer"],
        ["newer: has format 3, but this strag reads formats up to 2", "upgrade strag"],
    ),
    "two files": (2, ["data", "history"], ["unexpected extra argument (history)", "see 'strag info --help'"]),
    "an unknown option": (2, ["data", "--gte", "kind"], ["no such option '--gte'", "--get"]),
    "no key": (2, ["data", "--get"], ["option '--get' requires an argument"]),
    "a missing key": (2, ["data", "--get", "recipe.lr"], ["data: has no key 'lr' in 'recipe'"]),
    "an item too far": (2, ["data", "--get", "classes.2"], ["data: has no item '2' in 'classes'", "2 items"]),
    "below a value": (2, ["data", "--get", "kind.of"], ["data: has nothing below 'kind'"]),
}


@pytest.mark.parametrize(("status", "arguments", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said(folder, capsys, status, arguments, words):
    complaint(capsys, status, words, "info", *arguments)


def test_no_arguments_at_a_terminal(folder):
    status, text, shown = at_terminal("stdin", "info")
    assert (status, text) == (2, "strag: stdin: is a terminal; name a file or pipe one in\n")
    assert shown == ""


def test_at_a_terminal_it_is_text_all_the_same(folder):
    status, text, shown = at_terminal("stdout", "info", "data", "--get", "kind")
    assert (status, text, shown) == (0, "", "dataset\r\n")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_at_a_terminal_lines_wrap_between_words(folder, monkeypatch, columns):
    names, recipe = [f"a class {n}" for n in range(9)], {f"option_{n}": n for n in range(40)}
    forge("history", "much", {"recipe": recipe, "class_names": names, "title": "x" * 90})
    monkeypatch.setenv("COLUMNS", str(columns))
    status, text, shown = at_terminal("stdout", "info", "much")
    assert (status, text) == (0, "")
    whole = shell("strag info much", folder).stdout.decode()
    lines = shown.replace("\r", "").splitlines()
    assert " ".join(shown.split()) == " ".join(whole.split())  # nothing is cut, nothing broken
    assert all(len(line) <= columns for line in lines if len(line.split()) > 1)
    start = next(at for at, line in enumerate(lines) if line.startswith("  recipe"))
    assert lines[start].startswith("  recipe         option_0 0,")
    assert lines[start + 1].startswith(" " * 17 + "option_")
    at = lines.index(next(line for line in lines if line.startswith("  origin")))
    assert lines[at + 1].startswith("  ")


def test_in_a_pipe_every_line_is_whole(folder):
    forge("history", "much", {"recipe": {f"option_{n}": n for n in range(40)}})
    lines = shell("strag info much | cat", folder).stdout.decode().splitlines()
    assert max(map(len, lines)) > 400
    assert all(line.startswith("  ") and not line.startswith("   ") for line in lines[1:])


def test_no_arguments_and_nothing_on_stdin(folder):
    complains(strag("info"), 1, "stdin: is empty", "did the command before it in the pipe fail?")


@pytest.mark.parametrize("byte", [b"\0", b"x"])
def test_two_gigabytes_of_nothing_are_not_read(folder, byte):
    status, text, given = fed(byte * (1 << 16), 2 << 30, "info")
    assert (status, text) == (1, "strag: stdin: is not a strag file; pass a file that strag wrote\n")
    assert given <= 1 << 20  # what a pipe holds


def test_a_closed_stdin_or_stdout(folder):
    complains(shell("strag info <&-", folder), 2, "stdin: is closed; name a file or pipe one in")
    complains(shell("strag info data >&-", folder), 2, "stdout: is closed")
    result = shell("strag data data -q -o out >&- && strag info out --get kind", folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"dataset\n", b"")
