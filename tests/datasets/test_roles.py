"""What names say, and which file or array is taken for what because of them."""

import itertools

import pytest

from strag.datasets.roles import assign, choose, is_text_about, role_of
from tests.files.makers import refused

SAID = {
    "train-images-idx3-ubyte": ("train", "examples", ""),
    "train-images.idx3-ubyte": ("train", "examples", ""),
    "t10k-labels-idx1-ubyte.gz": ("test", "labels", ""),
    "emnist-letters-train-images-idx3-ubyte.gz": ("train", "examples", "emnist-letters"),
    "qmnist-test-labels.idx2-int.gz": ("test", "labels", "qmnist"),
    "kmnist-train-imgs.npz": ("train", "examples", "kmnist"),
    "k49-test-labels.npz": ("test", "labels", "k49"),
    "X_kannada_MNIST_train.npz": ("train", "examples", "kannada-mnist"),
    "y_dig_MNIST.npz": (None, "labels", "dig-mnist"),
    "x_train.npy": ("train", "examples", ""),
    "Ytest.npy": ("test", "labels", ""),
    "trainX": ("train", "examples", ""),
    "XTrain": ("train", "examples", ""),
    "yte": ("test", "labels", ""),
    "xtr": ("train", "examples", ""),
    "training_images": ("train", "examples", ""),
    "val_labels": ("validation", "labels", ""),
    "xdev": ("validation", "examples", ""),
    "testTargets": ("test", "labels", ""),
    "data_labels": (None, "labels", ""),  # of examples
    "train_test_images": (None, "examples", ""),
    "try": (None, None, "try"),
    "latest": (None, None, "latest"),
    "matrix": (None, None, "matrix"),
    "arr_0": (None, None, "arr-0"),
    "target_names": (None, None, "names"),
    "image_ids": (None, None, "ids"),
    "X_train_mean": ("train", None, "mean"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_a_name_says(name):
    role = role_of(name)
    assert (role.split, role.what, role.rest) == SAID[name]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize(
    "names",
    [
        ("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte", "t10k-labels"),
        ("x.npy", "y.npy", "x_test.npy", "y_test.npy"),
        ("X_k_MNIST_train.npz", "y_k_MNIST_train.npz", "X_dig_MNIST.npz", "y_dig_MNIST.npz"),
        ("digits-train", "labels-train", "digits-test", "labels-test"),
    ],
)
def test_names_that_tell_all_four_apart_decide_in_any_order(names, order):
    keys, note = assign([names[at] for at in order])
    assert keys == [("x", "y", "x_test", "y_test")[at] for at in order]
    assert (note is None) == (order == (0, 1, 2, 3))
    if note:
        assert f"{names[0]} as training examples" in note


@pytest.mark.parametrize("names", ["a b", "x y", "a y", "x b", "x_train y_train"])
def test_a_pair_is_examples_and_labels_unless_names_turn_it(names):
    pair = names.split()
    assert assign(pair) == (["x", "y"], None)
    keys, note = assign(pair[::-1])
    assert keys == (["x", "y"] if names == "a b" else ["y", "x"])
    assert (note is None) == (names == "a b")


@pytest.mark.parametrize(
    "names", ["a b c d", "a_x a_y b_x b_y", "x y c d", "a b c y_test", "x_1 y_1 x_2 y_2"]
)
def test_names_that_agree_with_the_places(names):
    assert assign(names.split()) == (["x", "y", "x_test", "y_test"], None)


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ("x_test y_test", "test"),
        ("test.npy test_labels.npy", "test"),
        ("t10k-images t10k-labels", "test"),
        ("x_val y_val", "validation"),
    ],
)
def test_a_part_alone_becomes_the_training_set(names, part):
    said = f"holds only the {part} set, which becomes the training set"
    assert assign(names.split()) == (["x", "y"], said)
    keys, note = assign(names.split()[::-1])
    assert keys == ["y", "x"]
    assert note.endswith(f"; {said}")


@pytest.mark.parametrize(
    ("names", "sets"),
    [
        (
            "emnist-letters-train-images emnist-letters-train-labels "
            "emnist-digits-test-images emnist-digits-test-labels",
            "emnist-letters, emnist-digits",
        ),
        ("mnist_x mnist_y svhn_x_test svhn_y_test", "mnist, svhn"),
        ("a_x_train a_y_train b_x_val b_y_val", "a, b"),
        ("a_x_train a_y_train a_x_test a_y_test", None),
        ("x_flat_train y_onehot_train x_flat_test y_onehot_test", None),
        ("a_x_train a_y_train x_test y_test", None),
        ("x_train_60000 y_train_60000 x_test_10000 y_test_10000", None),
    ],
)
def test_names_of_several_data_sets(names, sets):
    keys, note = assign(names.split())
    assert keys == ["x", "y", "x_test", "y_test"]
    assert ("data sets" in (note or "")) == (sets is not None)
    assert sets is None or note.endswith(f"the names mention several data sets: {sets}")


