"""Histories of networks that strag did not train: what is written is read, with ids, origin and margins."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from strag import kinds
from strag.bits import pack
from strag.cli import main
from strag.files.recorded import write_recorded
from strag.identity import identity_of_examples
from strag.recording.ids import ids_of, order_of
from strag.recording.recorded import Recorded
from tests.files.makers import parts, refused

P, T = 12, 3


def recorded(R=2, layers=("fc",), **changed):
    """A Recorded of R runs, with made-up values."""
    random = np.random.default_rng(0)
    wrong = random.random((T, R, P)) < 0.4
    L = len(layers)
    known = {
        "updates": np.array([0, 5, 9]),
        "ids": [f"{row:02}.png" for row in range(P)],
        "labels": np.arange(P) % 3,
        "classes": ("cat", "dog", "eel"),
        "layers": layers,
        "train_error": wrong.mean(axis=2),
        "train_loss": random.random((T, R)),
        "misclassified": pack(wrong),
        "measures": {
            "radius": random.random((T, R, L, 3)),
            "distance": random.random((T, R, L, 3)),
            "mean_norm2": np.ones((T, R, L, 3)),
        },
    }
    return Recorded(**{**known, **changed})


@pytest.mark.parametrize("layers", [("fc",), ("fc", "conv:mean"), ()])
def test_what_is_written_is_read(tmp_path, layers):
    made = recorded(layers=layers, measures={} if not layers else recorded(layers=layers).measures)
    write_recorded(str(tmp_path / "h"), made)
    history = kinds.read(str(tmp_path / "h"), "history")
    assert (history.layers, history.classes, history.runs) == (layers, made.classes, (0, 1))
    assert [history.names[row] for row in range(P)] == made.ids
    np.testing.assert_array_equal(history.index, np.arange(P))
    np.testing.assert_array_equal(history.group, made.labels)
    np.testing.assert_array_equal(history.train_loss, made.train_loss.astype(np.float32))
    np.testing.assert_array_equal(history.misclassified, made.misclassified)
    assert history.trained_bits().all()
    assert history.margin is None
    for name, values in made.measures.items():
        np.testing.assert_array_equal(history.measures[name], values.astype(np.float32))
    _, meta, _ = parts(tmp_path / "h")
    assert "recipe" not in meta
    assert (meta["format"], meta["recording"], meta["origin_size"]) == (2, "snapshot", P)
    assert meta["origin"] == identity_of_examples(made.ids, made.labels)


def test_what_is_not_known_is_absent(tmp_path):
    write_recorded(str(tmp_path / "h"), recorded(train_loss=None, layers=(), measures={}))
    assert "train_loss" not in parts(tmp_path / "h")[2]
    assert kinds.read(tmp_path / "h").train_loss is None


def test_margins_are_kept_and_a_history_may_stay_in_memory():
    margin = np.linspace(-1, 1, 2 * P).reshape(2, P)
    history = write_recorded(None, recorded(margin=margin, margin_deviation=abs(margin)))
    np.testing.assert_array_equal(history.margin, margin.astype(np.float32))
    np.testing.assert_array_equal(history.margin_deviation, abs(margin).astype(np.float32))


def test_with_a_data_set_its_rows_and_names_are_kept():
    own = {"origin": "o", "index": np.arange(P) * 2, "y": np.arange(P), "described": {"origin_size": 2 * P}}
    history = write_recorded(None, recorded(ids=list(range(0, 2 * P, 2)), **own))
    assert (history.meta["origin"], history.meta["origin_size"], history.names) == ("o", 2 * P, None)
    np.testing.assert_array_equal(history.index, own["index"])
    np.testing.assert_array_equal(history.y, np.arange(P))


def test_the_origin_is_that_of_ids_and_labels():
    made = recorded()
    one = identity_of_examples(made.ids, made.labels)
    assert one != identity_of_examples(made.ids, (made.labels + 1) % 3)
    assert one != identity_of_examples([f"{name}x" for name in made.ids], made.labels)
    assert identity_of_examples([3, 10], [0, 1]) == identity_of_examples([3, 10], np.array([0, 1]))


def test_ids_are_sorted_by_value_or_by_code_point():
    assert order_of([10, 9, -1]).tolist() == [2, 1, 0]
    assert order_of(np.array([10**15, 9])).tolist() == [1, 0]
    assert order_of(["10", "9", "é", "z"]).tolist() == [0, 1, 3, 2]


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([1, "1"], "mixes integers and texts"),
        ([True], "as an id"),
        ([1.5], "as an id"),
        ([None], "as an id"),
        ("abc", "as `ids`"),
        (np.zeros((2, 2), int), "has shape [2, 2]"),
        ([3, 1, 3], "lists 3 twice"),
    ],
)
def test_other_ids_are_refused(ids, words):
    refused(lambda: order_of(ids), words, status=2)


def test_ids_of_numpy_are_plain():
    assert ids_of(np.array(["a", "b"])) == ["a", "b"]
    assert ids_of((np.int64(3), 4)) == [3, 4]
    assert ids_of([]) == []
    assert {type(identity) for identity in ids_of([np.str_("a"), "b"])} == {str}


def test_ids_that_cannot_be_stored_are_refused():
    refused(lambda: write_recorded(None, recorded(ids=["\ud800", *"abcdefghijk"])), "cannot store", status=2)


def test_find_stragglers_reads_such_a_history(tmp_path):
    curve = np.array([0.9, 0.7, 0.5, 0.6, 0.8])
    made = recorded(R=1)
    wrong = np.broadcast_to(np.arange(P) < 4, (5, 1, P))
    measures = {
        "radius": np.broadcast_to(curve[:, None, None, None], (5, 1, 1, 3)),
        "distance": np.ones((5, 1, 1, 3)),
        "mean_norm2": np.ones((5, 1, 1, 3)),
    }
    made = replace(
        made,
        updates=np.array([0, 4, 8, 16, 32]),
        train_error=wrong.mean(axis=2),
        train_loss=np.ones((5, 1)),
        misclassified=pack(wrong),
        measures=measures,
    )
    write_recorded(str(tmp_path / "h"), made)
    assert main(["find-stragglers", str(tmp_path / "h"), "--at", "8", "-q", "-o", str(tmp_path / "s")]) == 0
    assert kinds.read(tmp_path / "s").indices.tolist() == [0, 1, 2, 3]


def test_the_origin_of_examples_is_the_sha256_that_formats_says():
    text = "7\0" + "1\n" + "71\0" + "0\n"
    assert identity_of_examples([7, 71], [1, 0]) == hashlib.sha256(text.encode()).hexdigest()
    assert identity_of_examples(["7", "71"], np.array([1, 0])) == identity_of_examples([7, 71], [1, 0])
    assert identity_of_examples(["a", "b"], [1, 12]) != identity_of_examples(["a", "b1"], [1, 2])
