"""Laws of a summary: its intervals hold what they promise, and it says what it cannot know."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from strag.stragglers.size_law import size_law
from strag.stragglers.summary import QUANTITIES, Experiment, clopper_pearson, summarise, two_levels


def experiment(settings=None, block="a", runs=5, values=None, seed=0):
    random = np.random.default_rng(seed)
    errors = 0.09 + 0.001 * random.normal(size=runs) if values is None else np.asarray(values, float)
    return Experiment(
        {"width": 20, "data": "d", **(settings or {})}, block, runs, dict.fromkeys(QUANTITIES, errors)
    )


def test_the_interval_over_blocks_holds_the_mean_as_often_as_it_says():
    random = np.random.default_rng(1)
    held, seeds, between = 0, [], []
    for _ in range(400):
        blocks = [1 + 0.3 * random.normal() + 0.1 * random.normal(size=8) for _ in range(4)]
        level = two_levels(blocks)
        held += level.low <= 1 <= level.high
        seeds.append(level.seed_std)
        between.append(level.block_std**2)
    assert held / 400 == pytest.approx(0.95, abs=0.033)  # three standard errors
    assert np.mean(seeds) == pytest.approx(0.1, rel=0.05)
    assert np.mean(between) ** 0.5 == pytest.approx(0.3, rel=0.1)


def test_seeds_alone_say_nothing_of_other_blocks():
    level = two_levels([np.array([1.0, 2.0, 3.0])])
    assert level.mean == 2
    assert np.isnan(level.block_std)
    assert (level.seed_std, level.high - level.mean) == (1, pytest.approx(4.3027 / 3**0.5, rel=1e-4))
    assert np.isnan(two_levels([np.array([1.0])]).low)
    assert np.isnan(two_levels([np.array([np.nan])]).mean)


@pytest.mark.parametrize(("k", "n"), [(0, 6), (3, 10), (30, 30), (1, 1)])
def test_clopper_and_pearson_cut_both_tails(k, n):
    low, high = clopper_pearson(k, n)
    assert low == 0 if k == 0 else binom.sf(k - 1, n, low) == pytest.approx(0.025)
    assert high == 1 if k == n else binom.cdf(k, n, high) == pytest.approx(0.025)


def blocks_of(P, limit, a, b, noise, random):
    return [limit - a * P**-b + noise * random.normal(size=10) for _ in range(4)]


def test_a_law_of_size_is_found_and_a_flat_curve_is_no_law():
    random, sizes = np.random.default_rng(2), [512, 1024, 2048, 4096, 8192, 16384]
    law = size_law(sizes, [blocks_of(P, 0.1, 20, 1.0, 1e-4, random) for P in sizes])
    assert law.identifiable
    assert law.b_low <= 1.0 <= law.b_high
    assert law.limit == pytest.approx(0.1, abs=1e-3)
    fitted = law.limit - law.a * np.array(sizes) ** -law.b
    assert fitted == pytest.approx([0.1 - 20 / P for P in sizes], abs=3e-4)
    assert law.limit_one_low <= 0.1 <= law.limit_one_high
    flat = size_law(sizes, [blocks_of(P, 0.1, 0, 1.0, 1e-3, random) for P in sizes])
    assert not flat.identifiable


def test_conditions_are_told_by_what_differs_and_blocks_belong_together():
    found = summarise(
        [
            experiment(block="a"),
            experiment(block="b", seed=1),
            experiment(block="a"),  # the same data again
            experiment({"width": 50}, values=[0.1, 0.2], runs=3),
        ]
    )
    assert [one.label for one in found.conditions] == ["width 20", "width 50"]
    assert [(one.blocks, one.runs, one.inverting) for one in found.conditions] == [(2, 10, 10), (1, 3, 2)]
    assert found.varies == ("width",)
    assert found.title == "d"
    assert found.laws == {}
    several = summarise([experiment(), experiment({"width": 50}), experiment({"lr": 1})])
    assert [one.label for one in several.conditions] == ["reference", "width 50", "lr 1"]
    labelled = summarise([experiment(), experiment({"width": 50})], ["x", "y"])
    assert [one.label for one in labelled.conditions] == ["x", "y"]


def test_a_law_is_fitted_where_the_number_of_examples_is_all_that_varies():
    found = summarise([experiment({"examples": P}, seed=P) for P in (4096, 512, 1024, 2048)])
    assert set(found.laws) == {"train_error", "test_error", "gap", "lr_update"}
    assert [one.examples for one in found.conditions] == [512, 1024, 2048, 4096]


def test_differences_are_of_the_same_run_on_the_same_data():
    def of(width, block, values, seeds):
        verdicts = ("inversion",) * len(values) + ("open",)
        one = experiment({"width": width}, block, len(values) + 1, values)
        return replace(one, seeds=seeds, verdicts=verdicts)

    found = summarise(
        [
            of(20, "a", [0.10, 0.20], (0, 1)),
            of(20, "b", [0.50, 0.70], (0, 1)),
            of(50, "a", [0.22, 0.11, 0.9], (1, 0, 2)),  # run 2 has no counterpart
            of(50, "c", [0.3], (0,)),  # nor has block c
        ],
        ["x", "x", "y", "y"],
    )
    x, y = found.conditions
    assert found.reference is x
    assert x.differences == {}
    assert np.isnan(x.difference("train_error").mean)
    level = y.difference("train_error")
    assert (level.mean, level.seed_std) == (pytest.approx(0.015), pytest.approx(0.01 / 2**0.5))
    assert (x.verdicts, y.verdicts) == ({"inversion": 4, "open": 2}, {"inversion": 4, "open": 2})
    assert np.isnan(y.level("last_test_error@1").mean)
