"""A history of which no layer was measured, such as that of predictions logged elsewhere."""

import json
from pathlib import Path

import numpy as np
import pytest

from strag import kinds
from strag.cli import main
from strag.stragglers.find import Moment, find_inversions, find_stragglers
from strag.stragglers.inversion import DIVERGED, UNRESOLVED
from strag.stragglers.stability import stability
from tests.files.makers import complaint, forge
from tests.shell import strag
from tests.views.histories import made, valley, write

PER_LAYER = ("radius", "distance", "mean_norm2")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same history with a layer, and without one, its tensors empty or absent."""
    folder = tmp_path_factory.mktemp("layers")
    random, T, P = np.random.default_rng(0), 101, 64
    hard = random.random(P)
    wrong = 0.4 * random.random((T, 4, P)) + hard < 0.9 * np.exp(-np.arange(T) / 30)[:, None, None]
    history = made([valley(20 + run) for run in range(4)], wrong=wrong)
    write(folder / "with", history)
    empty = {
        name: np.zeros((T, 4, 0, size), np.float32) for name, size in zip(PER_LAYER, (2, 1, 2), strict=True)
    }
    error = {"train_error": wrong.mean(axis=2).astype(np.float32)}
    forge(folder / "with", folder / "with", {"origin_size": P}, **error)
    forge(folder / "with", folder / "empty", {"layers": []}, **empty)
    forge(folder / "with", folder / "absent", {"layers": []}, drop=PER_LAYER)
    return folder


@pytest.fixture(params=["empty", "absent"])
def name(request, files, monkeypatch):
    monkeypatch.chdir(files)
    return request.param


def run(line, status=0):
    assert main(line.split()) == status, line


def read(name):
    return json.loads(Path(name).read_text())


def test_sets_agreement_and_comparison_are_those_of_the_same_history_with_a_layer(name):
    for source in ("with", name):
        run(f"find-stragglers {source} --at error:0.2 -q -o {source}.json")
        run(f"find-stragglers {source} --at 40 --core -q -o {source}.core")
        run(f"sets {source} --at log:4 --controls class -q -o {source}.sets")
        run(f"stability {source} -q -o {source}.stab")
        run(f"compare {source}.json {source}.core -q -o {source}.cmp")
    for kind, keys in {
        "json": ("indices", "examples", "model"),
        "core": ("indices",),
        "stab": ("records",),
        "cmp": ("pairs", "sets"),
    }.items():
        ours, theirs = read(f"{name}.{kind}"), read(f"with.{kind}")
        for key in keys:
            assert ours.get(key) == theirs.get(key), (kind, key)
    found = read(f"{name}.json")
    assert found["strag"]["recipe"]["layer"] is None
    assert {one["failed"] for one in found["runs"]} == {"layers"}
    assert found["indices"]


def test_they_are_described_drawn_and_summarised(name, capsys):
    run(f"find-stragglers {name} --at error:0.2 -q -o {name}.json")
    run(f"stability {name} -q -o {name}.stab")
    run(f"summary {name}.json -q -o {name}.sum")
    run(f"summary {name}.json --markdown -q -o {name}.md")
    assert "4 unresolved" in Path(f"{name}.md").read_text()
    for picture in (name, f"{name} {name}", f"{name}.json --by-class", f"{name}.stab", f"{name}.sum"):
        run(f"plot {picture} -q -o {name}.png")
    run(f"plot with {name} --curves error -q -o {name}.svg")
    run(f"plot {name} -o {name}.svg")
    assert capsys.readouterr().err == f"strag: {name}: no layer was measured\n"
    assert strag("info", name).stdout.decode().count("\n  layers         none\n") == 1
    assert "training error ε" in Path(f"{name}.svg").read_text()
    assert strag("info", name, "--get", "shapes.misclassified").stdout == b"101\n4\n8\n"


def test_what_needs_a_layer_says_so(name, capsys):
    needs = "no layer was measured; "
    at = f"{name}: {needs}choose the moment with --at"
    for line, words in {
        f"find-stragglers {name}": at,
        f"find-stragglers {name} --per-class": f"{needs}replace --per-class with --at",
        f"find-stragglers {name} --rule valley": f"{needs}replace --rule with --at",
        f"sets {name}": at,
        f"find-stragglers {name} --layer all --at 5": f"{needs}remove --layer",
        f"find-stragglers {name} --layer 1 --at 5": f"{needs}remove --layer",
        f"find-stragglers {name} --observable distance --at 5": f"{needs}remove --observable",
        f"sets {name} --at log --dose 1": f"{needs}remove --dose",
        f"find-stragglers with --reference {name}": f"{name}: {needs}remove --reference",
    }.items():
        complaint(capsys, 1, [words], *line.split())
    for line, words in {
        f"plot {name} --curves radius -o x.png": f"{needs}draw the training error alone with --curves error",
        f"plot with {name} --curves radius,error -o x.png": f"{name}: {needs}",
        f"plot {name} --x error -o x.png": "remove --x error",
    }.items():
        complaint(capsys, 2, [words], *line.split())


def test_tensors_of_layers_are_needed_where_there_is_one(files, capsys):
    forge(files / "with", files / "lacking", drop=PER_LAYER)
    complaint(capsys, 1, ["has no tensor 'radius'"], "stability", files / "lacking")


def test_the_verdict_is_unknown_but_of_a_run_that_diverged(files):
    history = kinds.read(str(files / "empty"))
    loss = history.train_loss.copy()
    loss[50:, 1] = np.nan
    history = type(history)(**{**vars(history), "train_loss": loss})
    assert [one.verdict for one in find_inversions(history)] == [UNRESOLVED, DIVERGED, UNRESOLVED, UNRESOLVED]
    found = find_stragglers(history, at=Moment(update=60))
    assert found.taken == (0, 2, 3)
    assert stability(history).diverged == 1
