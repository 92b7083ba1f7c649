"""Files that are broken, forged or of another kind: one line that names the file and a cure."""

import gzip
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strag
from strag import kinds
from strag.errors import StragError
from strag.files import opening
from strag.files.describe import describe
from strag.files.opening import open_file
from strag.files.stamp import NEWEST
from tests.files.makers import dataset_file, forge, history_file, images, refused, stragglers_file


def read_dataset(path):
    return kinds.read(path, "dataset")


def read_history(path):
    return kinds.read(path, "history")


def read_stragglers(path):
    return kinds.read(path, "stragglers")


READERS = {"dataset": read_dataset, "history": read_history, "stragglers": read_stragglers}
MAKERS = {
    "dataset": "make one with 'strag data'",
    "history": "make one with 'strag train'",
    "stragglers": "make one with 'strag find-stragglers'",
}


@pytest.fixture
def good(tmp_path):
    return dataset_file(tmp_path / "good")


@pytest.fixture
def bad(tmp_path):
    return tmp_path / "bad"


def content_of(path):
    with open(path, "rb") as stream:
        return stream.read()


def with_header(content, change):
    """The container with its JSON header changed by `change(header)`, and the length that belongs to it."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    text = change(header) or json.dumps(header)
    return len(text).to_bytes(8, "little") + text.encode() + content[8 + length :]


@pytest.mark.parametrize("reader", [*READERS.values(), open_file])
def test_an_empty_file(bad, reader):
    bad.touch()
    refused(lambda: reader(bad), f"{bad}: is empty")


@pytest.mark.parametrize("keep", [1, 7, 8, 9, 100, -300, -1])
def test_a_file_cut_short(good, bad, keep):
    bad.write_bytes(content_of(good)[:keep])
    refused(lambda: read_dataset(bad), str(bad), "not a strag file" if 0 < keep < 9 else "is cut short")


def test_a_cut_file_says_how_much_is_there(good, bad):
    content = content_of(good)
    bad.write_bytes(content[:-5])
    refused(
        lambda: read_dataset(bad), f"{len(content) - 5} of {len(content)} bytes", "create or copy it again"
    )


def test_trailing_bytes(good, bad):
    bad.write_bytes(content_of(good) + b"\0")
    refused(lambda: read_dataset(bad), str(bad), "has bytes after its end", "create or copy it again")


@pytest.mark.parametrize("length", [0, 1, 10**9, 2**63, 2**64 - 1])
def test_a_lying_header_length(good, bad, length):
    bad.write_bytes(length.to_bytes(8, "little") + content_of(good)[8:])
    refused(lambda: read_dataset(bad), str(bad), "is not a strag file")


@pytest.mark.parametrize("shift", [-1, -50, 1, 50])
def test_a_header_length_that_is_a_little_off(good, bad, shift):
    content = content_of(good)
    bad.write_bytes((int.from_bytes(content[:8], "little") + shift).to_bytes(8, "little") + content[8:])
    refused(lambda: read_dataset(bad), str(bad))


@pytest.mark.parametrize("text", ["{", "{]", "[]", '{"a":1}', '{"a":{"data_offsets":[0]}}', "{" * 5000])
def test_a_header_that_is_no_header(bad, text):
    bad.write_bytes(len(text).to_bytes(8, "little") + text.encode())
    refused(lambda: read_dataset(bad), str(bad))


@pytest.mark.parametrize(
    "offsets", ["[0,1e999]", "[0,NaN]", '["0","8"]', "[-8,0]", "[0,true]", "null", "[0,9e9]"]
)
def test_offsets_that_are_no_numbers(good, bad, offsets):
    def change(header):
        header["x"]["data_offsets"] = "HERE"
        return json.dumps(header).replace('"HERE"', offsets)

    bad.write_bytes(with_header(content_of(good), change))
    refused(lambda: read_dataset(bad), str(bad), "create or copy it again")


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("y", "data_offsets", [0, 192]),  # over 'index'
        ("x", "shape", [24, 2, 4]),
        ("x", "shape", [24, 2, -3]),
        ("x", "dtype", "U9"),
        ("x", "dtype", "I16"),
    ],
)
def test_a_header_that_contradicts_itself(good, bad, name, field, value):
    def change(header):
        assert header[name][field] != value
        header[name][field] = value

    bad.write_bytes(with_header(content_of(good), change))
    refused(lambda: read_dataset(bad), f"{bad}: has a broken header", "create or copy it again")


IMPORT = "import it with 'strag data FILE'"


@pytest.mark.parametrize(
    ("content", "what", "cure"),
    [
        (b"PK\x03\x04" + bytes(30), "an npz or zip file", IMPORT),
        (b"\x93NUMPY\x01\x00" + bytes(30), "an npy file", IMPORT),
        (gzip.compress(b"abc", mtime=0), "a gzipped file", IMPORT),
        (struct.pack(">HBBI", 0, 8, 1, 3) + b"abc", "an IDX file", IMPORT),
        (b"index,count\n1,2\n", "not a strag file", "make one with 'strag data FILE', from images"),
    ],
)
def test_what_others_write(bad, content, what, cure):
    bad.write_bytes(content)
    refused(lambda: read_dataset(bad), str(bad), what, cure)
    refused(lambda: read_history(bad), str(bad), what, "strag train")
    refused(lambda: read_stragglers(bad), str(bad), what, "strag find-stragglers")
    logs = "or predictions with 'strag history FILE'" if content.startswith(b"PK") else ""
    refused(lambda: strag.read(bad), str(bad), what, logs)


def test_another_kind_names_the_command_that_makes_the_right_one(tmp_path, good):
    files = {"dataset": good, "history": history_file(tmp_path / "h")}
    files["stragglers"] = stragglers_file(tmp_path / "s", images(), [1])
    for wanted, reader in READERS.items():
        assert reader(files[wanted])
        for kind, path in files.items():
            if kind != wanted:
                problem = f"{path}: is a {kind} file, not a {wanted} file"
                refused(lambda: reader(path), problem, MAKERS[wanted])  # noqa: B023


@pytest.mark.parametrize("wanted", ["dataset", None])
def test_a_newer_format_says_to_upgrade(good, bad, wanted):
    forge(good, bad, {"format": NEWEST + 1})
    refused(lambda: open_file(bad, wanted), f"has format {NEWEST + 1}", "upgrade strag")


def test_a_newer_json_format_says_to_upgrade(bad):
    stragglers_file(bad, images(), [1], format=NEWEST + 1)
    refused(lambda: read_stragglers(bad), f"{bad}: has format {NEWEST + 1}", "upgrade strag")
    refused(lambda: open_file(bad), "upgrade strag")


@pytest.mark.parametrize("meta", [{"kind": 3}, {"kind": None}, {"format": None}, {"format": "1"}])
def test_a_stamp_without_kind_or_format(good, bad, meta):
    forge(good, bad, meta)
    refused(lambda: read_dataset(bad), f"{bad}: is not a strag file")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": np.full((24, 6), np.nan, np.float32)}, "'x' is not finite in row 0"),
        ({"x": np.where(np.arange(24)[:, None] == 7, np.inf, 0).astype(np.float32)}, "not finite in row 7"),
        ({"x": np.zeros((24, 2, 3))}, "tensor 'x' is F64, not U8 or F32"),
        ({"x": np.zeros((23, 2, 3), np.uint8)}, "tensor 'y' has shape [24], not [23]"),
        (
            {"x": np.zeros((24, 0), np.uint8), "x_test": np.zeros((5, 0), np.uint8)},
            "has examples without inputs",
        ),
        ({"y": np.arange(24.0)}, "tensor 'y' is F64, not I64"),
        ({"y": np.arange(24) - 1}, "labels in 'y' range from -1 to 22"),
        ({"y": np.full(24, 2**40)}, "labels in 'y' range from"),
        ({"index": np.arange(24) + 1}, "'index' is not in the range 0 to 23"),
        ({"index": np.arange(24) - 1}, "'index' is not in the range 0 to 23"),
        ({"index": np.arange(24) // 2}, "'index' has the same example twice"),
        ({"mean": np.zeros(6)}, "only one of 'mean' and 'std'"),
        ({"mean": np.zeros(5), "std": np.ones(5)}, "'mean' and 'std' do not fit its inputs"),
        ({"mean": np.zeros(6), "std": np.ones(5)}, "tensor 'std' has shape [5], not [6]"),
        ({"mean": np.zeros(6), "std": -np.ones(6)}, "'mean' and 'std' do not fit its inputs"),
        ({"mean": np.full(6, np.nan), "std": np.ones(6)}, "'mean' and 'std' do not fit its inputs"),
        ({"x_test": np.zeros((5, 4), np.uint8)}, "test examples have shape [4], training examples [2, 3]"),
        (
            {"x_test": np.zeros((0, 2, 3), np.uint8), "y_test": np.zeros(0, np.int64)},
            "no examples in 'x_test'",
        ),
        ({"drop": ["y"]}, "has no tensor 'y'"),
        ({"drop": ["x_test"]}, "has a test set without examples"),
        ({"drop": ["y_test"]}, "has a test set without labels"),
        ({"meta": {"origin_size": 10}}, "'index' is not in the range 0 to 9"),
        ({"meta": {"origin_size": "many"}}, "its 'origin_size' cannot be read"),
        ({"meta": {"class_names": 4}}, "its 'class_names' cannot be read"),
        ({"meta": {"class_count": "4"}}, "its 'class_count' cannot be read"),
        ({"meta": {"class_count": 1 << 60}}, "has 1152921504606846976 classes"),
        ({"meta": {"class_names": ["a"], "labels": "classes"}}, "has 4 classes but 1 class name"),
        ({"meta": {"origin": 4}}, "its 'origin' cannot be read"),
    ],
)
def test_a_dataset_that_makes_no_sense(good, bad, change, words):
    forge(good, bad, **change)
    refused(lambda: read_dataset(bad), f"{bad}: ", words)


def test_unknown_tensors_and_keys_are_left_alone(good, bad):
    forge(good, bad, {"colour": "red"}, extra=np.zeros(3, np.float16))
    assert read_dataset(bad).identity == read_dataset(good).identity == describe(open_file(bad))["identity"]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    return {
        read_dataset: content_of(dataset_file(folder / "d")),
        read_stragglers: content_of(stragglers_file(folder / "s", images(), [1, 5])),
    }


def error_of(read, path):
    try:
        read(path)
    except StragError as error:
        return error
    return None


@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.none() | st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_no_byte_crashes_a_reader(tmp_path_factory, originals, at, byte, cut):
    path = tmp_path_factory.getbasetemp() / "mutant"
    for reader, original in originals.items():
        content = bytearray(original)
        content[at % len(content)] = byte
        path.write_bytes(content[: None if cut is None else cut % len(content)])
        for read in (reader, lambda path: describe(open_file(path))):
            error = error_of(read, path)
            assert error is None or (str(error).startswith(f"{path}: ") and error.remedy)


def test_json_without_end_is_read_once_and_no_further(bad, monkeypatch):
    monkeypatch.setattr(opening, "LARGEST", 1 << 16)
    bad.write_bytes(b'{"strag": "' + b"x" * (1 << 20))
    refused(lambda: read_stragglers(bad), f"{bad}: is JSON of more than")
