"""The participation ratio: Gaussians, lines, simplices, and both ways to compute it."""

import numpy as np
import pytest

from strag.geometry.participation import Participation
from tests.geometry.clouds import values_in


def ratio(points, tile=7):
    """The participation ratio of one class, fed tile by tile."""
    visitor = Participation(points.mean(axis=0), len(points))
    for start in range(0, len(points), tile):
        visitor.add(points[start : start + tile])
    return visitor.value()


@pytest.mark.parametrize(("P", "N"), [(30, 5), (8, 20), (20, 20)])
def test_gaussians_have_the_exact_expectation(P, N):
    """1 / PR is tr S^2 / (tr S)^2, which is independent of tr S: it has the ratio of the expectations."""
    random = np.random.default_rng(0)
    inverse = [1 / ratio(random.normal(size=(P, N))) for _ in range(300)]
    assert np.mean(inverse) == pytest.approx(
        (N + P) / (N * (P - 1) + 2), abs=4 * np.std(inverse) / np.sqrt(300)
    )


@pytest.mark.parametrize("N", [3, 12])
def test_the_definition_for_more_and_for_fewer_units_than_examples(N):
    points = np.random.default_rng(0).normal(size=(7, N)) + 5
    values = np.linalg.eigvalsh(np.cov(points.T, bias=True))
    assert ratio(points, tile=2) == pytest.approx(values.sum() ** 2 / np.square(values).sum())


def test_known_answers():
    assert ratio(np.outer(np.arange(9.0), [1, 2, 3])) == pytest.approx(1)  # a line
    assert ratio(np.concatenate([np.eye(4), -np.eye(4)])) == pytest.approx(4)
    assert ratio(np.eye(6)) == pytest.approx(5)  # a simplex
    assert ratio(1e6 + np.concatenate([np.eye(4), -np.eye(4)])) == pytest.approx(4)  # far from the origin


@pytest.mark.parametrize("points", [[[1.0, 2, 3]], [[0.1, 0.2, 0.7]] * 50, [[0.0, 0, 0]] * 3])
def test_a_point_has_none(points):
    assert np.isnan(ratio(np.array(points)))


def test_it_is_of_each_class_on_the_sphere():
    random = np.random.default_rng(0)
    h, labels = random.normal(size=(60, 4)) + 1, np.arange(60) % 3
    x = h / np.linalg.norm(h, axis=1, keepdims=True)
    found = values_in(h, labels, ["participation"], tile=11)["participation"]
    np.testing.assert_allclose(found, [ratio(x[labels == c]) for c in range(3)])


def test_it_takes_the_smaller_memory():
    assert Participation.bytes_of(1000, 20) == 8 * 2 * 20 * 20
    assert Participation.bytes_of(10, 5000) == 8 * (2 * 10 * 5000 + 10 * 10)
