"""Folders of arrays: by the names of their files, or one file of examples per class."""

import numpy as np
import pytest

from strag.datasets.arrays import is_array_folder
from strag.datasets.importing import import_files
from tests.datasets.test_arrays import FOUR, NAMED, XT, YT, X, Y, check, imported, save, save_all
from tests.files.makers import refused


@pytest.mark.parametrize("names", [NAMED[kind] for kind in ("numpy", "Kuzushiji-49", "Kannada")])
def test_arrays_whose_names_say_what_they_are(tmp_path, names):
    save_all(tmp_path / "f", [*names.split(), "weights.npy"], (*FOUR, Y))
    (tmp_path / "f" / "README.md").touch()
    (tmp_path / "f" / "old").mkdir()
    (tmp_path / "f" / ".DS_Store").touch()
    data, notes = imported(tmp_path / "f")
    check(data)
    assert notes.splitlines() == ["f/: left out weights", "f/: left out README.md, old/"]


def test_a_validation_part_and_names(tmp_path):
    names = ["x.npy", "y.npy", "x_val.npy", "y_val.npy", "class_names.npy", "ids.npy"]
    classes, ids = np.array(["cat", "dog", "eel"]), np.array(list("abcd"))
    save_all(tmp_path / "f", names, (*FOUR, classes, ids))
    data, notes = imported(tmp_path / "f")
    check(data)
    assert data.grouping.names == ("cat", "dog", "eel")
    assert data.names[3] == "d"
    assert "the test set is x_val and y_val, as there is no other" in notes


def test_one_npz_file(tmp_path):
    (tmp_path / "f").mkdir()
    save(tmp_path / "f" / "mnist.npz", x=X, y=Y, x_test=XT, y_test=YT)
    data, notes = imported(tmp_path / "f")
    check(data)
    assert notes == "f/: read mnist.npz"


def test_two_sets_in_one_folder(tmp_path):
    names = [*NAMED["Kannada"].split(), "X_dig_MNIST.npz", "y_dig_MNIST.npz"]
    save_all(tmp_path / "f", names, (*FOUR, X, Y))
    words = "'X_dig_MNIST' and 'X_kannada_MNIST_train' may both be the examples; pass the files"
    refused(lambda: import_files([tmp_path / "f"]), f"{tmp_path}/f: ", words, "strag data EXAMPLES LABELS")


@pytest.mark.parametrize(
    ("names", "classes", "prefix"),
    [
        ("cat.npy dog.npy", "cat dog", None),
        ("full_numpy_bitmap_cat.npy full_numpy_bitmap_train.npy", "cat train", "full_numpy_bitmap_"),
        ("car.npy cat.npy.gz", "car cat", None),
        ("cat.npy full_numpy_bitmap_dog.npy", "cat full_numpy_bitmap_dog", None),
        ("apple.npy train.npy", "apple train", None),
    ],
)
def test_one_file_per_class(tmp_path, names, classes, prefix):
    save_all(tmp_path / "f", names.split(), (X, XT))
    data, notes = imported(tmp_path / "f")
    check(data, np.concatenate([X, XT]), [0] * 4 + [1] * 3, None, None)
    assert data.grouping.names == tuple(classes.split())
    without = f" without '{prefix}'" if prefix else ""
    assert f"named after the file{without}: {', '.join(classes.split())}" in notes


def test_numbers_as_classes(tmp_path):
    save_all(tmp_path / "f", ["digit_10.npy", "digit_9.npy"], (X.astype(np.uint16), XT))
    data, _ = imported(tmp_path / "f")
    check(data, np.concatenate([XT, X]), [9] * 3 + [10] * 4, None, None)


@pytest.mark.parametrize(
    ("names", "arrays", "words"),
    [
        (
            "cat.npy dog.npy",
            (X, X[:, :1]),
            "dog.npy: has shape [4, 1, 3] of uint8, but cat.npy has shape [4, 2, 3]",
        ),
        ("cat.npy dog.npy", (X, X / 2), "dog.npy: has shape [4, 2, 3] of float64, but cat.npy"),
        ("cat.npy dog.npy", (Y, Y), "cat.npy: has shape [4] of int64"),
        ("cat.npy dog.npy", (X, X[:0]), "dog.npy: holds no examples; provide at least one example"),
        ("cat.npy dog.npy", (X[:0], X), "cat.npy: holds no examples"),
        ("cat.npy dog.npz", (X, X), "dog.npz: is an npz file among npy files"),
        ("train.npy test.npy", (X, X), "has files whose names (test, train) do not say what is examples"),
        ("cat.npy cat.npy.gz", (X, X), "holds cat.npy and cat.npy.gz; keep only one of them"),
        (
            "x.npy cat.npy",
            (X, X),
            "has no file of training labels (it holds cat, x); save the arrays as x, y",
        ),
        ("x_1.npy x_2.npy", (X, X), "'x_1' and 'x_2' may both be the examples"),
    ],
)
def test_folders_that_are_refused(tmp_path, names, arrays, words):
    save_all(tmp_path / "f", names.split(), arrays)
    refused(lambda: import_files([tmp_path / "f"]), f"{tmp_path}/f", words)


def test_a_link_to_nothing(tmp_path):
    save_all(tmp_path / "f", ["cat.npy", "dog.npy"])
    (tmp_path / "f" / "eel.npy").symlink_to("gone")
    refused(lambda: import_files([tmp_path / "f"]), "eel.npy: is a broken link; repair or remove it")


def test_a_folder_of_images_stays_one(tmp_path):
    paths = save_all(tmp_path / "f", ["features.npy", "names.npy"])
    assert is_array_folder(paths[0].parent)
    (tmp_path / "f" / "cat").mkdir()
    assert is_array_folder(paths[0].parent)
    (tmp_path / "f" / "cat" / "1.png").touch()
    assert not is_array_folder(paths[0].parent)
    assert not is_array_folder(paths[0].parent / "cat")
