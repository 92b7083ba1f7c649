"""strag geometry --measure: what it adds to every form of its output, what reads it, and what it refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import strag as strag_package
from strag import kinds
from strag.cli import main
from strag.files.dataset import write_dataset
from strag.geometry.measures import CHOICES, MEASURES
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.files.makers import complaint, forge, parts, refused

OF_TWO_GROUPS = [name for name in CHOICES if not name.startswith("nc2")]
STORED = [name for name in OF_TWO_GROUPS if not MEASURES[name].parts]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with data `d`, activations `a`, all measures in `g.safetensors`; `first` lacks the head."""
    folder = tmp_path_factory.mktemp("measure")
    write_dataset(str(folder / "d"), made_up(P=200), {})
    train = "--runs 2 --epochs 12 --lr 0.3 --width 5 --depth 3 --record-every log --weights-at log"
    for line in (
        f"train {folder}/d {train} --weights {folder}/w -q -o {folder}/h",
        f"dump {folder}/w {folder}/d --layers all -q -o {folder}/a",
        f"dump {folder}/w {folder}/d --layers 1 -q -o {folder}/first",
        f"geometry {folder}/a --measure all -q -o {folder}/g.safetensors",
    ):
        assert run(line) == 0
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def run(line):
    """Run a command of strag here: its exit status."""
    return main(line.split())


def records(*options):
    """What `strag geometry a` with options writes, and its records by update, run and layer."""
    assert run(f"geometry a {' '.join(options)} -q -o out.json") == 0
    found = json.loads(Path("out.json").read_text())
    return found, {(one["update"], one["run"], one["layer"]): one for one in found["records"]}


def test_json_gains_keys_and_nothing_else(folder):
    plain, before = records()
    found, after = records("--measure", "all")
    assert before.keys() == after.keys()
    for place, record in before.items():
        added = {name: value for name, value in after[place].items() if name not in record}
        assert {name: after[place][name] for name in record} == record
        assert set(added) >= set(OF_TWO_GROUPS) | {"participation_mean", "duplicates"}
        assert len(added["ncm"]) == 2
        assert (added["nc3"] is None) == (place[2] == 1)  # the head reads layer 2
    assert found["strag"].pop("measures") == OF_TWO_GROUPS
    assert found["strag"] == plain["strag"]


def test_one_measure_alone(folder):
    _, plain = records()
    found, some = records("--measure", "ncm", "--measure", "overlap")
    assert found["strag"]["measures"] == ["overlap", "ncm"]
    place = (12, 1, 2)
    assert set(some[place]) - set(plain[place]) == {"overlap", "ncm", "ncm_mean"}


def test_a_history_gains_tensors_that_are_those_of_the_json(folder):
    _, found = records("--measure", "all")
    assert run("geometry a -q -o plain.safetensors") == 0
    before, after = load_file("plain.safetensors"), load_file("g.safetensors")
    assert set(after) - set(before) == {*STORED, "duplicates"}
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values)
    history = kinds.read("g.safetensors", "history")
    for name in STORED:
        values = history.measure(name, 2)[-1, 1]
        np.testing.assert_allclose(values, found[12, 1, 2][name], rtol=1e-6, atol=1e-12, err_msg=name)
    assert history.meta["measures"] == OF_TWO_GROUPS


def test_the_table_has_columns_and_fits(folder):
    status, _, text = at_terminal("stdout", "geometry", "a", "--measure", "all")
    assert status == 0
    for name in OF_TWO_GROUPS:
        assert name in text
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines())) <= 80


def test_notes_say_what_is_left_out(folder, capsys):
    assert run("geometry a --measure all -o noted.json") == 0
    text = capsys.readouterr().err
    assert "strag: nc2_norms is left out: it needs 3 groups, and there are 2\n" in text
    assert "nc3 is left out" not in text
    assert run("geometry first --measure all -o noted.json") == 0
    assert "nc3 is left out: the activations are without the linear head" in capsys.readouterr().err


def test_a_long_computation_is_announced(folder, capsys, monkeypatch):
    monkeypatch.setattr("strag.views.geometry.seconds", lambda *_: 3725.0)
    assert run("geometry a --measure dimension -o long.json") == 0
    assert "the dimension takes about 1:02:05 (h:mm:ss); use --examples to make it" in capsys.readouterr().err


