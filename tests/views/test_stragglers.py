"""The tables of a Finding."""

import numpy as np
import pytest

from strag.stragglers.finding import Finding
from strag.stragglers.over_runs import LayerFinding, OverRuns
from strag.views.stragglers import _interval, tables

LAYERS = (LayerFinding(1, "inversion", 2, 2, {"inversion": 2}, lr_update_mean=7.5),)


@pytest.mark.parametrize(
    ("training", "time"),
    [({"lr": 0.1}, "lr t*"), ({"lr": 0.1, "momentum": 0.0}, "lr t*"), ({"momentum": 0.9}, "lr t*/(1 - m)")],
)
def test_the_time_of_a_layer_is_named_after_the_momentum(training, time):
    meta = {"recipe": {"at": "inversion"}, "inputs": {"training": training}}
    summary = OverRuns(runs=2, inverting_runs=2, verdicts={"inversion": 2}, runs_with_a_set=0)
    examples = {"index": []}
    found = Finding("inversion", np.arange(0), meta, summary, layers=LAYERS, examples=examples)
    profile = tables(found)[0]
    place = [heading for heading, _ in profile.columns].index(time)
    assert profile.rows[0][place] == "7.50"


@pytest.mark.parametrize(("ends", "text"), [((0.25, 0.75), "0.250 to 0.750"), ((None, None), "-")])
def test_an_interval_that_is_not_known_is_a_dash(ends, text):
    """One run has no interval; a NaN in a file is the same."""
    assert _interval(*ends) == text
    assert _interval(float("nan"), float("nan")) == "-"
