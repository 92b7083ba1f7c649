"""Recorder, fed by hand: what is pushed is the history, in any order and of any framework, or one line."""

import doctest
import subprocess
import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

import strag
from strag import kinds
from strag.cli import main
from strag.geometry.curves import measures_of
from strag.geometry.moments import ClassMoments, normalise
from strag.training.schedule import every
from tests.conftest import made_up
from tests.files.makers import refused

P, C, N, T = 61, 3, 7, 5


def passes(seed=0, ids=None, records=T):
    """What a network says at T records: ids, labels [P], logits [T, P, C], activations [T, P, N]."""
    random = np.random.default_rng(seed)
    labels = random.integers(C, size=P)
    logits = random.normal(size=(records, P, C)) + 2 * np.eye(C)[labels]
    h = random.normal(size=(records, P, N)) + np.eye(C, N)[labels]
    return np.arange(P) if ids is None else ids, labels, logits, h


def pushed(made, batch=P, order=None, convert=lambda array: array, layer="fc", recorder=None, **options):
    """A Recorder that was given these passes in batches, with one layer; without one if `layer` is None."""
    ids, labels, logits, h = made
    recorder = recorder or strag.Recorder(examples=P, **options)
    for update in range(len(logits)):
        rows = np.arange(P) if order is None else order(update)
        for start in range(0, len(rows), batch):
            at = rows[start : start + batch]
            activations = {layer: convert(h[update, at])} if layer else {}
            given = [ids[row] for row in at] if isinstance(ids, list) else convert(ids[at])
            recorder.update(given, convert(logits[update, at]), convert(labels[at]), activations)
        recorder.record(update)
    return recorder


def saved(recorder, path):
    return kinds.read(recorder.save(str(path)), "history")


def same(one, two, radii=1e-12):
    """Assert that two histories have the same bits, and radii and losses that are equal to rounding."""
    np.testing.assert_array_equal(one.misclassified, two.misclassified)
    np.testing.assert_array_equal(one.train_error, two.train_error)
    np.testing.assert_allclose(one.train_loss, two.train_loss, rtol=1e-6)
    assert one.measures.keys() == two.measures.keys()
    for name, values in one.measures.items():
        np.testing.assert_allclose(values, two.measures[name], atol=max(radii, 1e-7))
    for name in ("margin", "margin_deviation"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), atol=1e-6)


def test_a_history_holds_what_was_pushed(tmp_path):
    made = ids, labels, logits, h = passes()
    history = saved(pushed(made), tmp_path / "h")
    wrong = logits.argmax(axis=2) != labels
    np.testing.assert_array_equal(
        np.unpackbits(history.misclassified, axis=2, count=P, bitorder="little")[:, 0], wrong
    )
    np.testing.assert_allclose(history.train_error[:, 0], wrong.mean(axis=1), rtol=1e-6)
    log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    loss = -log_p[:, np.arange(P), labels].mean(axis=1)
    np.testing.assert_allclose(history.train_loss[:, 0], loss, rtol=1e-6)
    for update in range(T):
        expected = measures_of([ClassMoments.of(normalise(h[update]), labels, C)])
        for name, values in expected.items():
            np.testing.assert_allclose(history.measures[name][update, 0], values, rtol=1e-6)
    others = np.where(np.eye(C)[labels] > 0, -np.inf, logits).max(axis=2)
    margin = logits[:, np.arange(P), labels] - others
    np.testing.assert_allclose(history.margin[0], margin.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(history.margin_deviation[0], margin.std(axis=0), rtol=1e-5)
    assert (history.layers, history.classes) == (("fc",), ("0", "1", "2"))
    assert history.updates.tolist() == [*range(T)]
    assert history.meta["recording"] == "snapshot"


def test_everything_after_reads_it(tmp_path):
    pushed(passes(), classes=["a", "b", "c"]).save(str(tmp_path / "h"))
    assert main(["find-stragglers", str(tmp_path / "h"), "--at", "3", "-q", "-o", str(tmp_path / "s")]) == 0
    assert main(["info", str(tmp_path / "h")]) == 0


def test_the_example_of_the_docstring_runs():
    (test,) = doctest.DocTestFinder(recurse=False).find(strag.Recorder, "Recorder", globs={})
    result = doctest.DocTestRunner().run(test)
    assert (result.failed, result.attempted) == (0, strag.Recorder.__doc__.count(">>>"))
