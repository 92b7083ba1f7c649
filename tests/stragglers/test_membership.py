"""How often every example straggles: from the file what the search itself knew."""

import json
from dataclasses import replace

import numpy as np
import pytest

from strag.bits import pack
from strag.errors import StragError
from strag.files.jsonfile import json_text
from strag.files.stragglers import stragglers_from, stragglers_object
from strag.stragglers.find import Moment, find_stragglers
from strag.stragglers.finding import finding_of
from strag.stragglers.membership import membership_of
from strag.stragglers.per_example import table_of
from tests.conftest import history_of

P, R = 60, 6


def searched(trained=None, size=P):
    """A History, and its Stragglers and the Finding read back from its file."""
    random = np.random.default_rng(3)
    hardness = random.beta(0.3, 1, size=P)
    wrong = random.random((9, R, P)) < hardness
    history = history_of(np.ones((9, R)), wrong=wrong, P=P)
    index = random.permutation(size)[:P]
    history = replace(history, index=index, meta={**history.meta, "origin_size": size})
    if trained is not None:
        history = replace(history, trained=pack(trained))
    stragglers = find_stragglers(history, at=Moment(update=3))
    finding = finding_of(history, stragglers, {"at": "3"})
    value = json.loads(json_text(stragglers_object(finding)))
    return history, stragglers, stragglers_from(value, "s.json")


@pytest.mark.parametrize("some", [False, True], ids=["all trained", "some trained"])
def test_a_file_and_its_history_give_what_the_search_knew(some):
    trained = np.random.default_rng(5).random((R, P)) < 0.8
    history, stragglers, finding = searched(trained=trained if some else None, size=2 * P)
    found = membership_of(finding, history)
    np.testing.assert_array_equal(found.index, history.index)
    np.testing.assert_array_equal(found.count, stragglers.counts)
    np.testing.assert_array_equal(found.runs, stragglers.seen)
    np.testing.assert_array_equal(found.status, stragglers.status)
    np.testing.assert_array_equal(found.straggler, stragglers.consensus & (stragglers.counts > 0))
    assert (stragglers.counts == 0).any()
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(found.frequency, stragglers.counts / stragglers.seen)


def test_a_file_alone_has_every_row_of_a_whole_training_set():
    history, stragglers, finding = searched()
    found, order = membership_of(finding), np.argsort(history.index)
    np.testing.assert_array_equal(found.index, np.arange(P))
    np.testing.assert_array_equal(found.count, stragglers.counts[order])
    np.testing.assert_array_equal(found.status, stragglers.status[order])
    np.testing.assert_array_equal(found.straggler, stragglers.consensus[order])
    assert ((found.listed < 0) == (found.count == 0)).all()


def test_a_file_alone_has_only_the_examples_in_a_set_of_a_part_of_the_data():
    history, stragglers, finding = searched(size=2 * P)
    found, some = membership_of(finding), stragglers.counts > 0
    order = np.argsort(history.index[some])
    np.testing.assert_array_equal(found.index, history.index[some][order])
    np.testing.assert_array_equal(found.count, stragglers.counts[some][order])
    np.testing.assert_array_equal(found.status, stragglers.status[some][order])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: replace(f, examples={}), "columns that do not fit"),
        (lambda f: replace(f, examples={**f.examples, "count": f.examples["count"][1:]}), "do not fit"),
        (lambda f: replace(f, examples={**f.examples, "runs": [9] * len(f.examples["runs"])}), "runs with"),
        (lambda f: replace(f, indices=f.indices + 10_000), "lists examples that the training does not have"),
        (lambda f: replace(f, runs=[replace(f.runs[0], run=99)]), "a set of run 99, which history does not"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(change, words):
    history, _, finding = searched()
    with pytest.raises(StragError, match=words):
        membership_of(change(finding), history)


def test_an_example_that_no_run_trained_on_has_no_status_and_no_scores():
    trained = np.ones((R, P), bool)
    trained[:, 7] = False
    history, _, finding = searched(trained=trained)
    table = table_of(history, finding)
    assert (table["runs"][7], table["count"][7], table["keep"][7]) == (0, 0, True)
    assert np.isnan(table["frequency"][7])
    assert np.isnan(table["correctness"][7])
    assert table["status"].mask.tolist() == [row == 7 for row in range(P)]
