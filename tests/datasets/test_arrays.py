"""People's own arrays: in one npz file, in files of one array each, and in folders of these."""

import gzip
import io

import numpy as np
import pytest

from strag.datasets.arrays import read_npz
from strag.datasets.importing import import_files
from tests.datasets.test_idx import idx
from tests.files.makers import refused

X, Y = np.arange(24, dtype=np.uint8).reshape(4, 2, 3), np.array([0, 1, 2, 1])
XT, YT = X[:3] + 100, np.array([2, 0, 1])
FOUR = (X, Y, XT, YT)


def imported(*paths):
    """The data set in some files, and the notes on it."""
    notes = []
    return import_files(paths, note=notes.append), "\n".join(notes)


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def save_all(folder, names, arrays=FOUR):
    """A file of one array for each name; its ending says which kind. Their paths, in this order."""
    folder.mkdir(exist_ok=True)
    for name, array in zip(names, arrays, strict=False):
        if name.endswith("npz"):
            np.savez_compressed(folder / name, array)
        elif name.endswith(("npy", "npy.gz")):
            stream = io.BytesIO()
            np.save(stream, array)
            packed = gzip.compress(stream.getvalue()) if name.endswith("gz") else stream.getvalue()
            (folder / name).write_bytes(packed)
        else:
            (folder / name).write_bytes(idx(array))
    return [folder / name for name in names]


def check(data, x=X, y=Y, x_test=XT, y_test=YT):
    for found, wanted in ((data.x, x), (data.y, y), (data.x_test, x_test), (data.y_test, y_test)):
        np.testing.assert_array_equal(found, wanted)


