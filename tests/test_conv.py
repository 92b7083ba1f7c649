"""Convolutional networks in `examples/paper`: `conv.py` reads the right record, `leave_out.py` the set."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import strag

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