def test_a_sample_is_in_the_stamp(folder):
    found, few = records("--measure", "dimension", "--examples", "20")
    assert found["strag"]["dimension_examples"] == 20
    _, all_of_them = records("--measure", "dimension")
    assert few[12, 1, 2]["dimension"] != all_of_them[12, 1, 2]["dimension"]
    assert few[12, 1, 2]["radius"] == all_of_them[12, 1, 2]["radius"]
    assert records("--measure", "dimension", "--examples", "20")[1] == few


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a --measure size", "'size' is not one of 'radius_h', 'overlap'"),
        (
            "a --measure nc2_norms",
            "a: cannot measure nc2_norms: it needs 3 groups, and there are 2; use data",
        ),
        ("first --measure nc3", "first: cannot measure nc3: the activations are without the linear head"),
        ("a --examples 10", "--examples has no effect without the measure dimension"),
        ("a --measure ncm --examples 10", "--examples has no effect without the measure dimension"),
    ],
)
def test_what_cannot_be_measured_is_refused(folder, capsys, line, words):
    complaint(capsys, 2, [words], "geometry", *line.split())


def test_other_commands_use_the_measures(folder, capsys):
    for name in (*STORED, "overlap", "participation:even"):
        line = f"find-stragglers g.safetensors --layer 2 --observable {name} --any-verdict -q -o s.json"
        assert run(line) == 0, name
    assert run("plot g.safetensors --layer 2 --curves participation,dimension,nc1 -q -o p.svg") == 0
    text = Path("p.svg").read_text()
    assert "participation ratio" in text
    assert "intrinsic dimension" in text
    assert run("find-stragglers h --observable overlap --any-verdict -q -o s.json") == 0  # of any history
    words = ["g.safetensors: has no nc3 at update 0 in run 0; choose another --observable or --layer"]
    complaint(capsys, 1, words, "find-stragglers", "g.safetensors", "--observable", "nc3")
    words = ["h: does not contain the measure 'ncm'; measure ncm with 'strag geometry', which"]
    complaint(capsys, 1, words, "find-stragglers", "h", "--observable", "ncm")
    complaint(capsys, 1, words, "plot", "h", "--curves", "ncm", "-o", "no.svg")
    complaint(capsys, 2, ["separation, or a measure that"], "find-stragglers", "h", "--observable", "size")


def test_the_verb_does_what_the_command_does(folder):
    activations = strag_package.read("a")
    history = strag_package.measure(activations, measures="all")
    stored = kinds.read("g.safetensors", "history")
    for name, values in stored.measures.items():
        np.testing.assert_array_equal(history.measures[name], values)
    strag_package.measure(activations, measures=("ncm", "nc1"), output="v.json")
    assert run("geometry a --measure nc1 --measure ncm -q -o c.json") == 0
    assert Path("v.json").read_bytes() == Path("c.json").read_bytes()
    refused(lambda: strag_package.measure(activations, measures="size"), "cannot use 'size'", status=2)
    refused(lambda: strag_package.measure(activations, examples=2), "`examples`", "from 3", status=2)


def test_a_dump_has_the_head_of_its_networks(folder):
    _, meta, held = parts("a")
    _, _, weights = parts("w")
    assert meta["head"] == 2
    np.testing.assert_array_equal(held["head_weight"], weights["layer3.weight"])
    np.testing.assert_array_equal(held["head_bias"], weights["layer3.bias"])
    logits = np.einsum("urpn,urcn->urpc", held["layer2"], held["head_weight"])
    logits += held["head_bias"][:, :, None]
    np.testing.assert_array_equal(logits.argmax(axis=3), held["prediction"])
    _, meta, held = parts("first")
    assert "head" not in meta
    assert "head_weight" not in held
    forged = forge("a", "forged", {"head": 3})
    refused(lambda: kinds.read(forged), "has a linear head that does not fit its layers")


@pytest.mark.slow
def test_workers_change_no_byte(folder):
    for workers in (1, 2):
        assert run(f"geometry a --measure all --workers {workers} -q -o w{workers}.json") == 0
    assert Path("w1.json").read_bytes() == Path("w2.json").read_bytes()


def test_activations_of_another_program(folder, capsys):
    """Without predictions and without a head, of three groups."""
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    np.savez("mine.npz", y=labels, fc=random.normal(size=(60, 4)) + 9 * np.eye(3, 4)[labels])
    assert run("geometry mine.npz --measure all -o mine.json") == 0
    text = capsys.readouterr().err
    assert "nc3 is left out: the activations are without the linear head" in text
    assert "nc4 is left out: the activations are without predictions" in text
    found = json.loads(Path("mine.json").read_text())
    (record,) = found["records"]
    assert record["ncm_mean"] == 1
    assert record["nc2_norms"] < 0.1
    assert found["strag"]["measures"] == [name for name in CHOICES if name not in ("nc3", "nc4")]
    complaint(capsys, 2, "mine.npz: cannot measure nc4", "geometry", "mine.npz", "--measure", "nc4")
