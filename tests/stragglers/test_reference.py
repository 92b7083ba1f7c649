"""Networks trained without something, beside the same runs trained on all the examples."""

from dataclasses import replace

import numpy as np
import pytest

from strag.bits import pack
from strag.errors import StragError
from strag.stragglers.find import find_stragglers
from strag.stragglers.reference import reference_of
from tests.views.histories import RECIPE, falling, made, valley

Q, NOISE = 10, [0.0, 1.0]


def with_tests(history, wrong, updates=(0, 10, 18, 40, 100), **recipe):
    """A History with test records at these updates; wrong : bool [K, R, S, Q]."""
    meta = {**history.meta, "recipe": {**RECIPE, "seed": 0, "noise": NOISE, **recipe}, "origin_size": 64}
    return replace(
        history,
        meta=meta,
        test_updates=np.array(updates),
        test_error=wrong.mean(axis=3).astype(np.float32),
        test_misclassified=pack(wrong),
    )


def reference(curves=None, **recipe):
    """Runs 0 to 2 with an inversion at 20, the last without; run r misclassifies r + 1 at update 18."""
    wrong = np.zeros((5, 3, 2, Q), bool)
    wrong[0] = True
    wrong[1:, :, 1, :6] = True
    wrong[1, :, 0, :5] = True
    for run in range(3):
        wrong[2, run, 0, : run + 1] = True
    wrong[3:, :, 0, :4] = True
    return replace(
        with_tests(made(curves or [valley(20), valley(21), falling()]), wrong, **recipe), source="whole"
    )


def without(wrong=range(3, 7), runs=(1, 0), **recipe):
    """Networks that started as these runs; at the end all misclassify the test examples `wrong`."""
    bits = np.zeros((5, len(runs), 2, Q), bool)
    bits[-1][..., list(wrong)] = True
    history = replace(with_tests(made([falling()] * len(runs)), bits, **recipe), source="few")
    meta = {**history.meta, "sets": {"run": list(runs)}}
    return replace(history, meta=meta, runs=tuple(range(len(runs))))


def beside(history, whole):
    return reference_of(history, whole, find_stragglers(whole)).counterparts


def test_every_network_stands_beside_the_run_it_started_from():
    whole = reference()
    found = find_stragglers(whole).inversions
    told = beside(without(runs=(1, 0, 1, 2)), whole)
    assert [one.run for one in told] == [1, 0, 1, 2]
    assert [one.update for one in told] == [found[run].update for run in (1, 0, 1, 2)]
    assert told[1].train_error == found[0].train_error
    assert [one.update is None for one in told] == [False, False, False, True]


def test_the_reference_is_stopped_at_the_test_record_nearest_in_ln_t():
    """t* = 20 lies nearer to 18 than to 10 and 40; at 27, in ln t, 40 is nearer than 18."""
    first, second, last = beside(without(runs=(0, 1, 2)), reference())
    np.testing.assert_allclose(first.stopped_test_error, [0.1, 0.6], atol=1e-6)
    np.testing.assert_allclose(second.stopped_test_error, [0.2, 0.6], atol=1e-6)
    np.testing.assert_allclose(first.test_error, [0.4, 0.6], atol=1e-6)
    assert last.stopped_test_error is None
    np.testing.assert_allclose(last.test_error, [0.4, 0.6], atol=1e-6)
    (later,) = beside(without(runs=(0,)), reference([valley(27.5)] * 3))
    np.testing.assert_allclose(later.stopped_test_error, [0.4, 0.6], atol=1e-6)


def test_the_error_is_divided_by_what_the_stopped_reference_classifies_right():
    """Wrong are 3 to 6 of 10; the reference, stopped, misclassifies 0, of run 2 0, 1 and so on."""
    for wrong, right, hard in (
        (range(3, 7), 4 / 8, 0),
        (range(1, 6), 4 / 8, 1 / 2),
        (range(2), 0, 1),
        ((), 0, 0),
        (range(10), 1, 1),
    ):
        (one,) = beside(without(wrong, runs=(1,)), reference())
        assert one.right_test_error == pytest.approx(right, abs=1e-6)
        assert one.wrong_test_error == pytest.approx(hard, abs=1e-6)


def test_what_there_is_nothing_to_tell_of_is_not_a_number():
    (none,) = beside(without(runs=(2,)), reference())
    assert np.isnan([none.right_test_error, none.wrong_test_error]).all()
    whole = reference()
    perfect = replace(whole, test_error=0 * whole.test_error, test_misclassified=0 * whole.test_misclassified)
    (one,) = beside(without(runs=(0,)), perfect)
    assert one.right_test_error == pytest.approx(0.4)
    assert np.isnan(one.wrong_test_error)
    bad = replace(
        whole, test_error=0 * whole.test_error + 1, test_misclassified=0 * whole.test_misclassified + 255
    )
    (one,) = beside(without(runs=(0,)), bad)
    assert np.isnan(one.right_test_error)
    noisy, blurred = (make(noise=[0.5, 1.0]) for make in (without, reference))
    assert np.isnan(beside(noisy, blurred)[0].right_test_error)


def changed(history, **meta):
    return replace(history, meta={**history.meta, **meta})


ALIKE = without()


@pytest.mark.parametrize(
    ("history", "whole", "words"),
    [
        (
            ALIKE,
            changed(reference(), origin="p"),
            "whole: was trained on a different data set than few; pass the",
        ),
        (ALIKE, changed(reference(), sets={"run": [0, 1, 2]}), "whole: was not trained on all examples"),
        (ALIKE, changed(reference(), origin_size=65), "whole: was not trained on all examples"),
        (ALIKE, replace(reference(), classes=("a", "b")), "whole: has different groups than few"),
        (ALIKE, replace(reference(), test_error=None), "whole: has no test records; train it on data"),
        (replace(ALIKE, test_error=None), reference(), "few: has no test records; train it on data"),
        (ALIKE, reference(noise=[0.0]), "whole: was tested with noise 0, but few with 0, 1; use the"),
        (
            ALIKE,
            replace(reference(), test_misclassified=np.zeros((5, 3, 2, 3))),
            "whole: has a different test",
        ),
        (ALIKE, reference(seed=3), "whole: was trained with `seed` 3, but few with 0; pass a training"),
        (ALIKE, reference(width=9), "whole: was trained with `width` 9, but few with 20"),
        (ALIKE, reference(activation="relu"), "whole: was trained with `activation` relu, but few with tanh"),
        (
            ALIKE,
            changed(reference(), inputs={"init": {"data": "x"}}),
            "whole: started from different weights",
        ),
        (
            without(runs=(2, 5)),
            reference(),
            "whole: has no run 5, from which a network of few started; train",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_match_is_refused(history, whole, words):
    with pytest.raises(StragError) as caught:
        beside(history, whole)
    assert str(caught.value).startswith(words)
    assert caught.value.remedy


def test_the_width_of_a_linear_classifier_does_not_matter():
    assert beside(without(depth=1, width=3), reference(depth=1, width=20))
