"""The valley and its verdicts; how often noise is taken for an inversion stands in test_noise_rates.py."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from strag.stragglers.curves import Curves, bottoms, valleys
from strag.stragglers.inversion import (
    DIVERGED,
    INVERSION,
    NONE,
    OPEN,
    UNRESOLVED,
    UNSTABLE,
    find_inversion,
    first_increase,
)
from strag.stragglers.shortfall import Shortfall, shortfall_of

T = np.arange(151)
finite_curves = arrays(np.float64, st.integers(2, 60), elements=st.floats(-10, 10))


def planted(bottom=40, last=150):
    """A curve with its minimum at update `bottom`."""
    log_t = np.log(np.arange(last + 1) + 1) - np.log(bottom + 1)
    return 0.8 + 0.1 * np.square(log_t)


def curves_of(curve):
    return Curves(T, curve, np.linspace(0.5, 0.05, 151), np.ones(151), np.full(151, 700), 8192)


def verdict_of(curve, updates=T, error=None, loss=None, wrong=None, descends=True, examples=8192, fewest=10):
    error = np.linspace(0.5, 0.05, len(curve)) if error is None else error
    loss = np.linspace(0.7, 0.1, len(curve)) if loss is None else loss
    wrong = np.full(len(curve), 700) if wrong is None else wrong
    return find_inversion(Curves(updates, curve, error, loss, wrong, examples), descends, fewest)


@given(finite_curves)
def test_valley_is_zero_on_monotone_and_hump_curves(curve):
    rising = np.sort(curve)
    half = len(curve) // 2
    hump = np.concatenate([np.sort(curve[:half]), np.sort(curve[half:])[::-1]])
    hump[half:] = np.minimum(hump[half:], hump[:half].max(initial=np.inf))
    hump[half:] = np.sort(hump[half:])[::-1]
    assert not valleys(rising).any()
    assert not valleys(rising[::-1]).any()
    assert not valleys(hump).any()


@given(finite_curves)
def test_valley_is_the_depth_of_water_that_the_curve_holds(curve):
    """v_t by brute force: the lower of the highest walls on either side."""
    brute = [min(curve[: t + 1].max(), curve[t:].max()) - curve[t] for t in range(len(curve))]
    np.testing.assert_allclose(valleys(curve), brute, atol=1e-12)
    assert (valleys(curve) >= 0).all()


@given(finite_curves, st.floats(-5, 5), st.floats(0.1, 10))
def test_valley_is_invariant_under_shifts_and_scales_with_the_curve(curve, shift, scale):
    np.testing.assert_allclose(valleys(scale * curve + shift), scale * valleys(curve), atol=1e-9)


@pytest.mark.parametrize("bottom", [10, 40, 100])
def test_finds_a_planted_minimum_between_records(bottom):
    last = 6 * bottom
    found = verdict_of(planted(bottom + 0.4, last), np.arange(last + 1))
    assert found.verdict == INVERSION
    assert found.record in (bottom, bottom + 1)
    assert found.update == pytest.approx(bottom + 0.4, abs=0.05)
    assert found.train_error == pytest.approx(0.5 - 0.45 * found.update / last, abs=1e-4)


def test_finds_it_on_sparse_records_as_well():
    updates = np.array([0, 1, 2, 3, 4, 6, 9, 14, 20, 28, 40, 57, 80, 114, 150])
    found = verdict_of(planted(38)[updates], updates)
    assert found.verdict == INVERSION
    assert found.update == pytest.approx(38, rel=0.05)


@pytest.mark.parametrize("curve", [np.exp(-T / 30), 1 - np.exp(-T / 30), T * np.exp(-T / 30), np.ones(151)])
def test_curves_without_a_valley_have_depth_zero(curve):
    found = verdict_of(curve)
    assert (found.verdict, found.prominence, found.depth) == (OPEN, 0, 0)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"loss": np.geomspace(0.7, 0.006, 151), "updates": T + 1}, OPEN),  # its start was not recorded
        ({"error": np.linspace(0.5, 1e-5, 151), "updates": T + 1}, NONE),
        ({"error": np.linspace(0.5, 1e-5, 151)}, NONE),
        ({"loss": np.geomspace(0.7, 0.006, 151)}, NONE),
        ({"loss": np.geomspace(0.7, 0.008, 151)}, OPEN),
    ],
)
def test_none_needs_a_finished_training(change, verdict):
    assert verdict_of(np.exp(-T / 30), **change).verdict == verdict


def test_shallow_valleys_and_few_errors_are_no_inversion():
    shallow = np.exp(-T / 20) + 0.015 * (T > 140)
    assert verdict_of(shallow).verdict == OPEN
    assert verdict_of(planted(), wrong=np.full(151, 9)).verdict == OPEN
    assert verdict_of(planted(), wrong=np.full(151, 10)).verdict == INVERSION


def test_a_valley_before_five_records_is_unresolved():
    assert verdict_of(planted(3)).verdict == UNRESOLVED
    assert verdict_of(planted()[:5], T[:5]).verdict == UNRESOLVED


def test_an_early_transient_hides_no_later_valley():
    """A dip at record 2, deeper than the valley at 60, whose own walls are what counts."""
    dip = np.where(T < 6, -0.6 * np.exp(-np.square(T - 2.0)), 0)
    later = 1 - 0.3 * np.exp(-np.square((T - 60) / 15))
    found = verdict_of(later + dip)
    assert (found.verdict, found.record) == (INVERSION, 60)
    assert found.prominence == pytest.approx(0.3, abs=0.01)
    shallow = 1 - 0.005 * np.exp(-np.square((T - 60) / 15))
    assert verdict_of(shallow + dip).verdict == UNRESOLVED
    flank = np.where(T < 2, 1.2 - 0.4 * T, np.minimum(0.4 + 0.01 * (T - 2), 0.9))
    assert verdict_of(flank).verdict == UNRESOLVED


def test_bottoms_are_the_valleys_between_walls():
    """Two valleys with a wall of 0.8 between them, and a dent in the flank of the second."""
    curve = np.array([1.0, 0.5, 0.3, 0.6, 0.8, 0.5, 0.55, 0.1, 0.9])
    assert bottoms(curve) == [
        (7, pytest.approx(0.8)),
        (2, pytest.approx(0.5)),
        (5, pytest.approx(0.05)),
    ]
    assert [at for at, _ in bottoms(curve, 0.1)] == [7, 2]
    assert bottoms(np.arange(5.0)) == []


@given(finite_curves)
def test_the_deepest_bottom_is_the_largest_of_the_valleys(curve):
    v, found = valleys(curve), bottoms(curve)
    assert (found[0][1] if found else 0.0) == v.max()
    assert all(depth <= v[at] for at, depth in found)


def test_a_deep_late_valley_with_few_errors_hides_no_earlier_one():
    late = planted(30) - 0.5 * np.exp(-np.square((T - 110) / 16))
    wrong = np.where(T > 90, 3, 700)
    found = verdict_of(late, wrong=wrong)
    assert (found.verdict, found.record, found.misclassified) == (INVERSION, 30, 700)
    assert verdict_of(late, wrong=np.full(151, 700)).record in range(105, 112)


@pytest.mark.parametrize(
    ("curve", "change", "failed", "at"),
    [
        (planted(40), {"wrong": np.full(151, 8)}, "misclassified", 40),
        (np.exp(-T / 20) + 0.015 * (T > 140), {}, "depth", 140),
        (np.exp(-T / 30), {}, "depth", None),
        (np.exp(-T / 30) + 0.05 * np.random.default_rng(0).normal(size=151), {}, "noise", ...),
    ],
)
def test_the_condition_that_failed_is_told_with_what_was_there(curve, change, failed, at):
    found = verdict_of(curve, **change)
    assert (found.verdict, found.failed) == (OPEN, failed)
    assert at is ... or found.valley_update == at
    told = shortfall_of([found], [151])
    assert (told.condition, told.runs) == (failed, 1)
    if failed == "misclassified":
        assert (told.value, told.needed) == (8, 10)
        assert "has 8 misclassified examples, fewer than 10" in told.words
        assert verdict_of(curve, fewest=8, **change).verdict == INVERSION


def test_where_too_few_examples_are_misclassified_already_no_longer_training_is_asked_for():
    """Errors fall: what fails at the bottom of a shallow valley, or at the end, fails later all the more."""
    few = np.linspace(60, 5, 151).astype(int)
    falling = verdict_of(np.exp(-T / 30), wrong=few)
    assert (falling.verdict, falling.failed, falling.misclassified) == (OPEN, "misclassified", 5)
    assert falling.train_until is None
    assert falling.excluded_below == 75
    assert "longer training cannot help" in shortfall_of([falling], [151]).words
    shallow = verdict_of(np.exp(-T / 20) + 0.015 * (T > 140), wrong=few)
    assert "less than 0.02, and has" in shortfall_of([shallow], [151]).words
    assert (shallow.failed, shallow.valley_update, shallow.train_until) == ("misclassified", 140, None)
    enough = verdict_of(np.exp(-T / 30), wrong=few + 10)
    assert enough.failed == "depth"
    assert enough.train_until >= 300


@pytest.mark.parametrize(
    ("condition", "value", "needed", "words"),
    [
        ("depth", 0.01996, 0.02, "is 0.01996 of the curve's range deep, less than 0.02"),
        ("depth", 0.0151, 0.02, "is 0.015 of the curve's range deep, less than 0.02"),
        ("noise", 3.98, 4.0, "but only 3.98 times its noise, less than 4"),
    ],
)
def test_what_is_less_is_shown_as_less(condition, value, needed, words):
    depth = value if condition == "depth" else 0.3
    assert words in Shortfall(condition, 1, value, needed, 40, depth).words


def test_only_open_runs_exclude_and_noise_excludes_nothing():
    late = np.where(T < 120, 0.5, 0.6)
    done = verdict_of(np.exp(-T / 30), loss=late, error=np.linspace(0.5, 1e-5, 151))
    assert (done.verdict, done.unstable_from, done.excluded_below) == (NONE, 120, None)
    still = verdict_of(np.exp(-T / 30), loss=late)
    assert (still.verdict, still.excluded_below, still.train_until) == (OPEN, 59.5, None)
    noisy = verdict_of(np.exp(-T / 30) + 0.05 * np.random.default_rng(0).normal(size=151))
    assert (noisy.failed, noisy.excluded_below) == ("noise", None)


def test_a_refined_error_is_one_that_was_recorded_around_it():
    updates = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
    curve, error = 0.1 * np.square(np.log1p(updates) - 3.9), np.full(11, 0.4)
    error[7:] = 0.002
    found = verdict_of(curve, updates, error=error, descends=False)
    assert found.verdict == INVERSION
    assert 0.002 <= found.train_error <= 0.4


def test_few_records_are_told_as_such():
    for number in (5, 6):
        found = verdict_of(planted(3)[:number], T[:number])
        assert (found.verdict, found.failed) == (UNRESOLVED, "records")
        told = shortfall_of([found], [number]).words
        assert told == f"{number} records cannot show a valley, which needs 7"
    found = verdict_of(planted(3))
    assert shortfall_of([found], [151]).words.startswith(
        "the deepest valley, at t = 3, has fewer than 5 records"
    )


def test_an_open_run_excludes_half_its_updates_and_says_how_long_to_train():
    """A valley is planted at t*; cut at T the run is open, and trained for as long as it says it inverts."""
    bottom = 60
    curve = planted(bottom, 2000)
    for end in (20, 30, 45, 60, 63):
        found = verdict_of(curve[: end + 1], np.arange(end + 1))
        assert (found.verdict, found.excluded_below) == (OPEN, end / 2)
        assert 2 * end <= found.train_until <= 16 * end + 10
        longer = verdict_of(curve[: found.train_until + 1], np.arange(found.train_until + 1))
        assert longer.verdict == INVERSION, (end, found.train_until)
    assert verdict_of(curve[:121], np.arange(121)).verdict == INVERSION  # from T = 2 t* on
    done = verdict_of(np.exp(-T / 30), error=np.linspace(0.5, 1e-5, 151))
    assert (done.verdict, done.excluded_below, done.train_until) == (NONE, None, None)


def test_the_depth_up_to_four_times_the_inversion_does_not_depend_on_how_long_was_trained():
    ends = (161, 300, 2000)
    found = [verdict_of(planted(40, end), np.arange(end + 1)) for end in ends]
    assert len({one.depth for one in found}) == 3  # rises with the horizon
    assert found[0].depth_at_4 == found[1].depth_at_4 == found[2].depth_at_4
    assert found[0].depth_at_4 == pytest.approx(found[0].depth, rel=0.03)
    assert [one.horizon for one in found] == pytest.approx([end / found[0].update for end in ends])
    short = verdict_of(planted(40, 150))
    assert (short.verdict, short.depth_at_4) == (INVERSION, None)


def test_where_the_loss_need_not_descend_a_rise_is_told_and_the_verdict_stays():
    """As of somebody's network: a spike of the loss; small ones drown in its noise."""
    random = np.random.default_rng(0)
    quiet = np.linspace(0.7, 0.1, 151) * np.exp(0.01 * random.normal(size=151))
    assert verdict_of(planted(), loss=quiet, descends=False).unstable_from is None
    assert verdict_of(planted(), loss=quiet).unstable_from is not None
    spike = quiet * np.where((T >= 70) & (T < 75), 3.0, 1.0)
    found = verdict_of(planted(), loss=spike, descends=False)
    assert (found.verdict, found.record) == (INVERSION, 40)
    assert 68 <= found.unstable_from <= 70
    assert found.loss_rise == pytest.approx(2, abs=0.2)
    assert replace(found, unstable_from=None, loss_rise=None) == verdict_of(
        planted(), loss=quiet, descends=False
    )


