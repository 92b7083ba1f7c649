"""One inversion per class, and one per layer."""

import dataclasses

import numpy as np
import pytest

from strag.bits import pack
from strag.errors import StragError
from strag.files.stragglers import stragglers_object
from strag.stragglers.find import find_stragglers
from strag.stragglers.finding import finding_of
from strag.stragglers.over_runs import layer_findings
from strag.stragglers.per_class import find_per_class
from strag.stragglers.profile import find_by_layer
from strag.views.stragglers import sentence
from tests.conftest import history_of, with_measures

T, R, P = 60, 2, 90
GROUP = np.arange(P) % 3


def valley(bottom):
    return 0.8 + 0.1 * np.square(np.log((np.arange(T) + 1) / (bottom + 1)))


@pytest.fixture
def history():
    """Three classes: 0 turns at update 12, 1 at 20, 2 only falls; wrong at t: examples from t on."""
    wrong = np.zeros((T, R, P), bool)
    for record in range(T):
        wrong[record, :, record:] = True
    base = history_of(np.stack([valley(20)] * R, axis=1), wrong=wrong, P=P)
    radius = np.stack([valley(12), valley(20), np.exp(-np.arange(T) / 20)], axis=-1)
    radius = np.broadcast_to(radius[:, None, None], (T, R, 1, 3)).astype(np.float32)
    base = dataclasses.replace(base, group=GROUP, classes=("a", "b", "c"))
    return with_measures(base, radius=radius)


def test_the_set_is_the_union_over_classes_at_their_own_inversions(history):
    found = find_per_class(history)
    assert found.verdict == "inversion"
    assert [one.record for one in found.by_class[0]] == [12, 20, None]
    examples = np.arange(P)
    expected = ((GROUP == 0) & (examples >= 12)) | ((GROUP == 1) & (examples >= 20))
    for run in range(R):
        np.testing.assert_array_equal(found.sets[run], expected)
    np.testing.assert_array_equal(found.consensus, expected)
    assert found.inversions[0].update == pytest.approx(16, abs=0.2)  # the mean of 12 and 20


def test_classes_without_an_inversion_are_listed(history):
    found = find_per_class(history)
    value = stragglers_object(finding_of(history, found, {}))
    assert value["classes_without"] == ("c",)
    of_run = value["runs"][1]["classes"]
    assert {name: told["verdict"] for name, told in of_run.items()} == {
        "a": "inversion",
        "b": "inversion",
        "c": "none",
    }
    assert value["runs"][1]["stragglers"] == int(found.sets[1].sum())
    assert value["runs"][1]["update"] is None


def test_only_a_classes_own_examples_count(history):
    few = np.zeros((T, R, P), bool)
    few[:, :, np.flatnonzero(GROUP == 0)[:9]] = True  # nine of class a, many of class b
    few[:, :, GROUP == 1] = True
    found = find_per_class(dataclasses.replace(history, misclassified=pack(few)))
    assert [one.verdict for one in found.by_class[0]] == ["none", "inversion", "none"]
    np.testing.assert_array_equal(found.sets[0], GROUP == 1)


def test_examples_that_are_not_trained_on_are_in_no_set(history):
    trained = np.ones((R, P), bool)
    trained[:, ::2] = False
    found = find_per_class(dataclasses.replace(history, trained=pack(trained)))
    assert found.sets.any()
    assert not found.sets[:, ::2].any()


def test_a_class_that_diverges_spoils_no_other(history):
    radius = history.measures["radius"].copy()
    radius[30, :, 0, 0] = np.nan
    found = find_per_class(with_measures(history, radius=radius))
    assert [one.verdict for one in found.by_class[0]] == ["diverged", "inversion", "none"]


