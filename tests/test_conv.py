"""Convolutional networks in `examples/paper`: `conv.py` reads the right record, `leave_out.py` the set.

And `pool.py` pools: what it makes of some runs and of the others is what all runs give at once.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import strag
from strag.stragglers.experiments import QUANTITIES

FOLDER = Path(__file__).parents[1] / "examples" / "paper"
UPDATES = np.array([0, 4, 8, 12])


@pytest.fixture
def conv(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    import conv

    return conv


def two_runs():
    """A history of two runs, of which the second ends at update 8, and what is found in its layer `b`."""
    radius = np.arange(16.0).reshape(4, 2, 1, 2)
    radius[0, 0] = 8, 9  # the first run falls until update 4
    loss = np.array([[0.7, 0.7], [0.5, 0.6], [0.4, 0.65], [0.3, np.nan]])
    history = SimpleNamespace(
        updates=UPDATES,
        layers=("a", "b"),
        measures={"radius": np.concatenate([np.zeros_like(radius), radius], axis=2)},
        train_loss=loss,
        train_error=loss / 10,
    )
    inverts = {"verdict": "inversion", "update": 4, "last_update": 12, "unstable_from": None}
    rises = {"verdict": "unstable", "update": None, "last_update": 8, "unstable_from": 8}
    return history, {"runs": [inverts, rises]}


def test_values_at_the_inversion_are_those_of_the_inverting_runs(conv):
    history, found = two_runs()
    condition = conv.condition_of(history, found, "mnist.tanh", "b")
    assert condition["label"] == "mnist tanh b"
    assert (condition["runs"], condition["inverting"], condition["unstable"]) == (2, 1, 1)
    assert condition["first_rise"] == 8
    assert condition["falling"] == 1
    assert condition["loss_at"] == 0.5
    assert condition["fall"] == pytest.approx(np.sqrt((8**2 + 9**2) / 2) - np.sqrt((4**2 + 5**2) / 2))


def test_a_loss_that_rises_soon_after_the_inversion_is_counted(conv):
    assert conv.falls(UPDATES, np.array([0.7, 0.5, 0.4, 0.45]), 4)  # falls until 8
    assert not conv.falls(UPDATES, np.array([0.7, 0.5, 0.55, 0.45]), 4)
    assert not conv.falls(UPDATES, np.array([0.7, 0.5, 0.4, 0.45]), 6)


def test_the_last_record_is_that_of_each_run(conv):
    history, found = two_runs()
    condition = conv.condition_of(history, found, "mnist.tanh", "b")
    assert condition["loss_last"] == pytest.approx((0.3 + 0.65) / 2)
    assert condition["last_error"] == pytest.approx((0.03 + 0.065) / 2)
    last = np.sqrt([(12**2 + 13**2) / 2, (10**2 + 11**2) / 2]).mean()
    assert condition["radius_last"] == pytest.approx(last)


def test_without_an_inversion_there_is_nothing_at_it(conv):
    history, found = two_runs()
    condition = conv.condition_of(history, {"runs": [found["runs"][1]] * 2}, "mnist.tanh", "b")
    assert (condition["inverting"], condition["loss_at"], condition["fall"]) == (0, None, None)


@pytest.mark.parametrize("control", ["none", "hard"])
def test_what_is_left_out_is_the_set_and_nothing_else(tmp_path, control):
    data = strag.data("mnist8k", size=2048, output=tmp_path / "d")
    history = strag.train(data, runs=2, epochs=150, lr=0.2)
    strag.sets(history, dose=[1.0], controls=["hard"], output=tmp_path / "s")
    command = [sys.executable, FOLDER / "leave_out.py", "s", "d", "left", "--control", control]
    subprocess.run(command, check=True, cwd=tmp_path)
    left = strag.read(tmp_path / "left", "dataset")
    removed = np.setdiff1d(np.arange(2048), left.index)
    majority = strag.find_stragglers(history).indices
    assert removed.size == majority.size > 0
    assert left.origin == data.origin
    common = np.intersect1d(removed, majority).tolist()
    assert common == (majority.tolist() if control == "none" else [])


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """Summary and overlap of six runs, and what pool.py makes of four and two of them: two dicts of dicts."""
    folder = tmp_path_factory.mktemp("pool")
    data = strag.data("mnist8k", size=2048)
    options = {"test_every": "never", "epochs": 120, "lr": 0.2}
    six = strag.train(data, runs=6, **options)
    for name, first_run, runs in (("all", 0, 6), ("first", 0, 4), ("further", 4, 2)):
        (folder / name).mkdir()
        history = strag.train(data, runs=runs, first_run=first_run, **options)
        short = strag.train(data, runs=runs, first_run=first_run, **options | {"epochs": 12})
        found = [strag.find_stragglers(history), strag.find_stragglers(history, at="9")]
        found += [strag.find_stragglers(short), strag.find_stragglers(six)]
        strag.summarise(found, ["inversion", "early", "short", "six"], folder / name / "effects.json")
        sets = [strag.sets(given, at="error:0.1") for given in (six, history)]
        strag.compare(sets, ["six", "some"], folder / name / "overlap.json")
    pool = [sys.executable, FOLDER / "pool.py", "first", "further", "pooled", "--runs", "6"]
    subprocess.run(pool, check=True, cwd=folder)
    return [
        {path.stem: json.loads(path.read_text()) for path in (folder / name).glob("*.json")}
        for name in ("all", "pooled")
    ]


def levels(level):
    """The numbers of a level of a summary, NaN for those that are not known: list of float."""
    return [np.nan if value is None else value for value in (level or {}).values()]


def test_pooled_conditions_are_those_of_all_runs(pooled):
    whole, joint = (given["effects"]["conditions"] for given in pooled)
    assert [condition["label"] for condition in joint] == ["inversion", "early", "short", "six"]
    for expected, found in zip(whole, joint, strict=True):
        assert set(found) == set(expected)
        left_out = dict.fromkeys((*QUANTITIES, "differences"))
        assert found | left_out == expected | left_out
        for name in QUANTITIES:
            assert levels(found[name]) == pytest.approx(levels(expected[name]), rel=1e-6, nan_ok=True), name
    assert joint[0]["inverting"] > 1  # so that there are means at the inversion, with intervals


def test_pooled_overlaps_are_those_of_the_pairs_at_hand(pooled):
    whole, joint = (given["overlap"] for given in pooled)
    assert (whole["pairs"], joint["pairs"]) == ([[15, 36], [36, 15]], [[15, 36], [36, 7]])
    for name in ("common", "jaccard", "kappa", "contained", "jaccard_std", "kappa_std"):
        for i, j in ((0, 0), (0, 1), (1, 0)):
            assert joint[name][i][j] == pytest.approx(whole[name][i][j], abs=2e-6), name
    assert [kind["runs"] for kind in joint["sets"]] == [6, 6]
    assert joint["sizes"] == pytest.approx(whole["sizes"])


def test_pooled_layers_weigh_by_their_runs(conv):
    import pool

    history, found = two_runs()
    runs = found["runs"]
    whole, first, further = (
        conv.condition_of(history, {"runs": chosen}, "mnist.tanh", "b")
        for chosen in (runs, [runs[0]] * 2, [runs[1]] * 2)
    )
    joint = pool.pooled_layer(first, further)
    assert (joint["runs"], joint["inverting"], joint["unstable"], joint["first_rise"]) == (4, 2, 2, 8)
    assert (joint["loss_at"], joint["fall"]) == (first["loss_at"], first["fall"])
    assert joint["last_update"] == whole["last_update"] == (12 + 8) / 2
    assert list(joint) == list(whole)


def test_an_interval_that_is_not_of_seeds_alone_is_refused(conv):
    import pool

    level = {"mean": 0.5, "low": 0.4, "high": 0.6, "seed_std": 0.1, "block_std": None}
    with pytest.raises(SystemExit, match="test examples"):
        pool.values_in("depth", level, 4)


def test_the_number_of_values_is_read_from_an_interval_that_is_cut(conv):
    import pool

    for n in (2, 3, 5):
        level = asdict(pool.level_of("train_error", 0.3, 0.08, n))
        assert (level["mean"], level["seed_std"]) == pytest.approx((0.3, 0.08))
        assert pool.values_in("train_error", level, 6) == n
    cut = pool.level_of("train_error", 0.3, 0.08, 2)
    assert (cut.low, cut.high, pool.values_in("stragglers", None, 6)) == (0.0, 1.0, 0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "other"}, "the first runs have no condition 'other'"),
        ({"settings": {"lr": 0.2}}, "'a' has other settings in one of the folders"),
    ],
)
def test_conditions_that_do_not_belong_together_are_refused(conv, change, words):
    import pool

    first = {"label": "a", "runs": 2, "settings": {"lr": 0.1}}
    with pytest.raises(SystemExit, match=words):
        pool.pooled_conditions([first], [first | change], 4)


def test_a_file_without_its_counterpart_is_refused(tmp_path):
    for name in ("first", "further"):
        (tmp_path / name).mkdir()
    (tmp_path / "further" / "effects.json").write_text("{}")
    command = [sys.executable, FOLDER / "pool.py", "first", "further", "out", "--runs", "4"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "first/effects.json is missing" in result.stderr
    assert list((tmp_path / "out").iterdir()) == []
