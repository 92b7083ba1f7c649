"""Laws of the class moments, and known radii."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strag.errors import StragError
from strag.geometry.moments import ClassMoments, normalise, rms_radius, separation

C, N = 3, 6
seeds = st.integers(0, 2**32 - 1)


def cloud(seed, B=40, dtype=np.float64):
    random = np.random.default_rng(seed)
    x = normalise((random.normal(size=(B, N)) + 0.5 * random.normal(size=N)).astype(dtype))
    return x, np.concatenate([np.arange(C), random.integers(C, size=B - C)])


def shape_of(x, labels):
    moments = ClassMoments.of(x, labels, C)
    return np.concatenate([moments.radii(), moments.distances(), [moments.separation()]])


@given(seeds)
def test_radius_is_the_rms_distance_to_the_class_mean(seed):
    x, labels = cloud(seed)
    moments = ClassMoments.of(x, labels, C)
    for c in range(C):
        members = x[labels == c]
        spread = np.square(members - members.mean(axis=0)).sum(axis=1).mean()
        assert moments.radii()[c] == pytest.approx(np.sqrt(spread), abs=1e-7)


@given(seeds, st.lists(st.integers(1, 39), max_size=4))
def test_merged_tiles_equal_the_whole(seed, cuts):
    x, labels = cloud(seed)
    whole = ClassMoments.of(x, labels, C)
    merged, grown = ClassMoments.zeros((), C, N), ClassMoments.zeros((), C, N)
    for part in np.split(np.arange(len(x)), sorted(cuts)):
        merged = merged.merge(ClassMoments.of(x[part], labels[part], C))
        grown.add(x[part], labels[part])
    for moments in (merged, grown):
        np.testing.assert_allclose(moments.radii(), whole.radii(), atol=1e-9)
        np.testing.assert_allclose(moments.distances(), whole.distances(), atol=1e-9)


@given(seeds)
def test_invariant_under_rotation_and_permutation_of_features(seed):
    x, labels = cloud(seed)
    random = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(random.normal(size=(N, N)))
    np.testing.assert_allclose(shape_of(x @ rotation, labels), shape_of(x, labels), atol=1e-7)
    np.testing.assert_allclose(shape_of(x[:, random.permutation(N)], labels), shape_of(x, labels), atol=1e-7)


@given(seeds)
def test_invariant_under_scaling_of_examples(seed):
    x, labels = cloud(seed)
    scaled = normalise(x * np.random.default_rng(seed).uniform(0.01, 100, size=(len(x), 1)))
    np.testing.assert_allclose(shape_of(scaled, labels), shape_of(x, labels), atol=1e-7)


@given(seeds)
def test_two_classes_on_the_sphere_obey_the_identity_of_radius_and_distance(seed):
    x, labels = cloud(seed)
    labels = labels % 2
    moments = ClassMoments.of(x, labels, 2)
    mean = moments.means().mean(axis=0)
    expected = 1 - mean @ mean - moments.distances()[0] ** 2 / 4
    assert rms_radius(moments.radii()) ** 2 == pytest.approx(expected, abs=1e-9)


@given(seeds)
def test_separation_from_radii_and_distances_equals_its_definition(seed):
    x, labels = cloud(seed)
    moments = ClassMoments.of(x, labels, C)
    mean = moments.means().mean(axis=0)
    spread = (moments.mean_norm2() - mean @ mean).mean()
    definition = 1 - np.square(moments.radii()).mean() / spread
    assert separation(moments.radii(), moments.distances()) == pytest.approx(definition, abs=1e-9)


def test_small_radii_survive_float32_rounding():
    """1 - |m|^2 would give noise of 3e-4 here."""
    random = np.random.default_rng(0)
    x = normalise((np.ones(20) + 1e-3 * random.normal(size=(5000, 20))).astype(np.float32))
    exact = ClassMoments.of(x.astype(np.float64), np.zeros(5000, int), 1).radii()[0]
    tiled = ClassMoments.zeros((), 1, 20)
    for start in range(0, 5000, 1000):
        tiled.add(x[start : start + 1000], np.zeros(1000, int))
    assert exact == pytest.approx(1e-3, rel=0.05)
    assert tiled.radii()[0] == pytest.approx(exact, abs=2e-4)


def test_known_answer():
    x = np.array([[1, 0], [0, 1], [-1, 0], [-1, 0]], dtype=float)
    moments = ClassMoments.of(x, np.array([0, 0, 1, 1]), 2)
    np.testing.assert_allclose(moments.radii(), [np.sqrt(0.5), 0])
    np.testing.assert_allclose(moments.distances(), [np.sqrt(1.5**2 + 0.5**2)])
    # within: mean of 0.5 and 0; between: |m_c - m|^2 = D^2 / 4
    assert moments.separation() == pytest.approx(1 - 0.25 / (0.25 + 2.5 / 4))


def test_empty_class_is_nan_and_left_out_of_the_means():
    x, labels = cloud(1)
    moments = ClassMoments.of(x, labels % 2, 3)
    two = ClassMoments.of(x, labels % 2, 2)
    assert np.isnan(moments.radii()[2])
    assert np.isnan(moments.distances()[1:]).all()
    assert rms_radius(moments.radii()) == pytest.approx(rms_radius(two.radii()))
    assert moments.separation() == pytest.approx(two.separation())


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_finite_spoils_its_own_class_alone(value, dtype):
    x, labels = cloud(1, dtype=dtype)
    x = np.stack([x, cloud(2, dtype=dtype)[0]])
    clean = ClassMoments.of(x, labels, C)
    x[1, np.flatnonzero(labels == 2)[:2], 3] = value
    found, tiled = ClassMoments.of(normalise(x), labels, C), ClassMoments.zeros((2,), C, N)
    for part in np.split(np.arange(len(x[0])), [3, 20]):
        tiled.add(normalise(x[:, part]), labels[part])
    for moments in (found, tiled):
        np.testing.assert_allclose(moments.radii()[0], clean.radii()[0], atol=1e-6)
        np.testing.assert_allclose(moments.radii()[1, :2], clean.radii()[1, :2], atol=1e-6)
        np.testing.assert_allclose(moments.distances()[1, 0], clean.distances()[1, 0], atol=1e-6)
        assert np.isnan(moments.radii()[1, 2])
        assert np.isnan(moments.distances()[1, 1:]).all()
        np.testing.assert_array_equal(moments.count, clean.count)
        np.testing.assert_array_equal(np.isnan(moments.separation()), [False, True])


def test_a_class_with_examples_and_no_radius_is_no_class_without_examples():
    radius, distance = np.array([[0.3, np.nan, 0.4], [0.3, 0.2, 0.4]]), np.ones((2, 3))
    distance[0, [0, 2]] = np.nan  # pairs 01, 02, 12
    two = np.array([True, False, True])
    expected = 0.25 / (0.125 + 0.25)  # one pair at distance 1, over 2^2
    np.testing.assert_allclose(rms_radius(radius, two), np.sqrt(0.125))
    np.testing.assert_allclose(separation(radius, distance, two), expected)
    np.testing.assert_allclose(rms_radius(radius)[0], np.sqrt(0.125))
    np.testing.assert_allclose(separation(radius, distance)[0], expected)
    for present in (True, np.ones(3, bool), np.ones((2, 3), bool)):
        np.testing.assert_array_equal(np.isnan(rms_radius(radius, present)), [True, False])
        np.testing.assert_array_equal(np.isnan(separation(radius, distance, present)), [True, False])
        assert rms_radius(radius, present)[1] == rms_radius(radius)[1]
        assert separation(radius, distance, present)[1] == separation(radius, distance)[1]
    assert np.isnan(rms_radius(radius, False)).all()
    assert np.isnan(separation(radius, distance, False)).all()


def test_zero_vectors_stay_zero_and_are_counted_by_the_norm():
    x = normalise(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(x, [[0.6, 0.8], [0, 0]])
    assert ClassMoments.of(x, np.zeros(2, int), 1).mean_norm2()[0] == pytest.approx(0.5)


def test_leading_axes_are_independent():
    x = np.stack([cloud(1)[0], cloud(2)[0]])
    labels = cloud(1)[1]
    both = ClassMoments.of(x, labels, C)
    for run in range(2):
        np.testing.assert_allclose(both.radii()[run], ClassMoments.of(x[run], labels, C).radii())


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(StragError, match="do not fit"):
        ClassMoments(np.ones(2), np.ones((3, 4)), np.ones(2))
