"""Laws of the linear fit: against lstsq, for linear functions, for noise, and under permutations."""

import numpy as np
import pytest

from strag.geometry.linearity import LinearFit, decisions, differences, linearity, r_squared

RANDOM = np.random.default_rng


def inputs(n=80, m=50, d=7, seed=0):
    random = RANDOM(seed)
    return random.normal(size=(n, d)).astype(np.float32), random.normal(size=(m, d)).astype(np.float32)


def with_intercept(x):
    return np.concatenate([np.ones((len(x), 1)), x.astype(np.float64)], axis=1)


def by_lstsq(fitted, tested, targets):
    coefficients = np.linalg.lstsq(with_intercept(fitted), targets, rcond=None)[0]
    return with_intercept(tested) @ coefficients


class TestFit:
    @pytest.mark.parametrize("min_variance", [0, 0.01])
    @pytest.mark.parametrize("K", [1, 3])
    def test_it_is_least_squares_with_an_intercept(self, K, min_variance):
        fitted, tested = inputs()
        targets = RANDOM(1).normal(size=(80, K)) + 3
        fit = LinearFit(fitted, tested, min_variance)
        np.testing.assert_allclose(fit.predict(targets), by_lstsq(fitted, tested, targets), atol=1e-9)
        assert (fit.inputs, fit.directions, fit.is_determined) == (7, 7, True)

    def test_constant_inputs_are_left_out(self):
        fitted, tested = inputs()
        fitted[:, 2] = 5
        tested[0, 2] = 1e6  # which the fit cannot know
        targets, kept = RANDOM(1).normal(size=(80, 2)), [0, 1, 3, 4, 5, 6]
        fit = LinearFit(fitted, tested)
        expected = by_lstsq(fitted[:, kept], tested[:, kept], targets)
        np.testing.assert_allclose(fit.predict(targets), expected, atol=1e-9)
        assert (fit.inputs, fit.directions) == (6, 6)

    def test_dependent_inputs_give_the_shortest_solution(self):
        fitted, tested = inputs()
        whole = [np.concatenate([x, x[:, :2], x[:, :1] + x[:, 1:2]], axis=1) for x in (fitted, tested)]
        targets = RANDOM(1).normal(size=(80, 2))
        fit = LinearFit(*whole, 0)
        np.testing.assert_allclose(fit.predict(targets), by_lstsq(fitted, tested, targets), atol=1e-5)
        assert (fit.inputs, fit.directions) == (10, 7)

    def test_directions_that_hardly_vary_are_left_out(self):
        fitted, tested = inputs()
        fitted[:, 3] *= 0.01  # a variance of 1e-4
        targets = fitted @ np.arange(7.0)[:, None]
        kept = [0, 1, 2, 4, 5, 6]
        fit = LinearFit(fitted, tested, 0.01)
        assert (fit.inputs, fit.directions) == (7, 6)
        expected = tested[:, kept] @ np.array(kept, float)[:, None]
        np.testing.assert_allclose(fit.predict(targets), expected, atol=0.1)
        whole = LinearFit(fitted, tested, 0)
        np.testing.assert_allclose(whole.predict(targets), tested @ np.arange(7.0)[:, None], atol=1e-5)

    @pytest.mark.parametrize(
        ("n", "m", "is_determined"), [(9, 5, True), (8, 5, False), (0, 5, False), (9, 0, False)]
    )
    def test_it_needs_more_rows_than_coefficients(self, n, m, is_determined):
        fit = LinearFit(*inputs(n, m))
        assert fit.is_determined is is_determined
        values = linearity(fit, RANDOM(0).normal(size=(2, n, 1)), RANDOM(0).normal(size=(2, m, 1)))
        assert np.isfinite(values).all() == is_determined

    def test_the_order_of_rows_does_not_matter(self):
        fitted, tested = inputs()
        logits = RANDOM(2).normal(size=(3, 130, 4)) + np.concatenate([fitted, tested])[:, :4]
        y = differences(logits)
        first, second = RANDOM(3).permutation(80), RANDOM(4).permutation(50)
        one = linearity(LinearFit(fitted, tested), y[:, :80], y[:, 80:])
        other = linearity(LinearFit(fitted[first], tested[second]), y[:, :80][:, first], y[:, 80:][:, second])
        np.testing.assert_allclose(one, other, atol=1e-12)


class TestValues:
    @pytest.mark.parametrize("C", [2, 3, 10])
    def test_linear_functions_are_linear(self, C):
        fitted, tested = inputs()
        weight = RANDOM(5).normal(size=(4, 7, C))
        y = [differences(x @ weight + np.arange(C)) for x in (fitted, tested)]
        share, equal = linearity(LinearFit(fitted, tested), *y)
        np.testing.assert_allclose(share, 1, atol=1e-12)
        assert (equal == 1).all()

    @pytest.mark.parametrize("C", [2, 5])
    def test_noise_is_not(self, C):
        """R^2 of noise on other rows is about -d / n, and decisions agree as often as by chance."""
        fitted, tested = inputs(4000, 4000)
        y = [differences(RANDOM(seed).normal(size=(20, 4000, C))) for seed in (6, 7)]
        share, equal = linearity(LinearFit(fitted, tested), *y)
        assert (share < 0.01).all()
        assert -0.01 < share.mean() < 0.001
        np.testing.assert_allclose(equal.mean(), 1 / C, atol=0.02)

    def test_an_even_function_is_not(self):
        fitted, tested = inputs(2000, 2000)
        y = [np.square(x[None, :, :1].astype(float)) - 1 for x in (fitted, tested)]
        share, _ = linearity(LinearFit(fitted, tested), *y)
        assert abs(share[0]) < 0.02

    def test_r_squared_pools_its_outputs(self):
        y, f = RANDOM(8).normal(size=(2, 30, 3)) * [1, 10, 0.1]
        squares = [((y - f) ** 2).sum(), ((y - y.mean(axis=0)) ** 2).sum()]
        assert r_squared(y, f) == pytest.approx(1 - squares[0] / squares[1])
        assert r_squared(y, y) == 1
        assert r_squared(y, np.broadcast_to(y.mean(axis=0), y.shape)) == 0
        assert r_squared(y, y + 100) < 0
        assert np.isnan(r_squared(np.ones((5, 2)), np.zeros((5, 2))))

    def test_r_squared_does_not_depend_on_scale_and_offset(self):
        fitted, tested = inputs()
        y = [np.tanh(x[None, :, :2].astype(float) * 2) for x in (fitted, tested)]
        fit = LinearFit(fitted, tested)
        one, other = (linearity(fit, *(scale * part + 7 for part in y))[0] for scale in (1, -3e4))
        np.testing.assert_allclose(one, other, rtol=1e-9)

    def test_decisions_are_those_of_the_logits(self):
        logits = RANDOM(9).normal(size=(4, 50, 6)).astype(np.float32)
        np.testing.assert_array_equal(decisions(differences(logits)), logits.argmax(axis=2))
        np.testing.assert_array_equal(decisions(np.array([[0.0, 0.0], [-1.0, 0.0], [2.0, 2.0]])), [0, 0, 1])

    def test_networks_with_infinite_logits_have_no_value(self):
        fitted, tested = inputs()
        y = [differences(np.stack([x[:, :2], x[:, :2]])) for x in (fitted, tested)]
        y[1][0, 3] = np.inf
        share, equal = linearity(LinearFit(fitted, tested), *y)
        assert np.isnan([share[0], equal[0]]).all()
        np.testing.assert_allclose([share[1], equal[1]], 1)
