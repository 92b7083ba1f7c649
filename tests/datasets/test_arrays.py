"""npz and npy files: arrays under the names that people use, and nothing that is no array of numbers."""

import zipfile

import numpy as np
import pytest

from strag.datasets.arrays import read_npy, read_npz
from strag.datasets.importing import classes, examples, import_files
from tests.files.makers import refused

X, Y = np.arange(12, dtype=np.uint8).reshape(4, 3), np.array([0, 1, 0, 1])


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "names",
    [
        ("x", "y", "x_test", "y_test"),
        ("x_train", "y_train", "x_test", "y_test"),  # as in Keras's mnist.npz
        ("train_images", "train_labels", "test_images", "test_labels"),  # as in MedMNIST
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("arr_0", "arr_1", "arr_2", "arr_3"),  # as numpy.savez names them
    ],
)
@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_the_names_that_people_use(tmp_path, names, write):
    arrays = (X, Y, X[:2], Y[:2])
    write(tmp_path / "f.npz", **dict(zip(names, arrays, strict=True)), extra=np.zeros(3))
    read = read_npz(tmp_path / "f.npz")
    assert list(read) == ["x", "y", "x_test", "y_test"]
    for found, array in zip(read.values(), arrays, strict=True):
        np.testing.assert_array_equal(found, array)


def test_the_test_set_may_be_left_out(tmp_path):
    assert list(read_npz(save(tmp_path / "f.npz", data=X, target=Y))) == ["x", "y"]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (
            {"x": X, "why": Y},
            ["no array of labels (it holds x, why)", "call the arrays x, y, x_test, y_test"],
        ),
        ({"why": X, "y": Y}, ["no array of examples (it holds why, y)"]),
        ({}, ["no array of examples (it holds nothing)"]),
        ({"x": X, "y": Y, "x_test": X}, ["test examples or test labels but not both"]),
        ({"x": np.array([1, None]), "y": Y}, ["array 'x' holds Python objects", "save arrays of numbers"]),
        ({"x": X, "y": np.array([{}, None])}, ["array 'y' holds Python objects"]),
    ],
)
def test_what_is_missing_or_no_number(tmp_path, arrays, words):
    path = save(tmp_path / "f.npz", **arrays)
    refused(lambda: import_files([path]), f"{path}: ", *words)


def test_a_zip_file_of_something_else(tmp_path):
    path = tmp_path / "f.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "some text")
        archive.writestr("y", "more text")
    refused(lambda: import_files([path]), f"{path}: 'x' in it is no array", "numpy.savez")


@pytest.mark.parametrize("flag", [1, 1 << 6])
def test_an_encrypted_zip_file(tmp_path, flag):
    path = save(tmp_path / "f.npz", x=X, y=Y)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= flag  # in the directory, of the first member
    content[6] |= flag  # at that member
    path.write_bytes(content)
    refused(lambda: import_files([path]), f"{path}: array 'x' cannot be read", "save it again with numpy")


@pytest.mark.parametrize("cut", [4, 60, -1])
def test_an_npz_file_cut_short(tmp_path, cut):
    path = save(tmp_path / "f.npz", x=X, y=Y)
    path.write_bytes(path.read_bytes()[:cut])
    refused(lambda: import_files([path]), f"{path}: cannot be read", "save it again with numpy")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-1],
        lambda content: content[:60],
        lambda content: content[:7],
        lambda content: content.replace(b"(4, 3)", b"(9, 9)"),
        lambda content: content.replace(b"(4, 3)", b"(4, 3 "),
        lambda content: content.replace(b"(4, 3), ", b"(10**9,)"),
        lambda content: content.replace(b"(4, 3), }" + b" " * 14, b"(4, 300000000000000), }"),
        lambda content: content.replace(b"descr", b"DESCR"),
        lambda content: content.replace(b"|u1", b"|O1"),
        lambda content: content.replace(b"}", b"{"),
    ],
)
def test_a_broken_npy_file(tmp_path, change):
    np.save(tmp_path / "f.npy", X)
    content = (tmp_path / "f.npy").read_bytes()
    assert change(content) != content
    (tmp_path / "f.npy").write_bytes(change(content))
    refused(lambda: read_npy(tmp_path / "f.npy"))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64, bool, ">f4", ">i4"])
def test_examples_keep_their_values_as_uint8_or_float32(dtype):
    stored = examples(X.astype(dtype), "x")
    assert stored.dtype == (np.uint8 if dtype is np.uint8 else np.float32)
    np.testing.assert_array_equal(stored, X.astype(dtype))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(5), "'x' has 1 axes; give one row per example"),
        (np.zeros((2, 2), complex), "'x' holds complex128, not numbers"),
        (np.full((2, 2), "a"), "'x' holds <U1, not numbers"),
        (np.full((2, 2), 1e300), "'x' holds numbers too large for float32; scale its inputs"),
    ],
)
def test_examples_that_cannot_be_stored(array, words):
    refused(lambda: examples(array, "x"), words)


@pytest.mark.parametrize(
    "array",
    [Y, Y.astype(float), Y.astype("f2"), Y.astype(np.uint8), Y.astype(bool), Y[:, None], Y.astype(">i4")],
)
def test_labels_become_int64(array):
    found = classes(array, "y")
    assert (found.dtype, found.shape) == (np.int64, (4,))
    np.testing.assert_array_equal(found, Y)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (Y + 0.5, "labels 'y' are float64 and no whole numbers; number the classes from 0"),
        (np.array([0, np.nan]), "labels 'y' are float64 and no whole numbers"),
        (np.array([0, 1e300]), "labels 'y' are float64 and no whole numbers"),
        (np.array(["cat", "dog"]), "labels 'y' are <U3 and no whole numbers"),
        (np.eye(3), "'y' has shape [3, 3]; give one class number per example"),
        (np.int64(3), "'y' has shape []"),
    ],
)
def test_labels_that_are_no_classes(array, words):
    refused(lambda: classes(np.asarray(array), "y"), words)
