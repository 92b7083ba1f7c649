"""Sums of activations of any size and type: those of the definition, whatever the tiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.geometry.moments import ClassMoments, normalise
from strag.geometry.sums import ClassSums, rows_of_tile

C, N = 5, 7
seeds = st.integers(0, 2**32 - 1)


def cloud(seed, P=60, dtype=np.float64):
    """Activations of many lengths, and labels of C classes."""
    random = np.random.default_rng(seed)
    h = (random.normal(size=(P, N)) + random.normal(size=N)) * random.uniform(0.01, 100, size=(P, 1))
    return h.astype(dtype), np.concatenate([np.arange(C), random.integers(C, size=P - C)])


def summed(h, labels, cuts=(), kept=None, classes=C):
    sums = ClassSums(classes, h.shape[1])
    for rows in np.split(np.arange(len(h)), sorted(cuts)):
        sums.add(h[rows], labels[rows], None if kept is None else kept[rows])
    return sums


def defined(h, labels, classes=C):
    return ClassMoments.of(normalise(h.astype(np.float64)), labels, classes)


def shape_of(moments):
    return np.concatenate([moments.radii(), moments.distances(), [moments.separation()]])


def assert_same(found, expected, atol=1e-12):
    for name in ("count", "total", "norm2"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=atol, err_msg=name)


@settings(deadline=None)
@given(seeds, st.lists(st.integers(0, 60), max_size=5), st.sampled_from(["f2", "f4", "f8", ">f4"]))
def test_any_tiles_of_any_type_are_the_definition(seed, cuts, dtype):
    h, labels = cloud(seed, dtype=dtype)
    assert_same(summed(h, labels, cuts).moments(), defined(h, labels))


@settings(deadline=None)
@given(seeds)
def test_order_of_examples_and_names_of_classes_change_nothing(seed):
    h, labels = cloud(seed)
    random = np.random.default_rng(seed)
    order, renamed = random.permutation(len(h)), random.permutation(C)
    expected = summed(h, labels).moments()
    assert_same(summed(h[order], labels[order], [20]).moments(), expected)
    found = summed(h, renamed[labels]).moments()
    np.testing.assert_allclose(found.radii()[renamed], expected.radii(), atol=1e-9)


@settings(deadline=None)
@given(seeds)
def test_rotation_and_scale_change_nothing(seed):
    h, labels = cloud(seed)
    random = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(random.normal(size=(N, N)))
    scaled = h * 2.0 ** random.integers(-20, 20, size=(len(h), 1))
    expected = shape_of(summed(h, labels).moments())
    np.testing.assert_allclose(shape_of(summed(h @ rotation, labels).moments()), expected, atol=1e-9)
    np.testing.assert_allclose(shape_of(summed(scaled, labels).moments()), expected, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e307])
def test_lengths_whose_square_is_no_float64_have_a_direction(scale):
    h, labels = cloud(3)
    expected = summed(h, labels).moments()
    h[[4, 40]] *= scale / np.abs(h[[4, 40]]).max()
    assert_same(summed(h, labels).moments(), expected, atol=1e-9)


def test_half_precision_beyond_its_largest_square():
    h, labels = cloud(1)
    h = (60000 * h / np.abs(h).max(axis=1, keepdims=True)).astype(np.float16)
    assert (np.square(h.astype(float)).sum(axis=1) > 65504).all()
    assert_same(summed(h, labels).moments(), defined(h, labels))
    assert np.isfinite(summed(h, labels).moments().radii()).all()


def test_zero_vectors_stay_zero():
    h, labels = cloud(2)
    h[labels == 1] = 0
    h[:20:2] = 0
    found = summed(h, labels, [7])
    assert_same(found.moments(), defined(h, labels))
    assert found.moments().norm2[1] == found.moments().radii()[1] == 0
    assert not found.broken.any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_is_not_finite_takes_the_radius_of_its_class_alone(value, dtype):
    h, labels = cloud(1, dtype=dtype)
    expected = defined(h, labels)
    h[np.flatnonzero(labels == 2)[:3], [0, 3, 6]] = value
    h[np.flatnonzero(labels == 4)[1]] = value
    found = summed(h, labels, [9, 30])
    np.testing.assert_array_equal(found.broken, [0, 0, 3, 0, 1])
    assert np.isnan(found.moments().radii()).tolist() == [False, False, True, False, True]
    assert np.isnan(found.moments().total[[2, 4]]).all()
    for c in (0, 1, 3):
        np.testing.assert_allclose(found.moments().total[c], expected.total[c], atol=1e-12)
    np.testing.assert_array_equal(found.moments().count, expected.count)


def test_only_the_kept_examples_count():
    h, labels = cloud(5)
    kept = np.random.default_rng(5).random(len(h)) < 0.5
    h[np.flatnonzero(~kept)[:3]] = np.nan
    found = summed(h, labels, [13], kept)
    assert_same(found.moments(), defined(h[kept], labels[kept]))
    assert not found.broken.any()
    assert not summed(h, labels, kept=np.zeros(len(h), bool)).moments().count.any()


def test_more_classes_than_examples():
    h, labels = cloud(6)
    labels = labels * 100
    found = summed(h, labels, [1, 2], classes=450).moments()
    assert_same(found, defined(h, labels, 450))
    assert (~np.isnan(found.radii())).sum() == C


def test_tiles_are_bounded_whatever_the_width():
    for width in (1, 20, 512, 100_000, 1 << 30):
        rows = rows_of_tile(width)
        assert rows == 1 or rows * width * 8 <= 1 << 24


def test_distances_in_pieces_are_the_distances(monkeypatch):
    moments = ClassMoments.of(np.random.default_rng(0).normal(size=(2, 3, 60, N)), np.arange(60) % C, C)
    whole = moments.distances()
    for numbers in (1, 100, 200):
        monkeypatch.setattr("strag.geometry.moments._DIFFERENCES", numbers)
        np.testing.assert_array_equal(moments.distances(), whole)
    only = ClassMoments.of(np.ones((2, 4, N)), np.zeros(4, int), 1)
    assert only.distances().shape == (2, 0)
