"""The noise of a curve: laws, known answers, and what is not noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strag.geometry.times import evenly
from strag.stragglers.curves import valleys
from strag.stragglers.noise import noise_of

T = np.arange(151)


def log_spaced(number, last=300):
    """Update 0, and the rest evenly spaced in ln t."""
    every = np.arange(last + 1)
    return every[[0, *evenly(every, number - 1)]]


def second_differences(curve):
    """The estimator that takes curvature for noise."""
    return np.median(np.abs(np.diff(curve, 2))) / (0.6744897501960817 * np.sqrt(6))


schedules = st.lists(st.integers(0, 5000), min_size=5, max_size=60, unique=True).map(sorted).map(np.array)


@given(schedules, st.floats(-10, 10), st.floats(-10, 10), st.integers(0, 99))
def test_noise_ignores_a_shift_and_scales_with_the_curve(updates, shift, scale, seed):
    curve = np.random.default_rng(seed).normal(size=len(updates))
    noise = noise_of(updates, curve)
    assert noise > 0
    assert noise_of(updates, scale * curve + shift) == pytest.approx(abs(scale) * noise, rel=1e-9, abs=1e-12)


@given(schedules, st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_noise_of_a_cubic_in_log_time_is_zero(updates, coefficients):
    curve = np.polyval(coefficients, np.log1p(updates) / np.log1p(5000))
    assert noise_of(updates, curve) < 1e-9


@given(schedules, st.integers(0, 99))
def test_a_cubic_in_log_time_adds_no_noise(updates, seed):
    curve = np.random.default_rng(seed).normal(size=len(updates))
    cubic = np.polyval([1, -2, 3, 0], np.log1p(updates))
    assert noise_of(updates, curve + cubic) == pytest.approx(noise_of(updates, curve), rel=1e-6)


def test_noise_of_a_constant_and_of_too_few_records_is_exactly_zero():
    assert noise_of(T, np.full(151, 0.1)) == 0
    for number in range(5):
        assert noise_of(T[:number], np.arange(number) ** 2.0) == 0


@pytest.mark.parametrize(
    "updates",
    [T, log_spaced(60), log_spaced(10), np.arange(1000, 1151), np.arange(0, 1281, 4), np.r_[100:106, 1000]],
    ids=["dense", "60", "10", "late", "every fourth", "a cluster"],
)
def test_noise_is_estimated_as_a_standard_deviation(updates):
    """Within 5 % on average over 4000 / sqrt(T) curves, seed 1."""
    random = np.random.default_rng(1)
    repeats = round(4000 / np.sqrt(len(updates)))
    curve = np.polyval([1, -2, 3, 0], np.log1p(updates))
    estimates = [noise_of(updates, curve + 0.1 * random.normal(size=len(updates))) for _ in range(repeats)]
    assert np.mean(estimates) == pytest.approx(0.1, rel=0.05)


def test_noise_is_told_from_a_dense_curve():
    random = np.random.default_rng(1)
    estimates = [noise_of(T, np.exp(-T / 30) + 0.1 * random.normal(size=151)) for _ in range(200)]
    assert np.mean(estimates) == pytest.approx(0.1, rel=0.02)
    assert noise_of(T, np.exp(-T / 30)) < 1e-4


@pytest.mark.parametrize("number", [9, 10, 12, 15, 20, 30])
def test_a_valley_between_sparse_records_is_not_noise(number):
    """A curve like those of training: down within some ten updates, its bottom near 42, up by a third.

    Second differences take its bends for noise, and twelve records show them no inversion.
    """
    updates = log_spaced(number)
    curve = 1 / (1 + (updates / 12) ** 2) + 0.5 / (1 + (150 / (updates + 1)) ** 2)
    depth = valleys(curve)[5:].max()
    assert depth > 0.2
    assert 10 * noise_of(updates, curve) < depth
    assert (10 * second_differences(curve) > depth) == (number <= 12)


def test_noise_that_lasts_over_dense_records_is_noise():
    """AR(1) noise of correlation 0.9, deviation 1, 100 curves, seed 0: second differences find 0.26."""
    random = np.random.default_rng(0)
    new = random.normal(size=(100, 151)) * np.sqrt(1 - 0.9**2)
    noise = [random.normal(size=100)]
    for one in new.T[1:]:
        noise.append(0.9 * noise[-1] + one)
    curves = np.stack(noise, axis=1)
    assert np.mean([second_differences(curve) for curve in curves]) < 0.3
    assert np.mean([noise_of(T, curve) for curve in curves]) > 0.5


def test_a_step_at_one_place_is_no_noise_everywhere():
    """As where the learning rate drops, and of a valley late in training that is sharp in ln t."""
    smooth = 0.8 + 0.1 * np.square(np.log((T + 1) / 31))
    assert noise_of(T, smooth - 0.1 * (T > 100)) < 0.005
    assert noise_of(T, smooth - 0.5 * np.exp(-np.square((T - 110) / 16))) < 0.005
