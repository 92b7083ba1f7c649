"""import strag: lazy, named like the commands, and the same numbers and bytes as theirs."""

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import strag
from strag.cli import COMMANDS, main
from strag.files.dataset import write_dataset
from tests.conftest import made_up

CALLED_OTHERWISE = {"geometry": "measure", "summary": "summarise", "info": "read"}
VERBS = [name for name, place in strag._PLACES.items() if place.startswith("strag.api.")]


def test_nothing_is_loaded_before_it_is_used():
    script = "import sys, strag; dir(strag); print(sorted({'torch', 'numpy', 'click'} & sys.modules.keys()))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_there_is_a_function_for_every_command():
    names = {CALLED_OTHERWISE.get(name, name.replace("-", "_")) for name in COMMANDS}
    assert names == set(VERBS)


@pytest.mark.parametrize("name", strag.__all__)
def test_every_name_is_there_and_says_what_it_is(name):
    thing = getattr(strag, name)
    assert inspect.getdoc(thing)
    assert name in dir(strag)


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_says_its_parameters_and_what_it_gives(name):
    text = inspect.getdoc(getattr(strag, name))
    for part in ("Parameters\n---", "Returns\n---", "Raises StragError"):
        assert part in text, part


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("geometry", "; the function is strag.measure"),
        ("stragglers", "; the function is strag.find_stragglers"),
        ("summary", "; the function is strag.summarise"),
        ("summarize", "; the function is strag.summarise"),
        ("info", "; the function is strag.read"),
        ("trian", "'trian'. Did you mean: 'train'?"),
    ],
)
def test_another_word_for_a_function_names_it(name, words):
    result = subprocess.run([sys.executable, "-c", f"import strag; strag.{name}()"], capture_output=True)
    assert result.stderr.decode().count(words) == 1


def test_every_function_that_computes_can_write_its_file():
    writing = [name for name in VERBS if "output" in inspect.signature(getattr(strag, name)).parameters]
    assert set(VERBS) - set(writing) == {"read"}
    assert all(f"`{word}`" in strag.__doc__ for word in ("output", "read", "measure", "summarise"))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        strag.trian  # noqa: B018


@pytest.mark.parametrize("name", VERBS)
def test_the_examples_of_docstrings_run(name):
    verb = getattr(strag, name)
    (test,) = doctest.DocTestFinder(exclude_empty=False, recurse=False).find(verb, name, globs={})
    result = doctest.DocTestRunner().run(test)
    assert result.failed == 0
    assert result.attempted == verb.__doc__.count(">>>")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    write_dataset(str(folder / "d"), made_up(P=300, Q=60, overlap=2.0), {})
    return folder


