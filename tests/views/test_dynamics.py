"""What a picture of a history shows: means over runs that did not diverge, inversion, captions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strag.errors import StragError
from strag.geometry.moments import separation
from strag.stragglers.find import find_stragglers
from strag.views.captions import LONGEST, caption, heading, one_line, table_title, title_of
from strag.views.dynamics import dynamics_of, log_ticks, mean_and_spread
from tests.views.histories import RECIPE, T, falling, made, valley


def test_the_inversion_is_the_mean_over_inverting_runs():
    history = made([valley(18), valley(20), valley(25), falling()])
    found = [run for run in find_stragglers(history).inversions if run.verdict == "inversion"]
    shown = dynamics_of(history)
    assert (shown.inverting, shown.runs, len(found)) == (3, 4, 3)
    assert shown.inversion["updates"] == pytest.approx(np.mean([run.update for run in found]))
    assert shown.inversion["error"] == pytest.approx(np.mean([run.train_error for run in found]))
    assert shown.sentence == "inversion at t* = 21, ε* = 0.4 (3 of 4 runs, 1 none)"


@pytest.mark.parametrize(
    ("curves", "sentence"),
    [
        ([falling()] * 3, "no inversion"),
        ([falling()] * 3 + [valley()], "no inversion (1 of 4 runs have one, 3 none)"),
        ([valley(3)] * 2, "no inversion (unresolved; too few records)"),
    ],
)
def test_no_inversion_says_the_verdict(curves, sentence):
    shown = dynamics_of(made(curves))
    assert shown.sentence == sentence
    assert shown.inversion is None


def test_diverged_runs_change_no_mean():
    curves = [valley(18), valley(20), valley(25)]
    alone, beside = dynamics_of(made(curves)), dynamics_of(made([*curves, falling()], diverged=[3]))
    for name in ("radius", "distance", "error"):
        np.testing.assert_array_equal(alone.curves[name], beside.curves[name])
    np.testing.assert_array_equal(alone.by_class["radius"], beside.by_class["radius"])
    np.testing.assert_array_equal(alone.train_error, beside.train_error)
    assert (beside.diverged, beside.runs, beside.runs_shown) == (1, 4, 3)
    assert beside.left_out == ", 1 diverged and left out"
    assert alone.left_out == ""
    assert "4 runs (1 diverged and left out)" in caption([beside])


def test_nothing_is_left_when_every_run_diverged():
    with pytest.raises(StragError, match=r"every run diverged; train with a smaller `lr`"):
        dynamics_of(made([valley(), valley()], diverged=[0, 1]))


def test_an_unknown_layer_is_refused():
    with pytest.raises(StragError, match="has no layer 3; choose `layer` from 1, 2"):
        dynamics_of(made([valley()], layers=(1, 2)), layer=3)
    assert dynamics_of(made([valley()], layers=(1, 2)), layer=2).facts["layer"] == "layer 2"


def test_log_axes_leave_out_what_they_cannot_show():
    error = np.linspace(0.5, 0, T)
    shown = dynamics_of(made([valley()], error=error))
    updates, records = shown.axis("updates")
    np.testing.assert_array_equal(updates, np.arange(1, T))
    assert not records[0]
    values, records = shown.axis("error")
    np.testing.assert_allclose(values, error[:-1].astype(np.float32))
    assert not records[-1]


def test_spread_is_the_unbiased_deviation_between_runs():
    values = np.array([[1.0, 3.0], [2.0, 2.0]])
    mean, spread = mean_and_spread(values)
    np.testing.assert_allclose(mean, [2, 2])
    np.testing.assert_allclose(spread, [np.sqrt(2), 0])
    np.testing.assert_array_equal(mean_and_spread(values[:, :1])[1], [0, 0])


@given(st.floats(1e-6, 1e5), st.floats(1, 1e8))
def test_ticks_lie_on_the_axis_and_are_never_too_many(low, factor):
    high = low * factor
    ticks = log_ticks(low, high)
    assert 1 <= len(ticks) <= 9
    assert (np.diff(ticks) > 0).all()
    assert ticks[0] >= low * (1 - 1e-6)
    assert ticks[-1] <= high * (1 + 1e-6)
    assert len(ticks) >= 2 or factor < 2


def test_ticks_are_round():
    np.testing.assert_allclose(log_ticks(1, 300), [1, 2, 5, 10, 20, 50, 100, 200])
    np.testing.assert_allclose(log_ticks(0.01, 500), [0.01, 0.1, 1, 10, 100])
    np.testing.assert_allclose(log_ticks(30, 95), [30, 40, 50, 60, 70, 80, 90])
    np.testing.assert_allclose(log_ticks(0.075, 0.496), [0.08, 0.1, 0.2, 0.3, 0.4])  # 0.09 would touch 0.1


def test_captions_hold_what_histories_share():
    first = dynamics_of(made([valley()] * 2), label="a")
    second = dynamics_of(made([valley()] * 3, recipe={**RECIPE, "lr": 0.1}, title="other"), label="b")
    assert caption([first]) == "P = 64, 2 runs, depth 2, width 20, lr 0.2"
    assert caption([first, second]) == "P = 64, depth 2, width 20"
    assert heading([first, second]) == "made-up, other"
    assert heading([first]) == f"a: {first.sentence}"


def test_unusual_recipes_are_told():
    recipe = {**RECIPE, "activation": "relu", "optimizer": "adam", "momentum": 0.9, "batch_size": 128}
    told = caption([dynamics_of(made([valley()], recipe=recipe))])
    assert told == "P = 64, 1 run, depth 2, width 20, relu, adam, lr 0.2, momentum 0.9, batches of 128"
    linear = made([valley()], recipe={**RECIPE, "depth": 1}, layers=(0,))
    assert caption([dynamics_of(linear)]) == "P = 64, 1 run, depth 1, lr 0.2, layer 0, the input"


@given(st.text())
def test_names_fit_on_a_line(text):
    short = one_line(text)
    assert len(short) <= LONGEST
    assert len(short.splitlines()) <= 1
    assert short == " ".join(text.split()) or "…" in short


def test_the_separation_is_that_of_the_runs_kept():
    history = made([valley(), falling(), valley(25)], diverged=[1], layers=(1, 2), classes=("a", "b", "c"))
    radius, distance = history.measures["radius"], history.measures["distance"]
    distance[:, :, 1] *= 0.5
    for layer in (1, 2):
        at = [0, 2], layer - 1
        expected = separation(radius[:, at[0], at[1]], distance[:, at[0], at[1]])
        shown = dynamics_of(history, layer, curves=("separation",))
        np.testing.assert_allclose(shown.curves["separation"], expected, rtol=1e-6)


def test_a_title_says_the_groups_unless_they_are_the_usual_ones():
    """Two tasks on the same data have different titles."""
    usual, vehicles = (made([valley()], classes=names) for names in (("even", "odd"), ("0-1,8-9", "2-7")))
    assert dynamics_of(usual).title == "made-up"
    assert dynamics_of(vehicles).title == dynamics_of(vehicles).label == "made-up (0-1,8-9 / 2-7)"
    assert heading([dynamics_of(usual), dynamics_of(vehicles)]) == "made-up, made-up (0-1,8-9 / 2-7)"
    assert dynamics_of(vehicles, label="mine").label == "mine"
    assert title_of("digits", map(str, range(10))) == "digits (10 classes)"
    assert table_title(None, ("a", "b")) is None
    assert table_title("t" * 50, ("a", "b")) == "t" * 50 + " (a / b)"


def test_the_caption_names_the_classes_of_groups_where_they_have_names():
    history = made([valley()], classes=("0,2", "1,3"))
    history = replace(history, y=np.arange(history.examples) % 4, group=np.arange(history.examples) % 2)
    names = ["airplane", "automobile", "bird", "cat"]
    named = replace(history, meta={**history.meta, "class_names": names})
    assert dynamics_of(named).facts["groups"] == "airplane, bird / automobile, cat"
    assert "groups" not in dynamics_of(history).facts
    assert "groups" not in dynamics_of(replace(named, classes=("even", "odd"))).facts
    long = replace(history, meta={**history.meta, "class_names": [name * 9 for name in names]})
    assert "groups" not in dynamics_of(long).facts
