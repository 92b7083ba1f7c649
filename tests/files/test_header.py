"""The header is checked as the safetensors library checks it, which reads a file by its name alone."""

import json
import os

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from strag.errors import StragError
from strag.files import header, reading
from strag.files.opening import open_file
from strag.files.stamp import stamp
from tests.files.makers import history_file, refused, write_tensors

TENSORS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.arange(4, dtype=np.uint8),
    "c": np.zeros((0, 5), np.int64),
    "d": np.array(7.5),
}
META = {"strag": json.dumps(stamp("history"))}


def with_header(entries):
    content = save(TENSORS, META)
    size = int.from_bytes(content[:8], "little")
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


def entries_of(content):
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])


def library_takes(path):
    try:
        with safe_open(str(path), "numpy") as opened:
            return {name: opened.get_slice(name).get_shape() for name in opened.keys()}  # noqa: SIM118
    except SafetensorError:
        return None


def strag_takes(path):
    try:
        with open_file(path, "history") as opened:
            return {name: list(shape) for name, (_, shape) in opened.layout().items()}
    except StragError:
        return None


number = st.integers(-1, 40) | st.sampled_from([2**31, 2**62, 2**63, 2**64, 1.5, True, None, "3", [1]])
change = st.tuples(
    st.sampled_from(sorted(TENSORS)),
    st.one_of(
        st.tuples(st.just("shape"), st.lists(number, max_size=3) | st.sampled_from([None, 3, "x", {}])),
        st.tuples(st.just("data_offsets"), st.lists(number, max_size=3) | st.sampled_from([None, 3, "xy"])),
        st.tuples(st.just("dtype"), st.sampled_from([*header.BITS, "F128", "f32", None, 4, ["F32"]])),
        st.tuples(st.sampled_from(["shape", "dtype", "data_offsets"]), st.just("GONE")),
        st.tuples(st.just("more"), st.just(1)),
    ),
)


@given(changes=st.lists(change, min_size=1, max_size=2))
@settings(max_examples=400, deadline=None)
def test_what_the_library_refuses_is_refused_and_what_it_takes_is_taken(tmp_path_factory, changes):
    entries = entries_of(save(TENSORS, META))
    for name, (field, value) in changes:
        entries[name][field] = value
        if value == "GONE":
            del entries[name][field]
    path = tmp_path_factory.getbasetemp() / "changed"
    path.write_bytes(with_header(entries))
    taken = library_takes(path)
    assume(
        not taken or max(n for shape in taken.values() for n in [0, *shape]) < 2**60
    )  # no array is so long
    assert strag_takes(path) == taken


@given(order=st.permutations(sorted(TENSORS)), gap=st.integers(-3, 3))
@settings(max_examples=60, deadline=None)
def test_tensors_in_any_order_lie_without_a_gap(tmp_path_factory, order, gap):
    """Only without a gap, or an overlap, is it a file; the order of the names in the header is free."""
    entries = entries_of(save(TENSORS, META))
    entries = {"__metadata__": META, **{name: entries[name] for name in order}}
    begin, end = entries["b"]["data_offsets"]
    entries["b"]["data_offsets"] = [begin + gap, end + gap]
    path = tmp_path_factory.getbasetemp() / "ordered"
    path.write_bytes(with_header(entries))
    assert strag_takes(path) == library_takes(path)
    assert (strag_takes(path) is None) == (gap != 0)


def test_every_dtype_of_the_library_has_its_size(tmp_path):
    path = tmp_path / "f"
    for dtype, bits in header.BITS.items():
        entries = {
            "__metadata__": META,
            "x": {"dtype": dtype, "shape": [8], "data_offsets": [0, bits]},
        }
        text = json.dumps(entries).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(bits))
        assert strag_takes(path) == library_takes(path) == {"x": [8]}, dtype


@pytest.mark.parametrize("change", [{"a": 3}, {"strag": "{}"}, {"strag": 3}, {"other": 3}])
def test_metadata_that_is_no_text(tmp_path, change):
    entries = {**entries_of(save(TENSORS, META)), "__metadata__": {**META, **change}}
    path = tmp_path / "f"
    path.write_bytes(with_header(entries))
    if change != {"strag": "{}"}:
        assert library_takes(path) is None
    assert strag_takes(path) is None


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-le"])
def test_a_header_in_another_encoding(tmp_path, encoding):
    text = json.dumps(entries_of(save(TENSORS, META))).encode(encoding)
    path = tmp_path / "f"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(68))
    refused(lambda: open_file(path), "f: has a broken header")


def test_a_tensor_of_a_dtype_that_strag_has_none_of(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(save({"x": np.zeros(3, bool), "y": np.arange(2)}, META))
    with open_file(path) as opened:
        assert opened.layout()["x"] == ("BOOL", (3,))
        np.testing.assert_array_equal(opened.read("y"), [0, 1])
        refused(lambda: opened.read("x"), "f: tensor 'x' is BOOL, which strag does not read")


axes = st.lists(st.integers(0, 4), min_size=1, max_size=4)


@given(shape=axes, data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_part_is_what_numpy_cuts(tmp_path_factory, shape, data):
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    path = tmp_path_factory.getbasetemp() / "parts"
    write_tensors(str(path), stamp("history"), {"big": np.arange(5.0), "x": array, "y": np.arange(3)})
    where = []
    for length in shape[: data.draw(st.integers(0, len(shape)))]:
        if length and data.draw(st.booleans()):
            where.append(data.draw(st.integers(-length, length - 1)))
        else:
            where.append(data.draw(st.slices(length).filter(lambda part: part.step in (None, 1))))
            break
    with open_file(path) as opened:
        found = opened.part("x", *where)
    expected = array[tuple(where)]
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


def test_a_good_file_is_good_without_names_for_what_is_open(tmp_path, monkeypatch):
    """Without /proc, or with FreeBSD's own /dev/fd, an open file has no name by which to map it."""
    path = history_file(tmp_path / "h")
    opened, real = [], open

    def watching(name, *arguments, **options):
        opened.append(str(name))
        assert not str(name).startswith(("/dev/fd", "/proc"))
        return real(name, *arguments, **options)

    monkeypatch.setattr("builtins.open", watching)
    with open_file(path, "history") as found:
        assert found.read("updates").tolist() == list(range(12))
    assert path in opened


def test_what_becomes_shorter_while_it_is_read_is_no_crash(tmp_path):
    path = history_file(tmp_path / "h")
    with open_file(path, "history") as opened:
        os.truncate(path, os.path.getsize(path) - 100)
        refused(
            lambda: [opened.read(name) for name in opened.layout()], "h: became shorter while it was read"
        )


def test_a_stamp_too_long_for_the_format_is_refused_before_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(header, "LARGEST", 1000)
    meta = stamp("history", runs=list(range(1000)))
    refused(lambda: write_tensors(str(tmp_path / "f"), meta, TENSORS), "needs a header of", "fewer runs")
    assert os.listdir(tmp_path) == []
    assert reading.LARGEST == 100_000_000
