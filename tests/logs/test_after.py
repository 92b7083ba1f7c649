"""Logs of predictions alone, end to end: every command that needs no layer goes on from them."""

import json

import numpy as np
import pytest

import strag
from strag.cli import main

T, R, P = 30, 4, 80


@pytest.fixture
def folder(tmp_path, monkeypatch, capfd):
    """A folder with the history `h` of predictions, whose errors fall along training."""
    random = np.random.default_rng(0)
    labels, hardness = np.arange(P) % 3, random.beta(0.4, 1, P)
    wrong = random.random((T, R, P)) < hardness * np.linspace(1.5, 0.1, T)[:, None, None]
    ids = [f"x{n}" for n in range(P)]
    np.savez(tmp_path / "p.npz", predictions=(labels + wrong) % 3, labels=labels, ids=ids)
    monkeypatch.chdir(tmp_path)
    assert main(["history", "p.npz", "-q", "-o", "h"]) == 0
    capfd.readouterr()
    return tmp_path


@pytest.mark.slow
def test_predictions_alone_go_through_the_pipeline(folder, capfd):
    for line in (
        "find-stragglers h --at error:0.2 -q -o s.json",
        "find-stragglers h --at 5 -q -o early.json",
        "stability h -q -o y.json",
        "sets h --at 5 -q -o x",
        "compare s.json early.json -q -o c.json",
        "summary s.json early.json -q -o m.json",
        "plot h --curves error -q -o h.png",
        "export h --stragglers s.json -q -o e.csv",
        "export h --datamaps -q -o td_metrics.jsonl",
    ):
        assert main(line.split()) == 0, line
    indices = set(json.loads((folder / "s.json").read_text())["indices"])
    table = strag.export(strag.read("h"), stragglers=strag.read("s.json"))
    assert set(table["index"][~table["keep"]].tolist()) == indices != set()
    assert table["name"][:3].tolist() == ["x0", "x1", "x10"]
    assert set(table["status"]) <= {"core", "fringe", "rare"}


def test_stragglers_of_other_logs_are_refused(folder, capfd):
    saved = dict(np.load("p.npz"))
    np.savez("q.npz", **{**saved, "predictions": np.roll(saved["predictions"], 3, axis=0)})
    for line in ("history q.npz -q -o other", "find-stragglers other --at 5 -q -o other.json"):
        assert main(line.split()) == 0, line
    capfd.readouterr()
    assert main(["export", "h", "--stragglers", "other.json"]) == 1
    said = capfd.readouterr().err
    assert said.startswith("strag: other.json: has a set of run 0 at update 5 that h does not have; pass the")


def test_without_a_layer_there_is_no_inversion_and_the_remedy_is_named(folder, capfd):
    assert main(["find-stragglers", "h"]) == 1
    assert "no layer was measured; choose the moment with --at" in capfd.readouterr().err
