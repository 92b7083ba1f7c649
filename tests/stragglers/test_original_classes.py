"""Stragglers and test errors of single original classes."""

import dataclasses
import json

import numpy as np
import pytest

from strag import kinds
from strag.bits import pack
from strag.errors import StragError
from strag.files.jsonfile import write_json
from strag.files.output import Output
from strag.files.stragglers import stragglers_from, stragglers_object
from strag.stragglers.find import Moment, find_stragglers
from strag.stragglers.finding import finding_of
from strag.stragglers.original_classes import OriginalClass, original_classes, rank_correlation
from strag.stragglers.per_class import find_per_class
from tests.conftest import history_of, with_measures
from tests.files.makers import images, refused, stragglers_file

T, P, Q = 60, 60, 12
FALL = np.exp(-np.arange(T) / 20)
Y, Y_TEST = np.arange(P) % 3, np.arange(Q) % 4


def valley(bottom):
    return 0.8 + 0.1 * np.square(np.log((np.arange(T) + 1) / (bottom + 1)))


VALLEYS = (valley(20), valley(20), FALL)


def made(curves=VALLEYS, tests=(0, 16, 24, 59), **changed):
    """Three classes in two groups. Run r straggles in its first 10 (r + 1) examples of class 0 and 1.

    At test record k, run r misclassifies the first k + r test examples, of four classes.
    """
    R = len(curves)
    wrong = np.zeros((T, R, P), bool)
    test = np.zeros((len(tests), R, 2, Q), bool)
    for run in range(R):
        for number in (0, 1):
            wrong[:, run, np.flatnonzero(number == Y)[: 10 * (run + 1)]] = True
        for record in range(len(tests)):
            test[record, run, 1, : record + run] = True
    recipe = {"optimizer": "sgd", "batch_size": None, "noise": [1.0, 0.0]}
    base = history_of(np.stack(curves, axis=1), wrong=wrong, P=P, recipe=recipe)
    tensors = {"test_error": test.mean(axis=-1).astype(np.float32), "test_misclassified": pack(test)}
    return dataclasses.replace(
        base, **{"y": Y, "y_test": Y_TEST, "test_updates": np.array(tests), **tensors, **changed}
    )


def told_of(history, found=None):
    found = found or find_stragglers(history)
    return original_classes(history, found, found.consensus)


def test_shares_and_errors_of_every_class():
    first, second, third = told_of(made())
    assert [(one.number, one.name, one.examples) for one in (first, second, third)] == [
        (0, "0", 20),
        (1, "1", 20),
        (2, "2", 20),
    ]
    assert [one.stragglers for one in (first, second, third)] == [10, 10, 0]  # of both inverting runs
    assert [one.straggler_share for one in (first, second, third)] == [0.75, 0.75, 0]  # (10 + 20) / 2 / 20
    # At the end the runs have 3, 4 and 5 wrong: of three tests of class 0, these hold 1, 1 and 2.
    assert first.test_error == pytest.approx((1 + 1 + 2) / 9)
    assert second.test_error == pytest.approx((1 + 1 + 1) / 9)
    # t* = 20 is nearer to 24 than to 16 in ln t; the two that invert have 2 and 3 wrong there.
    assert first.test_error_at_inversion == pytest.approx((1 + 1) / 6)
    assert third.test_error_at_inversion == pytest.approx((0 + 1) / 6)


def test_the_nearest_test_is_that_in_the_logarithm():
    late = made(tests=(0, 11, 30, 59))  # 20 is nearer to 11 than to 30, but not in ln t
    assert told_of(late)[2].test_error_at_inversion == pytest.approx(1 / 6)
    early = made(tests=(0, 14, 30, 59))
    assert told_of(early)[2].test_error_at_inversion == 0


def test_an_inversion_outside_of_the_tests_has_no_error():
    for tests in ((30, 40, 50, 59), (0, 1, 2, 3)):
        told = told_of(made(tests=tests))
        assert np.isnan([one.test_error_at_inversion for one in told]).all()
        assert np.isfinite([one.test_error for one in told]).all()


def test_only_examples_that_a_run_trains_on_count():
    trained = np.ones((3, P), bool)
    trained[0, np.flatnonzero(Y == 0)[:5]] = False  # half of what straggles in run 0
    trained[1, Y == 1] = False
    trained[:, Y == 2] = False
    first, second, third = told_of(made(trained=pack(trained)))
    assert first.straggler_share == pytest.approx((5 / 15 + 20 / 20) / 2)
    assert second.straggler_share == 10 / 20
    assert (first.examples, second.examples, third.examples) == (20, 20, 0)
    assert np.isnan(third.straggler_share)
    assert third.test_error > 0


@pytest.mark.parametrize("change", [{"y_test": None}, {"test_updates": None, "test_misclassified": None}])
def test_without_tests_there_are_shares_alone(change):
    told = told_of(made(**change))
    assert [one.straggler_share for one in told] == [0.75, 0.75, 0]
    assert np.isnan([(one.test_error, one.test_error_at_inversion) for one in told]).all()


