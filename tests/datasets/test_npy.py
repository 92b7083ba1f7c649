"""npy and npz files: what numpy writes is read, and a broken one is refused on every path."""

import gzip
import io
import shlex
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest

from strag.datasets.arrays import read_array
from strag.datasets.importing import import_files
from strag.datasets.npy import Npz, read_npy_file
from tests.files.makers import refused

X, Y = np.arange(12, dtype=np.uint8).reshape(4, 3), np.array([0, 1, 0, 1])


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


GOOD = npy(X)


def alone(folder, content):
    (folder / "x.npy").write_bytes(content)
    return [folder / "x.npy"]


def in_a_pair(folder, content):
    np.save(folder / "y.npy", Y)
    return [*alone(folder, content), folder / "y.npy"]


def gzipped(folder, content):
    np.save(folder / "y.npy", Y)
    (folder / "x.npy.gz").write_bytes(gzip.compress(content))
    return [folder / "x.npy.gz", folder / "y.npy"]


def in_an_npz(folder, content):
    with zipfile.ZipFile(folder / "f.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", npy(Y))
    return [folder / "f.npz"]


def in_a_folder(folder, content):
    (folder / "inner").mkdir()
    in_a_pair(folder / "inner", content)
    return [folder / "inner"]


def as_a_class(folder, content):
    (folder / "inner").mkdir()
    np.save(folder / "inner" / "cat.npy", X)
    (folder / "inner" / "dog.npy").write_bytes(content)
    return [folder / "inner"]


def in_an_npz_of_its_own(folder, content):
    np.save(folder / "y.npy", Y)
    with zipfile.ZipFile(folder / "x.npz", "w") as archive:
        archive.writestr("arr_0.npy", content)
    return [folder / "x.npz", folder / "y.npy"]


