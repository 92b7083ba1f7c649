"""The overlap of two classes: spheres that touch, nest and coincide."""

import numpy as np
import pytest

from strag.geometry.measures import MEASURES
from strag.geometry.overlap import overlap
from tests.conftest import history_of


def test_spheres_that_touch_have_the_overlap_one():
    radius, distance = np.array([1.0, 2, 0.5]), np.array([3.0, 6, 1])
    np.testing.assert_allclose(overlap(radius, distance), [1, 0.25, 2.5])


def test_two_classes_at_the_same_place_overlap_without_bound():
    assert overlap(np.array([0.2, 0]), np.array([0.0])) == np.inf
    assert np.isnan(overlap(np.zeros(2), np.zeros(1)))


def test_a_class_without_examples_is_in_no_pair():
    values = overlap(np.array([1.0, np.nan, 1]), np.array([np.nan, 2, np.nan]), np.array([True, False, True]))
    np.testing.assert_array_equal(values, [np.nan, 1, np.nan])


def test_every_history_has_it():
    history = history_of(np.full((4, 2), 0.6))
    expected = 2 * 0.6 / history.measures["distance"][0, 0, 0, 0]
    np.testing.assert_allclose(history.observable("overlap"), np.full((4, 2), expected), rtol=1e-6)
    assert MEASURES["overlap"].parts == ("radius", "distance")
    assert history.curve("overlap") == pytest.approx(history.observable("overlap"))