class TestNpz:
    @pytest.mark.parametrize(
        "names",
        [
            "x y x_test y_test",
            "x_train y_train x_test y_test",  # as in Keras's mnist.npz
            "train_images train_labels test_images test_labels",  # as in MedMNIST
            "training_images training_labels testing_images testing_labels",
            "Xtr Ytr Xte Yte",
            "arr_0 arr_1 arr_2 arr_3",  # as numpy.savez names them
        ],
    )
    @pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
    def test_the_names_that_people_use(self, tmp_path, names, write):
        write(tmp_path / "f.npz", extra=np.zeros(3), **dict(zip(names.split(), FOUR, strict=True)))
        data, notes = imported(tmp_path / "f.npz")
        check(data)
        assert notes == "f.npz: left out extra"

    def test_the_test_set_may_be_left_out(self, tmp_path):
        data, notes = imported(save(tmp_path / "f.npz", data=X, target=Y))
        check(data, x_test=None, y_test=None)
        assert notes == ""

    def test_arrays_of_medmnist(self, tmp_path):
        """Labels are [P, 1]; the validation part is used only where there is no test part, and named."""
        parts = {"train": (X, Y), "val": (X[:2], Y[:2]), "test": (XT, YT)}
        arrays = {f"{part}_images": x for part, (x, _) in parts.items()}
        arrays |= {f"{part}_labels": y[:, None].astype(np.uint8) for part, (_, y) in parts.items()}
        data, notes = imported(save(tmp_path / "f.npz", **arrays))
        check(data)
        assert notes == "f.npz: left out val_images, val_labels"
        del arrays["test_images"], arrays["test_labels"]
        data, notes = imported(save(tmp_path / "f.npz", **arrays))
        check(data, x_test=X[:2], y_test=Y[:2])
        assert notes == "f.npz: the test set is val_images and val_labels, as there is no other"

    def test_arrays_of_scikit_learn(self, tmp_path):
        """`np.savez(**load_digits())` holds the examples twice, Python objects, and numbers as names."""
        arrays = {"data": X.reshape(4, 6), "target": Y, "frame": None, "feature_names": np.full(6, "pixel")}
        arrays |= {"target_names": np.arange(3), "images": X, "DESCR": "digits"}
        words = "'data' and 'images' may both be the examples; save the one you mean as x"
        refused(lambda: read_npz(save(tmp_path / "f.npz", **arrays)), words)
        data, notes = imported(save(tmp_path / "f.npz", **arrays, x=X))
        check(data, x_test=None, y_test=None)
        assert data.grouping.names == ("0", "1", "2")
        assert "the class names are those in target_names" in notes
        assert "left out data, frame, feature_names, images, DESCR" in notes

    @pytest.mark.parametrize("name", ["target_names", "class_names", "label_names", "classes"])
    @pytest.mark.parametrize("labels", [Y, Y.astype(float), np.eye(3)[Y]])
    def test_names_of_classes(self, tmp_path, name, labels):
        names = np.array(["cat", "dog", "eel"])
        data, notes = imported(save(tmp_path / "f.npz", images=X, labels=labels, **{name: names}))
        assert data.grouping.names == ("cat", "dog", "eel")
        assert data.y.tolist() == Y.tolist()
        assert f"the class names are those in {name}" in notes

    @pytest.mark.parametrize(
        ("labels", "names"),
        [
            (Y, np.array(["cat", "dog"])),
            (Y, np.array(["cat", "cat", "dog"])),
            (Y, np.array(["cat", "", "dog"])),
            (Y, np.array([["cat", "eel", "dog"]])),
            (Y, np.array([0.5, 1.5, 2.5])),
            (np.eye(3)[Y], np.array(["cat", "dog", "eel", "fox"])),
            (np.array(["a", "b", "c", "a"]), np.array(["cat", "dog", "eel"])),
        ],
    )
    def test_names_that_are_none_of_these_classes(self, tmp_path, labels, names):
        data, notes = imported(save(tmp_path / "f.npz", x=X, y=labels, class_names=names))
        assert data.grouping.names == (("0", "1", "2") if labels.dtype.kind != "U" else ("a", "b", "c"))
        assert "left out class_names" in notes

    @pytest.mark.parametrize("name", ["ids", "names", "filenames", "image_ids", "train_names"])
    def test_names_of_examples(self, tmp_path, name):
        ids = np.array(["a/1.png", "b", "c", "d"])
        data, notes = imported(save(tmp_path / "f.npz", x=X, y=Y, **{name: ids}))
        assert [data.names[row] for row in range(4)] == ids.tolist()
        assert notes == f"f.npz: the names of the training examples are those in {name}"

    @pytest.mark.parametrize("ids", [np.arange(3), np.array([{}] * 4), np.eye(4), np.arange(4) + 0.5])
    def test_ids_that_are_none_of_these_examples(self, tmp_path, ids):
        data, notes = imported(save(tmp_path / "f.npz", x=X, y=Y, ids=ids))
        assert data.names is None
        assert notes == "f.npz: left out ids"

    def test_a_scalar_is_neither_examples_nor_labels(self, tmp_path):
        """As scikit-learn's breast_cancer has beside its arrays, `data_module` for example."""
        arrays = {"data": X, "target": Y, "data_module": "sklearn.datasets.data", "labels": 3}
        data, notes = imported(save(tmp_path / "f.npz", **arrays))
        check(data, x_test=None, y_test=None)
        assert notes == "f.npz: left out data_module, labels"
        refused(lambda: import_files([save(tmp_path / "f.npz", x=X, y=3)]), "labels 'y' have shape []")

    def test_two_files_of_several_arrays(self, tmp_path):
        paths = [save(tmp_path / f"{part}.npz", x=X, y=Y) for part in ("train", "test")]
        refused(
            lambda: import_files(paths), f"{paths[0]}: holds 2 arrays (x, y); pass files of one array each"
        )

    def test_what_is_missing(self, tmp_path):
        for arrays, words in (
            (
                {"x": X, "why": Y},
                "no array of training labels (it holds x, why); save the arrays as x, y, x_test",
            ),
            ({"why": X, "y": Y}, "no array of training examples (it holds why, y)"),
            ({"x": X, "y": Y, "x_test": X}, "has no array of test labels (it holds x, y, x_test)"),
            ({}, "no array of training examples (it holds nothing)"),
        ):
            path = save(tmp_path / "f.npz", **arrays)
            refused(lambda path=path: import_files([path]), f"{path}: ", words)

    def test_one_array_alone(self, tmp_path):
        np.savez(tmp_path / "k-imgs.npz", X)
        np.savez(tmp_path / "k-labels.npz", Y)
        words = "holds only one array; pass two files: strag data k-imgs.npz LABELS"
        refused(lambda: import_files([tmp_path / "k-imgs.npz"]), words, status=2)
        words = "pass two files: strag data EXAMPLES k-labels.npz"
        refused(lambda: import_files([tmp_path / "k-labels.npz"]), words, status=2)

    def test_a_gzipped_npz_file(self, tmp_path):
        save(tmp_path / "f.npz", x=X, y=Y)
        path = tmp_path / "f.npz.gz"
        path.write_bytes(gzip.compress((tmp_path / "f.npz").read_bytes()))
        for paths in ([path], [path, tmp_path / "f.npz"]):
            refused(lambda paths=paths: import_files(paths), f"{path}: is a gzipped npz", f"gunzip {path}")


NAMED = {
    "numpy": "x_train.npy y_train.npy x_test.npy y_test.npy",
    "Kuzushiji-49": "k49-train-imgs.npz k49-train-labels.npz k49-test-imgs.npz k49-test-labels.npz",
    "Kannada": "X_kannada_MNIST_train.npz y_kannada_MNIST_train.npz X_kannada_MNIST_test.npz "
    "y_kannada_MNIST_test.npz",
    "MNIST": "train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte",
    "mixed": "x.npy y.npz x_test.npy.gz y_test.idx",
}


