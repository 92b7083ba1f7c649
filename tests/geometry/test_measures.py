"""Laws of every measure in MEASURES: a new one is held to them without a new test."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag.geometry.curves import measures_of, over_axis, values_of
from strag.geometry.measures import CHOICES, CURVES, FURTHER, MEASURES, RECORDED, observables
from strag.geometry.moments import ClassMoments, mean_over, normalise, rms_radius
from tests.geometry.clouds import head_of

C, N, B = 4, 6, 48
seeds = st.integers(0, 2**32 - 1)
# All but those that another measure gives along with its own values.
LAWFUL = [measure for measure in MEASURES.values() if measure.needs != "along"]
every = pytest.mark.parametrize("measure", LAWFUL, ids=lambda measure: measure.name)
SPACES = {"x": normalise, "h": lambda h: h}


def shape_of(axis, classes):
    """The axis of a measure for so many classes, as the end of a shape: tuple, empty for None."""
    return {"class": (classes,), "pair": (classes * (classes - 1) // 2,), None: ()}[axis]


def cloud(seed):
    """Representations h [B, N] of C classes around means of their own, and their labels."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(B) % C)
    return random.normal(size=(C, N))[labels] + random.normal(size=(B, N)), labels


def sums_of(measure, h, labels):
    return ClassMoments.of(SPACES[measure.space](h), labels, C)


def of_classes(measure, h, labels):
    """The values of a function that visits one class after another: list of C values or tuples."""
    points, values = SPACES[measure.space](h), []
    for c in range(C):
        if not (labels == c).any():
            values.append((np.nan, 0) if measure.along else np.nan)
            continue
        visitor = measure.function(points[labels == c].mean(axis=0), (labels == c).sum())
        visitor.add(points[labels == c])
        values.append(visitor.value())
    return values


def computed(measure, h, labels, weight):
    """What the function of a measure returns, given what the measure needs: [axis]."""
    if measure.needs == "class":
        return np.array([value[0] if measure.along else value for value in of_classes(measure, h, labels)])
    moments = sums_of(measure, h, labels)
    if measure.needs == "head":
        return measure.function(moments, weight)
    if measure.needs == "moments":
        return measure.function(moments)
    visitor = measure.function(moments)
    visitor.add(SPACES[measure.space](h), labels, (h @ weight.T).argmax(axis=1))
    return visitor.value()


def value(measure, h, labels, weight=None):
    """What a measure says of representations, and of a network with these weights in its head: [axis]."""
    weight = head_of(C, N) if weight is None else weight
    recorded = {name: computed(MEASURES[name], h, labels, weight) for name in measure.sources}
    return values_of(measure, recorded, np.bincount(labels, minlength=C) > 0)


def curve_of(measure, h, labels, weight=None):
    """A measure over all classes."""
    return over_axis(measure, value(measure, h, labels, weight), np.bincount(labels, minlength=C) > 0)


@every
@settings(deadline=None)
@given(seeds)
def test_rotations_change_nothing(measure, seed):
    h, labels = cloud(seed)
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(N, N)))
    rotated = value(measure, h @ rotation, labels, head_of(C, N) @ rotation)
    np.testing.assert_allclose(rotated, value(measure, h, labels), rtol=1e-6, atol=1e-7)


@every
@settings(deadline=None)
@given(seeds)
def test_a_common_scale_changes_nothing_but_lengths(measure, seed):
    h, labels = cloud(seed)
    scale = 1 if "units of h" not in measure.meaning else 8
    np.testing.assert_allclose(
        value(measure, 8 * h, labels), scale * value(measure, h, labels), rtol=1e-6, atol=1e-7
    )


@every
@settings(deadline=None)
@given(seeds)
def test_the_length_of_a_representation_does_not_matter_on_the_sphere_alone(measure, seed):
    h, labels = cloud(seed)
    scaled = h * np.random.default_rng(seed).uniform(0.01, 100, size=(len(h), 1))
    found, expected = value(measure, scaled, labels), value(measure, h, labels)
    same = np.allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert same == (measure.space == "x") or measure.name == "nc4"  # a share may be the same by chance


@every
@settings(deadline=None)
@given(seeds)
def test_the_order_of_the_examples_does_not_matter(measure, seed):
    h, labels = cloud(seed)
    order = np.random.default_rng(seed).permutation(B)
    found = value(measure, h[order], labels[order])
    np.testing.assert_allclose(found, value(measure, h, labels), rtol=1e-6, atol=1e-7)


