"""The nearest class mean: separated points, equal distances, and what the network decides."""

import numpy as np
import pytest

from strag.geometry.nearest_mean import nearest_mean
from tests.geometry.clouds import chosen_in, values_in


def test_separated_points_are_all_nearest_to_their_own_mean():
    h = 10 * np.eye(4).repeat(5, axis=0) + np.random.default_rng(0).normal(size=(20, 4)) / 10
    np.testing.assert_array_equal(chosen_in(h, np.arange(20) // 5, "ncm")["ncm"], 1)


def test_classes_that_do_not_differ_are_told_apart_by_chance():
    random = np.random.default_rng(0)
    labels = random.integers(4, size=20_000)
    found = chosen_in(random.normal(size=(20_000, 3)), labels, "ncm")["ncm"]
    assert found.mean() == pytest.approx(0.25, abs=0.02)  # a little above: the means are of these examples


def test_it_is_the_plain_definition():
    random = np.random.default_rng(0)
    points, means = random.normal(size=(50, 3)) + 100, random.normal(size=(4, 3)) + 100
    distances = np.linalg.norm(points[:, None] - means, axis=2)
    np.testing.assert_array_equal(nearest_mean(points, means), distances.argmin(axis=1))


def test_the_first_of_equal_means_is_nearest_and_an_empty_class_never_is():
    means = np.array([[np.nan, np.nan], [1.0, 0], [1.0, 0]])
    np.testing.assert_array_equal(nearest_mean(np.array([[1.0, 0], [-5, 2]]), means), [1, 1])


def test_accuracy_is_on_the_sphere():
    """Without lengths, the second example of class 0 is nearest to its own mean."""
    h = np.array([[1.0, 0.1], [9, 1], [0.1, 1], [1, 9]])
    np.testing.assert_array_equal(chosen_in(h, np.array([0, 0, 1, 1]), "ncm")["ncm"], [1, 1])


def test_a_network_that_is_the_rule_agrees_everywhere():
    means = np.eye(3)  # of equal norms, so that the largest product is that with the nearest
    steps = np.random.default_rng(0).normal(size=(9, 3)) / 2
    h = np.concatenate([mean + sign * steps for mean in means for sign in (1, -1)])  # means are as they were
    labels = np.arange(3).repeat(18)
    assert values_in(h, labels, ["nc4"], weight=means)["nc4"].tolist() == [0, 0, 0]
    assert values_in(h, labels, ["nc4"], weight=means[[1, 2, 0]])["nc4"].tolist() == [1, 1, 1]


def test_disagreement_counts_decisions_and_not_errors():
    """Half of the examples of class 0 are at the mean of class 1, and the network puts them there."""
    means = np.array([[1.0, 0], [0, 1]])
    h = np.concatenate([means[[0] * 9], means[[1]], means[[1] * 10]])
    labels = np.repeat([0, 1], 10)
    found = values_in(h, labels, ["nc4", "ncm"], weight=means)
    assert found["nc4"].tolist() == [0, 0]
    np.testing.assert_allclose(found["ncm"], [0.9, 1])


def test_a_class_that_is_not_finite_has_no_share_and_leaves_the_others_theirs():
    random = np.random.default_rng(0)
    h, labels = random.normal(size=(30, 3)) + 5 * np.eye(3)[np.arange(30) % 3], np.arange(30) % 3
    h[1, 0] = np.nan
    found = chosen_in(h, labels, "ncm", "nc4")
    for values in found.values():
        assert np.isnan(values).tolist() == [False, True, False]
