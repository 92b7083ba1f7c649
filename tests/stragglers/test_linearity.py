"""Linearity: means at multiples of each run's own t*, and the inversions of a Finding."""

import numpy as np
import pytest

from strag.errors import StragError
from strag.stragglers.finding import Finding
from strag.stragglers.inversion import Inversion
from strag.stragglers.linearity import Linearity, inversions_of
from strag.stragglers.recipe import require_same_training
from strag.stragglers.run_finding import RunFinding

RECIPE = {"seed": 0, "depth": 2, "width": 20, "activation": "tanh", "lr": 0.1}
INPUTS = {"data": "d"}


def linearity(updates, t_star, r2=None, runs=None):
    updates = np.array(updates)
    if updates.ndim == 1:
        updates = np.repeat(updates[:, None], len(t_star), axis=1)
    r2 = updates * 0.001 if r2 is None else np.array(r2)
    counts = np.ones((4, updates.shape[1]), dtype=int) * [[90], [80], [7], [7]]
    inversion = np.array([t_star, np.full(len(t_star), 0.05)])
    return Linearity(
        tuple(range(updates.shape[1])), updates, r2 / 2, r2, r2 / 4, *counts, inversion=inversion
    )


def finding(verdicts, runs=None, training=RECIPE):
    parts = [
        RunFinding(run, Inversion(verdict, update=10.0 + run, train_error=0.01 * run))
        for run, verdict in zip(runs or range(len(verdicts)), verdicts, strict=True)
    ]
    meta = {"origin": "o", "inputs": {"training": training, "history": INPUTS}}
    return Finding("inversion", np.array([1]), meta, runs=tuple(parts), source="s.json")


class TestMoments:
    def test_each_run_counts_at_its_own_time(self):
        result = linearity([0, 5, 10, 20, 40, 80, 160], [40.0, 20.0])
        quarter, now, later = result.moments
        assert [moment.times for moment in result.moments] == [0.25, 1, 4]
        assert (quarter.update, now.update, later.update) == (7.5, 30, 120)
        assert now.r2 == pytest.approx(0.03)
        assert now.r2_std == pytest.approx(np.std([0.04, 0.02], ddof=1))
        assert (now.train_error, now.agreement) == pytest.approx((0.015, 0.0075))

    def test_the_nearest_is_so_in_ln_t(self):
        """14.2 is nearer to 20 than to 10 in ln t, and nearer to 10 in t."""
        assert linearity([10, 20], [14.2]).moments[1].update == 20
        assert linearity([10, 20], [14.1]).moments[1].update == 10

    def test_updates_that_are_far_do_not_count(self):
        for stored, runs in ((20, 1), (21, 0), (5, 1), (4, 0), (0, 0)):
            moment = linearity([stored], [10.0]).moments[1]
            assert moment.runs == runs
            assert np.isfinite(moment.r2) == bool(runs)

    def test_runs_without_an_inversion_do_not_count(self):
        result = linearity([10, 20], [10.0, np.nan])
        assert result.moments[1].runs == 1
        assert np.isnan(result.moments[1].r2_std)
        assert linearity([10, 20], [np.nan, np.nan]).moments == ()

    def test_runs_may_end_at_different_updates(self):
        result = linearity([[100, 7]], [100.0, 7.0])
        assert (result.moments[1].runs, result.moments[1].update) == (2, 53.5)

    def test_values_that_are_not_known_are_left_out_of_means(self):
        moment = linearity([10], [10.0, 10.0], r2=[[np.nan, 0.5]]).moments[1]
        assert (moment.runs, moment.r2) == (2, 0.5)


class TestInversions:
    def test_only_inverting_runs_have_one(self):
        pairs = inversions_of(finding(["inversion", "open", "inversion"]), (2, 1, 0, 9), "w")
        np.testing.assert_array_equal(pairs[0], [12, np.nan, 10, np.nan])
        np.testing.assert_array_equal(pairs[1], [0.02, np.nan, 0, np.nan])

    def test_other_runs_are_refused(self):
        with pytest.raises(StragError, match="has none of the runs of w"):
            inversions_of(finding(["inversion"], runs=[7]), (0, 1), "w")


class TestSameTraining:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("seed", 1), ("lr", 0.2), ("width", 21), ("no_bias", True), ("momentum", 0.9)),
            *(("precision", "x"), ("standardise", "channel")),
        ],
    )
    def test_another_training_is_refused(self, name, value):
        other = finding(["inversion"], training={**RECIPE, name: value})
        setting = f"`{name}`" if value is True else f"`{name}` {value}"
        words = rf"s\.json: is of a training with {setting}, but w of one"
        with pytest.raises(StragError, match=words):
            require_same_training(other, RECIPE, INPUTS, "w")

    @pytest.mark.parametrize("inputs", [{"data": "e"}, {**INPUTS, "without": "s"}, {**INPUTS, "init": {}}])
    def test_other_examples_and_other_weights_are_refused(self, inputs):
        with pytest.raises(StragError, match=r"s\.json: is of a training on other examples, or from other"):
            require_same_training(finding(["inversion"]), RECIPE, inputs, "w")

    def test_a_longer_training_is_the_same_one(self):
        other = finding(["inversion"], training={**RECIPE, "epochs": 9, "until": "decided", "no_bias": False})
        require_same_training(other, {**RECIPE, "epochs": 3, "runs": 2}, INPUTS, "w")
