"""The history: what is added is read again; an interrupted one keeps what was finished; its axes fit."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from strag import kinds
from strag.bits import unpack
from tests.files.makers import forge, history_file, history_writer, images, parts, record, refused

UPDATES = tuple(range(12))
VALUES = ("train_error", "train_loss")


@pytest.fixture
def good(tmp_path):
    return history_file(tmp_path / "good")


def assert_holds(history, update, runs=slice(0, 2), columns=None):
    """The history's columns `columns` at `update` are those of `record(update, runs)`."""
    at, made = list(history.updates).index(update), record(update, runs)
    columns = runs if columns is None else columns
    for name in VALUES:
        expected = np.asarray(getattr(made, name), np.float32)
        np.testing.assert_array_equal(getattr(history, name)[at, columns], expected)
    for name, values in made.measures.items():
        expected = np.asarray(values, np.float32)
        np.testing.assert_array_equal(history.measures[name][at, columns], expected)
    wrong = unpack(history.misclassified[at, columns], history.examples)
    np.testing.assert_array_equal(wrong, made.misclassified)


def test_what_is_added_is_read_again(good):
    history = kinds.read(good)
    data = images()
    assert (history.runs, history.layers, history.classes) == ((0, 1), (1,), ("even", "odd"))
    assert (history.source, history.meta["origin"]) == (good, data.origin)
    np.testing.assert_array_equal(history.updates, UPDATES)
    for name in ("index", "y"):
        np.testing.assert_array_equal(getattr(history, name), getattr(data, name))
    np.testing.assert_array_equal(history.group, data.groups)
    for update in UPDATES:
        assert_holds(history, update)
    np.testing.assert_array_equal(history.test_updates, [0, 8])
    np.testing.assert_array_equal(history.test_error[1, :, 0], record(8).test_error[:, 0])
    assert unpack(history.test_misclassified, 5).all()
    np.testing.assert_array_equal(history.y_test, [0, 1, 2, 3, 0])


def test_a_history_that_does_not_say_the_classes_of_its_tests_is_read(tmp_path, good):
    history = kinds.read(forge(good, tmp_path / "old", drop=["y_test"]))
    assert history.y_test is None
    np.testing.assert_array_equal(history.test_error, kinds.read(good).test_error)
    assert kinds.read(good, tests=False).y_test is None


def test_the_order_of_the_records_does_not_matter(tmp_path, good):
    with history_writer(tmp_path / "other") as writer:
        for update in reversed(UPDATES):
            for run in (1, 0):
                writer.add(record(update, slice(run, run + 1)))
        writer.commit()
    assert (tmp_path / "other").read_bytes() == (tmp_path / "good").read_bytes()


def test_bits_are_little_endian_and_padded_with_zero(tmp_path):
    data = images(P=11)
    with history_writer(tmp_path / "h", data, runs=1, updates=(0,), tests=()) as writer:
        made = record(0, slice(0, 1), P=11)
        made.misclassified = np.arange(11)[None] == 9
        writer.add(made)
        writer.commit()
    _, _, tensors = parts(tmp_path / "h")
    np.testing.assert_array_equal(tensors["misclassified"], [[[0, 2]]])
    np.testing.assert_array_equal(tensors["trained"], [[255, 7]])


def test_without_tests_there_are_no_test_tensors(tmp_path):
    with history_writer(tmp_path / "h", tests=()) as writer:
        writer.commit()
    history = kinds.read(tmp_path / "h")
    assert history.test_updates is history.test_error is history.test_misclassified is None
    assert history.y_test is None


def test_nothing_appears_before_commit(tmp_path):
    with history_writer(tmp_path / "h") as writer:
        writer.add(record(0))
        assert not (tmp_path / "h").exists()
    assert os.listdir(tmp_path) == []


