"""How often noise is taken for an inversion, and how often an inversion for noise."""

import numpy as np
import pytest

from strag import kinds
from strag.cli import main
from strag.stragglers.curves import Curves
from strag.stragglers.inversion import INVERSION, find_inversion
from tests.stragglers.test_noise import log_spaced

pytestmark = pytest.mark.slow

LEVELS = np.geomspace(1e-3, 1, 10)  # deviation of the noise, as a share of the span
SHAPES = ("fall", "fast fall", "hump", "flat")
DENSE = np.arange(151)


def shape_of(name, updates):
    """A curve without a valley, of span 1, or flat."""
    t = updates / 30
    shapes = {"fall": np.exp(-t), "fast fall": np.exp(-3 * t), "hump": t * np.exp(1 - t)}
    return shapes.get(name, np.ones(len(t)))


def inverts(updates, curve):
    number = len(curve)
    error, loss = np.linspace(0.5, 0.05, number), np.linspace(0.7, 0.1, number)
    curves = Curves(updates, curve, error, loss, np.full(number, 700), 8192)
    return find_inversion(curves, descends=True).verdict == INVERSION


def false_calls(updates, shape, correlation=0.0, repeats=100):
    """How many curves of `repeats` per level of noise are taken for inversions, seed 0: int [10]."""
    random = np.random.default_rng(0)
    noise = random.normal(size=(len(LEVELS), repeats, len(updates)))
    for t in range(1, len(updates)):
        noise[..., t] = correlation * noise[..., t - 1] + np.sqrt(1 - correlation**2) * noise[..., t]
    curves = shape_of(shape, updates) + LEVELS[:, None, None] * noise
    return np.array([sum(inverts(updates, curve) for curve in level) for level in curves])


def worst_rate(updates, correlation=0.0, repeats=100):
    """The share of false calls over all levels of noise, of the worst shape."""
    return max(false_calls(updates, shape, correlation, repeats).mean() / repeats for shape in SHAPES)


@pytest.mark.parametrize("number", [7, 8, 10, 12, 15, 20, 30, 60])
def test_noise_on_sparse_records_is_hardly_ever_an_inversion(number):
    """Of 2000 curves per shape, 200 for each level of noise, over log-spaced records from 0 to 300, seed 0:

    records     7  8  10  12  15  20  30  60
    fall        0  2   1   1   0   0   1   0
    fast fall   6  6   0   2   0   0   1   0
    hump        0  0   0   0   0   0   1   0
    flat        3  2   1   1   1   0   0   0

    At most 4 of the 200 of one level. The median of second differences makes at most 3 of 2000.
    """
    calls = [false_calls(log_spaced(number), shape, repeats=200) for shape in SHAPES]
    assert max(of_shape.sum() for of_shape in calls) <= 10
    assert max(of_shape.max() for of_shape in calls) <= 6


@pytest.mark.parametrize("shape", SHAPES)
def test_noise_on_dense_records_is_no_inversion(shape):
    """None of 1000 curves per shape, which bounds the rate by 0.003 with 95 % confidence."""
    assert false_calls(DENSE, shape).sum() == 0


@pytest.mark.parametrize(
    ("updates", "bounds"),
    [
        (DENSE, [0.003, 0.003, 0.006, 0.03]),
        (log_spaced(60), [0.006, 0.006, 0.03, 0.16]),
        (log_spaced(30), [0.01, 0.02, 0.07, 0.14]),
        (log_spaced(10), [0.01, 0.02, 0.02, 0.02]),
    ],
    ids=["dense", "60", "30", "10"],
)
def test_noise_that_lasts_is_taken_for_inversions_at_known_rates(updates, bounds):
    """AR(1) noise, 500 curves per shape, seed 0, the worst shape; in brackets what second differences give:

    correlation        0.3            0.5            0.7            0.9
    151 dense     0     (0)      0     (0.012)  0     (0.236)  0.012 (0.854)
    60 log-spaced 0     (0)      0     (0.002)  0.012 (0.052)  0.108 (0.278)
    30            0.002 (0)      0.006 (0)      0.044 (0.018)  0.094 (0.07)
    10            0.002 (0.002)  0.006 (0.002)  0.008 (0.002)  0.006 (0.004)
    """
    rates = [worst_rate(updates, correlation, repeats=50) for correlation in (0.3, 0.5, 0.7, 0.9)]
    assert all(rate <= bound for rate, bound in zip(rates, bounds, strict=True)), rates


def test_a_training_inverts_on_ten_records_as_on_all(tmp_path):
    """Three runs on mnist8k at lr 0.2, 300 epochs, depth 0.52 to 0.59, by their class radii."""
    history = str(tmp_path / "history")
    recipe = "--runs 3 --epochs 300 --lr 0.2 --record-every 1 --test-every never --threads 1 -q"
    assert main(["train", *recipe.split(), "-o", history]) == 0
    found = kinds.read(history)
    for curve in found.observable().T:
        assert inverts(found.updates, curve)
        for number in (8, 9, 10, 12, 15, 20, 30, 60):
            records = log_spaced(number)
            if np.argmin(curve[records]) >= 5:
                assert inverts(records, curve[records]), number
            else:
                assert number == 8
