"""Labels in the forms that people keep them in, and what is said where they mean nothing."""

import numpy as np
import pytest

from strag.datasets.labels import read_labels
from tests.files.makers import refused

Y = np.array([3, 1, 2, 3, 1, 1])


@pytest.mark.parametrize(
    "labels",
    [
        Y,
        Y.astype(np.uint8),
        Y.astype(">i8"),
        Y.astype(float),
        Y[:, None],
        Y.astype(str),
        Y.astype("S"),
        np.char.add(Y.astype(str), ".0"),
        np.eye(4)[Y],
        np.eye(4, dtype=bool)[Y],
        np.array([" 3", "1 ", "2", "3", "1", "1"]),
    ],
    ids=["int", "byte", "big", "float", "column", "text", "bytes", "fraction", "one-hot", "bool", "blanks"],
)
def test_every_form_gives_the_same_numbers(labels):
    found = read_labels(labels)
    assert (found.y.dtype, found.y.tolist()) == (np.int64, Y.tolist())
    assert found.numbers == (1, 2, 3)


def test_rows_of_zero_and_one_are_said():
    assert "rows of 0 and 1" in dict(read_labels(np.eye(3)[[0, 2, 1]]).notes)["y"]
    assert read_labels(Y).notes == []


def test_text_names_the_classes_in_sorted_order():
    found = read_labels(np.array(["dog", "cat", "dog", "ant"]), np.array(["cat", "ant"]))
    assert (found.names, found.numbers) == (("ant", "cat", "dog"), (0, 1, 2))
    assert (found.y.tolist(), found.y_test.tolist()) == ([2, 1, 2, 0], [1, 0])


@pytest.mark.parametrize("texts", [["1", "2", "10"], ["01", "02", "10"], ["0", "7", "11"]])
def test_numbers_as_text_are_those_numbers_and_keep_their_spelling(texts):
    found = read_labels(np.array(texts), np.array(texts[:1]))
    assert found.y.tolist() == [int(text) for text in texts]
    assert (found.numbers, found.names) == (tuple(map(int, texts)), tuple(texts))


def test_text_that_is_not_all_numbers_is_text():
    assert read_labels(np.array(["1", "2", "ten", "10"])).names == ("1", "10", "2", "ten")
    assert read_labels(np.array(["-1", "1"])).names == ("-1", "1")


def test_a_class_of_test_examples_alone_counts_where_it_is_a_number():
    assert read_labels(np.array([0, 1]), np.array([5])).numbers == (0, 1, 5)
    assert read_labels(np.array(["0", "1"]), np.array(["5"])).numbers == (0, 1, 5)


def test_names_from_a_file_name_all_classes():
    found = read_labels(np.array([0, 2]), class_names=("a", "b", "c", "d"))
    assert (found.numbers, found.names) == ((0, 1, 2, 3), ("a", "b", "c", "d"))
    refused(
        lambda: read_labels(np.array([0, 4]), class_names=("a", "b")), "has class 4 in 'y' but 2 class names"
    )


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (Y - 2, "labels 'y' range from -1 to 1 (row 1)"),
        (Y + 0.5, "label 3.5 in row 0 of 'y' is not a whole number"),
        (np.array([0, np.nan]), "label nan in row 1"),
        (np.array([0.0, 1e300]), "label 1e+300 in row 1"),
        (np.array([0, 2_000_000]), "labels 'y' range from 0 to 2000000"),
        (np.zeros((6, 2)), "labels 'y' have shape [6, 2]"),
        (np.ones((6, 3)), "labels 'y' have shape [6, 3]"),
        (np.zeros((2, 3, 1)), "labels 'y' have shape [2, 3, 1]"),
        (np.array(5), "labels 'y' have shape []"),
        (np.array(["a", "", "b"]), "label in row 1 of 'y' is empty"),
        (np.array(["1", "01", "2"]), "labels '01' and '1' are the same number"),
        (np.array(["5000000", "1"]), "has class 5000000"),
        (np.zeros(3, complex), "labels 'y' are complex128, not numbers or text"),
        (np.zeros(3, "M8[s]"), "labels 'y' are datetime64[s], not numbers or text"),
    ],
)
def test_what_are_no_labels(labels, words):
    refused(lambda: read_labels(labels, sources={"y": "labels.npy"}), f"labels.npy: {words}")


def test_what_is_wrong_with_test_labels_is_about_their_file():
    sources = {"y": "y.npy", "y_test": "t.npy"}
    for y, y_test, words in (
        (Y, Y - 2, "labels 'y_test' range from -1"),
        (Y, Y.astype(str), "test labels are text, but training labels are numbers"),
        (
            np.array(["a", "b"]),
            np.array(["a", "c"]),
            "class 'c' of the test set is not a class of the training set (a, b)",
        ),
        (np.array(["a", "b"]), np.array(["a", ""]), "label in row 1 of 'y_test' is empty"),
    ):
        refused(lambda y=y, t=y_test: read_labels(y, t, sources=sources), f"t.npy: {words}")


def test_names_that_stand_twice_are_told_apart_and_that_is_said():
    found = read_labels(np.array([0, 1, 2]), class_names=("crane", "dog", "crane"))
    assert found.names == ("crane", "dog", "crane (2)")
    assert "renamed to crane (2)" in dict(found.notes)["y"]
    refused(
        lambda: read_labels(np.array([0]), class_names=("a", "a", "a (2)")),
        "the same name for several classes",
    )


def test_numbers_beyond_the_columns_of_rows_of_zero_and_one():
    rows, sources = np.eye(3)[[0, 1, 2]], {"y": "y.npy", "y_test": "t.npy"}
    refused(lambda: read_labels(rows, np.array([1, 3]), sources=sources), "t.npy: labels 'y_test' go up to 3")
    refused(lambda: read_labels(np.array([1, 3]), rows, sources=sources), "y.npy: labels 'y' go up to 3")
    assert read_labels(rows, np.array([2, 0])).y_test.tolist() == [2, 0]
