"""What a history says between its records."""

from dataclasses import replace

import numpy as np
import pytest

from strag.errors import StragError
from strag.geometry.measures import CURVES, MEASURES, Measure
from tests.conftest import history_of, with_measures


def test_test_errors_between_records_are_linear_in_log_t_unless_these_lie_far_apart():
    errors = np.array([0.5, 0.4, 0.2, 0.1], np.float32)[:, None, None]
    history = replace(
        history_of(np.ones((4, 1))), test_updates=np.array([0, 100, 150, 400]), test_error=errors
    )
    halfway = np.sqrt(100 * 150)
    assert history.test_error_at(halfway, 0) == pytest.approx(0.3)
    assert [history.test_error_at(t, 0) for t in (0, 100, 400)] == pytest.approx([0.5, 0.4, 0.1])
    near = [history.test_record_near(t, 0) for t in (None, 0, 3, 130, 400, 401)]
    assert near == [None, None, None, 2, 3, None]
    assert history.test_record_near(201, 0) == 2
    assert np.isnan([history.test_error_at(t, 0) for t in (None, 50, 200, 401)]).all()


def test_a_record_with_more_than_double_the_updates_is_far_and_one_with_double_is_not():
    errors = np.array([0.4, 0.2, 0.1], np.float32)[:, None, None]
    history = replace(history_of(np.ones((4, 1))), test_updates=np.array([3, 6, 13]), test_error=errors)
    assert history.test_error_at(np.sqrt(18), 0) == pytest.approx(0.3)
    assert np.isnan(history.test_error_at(9, 0))


def test_a_class_with_examples_but_no_radius_is_not_left_out_of_the_mean():
    """Of two classes one has no finite radius at a record: the mean of the other would be no rms radius."""
    history = history_of(np.ones((4, 2)))
    history.measures["radius"][2, 1, 0, 1] = np.nan
    assert np.isnan(history.observable()).tolist() == [[False] * 2] * 2 + [[False, True]] + [[False] * 2]
    history.measures["distance"][1, 0] = np.nan
    assert np.isnan(history.observable("distance"))[:, 0].tolist() == [False, True, False, False]


@pytest.mark.parametrize("measure", CURVES, ids=lambda measure: measure.name)
def test_the_inversion_is_a_valley_of_every_observable(measure):
    """Where it is a peak of the measure, the observable is minus the curve."""
    random = np.random.default_rng(0)
    history = with_measures(history_of(random.random((6, 2))), distance=2 * np.ones((6, 2, 1, 1)))
    if measure.optional and not measure.parts:
        shape = (6, 2, 1, 2) if measure.axis == "class" else (6, 2, 1)
        history = with_measures(history, **{measure.name: random.random(shape)})
    found, shown = history.observable(measure.name), history.curve(measure.name)
    np.testing.assert_array_equal(found, shown if measure.sign == 1 else -shown)
    assert (found.shape, found.dtype) == ((6, 2), np.float64)
    assert (shown > 0).all()
    if measure.axis == "class":
        of_class = history.observable(f"{measure.name}:odd")
        np.testing.assert_array_equal(of_class, measure.sign * history.measure(measure.name)[:, :, 1])
    else:
        with pytest.raises(StragError, match=f"no `observable` '{measure.name}:odd'"):
            history.observable(f"{measure.name}:odd")


def test_what_is_stored_but_no_curve_is_no_observable():
    with pytest.raises(
        StragError, match="no `observable` 'mean_norm2'; use radius, radius:CLASS, distance or"
    ):
        history_of(np.ones((4, 1))).observable("mean_norm2")


def test_a_measure_that_a_history_lacks_is_refused_when_it_is_asked_for():
    history = history_of(np.ones((4, 1)))
    history = replace(history, measures={"radius": history.measures["radius"]})
    assert (history.observable("radius") == 1).all()
    for name in ("distance", "separation"):
        with pytest.raises(
            StragError, match="history: does not contain the measure 'distance'; create it again"
        ):
            history.observable(name)


def halved(radius, present):
    return radius / 2


def test_a_derived_measure_may_have_an_axis(monkeypatch):
    of = f"{__name__}:halved"
    new = Measure("half", of, "measures", ("radius",), axis="class", mean="rms", label="half of R")
    monkeypatch.setitem(MEASURES, "half", new)
    history = history_of(np.random.default_rng(0).random((6, 2)))
    np.testing.assert_allclose(history.curve("half"), history.curve("radius") / 2)
    np.testing.assert_allclose(history.curve("half:odd"), history.curve("radius:odd") / 2)
