"""IDX files: what the format's description says, gzipped or not, and nothing that only looks like it."""

import errno
import gzip
import shlex
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from strag.datasets.idx import FOLDER, find_idx, is_idx, read_idx
from strag.datasets.importing import import_files
from tests.files.makers import refused

CODES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def idx(array, code=8):
    """The bytes of an IDX file, by the format's description."""
    array = np.asarray(array, CODES[code])
    return struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape) + array.tobytes()


@given(
    code=st.sampled_from(list(CODES)),
    shape=hnp.array_shapes(max_dims=4, min_side=0, max_side=4),
    zipped=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_array_is_read_as_it_was_written(tmp_path_factory, code, shape, zipped):
    path = tmp_path_factory.getbasetemp() / "f.idx"
    array = np.arange(np.prod(shape)).reshape(shape) % 100
    content = idx(array, code)
    path.write_bytes(gzip.compress(content) if zipped else content)
    assert is_idx(path)
    read = read_idx(path)
    assert read.shape == shape
    np.testing.assert_array_equal(read, array)


def test_a_known_file_byte_for_byte(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 255]))
    np.testing.assert_array_equal(read_idx(path), np.array([7, 0, 255], np.uint8))


GOOD = idx(np.arange(6).reshape(2, 3))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not an IDX file"),
        (GOOD[:3], "is not an IDX file"),
        (GOOD[:9], "is cut short in its header"),
        (GOOD[:-1], "has shape [2, 3], 6 bytes, but holds only 5"),
        (GOOD[:12], "has shape [2, 3], 6 bytes, but holds only 0"),
        (GOOD + b"\0", "has shape [2, 3], 6 bytes, but holds more"),
        (b"\0\1" + GOOD[2:], "is not an IDX file"),
        (b"\0\0\7" + GOOD[3:], "is not an IDX file"),
        (b"\0\0\x08\0", "is not an IDX file"),
        (struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3) + b"abc", "but holds only 3"),
        (struct.pack(">HBB2I", 0, 8, 2, 70_000, 600_000) + b"abc", "42000000000 bytes, but holds only 3"),
    ],
)
def test_what_is_broken(tmp_path, content, words, zipped):
    path = tmp_path / "f"
    path.write_bytes(gzip.compress(content) if zipped else content)
    refused(lambda: read_idx(path), f"{path}: ", words)


@pytest.mark.parametrize("cut", [5, -1, -9])
def test_a_gzip_file_cut_short(tmp_path, cut):
    path = tmp_path / "f"
    path.write_bytes(gzip.compress(idx(np.arange(500)))[:cut])
    refused(lambda: read_idx(path), f"{path}: is a broken gzip file", "copy it again")


