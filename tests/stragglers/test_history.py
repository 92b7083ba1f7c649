"""What a history says between its records."""

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import history_of


def test_test_errors_between_records_are_linear_in_log_t_unless_these_lie_far_apart():
    errors = np.array([0.5, 0.4, 0.2, 0.1], np.float32)[:, None, None]
    history = replace(
        history_of(np.ones((4, 1))), test_updates=np.array([0, 100, 150, 400]), test_error=errors
    )
    halfway = np.sqrt(100 * 150)
    assert history.test_error_at(halfway, 0) == pytest.approx(0.3)
    assert [history.test_error_at(t, 0) for t in (0, 100, 400)] == pytest.approx([0.5, 0.4, 0.1])
    near = [history.test_record_near(t) for t in (None, 0, 3, 130, 400, 401)]
    assert near == [None, None, None, 2, 3, None]
    assert history.test_record_near(201) == 2
    assert np.isnan([history.test_error_at(t, 0) for t in (None, 50, 200, 401)]).all()


def test_a_record_with_more_than_double_the_updates_is_far_and_one_with_double_is_not():
    errors = np.array([0.4, 0.2, 0.1], np.float32)[:, None, None]
    history = replace(history_of(np.ones((4, 1))), test_updates=np.array([3, 6, 13]), test_error=errors)
    assert history.test_error_at(np.sqrt(18), 0) == pytest.approx(0.3)
    assert np.isnan(history.test_error_at(9, 0))


def test_a_class_with_examples_but_no_radius_is_not_left_out_of_the_mean():
    """Of two classes one has no finite radius at a record: the mean of the other would be no rms radius."""
    history = history_of(np.ones((4, 2)))
    history.radius[2, 1, 0, 1] = np.nan
    assert np.isnan(history.observable()).tolist() == [[False] * 2] * 2 + [[False, True]] + [[False] * 2]
    history.distance[1, 0] = np.nan
    assert np.isnan(history.observable("distance"))[:, 0].tolist() == [False, True, False, False]
