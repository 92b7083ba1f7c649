"""Measuring dumps: any tiling, order and split give the same numbers."""

import dataclasses

import numpy as np
import pytest

from strag.bits import pack
from strag.errors import StragError
from strag.geometry.measure import Grid, NotFinite, as_records, measure
from strag.geometry.moments import ClassMoments, normalise

U, R, P, N = (0, 5, 9), (2, 3), 50, 6


@dataclasses.dataclass
class Part:
    """A dump in memory: `h` [U, R, P, N], `predicted` and `losses` [U, R, P], `kept` bool [R, P]."""

    h: np.ndarray
    predicted: np.ndarray
    losses: np.ndarray
    kept: np.ndarray
    index: np.ndarray
    group: np.ndarray
    updates: np.ndarray
    runs: tuple
    layers: tuple = (1,)
    classes: tuple = ("even", "odd")
    source: str = "part"
    is_other: bool = False
    model: dict = dataclasses.field(default_factory=lambda: {"recipe": {"lr": 0.1}})

    @property
    def y(self):
        return self.group

    @property
    def trained(self):
        return pack(self.kept)

    def width(self, layer):
        return self.h.shape[-1]

    def hidden(self, layer, update, run, rows):
        return self.h[update, run, rows]

    def prediction(self, update, run):
        return self.predicted[update, run]

    def loss(self, update, run):
        return self.losses[update, run]

    def cut(self, updates=slice(None), runs=slice(None), rows=slice(None)):
        """The part of this part at these positions."""

        def of(values):
            return values[updates][:, runs][:, :, rows]

        return dataclasses.replace(
            self,
            h=of(self.h),
            predicted=of(self.predicted),
            losses=of(self.losses),
            kept=self.kept[runs][:, rows],
            index=self.index[rows],
            group=self.group[rows],
            updates=self.updates[updates],
            runs=tuple(np.array(self.runs)[runs]),
        )


@pytest.fixture
def whole():
    random = np.random.default_rng(0)
    group = random.integers(2, size=P)
    return Part(
        h=(random.normal(size=(len(U), len(R), P, N)) + group[:, None]).astype(np.float32),
        predicted=random.integers(2, size=(len(U), len(R), P)).astype(np.int32),
        losses=random.random((len(U), len(R), P)).astype(np.float32),
        kept=random.random((len(R), P)) < 0.8,
        index=np.sort(random.permutation(100)[:P]),
        group=group,
        updates=np.array(U),
        runs=R,
    )


def results(parts, tile=4096):
    grid = Grid(parts)
    return grid, list(measure(grid, tile))


def assert_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        for field in dataclasses.fields(other):
            value = getattr(other, field.name)
            if isinstance(value, dict):
                for name, measured in value.items():
                    np.testing.assert_allclose(one.measures[name], measured, atol=1e-9, err_msg=name)
            if isinstance(value, np.ndarray):
                np.testing.assert_allclose(getattr(one, field.name), value, atol=1e-9, err_msg=field.name)


def test_it_is_the_definition(whole):
    _, found = results([whole])
    kept, labels = whole.kept[1], whole.group[whole.kept[1]]
    moments = ClassMoments.of(normalise(whole.h[2, 1].astype(float))[kept], labels, 2)
    np.testing.assert_allclose(found[2].measures["radius"][1, 0], moments.radii())
    np.testing.assert_allclose(found[2].measures["distance"][1, 0], moments.distances())
    wrong = whole.predicted[2, 1] != whole.group
    np.testing.assert_array_equal(found[2].misclassified[1], wrong)
    assert found[2].train_error[1] == pytest.approx(wrong[kept].mean())
    assert found[2].train_loss[1] == pytest.approx(whole.losses[2, 1][kept].mean())


@pytest.mark.parametrize("tile", [1, 7, 50])
def test_the_tiling_changes_nothing(whole, tile):
    assert_equal(results([whole], tile)[1], results([whole])[1])


