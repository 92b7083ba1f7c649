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
    halfway = np.sqrt(101 * 151) - 1
    assert history.test_error_at(halfway, 0) == pytest.approx(0.3)
    assert [history.test_error_at(t, 0) for t in (0, 100, 400)] == pytest.approx([0.5, 0.4, 0.1])
    near = [history.test_record_near(t) for t in (None, 0, 3, 130, 400, 401)]
    assert near == [None, 0, 1, 2, 3, None]
    assert np.isnan([history.test_error_at(t, 0) for t in (None, 50, 200, 401)]).all()
