"""What became of the networks of a sweep."""

from dataclasses import replace

import numpy as np
import pytest

from strag.errors import StragError
from strag.stragglers.experiments import experiments_of
from strag.stragglers.find import find_stragglers
from strag.stragglers.finding import finding_of
from strag.stragglers.sweep import Baseline, baseline_of, is_sweep, sweep_of
from tests.stragglers.test_reference import reference, without
from tests.views.histories import falling, made, valley
from tests.views.sweeps import sweep, told


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
    assert found.conditions[1].verdicts == {"none": 2}
    assert [one.censored for one in found.conditions] == [0, 0, 0, 0]
    assert np.isnan(found.conditions[1].horizon).all()
    assert np.isfinite(found.conditions[0].horizon).all()
    assert found.noise == 1
    np.testing.assert_allclose(found.conditions[3].test_error, [0.3, 0.7])


def test_a_diverged_network_is_not_known_and_has_no_test_error():
    (first, *_) = sweep_of(sweep(diverged=[0])).conditions
    assert first.verdicts == {"diverged": 1, "inversion": 1}
    assert (first.inverting, first.censored, first.networks) == (1, 1, 2)
    assert np.isnan(first.horizon).tolist() == [True, False]
    assert np.isnan(first.test_error).tolist() == [True, False]


def test_sets_over_time_differ_by_their_update():
    columns = {"run": [0, 1] * 4, "dose": [1.0] * 8, "update": [5, 5, 20, 20] * 2}
    found = sweep_of(told(sweep(), **columns))
    assert found.by == "update"
    assert [one.place for one in found.conditions] == [5, 20, 5, 20]


def test_differences_are_from_the_control_of_the_same_set_of_the_same_run():
    columns = {"run": [0, 1] * 4, "control": ["none"] * 4 + ["random"] * 4}
    found = sweep_of(told(sweep(), **columns))
    own, other = found.conditions[1], found.conditions[3]
    assert list(own.differences) == ["random"]
    np.testing.assert_allclose(own.differences["random"], own.test_error - other.test_error)
    assert np.isfinite(own.differences["random"]).all()
    assert other.differences == {}
    of_class = sweep_of(told(sweep(), run=[0, 1] * 4)).conditions[0].differences
    assert list(of_class) == ["class"]
    alone = told(sweep(), run=[0, 1] * 2 + [2, 3] * 2)  # controls of other runs
    assert sweep_of(alone).conditions[0].differences == {}


def test_a_summary_gives_the_difference_for_each_example_left_out():
    columns = {"run": [0, 1] * 4, "control": ["none"] * 4 + ["random"] * 4}
    history = told(sweep(), **columns)
    experiments = experiments_of(finding_of(history, find_stragglers(history), {}))
    kinds = {(one.settings["control"], one.settings["dose"]): one.runs for one in experiments}
    for one in sweep_of(history).conditions[:2]:
        excess = [run.values["excess_error@1"] for run in kinds[one.control, one.place]]
        np.testing.assert_allclose(excess, one.differences["random"] / one.removed)


def test_without_test_records_there_is_no_test_error():
    found = sweep_of(replace(sweep(), test_error=None))
    assert found.noise is None
    assert found.conditions[0].test_error is None
    assert found.conditions[0].differences == {}


def twice(runs):
    """A sweep of as many runs without their own set and one at random."""
    sets = {"update": [20, 30] * 2, "dose": [0.0] * 4, "control": ["none"] * 2 + ["random"] * 2}
    return told(without(runs=[*runs, *runs]), run=[*runs, *runs], **sets)


def test_the_baseline_is_the_mean_over_the_runs_of_the_sweep():
    """Each run once; stopped, runs 0 and 1 misclassify 1 and 2 of 10, and all 4 at the end, with noise 6."""
    whole = reference()
    found = find_stragglers(whole).inversions
    clean = baseline_of(sweep_of(twice((0, 1)), noise=0.0), whole)
    assert clean.update == pytest.approx((found[0].update + found[1].update) / 2)
    assert clean.train_error == pytest.approx((found[0].train_error + found[1].train_error) / 2)
    assert (clean.stopped_test_error, clean.test_error) == pytest.approx((0.15, 0.4))
    noisy = baseline_of(sweep_of(twice((0, 1))), whole)
    assert (noisy.stopped_test_error, noisy.test_error) == pytest.approx((0.6, 0.6))


def test_only_runs_that_invert_can_be_stopped():
    first = baseline_of(sweep_of(twice((0, 2)), noise=0.0), reference())
    assert (first.stopped_test_error, first.test_error) == pytest.approx((0.1, 0.4))
    none = baseline_of(sweep_of(twice((2, 2)), noise=0.0), reference())
    assert none == Baseline(None, None, None, pytest.approx(0.4))


def test_another_training_is_no_baseline():
    with pytest.raises(StragError, match="whole: was trained with `seed` 3"):
        baseline_of(sweep_of(twice((0, 1))), reference(seed=3))


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
    with pytest.raises(StragError, match=r"does not say which set each.*`without`"):
        is_sweep(told(sweep(), **columns))
    with pytest.raises(StragError, match="does not say which set each"):
        is_sweep(replace(sweep(), meta={**sweep().meta, "sets": [1]}))


def test_a_layer_that_is_not_recorded_is_refused():
    with pytest.raises(StragError, match="has no layer 4"):
        sweep_of(sweep(), layer=4)
