"""What float32 can hold of people's numbers, and what is refused because it cannot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strag.datasets.numbers import LOST, stored
from tests.files.makers import refused

RANDOM = np.random.default_rng(0)
SPREAD = RANDOM.integers(0, 256, (40, 3)).astype(float)


def test_bytes_stay_bytes():
    x = RANDOM.integers(0, 256, (5, 2, 3), dtype=np.uint8)
    assert stored(x, "x").dtype == np.uint8
    np.testing.assert_array_equal(stored(x, "x"), x)


@pytest.mark.parametrize("dtype", ["b1", "i1", "<u2", ">i4", "<f2", ">f4", "<f8", np.longdouble])
def test_numbers_become_float32(dtype):
    x = RANDOM.integers(0, 2, (6, 2, 2)).astype(dtype)
    found = stored(np.asfortranarray(x), "x")
    assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
    np.testing.assert_array_equal(found, x.astype(float))


@pytest.mark.parametrize(
    "x",
    [
        1e9 + SPREAD,
        -1e12 + SPREAD,
        (2**53 + SPREAD).astype(np.int64),
        np.int64(2**62) + SPREAD.astype(np.int64),
        np.uint64(2**63 + 2**62) + SPREAD.astype(np.uint64),
        1 + 1e-9 * SPREAD,
        1e-50 * SPREAD,
        1e-46 * SPREAD,
        1e300 + 0 * SPREAD + 1e290 * SPREAD,
        (1.7e9 + SPREAD).astype(np.longdouble),
    ],
    ids=["offset", "below", "long", "longer", "unsigned", "tiny", "under", "subnormal", "large", "wide"],
)
def test_differences_that_float32_loses_are_refused(x):
    for there in (0, 2):  # one such input among good ones
        good = SPREAD.astype(x.dtype)
        good[:, there] = x[:, there]
        refused(lambda good=good: stored(good, "x"), "'x'")
    refused(lambda: stored(x, "x"), "'x'")


def test_the_input_is_named_with_its_range():
    x = np.stack([SPREAD[:, 0], 1.6e9 + SPREAD[:, 1]], axis=1)
    text = refused(
        lambda: stored(x, "x_test"), "input 1 of 'x_test' has values from 16000000", "float32 cannot hold"
    )
    assert "subtract its mean" in text


@pytest.mark.parametrize(
    "x",
    [
        1e9 + 1e7 * RANDOM.random((40, 3)),  # a year of time stamps
        1e-30 * SPREAD,
        np.full((40, 3), 1e9 + 1),  # constant, though no float32
        1000 + SPREAD,
        np.array([[1e30], [1.0], [2.0]]),
        SPREAD.astype(np.int64) * 2**40,
        RANDOM.integers(0, 2**16, (40, 3)).astype(np.uint16),
    ],
)
def test_what_float32_holds_is_kept(x):
    found = stored(x, "x").astype(float)
    spread = x.astype(float).std(axis=0)
    assert (np.abs(found - x).max(axis=0) <= LOST * np.where(spread > 0, spread, np.inf)).all()


@given(st.integers(-40, 40), st.floats(-1e6, 1e6, width=32), st.integers(0, 99))
def test_kept_or_refused_but_never_lost(power, offset, seed):
    unit = np.random.default_rng(seed).normal(size=(20, 1))
    x = offset * 2.0**power + unit * 2.0**power
    lost = np.abs(x.astype(np.float32) - x).max() > LOST * x.std()
    if lost:
        refused(lambda: stored(x, "x"), "float32 cannot hold")
    else:
        assert np.abs(stored(x, "x") - x).max() <= LOST * x.std()


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros(5), "'x' has shape [5]"),
        (np.full((5, 2), 1e39), "too large for float32"),
        (np.array([["a", "b"]]), "holds <U1, not numbers"),
        (np.zeros((5, 2), complex), "holds complex128, not numbers"),
        (np.zeros((5, 2), "M8[s]"), "holds datetime64[s], not numbers"),
        (np.zeros((5, 2), [("a", "f4")]), "not numbers"),
    ],
)
def test_what_are_no_inputs(x, words):
    refused(lambda: stored(x, "x"), words)


def test_what_is_not_finite_passes_to_the_check_that_names_its_row():
    x = SPREAD.copy()
    x[3, 1] = np.nan
    x[4, 2] = np.inf
    np.testing.assert_array_equal(stored(x, "x"), x.astype(np.float32))


def test_wide_data_are_looked_at_in_tiles(monkeypatch):
    monkeypatch.setattr("strag.datasets.numbers.TILE", 80)
    x = RANDOM.random((40, 9))
    np.testing.assert_array_equal(stored(x, "x"), x.astype(np.float32))
    x[:, 7] += 1e9
    refused(lambda: stored(x, "x"), "input 7 of 'x'")


def test_test_examples_are_judged_beside_the_training_ones():
    x = np.array([[0.3], [0.3 + 1e-9]])
    refused(lambda: stored(x, "x_test"), "has values from 0.3 to 0.300000001", "cannot hold")
    assert stored(x, "x_test", SPREAD[:, :1]).shape == (2, 1)
    refused(lambda: stored(SPREAD + 1e9, "x_test", SPREAD + 1e9), "float32 cannot hold")
