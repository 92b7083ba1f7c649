"""Measures that are chosen: tilings, orders and splits, samples, and refusals before any work."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

from strag.errors import StragError
from strag.geometry import further as module
from strag.geometry.further import Further, choose, seconds
from strag.geometry.measure import Grid, as_records, measure
from strag.geometry.measures import CHOICES, FURTHER, MEASURES
from tests.geometry.clouds import OnePart, part_of, values_in
from tests.geometry.test_measure import whole  # noqa: F401, a fixture

ALL = Further(tuple(one for one in FURTHER if one.fewest < 3))
NAMES = [one.name for one in ALL.recorded]


def with_head(part):
    """A Part of two networks with a linear head on its layer."""
    fields = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
    found = OnePart(**fields)
    found.weight = np.random.default_rng(1).normal(size=(2, 6))
    return found


def measured(parts, tile=4096):
    grid = Grid([with_head(part) for part in parts])
    return grid, list(measure(grid, tile, ALL))


def assert_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        for name, values in other.measures.items():
            np.testing.assert_allclose(one.measures[name], values, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("tile", [3, 49])
def test_the_tiling_changes_nothing(whole, tile):  # noqa: F811
    _, expected = measured([whole])
    assert set(NAMES) < set(expected[0].measures)
    assert_equal(measured([whole], tile)[1], expected)


@pytest.mark.parametrize("cut", ["rows", "updates", "runs"])
def test_splits_in_any_order_change_nothing(whole, cut):  # noqa: F811
    slices = {"rows": (slice(1, None, 2), slice(0, None, 2))}.get(cut, (slice(1, None), slice(0, 1)))
    parts = [whole.cut(**{cut: rows}) for rows in slices]
    for order in (parts, parts[::-1]):
        assert_equal(measured(order)[1], measured([whole])[1])


def test_several_passes_change_nothing(whole, monkeypatch):  # noqa: F811
    _, expected = measured([whole])
    monkeypatch.setattr(module, "TOGETHER", 1)  # a class at a time
    assert_equal(measured([whole])[1], expected)


def test_what_is_measured_anyway_stays_as_it_is(whole):  # noqa: F811
    grid, found = measured([whole])
    plain = list(measure(grid))
    for one, other in zip(found, plain, strict=True):
        for name, values in other.measures.items():
            np.testing.assert_array_equal(one.measures[name], values)
    record, other = as_records(grid, found[0], ALL)[1], as_records(grid, plain[0])[1]
    assert {name: record[name] for name in other} == other
    added = {name: value for name, value in record.items() if name not in other}
    assert set(added) == {key for one in ALL.measures for key in (one.name, one.listed_as)} - {None} - {
        "duplicates_mean"
    }
    assert len(added["overlap"]) == 1
    assert added["ncm_mean"] == pytest.approx(np.mean(added["ncm"]))


def test_only_examples_that_a_run_was_trained_on_count():
    random = np.random.default_rng(0)
    h, labels, kept = random.normal(size=(60, 4)), np.arange(60) % 3, random.random(60) < 0.6
    every = [one.name for one in FURTHER if not one.parts]
    found = values_in(h, labels, every, kept=kept)
    for name, values in values_in(h[kept], labels[kept], every).items():
        np.testing.assert_allclose(found[name], values, err_msg=name)


def test_a_class_of_one_example_and_an_empty_one():
    random = np.random.default_rng(0)
    h, labels = random.normal(size=(21, 4)), np.append(np.arange(20) % 2, 3)  # class 2 is empty
    found = values_in(h, labels, [one.name for one in FURTHER if not one.parts])
    assert np.isnan(found["radius_h"]).tolist() == [False, False, True, False]
    assert found["radius_h"][3] == 0
    for name in ("participation", "dimension"):
        assert np.isnan(found[name]).tolist() == [False, False, True, True]
    assert found["ncm"][3] == 1
    assert np.isfinite([found[name] for name in ("nc1", "nc2_norms", "nc2_angles", "nc3")]).all()


def test_a_sample_is_as_large_as_asked_and_the_same_at_every_update():
    random = np.random.default_rng(0)
    h, labels = random.normal(size=(500, 3)), np.arange(500) % 2
    grid = Grid([part_of(h, labels)])
    few = Further((MEASURES["dimension"], MEASURES["duplicates"]), 40)
    (sample,) = few.sample(grid)
    assert np.bincount(labels[sample]).tolist() == [40, 40]
    (larger,) = Further(few.measures, 50).sample(grid)
    assert (sample <= larger).all()
    found = values_in(h, labels, ["dimension"], examples=40)["dimension"]
    np.testing.assert_allclose(found, values_in(h[sample], labels[sample], ["dimension"])["dimension"])
    assert values_in(h, labels, ["dimension"], examples=400)["dimension"].tolist() == pytest.approx(
        values_in(h, labels, ["dimension"])["dimension"].tolist()
    )


def test_all_are_those_that_the_dumps_allow(whole):  # noqa: F811
    plain = choose(Grid([whole]), ["all"])
    assert set(plain.left_out) == {"nc2_norms", "nc2_angles", "nc3"}
    assert plain.names == [name for name in CHOICES if name not in plain.left_out]
    assert set(choose(Grid([with_head(whole)]), ["all"]).left_out) == {"nc2_norms", "nc2_angles"}
    for name, words in (("nc2_norms", "3 groups, and there are 2"), ("nc3", "without the linear head")):
        with pytest.raises(StragError, match=f"part: cannot measure {name}: .*{words}") as caught:
            choose(Grid([whole]), [name])
        assert caught.value.status == 2
    assert choose(Grid([whole])).measures == ()


def test_a_sample_without_the_dimension_is_refused(whole):  # noqa: F811
    with pytest.raises(StragError, match="`examples` has no effect without the measure dimension"):
        choose(Grid([whole]), ["ncm"], 10)
    assert choose(Grid([whole]), ["dimension"], 10).examples == 10


def test_too_much_memory_is_refused_before_any_work(whole, monkeypatch):  # noqa: F811
    monkeypatch.setattr(type(whole), "width", lambda *_: 10_000_000)
    monkeypatch.setattr(type(whole), "hidden", None)
    words = "participation needs .* GiB for a class of .* examples in layer 1, more than 1 GiB; leave out"
    with pytest.raises(StragError, match=words):
        choose(Grid([whole]), ["participation"])
    with pytest.raises(StragError, match=r"more than 1 GiB; pass `examples` (\d+)") as caught:
        choose(Grid([whole]), ["dimension"])
    choose(Grid([whole]), ["dimension"], int(caught.value.remedy.split()[-1]))


def test_the_forecast_grows_with_the_square_of_the_examples():
    random = np.random.default_rng(0)
    grids = [Grid([part_of(random.normal(size=(n, 3)), np.arange(n) % 2)]) for n in (100, 200)]
    few, many = (seconds(grid, choose(grid, ["dimension"])) for grid in grids)
    assert many == pytest.approx(4 * few)
    assert seconds(grids[1], choose(grids[1], ["dimension"], 50)) == pytest.approx(few)
    assert seconds(grids[0], choose(grids[0], ["ncm"])) == 0


def test_memory_does_not_grow_with_the_number_of_examples():
    """Except for the dimension, which needs all examples of a class, or a sample of them."""

    def peak(examples):
        h, labels = np.zeros((examples, 1), np.float32), np.arange(examples) % 2
        part = part_of(h, labels, np.ones((2, 1)))
        part.width = lambda layer: 64
        part.hidden = lambda layer, update, run, rows: np.random.default_rng(rows.start).normal(
            size=(len(labels[rows]), 64)
        )
        part.weight = np.random.default_rng(0).normal(size=(2, 64))
        grid = Grid([part])
        tracemalloc.start()
        (record,) = measure(grid, 2048, choose(grid, ["all"], 50))
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert np.isfinite([record.measures[name].mean() for name in ("participation", "nc1", "ncm")]).all()
        return held

    few, many = peak(20_000), peak(60_000)  # 10 and 31 MB of float64
    assert many < few + 5_000_000
