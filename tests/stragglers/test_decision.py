"""When the records of a run decide its verdict."""

from dataclasses import replace

import numpy as np
import pytest

from strag.stragglers.decision import decided
from strag.stragglers.find import find_inversions
from strag.stragglers.inversion import COMPARED_AT, INVERSION
from tests.conftest import cut_to, history_of, with_measures
from tests.stragglers.endings import FULL_BATCH, MINI_BATCHES, P

T = 400
t = np.arange(T)


def valley(at, depth=0.1):
    """A curve [T] that falls until update `at` and rises again."""
    return 0.8 + depth * np.square(np.log((t + 1) / (at + 1)))


FALLING = 0.5 + 0.5 * np.exp(-t / 40)
SLOW = 0.7 / (1 + t / 200)  # a loss that falls, but not to a hundredth
OVER = 0.7 * np.exp(-t / 20)  # falls below a hundredth of its start at update 93


def first_decided(
    curves, loss=SLOW, error=None, wrong=P // 2, descends=False, empty=False, present=None, start=1
):
    """The first number of records, from `start` on, that decide a run, or None.

    curves : list of L curves [T], of every class. If `empty`, a second class has none.
    """
    radius = np.stack(curves, axis=1)[:, :, None].astype(np.float32)
    radius = radius if not empty else np.concatenate([radius, np.full_like(radius, np.nan)], axis=2)
    error = np.full(T, 0.3) if error is None else error
    wrong = np.broadcast_to(wrong, T)
    at = (
        n
        for n in range(start, T + 1)
        if decided(
            *(t[:n], {"radius": radius[:n]}, error[:n], loss[:n], wrong[:n], P),
            descends=descends,
            present=present,
        )
    )
    return next(at, None)


@pytest.mark.parametrize("at", [10, 30, 80])
def test_an_inversion_is_decided_at_four_times_its_update(at):
    last = first_decided([valley(at)]) - 1

    assert COMPARED_AT * at - 2 <= last <= COMPARED_AT * at + 2


def test_every_layer_must_be_decided_and_the_order_of_layers_does_not_matter():
    one, other = first_decided([valley(10)]), first_decided([valley(60)])

    assert one < other
    assert first_decided([valley(10), valley(60)]) == first_decided([valley(60), valley(10)]) == other
    assert first_decided([valley(10), FALLING]) is None


def test_a_run_that_has_not_finished_and_has_no_valley_is_not_decided():
    assert first_decided([FALLING]) is None


def test_too_few_misclassified_examples_are_decided_since_longer_training_does_not_mend_that():
    assert first_decided([valley(10)], wrong=3) is None  # there never were enough
    assert first_decided([FALLING], wrong=np.where(t < 10, P // 2, 3)) - 1 == 8 * 9


def test_no_inversion_is_decided_when_training_has_finished_unless_a_valley_forms():
    assert first_decided([FALLING], loss=OVER) - 1 == 93
    error = np.where(t < 50, 0.3, 0.0)
    assert first_decided([FALLING], error=error) - 1 == 50
    assert first_decided([valley(60)], loss=OVER) - 1 == pytest.approx(4 * 60, abs=2)


def test_a_run_that_diverged_is_decided_there():
    for values in ({"loss": np.where(t < 50, SLOW, np.nan)}, {"error": np.where(t < 50, 0.3, np.nan)}):
        assert first_decided([FALLING], **values) - 1 == 50
    assert first_decided([np.where(t < 70, FALLING, np.inf)]) - 1 == 70
    none = np.zeros((T, 0, 2), np.float32)
    for n, expected in ((50, False), (51, True)):
        loss = np.where(t < 50, SLOW, np.nan)
        assert decided(t[:n], {"radius": none[:n]}, SLOW[:n], loss[:n], t[:n], P) is expected


def test_too_few_records_decide_nothing():
    assert not decided(t[:6], {"radius": np.ones((6, 1, 1))}, np.zeros(6), np.zeros(6), np.zeros(6), P)


def test_a_rise_of_the_loss_decides_once_no_inversion_can_follow():
    rising = np.where(t < 20, SLOW, SLOW[20] * 2 * np.exp(-(t - 20) / 200))

    # The valley is seen only after the rise, so that it is false.
    assert first_decided([valley(30)], loss=rising, descends=True) < first_decided([valley(30)], loss=rising)
    # Without a valley the run may still finish.
    assert first_decided([FALLING], loss=rising, descends=True) is None
    late = np.where(t < 70, SLOW, SLOW[70] * 2 * np.exp(-(t - 70) / 200))
    # The inversion was there before the rise; a longer training takes it up to 4 t*.
    assert first_decided([valley(20)], loss=late, descends=True) == first_decided([valley(20)])


def test_an_inversion_before_the_rise_and_a_deeper_valley_after_it_need_four_times_its_update():
    late = np.where(t < 30, SLOW, SLOW[30] * 2 * np.exp(-(t - 30) / 200))
    curve = valley(9, 0.05) - 0.7 * np.exp(-np.square(np.log((t + 1) / 41) / 0.2))
    deepest = int(curve.argmin())

    assert deepest > 30
    assert first_decided([curve], descends=True, start=44) - 1 == pytest.approx(4 * deepest, abs=4)
    assert first_decided([curve], loss=late, descends=True, start=44) - 1 == 4 * deepest


@pytest.mark.parametrize("present", [None, np.array([True, False])])
def test_a_class_without_examples_does_not_count(present):
    expected = first_decided([valley(10)])

    assert first_decided([valley(10)], empty=True, present=present) == expected
    assert first_decided([valley(10)], empty=True, present=np.array([True, True])) == 1  # has diverged


@pytest.mark.parametrize("recipe", [FULL_BATCH, MINI_BATCHES])
def test_a_reader_of_the_file_comes_to_the_decision_of_the_training(recipe):
    """The Inversion that a history shows is an inversion up to 4 t* exactly where a run was decided by it."""
    random = np.random.default_rng(0)
    noisy = [curve + 0.001 * random.normal(size=T) for curve in (valley(12), valley(50), FALLING)]
    spread = np.stack(noisy, axis=1)[:, :, None, None] * random.uniform(0.9, 1.1, (1, 1, 2, 3))
    base = history_of(np.stack(noisy, axis=1), loss=SLOW, recipe=recipe)
    history = with_measures(base, radius=spread, distance=np.ones((T, 3, 2, 3)), mean_norm2=spread)
    history = replace(history, group=np.arange(P) % 3, classes=("a", "b", "c"), layers=(1, 2))
    for n in (6, 10, 20, 40, 49, 60, 150, 210, 300, 400):
        cut = cut_to(history, slice(n))
        for run in range(3):
            found = [find_inversions(cut, layer=layer)[run] for layer in (1, 2)]
            expected = all(one.verdict == INVERSION and one.horizon >= COMPARED_AT for one in found)
            measures = {"radius": cut.measures["radius"][:, run]}
            values = (cut.train_error[:, run], cut.train_loss[:, run], np.full(n, P // 2), P)
            assert decided(cut.updates, measures, *values, recipe is FULL_BATCH) is expected