def test_a_validation_part_is_the_test_set_where_there_is_no_other():
    keys, note = assign(["x_val", "y_val", "x_train", "y_train"])
    assert keys == ["x_test", "y_test", "x", "y"]
    assert note.endswith("the validation set (x_val, y_val) is the test set, as there is no other")
    keys, note = assign(["x_train", "y_train", "x_val", "y_val", "x_test", "y_test"])
    assert keys == ["x", "y", None, None, "x_test", "y_test"]
    assert note == "left out the validation set (x_val, y_val)"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            "x_train y_test",
            "contradict each other (x_train training examples, y_test test labels); rename the files",
        ),
        ("x_train x_test", "contradict each other"),
        ("y a_labels", "contradict each other (y labels, a_labels labels)"),
        ("x_train y_train x_train2_train y_test", "contradict each other"),
        ("x_val y_val x_test y_test", "contradict each other"),
        ("a_x b_x a_y b_y", "do not say what each file holds (a_x examples, b_x examples"),
        (
            "x_test a b c",
            "do not say what each file holds (x_test test examples); rename the files to x, y, x_test",
        ),
        ("x_dig y_dig x_test y_test x_train y_train", "do not say what each file holds (x_dig examples"),
        ("a b c d e f", "do not say what each file holds; rename the files"),
        ("x y x_val y_val c d e", "7 files are given, not 2 or 4; pass examples, labels [test examples"),
        ("x y x_test", "3 files are given, not 2 or 4"),
    ],
)
def test_names_that_leave_it_open(names, words):
    refused(lambda: assign(names.split()), words, status=2)


def chosen(names):
    return choose(names.split(), "array", lambda key: f"name one {key}", "add them")


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        ("y_test x y x_test", "x y x_test y_test"),
        ("train_images train_labels val_images val_labels test_images test_labels",
         "train_images train_labels test_images test_labels"),
        ("images data x target", "x target"),
        ("x_train y_train x_val y_val", "x_train y_train x_val y_val"),
        ("arr_1 arr_0", "arr_0 arr_1"),
        ("arr_0 arr_1 arr_2 arr_3 extra", "arr_0 arr_1 arr_2 arr_3"),
        ("images labels classes", "images labels"),
        ("Xtr Ytr Xte Yte", "Xtr Ytr Xte Yte"),
        ("inputs targets feature_names", "inputs targets"),
    ],
)  # fmt: skip
def test_arrays_are_chosen_by_role(names, parts):
    found = chosen(names)
    assert list(found.parts.values()) == parts.split()
    assert list(found.parts) == ["x", "y", "x_test", "y_test"][: len(found.parts)]
    assert found.unused == [name for name in names.split() if name not in parts.split()]
    assert found.notes == (
        ["the test set is x_val and y_val, as there is no other"] if "y_val" in parts else []
    )


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("data images target", "'data' and 'images' may both be the examples; name one x"),
        ("x target labels", "'target' and 'labels' may both be the labels; name one y"),
        (
            "x y x_test test_data y_te te_labels",
            "'y_te' and 'te_labels' may both be the test labels; name one y_test",
        ),
        ("x why", "has no array of training labels (it holds x, why); add them"),
        ("x_test y_test", "has no array of training examples (it holds x_test, y_test); add them"),
        ("x y x_test", "has no array of test labels (it holds x, y, x_test); add them"),
        ("x y test_labels", "has no array of test examples (it holds x, y, test_labels); add them"),
        ("arr_0 arr_1 arr_2", "has no array of training examples (it holds arr_0, arr_1, arr_2)"),
        ("", "has no array of training examples (it holds nothing)"),
    ],
)
def test_arrays_that_leave_it_open(names, words):
    refused(lambda: chosen(names), words)


def test_names_of_what():
    classes = ("target_names", "class_names", "label_names", "classes", "categoryNames")
    examples = ("ids", "names", "filenames", "image_ids", "train_ids", "imagePaths")
    assert all(is_text_about(name, "classes") and not is_text_about(name, "examples") for name in classes)
    assert all(is_text_about(name, "examples") and not is_text_about(name, "classes") for name in examples)
    for name in ("feature_names", "test_ids", "x", "labels", "DESCR"):
        assert not is_text_about(name, "classes")
        assert not is_text_about(name, "examples")