@pytest.mark.parametrize(
    "cuts",
    [
        [{"rows": slice(30, None)}, {"rows": slice(0, 30)}],
        [{"rows": slice(1, None, 2)}, {"rows": slice(0, None, 2)}],
        [{"updates": slice(1, None)}, {"updates": slice(0, 1)}],
        [{"runs": slice(1, 2)}, {"runs": slice(0, 1)}],
        [
            {"runs": slice(0, 1)},
            {"runs": slice(1, 2), "rows": slice(9)},
            {"runs": slice(1, 2), "rows": slice(9, 50)},
        ],
    ],
)
def test_splits_in_any_order_change_nothing(whole, cuts):
    grid, expected = results([whole])
    for parts in ([whole.cut(**cut) for cut in cuts], [whole.cut(**cut) for cut in cuts[::-1]]):
        other, found = results(parts)
        assert_equal(found, expected)
        np.testing.assert_array_equal(other.index, whole.index)
        np.testing.assert_array_equal(other.group, grid.group)
        np.testing.assert_array_equal(other.trained, whole.kept)
        assert other.runs == R


def test_parts_that_do_not_fit(whole):
    with pytest.raises(
        StragError, match="part: repeats examples of another dump at update 0; pass each dump once"
    ):
        Grid([whole, whole])
    with pytest.raises(StragError, match="part: repeats examples of another dump at update 5"):
        Grid([whole, whole.cut(updates=slice(1, 2), rows=slice(3))])
    with pytest.raises(StragError, match="examples are missing at update 0 in run 2; pass dumps that cover"):
        Grid([whole.cut(runs=slice(1, 2)), whole.cut(updates=slice(1, None), runs=slice(0, 1))])
    other = dataclasses.replace(whole.cut(rows=slice(9)), model={"recipe": {"lr": 0.2}}, source="other")
    with pytest.raises(StragError, match="other: comes from a different model than part: its recipe differs"):
        Grid([whole.cut(rows=slice(9, None)), other])


def test_a_network_that_diverged_is_wrong_everywhere(whole):
    whole.losses[1, 0] = np.nan
    whole.h[1, 0] = np.nan
    _, found = results([whole])
    assert found[1].misclassified[0].all()
    assert np.isnan(found[1].train_loss[0])
    assert np.isnan(found[1].measures["radius"][0]).all()
    assert np.isfinite(found[1].measures["radius"][1]).all()


@pytest.mark.parametrize("tile", [7, 50])
def test_examples_that_are_not_finite_take_the_radius_of_their_class_alone(whole, tile):
    _, expected = results([whole])
    odd = np.flatnonzero(whole.kept[0] & (whole.group == 1))
    whole.h[1, 0, odd[[0, 5]], 2] = np.nan
    whole.h[1, 0, odd[9]] = np.inf
    whole.h[1, 0, np.flatnonzero(~whole.kept[0])] = np.nan  # not trained on
    grid, found = results([whole], tile)
    assert_equal([found[0], found[2]], [expected[0], expected[2]])
    assert found[1].measures["radius"][0, 0, 0] == pytest.approx(expected[1].measures["radius"][0, 0, 0])
    np.testing.assert_allclose(found[1].measures["radius"][1], expected[1].measures["radius"][1])
    assert np.isnan(found[1].measures["radius"][0, 0, 1])
    record, other = as_records(grid, found[1])
    assert np.isnan([record["radius_rms"], record["separation"], *record["distance"]]).all()
    assert np.isfinite([other["radius_rms"], other["separation"]]).all()
    counts = [sum(one.examples for one in measured.not_finite) for measured in found]
    assert counts == [0, 3, 0]
    if tile >= P:
        assert found[1].not_finite == [NotFinite("part", 5, 2, 1, "odd", 3)]


def test_a_class_without_examples_is_left_out_of_the_means(whole):
    whole.kept[0] &= whole.group == 0
    whole.kept[1] = False
    grid, found = results([whole])
    one, none = as_records(grid, found[0])
    assert one["radius_rms"] == pytest.approx(found[0].measures["radius"][0, 0, 0])
    assert one["separation"] == 0
    assert none["class_sizes"] == [0, 0]
    figures = (none[key] for key in ("radius_rms", "separation", "train_error", "train_loss"))
    assert np.isnan([*figures]).all()
    assert found[0].not_finite == []


def test_records_list_every_run_and_layer(whole):
    grid, found = results([whole])
    records = as_records(grid, found[1])
    assert [(record["update"], record["run"], record["layer"]) for record in records] == [
        (5, 2, 1),
        (5, 3, 1),
    ]
    for number, record in enumerate(records):
        assert record["class_sizes"] == np.bincount(whole.group[whole.kept[number]]).tolist()
    assert records[0]["class_sizes"] != records[1]["class_sizes"]
    assert records[1]["radius"] == found[1].measures["radius"][1, 0].tolist()
    assert records[1]["radius_rms"] == pytest.approx(np.sqrt(np.mean(np.square(records[1]["radius"]))))