@every
@settings(deadline=None)
@given(seeds)
def test_the_numbers_of_the_classes_do_not_matter_to_a_curve(measure, seed):
    h, labels = cloud(seed)
    names = np.random.default_rng(seed).permutation(C)
    found = curve_of(measure, h, names[labels], head_of(C, N)[np.argsort(names)])
    assert found.shape == ()
    np.testing.assert_allclose(found, curve_of(measure, h, labels), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("measure", RECORDED, ids=lambda measure: measure.name)
@settings(deadline=None)
@given(seeds, st.integers(1, B - 1))
def test_two_halves_merged_are_the_whole(measure, seed, cut):
    h, labels = cloud(seed)
    first, second = (sums_of(measure, h[rows], labels[rows]) for rows in (slice(cut), slice(cut, None)))
    found = measure.function(first.merge(second))
    np.testing.assert_allclose(found, value(measure, h, labels), rtol=1e-6, atol=1e-7)


@every
def test_it_says_something_of_these_clouds(measure):
    """What is the same for all of them would pass every law above; mean_norm2 is: no vector vanishes."""
    values = np.stack([value(measure, *cloud(seed)) for seed in range(20)])
    assert values.shape == (20, *shape_of(measure.axis, C))
    assert np.isfinite(values).all()
    assert (np.std(values, axis=0) > 1e-3).all() == (measure.name != "mean_norm2")


@every
def test_an_absent_class_is_left_out_of_the_curve(measure):
    h, labels = cloud(0)
    kept = labels != 2
    with_gap = curve_of(measure, h[kept], labels[kept])
    closed = labels[kept] - (labels[kept] > 2)  # class 3 takes its number: now the last one is absent
    swapped = head_of(C, N)[[0, 1, 3, 2]]
    np.testing.assert_allclose(with_gap, curve_of(measure, h[kept], closed, swapped))
    assert np.isfinite(with_gap)


def test_curves_of_an_axis_are_means_over_it():
    values, present = np.array([[1.0, 2.0, np.nan], [3.0, 4.0, 5.0]]), np.array([True, True, False])
    np.testing.assert_allclose(mean_over(values, present), [1.5, 3.5])
    np.testing.assert_allclose(rms_radius(values, present), np.sqrt([2.5, 12.5]))
    found = {name: over_axis(measure, values, present) for name, measure in MEASURES.items()}
    np.testing.assert_array_equal(found["radius"], rms_radius(values, present))
    np.testing.assert_array_equal(found["distance"], values[:, 0])  # the one pair
    np.testing.assert_array_equal(found["mean_norm2"], [1.5, 3.5])
    np.testing.assert_array_equal(found["separation"], values)


def test_layers_lie_between_the_leading_axes_and_that_of_the_measure():
    h, labels = cloud(0)
    x = normalise(np.stack([h, h[:, ::-1] + 1, 2 * h - 1]))  # three runs
    layers = [ClassMoments.of(x, labels, C), ClassMoments.of(normalise(x + 0.2), labels, C)]
    found = measures_of(layers)
    assert list(found) == [measure.name for measure in RECORDED]
    for measure in RECORDED:
        assert found[measure.name].shape == (3, 2, *shape_of(measure.axis, C))
        for at, layer in enumerate(layers):
            np.testing.assert_array_equal(found[measure.name][:, at], measure.function(layer))


def test_the_table_is_sound():
    assert [measure.name for measure in MEASURES.values()] == list(MEASURES)
    for measure in MEASURES.values():
        assert measure.name.isidentifier()
        assert measure.axis in ("class", "pair", None)
        assert measure.mean in ("mean", "rms")
        assert measure.sign in (1, -1)
        assert measure.space in SPACES
        assert (measure.needs == "measures") == bool(measure.parts)
        assert all(MEASURES[name].needs == "along" for name in measure.along)
        assert measure.meaning or not measure.optional
        assert all(MEASURES[name] in RECORDED for name in measure.parts)
        assert callable(measure.function)
    assert set(CHOICES) == {measure.name for measure in FURTHER if measure.label}
    listed = [name for measure in CURVES for name in {measure.name, measure.listed_as} if name]
    assert len(listed) == len(set(listed))


def test_observables_are_the_curves_and_those_of_one_class():
    assert observables() == ["radius", "radius:CLASS", "distance", "separation"]
    assert observables(explained=True)[0] == "radius (rms over classes)"


def test_the_table_needs_no_numpy():
    script = "import sys; import strag.geometry.measures; assert 'numpy' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