class TestInterrupted:
    def partial(self, path, added, **options):
        with history_writer(path, **options) as writer:
            for update, runs in added:
                writer.add(record(update, runs))
            return writer.commit_partial()

    def test_before_any_record_there_is_nothing_to_keep(self, tmp_path):
        assert self.partial(tmp_path / "h", []) is None
        assert os.listdir(tmp_path) == []

    def test_the_finished_records_of_the_first_runs(self, tmp_path):
        first = slice(0, 2)
        left = self.partial(tmp_path / "h", [(update, first) for update in range(5)], runs=4)
        assert left == (f"{tmp_path}/h.partial", 2, 4)
        history = kinds.read(left[0])
        assert (history.runs, list(history.updates)) == ((0, 1), [0, 1, 2, 3, 4])
        assert history.meta["interrupted"] == 4
        for update in range(5):
            assert_holds(history, update)
        np.testing.assert_array_equal(history.test_updates, [0])
        assert os.listdir(tmp_path) == ["h.partial"]

    def test_the_finished_runs_once_some_have_finished(self, tmp_path):
        added = [(update, slice(0, 2)) for update in UPDATES] + [(u, slice(2, 4)) for u in range(7)]
        path, runs, until = self.partial(tmp_path / "h", added, runs=4)
        assert (runs, until) == (2, 11)
        history = kinds.read(path)
        assert (history.runs, list(history.updates)) == ((0, 1), list(UPDATES))
        for update in UPDATES:
            assert_holds(history, update)

    def test_the_sets_of_the_networks_that_are_kept(self, tmp_path):
        sets = {"run": [5, 6, 5, 6], "dose": [0.0, 0.0, 1.0, 1.0]}
        path, _, _ = self.partial(tmp_path / "h", [(0, slice(0, 2)), (1, slice(0, 2))], runs=4, sets=sets)
        history = kinds.read(path)
        assert history.meta["sets"] == {"run": [5, 6], "dose": [0.0, 0.0]}
        assert history.seed_runs == (5, 6)

    def test_all_runs_if_all_have_finished(self, tmp_path):
        added = [(u, slice(a, a + 2)) for a in (0, 2) for u in UPDATES]
        path, runs, _ = self.partial(tmp_path / "h", added, runs=4)
        assert runs == 4
        history = kinds.read(path)
        assert history.trained_bits().shape == (4, 24)
        assert_holds(history, 9, slice(2, 4))

    def test_an_old_history_stays(self, tmp_path, good):
        before = (tmp_path / "good").read_bytes()
        self.partial(good, [(0, slice(0, 2))])
        assert (tmp_path / "good").read_bytes() == before

    def test_before_the_first_test_there_are_no_test_tensors(self, tmp_path):
        path, _, _ = self.partial(tmp_path / "h", [(0, slice(0, 2)), (1, slice(0, 2))], tests=(4, 8))
        history = kinds.read(path)
        assert history.test_error is history.y_test is None

    def test_tests_between_records_are_kept_as_far_as_they_went(self, tmp_path):
        updates, tests, both = (0, 4, 8), (0, 3, 6, 8), slice(0, 2)
        with history_writer(tmp_path / "h", updates=updates, tests=tests) as writer:
            for update in (0, 3, 4, 6):
                made = record(update, both)
                if update not in updates:
                    made = SimpleNamespace(
                        **{**vars(made), **dict.fromkeys((*VALUES, "misclassified")), "measures": {}},
                    )
                writer.add(made)
            path, _, until = writer.commit_partial()
        history = kinds.read(path)
        assert (until, list(history.updates), list(history.test_updates)) == (6, [0, 4], [0, 3, 6])
        np.testing.assert_array_equal(history.test_error[1, :, 0], record(3).test_error[:, 0])
        np.testing.assert_array_equal(history.y_test, [0, 1, 2, 3, 0])

    def test_into_a_pipe_nothing_is_left(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        assert self.partial(tmp_path / "pipe", [(0, slice(0, 2))]) is None
        assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"radius": np.ones((12, 2, 1, 3), np.float32)},
            "'mean_norm2' has shape [12, 2, 1, 2], not [12, 2, 1, 3]",
        ),
        ({"train_loss": np.ones((12, 3), np.float32)}, "'train_loss' has shape [12, 3], not [12, 2]"),
        ({"train_loss": np.ones((12, 2))}, "'train_loss' is F64, not F32"),
        ({"updates": np.arange(11)}, "tensor 'train_error' has shape [12, 2], not [11, 2]"),
        ({"updates": np.arange(12)[::-1]}, "'updates' is not strictly increasing"),
        ({"updates": np.zeros(12, np.int64)}, "'updates' is not strictly increasing"),
        ({"test_updates": np.array([8, 8])}, "'test_updates' is not strictly increasing"),
        ({"trained": np.zeros((2, 4), np.uint8)}, "'trained' has shape [2, 4], not [2, 3]"),
        ({"index": np.arange(25), "y": np.arange(25), "group": np.zeros(25, int)}, "bits that do not fit"),
        ({name: np.zeros(0, np.int64) for name in ("index", "y", "group")}, "has no examples"),
        ({"distance": np.ones((12, 2, 1, 3), np.float32)}, "distances that do not fit its classes"),
        ({"group": np.full(24, 2)}, "'group' does not fit its classes"),
        ({"group": np.full(24, -1)}, "'group' has values below 0"),
        (
            {"train_error": np.full((12, 2), 1.5, np.float32)},
            "'train_error' has values outside the range from 0 to 1",
        ),
        ({"train_loss": np.full((12, 2), -1, np.float32)}, "'train_loss' has values below 0"),
        ({"index": np.zeros(24, np.int64)}, "'index' lists an example twice"),
        ({"test_error": np.ones((3, 2, 1), np.float32)}, "'test_error' has shape [3, 2, 1], not [2, 2, 1]"),
        ({"y_test": np.zeros(9, int)}, "test bits that do not fit its test examples"),
        ({"drop": ["misclassified"]}, "has no tensor 'misclassified'"),
        ({"meta": {"runs": [0]}}, "does not name its 2 runs"),
        ({"meta": {"layers": 1}}, "its 'layers' cannot be read"),
        ({"meta": {"classes": ["a", "b", "c"]}}, "does not name its 2 classes"),
        ({"meta": {"classes": [0, "b"]}}, "its 'classes' cannot be read"),
        ({"meta": {"runs": [0, "b"]}}, "its 'runs' cannot be read"),
        ({"meta": {"recipe": 3}}, "its 'recipe' cannot be read"),
        ({"meta": {"recipe": {"lr": "x"}}}, "its 'recipe.lr' cannot be read"),
        ({"meta": {"recipe": {"noise": [0, 1]}}}, "test errors at other noise levels than its recipe"),
        ({"drop": ["test_error"]}, "has only one of 'test_error' and 'test_updates'"),
        ({"trained": np.zeros((2, 3), np.uint8)}, "'trained' has a run that trains on no example"),
        ({"meta": {"origin": None}}, "does not state its origin"),
    ],
)
def test_axes_that_do_not_fit(tmp_path, good, change, words):
    bad = forge(good, tmp_path / "bad", **change)
    refused(lambda: kinds.read(bad), f"{bad}: ", words, "'strag train'")


def test_runs_that_diverged_are_data(tmp_path, good):
    error = np.full((12, 2), np.nan, np.float32)
    assert np.isnan(kinds.read(forge(good, tmp_path / "h", train_error=error)).train_error).all()
