"""What became of the networks of a sweep."""

from dataclasses import replace

import numpy as np
import pytest

from strag.errors import StragError
from strag.stragglers.outcomes import is_sweep, sweep_of
from tests.plotting.histories import falling, made, valley
from tests.plotting.sweeps import sweep, told


def test_a_sweep_is_told_from_other_histories():
    assert is_sweep(sweep())
    assert not is_sweep(made([valley(), falling()]))
    one_kind = told(made([valley(), falling()]), dose=[1.0, 1.0], update=[30, 31], control=["none"] * 2)
    assert not is_sweep(one_kind)  # the set of each run at its own inversion


def test_conditions_hold_their_networks_and_what_they_left_out():
    found = sweep_of(sweep())
    assert found.by == "dose"
    assert found.controls == ("none", "class")
    assert [(one.control, one.place) for one in found.conditions] == [
        ("none", 0.5),
        ("none", 1.0),
        ("class", 0.5),
        ("class", 1.0),
    ]
    assert [one.inverting for one in found.conditions] == [2, 0, 2, 2]
    assert [one.removed for one in found.conditions] == [8, 16, 8, 16]
    assert found.conditions[1].depth.tolist() == [0, 0]
    assert (found.conditions[0].depth > 0.2).all()
    assert found.noise == 1
    np.testing.assert_allclose(found.conditions[3].test_error, [0.3, 0.7])


def test_depths_without_meaning_are_left_out():
    found = sweep_of(sweep(diverged=[0]))
    assert np.isnan(found.conditions[0].depth).tolist() == [True, False]
    assert found.meaningless == 1
    assert found.conditions[0].inverting == 1


def test_sets_over_time_differ_by_their_update():
    columns = {"run": [0, 1] * 4, "dose": [1.0] * 8, "update": [5, 5, 20, 20] * 2}
    found = sweep_of(told(sweep(), **columns))
    assert found.by == "update"
    assert [one.place for one in found.conditions] == [5, 20, 5, 20]


def test_without_test_records_there_is_no_test_error():
    found = sweep_of(replace(sweep(), test_error=None))
    assert found.noise is None
    assert found.conditions[0].test_error is None


@pytest.mark.parametrize(
    "columns",
    [
        {"dose": [1.0]},
        {"dose": ["a"] * 8},
        {"dose": None},
        {"control": ["other"] * 8},
        {"update": [None] * 8},
        {"run": [[0]] * 8},
    ],
    ids=str,
)
def test_a_stamp_that_does_not_name_the_sets_is_refused(columns):
    with pytest.raises(StragError, match=r"does not say which set each.*--without"):
        is_sweep(told(sweep(), **columns))
    with pytest.raises(StragError, match="does not say which set each"):
        is_sweep(replace(sweep(), meta={**sweep().meta, "sets": [1]}))


def test_a_layer_that_is_not_recorded_is_refused():
    with pytest.raises(StragError, match="has no layer 4"):
        sweep_of(sweep(), layer=4)