def test_noise_on_every_test_is_no_test():
    noisy = made(meta={"origin": "o", "recipe": {"optimizer": "sgd", "noise": [0.5, 1.0]}})
    assert np.isnan([one.test_error for one in told_of(noisy)]).all()


def test_without_an_inversion_there_are_errors_at_the_end_alone():
    told = told_of(made(curves=[FALL] * 3))
    assert np.isnan([(one.straggler_share, one.test_error_at_inversion) for one in told]).all()
    assert told[0].test_error == pytest.approx(4 / 9)
    history = made(curves=[FALL] * 3)
    chosen = told_of(history, find_stragglers(history, at=Moment(update=12)))
    assert [one.straggler_share for one in chosen] == [1 / 2 * 5 / 3, 1 / 2 * 5 / 3, 0]


def test_a_run_that_diverged_has_no_test_error():
    broken = np.where(np.arange(T) >= 30, np.nan, FALL)
    told = told_of(made(curves=[valley(20), valley(20), broken]))
    assert told[0].test_error == pytest.approx((1 + 1) / 6)


def test_one_inversion_per_class():
    radius = np.stack([np.stack([valley(20), valley(30)], -1)] * 3, 1)[:, :, None]
    history = with_measures(made(group=Y % 2), radius=radius)
    found = find_per_class(history)
    told = told_of(history, found)
    assert [one.straggler_share for one in told] == [pytest.approx(5 / 6), pytest.approx(5 / 6), 0]
    # The runs' t* is 25, their mean over classes: nearest to 24, where 2, 3 and 4 are wrong.
    assert told[0].test_error_at_inversion == pytest.approx((1 + 1 + 1) / 9)


def test_networks_that_share_a_run_have_shares_but_no_consensus():
    history = made()
    swept = dataclasses.replace(history, meta={**history.meta, "sets": {"run": [4, 4, 4]}})
    told = told_of(swept)
    assert [one.stragglers for one in told] == [0, 0, 0]
    assert [one.straggler_share for one in told] == [0.75, 0.75, 0]


def test_what_classes_are_called():
    history = made()

    def names(**meta):
        named = dataclasses.replace(history, classes=("a", "b"), meta={**history.meta, **meta})
        return [one.name for one in told_of(named)]

    assert names(class_names=["cat", "dog", "elk"]) == ["cat", "dog", "elk"]
    assert names(labels="parity") == ["0", "1", "2"]
    assert names(labels="classes") == ["a", "b", "2"]
    assert names(class_names="abc", labels="classes") == ["0", "1", "2"]


def of_shares(*pairs):
    return [OriginalClass(n, str(n), 9, 3, share, error, np.nan) for n, (share, error) in enumerate(pairs)]


def test_the_rank_correlation():
    assert rank_correlation(of_shares((0.1, 0.01), (0.2, 0.02), (0.9, 0.03))) == (pytest.approx(1), 3)
    assert rank_correlation(of_shares((0.1, 0.9), (0.2, 0.3), (0.9, 0.1))) == (pytest.approx(-1), 3)
    found, n = rank_correlation(of_shares((0.1, 1), (0.2, 3), (0.3, 2), (0.4, 4), (np.nan, 5), (0.1, np.nan)))
    assert (found, n) == (pytest.approx(0.8), 4)
    for none in ([], of_shares((0.1, 1), (0.2, 2)), of_shares((0.1, 1), (0.1, 2), (0.1, 3))):
        assert np.isnan(rank_correlation(none)[0])


def test_the_file_says_what_was_found(tmp_path):
    history = made(y_test=None)
    found = find_stragglers(history)
    with Output(tmp_path / "s", binary=False) as output:
        write_json(stragglers_object(finding_of(history, found, {})), output)
    read = kinds.read(tmp_path / "s", "stragglers")
    assert json.loads((tmp_path / "s").read_text())["original_classes"][0] == {
        "class": 0,
        "name": "0",
        "examples": 20,
        "stragglers": 10,
        "straggler_share": 0.75,
        "test_error": None,
        "test_error_at_inversion": None,
    }
    for one, expected in zip(read.original_classes, told_of(history), strict=True):
        np.testing.assert_equal(dataclasses.asdict(one), dataclasses.asdict(expected))


def test_classes_that_cannot_be_read(tmp_path):
    read = kinds.read(stragglers_file(tmp_path / "s", images(), [1]), "stragglers")
    refused(read.require_original_classes, "s: does not list its original classes", "find-stragglers")
    good = {"class": 1, "name": "a", "examples": 3, "stragglers": 1}
    good |= dict.fromkeys(("straggler_share", "test_error", "test_error_at_inversion"), 0.5)
    value = json.loads((tmp_path / "s").read_text())
    (one,) = stragglers_from({**value, "original_classes": [good]}, "s").original_classes
    assert one.straggler_share == 0.5
    for broken in ("abc", 5, [1], [{**good, "examples": -1}], [{**good, "test_error": "x"}], [{"class": 1}]):
        with pytest.raises(StragError, match="original classes that cannot be read; create it again"):
            stragglers_from({**value, "original_classes": broken}, "s")