def test_a_step_up_after_the_loss_rises_is_no_step_of_the_notebook():
    late = replace(curves_of(planted(40)), train_loss=np.where(T < 30, 0.5, 0.6))
    assert first_increase(late, descends=True).verdict == UNSTABLE
    assert first_increase(late).verdict == INVERSION
    assert first_increase(late).unstable_from == 30


def test_non_finite_values_are_divergence():
    for name in ("error", "loss"):
        values = np.linspace(0.5, 0.1, 151)
        values[100] = np.nan
        assert verdict_of(planted(), **{name: values}).verdict == DIVERGED
    assert verdict_of(np.where(T == 100, np.nan, planted())).verdict == DIVERGED


def test_a_rising_loss_of_gradient_descent_is_unstable_if_the_valley_depends_on_what_follows():
    loss = np.where(T < 30, 0.5, 0.6)
    assert verdict_of(planted(40), loss=loss).verdict == UNSTABLE
    assert verdict_of(planted(40), loss=loss).unstable_from == 30
    assert verdict_of(planted(40), loss=loss, descends=False).verdict == INVERSION


def test_what_survives_the_cut_is_told_from_what_is_left():
    """After the rise at 120 the curve climbs: the evidence is that of the records before, as if alone."""
    late = np.where(T < 120, 0.5, 0.6)
    curve = planted(40) + np.where(T < 120, 0, 5.0)
    found = verdict_of(curve, loss=late)
    assert (found.verdict, found.unstable_from) == (INVERSION, 120)
    alone = verdict_of(curve[:120], T[:120], error=np.linspace(0.5, 0.05, 151)[:120], loss=late[:120])
    assert replace(found, unstable_from=None, loss_rise=None) == alone
    assert 10 * found.prominence < verdict_of(curve, loss=late, descends=False).prominence


