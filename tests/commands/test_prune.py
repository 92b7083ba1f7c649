"""strag prune: remove examples, or keep only them, and matched random controls."""

import os
from dataclasses import replace

import numpy as np
import pytest

from strag import kinds
from strag.cli import main
from strag.datasets.dataset import mean_and_std
from strag.datasets.transforms import Changes, changed
from tests.commands.terminal import at_terminal, fed
from tests.files.makers import complaint, dataset_file, history_file, images, parts, stragglers_file
from tests.shell import complains, files_in, shell, strag

SET = [3, 9, 10, 17]
REST = [i for i in range(24) if i not in SET]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in: a data set, its stragglers, and stragglers that do not suit it."""
    monkeypatch.chdir(tmp_path)
    data = images()
    dataset_file("data", data)
    dataset_file("pruned", data.rows(np.array(REST)))
    dataset_file("cut", changed(data, Changes(size=12, block=2)))
    history_file("history")
    stragglers_file(tmp_path / "set", data, SET)
    stragglers_file(tmp_path / "none", data, [])
    stragglers_file(tmp_path / "all", data, list(range(24)))
    stragglers_file(tmp_path / "of-cut", changed(data, Changes(size=12, block=2)), [0])
    stragglers_file(tmp_path / "of-nobody", data, [0], origin="f" * 64, command=None)
    stragglers_file(tmp_path / "beyond", data, [24])
    stragglers_file(tmp_path / "liar", data, [24], origin_size=99)
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("3 9 10 17\n")
    (tmp_path / "half").write_text((tmp_path / "set").read_text()[:-30])
    return tmp_path


def pruned(*arguments):
    assert main(["prune", *map(str, arguments), "-q", "-o", "out"]) == 0
    return kinds.read("out")


def test_what_is_removed_and_what_is_kept_make_the_whole(folder):
    np.testing.assert_array_equal(pruned("data", "set").index, REST)
    np.testing.assert_array_equal(pruned("data", "set", "--keep").index, SET)


@pytest.mark.parametrize("options", [[], ["--keep"], ["--random", 1], ["--random", 1, "--keep"]])
def test_origin_map_and_test_set_are_the_inputs(folder, options):
    data, found = images(), pruned("data", "set", *options)
    assert (found.origin, found.origin_size, found.command) == (data.origin, 24, data.command)
    np.testing.assert_array_equal(found.x, data.x[found.index])
    np.testing.assert_array_equal(found.y, data.y[found.index])
    np.testing.assert_array_equal(found.x_test, data.x_test)
    for kept, block in zip(found.standardisation(), mean_and_std(data.x), strict=True):
        np.testing.assert_array_equal(kept, block)


def test_in_two_steps_is_at_once(folder):
    stragglers_file(folder / "one", images(), [9])
    stragglers_file(folder / "three", images(), [3, 10, 17])
    once = pruned("data", "set").identity
    assert main(["prune", "data", "one", "-q", "-o", "first"]) == 0
    assert pruned("first", "three").identity == once


def test_a_class_that_is_removed_keeps_its_logit(tmp_path, monkeypatch):
    """Pruned and trained, or trained without: the same networks, of three logits, on two classes."""
    monkeypatch.chdir(tmp_path)
    data = images(P=30, Q=0)
    np.savez("x.npz", x=data.x, y=np.arange(30) % 3)
    assert main(["data", "x.npz", "-q", "-o", "data"]) == 0
    stragglers_file(tmp_path / "last", kinds.read("data"), list(range(2, 30, 3)))
    found = pruned("data", "last")
    assert (found.class_count, found.grouping.names) == (3, ("0", "1", "2"))
    assert found.identity == replace(found, class_count=0).identity
    options = ["--runs", "2", "--epochs", "5", "-q", "-o"]
    assert main(["train", "out", *options, "sliced"]) == 0
    assert main(["train", "data", "--without", "last", *options, "weighted"]) == 0
    sliced, weighted = kinds.read("sliced"), kinds.read("weighted")
    assert sliced.classes == weighted.classes
    for name in ("train_loss", "train_error"):
        np.testing.assert_allclose(getattr(sliced, name), getattr(weighted, name), atol=1e-6)
    for name in ("radius", "distance"):
        np.testing.assert_allclose(sliced.measures[name], weighted.measures[name], atol=1e-6)


@pytest.mark.parametrize("keep", [[], ["--keep"]])
def test_a_random_control_has_the_size_of_the_set_and_a_seed(folder, keep):
    found = {seed: tuple(pruned("data", "set", "--random", seed, *keep).index) for seed in range(8)}
    assert {len(rows) for rows in found.values()} == {4 if keep else 20}
    assert len(set(found.values())) > 1
    assert tuple(pruned("data", "set", "--random", 3, *keep).index) == found[3]


def test_a_matched_control_has_as_many_of_each_class(folder):
    classes = np.sort(images().y[SET])
    for seed in range(8):
        found = pruned("data", "set", "--random", seed, "--match", "class", "--keep")
        np.testing.assert_array_equal(np.sort(found.y), classes)


def test_pipes_are_the_same_as_files(folder):
    expected = pruned("data", "set").identity
    content, stragglers = (folder / "out").read_bytes(), (folder / "set").read_bytes()
    for result in (
        strag("prune", "data", "-q", stdin=stragglers, cwd=folder),
        strag("prune", "-", "set", "-q", stdin=(folder / "data").read_bytes(), cwd=folder),
        shell("strag prune <(cat data) <(cat set) -q", folder),
    ):
        assert (result.returncode, result.stderr, result.stdout) == (0, b"", content)
    assert expected != images().identity


def test_the_recipe_names_both_inputs_by_identity(folder):
    pruned("data", "set", "--random", 5, "--match", "class")
    _, meta, _ = parts("out")
    assert meta["recipe"] == {"keep": False, "random": 5, "match": "class"}
    assert meta["inputs"] == {
        "data": images().identity,
        "stragglers": kinds.read("set", "stragglers").identity,
    }


def test_an_empty_set_is_refused_unless_it_is_allowed(folder, capsys):
    np.testing.assert_array_equal(pruned("data", "none", "--allow-empty").x, images().x)
    capsys.readouterr()
    assert main(["prune", "data", "none", "--allow-empty", "-o", "out"]) == 0
    assert capsys.readouterr().err == "strag: data: removed 0 of 24 examples\n"
    for more in ([], ["--random", "1"]):
        complaint(capsys, 1, ["none: has no examples", "--allow-empty"], "prune", "data", "none", *more)


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ([], "removed 4"),
        (["--keep"], "kept 4"),
        (["--random", "1"], "removed 4"),
        (["--random", "1", "--keep"], "kept 4"),
    ],
)
def test_a_note_says_what_was_done(folder, capsys, options, note):
    assert main(["prune", "data", "set", *options, "-o", "out"]) == 0
    end = " at random" if "--random" in options else ""
    assert capsys.readouterr() == ("", f"strag: data: {note} of 24 examples{end}\n")


FIND = "make one with 'strag find-stragglers'"
CUT = "use the data set of 'strag data images.npz --size 12 --block 2'"
WRONG = {
    "no arguments": (2, [], ["missing argument 'DATA'", "see 'strag prune --help'"]),
    "no data": (
        1,
        ["nothere", "set"],
        ["nothere: no such file or catalogue name", "the catalogue has mnist8k"],
    ),
    "the wrong order": (
        2,
        ["set", "mnist8k"],
        ["mnist8k: is the name of a data set, not a file; the order is DATA STRAGGLERS"],
    ),
    "no stragglers": (1, ["data", "nothere"], ["nothere: no such file; check the path"]),
    "folders": (1, ["data", "."], [".: is a directory, not a file; name a file in it"]),
    "an empty file": (1, ["data", "empty"], ["empty: is empty"]),
    "a text": (1, ["data", "text"], ["text: is not a strag file", FIND]),
    "half a file": (1, ["data", "half"], ["half: is not complete JSON", "create or copy it again"]),
    "the two turned round": (1, ["set", "data"], ["data: is a dataset file, not a stragglers file", FIND]),
    "a history": (1, ["data", "history"], ["history: is a history file, not a stragglers file", FIND]),
    "a history as data": (
        1,
        ["history", "set"],
        ["history: is a history file, not a dataset file", "'strag data'"],
    ),
    "stragglers as data": (
        1,
        ["set", "set"],
        ["set: is a stragglers file, not a dataset file", "'strag data'"],
    ),
    "another origin": (
        1,
        ["data", "of-cut"],
        ["of-cut: has indices of another data set than 'data'", CUT],
    ),
    "an origin of nobody": (
        1,
        ["data", "of-nobody"],
        ["of-nobody: has indices", "use the data set in which they were found"],
    ),
    "data cut again": (
        1,
        ["cut", "set"],
        ["set: has indices of another", "use the data set of 'strag data images.npz'"],
    ),
    "pruned already": (
        1,
        ["pruned", "set"],
        ["pruned: lacks example 3 (4 of 4 are not in it)", "before they were"],
    ),
    "out of range": (1, ["data", "beyond"], ["beyond: 'indices' leaves the range", "strag find-stragglers"]),
    "a lying size": (1, ["data", "liar"], ["data: index 24 is out of range: the data set has 24 rows"]),
    "all removed": (1, ["data", "all"], ["data: no example would be left; prune a smaller set"]),
    "none kept": (
        1,
        ["data", "none", "--keep"],
        ["data: no example would be left; remove the set instead of keeping it"],
    ),
    "--match alone": (2, ["data", "set", "--match", "class"], ["--match needs --random; remove --match"]),
    "a match of what": (
        2,
        ["data", "set", "--random", "1", "--match", "size"],
        ["invalid value for '--match'"],
    ),
    "a negative seed": (2, ["data", "set", "--random", "-1"], ["invalid value for '--random'"]),
    "an unknown option": (2, ["data", "set", "--kep"], ["no such option '--kep'", "--keep"]),
    "one too many": (2, ["data", "set", "set"], ["unexpected extra argument (set)"]),
    "both from stdin": (2, ["-", "-"], ["DATA and STRAGGLERS cannot both be stdin"]),
    "stdin by default": (2, ["-"], ["DATA and STRAGGLERS cannot both be stdin"]),
    "a folder as output": (2, ["data", "set", "-o", "."], [".: is a directory; name a file in it"]),
    "below a file": (1, ["data", "set", "-o", "text/out"], ["text/out: cannot be written: Not a directory"]),
    "no folder": (1, ["nothere", "set", "-o", "no/out"], ["no/out: cannot be written: no folder"]),
}


@pytest.mark.parametrize(("status", "arguments", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_and_leaves_nothing(folder, capsys, status, arguments, words):
    before = files_in(folder)
    complaint(capsys, status, words, "prune", "-o", "out", *arguments)
    assert files_in(folder) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do not bind root")
def test_a_folder_that_is_read_only(folder, capsys):
    (folder / "locked").mkdir(0o500)
    complaint(
        capsys,
        1,
        "locked/out: cannot be written: Permission denied",
        "prune",
        "data",
        "set",
        "-o",
        "locked/out",
    )


def test_the_command_in_the_message_makes_the_right_data_set(folder, capsys, monkeypatch):
    np.savez("images.npz", x=images().x, y=images().y, x_test=images().x_test, y_test=images().y_test)
    text = complaint(capsys, 1, "strag data", "prune", "data", "of-cut", "-o", "out")
    command = text.split("'strag ")[1].split("'")[0]
    assert main([*command.split(), "-q", "-o", "right"]) == 0
    np.testing.assert_array_equal(pruned("right", "of-cut").index, range(1, 12))


def test_terminals_at_either_end(folder):
    status, text, shown = at_terminal("stdout", "prune", "nothere", "set")
    assert (status, shown) == (2, "")
    assert text == "strag: stdout: is a terminal; write to a file with -o FILE or into a pipe\n"
    status, text, _ = at_terminal("stdin", "prune", "data")
    assert (status, text) == (2, "strag: stdin: is a terminal; name a file or pipe one in\n")


def test_two_gigabytes_of_nothing_are_not_read(folder):
    status, text, given = fed(bytes(1 << 16), 2 << 30, "prune", "data")
    assert (status, text) == (1, f"strag: stdin: is not a strag file; {FIND}\n")
    assert given <= 1 << 20  # what a pipe holds


def test_a_pipe_that_brings_nothing(folder):
    complains(strag("prune", "data", cwd=folder), 1, "stdin: is empty", "did the command before it")