def test_a_class_without_a_trained_example_is_left_out_and_listed(history):
    """Its radius is NaN: it has not diverged."""
    trained = np.ones((R, P), bool)
    trained[:, GROUP == 0] = False
    radius = history.measures["radius"].copy()
    radius[..., 0] = np.nan
    pruned = with_measures(dataclasses.replace(history, trained=pack(trained)), radius=radius)
    found = find_per_class(pruned)
    assert [one and one.verdict for one in found.by_class[1]] == [None, "inversion", "none"]
    assert found.verdict == "inversion"
    finding = finding_of(pruned, found, {"at": "inversion"})
    value = stragglers_object(finding)
    assert (value["classes_absent"], value["classes_without"]) == (("a",), ("c",))
    assert value["runs"][0]["classes"]["a"] is None
    assert "no inversion in class c; no training example of class a" in sentence(finding)
    assert find_stragglers(pruned).verdict == "inversion"
    with pytest.raises(StragError, match="no example of class 'a' that run 0 trains on") as caught:
        find_stragglers(pruned, observable="radius:a")
    assert caught.value.status == 2
    assert find_stragglers(pruned, observable="radius:b").verdict == "inversion"


def test_a_class_that_some_runs_lack_is_taken_from_the_others(history):
    trained = np.ones((R, P), bool)
    trained[1, GROUP == 1] = False
    radius = history.measures["radius"].copy()
    radius[:, 1, :, 1] = np.nan
    pruned = with_measures(dataclasses.replace(history, trained=pack(trained)), radius=radius)
    found = find_per_class(pruned)
    assert [one and one.verdict for one in found.by_class[0]] == ["inversion", "inversion", "none"]
    assert [one and one.verdict for one in found.by_class[1]] == ["inversion", None, "none"]
    finding = finding_of(pruned, found, {})
    assert (finding.classes_absent, finding.classes_without) == ((), ("c",))
    with pytest.raises(StragError, match="no example of class 'b' that run 1 trains on"):
        find_stragglers(pruned, observable="radius:b")


def test_one_class_alone_has_no_distance(history):
    trained = np.ones((R, P), bool)
    trained[1, GROUP != 2] = False
    alone = dataclasses.replace(history, trained=pack(trained))
    with pytest.raises(StragError, match="no example of class 'a' that run 1 trains on"):
        find_stragglers(alone, observable="distance")


@pytest.fixture
def deep(history):
    """Two layers: the first turns at 12, the second only falls."""
    curves = np.stack([valley(12), np.exp(-np.arange(T) / 20)], axis=-1)[:, None, :, None]
    radius = np.broadcast_to(curves, (T, R, 2, 3)).astype(np.float32)
    of_two = {name: np.repeat(values, 2, axis=2) for name, values in history.measures.items()}
    recipe = {"lr": 0.5, "optimizer": "sgd", "batch_size": None}
    meta = {**history.meta, "recipe": recipe}
    history = dataclasses.replace(history, layers=(1, 2), meta=meta)
    return with_measures(history, **{**of_two, "radius": radius})


def test_a_profile_has_what_each_layer_says(deep):
    found, profile = find_by_layer(deep, "radius", "all")
    told = layer_findings(deep, profile)
    assert [(layer.layer, layer.verdict, layer.inverting_runs) for layer in told] == [
        (1, "inversion", R),
        (2, "none", 0),
    ]
    assert told[0].lr_update_mean == pytest.approx(0.5 * told[0].update_mean)
    assert told[1].update_mean is told[1].lr_update_mean is None
    assert told[0].depth_mean > 0.02
    assert told[1].depth_mean == 0
    alone = find_stragglers(deep, layer=1)
    np.testing.assert_array_equal(found.sets, alone.sets)
    assert finding_of(deep, found, {}, profile=profile).layers == told


def test_layers_are_chosen_by_name(deep):
    assert find_by_layer(deep, "radius", 2)[0].verdict == "none"
    assert find_by_layer(deep, "radius", None)[0].verdict == "inversion"
    with pytest.raises(StragError, match="has no layer 3; choose `layer` from 1, 2"):
        find_by_layer(deep, "radius", 3)
    with pytest.raises(StragError, match="has no layer first; choose `layer` from 1, 2"):
        find_by_layer(deep, "radius", "first")