def test_without_an_inversion_of_its_own_the_cut_curve_makes_a_run_unstable():
    """Before the rise the valley is no deeper than ten times its noise: only the climb makes it deep."""
    noise = 0.004 * np.random.default_rng(0).normal(size=151)
    curve = np.minimum(planted(40) - 0.8, 0.1) + np.where(T < 70, noise, 0)
    loss = np.where(T < 60, 0.5, 0.6)
    whole, cut = verdict_of(curve), verdict_of(curve[:60], T[:60])
    assert (whole.verdict, whole.record) == (INVERSION, np.argmin(curve[:60]))
    assert cut.depth > 0.02
    assert cut.prominence < 10 * cut.noise
    assert verdict_of(curve, loss=loss).verdict == UNSTABLE


def test_a_valley_that_what_follows_hides_makes_a_run_unstable():
    """The blow-up digs a deeper valley, at which too few examples are wrong to make it an inversion."""
    curve = planted(40) + np.where(T > 100, 2 - np.abs(T - 125) / 10, 0)
    curve[125] = -3.0
    wrong = np.where(T > 100, 5, 700)
    assert verdict_of(curve, wrong=wrong).verdict == OPEN
    assert verdict_of(curve, wrong=wrong, loss=np.where(T < 100, 0.5, 0.6)).verdict == UNSTABLE


