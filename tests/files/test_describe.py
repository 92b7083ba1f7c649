"""What `info` says of a file of any kind, and how a key finds its value."""

import json

import numpy as np
import pytest

from strag.files.describe import describe, lookup
from strag.files.opening import open_file
from strag.files.weights import WeightsWriter
from tests.files.makers import dataset_file, history_file, images, refused, stragglers_file


def told(path):
    return describe(open_file(path))


def find(path, key):
    opened = open_file(path)
    return lookup(describe(opened), opened, key, str(path))


def test_a_dataset(tmp_path):
    data = images()
    found = told(dataset_file(tmp_path / "d", data))
    assert list(found)[:4] == ["kind", "format", "version", "title"]
    assert found["identity"] == data.identity == found["origin"]
    assert found["shapes"] == {name: list(array.shape) for name, array in data.tensors.items()}
    assert found["dtypes"]["x"] == "U8"
    assert found["classes"] == ["even", "odd"]


def test_identity_is_of_the_tensors_and_not_of_the_file(tmp_path):
    one = told(dataset_file(tmp_path / "a", images(labels="parity")))
    two = told(dataset_file(tmp_path / "b", images(labels="classes", title="other")))
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()
    assert one["identity"] == two["identity"]


def test_a_history(tmp_path):
    found = told(history_file(tmp_path / "h"))
    assert (found["kind"], found["runs"], found["layers"]) == ("history", [0, 1], [1])
    assert found["shapes"]["radius"] == [12, 2, 1, 2]
    assert "identity" not in found


def test_weights(tmp_path):
    meta = {"format": 1, "kind": "weights", "version": "0", "runs": [0]}
    whole = {"updates": [0, 5], "mean": np.zeros(6), "std": np.ones(6), "index": np.arange(9)}
    whole["trained"] = np.ones((2, 2), np.uint8)
    shapes = {"layer1.weight": (3, 6), "layer1.bias": (3,), "layer2.weight": (2, 3), "layer2.bias": (2,)}
    with WeightsWriter(str(tmp_path / "w"), meta, whole, shapes) as writer:
        writer.commit()
    found = told(tmp_path / "w")
    assert found["kind"] == "weights"
    assert found["shapes"]["layer2.weight"] == [2, 1, 2, 3]


def test_stragglers(tmp_path):
    found = told(stragglers_file(tmp_path / "s", images(), list(range(20))))
    assert found["kind"] == "stragglers"
    assert found["summary"]["train_error_mean"] == 0.09
    assert found["shapes"] == {"indices": [20], "examples": [20, 2]}
    assert "indices" not in found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "dataset"),
        ("shapes.x", [24, 2, 3]),
        ("shapes.x.1", 2),
        ("dtypes.y", "I64"),
        ("classes.0", "even"),
        ("class_names", None),
        ("recipe", {}),
    ],
)
def test_keys_of_a_container(tmp_path, key, value):
    assert find(dataset_file(tmp_path / "d"), key) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("summary.train_error_mean", 0.09),
        ("indices.3", 9),
        ("indices", [0, 3, 6, 9]),
        ("examples.count.0", 2),
        ("strag.kind", "stragglers"),
        ("kind", "stragglers"),
        ("verdict", "inversion"),
    ],
)
def test_keys_of_a_json_kind(tmp_path, key, value):
    assert find(stragglers_file(tmp_path / "s", images(), [0, 3, 6, 9]), key) == value


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("nothing", ["has no key 'nothing'", "it has kind, format", "shapes"]),
        ("shapes.z", ["has no key 'z' in 'shapes'", "index, x, x_test"]),
        ("shapes.x.3", ["has no item '3' in 'shapes.x'", "3 items, counted from 0"]),
        ("shapes.x.\u00b2", ["has no item '\u00b2'"]),
        ("shapes.x.-1", ["has no item '-1'"]),
        ("kind.sub", ["has nothing below 'kind'"]),
        ("", ["has no key ''"]),
    ],
)
def test_a_missing_key_lists_those_that_are_there(tmp_path, key, words):
    path = dataset_file(tmp_path / "d")
    refused(lambda: find(path, key), path, *words, status=2)


@pytest.mark.parametrize(
    "value",
    [
        {"strag": {"format": 1, "kind": "geometry"}},
        {"strag": {"format": 1, "kind": "stability", "recipe": 3}, "table": {"a": 1, "b": [1, 2]}},
        {"strag": {"format": 1, "kind": "stability"}, "empty": {}, "none": None, "nested": [[1], [2]] * 9},
    ],
)
def test_kinds_of_the_future_are_described_too(tmp_path, value):
    (tmp_path / "f").write_text(json.dumps(value))
    found = told(tmp_path / "f")
    assert found["kind"] == value["strag"]["kind"]
    assert set(value) - {"strag"} <= found.keys() | found["shapes"].keys()
