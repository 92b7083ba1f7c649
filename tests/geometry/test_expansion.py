"""The laws of the shares: they sum to the change of R_c^2, and only what moves has one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strag.errors import StragError
from strag.geometry.expansion import divided, expansion, summarised
from strag.geometry.moments import ClassMoments, normalise


def networks(seed, R=3, P=40, N=5, classes=3, dtype=np.float32):
    """Activations of two states [R, P, N], groups, and the trained examples of each network."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, N))
    group = np.arange(P) % classes
    states = [(centres[group] * scale + random.normal(size=(R, P, N))).astype(dtype) for scale in (0.5, 2)]
    return states, group, random.random((R, P)) < 0.8


def visiting(states, tile=7, runs=2):
    """The `visit` of activations, in tiles of some networks and some examples."""
    R, P = states[0].shape[:2]

    def visit():
        for first in range(0, R, runs):
            for start in range(0, P, tile):
                some, rows = range(first, min(first + runs, R)), slice(start, min(start + tile, P))
                yield some, rows, *(h[some, rows] for h in states)

    return visit


def radii2(h, group, kept, classes):
    """R_c^2 as the mean squared distance to the class mean, from its definition."""
    x = normalise(h.astype(np.float64))
    members = [x[kept & (group == c)] for c in range(classes)]
    return [np.square(of - of.mean(axis=0)).sum(axis=1).mean() if len(of) else np.nan for of in members]


@given(
    seed=st.integers(0, 2**32 - 1),
    classes=st.integers(1, 5),
    N=st.integers(1, 9),
    tile=st.integers(1, 41),
    runs=st.integers(1, 3),
)
def test_the_shares_of_a_class_sum_to_the_change_of_its_squared_radius(seed, classes, N, tile, runs):
    states, group, trained = networks(seed, N=N, classes=classes)
    found = expansion(visiting(states, tile, runs), group, trained, classes)
    for run, kept in enumerate(trained):
        before, after = (radii2(h[run], group, kept, classes) for h in states)
        np.testing.assert_allclose(found.radius2[:, run], [before, after], atol=1e-12)
        assert np.isnan(found.share[run]).tolist() == (~kept).tolist()
        for c in range(classes):
            members = kept & (group == c)
            assert found.count[run, c] == members.sum()
            if members.any():
                larger = max(before[c], after[c], 1e-9)
                assert abs(found.share[run, members].sum() - (after[c] - before[c])) < 1e-5 * larger


@given(st.integers(0, 2**32 - 1))
def test_the_other_way_round_the_shares_change_their_sign(seed):
    states, group, trained = networks(seed)
    there = expansion(visiting(states), group, trained, 3)
    back = expansion(visiting(states[::-1]), group, trained, 3)
    np.testing.assert_allclose(back.share, -there.share, atol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_rotation_and_the_lengths_of_activations_change_nothing(seed):
    states, group, trained = networks(seed, dtype=np.float64)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))[0]
    turned = [3 * h @ rotation for h in states]
    found, again = (expansion(visiting(h), group, trained, 3) for h in (states, turned))
    np.testing.assert_allclose(again.share, found.share, atol=1e-12)


def test_tiles_change_nothing():
    states, group, trained = networks(0)
    whole, tiled = (expansion(visiting(states, *sizes), group, trained, 3) for sizes in ((40, 3), (1, 1)))
    np.testing.assert_allclose(tiled.share, whole.share, atol=1e-14)


def test_an_example_that_does_not_move_has_no_share_although_its_class_moves():
    (before, after), group, trained = networks(1)
    after[:, :6] = 2 * before[:, :6]  # the same direction
    found = expansion(visiting([before, after]), group, trained, 3)
    still = np.where(trained, found.share, 0)[:, :6]
    np.testing.assert_allclose(still, 0, atol=1e-7)
    assert (np.abs(found.share[:, 6:][trained[:, 6:]]) > 1e-4).all()


def test_the_sign_is_known():
    """Of two examples at the mean of their class, the one that leaves it expands the class."""
    before = np.array([[[1.0, 0], [1, 0]]])
    after = np.array([[[1.0, 0], [0, 1]]])
    found = expansion(visiting([before, after]), np.zeros(2, int), np.ones((1, 2), bool), 1)
    np.testing.assert_allclose(found.radius2[:, 0, 0], [0, 0.5], atol=1e-15)
    np.testing.assert_allclose(found.share, [[0, 0.5]], atol=1e-15)


def test_a_zero_activation_counts_as_zero_and_not_as_a_unit_vector():
    before, after = np.ones((1, 2, 2)), np.ones((1, 2, 2))
    after[0, 1] = 0
    found = expansion(visiting([before, after]), np.zeros(2, int), np.ones((1, 2), bool), 1)
    assert found.share.sum() == pytest.approx(found.sums[0, 0])
    assert found.sums[0, 0] == pytest.approx(0.25)


def test_parts_of_disjoint_sets_sum_to_the_change_of_the_mean_over_classes():
    states, group, trained = networks(2)
    trained[0, group == 2] = False  # a class that one network was not trained on
    found = expansion(visiting(states), group, trained, 3)
    members = np.random.default_rng(0).random(trained.shape) < 0.3
    assert found.classes.tolist() == [2, 3, 3]
    np.testing.assert_allclose(found.part(members) + found.part(~members), found.change, atol=1e-12)
    np.testing.assert_allclose(found.change[1:], found.sums[1:].mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(found.change[0], found.sums[0, :2].mean(), atol=1e-12)
    assert np.isnan(found.sums[0, 2])


def test_the_mean_of_an_example_is_over_the_networks_that_trained_on_it():
    states, group, trained = networks(3)
    trained[:, 0], trained[:, 1] = [True, False, True], False
    found = expansion(visiting(states), group, trained, 3)
    assert found.mean()[0] == pytest.approx((found.share[0, 0] + found.share[2, 0]) / 2)
    assert np.isnan(found.mean()[1])


def test_the_radii_are_those_of_class_moments():
    states, group, trained = networks(4)
    found = expansion(visiting(states), group, np.ones_like(trained), 3)
    for state, h in enumerate(states):
        radii = ClassMoments.of(normalise(h), group, 3).radii()
        np.testing.assert_allclose(np.sqrt(found.radius2[state]), radii, atol=1e-5)


def test_activations_that_are_not_finite_are_refused():
    states, group, trained = networks(5)
    trained[1, 3], states[1][1, 3] = True, np.inf
    with pytest.raises(StragError, match="not finite"):
        expansion(visiting(states), group, trained, 3)
    trained[1, 3] = False
    expansion(visiting(states), group, trained, 3)


def test_what_divides_the_change_adds_up_to_it():
    states, group, trained = networks(6)
    found = expansion(visiting(states), group, trained, 3)
    members = np.arange(40) < 10
    parts = divided(found, members, trained)
    assert parts["stragglers"]["mean"] + parts["others"]["mean"] == pytest.approx(found.change.mean())
    assert parts["share_of_change"] == pytest.approx(parts["stragglers"]["mean"] / found.change.mean())
    assert parts["examples"]["largest"] == (trained & members).sum(axis=1).max()
    assert parts["share_of_examples"]["mean"] == pytest.approx(
        ((trained & members).sum(axis=1) / trained.sum(axis=1)).mean()
    )
    assert summarised([1, 2, 6]) == {"mean": 3, "smallest": 1, "largest": 6}
    same = expansion(visiting([states[0], states[0]]), group, trained, 3)
    assert divided(same, members, trained)["share_of_change"] is None