def test_python_and_the_command_line_write_the_same_bytes(folder, monkeypatch):
    monkeypatch.chdir(folder)
    Path("f.csv").write_text("a,b,c\n" + "1,2,x\n3,1.5,y\n" * 5)
    np.savez("p.npz", predictions=np.arange(12).reshape(2, 6) % 2, labels=np.arange(6) // 3)
    train = "--runs 3 --epochs 12 --width 6 --lr 0.4 -q"
    for line in (
        f"train d {train} --weights w --weights-at 0,12 -o h",
        "find-stragglers h --at 6 -q -o s",
        "find-stragglers h --at 4 -q -o t",
        "sets h --at log:3 --controls class --seed 2 -q -o x",
        "prune d s -q -o p",
        "stability h -q -o y",
        "compare s t -q -o c",
        "summary s t -q -o m",
        "linearity w d --stragglers s -q -o l",
        "dump w d -q -o a",
        "expansion w d --from 0 --to last --stragglers s -q -o e",
        "geometry a -q -o g.safetensors",
        "geometry a -q -o g.json",
        "geometry a -q -o g",
        "data d --size 200 --block 1 --classes 0-2 --labels 0/1-2 --seed 4 --flip-labels 0.25 -q -o b",
        "data f.csv --label-column c --shuffle 3 --shape 2 -q -o k",
        "data mnist8k --size 20 --resize 14x14 -q -o n",
        "plot h -q -o h.png",
        "export h --stragglers s -q -o q.csv",
        "export s -q -o q.npz",
        "history p.npz --updates 1,3 -q -o r",
    ):
        assert main(line.split()) == 0, line
    data = strag.read("d")
    options = {"classes": "0-2", "labels": "0/1-2", "seed": 4, "flip_labels": 0.25}
    strag.data(data, size=200, block=1, **options, output="b2")
    strag.data("d", size=200, block=1, **options, output="b3")
    strag.data("f.csv", label_column="c", shuffle=3, shape=(2,), output="k2")
    strag.data("mnist8k", size=20, resize=(14, 14), output="n2")
    options = {"runs": 3, "epochs": 12, "width": 6, "lr": 0.4}
    history = strag.train(data, **options, output="h2", weights="w2", weights_at="0,12")
    stragglers = strag.find_stragglers(history, at=6, output="s2")
    others = strag.find_stragglers(history, at="4", output="t2")
    strag.sets(history, at="log:3", controls=("class",), seed=2, output="x2")
    strag.prune(data, stragglers, output="p2")
    strag.stability(history, output="y2")
    strag.compare([stragglers, others], labels=["s", "t"], output="c2")
    strag.summarise([stragglers, others], output="m2")
    with strag.read("w2") as weights:
        strag.linearity(weights, data, stragglers=stragglers, device="cpu", output="l2")
    with strag.read("w2") as weights, strag.dump(weights, data, output="a2") as activations:
        measured = strag.measure(activations, output="g2.safetensors")
        strag.expansion(weights, data, from_=0, stragglers=stragglers, output="e2")
        for name in ("g2.json", "g2"):
            again = strag.measure(activations, output=name)
            np.testing.assert_array_equal(again.measures["radius"], measured.measures["radius"])
    strag.plot(history, output="h2.png")
    strag.export(history, stragglers=stragglers, output="q2.csv")
    strag.export(stragglers, output="q2.npz")
    strag.history("p.npz", updates=(1, 3), output="r2")
    assert (folder / "b2").read_bytes() == (folder / "b3").read_bytes()
    for name in ("h", "w", "s", "t", "x", "p", "y", "c", "m", "l", "a", "b", "k", "n", "e", "r"):
        assert (folder / name).read_bytes() == (folder / f"{name}2").read_bytes(), name
    for name in ("g.safetensors", "g.json", "g", "h.png", "q.csv", "q.npz"):
        assert (folder / name).read_bytes() == (folder / name.replace(name[0], f"{name[0]}2", 1)).read_bytes()
    assert (folder / "g.json").read_bytes() == (folder / "g").read_bytes()


def test_a_history_in_memory_is_that_of_the_file(folder, monkeypatch):
    monkeypatch.chdir(folder)
    data, options = strag.read("d"), {"runs": 2, "epochs": 5, "width": 4}
    written, gathered = strag.train(data, **options, output="b"), strag.train(data, **options)
    assert (gathered.meta, gathered.runs, gathered.layers) == (written.meta, written.runs, written.layers)
    for name in ("updates", "train_error", "misclassified", "test_error", "index"):
        np.testing.assert_array_equal(getattr(gathered, name), getattr(written, name))
    for name, values in written.measures.items():
        np.testing.assert_array_equal(gathered.measures[name], values)


def test_what_stays_in_memory_is_measured_alike(folder, monkeypatch):
    monkeypatch.chdir(folder)
    data = strag.read("d")
    strag.train(data, runs=2, epochs=3, width=4, record_every="log", weights="v", output="u")
    with strag.read("v") as weights:
        gathered = strag.measure(strag.dump(weights, data))
        with strag.dump(weights, data, output="f") as written:
            again = strag.measure(written)
    np.testing.assert_array_equal(gathered.measures["radius"], again.measures["radius"])


def test_sets_train_one_network_each(folder):
    data = strag.read(str(folder / "d"))
    history = strag.train(data, runs=2, epochs=5, width=4)
    sets = strag.sets(history, at=3, controls=("random",))
    assert len(strag.train(data, without=sets, epochs=2, width=4).runs) == 4


def test_arrays_become_a_data_set():
    x = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
    data = strag.data(x, ["cat", "dog"] * 3, x[:2], ["dog", "cat"], title="pets")
    assert (data.title, data.grouping.names, data.has_test) == ("pets", ("cat", "dog"), True)
    with pytest.raises(strag.StragError, match="labels"):
        strag.data(x, [0, 1])


def test_a_drawing_shows_itself_in_a_notebook(folder):
    drawing = strag.plot(strag.train(strag.read(str(folder / "d")), runs=2, epochs=5, width=4))
    assert drawing._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(strag.StragError, match="suffix"):
        drawing.save(str(folder / "picture.txt"))
