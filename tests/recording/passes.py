"""Made-up passes over a training set, and the Recorders and histories that they make."""

import numpy as np

import strag
from strag import kinds

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
