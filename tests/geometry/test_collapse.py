"""Neural collapse: simplices, Gaussians of known spread, and heads that are and are not the class means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.geometry.collapse import duality, equal_angles, equal_norms
from strag.geometry.moments import ClassMoments
from tests.geometry.clouds import chosen_in, head_of, values_in

C, N = 4, 7
SIMPLEX = np.eye(C, N) - np.eye(C, N).mean(axis=0)  # centred


def moments_of(means, count=3):
    """The ClassMoments of classes whose examples are all at their means, [C, N]."""
    return ClassMoments.of(np.repeat(means, count, axis=0), np.arange(len(means)).repeat(count), len(means))


def within_over_between(h, labels):
    """NC1 from its definition, with matrices of N x N."""
    names = np.unique(labels)
    means = np.stack([h[labels == c].mean(axis=0) for c in names])
    within = np.mean([np.cov(h[labels == c].T, bias=True) for c in names], axis=0)
    return np.trace(within @ np.linalg.pinv(np.cov(means.T, bias=True), rcond=1e-10)) / len(names)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_nc1_is_its_definition(seed, tile):
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(40) % C)[: random.integers(20, 41)]
    h = random.normal(size=(len(labels), N)) + random.normal(size=(C, N))[labels] + 10
    found = values_in(h, labels, ["nc1"], head_of(C, N), tile=tile)["nc1"]
    assert found == pytest.approx(within_over_between(h, labels))


def test_nc1_of_gaussians_around_a_simplex():
    """S_W = sigma^2 I, and S_B has the eigenvalue a^2 / (C - 1), C - 1 times."""
    sigma, a2 = 0.3, np.square(SIMPLEX[0]).sum()
    labels = np.arange(C).repeat(20_000)
    h = SIMPLEX[labels] + sigma * np.random.default_rng(0).normal(size=(len(labels), N))
    expected = sigma**2 * (C - 1) ** 2 / (a2 * C)
    assert chosen_in(h, labels, "nc1")["nc1"] == pytest.approx(expected, rel=0.02)


def test_nc1_is_zero_in_collapse_and_not_defined_for_one_place():
    labels = np.arange(C).repeat(3)
    assert chosen_in(SIMPLEX[labels] + 5, labels, "nc1")["nc1"] == pytest.approx(0, abs=1e-24)
    assert np.isnan(chosen_in(np.ones((12, N)), labels, "nc1")["nc1"])


def test_nc1_does_not_count_a_class_without_trained_examples():
    random, labels = np.random.default_rng(0), np.arange(60) % C
    h, kept = random.normal(size=(60, N)) + random.normal(size=(C, N))[labels], labels < C - 1
    found = chosen_in(h, labels, "nc1", kept=kept)["nc1"]
    assert found == pytest.approx(within_over_between(h[kept], labels[kept]))


def test_nc1_ignores_directions_in_which_the_means_do_not_differ():
    """Two of the means coincide with the middle of the others: S_B has rank 1."""
    h = np.zeros((4, 2, 3))
    h[:, 0, 0] = h[:, 1, 0] = [-1, 1, 0, 0]
    h[:, 0, 1], h[:, 1, 1] = 7, -7
    assert chosen_in(h.reshape(8, 3), np.arange(4).repeat(2), "nc1")["nc1"] == pytest.approx(0, abs=1e-20)


def test_nc2_is_zero_for_a_simplex_alone():
    shifted = moments_of(3 * SIMPLEX + 5)
    assert equal_norms(shifted) == pytest.approx(0, abs=1e-12)
    assert equal_angles(shifted) == pytest.approx(0, abs=1e-12)
    cube = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])  # equal norms, other angles
    assert equal_norms(moments_of(cube)) == pytest.approx(0, abs=1e-12)
    assert equal_angles(moments_of(cube)) == pytest.approx((4 * (1 / 3) + 2 * (2 / 3)) / 6)
    line = np.array([[-3.0], [0], [0], [3]])
    assert equal_norms(moments_of(line)) == pytest.approx(1)  # norms 3, 0, 0, 3


def test_nc2_does_not_count_an_empty_class_and_needs_three():
    three = np.eye(3) + 2
    labels = np.array([0, 2, 3])
    gap = ClassMoments.of(three, labels, 5)
    assert equal_norms(gap) == pytest.approx(0, abs=1e-12)
    assert equal_angles(gap) == pytest.approx(0, abs=1e-12)
    two = ClassMoments.of(three[:2], labels[:2], 5)
    assert np.isnan([equal_norms(two), equal_angles(two)]).all()


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(2 * SIMPLEX, 0), (2 * SIMPLEX + 3, 0), (-SIMPLEX, 4), (np.roll(SIMPLEX, -1, axis=0), 2 + 2 / 3)],
)
def test_nc3_of_heads_along_and_against_the_means(weight, expected):
    """A shift of all weights changes no probability. Rolled corners have the cosine -1/3."""
    assert duality(moments_of(SIMPLEX + 1), weight) == pytest.approx(expected, abs=1e-12)


def test_nc3_of_unrelated_directions_is_two():
    random = np.random.default_rng(0)
    values = [duality(moments_of(SIMPLEX), random.normal(size=(C, N))) for _ in range(300)]
    assert np.mean(values) == pytest.approx(2, abs=0.1)


def test_nc3_without_a_direction_is_not_defined():
    assert np.isnan(duality(moments_of(SIMPLEX), np.ones((C, N))))
    assert np.isnan(duality(moments_of(np.ones((C, N))), SIMPLEX))


def test_one_class_that_is_not_finite_leaves_no_measure_of_all():
    labels = np.arange(C).repeat(3)
    h = np.random.default_rng(0).normal(size=(12, N))
    h[4] = np.inf
    for name, value in chosen_in(h, labels, "nc1", "nc2_norms", "nc2_angles", "nc3").items():
        assert np.isnan(value), name
