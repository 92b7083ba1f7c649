"""From other people's files to a data set, with the command that makes it again."""

import bz2
import lzma
import shlex

import numpy as np
import pytest

from strag.datasets.importing import import_files
from tests.datasets.test_idx import idx
from tests.files.makers import refused

X = np.random.default_rng(0).integers(0, 256, (6, 2, 2), dtype=np.uint8)
Y = np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture
def files(tmp_path):
    """The same data in four forms: lists of paths by form."""
    (tmp_path / "folder.v1").mkdir()
    for name, array in (("train-images-idx3-ubyte", X), ("train-labels-idx1-ubyte", Y)):
        (tmp_path / "folder.v1" / name).write_bytes(idx(array))
    (tmp_path / "x.idx").write_bytes(idx(X))
    np.save(tmp_path / "my x.npy", X)
    np.save(tmp_path / "y.npy", Y.astype(float))
    np.savez(tmp_path / "all.npz", x=X, y=Y)
    forms = (["folder.v1"], ["x.idx", "y.npy"], ["my x.npy", "y.npy"], ["all.npz"])
    return [[tmp_path / name for name in form] for form in forms]


def test_every_form_gives_the_same_data_set(files):
    found = [import_files(paths) for paths in files]
    assert len({data.identity for data in found}) == 1
    for data in found:
        np.testing.assert_array_equal(data.x, X)
        np.testing.assert_array_equal(data.y, Y)
        np.testing.assert_array_equal(data.index, np.arange(6))
        assert (data.labels, data.grouping.names, data.has_test) == ("classes", ("0", "1", "2"), False)
        assert (data.origin, data.origin_size) == (data.identity, 6)


def test_the_command_that_makes_it_names_every_file(files, monkeypatch):
    for paths in files:
        made = import_files(paths)
        names = [path.name + "/" * path.is_dir() for path in paths]
        assert shlex.split(made.command) == ["strag", "data", *names]
        monkeypatch.chdir(paths[0].parent)
        assert import_files(shlex.split(made.command)[2:]).origin == made.origin


def test_the_title_is_the_first_name_without_its_ending(files):
    assert [import_files(paths).title for paths in files] == ["folder", "x", "my x", "all"]


def test_the_folder_one_stands_in_has_a_name(files, monkeypatch):
    monkeypatch.chdir(files[0][0])
    assert import_files(["."]).command == "strag data folder.v1/"


def test_a_folder_is_not_taken_for_a_name_in_the_catalogue(files):
    named = files[0][0].rename(files[0][0].parent / "kmnist")
    assert import_files([named]).command == "strag data kmnist/"


def test_a_test_set_comes_with_four_files(tmp_path, files):
    (tmp_path / "xt").write_bytes(idx(X[:2]))
    (tmp_path / "yt").write_bytes(idx(Y[:2]))
    data = import_files([*files[1], tmp_path / "xt", tmp_path / "yt"])
    np.testing.assert_array_equal(data.x_test, X[:2])
    np.testing.assert_array_equal(data.y_test, Y[:2])


def test_nan_among_the_inputs_names_the_row(tmp_path, files):
    x = X.astype(float)
    x[4, 1, 0] = np.nan
    np.save(tmp_path / "x.npy", x)
    refused(
        lambda: import_files([tmp_path / "x.npy", files[1][1]]),
        "x.npy: 'x' is not finite in row 4",
        "correct",
    )


def test_files_that_do_not_fit_each_other(tmp_path, files):
    np.save(tmp_path / "five.npy", Y[:5])
    np.save(tmp_path / "none.npy", X[:0])
    np.save(tmp_path / "minus.npy", Y - 1)
    np.save(tmp_path / "wide.npy", np.zeros((6, 9)))
    np.save(tmp_path / "nolabels.npy", Y[:0])
    x, y = files[1]
    for names, words in (
        ((x, "five.npy"), "has 6 examples in 'x' but 5 labels in 'y'; provide one label per example"),
        (("none.npy", "nolabels.npy"), "has no examples in 'x'"),
        ((x, y, "none.npy", "nolabels.npy"), "none.npy: has no examples in 'x_test'; remove the test set"),
        ((x, "minus.npy"), "minus.npy: labels 'y' range from -1 to 1 (row 0); number the classes from 0"),
        ((x, y, "wide.npy", y), "wide.npy: test examples have shape [9], training examples [2, 2]"),
    ):
        refused(lambda names=names: import_files([tmp_path / name for name in names]), words)


def test_what_cannot_be_imported(tmp_path, files):
    (tmp_path / "notes.txt").write_text("x and y\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "cifar.tar.bz2").write_bytes(bz2.compress(b"batches"))
    (tmp_path / "cifar.tar.xz").write_bytes(lzma.compress(b"batches"))
    x, y = files[1]
    for name in ("cifar.tar.bz2", "cifar.tar.xz"):
        refused(lambda name=name: import_files([tmp_path / name]), f"{name}: is compressed with bzip2 or xz")
    refused(lambda: import_files([x, tmp_path / "no"]), f"{tmp_path}/no: no such file", "check the path")
    refused(lambda: import_files([tmp_path / "empty"]), "holds no IDX files", "train-images-idx3-ubyte")
    refused(
        lambda: import_files([tmp_path / "notes.txt"]),
        "notes.txt: is not a type of file that strag can import",
    )
    refused(lambda: import_files([x, tmp_path / "notes.txt"]), "notes.txt: is not an IDX, npy or npz file")
    refused(lambda: import_files([x, "-"]), "stdin: is one of several inputs", "pass only files", status=2)
    refused(
        lambda: import_files([x]), "holds only one array; pass two files: strag data x.idx LABELS", status=2
    )
    refused(lambda: import_files([y]), "holds only one array", status=2)
    refused(lambda: import_files([x, y, x]), "3 files are given, not 2 or 4; pass examples, labels", status=2)
