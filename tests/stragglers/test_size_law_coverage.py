"""The intervals of a law of size hold the truth as often as they say, in simulated studies."""

import numpy as np
import pytest

from strag.stragglers.size_law import size_law

pytestmark = pytest.mark.slow

STUDIES = 4000
LEAST = 0.93  # of intervals of 95 %; a share of 4000 studies has a standard error of 0.4 %
LIMIT, RISE, SEED_STD, BLOCK_STD = 0.105, 0.08, 0.0016, 0.005  # of eps*, about; block s.d. at P = 8192
SIX = [512, 1024, 2048, 4096, 8192, 16384]
FOUR = SIX[1:5]
SEVEN = [*SIX[1:], 32768, 60000]
CONSTANT, FALLING = 0.0, 0.5  # d of a block s.d. that falls as P^-d


def values_of(sizes, numbers, b, fall, random, rise=RISE):
    """Blocks of 4 to 10 seeds each, of a law that rises by `rise` from the smallest size to its limit."""
    means = [LIMIT - rise * (P / sizes[0]) ** -b for P in sizes]
    spreads = [BLOCK_STD * (P / 8192) ** -fall for P in sizes]
    return [
        [
            mean + spread * random.normal() + SEED_STD * random.normal(size=random.integers(4, 11))
            for _ in range(number)
        ]
        for mean, spread, number in zip(means, spreads, numbers, strict=True)
    ]


def share_held(sizes, numbers, b, fall, rise=RISE, shared=0.0, told=True):
    """Shares of studies whose intervals of b, limit and limit_one hold the truth; all have intervals."""
    random = np.random.default_rng(1)
    held = []
    for _ in range(STUDIES):
        shift = shared * random.normal()
        blocks = values_of(sizes, numbers, b, fall, random, rise)
        moved = [[values + shift for values in of_size] for of_size in blocks]
        law = size_law(sizes, moved, shared**2 if told else 0.0)
        held.append(
            (
                law.b_low <= b <= law.b_high,
                law.limit_low <= LIMIT <= law.limit_high,
                law.limit_one_low <= LIMIT <= law.limit_one_high,
            )
        )
    return np.mean(held, axis=0)


@pytest.mark.parametrize(
    ("sizes", "numbers", "b", "fall"),
    [
        (SIX, [2] * 6, 1.0, CONSTANT),
        (SIX, [2] * 6, 0.5, FALLING),
        (SIX, [3] * 6, 2.0, CONSTANT),
        (SIX, [5] * 6, 0.5, CONSTANT),
        (SIX, [5] * 6, 1.05, FALLING),
        (SIX, [10] * 6, 1.0, FALLING),
        (SIX, [5, 5, 5, 5, 5, 1], 1.0, CONSTANT),
        (SIX, [5, 5, 5, 5, 5, 1], 2.0, FALLING),
        (SIX, [2, 2, 2, 2, 1, 1], 1.0, CONSTANT),
        (FOUR, [2] * 4, 1.0, CONSTANT),
        (FOUR, [10, 2, 2, 2], 2.0, CONSTANT),
        (FOUR, [5] * 4, 0.5, FALLING),
        (SEVEN, [5, 5, 5, 5, 3, 1, 1], 1.05, FALLING),
    ],
)
def test_intervals_hold_the_truth(sizes, numbers, b, fall):
    of_b, of_limit, of_one = share_held(sizes, numbers, b, fall)
    assert of_b >= LEAST
    assert of_limit >= LEAST
    if b == 1:
        assert of_one >= LEAST


@pytest.mark.parametrize(("sizes", "number", "fall"), [(SIX, 3, CONSTANT), (FOUR, 2, FALLING)])
def test_the_limits_of_a_flat_curve_hold_its_level(sizes, number, fall):
    assert min(share_held(sizes, [number] * len(sizes), 1.0, fall, rise=0.0)[1:]) >= LEAST


def test_limits_hold_the_truth_under_an_error_that_all_values_share_if_told_of_it():
    assert min(share_held(SIX, [5] * 6, 1.0, CONSTANT, shared=0.004)) >= LEAST
    untold = share_held(SIX, [5] * 6, 1.0, CONSTANT, shared=0.004, told=False)
    assert untold[0] >= LEAST
    assert max(untold[1:]) < 0.93


def nested(sizes, numbers, b, random):
    """Values of blocks that are parts of each other: block n of P holds examples n P to (n + 1) P of one row.

    Every stretch of the smallest size has an error of its own, and a block the mean of those of its parts.
    """
    unit = sizes[0]
    longest = max(P * number for P, number in zip(sizes, numbers, strict=True)) // unit
    parts = BLOCK_STD * (8192 / unit) ** 0.5 * random.normal(size=longest)
    return [
        [
            LIMIT
            - RISE * (P / unit) ** -b
            + parts[number * (P // unit) : (number + 1) * (P // unit)].mean()
            + SEED_STD * random.normal(size=5)
            for number in range(of_size)
        ]
        for P, of_size in zip(sizes, numbers, strict=True)
    ]


@pytest.mark.parametrize("b", [1.0, 2.0])
@pytest.mark.parametrize(
    "numbers", [[3] * 6, [10] * 6, [5, 5, 5, 5, 5, 1], [64, 32, 16, 8, 4, 2], [32, 16, 8, 4, 2, 1]], ids=str
)
def test_intervals_hold_for_blocks_that_are_parts_of_each_other(numbers, b):
    random, held = np.random.default_rng(2), []
    for _ in range(STUDIES // 4):
        law = size_law(SIX, nested(SIX, numbers, b, random))
        held.append((law.b_low <= b <= law.b_high, law.limit_low <= LIMIT <= law.limit_high))
        if b == 1:
            held[-1] += (law.limit_one_low <= LIMIT <= law.limit_one_high,)
    assert (np.mean(held, axis=0) >= LEAST).all()
