"""Laws of a law of size: what moves its estimates and intervals, what does not, and when it has none."""

from dataclasses import astuple, fields

import numpy as np
import pytest

from strag.stragglers.size_law import SizeLaw, size_law

SIZES = [512, 1024, 2048, 4096, 8192, 16384]
INTERVALS = ("b_low", "b_high", "limit_low", "limit_high", "limit_one_low", "limit_one_high")
NEEDS = "needs two blocks or more at each of four sizes"


def study(number, limit=0.1, a=20.0, b=1.0, noise=0.002, sizes=SIZES, seed=2):
    """Blocks of every size: `number` of them, or one number per size, each of five seeds."""
    random = np.random.default_rng(seed)
    numbers = [number] * len(sizes) if isinstance(number, int) else number
    return [
        [limit - a * P**-b + noise * (random.normal() + 0.3 * random.normal(size=5)) for _ in range(of_size)]
        for P, of_size in zip(sizes, numbers, strict=True)
    ]


def intervals(law):
    return [getattr(law, name) for name in INTERVALS]


def test_a_law_of_size_is_found_and_a_flat_curve_is_no_law():
    law = size_law(SIZES, study(4, noise=1e-4))
    assert (law.identifiable, law.reason) == (True, "")
    assert law.b_low <= 1.0 <= law.b_high
    assert law.limit == pytest.approx(0.1, abs=1e-3)
    fitted = law.limit - law.a * np.array(SIZES) ** -law.b
    assert fitted == pytest.approx([0.1 - 20 / P for P in SIZES], abs=3e-4)
    assert law.limit_one_low <= 0.1 <= law.limit_one_high
    flat = size_law(SIZES, study(4, a=0.0))
    assert not flat.identifiable
    assert flat.reason.startswith("the interval of b")
    assert flat.limit_low <= 0.1 <= flat.limit_high


@pytest.mark.parametrize("b", [0.1, 0.5, 1.0, 2.5])
def test_an_exact_law_is_recovered_and_blocks_without_spread_tell_no_interval(b):
    law = size_law(SIZES, study(3, a=0.05 * 512**b, b=b, noise=0.0))
    assert (law.b, law.limit) == (pytest.approx(b, rel=1e-6), pytest.approx(0.1, rel=1e-6))
    assert law.a == pytest.approx(0.05 * 512**b, rel=1e-5)
    assert np.isnan(intervals(law)).all()
    assert (law.identifiable, law.reason) == (False, "the blocks of one size do not differ")


@pytest.mark.parametrize("b", [0.5, 1.0, 2.0])
def test_intervals_shrink_with_the_noise_and_keep_the_truth(b):
    noises = (1e-3, 1e-5, 1e-7)
    laws = [size_law(SIZES, study(5, a=0.05 * 512**b, b=b, noise=noise)) for noise in noises]
    for law, noise in zip(laws, noises, strict=True):
        assert law.b_low <= b <= law.b_high
        assert law.limit_low <= 0.1 <= law.limit_high
        assert law.b_low <= law.b <= law.b_high < law.b_low * (1 + 2000 * noise)
        assert law.limit_low <= law.limit <= law.limit_high < law.limit_low + 200 * noise


def test_values_in_other_units_give_the_same_law_in_those_units():
    law = size_law(SIZES, study(3), 1e-6)
    other = size_law(SIZES, [[7 - 100 * values for values in of_size] for of_size in study(3)], 1e-2)
    assert (other.b, other.b_low, other.b_high) == pytest.approx((law.b, law.b_low, law.b_high), rel=1e-6)
    assert (other.identifiable, other.reason) == (law.identifiable, law.reason)
    assert other.a == pytest.approx(-100 * law.a, rel=1e-6)
    for name in ("limit", "limit_one"):
        ends = [7 - 100 * getattr(law, name + end) for end in ("", "_high", "_low")]
        assert [getattr(other, name + end) for end in ("", "_low", "_high")] == pytest.approx(ends, rel=1e-6)


def test_sizes_in_other_units_give_the_same_limits():
    law, other = size_law(SIZES, study(3)), size_law([10 * P for P in SIZES], study(3))
    assert [*intervals(other), other.limit] == pytest.approx([*intervals(law), law.limit], rel=1e-6)
    assert other.a == pytest.approx(law.a * 10**law.b, rel=1e-6)


def test_the_order_of_blocks_seeds_and_sizes_does_not_matter():
    blocks = study([5, 4, 3, 2, 3, 1])
    law = size_law(SIZES, blocks)
    turned = [[values[::-1] for values in reversed(of_size)] for of_size in reversed(blocks)]
    for other in (size_law(SIZES[::-1], turned), size_law(SIZES, blocks)):
        assert astuple(other)[:6] == pytest.approx(astuple(law)[:6], rel=1e-6)
        assert astuple(other)[6:11] == pytest.approx(astuple(law)[6:11], rel=1e-6)


@pytest.mark.parametrize(
    "blocks",
    [
        study(1),
        [[values[:1] for values in of_size] for of_size in study(1)],  # one value per size
        study([5, 5, 5, 1, 1, 1]),
        study([1, 1, 1, 1, 1, 30]),
    ],
    ids=["one block per size", "one value per size", "three sizes with blocks", "one size with blocks"],
)
def test_without_blocks_at_four_sizes_there_is_no_interval_and_a_reason(blocks):
    law = size_law(SIZES, blocks, 1e-6)
    assert np.isnan(intervals(law)).all()
    assert (law.identifiable, law.reason) == (False, NEEDS)
    assert np.isfinite([law.limit, law.b, law.limit_one, law.a]).all()


def test_two_blocks_at_four_sizes_are_enough():
    for numbers in ([2, 2, 2, 2, 1, 1], [1, 2, 1, 2, 2, 2]):
        law = size_law(SIZES, study(numbers))
        assert np.isfinite(intervals(law)).all()
        assert law.reason != NEEDS


def test_a_block_of_one_seed_is_a_block():
    law = size_law(SIZES, [[values[:1] for values in of_size] for of_size in study(5, noise=1e-3)])
    assert law.identifiable
    assert law.b_low <= 1.0 <= law.b_high


def test_an_interval_that_reaches_the_end_of_the_search_identifies_nothing():
    law = size_law(SIZES, study(5, a=0.05 * 512**3.9, b=3.9))
    assert 2 * law.b_low > law.b_high == 4
    assert (law.identifiable, law.reason) == (False, "the interval of b reaches 4, where the search ends")


def test_an_error_that_all_values_share_widens_the_limits_and_nothing_else():
    alone, shared = size_law(SIZES, study(5)), size_law(SIZES, study(5), 0.003**2)
    assert size_law(SIZES, study(5), 0.0) == alone
    widened = {"limit_low", "limit_high", "limit_one_low", "limit_one_high"}
    same = [field.name for field in fields(SizeLaw) if field.name not in widened]
    assert [getattr(shared, name) for name in same] == [getattr(alone, name) for name in same]
    for name in ("limit", "limit_one"):
        for end in ("_low", "_high"):
            before, after = (getattr(law, name + end) - getattr(law, name) for law in (alone, shared))
            assert after**2 - before**2 == pytest.approx((1.959964 * 0.003) ** 2, rel=1e-6)
            assert after * before > 0


def test_a_law_needs_four_sizes():
    for sizes in (SIZES[:3], [512, 512, 1024, 2048]):
        with pytest.raises(ValueError, match="four sizes"):
            size_law(sizes, study(3, sizes=sizes))
