"""Laws of the container: what strag writes, the safetensors library reads; the same input, the same bytes."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.numpy import load, save

from strag.files.canonical import canonical_json
from strag.files.container import DTYPES, TensorWriter
from strag.files.opening import open_file
from strag.files.stamp import stamp
from tests.files.makers import parts, write_tensors

META = stamp("dataset", title="t")
arrays = st.sampled_from([*DTYPES.values(), np.dtype(">f4"), np.dtype(">i8")]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
tensors_of = st.dictionaries(st.text("abxyz_.0", min_size=1, max_size=6), arrays, max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def written(path, tensors, meta=META):
    write_tensors(str(path), meta, tensors)
    return path.read_bytes()


@given(tensors=tensors_of)
@settings(max_examples=60, deadline=None)
def test_the_library_reads_what_strag_writes(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("t") / "f"
    read = load(written(path, tensors))
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].shape == tensor.shape
        assert read[name].dtype == tensor.dtype.newbyteorder("=")
        np.testing.assert_array_equal(read[name], tensor)
    with safe_open(str(path), "numpy") as opened:
        assert opened.metadata().keys() == {"strag"}
        assert json.loads(opened.metadata()["strag"]) == META


@given(tensors=tensors_of)
@settings(max_examples=30, deadline=None)
def test_the_same_tensors_give_the_same_bytes_in_any_order(tmp_path_factory, tensors):
    folder = tmp_path_factory.mktemp("t")
    turned = dict(reversed(tensors.items()))
    assert written(folder / "a", tensors) == written(folder / "b", turned)


@given(tensors=tensors_of)
@settings(max_examples=30, deadline=None)
def test_tensors_are_aligned_and_leave_no_gap(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("t") / "f"
    content = written(path, tensors)
    header, _, _ = parts(path)
    begin, end = len(content) - sum(array.nbytes for array in tensors.values()), 0
    assert begin % 8 == 0
    for name, entry in header.items():
        if name != "__metadata__":
            assert entry["data_offsets"][0] == end
            assert end % tensors[name].dtype.itemsize == 0
            end = entry["data_offsets"][1]
    assert begin + end == len(content)


def test_bytes_equal_the_librarys_where_the_order_is_the_same(tmp_path):
    tensors = {
        "b": np.arange(3),
        "a": np.arange(4.0, dtype=np.float32),
        "u": np.arange(5, dtype=np.uint8),
        "empty": np.zeros((0, 7), np.uint8),
    }
    meta = {"strag": canonical_json(META)}
    assert written(tmp_path / "f", tensors) == save(tensors, meta)


def test_a_tiny_file_byte_for_byte(tmp_path):
    header = (
        b'{"__metadata__":{"strag":"{\\"format\\":1,\\"kind\\":\\"dataset\\"}"},'
        b'"y":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},'
        b'"x":{"dtype":"U8","shape":[2,1],"data_offsets":[16,18]}}'
    )
    header += b" " * (-len(header) % 8)
    expected = len(header).to_bytes(8, "little") + header
    expected += bytes([3, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]) + bytes([7, 9])
    tensors = {"x": np.array([[7], [9]], np.uint8), "y": np.array([3, -1])}
    assert written(tmp_path / "f", tensors, {"kind": "dataset", "format": 1}) == expected


@given(value=json_values)
@settings(max_examples=100, deadline=None)
def test_canonical_json_is_strict_sorted_and_stable(value):
    def not_strict(constant):
        raise AssertionError(f"{constant} is no JSON")

    text = canonical_json({"value": value})
    read = json.loads(text, parse_constant=not_strict)
    assert canonical_json(read) == text
    assert "\n" not in text


def test_what_is_not_finite_becomes_null_at_any_depth():
    value = {
        "b": [math.nan, np.float32(np.inf), {"c": -math.inf}],
        "a": np.array([1.5, np.nan]),
        "n": np.int64(3),
    }
    assert canonical_json(value) == '{"a":[1.5,null],"b":[null,null,{"c":null}],"n":3}'


def test_nan_in_a_tensor_stays_and_in_the_stamp_becomes_null(tmp_path):
    written(tmp_path / "f", {"x": np.array([np.nan, 1])}, {**META, "mean": float("nan")})
    _, meta, tensors = parts(tmp_path / "f")
    assert meta["mean"] is None
    np.testing.assert_array_equal(tensors["x"], [np.nan, 1])


def test_a_writer_starts_at_zero_and_fills_in_place(tmp_path):
    path = tmp_path / "f"
    with TensorWriter(str(path), META, {"a": (np.float32, (2, 3)), "b": (np.int64, (2,))}) as writer:
        writer.arrays["a"][1] = [1, 2, 3]
        assert not path.exists()
        writer.commit()
    _, _, tensors = parts(path)
    np.testing.assert_array_equal(tensors["a"], [[0, 0, 0], [1, 2, 3]])
    np.testing.assert_array_equal(tensors["b"], [0, 0])


def test_a_container_reads_back_names_layout_and_single_tensors(tmp_path):
    tensors = {"x": np.arange(6, dtype=np.uint8).reshape(2, 3), "y": np.arange(2)}
    written(tmp_path / "f", tensors)
    with open_file(tmp_path / "f", "dataset") as container:
        assert (container.kind, container.meta) == ("dataset", META)
        assert container.layout() == {"x": ("U8", (2, 3)), "y": ("I64", (2,))}
        np.testing.assert_array_equal(container.read("x"), tensors["x"])


@pytest.mark.parametrize("length", [31520, 0x2020])
def test_a_header_whose_length_looks_like_json_is_still_a_container(tmp_path, length):
    """The length 31520 is b' {' on disk, as an indented JSON file may begin."""
    written(tmp_path / "f", {"y": np.arange(2)}, {**META, "pad": ""})
    short = int.from_bytes((tmp_path / "f").read_bytes()[:8], "little")
    content = written(tmp_path / "f", {"y": np.arange(2)}, {**META, "pad": "-" * (length - short)})
    assert int.from_bytes(content[:8], "little") == length
    from strag.files.opening import open_file

    with open_file(tmp_path / "f") as container:
        assert container.kind == "dataset"