WAYS = (alone, in_a_pair, gzipped, in_an_npz, in_an_npz_of_its_own, in_a_folder, as_a_class)
BROKEN = {
    "a byte too few": (GOOD[:-1], "has shape [4, 3], 12 bytes, but holds only 11"),
    "a byte too many": (GOOD + b"\0", "has shape [4, 3], 12 bytes, but holds more"),
    "a second array": (GOOD + GOOD, "but holds more; save it again with numpy"),
    "the header alone": (GOOD[:128], "has shape [4, 3], 12 bytes, but holds only 0"),
    "half a header": (GOOD[:60], "cannot be read (EOF"),
    "a shape that lies": (
        GOOD.replace(b"(4, 3)", b"(9, 9)"),
        "has shape [9, 9], 81 bytes, but holds only 12",
    ),
    "a huge shape": (
        GOOD.replace(b"(4, 3), }" + b" " * 14, b"(4, 300000000000000), }"),
        "1200000000000000 bytes, but holds only 12",
    ),
    "a shape without size": (GOOD.replace(b"(4, 3)", b"(4,-3)"), "cannot be read (shape [4, -3], uint8)"),
    "no shape": (GOOD.replace(b"(4, 3), ", b"(10**9,)"), "cannot be read ("),
    "an open bracket": (GOOD.replace(b"(4, 3)", b"(4, 3 "), "cannot be read ("),
    "other keys": (GOOD.replace(b"descr", b"DESCR"), "cannot be read ("),
    "no mapping": (GOOD.replace(b"{'descr': '|u1'", b"{['descr']:'|1'"), "cannot be read ("),
    "a later version": (GOOD[:6] + b"\x09" + GOOD[7:], "cannot be read ("),
    "Python objects": (npy(np.array([{}, None]), allow_pickle=True), "holds Python objects, which can run"),
    "objects that lie": (GOOD.replace(b"|u1", b"|O1"), "cannot be read ("),
    "records": (npy(np.zeros(4, "i4, f4")), "holds records (f0, f1), not plain numbers"),
    "the version for records": (GOOD[:6] + b"\3" + GOOD[7:], "holds records, not plain numbers"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("content", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_is_refused_on_every_path(tmp_path, way, content, words):
    assert content != GOOD
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        error = refused(lambda: import_files(way(tmp_path, content)))
    lies = way is as_a_class and "dog.npy: has shape" in error and "but cat.npy has shape [4, 3]" in error
    assert words in error or lies
    assert ("array '" in error) == (way in (in_an_npz, in_an_npz_of_its_own))


def test_the_same_ways_read_what_is_whole(tmp_path):
    for number, way in enumerate(WAYS[1:]):
        (tmp_path / str(number)).mkdir()
        data = import_files(way(tmp_path / str(number), GOOD))
        np.testing.assert_array_equal(data.x[-4:], X)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "array",
    [
        X.astype(">i4"),
        X.astype("<f8"),
        np.asfortranarray(X.astype(np.float32)),
        X[::-1, ::2],
        np.array(3.5),
        np.zeros((0, 3)),
        np.zeros((3, 0), np.uint8),
        np.array(["cat", "žluť"]),
        np.array([b"cat", b"a"]),
        np.arange(24.0).reshape(2, 3, 4).T,
    ],
)
def test_any_array_is_read_as_numpy_wrote_it(tmp_path, array, pack):
    (tmp_path / "f.npy").write_bytes(pack(npy(array)))
    np.savez_compressed(tmp_path / "f.npz", array)
    for found in (read_npy_file(tmp_path / "f.npy"), read_array(tmp_path / "f.npz")):
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("array", [X, X.T, X.astype("<f2")[:, :, None], Y, np.zeros((3, 0)), X[:0], X[:1]])
def test_an_array_is_read_in_parts(tmp_path, save, array):
    save(tmp_path / "f.npz", a=array, b=Y)
    with Npz(tmp_path / "f.npz") as archive:
        parts = list(archive.along("a"))
        assert archive.form_of("a") == (array.shape, array.dtype)
    assert len(parts) == len(array)
    for part, own in zip(parts, array, strict=True):
        assert np.asarray(part).dtype == array.dtype
        np.testing.assert_array_equal(part, own)


@pytest.mark.parametrize(
    ("change", "words"), [(-1, "but holds only 2"), (1, "holds more than its shape says")]
)
def test_parts_of_an_array_that_is_cut_short_or_goes_on(tmp_path, change, words):
    content = npy(X)[:change] if change < 0 else npy(X) + b"1"
    with zipfile.ZipFile(tmp_path / "f.npz", "w") as archive:
        archive.writestr("a.npy", content)
    with Npz(tmp_path / "f.npz") as archive:
        refused(lambda: list(archive.along("a")), "f.npz: array 'a'", words)


def test_a_header_of_python_2_is_read_without_a_warning(tmp_path):
    content = GOOD.replace(b"(4, 3), }  ", b"(4L, 3L), }")
    assert content != GOOD
    (tmp_path / "f.npy").write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read_npy_file(tmp_path / "f.npy"), X)


@pytest.mark.parametrize("cut", [4, 60, -1])
def test_an_npz_file_cut_short(tmp_path, cut):
    np.savez(tmp_path / "f.npz", x=X, y=Y)
    (tmp_path / "f.npz").write_bytes((tmp_path / "f.npz").read_bytes()[:cut])
    for paths in ([tmp_path / "f.npz"], [tmp_path / "f.npz", alone(tmp_path, GOOD)[0]]):
        refused(lambda paths=paths: import_files(paths), "f.npz: cannot be read", "save it again with numpy")


def test_an_npz_file_that_goes_on(tmp_path):
    np.savez(tmp_path / "f.npz", x=X, y=Y)
    with open(tmp_path / "f.npz", "ab") as stream:
        stream.write(b"\0")
    refused(lambda: import_files([tmp_path / "f.npz"]), f"{tmp_path}/f.npz: has extra bytes at its end")


def test_a_wrong_byte_in_an_npz_file(tmp_path):
    """By the checksum of zip; x is stored as it is, so that nothing else can tell."""
    np.savez(tmp_path / "f.npz", x=X, y=Y)
    content = bytearray((tmp_path / "f.npz").read_bytes())
    content[content.index(X.tobytes())] ^= 1
    (tmp_path / "f.npz").write_bytes(content)
    refused(lambda: import_files([tmp_path / "f.npz"]), "f.npz: array 'x' cannot be read (Bad CRC-32")


@pytest.mark.parametrize("flag", [1, 1 << 6])
def test_an_encrypted_zip_file(tmp_path, flag):
    np.savez(tmp_path / "f.npz", x=X, y=Y)
    content = bytearray((tmp_path / "f.npz").read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= flag  # in the directory, of the first member
    content[6] |= flag  # at that member
    (tmp_path / "f.npz").write_bytes(content)
    refused(
        lambda: import_files([tmp_path / "f.npz"]), "array 'x' cannot be read", "save it again with numpy"
    )


def test_two_arrays_of_one_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "f.npz", "w") as archive:
        for name in ("x.npy", "x"):
            archive.writestr(name, GOOD)
    refused(lambda: Npz(tmp_path / "f.npz"), "f.npz: holds two arrays with the same name")


def test_a_zip_file_with_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "f.npz", "w") as archive:
        archive.writestr("x", "some text")
        archive.writestr("y.npy", npy(Y))
    refused(lambda: import_files([tmp_path / "f.npz"]), "f.npz: array 'x' is not an array", "numpy.savez")


@pytest.mark.parametrize("form", ["npy", "npy.gz", "npz"])
def test_the_way_out_of_python_objects(tmp_path, form):
    """The line in the message turns them into what is read."""
    labels = np.array(["cat", "dog", "cat", "dog"], object)
    path = tmp_path / f"my y.{form}"
    content = npy(labels, allow_pickle=True)
    if form == "npz":
        np.savez(path, x=X, y=labels)
    else:
        path.write_bytes(gzip.compress(content) if form.endswith("gz") else content)
    np.save(tmp_path / "x.npy", X)
    paths = [path] if form == "npz" else [tmp_path / "x.npy", path]
    error = refused(lambda: import_files(paths), str(path), "Python objects", "if you trust it: python3 -c ")
    words = shlex.split(error.partition("if you trust it: ")[2])
    subprocess.run([sys.executable, *words[1:]], check=True, cwd=tmp_path)
    plain = tmp_path / words[-1]
    data = import_files([plain] if form == "npz" else [tmp_path / "x.npy", plain])
    assert data.grouping.names == ("cat", "dog")


def test_memory_grows_with_what_is_there(tmp_path):
    """A gzip file of 1 MiB of zeros that claims 1 TiB takes no more than what it holds."""
    import tracemalloc

    header = npy(np.zeros(1, np.uint8))[:128].replace(b"(1,), }" + b" " * 12, b"(1099511627776,), }")
    (tmp_path / "x.npy.gz").write_bytes(gzip.compress(header + bytes(1 << 20)))
    tracemalloc.start()
    refused(lambda: read_array(tmp_path / "x.npy.gz"), "1099511627776 bytes, but holds only 1048576")
    assert tracemalloc.get_traced_memory()[1] < 48 << 20
    tracemalloc.stop()