def test_a_gzip_file_with_a_wrong_byte(tmp_path):
    content = bytearray(gzip.compress(GOOD))
    content[-5] ^= 1  # of the checksum
    (tmp_path / "f").write_bytes(content)
    refused(lambda: read_idx(tmp_path / "f"), "is a broken gzip file (CRC check failed")


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b", b"\x1f\x8bxx", gzip.compress(b"text", mtime=0), b"PK\x03\x04", b"\0\0"]
)
def test_what_does_not_begin_like_an_idx_file(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    assert not is_idx(tmp_path / "f")
    assert not is_idx(tmp_path)
    assert not is_idx(tmp_path / "nothere")


X, Y = np.arange(24, dtype=np.uint8).reshape(4, 2, 3), np.array([0, 1, 2, 1])
FOUR = dict(zip(("x", "y", "x_test", "y_test"), (X, Y, X[:3] + 100, Y[1:]), strict=True))
USUAL = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


ARRAYS = tuple(FOUR.values())


def fill(folder, names=USUAL, arrays=ARRAYS):
    """Files of these names with these arrays, the gzipped ones by their endings; in folders as they say."""
    for name, array in zip(names, arrays, strict=False):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        content = array if isinstance(array, bytes) else idx(array, 12 if "int" in name else 8)
        (folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    return folder


def imported(folder):
    """The data set in a folder, and the notes on it without its name before each."""
    notes = []
    data = import_files([folder], note=notes.append)
    return data, [note.removeprefix(f"{folder.name}/: ") for note in notes]


def check(data, **changed):
    for key, wanted in {**FOUR, **changed}.items():
        np.testing.assert_array_equal(getattr(data, key), wanted)


class TestFolders:
    @pytest.mark.parametrize(
        "names",
        [
            USUAL,
            [f"{name}.gz" for name in USUAL],
            [name.replace("-idx", ".idx") for name in USUAL],
            [name.replace("t10k", "test") for name in USUAL],
            [USUAL[0], f"{USUAL[1]}.gz", USUAL[2].replace("t10k", "test"), USUAL[3].replace("-idx", ".idx")],
            ["trainX.bin", "trainY.bin", "x_test", "y_test.idx.gz"],
        ],
    )
    def test_files_are_known_by_their_names(self, tmp_path, names):
        data, notes = imported(fill(tmp_path / "f", names))
        check(data)
        assert notes == []
        assert find_idx(tmp_path / "f") == {
            key: tmp_path / "f" / n for key, n in zip(FOUR, names, strict=True)
        }

    def test_a_training_part_alone(self, tmp_path):
        check(imported(fill(tmp_path / "f", USUAL[:2]))[0], x_test=None, y_test=None)

    def test_a_validation_part(self, tmp_path):
        names = [name.replace("t10k", "val") for name in USUAL]
        data, notes = imported(fill(tmp_path / "f", names))
        check(data)
        assert notes == [f"the test set is {names[2]} and {names[3]}, as there is no other"]
        _, notes = imported(fill(fill(tmp_path / "f"), names))
        assert notes == [f"left out {names[2]}, {names[3]}"]

    @pytest.mark.parametrize(
        ("places", "words"),
        [
            ([0], "has no file of training labels (it holds train-images-idx3-ubyte); add the missing files"),
            ([1], "has no file of training examples"),
            (
                [2, 3],
                "has no file of training examples (it holds t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte)",
            ),
            ([0, 1, 2], "has no file of test labels (it holds t10k-images-idx3-ubyte, train-"),
            ([0, 1, 3], "has no file of test examples (it holds t10k-labels-idx1-ubyte, train-"),
        ],
    )
    def test_a_part_of_the_files(self, tmp_path, places, words):
        folder = fill(tmp_path / "f", [USUAL[at] for at in places], [X] * 4)
        refused(lambda: import_files([folder]), f"{folder}: ", words)

    @pytest.mark.parametrize("content", [b"", b"\0\0\x08", idx(Y)[:-1], idx(Y) + b"\0", b"text"])
    @pytest.mark.parametrize("zipped", [False, True])
    def test_a_broken_file_under_a_usual_name(self, tmp_path, content, zipped):
        names = (USUAL[0], f"{USUAL[1]}{'.gz' * zipped}")
        refused(lambda: import_files([fill(tmp_path / "f", names, (X, content))]), f"f/{names[1]}: ")

    def test_other_folders(self, tmp_path):
        assert find_idx(tmp_path) == {}
        fill(tmp_path, ["notes-idx1-ubyte", "emnist-letters-mapping.txt", "x.npy", "train"], [Y, b"", b"", X])
        assert find_idx(tmp_path) == {}
        assert not FOLDER.knows([tmp_path])

    def test_emnist(self, tmp_path):
        names = ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")
        names = [f"emnist-letters-{part}-{name}" for part in ("train", "test") for name in names]
        folder = fill(tmp_path / "f", [*names, "emnist-letters-mapping.txt"], (*ARRAYS, b"1 65 97"))
        data, notes = imported(folder)
        check(data)
        transposed = "EMNIST's images are transposed in its files and stay transposed"
        assert notes == ["read the data set emnist-letters", transposed]
        notes = []
        import_files([folder / name for name in names], note=notes.append)
        assert notes == [f"{names[0]}: {transposed}"]

    def test_several_sets_in_one_folder(self, tmp_path):
        """The command in the message imports the first of them."""
        folder = tmp_path / "my sets"
        for title, x in (("emnist-letters-", X), ("emnist-digits-", X + 1), ("", X + 2)):
            fill(folder, [f"{title}{name}.gz" for name in USUAL], (x, Y, x, Y))
        words = (
            "holds 3 data sets (emnist-digits, emnist-letters, one without a name); pass the files of one: "
        )
        error = refused(lambda: import_files([folder]), f"{folder}: {words}strag data ")
        paths = shlex.split(error.rpartition("strag data ")[2])
        assert [Path(path).name for path in paths] == [f"emnist-digits-{name}.gz" for name in USUAL]
        check(import_files(paths), x=X + 1, x_test=X + 1, y_test=Y)

    def test_an_incomplete_set_beside_a_whole_one(self, tmp_path):
        fill(fill(tmp_path / "f"), ["qmnist-train-images-idx3-ubyte"], [X])
        data, notes = imported(tmp_path / "f")
        check(data)
        assert notes == ["left out qmnist-train-images-idx3-ubyte"]

    @pytest.mark.parametrize("sep", ["-", "."])
    def test_qmnist(self, tmp_path, sep):
        """Eight columns: the class, the series, the writer and so on; the class is the first."""
        labels = [np.stack([y, *np.arange(7 * len(y)).reshape(7, -1)], axis=1) for y in (Y, Y[1:])]
        names = [f"qmnist-{part}-{what}" for part in ("train", "test")
                 for what in ("images-idx3-ubyte", f"labels{sep}idx2-int.gz")]  # fmt: skip
        arrays = (FOUR["x"], labels[0], FOUR["x_test"], labels[1])
        data, notes = imported(fill(tmp_path / "f", names, arrays))
        check(data)
        said = [
            f"{name} has 8 columns; the first is the class, as in QMNIST" for name in (names[1], names[3])
        ]
        assert notes == ["read the data set qmnist", *said]
        check(import_files([tmp_path / "f" / name for name in names]))

    def test_labels_of_eight_columns_elsewhere(self, tmp_path):
        """Rows of 0 and 1 in bytes are no labels of QMNIST."""
        fill(tmp_path / "f", USUAL, (X, np.eye(8)[Y]))
        check(imported(tmp_path / "f")[0], x_test=None, y_test=None)

    @pytest.mark.parametrize("place", ["raw", "gzip", "MNIST/raw"])
    def test_files_in_a_folder_of_the_folder(self, tmp_path, place):
        """As torchvision and EMNIST's archive have it."""
        folder = fill(tmp_path / "f", [f"{place}/{name}.gz" for name in USUAL])
        data, notes = imported(folder)
        check(data)
        assert notes == [f"read the data set {place}/"]
        assert data.command == "strag data f/"

    def test_several_data_sets_of_torchvision(self, tmp_path):
        for place in ("MNIST", "KMNIST"):
            fill(tmp_path / "f", [f"{place}/raw/{name}" for name in USUAL])
        words = "holds 2 data sets (KMNIST/raw/, MNIST/raw/); pass the files of one: strag data "
        refused(lambda: import_files([tmp_path / "f"]), words, f"{tmp_path}/f/KMNIST/raw/train-images")

    def test_folders_with_the_names_of_files(self, tmp_path):
        """As some unpackers make them; an empty one does not stop the search either."""
        names = [f"{name}/{name.replace('-idx', '.idx')}" for name in USUAL[:2]]
        folder = fill(tmp_path / "f", [*names, *USUAL[2:]])
        (folder / "test-images.idx3-ubyte").mkdir()
        data, notes = imported(folder)
        check(data)
        assert notes == []

    def test_copies_of_one_file(self, tmp_path):
        """A gzipped and a plain one, as torchvision leaves them, and two plain ones in Kaggle's archive."""
        copies = (f"{USUAL[0]}.gz", f"{USUAL[2]}/{USUAL[2].replace('-idx', '.idx')}")
        names = [*USUAL[:2], USUAL[2].replace("-idx", ".idx"), USUAL[3]]
        data, notes = imported(fill(fill(tmp_path / "f", names), copies, (X, FOUR["x_test"])))
        check(data)
        (left,) = notes
        assert left.startswith("left out ")
        assert left.endswith("as other files hold the same arrays")
        assert copies[0] in left

    def test_copies_that_differ(self, tmp_path):
        folder = fill(fill(tmp_path / "f"), [f"{USUAL[0]}.gz"], [X + 1])
        words = f"'{USUAL[0]}' and '{USUAL[0]}.gz' may both be the examples; keep only one of them"
        refused(lambda: import_files([folder]), f"{folder}: {words}")
        (folder / f"{USUAL[0]}.gz").write_bytes(b"\x1f\x8b")
        refused(lambda: import_files([folder]), f"{USUAL[0]}.gz: is a broken gzip file")


def test_memory_grows_with_what_is_there(tmp_path):
    """A header that claims less than the gzip file holds does not make it unpack the rest."""
    (tmp_path / "f").write_bytes(gzip.compress(idx(Y) + bytes(1 << 26)))
    tracemalloc.start()
    refused(lambda: read_idx(tmp_path / "f"), "has shape [4], 4 bytes, but holds more")
    assert tracemalloc.get_traced_memory()[1] < 1 << 24
    tracemalloc.stop()


def test_a_folder_that_may_not_be_looked_into_is_the_one_named(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / name).mkdir()
    is_dir = Path.is_dir

    def locked(path):
        if path.parent == tmp_path / "b":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", locked)
    with pytest.raises(PermissionError) as caught:
        FOLDER.knows([tmp_path])
    assert caught.value.filename == f"{tmp_path}/b"