def test_a_loss_that_creeps_up_is_unstable_too():
    """0.9 % from one record to the next is 9 % after ten."""
    loss = 0.5 * np.power(1.009, np.maximum(T - 20, 0))
    found = verdict_of(planted(40), loss=loss)
    assert (found.verdict, found.unstable_from) == (UNSTABLE, 21)
    wobbling = 0.5 * (1 + 0.009 * (T % 2))
    assert verdict_of(planted(40), loss=wobbling).unstable_from is None


def test_a_loss_that_rises_in_small_steps_is_unstable_too():
    """As in a burst at the edge of stability: 30 updates of 0.3 % each, and the valley that they make."""
    slow = np.where(T < 60, 0.7 - T / 200, 0.4 * 1.003 ** np.clip(T - 60, 0, 30))
    found = verdict_of(planted(60), loss=slow)
    assert (found.verdict, found.unstable_from) == (UNSTABLE, 61)
    within = np.where(T < 60, 0.7 - T / 200, 0.4 * 1.003 ** np.clip(T - 60, 0, 3))
    found = verdict_of(planted(60), loss=within)
    assert (found.verdict, found.unstable_from) == (INVERSION, None)


def test_notebook_rule_takes_the_first_step_up_from_update_twenty_on():
    curve = np.exp(-T / 30)
    curve[10] += 1  # a step up before update 20
    curve[60:] += 0.01
    found = first_increase(curves_of(curve))
    assert (found.verdict, found.record, found.update) == (INVERSION, 60, 60)
    falling = first_increase(curves_of(np.exp(-T / 30)))
    assert (falling.verdict, falling.record) == (OPEN, None)
