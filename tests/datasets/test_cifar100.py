"""The binary version of CIFAR-100: two labels a record, of which one is asked for."""

import numpy as np
import pytest

from strag.datasets.cifar import CIFAR100, find_cifar
from strag.datasets.imported import Reading
from strag.datasets.importing import import_files
from tests.datasets.test_cifar import CONTENTS, batch, fill, member, packed
from tests.files.makers import refused

FINE = [f"fine {i:02d}" for i in range(100)]
COARSE = [f"coarse {i:02d}" for i in range(20)]
SAID = "the labels are the 100 fine classes; `label_column` coarse uses the 20 coarse classes"


def part(n, seed):
    random = np.random.default_rng(seed)
    x = random.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
    return x, random.integers(0, 20, n), random.integers(0, 100, n)


def records(x, coarse, fine):
    """By the format's page: the coarse label, the fine label, and three planes."""
    rows = zip(x, coarse, fine, strict=True)
    return b"".join(bytes([c]) + batch(image[None], [f]) for image, c, f in rows)


TRAIN, TEST = part(6, 1), part(2, 2)
FILES = {
    "train.bin": records(*TRAIN),
    "test.bin": records(*TEST),
    "fine_label_names.txt": "\n".join(FINE).encode(),
    "coarse_label_names.txt": "\n".join([*COARSE, ""]).encode(),
}


def archive(path, files=FILES, folder="cifar-100-binary"):
    return packed(path, [member(f"{folder}/{name}", content) for name, content in files.items()])


def found_in(path, label=None):
    notes = []
    return import_files([path], Reading(label_column=label), notes.append), notes


@pytest.mark.parametrize("make", [fill, archive])
@pytest.mark.parametrize(
    ("label", "names", "place"), [(None, FINE, 2), ("fine", FINE, 2), ("coarse", COARSE, 1)]
)
def test_the_labels_that_are_asked_for(tmp_path, make, label, names, place):
    data, notes = found_in(make(tmp_path / "f", FILES), label)
    for array, wanted in (
        (data.x, TRAIN[0]),
        (data.x_test, TEST[0]),
        (data.y, TRAIN[place]),
        (data.y_test, TEST[place]),
    ):
        np.testing.assert_array_equal(array, wanted)
    assert data.class_names == tuple(names)
    assert [note.partition(": ")[2] for note in notes] == ([] if label else [SAID])
    assert data.command.endswith(f" --label-column {label}") == (label is not None)


def test_where_it_is_found(tmp_path):
    unpacked = fill(tmp_path / "f", FILES)
    unpacked.rename((tmp_path / "here").mkdir() or tmp_path / "here" / "cifar-100-binary")
    place, version = find_cifar(tmp_path / "here")
    assert (place, version) == (tmp_path / "here" / "cifar-100-binary", CIFAR100)
    data, _ = found_in(tmp_path / "here")
    np.testing.assert_array_equal(data.y, TRAIN[2])


def test_without_names_and_without_a_test_part(tmp_path):
    data, _ = found_in(fill(tmp_path / "f", {"train.bin": FILES["train.bin"]}))
    np.testing.assert_array_equal(data.y, TRAIN[2])
    assert not data.has_test
    assert set(data.grouping.names) == {str(label) for label in TRAIN[2]}


@pytest.mark.parametrize("content", [b"", FILES["train.bin"][:-1], bytes(3073)])
def test_other_files_of_this_name(tmp_path, content):
    """train.bin may be anything, unless it lies where CIFAR-100's does."""
    assert find_cifar(fill(tmp_path / "f", {"train.bin": content})) is None
    for folder in (
        fill(tmp_path / "cifar-100-binary", {"train.bin": content}),
        fill(tmp_path / "g", {**FILES, "train.bin": content}),
    ):
        words = f"{folder}/train.bin: train.bin has {len(content)} bytes, not a multiple of 3074"
        refused(lambda folder=folder: import_files([folder]), words)


def wrong(at, value):
    content = bytearray(FILES["train.bin"])
    content[3074 + at] = value
    return {**FILES, "train.bin": bytes(content)}


@pytest.mark.parametrize("make", [fill, archive])
@pytest.mark.parametrize(
    ("files", "words"),
    [
        (wrong(0, 20), "train.bin has coarse label 20 in record 1; use labels 0 to 19"),
        (wrong(1, 100), "train.bin has fine label 100 in record 1; use labels 0 to 99, as in the binary"),
        ({"test.bin": FILES["test.bin"]}, "holds no training examples of CIFAR-100; add at least train.bin"),
        ({**FILES, "fine_label_names.txt": b"a\nb\n"}, "fine_label_names.txt has 2 class names; provide 100"),
        (
            {**FILES, "coarse_label_names.txt": b"a\n" * 40_000},
            "has 80000 bytes, too many for class names; provide the 20 class names",
        ),
        ({**FILES, **CONTENTS}, "holds CIFAR-10 and CIFAR-100"),
    ],
)
def test_what_is_wrong(tmp_path, make, files, words):
    refused(lambda: import_files([make(tmp_path / "f", files)]), f"{tmp_path}/f", words)


@pytest.mark.parametrize("make", [fill, archive])
def test_labels_that_there_are_not(tmp_path, make):
    path = make(tmp_path / "f", FILES)
    words = f"{path}: has no label column 'superclass'; use fine or coarse"
    refused(lambda: import_files([path], Reading(label_column="superclass")), words, status=2)
    path = fill(tmp_path / "g") if make is fill else packed(tmp_path / "g")
    words = f"{path}: is CIFAR-10 and does not use `label_column`; remove `label_column`"
    refused(lambda: import_files([path], Reading(label_column="coarse")), words, status=2)
