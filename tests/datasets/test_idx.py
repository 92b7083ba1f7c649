"""IDX files: what the format's description says, gzipped or not, and nothing that only looks like it."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from strag.datasets.idx import find_idx, is_idx, read_idx
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
        (GOOD[:-1], "has shape [2, 3], 6 bytes, but holds 5"),
        (GOOD[:12], "has shape [2, 3], 6 bytes, but holds 0"),
        (GOOD + b"\0", "has shape [2, 3], 6 bytes, but holds 7"),
        (b"\0\1" + GOOD[2:], "is not an IDX file"),
        (b"\0\0\7" + GOOD[3:], "is not an IDX file"),
        (b"\0\0\x08\0", "is not an IDX file"),
        (struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3) + b"abc", "but holds 3"),
        (struct.pack(">HBB2I", 0, 8, 2, 70_000, 600_000) + b"abc", "42000000000 bytes, but holds 3"),
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


NAMES = {
    "x": "train-images-idx3-ubyte",
    "y": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images.idx3-ubyte",
    "y_test": "test-labels-idx1-ubyte.gz",
}


class TestFolders:
    def fill(self, folder, *keys):
        for key in keys:
            (folder / NAMES[key]).touch()
        (folder / "train-notes-idx1-ubyte").touch()
        return {key: folder / NAMES[key] for key in keys}

    @pytest.mark.parametrize("keys", [("x", "y"), ("x", "y", "x_test", "y_test")])
    def test_files_are_known_by_their_names(self, tmp_path, keys):
        assert find_idx(tmp_path) == {}
        paths = self.fill(tmp_path, *keys)
        assert find_idx(tmp_path) == paths

    @pytest.mark.parametrize("keys", [("x",), ("y",), ("x_test", "y_test")])
    def test_without_images_or_labels_it_is_no_folder_of_idx_files(self, tmp_path, keys):
        self.fill(tmp_path, *keys)
        assert find_idx(tmp_path) == {}

    @pytest.mark.parametrize("key", ["x_test", "y_test"])
    def test_half_a_test_set(self, tmp_path, key):
        self.fill(tmp_path, "x", "y", key)
        refused(
            lambda: find_idx(tmp_path), tmp_path, "test images or test labels but not both", "add the other"
        )
