"""TwoNN: spheres of known dimension, neighbours, duplicates, and the estimates of other packages."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.geometry.dimension import nearest_two, two_nn
from tests.geometry.clouds import values_in


def sphere(n, d, N=25, seed=0):
    """n points [n, N], uniform on a sphere of d dimensions and of radius 1."""
    x = np.random.default_rng(seed).normal(size=(n, d + 1))
    return np.pad(x / np.linalg.norm(x, axis=1, keepdims=True), ((0, 0), (0, N - d - 1)))


@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_dimension_of_a_sphere(d):
    values = [two_nn(sphere(400, d, seed=seed))[0] for seed in range(20)]
    assert np.mean(values) == pytest.approx(d, abs=4 * np.std(values) / np.sqrt(20) + 0.02 * d)
    assert 0.8 * d < np.std(values) * np.sqrt(400) < 1.9 * d


def test_it_is_the_fit_of_the_paper():
    points = np.random.default_rng(0).normal(size=(60, 3))
    distances = np.sort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)
    x = np.log(np.sort(distances[:, 2] / distances[:, 1])[:54])
    y = -np.log(1 - np.arange(1, 55) / 60)
    (slope,), *_ = np.linalg.lstsq(x[:, None], y, rcond=None)
    assert two_nn(points) == (pytest.approx(slope), 0)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 40), st.sampled_from([1e-6, 1.0, 1e6]))
def test_neighbours_are_those_of_a_plain_search(seed, n, shift):
    """Also where points nearly coincide, and far from the origin, where products lose all digits."""
    random = np.random.default_rng(seed)
    points = random.normal(size=(n, 4)) * 10.0 ** random.integers(-6, 1, size=(n, 1)) + shift
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    distances[np.arange(n), np.arange(n)] = np.inf
    expected = np.sort(distances, axis=1)[:, :2]
    np.testing.assert_allclose(nearest_two(points), expected, rtol=1e-6, atol=1e-8 * max(1, shift))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_duplicates_are_counted_and_change_nothing(seed, number):
    random = np.random.default_rng(seed)
    points = random.normal(size=(40, 3))
    repeated = np.concatenate([points, points[random.integers(40, size=number)]])
    assert two_nn(random.permutation(repeated)) == (pytest.approx(two_nn(points)[0]), number)


@pytest.mark.parametrize(
    ("points", "duplicates"),
    [([[1.0, 0]], 0), ([[1.0, 0]] * 5, 4), ([[0.0, 1], [1, 0]], 0), ([[0.0, 1], [1, 0], [1, 0]], 1)],
)
def test_fewer_than_three_distinct_points_have_none(points, duplicates):
    dimension, number = two_nn(np.array(points))
    assert np.isnan(dimension)
    assert number == duplicates


def test_points_at_equal_steps_have_none():
    angles = 2 * np.pi * np.arange(12) / 12
    dimension, duplicates = two_nn(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    assert np.isnan(dimension)
    assert duplicates == 0


def test_classes_are_measured_apart_and_without_lengths():
    h = np.concatenate([sphere(300, 1), 5 * sphere(300, 4, seed=1), sphere(2, 4)])
    labels = np.repeat([0, 1, 2], (300, 300, 2))
    h[7] = 2 * h[8]  # the same direction
    found = values_in(h, labels, ["dimension", "duplicates"], tile=97)
    for c in (0, 1):
        of_class = h[labels == c] / np.linalg.norm(h[labels == c], axis=1, keepdims=True)
        assert found["dimension"][c] == pytest.approx(two_nn(of_class)[0])
    assert np.isnan(found["dimension"][2])
    assert found["duplicates"].tolist() == [1, 0, 0]


def test_it_is_the_estimate_of_scikit_dimension():
    skdim = pytest.importorskip("skdim")
    for points in (sphere(500, 4), np.random.default_rng(0).normal(size=(300, 12))):
        assert two_nn(points)[0] == pytest.approx(skdim.id.TwoNN().fit(points).dimension_, rel=1e-9)


def test_it_is_the_estimate_of_dadapy():
    dadapy = pytest.importorskip("dadapy")
    for points in (sphere(500, 4), np.random.default_rng(0).normal(size=(300, 12))):
        data = dadapy.IdEstimation(coordinates=points)
        data.compute_distances(maxk=3)
        assert two_nn(points)[0] == pytest.approx(data.compute_id_2NN(algorithm="base")[0], rel=1e-5)
