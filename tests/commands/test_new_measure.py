"""A new measure is a file of its own and an entry in MEASURES: every command knows it then."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import strag as strag_package
from strag import kinds
from strag.files.dataset import write_dataset
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.files.makers import history_file, parts
from tests.shell import afresh as strag
from tests.shell import complains

pytestmark = pytest.mark.slow  # a copy of strag is loaded afresh for every command
FUNCTION = '''"""How long class means are."""

import numpy as np


def mean_norm(moments):
    return np.linalg.norm(moments.means(), axis=-1)
'''
ENTRY = """        Measure(
            "mean_norm",
            of="strag.geometry.mean_norm:mean_norm",
            axis="class",
            sign=-1,
            label="length of class means",
        ),
"""
END_OF_TABLE = "    )\n}\n# "


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a copy of strag to which the measure was added, and with what it trained."""
    folder = tmp_path_factory.mktemp("measure")
    copy = shutil.copytree(
        Path(strag_package.__file__).parent, folder / "strag", ignore=shutil.ignore_patterns("__pycache__")
    )
    table = copy / "geometry" / "measures.py"
    text = table.read_text()
    assert text.count(END_OF_TABLE) == 1
    table.write_text(text.replace(END_OF_TABLE, ENTRY + END_OF_TABLE))
    (copy / "geometry" / "mean_norm.py").write_text(FUNCTION)
    history_file(folder / "old")
    write_dataset(str(folder / "d"), made_up(P=300), {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        options = "--runs 2 --epochs 8 --lr 0.5 --depth 3 --layers all --width 6 --weights-at 0,8"
        for line in (
            f"train d {options} --weights w -q -o h",
            "dump w d --layers all -q -o a",
            "geometry a -q -o g.json",
        ):
            found = strag(*line.split(), cwd=folder)
            assert found.returncode == 0, found.stderr
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    monkeypatch.setenv("PYTHONPATH", str(made))
    return made


def test_training_records_it(folder):
    _, _, held = parts("h")
    assert held["mean_norm"].shape == (9, 2, 2, 2)
    assert strag("info", "h", "--get", "shapes.mean_norm").stdout == b"9\n2\n2\n2\n"
    # |m|^2 = mean |x|^2 - R^2
    expected = np.sqrt(held["mean_norm2"] - np.square(held["radius"]))
    np.testing.assert_allclose(held["mean_norm"], expected, atol=1e-3)


def test_without_the_entry_a_history_that_has_it_is_read_as_before(folder):
    assert sorted(kinds.read("h", "history").measures) == ["distance", "mean_norm2", "radius"]


def test_it_is_an_observable(folder):
    for name in ("mean_norm", "mean_norm:even"):
        found = strag("find-stragglers", "h", "--observable", name, "--any-verdict")
        assert found.returncode == 0, found.stderr
        assert json.loads(found.stdout)["strag"]["recipe"]["observable"] == name
    complains(strag("find-stragglers", "h", "--observable", "size"), 2, "separation, mean_norm or mean_norm:")
    assert b"mean_norm:CLASS" in strag("find-stragglers", "--help").stdout


def test_geometry_lists_it(folder):
    (*_, record) = json.loads(Path("g.json").read_text())["records"]
    assert record["mean_norm_mean"] == pytest.approx(np.mean(record["mean_norm"]))
    _, _, held = parts("h")
    np.testing.assert_allclose(record["mean_norm"], held["mean_norm"][8, 1, 1], atol=1e-5)
    status, _, text = at_terminal("stdout", "geometry", "a")
    assert status == 0
    assert "mean_norm" in text


def test_it_is_drawn_with_its_label(folder):
    found = strag("plot", "h", "--curves", "mean_norm,radius", "-q", "-o", "one.svg")
    assert found.returncode == 0, found.stderr
    text = Path("one.svg").read_text()
    assert "length of class means" in text
    assert "mean or rms over classes" in text
    assert strag("plot", "h", "h", "--curves", "mean_norm", "-q", "-o", "two.svg").returncode == 0
    assert "(mean over classes)" in Path("two.svg").read_text()
    status, _, shown = at_terminal("stdout", "plot", "h", "--curves", "mean_norm")
    assert status == 0
    assert "length of class means" in shown


def test_a_history_of_before_lacks_it_and_says_so_when_it_is_asked_for(folder):
    assert strag("find-stragglers", "old", "--any-verdict").returncode == 0
    assert strag("plot", "old", "-q", "-o", "old.png").returncode == 0
    for line in ("find-stragglers old --observable mean_norm", "plot old --curves mean_norm -o no.png"):
        complains(strag(*line.split()), 1, "old: does not contain the measure 'mean_norm'; create it again")
