"""strag data: import, subset, group labels."""

import json
import os
import struct
from dataclasses import replace

import numpy as np
import pytest

from strag import kinds
from strag.cli import main
from strag.datasets.names import Names
from strag.datasets.transforms import Changes, changed
from tests.commands.terminal import at_terminal, fed
from tests.files.makers import complaint, dataset_file, history_file, images, parts, stragglers_file
from tests.shell import complains, files_in, shell, strag


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with one file of many kinds."""
    monkeypatch.chdir(tmp_path)
    data = images()
    dataset_file("data", data)
    history_file("history")
    stragglers_file(tmp_path / "stragglers", data, [1])
    np.savez("arrays.npz", x=data.x, y=data.y, x_test=data.x_test, y_test=data.y_test)
    np.save("x.npy", data.x)
    np.save("y.npy", data.y)
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("x and y\n")
    (tmp_path / "nothing").mkdir()
    return tmp_path


def test_a_dataset_passes_through_unchanged(folder):
    assert main(["data", "data", "-q", "-o", "copy"]) == 0
    assert kinds.read("copy").tensors.keys() == images().tensors.keys()
    assert kinds.read("copy").origin == images().origin
    assert main(["data", "copy", "--labels", "parity", "-q", "-o", "copy"]) == 0  # in its own place
    assert kinds.read("copy").tensors.keys() == images().tensors.keys()


def test_stdin_and_stdout_are_the_same_as_files(folder):
    assert main(["data", "data", "--size", "9", "-q", "-o", "cut"]) == 0
    content = (folder / "cut").read_bytes()
    for result in (
        strag("data", "data", "--size", 9, "-q", cwd=folder),
        strag("data", "-", "--size", 9, "-q", stdin=(folder / "data").read_bytes(), cwd=folder),
        shell("strag data <(cat data) --size 9 -q", folder),
        shell("strag data - --size 9 -q < data -o >(cat); wait $!", folder),
    ):
        assert (result.returncode, result.stderr, result.stdout) == (0, b"", content)


@pytest.mark.parametrize("sources", [["arrays.npz"], ["x.npy", "y.npy"], ["data"]])
def test_every_source_gives_the_same_examples(folder, sources):
    assert main(["data", *sources, "--labels", "0-1/2-3", "-q", "-o", "out"]) == 0
    found = kinds.read("out")
    np.testing.assert_array_equal(found.x, images().x)
    np.testing.assert_array_equal(found.y, images().y)
    assert found.grouping.names == ("0-1", "2-3")


def test_labels_change_the_groups_and_nothing_else(folder):
    assert main(["data", "data", "--labels", "classes", "-q", "-o", "out"]) == 0
    found = kinds.read("out")
    assert (found.identity, found.origin) == (images().identity, images().origin)
    np.testing.assert_array_equal(found.groups, images().y)


def test_size_block_and_shuffle(folder):
    assert main(["data", "data", "--size", "5", "--block", "2", "--shuffle", "3", "-q", "-o", "out"]) == 0
    expected = changed(images(), Changes(size=5, block=2, shuffle=3))
    found = kinds.read("out")
    assert (found.origin, found.origin_size, found.command) == (expected.origin, 5, expected.command)


def test_the_recipe_holds_options_and_identities_but_no_path(folder):
    assert main(["data", "data", "--size", "5", "-q", "-o", "out"]) == 0
    _, meta, _ = parts("out")
    given = {key: value for key, value in meta["recipe"].items() if value not in (None, False)}
    assert given == {"size": 5, "labels": "parity"}
    assert meta["inputs"] == {"data": images().identity}
    assert str(folder) not in str(meta)


def test_a_note_says_what_was_made_and_quiet_does_not(folder, capsys):
    note = "strag: images: 5 examples of 2 x 3, 2 groups, 5 test examples\n"
    note += "strag: images: examples per class: 0: 2, 1: 1, 2: 1, 3: 1\n"
    assert main(["data", "data", "--size", "5", "-o", "out"]) == 0
    assert capsys.readouterr() == ("", note)
    assert main(["data", "data", "--size", "5", "-o", "out", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


WRONG = {
    "no arguments": (2, ["data"], ["missing argument 'SOURCE...'", "see 'strag data --help'"]),
    "no such file": (
        1,
        ["data", "nothere"],
        ["nothere: no such file or catalogue name", "the catalogue has mnist8k"],
    ),
    "one of two missing": (1, ["data", "x.npy", "nothere"], ["nothere: no such file; check the path"]),
    "a folder without IDX files": (
        1,
        ["data", "nothing"],
        ["nothing: holds no IDX files", "provide train-images"],
    ),
    "an empty file": (1, ["data", "empty"], ["empty: is empty"]),
    "a text": (
        1,
        ["data", "text"],
        ["text: is not a type of file that strag can import", "pass a folder (IDX, CIFAR, arrays, images)"],
    ),
    "a history": (1, ["data", "history"], ["history: is a history file, not a dataset file", "'strag data'"]),
    "stragglers": (
        1,
        ["data", "stragglers"],
        ["stragglers: is a stragglers file, not a dataset file", "'strag data'"],
    ),
    "one array": (2, ["data", "x.npy"], ["x.npy: holds only one array", "strag data x.npy LABELS"]),
    "three files": (2, ["data", "x.npy", "y.npy", "x.npy"], ["3 files are given, not 2 or 4"]),
    "labels for examples": (2, ["data", "y.npy", "y.npy"], ["y.npy: the files' names contradict each other"]),
    "an unknown option": (
        2,
        ["data", "data", "--sise", "3"],
        ["no such option '--sise'", "--size", "data --help"],
    ),
    "a size of none": (2, ["data", "data", "--size", "0"], ["invalid value for '--size'"]),
    "a size that is no number": (
        2,
        ["data", "data", "--size", "all"],
        ["'--size': 'all' is not a whole number; see 'strag data --help'"],
    ),
    "a size too large": (2, ["data", "data", "--size", "25"], ["data: --size 25 is not possible", "1 to 24"]),
    "a block without size": (2, ["data", "data", "--block", "2"], ["--block needs --size", "use --size"]),
    "a block too far": (
        2,
        ["data", "data", "--size", "9", "--block", "3"],
        ["no block 3 of size 9", "1 to 2"],
    ),
    "a negative seed": (2, ["data", "data", "--shuffle", "-1"], ["invalid value for '--shuffle'"]),
    "labels in no words": (
        2,
        ["data", "data", "--labels", "odd"],
        ["'--labels': labels make 1 group, not 2 to"],
    ),
    "groups of no class": (
        2,
        ["data", "data", "--labels", "odd/1"],
        ["data: cannot read --labels 'odd/1': no class"],
    ),
    "classes in no words": (
        2,
        ["data", "data", "--classes", "0/1"],
        ["'--classes': cannot read the classes '0/1'; use a list such as 3,8 or cat,dog"],
    ),
    "labels that forget one": (
        2,
        ["data", "data", "--labels", "0/1"],
        ["class 2 is in no group", "--labels"],
    ),
    "one group": (
        2,
        ["data", "data", "--labels", "0-3"],
        ["'--labels': labels make 1 group, not 2 to 4096; use parity,"],
    ),
    "labels beyond the classes": (
        2,
        ["data", "data", "--labels", "0-1/2-9"],
        ["has no class 2-9 (in --labels '0-1/2-9'); use its classes: 0, 1, 2, 3"],
    ),
    "a seed for nothing": (2, ["data", "data", "--seed", "1"], ["--seed needs --hold-out or --flip-labels"]),
    "a held-out share beside a test set": (
        2,
        ["data", "data", "--hold-out", "0.1"],
        ["has a test set already"],
    ),
    "all held out": (2, ["data", "data", "--hold-out", "1"], ["invalid value for '--hold-out'"]),
    "no label flipped": (2, ["data", "data", "--flip-labels", "0.01"], ["flips none of 24 examples"]),
    "a second test set": (2, ["data", "data", "--test", "data"], ["data: has a test set already"]),
    "a shape of other size": (2, ["data", "data", "--shape", "5"], ["have 6 inputs, but --shape 5 has 5"]),
    "a shape in no words": (2, ["data", "data", "--shape", "28by28"], ["'28by28' is not a size"]),
    "one length for two": (
        2,
        ["data", "data", "--resize", "28"],
        ["'28' is not a size; write it like 28x28"],
    ),
    "a column of what is no table": (
        2,
        ["data", "x.npy", "y.npy", "--label-column", "y"],
        ["x.npy: does not use --label-column; remove --label-column"],
    ),
    "a background of a dataset": (
        2,
        ["data", "data", "--background", "3"],
        ["data: does not use --background"],
    ),
    "classes that are not there": (
        2,
        ["data", "data", "--classes", "3,9"],
        ["has no class 9 (in --classes '3,9'); use its classes: 0, 1, 2, 3"],
    ),
    "grey without colours": (
        1,
        ["data", "data", "--gray"],
        ["data: examples of shape [2, 3] have no colours"],
    ),
}


@pytest.mark.parametrize(("status", "arguments", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_and_leaves_nothing(folder, capsys, status, arguments, words):
    before = files_in(folder)
    complaint(capsys, status, words, *arguments, *([] if arguments == ["data"] else ["-o", "out"]))
    assert files_in(folder) == before


@pytest.mark.parametrize(
    ("status", "output", "words"),
    [
        (2, "nothing", "nothing: is a directory; name a file in it"),
        (1, "text/out", "text/out: cannot be written: Not a directory"),
        (1, "nowhere/out", "nowhere/out: cannot be written: no folder"),
        (2, "", "the name of an output is empty; name a file"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_input_is_read(
    folder, capsys, status, output, words
):
    complaint(capsys, status, words, "data", "nothere", "-o", output)


@pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do not bind root")
def test_a_folder_that_is_read_only(folder, capsys):
    (folder / "nothing").chmod(0o500)
    complaint(
        capsys, 1, "nothing/out: cannot be written: Permission denied", "data", "data", "-o", "nothing/out"
    )


def test_a_reader_of_a_fifo_that_leaves_early_is_no_failure(folder):
    dataset_file("large", images(P=40_000))
    result = shell(
        "mkfifo pipe; head -c 9 pipe & strag data large -q -o pipe; status=$?; wait; exit $status", folder
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert (len(result.stdout), result.stdout[8:]) == (9, b"{")


def test_a_failure_keeps_the_old_output(folder, capsys):
    (folder / "out").write_bytes(b"old")
    complaint(capsys, 1, "have no colours", "data", "data", "--gray", "-o", "out")
    assert (folder / "out").read_bytes() == b"old"


def test_a_terminal_is_no_place_for_binary_data(folder):
    status, text, shown = at_terminal("stdout", "data", "nothere")
    assert text == "strag: stdout: is a terminal; write to a file with -o FILE or into a pipe\n"
    assert (status, shown) == (2, "")


def test_nobody_types_a_dataset(folder):
    status, text, _ = at_terminal("stdin", "data", "-")
    assert (status, text) == (2, "strag: stdin: is a terminal; name a file or pipe one in\n")


def test_two_gigabytes_of_nothing_are_not_read(folder):
    status, text, given = fed(bytes(1 << 16), 2 << 30, "data", "-")
    cure = "make one with 'strag data FILE', from images, arrays, tables and more"
    assert (status, text) == (1, f"strag: stdin: is not a strag file; {cure}\n")
    assert given <= 1 << 20  # what a pipe holds


def test_a_dataset_with_more_behind_it_is_not_read_to_the_end(folder):
    content = (folder / "data").read_bytes()
    assert len(content) < 4000
    status, text, given = fed(content + bytes((1 << 16) - len(content)), 2 << 30, "data", "-")
    assert status == 1
    assert text.startswith(f"strag: stdin: has bytes after its end at {len(content)} bytes")
    assert given <= 4 << 20


def test_a_pipe_that_breaks_off(folder):
    content = (folder / "data").read_bytes()
    complains(
        strag("data", "-", stdin=content[:-9]),
        1,
        "stdin: is cut short",
        "did the command before it in the pipe fail?",
    )
    complains(
        strag("data", "-", stdin=b""), 1, "stdin: is empty", "did the command before it in the pipe fail?"
    )


def test_labels_alone_may_begin_like_a_strag_file(folder, capsys):
    """Byte 8 of a strag file is '{'; so it is of IDX labels whose first class is 123."""
    (folder / "labels").write_bytes(struct.pack(">HBBI", 0, 8, 1, 1) + b"{")
    complaint(capsys, 2, "labels: holds only one array", "data", "labels", "-o", "out")


@pytest.mark.parametrize("sources", [["arrays.npz"], ["x.npy", "y.npy"]])
def test_what_somebody_else_made_is_not_overwritten(folder, capsys, sources):
    os.symlink(sources[-1], "link")
    before = (folder / sources[-1]).read_bytes()
    for name in (sources[-1], "link"):
        complaint(capsys, 2, f"{name}: is read, and -o would overwrite it", "data", *sources, "-o", name)
    assert (folder / sources[-1]).read_bytes() == before


def test_a_file_named_like_the_catalogue_is_not_taken_and_that_is_said(folder, capsys):
    dataset_file("mnist8k")
    for arguments in (
        ["data", "mnist8k", "--size", "64", "-q", "-o", "out"],
        ["train", "mnist8k", "--runs", "1", "--epochs", "1", "-q", "-o", "out"],
    ):
        assert main(arguments) == 0
        told = capsys.readouterr().err
        assert told.startswith("strag: warning: mnist8k: using the data set of the catalogue")
        assert "'./mnist8k'" in told
        assert told.count("\n") == 1
    assert main(["data", "./mnist8k", "-q", "-o", "out"]) == 0
    assert capsys.readouterr().err == ""
    assert kinds.read("out").origin == images().origin


def test_names_pass_through_every_command(folder):
    named = images(names=Names.of([f"{i}.png" for i in range(24)]), y_true=images().y[::-1].copy())
    dataset_file("named", named)
    assert named.identity == images().identity
    assert main(["data", "named", "--shuffle", "1", "-q", "-o", "shuffled"]) == 0
    found = kinds.read("shuffled")
    order = np.random.default_rng(1).permutation(24)
    assert [found.names[row] for row in range(24)] == [f"{i}.png" for i in order]
    np.testing.assert_array_equal(found.y_true, named.y_true[order])
    stragglers_file(folder / "some", named, [1, 5])
    assert main(["prune", "named", "some", "-q", "-o", "pruned"]) == 0
    pruned = kinds.read("pruned")
    assert [pruned.names[row] for row in range(22)] == [f"{i}.png" for i in range(24) if i not in (1, 5)]
    np.testing.assert_array_equal(pruned.y_true, named.y_true[[i for i in range(24) if i not in (1, 5)]])


def test_older_stragglers_fit_a_data_set_that_has_names_since(folder):
    stragglers_file(folder / "old", images(), [1, 5])
    dataset_file("named", images(names=Names.of([f"{i}.png" for i in range(24)])))
    assert main(["prune", "named", "old", "-q", "-o", "pruned"]) == 0


def test_the_test_set_comes_from_another_source(folder, capsys):
    alone = images(Q=0)
    np.savez("train.npz", x=alone.x, y=alone.y)
    np.savez("test.npz", x=images().x_test, y=images().y_test)
    assert main(["data", "train.npz", "--test", "test.npz", "-o", "out"]) == 0
    found = kinds.read("out")
    np.testing.assert_array_equal(found.x_test, images().x_test)
    np.testing.assert_array_equal(found.y_test, images().y_test)
    assert found.command == "strag data train.npz --test test.npz"
    assert parts("out")[1]["inputs"].keys() == {"data", "test"}
    complaint(capsys, 2, "has a test set already", "data", "out", "--test", "test.npz", "-o", "more")
    both = ["data", "train.npz", "--test", "test.npz", "-o", "test.npz"]
    complaint(capsys, 2, "test.npz: is read, and -o would", *both)


def test_all_options_at_once_are_the_same_as_one_after_the_other(folder):
    everything = "--classes 0-2 --hold-out 0.25 --shuffle 3 --size 6 --block 2 --flip-labels 0.5 --seed 1"
    dataset_file("lone", images(Q=0))
    assert main(["data", "lone", *everything.split(), "-q", "-o", "once"]) == 0
    steps = "strag data lone --classes 0-2 -q | strag data - --hold-out 0.25 --seed 1 -q"
    steps += " | strag data - --shuffle 3 --size 6 --block 2 -q"
    steps += " | strag data - --flip-labels 0.5 --seed 1 -q -o many"
    assert shell(steps, folder).returncode == 0
    assert kinds.read("once").identity == kinds.read("many").identity


def test_the_examples_of_every_class_are_counted(folder, capsys):
    assert main(["data", "data", "--classes", "1,3", "-o", "out"]) == 0
    assert "strag: images: examples per class: 1: 6, 3: 6\n" in capsys.readouterr().err
    assert json.loads(strag("info", "out", "--get", "class_sizes", cwd=folder).stdout) == {"1": 6, "3": 6}
    many = np.repeat(np.arange(20), np.arange(1, 21))
    np.savez("many.npz", x=np.random.default_rng(0).random((len(many), 2)), y=many)
    assert main(["data", "many.npz", "-o", "out"]) == 0
    assert "examples per class: from 0: 1 to 19: 20, in 20 classes" in capsys.readouterr().err


def test_options_may_mean_something_to_the_test_set_alone(folder):
    rows = images(Q=0, class_names=("0", "1", "2", "3"))
    dataset_file("rows", replace(rows, x=rows.x.reshape(24, 6), origin=None))
    columns = ",".join("abcdef")
    told = [f"{','.join(map(str, x.reshape(-1)))},{y}" for x, y in zip(rows.x, rows.y, strict=True)]
    (folder / "t.csv").write_text("\n".join([f"{columns},kind", *told]))
    assert main(["data", "rows", "--test", "t.csv", "--label-column", "kind", "-q", "-o", "out"]) == 0
    np.testing.assert_array_equal(kinds.read("out").y_test, rows.y)


def test_a_test_table_may_have_one_class_and_its_errors_name_it(folder, capsys):
    (folder / "train.csv").write_text("a,b,kind\n1,2,x\n3,1,y\n5,4,x\n")
    table = ["data", "train.csv", "--label-column", "kind", "--test", "t.csv", "-q", "-o", "out"]
    (folder / "t.csv").write_text("a,b,kind\n1,2,y\n3,3,y\n")
    assert main(table) == 0
    assert kinds.read("out").y_test.tolist() == [1, 1]
    for text, words in (
        ("a,b,kind\n1,2,z\n", "t.csv: its class 'z' is not a class of the training set"),
        ("a,kind\n1,y\n", "t.csv: the test set lacks column 'b'"),
        ("a,b\n1,2\n", "t.csv: has no column 'kind'"),
    ):
        (folder / "t.csv").write_text(text)
        complaint(capsys, 1 if "column 'kind'" not in words else 2, words, *table)
    (folder / "train.csv").write_text("a,b,kind\n1,2,x\n3,1,x\n")
    complaint(capsys, 1, "train.csv: has only one class, 'x'; provide examples", *table[:4], "-o", "out")


def test_an_empty_file_of_another_program_holds_no_table(folder, capsys):
    for name, words in (
        ("zero.csv", "zero.csv: is empty; provide a table"),
        ("zero.npz", "zero.npz: "),
        ("zero.parquet", "zero.parquet: "),
        ("zero.npy", "zero.npy: "),
    ):
        (folder / name).touch()
        assert main(["data", name, "-o", "out"]) in (1, 2)
        said = capsys.readouterr().err
        assert words in said
        assert "is empty; create it again" not in said
        assert said.count("\n") == 1
    (folder / "zero.safetensors").touch()
    complaint(capsys, 1, "is empty; create it again", "data", "zero.safetensors", "-o", "out")


def test_a_strag_file_of_json_is_named_by_its_kind(folder, capsys):
    stragglers_file(folder / "s.json", images(), [1, 2])
    for command in (["data", "s.json"], ["train", "s.json"], ["find-stragglers", "s.json"]):
        wanted = "a history" if command[0] == "find-stragglers" else "a dataset"
        complaint(capsys, 1, f"s.json: is a stragglers file, not {wanted} file", *command, "-o", "out")
    (folder / "t.json").write_text('{"kind": "stragglers"}')
    complaint(capsys, 1, "t.json: is JSON, not a history file", "find-stragglers", "t.json", "-o", "out")


def test_classes_that_only_the_test_set_has_are_warned_of(folder, capsys):
    x = np.random.default_rng(0).random((6, 2))
    for test, words in (([0, 1], ""), ([0, 7], "class 7"), ([5, 7], "classes 5, 7")):
        np.savez("some.npz", x=x, y=[0, 1, 2, 0, 1, 2], x_test=x[:2], y_test=test)
        assert main(["data", "some.npz", "-q", "-o", "out"]) == 0
        told = f"strag: warning: some.npz: no training example has {words} of the test set\n"
        assert capsys.readouterr().err == (told if words else "")


def test_a_test_set_beside_the_training_examples_of_a_source_is_not_taken_and_that_is_said(folder, capsys):
    dataset_file("lone", images(Q=0))
    assert main(["data", "lone", "--test", "data", "-o", "out"]) == 0
    assert "strag: images: the training examples of images are the test set\n" in capsys.readouterr().err
    np.testing.assert_array_equal(kinds.read("out").y_test, images().y)


def test_a_block_of_one_class_is_warned_of(folder, capsys):
    np.savez("sorted.npz", x=images().x, y=np.sort(images().y))
    assert main(["data", "sorted.npz", "--size", "5", "-q", "-o", "out"]) == 0
    assert "warning: sorted: all examples have the class 0; if SOURCE is sorted" in capsys.readouterr().err
