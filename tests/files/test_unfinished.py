"""What a command was killed over says so, and only `info` takes it; a finished part has a warning."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.cli import main
from strag.errors import StragWarning
from strag.files.container import TensorWriter
from strag.files.describe import describe
from strag.files.header import header_of, unfinished_header
from strag.files.opening import open_file
from strag.files.stamp import stamp
from tests.files.makers import (
    complaint,
    dataset_file,
    forge,
    history_file,
    history_writer,
    images,
    parts,
    record,
    refused,
    stragglers_file,
)
from tests.shell import files_in

LAYOUT = {"x": (np.float32, (3, 2)), "y": (np.int64, (4,))}
KILLED = "is unfinished: the command that wrote it was killed"


def being_written(folder):
    (name,) = [name for name in files_in(folder) if name.startswith(".strag-")]
    return folder / name


def test_while_it_is_written_a_file_says_that_it_is_unfinished(tmp_path):
    meta = stamp("history", runs=[0, 1], title="t")
    with TensorWriter(tmp_path / "f", meta, LAYOUT) as writer:
        for value in range(3):
            writer.put("x", value, value)
            path = being_written(tmp_path)
            refused(lambda: open_file(path), KILLED, "run it again")  # noqa: B023
            refused(lambda: open_file(path, "history"), KILLED)  # noqa: B023
            refused(lambda: open_file(path), KILLED)  # noqa: B023
        with pytest.warns(StragWarning, match=KILLED):
            told = describe(open_file(path, unfinished=True))
        expected = {key: value for key, value in meta.items() if key != "version"} | {"unfinished": True}
        assert expected.items() <= told.items()
        assert told["shapes"] == {"x": [3, 2], "y": [4]}
        writer.commit()
    assert parts(tmp_path / "f")[1] == meta
    with open_file(tmp_path / "f") as container:
        np.testing.assert_array_equal(container.read("x")[:, 0], [0, 1, 2])


texts = st.text(max_size=8)
fields = st.dictionaries(texts, texts | st.integers() | st.lists(st.integers(), max_size=5) | st.none())


@given(fields=fields)
@settings(max_examples=100, deadline=None)
def test_it_says_so_in_as_many_bytes_whatever_the_stamp_holds(fields):
    fields = {key: value for key, value in fields.items() if key not in ("format", "kind", "version")}
    meta = stamp("history", **fields)
    header, _, _ = header_of(meta, LAYOUT)
    unfinished = unfinished_header(meta, LAYOUT, len(header))
    assert len(unfinished) == len(header)
    assert unfinished[:8] == header[:8]
    found = json.loads(json.loads(unfinished[8:])["__metadata__"]["strag"])
    assert found["unfinished"] is True


def test_where_that_finds_no_room_no_reader_takes_it(tmp_path):
    with TensorWriter(tmp_path / "f", {"kind": "history", "format": 1}, LAYOUT):
        refused(lambda: open_file(being_written(tmp_path), unfinished=True), "is not a strag file")


KILLS = """
import os, signal, sys
from tests.files.makers import history_writer, record
with history_writer("h") as writer:
    for update in range(7):
        writer.add(record(update))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_kill_9_nothing_passes_for_a_result(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    roots = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": roots}
    found = subprocess.run([sys.executable, "-c", KILLS], cwd=tmp_path, env=environment, check=False)
    assert found.returncode == -signal.SIGKILL
    left = being_written(tmp_path)
    assert files_in(tmp_path) == [left.name]
    for command in (["find-stragglers"], ["stability"], ["plot", "-o", "p.png"]):
        complaint(capfd, 1, f"{left.name}: {KILLED}; run it again", command[0], left.name, *command[1:])
    assert main(["info", left.name, "--get", "unfinished"]) == 0
    out, text = capfd.readouterr()
    assert (out, text) == ("true\n", f"strag: warning: {left.name}: {KILLED}\n")
    history_file(tmp_path / "h")  # the same command, again
    assert files_in(tmp_path) == ["h"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data set d, a history h and stragglers s, and of each an unfinished one: D, H, S."""
    monkeypatch.chdir(tmp_path)
    data = images()
    dataset_file(tmp_path / "d", data)
    history_file(tmp_path / "h")
    stragglers_file(tmp_path / "s", data, [1, 2])
    forge("d", "D", {"unfinished": True})
    forge("h", "H", {"unfinished": True})
    stragglers_file(tmp_path / "S", data, [1, 2], unfinished=True)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "data D -o out",
        "data D --size 4 -o out",
        "train D -o out",
        "train d --without S -o out",
        "prune D s -o out",
        "prune d S -o out",
        "find-stragglers H -o out",
        "sets H --at 6 -o out",
        "find-stragglers h --reference H -o out",
        "stability H -o out",
        "compare s S -o out",
        "summary S -o out",
        "plot H -o out.png",
        "plot h H -o out.png",
        "plot S -o out.png",
        "plot s --data D -o out.png",
    ],
)
def test_every_command_refuses_it(folder, capsys, command):
    before = files_in(folder)
    (name,) = [word for word in command.split() if word in ("D", "H", "S")]
    complaint(capsys, 1, f"{name}: {KILLED}; run it again", *command.split())
    assert files_in(folder) == before


@pytest.mark.parametrize("name", ["D", "H", "S"])
def test_info_shows_it_and_says_so(folder, capfd, name):
    assert main(["info", name]) == 0
    out, text = capfd.readouterr()
    assert text == f"strag: warning: {name}: {KILLED}\n"
    assert "unfinished     True" in out
    assert "identity" not in out


@pytest.mark.parametrize("told", [False, None])
def test_what_says_that_it_is_finished_is(folder, told):
    forge("h", "g", {"unfinished": told})
    assert main(["info", "g", "--get", "kind"]) == 0


def test_a_finished_part_is_taken_with_one_warning(folder, capfd):
    with history_writer("x") as writer:
        for update in range(10):
            writer.add(record(update))
        writer.commit_partial()
    told = "strag: warning: x.partial: is the finished part of a training, up to update 9\n"
    for command in (
        "find-stragglers x.partial --at 6 -q -o s.json",
        "sets x.partial --at 6 -q -o sets",
        "find-stragglers x.partial --reference x.partial --at 6 -q -o t.json",
        "stability x.partial -q -o a.json",
        "plot x.partial x.partial h -q -o p.png",
        "info x.partial --get interrupted",
    ):
        capfd.readouterr()
        assert main(command.split()) == 0, command
        assert capfd.readouterr().err.count(told) == 1, command


def test_a_part_whose_end_is_no_number(folder, capsys):
    forge("h", "p", {"interrupted": "here"})
    complaint(capsys, 1, "p: its 'interrupted' cannot be read", "find-stragglers", "p", "-o", "out")