class TestFiles:
    @pytest.mark.parametrize("names", NAMED.values(), ids=NAMED.keys())
    def test_their_names_decide(self, tmp_path, names):
        paths = save_all(tmp_path, names.split())
        data, notes = imported(*paths)
        check(data)
        assert notes == ""
        globbed, notes = imported(*sorted(paths))
        check(globbed)
        assert globbed.identity == data.identity
        assert "files are used by their names: " in notes
        assert f"{paths[2].name} as test examples" in notes
        assert globbed.title == data.title

    @pytest.mark.parametrize("names", NAMED.values(), ids=NAMED.keys())
    def test_pairs(self, tmp_path, names):
        x, y = save_all(tmp_path, names.split()[:2])
        check(imported(x, y)[0], x_test=None, y_test=None)
        check(imported(y, x)[0], x_test=None, y_test=None)

    def test_a_test_part_alone_is_a_data_set(self, tmp_path):
        paths = save_all(tmp_path, ["x_test.npy", "y_test.npy"])
        data, notes = imported(*paths)
        check(data, x_test=None, y_test=None)
        assert notes == "x_test.npy: holds only the test set, which becomes the training set"

    def test_places_decide_where_names_say_nothing(self, tmp_path):
        check(imported(*save_all(tmp_path, ["d.npy", "c.npy", "b.npz", "a.npy.gz"]))[0])

    def test_six_files(self, tmp_path):
        names = ["x.npy", "x_test.npy", "x_val.npy", "y.npy", "y_test.npy", "y_val.npy"]
        data, notes = imported(*save_all(tmp_path, names, (X, XT, X[:1], Y, YT, Y[:1])))
        check(data)
        assert "left out the validation set (x_val.npy, y_val.npy)" in notes

    def test_names_that_leave_it_open(self, tmp_path):
        x, y, x_test, y_test = save_all(tmp_path, NAMED["numpy"].split())
        words = (
            "contradict each other (x_train.npy training examples, y_test.npy test labels); rename the files"
        )
        refused(lambda: import_files([x, y_test]), words, status=2)
        refused(lambda: import_files([x, x_test]), "contradict each other", status=2)
        refused(lambda: import_files([x, y, x]), "3 files are given, not 2 or 4", status=2)

    def test_errors_name_the_file_that_they_are_about(self, tmp_path):
        for wrong, at, words in (
            (XT[:, :, :1], 2, "test examples have shape [2, 1], training examples [2, 3]"),
            (Y - 1, 1, "labels 'y' range from -1 to 1"),
            (Y[:3] - 1, 3, "labels 'y_test' range from -1 to 1"),
            (np.full((4, 2, 3), np.nan), 0, "'x' is not finite in row 0"),
            (np.full((3, 2, 3), 1e300), 2, "'x_test' holds numbers too large"),
            (np.zeros((4, 2, 3), complex), 0, "'x' holds complex128, not numbers"),
            (np.arange(4), 0, "'x' has shape [4]"),
            (np.array([0.5, 1, 2]), 3, "label 0.5 in row 0 of 'y_test' is not a whole number"),
        ):
            arrays = [array if place != at else wrong for place, array in enumerate(FOUR)]
            for order in (slice(None), slice(None, None, -1)):
                paths = save_all(tmp_path, NAMED["numpy"].split(), arrays)
                about = f"{paths[at]}: "
                error = refused(lambda paths=paths, order=order: import_files(paths[order]), words)
                assert error.startswith(about), error

    def test_files_of_no_array(self, tmp_path):
        x = save_all(tmp_path, ["x.npy"])[0]
        (tmp_path / "y.npy").write_text("0 1 2\n0 1 2\n")
        (tmp_path / "y.npy.gz").write_bytes(gzip.compress(b"0 1 2"))
        (tmp_path / "y.xz").write_bytes(b"\xfd7zXZ\0")
        (tmp_path / "y").mkdir()
        (tmp_path / "empty").touch()
        save(tmp_path / "y.npz", a=Y, b=Y)
        for name, words in (
            ("y.npy", "is not an IDX, npy or npz file"),
            ("y.npy.gz", "is not an IDX, npy or npz file"),
            ("y.xz", "is compressed with bzip2 or xz; decompress it"),
            ("y", "is a folder; pass only the folder"),
            ("y.npz", "holds 2 arrays (a, b); pass files of one array each, or only one npz file with x, y"),
            ("empty", "is empty; create it again"),
        ):
            refused(lambda name=name: import_files([x, tmp_path / name]), f"{tmp_path / name}: {words}")
