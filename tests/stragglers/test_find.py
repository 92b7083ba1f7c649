"""From a history to its stragglers."""

import dataclasses

import numpy as np
import pytest

from strag.bits import pack, unpack
from strag.errors import StragError
from strag.stragglers.find import Moment, find_stragglers, overall
from tests.conftest import history_of, with_measures

T, P = 60, 64
FALL = np.exp(-np.arange(T) / 20)
VALLEY = 0.8 + 0.1 * np.square(np.log((np.arange(T) + 1) / 21))


def sets(T, R, members):
    """bool [T, R, P] whose set at every record of run r is members[r]."""
    wrong = np.zeros((T, R, P), bool)
    for run, chosen in enumerate(members):
        wrong[:, run, list(chosen)] = True
    return wrong


def test_bits_come_back():
    members = np.random.default_rng(0).random((3, 5, 13)) < 0.5
    assert pack(members).shape == (3, 5, 2)
    np.testing.assert_array_equal(unpack(pack(members), 13), members)
    assert pack(np.array([True] + [False] * 7)) == 1  # little-endian in each byte


def test_the_consensus_is_strictly_more_than_half_of_the_inverting_runs():
    members = [range(20), range(10, 30), range(10, 25), range(40)]
    curves = np.stack([VALLEY, VALLEY, VALLEY, FALL], axis=1)  # the last run does not invert
    found = find_stragglers(history_of(curves, wrong=sets(T, 4, members)))
    assert found.verdict == "inversion"
    assert [inversion.verdict for inversion in found.inversions] == ["inversion"] * 3 + ["none"]
    assert found.records[3] is None
    np.testing.assert_array_equal(np.flatnonzero(found.consensus), range(10, 25))
    np.testing.assert_array_equal(found.counts[[5, 15, 22, 27, 35]], [1, 3, 2, 1, 0])
    even = find_stragglers(history_of(curves[:, :2], wrong=sets(T, 2, members[:2])))
    np.testing.assert_array_equal(np.flatnonzero(even.consensus), range(10, 20))


def test_networks_are_their_own_runs_unless_they_come_from_sets():
    plain = history_of(np.stack([VALLEY] * 3, axis=1))
    assert (plain.seed_runs, plain.shared_run) == ((0, 1, 2), None)
    for run, shared in (([4, 2, 7], None), ([4, 2, 4], 4)):
        swept = dataclasses.replace(plain, meta={**plain.meta, "sets": {"run": run}})
        assert (swept.seed_runs, swept.shared_run) == (tuple(run), shared)
        found = find_stragglers(swept)
        assert found.consensus.any() == (found.model is not None) == (shared is None)
    for broken in (
        {},
        [1],
        {"run": [1, 2]},
        {"run": [1, 2, -1]},
        {"run": [1, 2, None]},
        {"run": [1, 2, "3"]},
    ):
        swept = dataclasses.replace(plain, meta={**plain.meta, "sets": broken})
        with pytest.raises(StragError, match=r"does not say from which run.*`without`"):
            find_stragglers(swept)


def test_sets_hold_trained_examples_only():
    history = history_of(np.stack([VALLEY, VALLEY], axis=1), wrong=sets(T, 2, [range(30), range(30)]))
    trained = np.ones((2, P), bool)
    trained[:, 10:] = False
    trained[0, 20:] = True
    found = find_stragglers(dataclasses.replace(history, trained=pack(trained)))
    np.testing.assert_array_equal(np.flatnonzero(found.sets[0]), [*range(10), *range(20, 30)])
    np.testing.assert_array_equal(np.flatnonzero(found.sets[1]), range(10))
    np.testing.assert_array_equal(found.seen[[5, 15, 25]], [2, 0, 1])
    np.testing.assert_array_equal(np.flatnonzero(found.consensus), [*range(10), *range(20, 30)])


def test_at_an_update_or_an_error():
    history = history_of(np.stack([FALL, FALL], axis=1), error=np.linspace(0.6, 0.01, T))
    assert find_stragglers(history, at=Moment(update=7)).records == (7, 7)
    found = find_stragglers(history, at=Moment(error=0.295))
    assert found.records == (31, 31)
    assert history.train_error[31, 0] <= 0.295 < history.train_error[30, 0]
    with pytest.raises(StragError, match="no record at update 60; the nearest are at 58 and 59"):
        find_stragglers(history, at=Moment(update=60))
    with pytest.raises(StragError, match=r"no run reaches the training error 0.001; the lowest is 0.01"):
        find_stragglers(history, at=Moment(error=0.001))


def test_a_training_error_is_a_moment_only_where_it_is_crossed_from_above():
    rising = np.linspace(0.1, 0.4, T)
    history = history_of(
        np.stack([FALL] * 3, axis=1),
        error=np.stack([np.linspace(0.7, 0, T), np.linspace(0.5, 0, T), rising], axis=1),
    )
    assert find_stragglers(history, at=Moment(error=0.6)).records == (9, None, None)
    assert find_stragglers(history, at=Moment(error=0.5)).records[1] == 0  # its first error is the level
    assert find_stragglers(history, at=Moment(error=0.3)).records[2] is None
    for level in (0.71, 1.0):
        said = rf"no run has a training error of {level} or more; the highest is 0\.7; use a smaller one$"
        with pytest.raises(StragError, match=said):
            find_stragglers(history, at=Moment(error=level))
    alone = history_of(np.stack([FALL], axis=1), error=rising)
    with pytest.raises(StragError, match=r"the training error of no run falls to 0\.3 from above"):
        find_stragglers(alone, at=Moment(error=0.3))


def test_observables_fall_together_for_two_classes_on_the_sphere():
    """R_rms^2 = 1 - |m|^2 - D^2/4 with m constant: one valley, whichever observable shows it."""
    radius = 0.5 + VALLEY / 5
    history = history_of(np.stack([radius], axis=1))
    distance = 2 * np.sqrt(1 - np.square(radius))
    history = with_measures(history, distance=distance[:, None, None, None])
    records = {
        name: find_stragglers(history, observable=name).records
        for name in ("radius", "radius:0", "radius:odd", "distance", "separation")
    }
    assert set(records.values()) == {(20,)}


def test_unknown_names_are_listed():
    history = history_of(np.stack([VALLEY], axis=1))
    with pytest.raises(StragError, match="no class 'third'; it has even, odd"):
        find_stragglers(history, observable="radius:third")
    with pytest.raises(StragError, match="no `observable` 'size'; use radius"):
        find_stragglers(history, observable="size")
    with pytest.raises(StragError, match="has no layer 3; it has only layer 1"):
        find_stragglers(history, layer=3)


def test_only_full_batch_gradient_descent_must_descend():
    loss = np.where(np.arange(T) < 10, 0.5, 0.6)
    curve = np.stack([VALLEY], axis=1)
    plain = {"optimizer": "sgd", "batch_size": None}
    assert find_stragglers(history_of(curve, loss=loss, recipe=plain)).verdict == "unstable"
    for other in ({"optimizer": "adam"}, {"batch_size": 64}, {"momentum": 0.9}, {"weight_decay": 0.1}):
        assert find_stragglers(history_of(curve, loss=loss, recipe={**plain, **other})).verdict == "inversion"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["inversion", "none"], "inversion"),
        (["inversion", "none", "none"], "none"),
        (["none", "open"], "open"),
        (["inversion", "unstable", "unstable"], "unstable"),
        (["none", "unstable"], "none"),
        (["none", "unstable", "diverged"], "diverged"),
        (["diverged"] * 3, "diverged"),
    ],
)
def test_verdict_over_runs(verdicts, expected):
    assert overall(verdicts) == expected
