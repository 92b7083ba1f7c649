"""The catalogue: mnist8k, which is embedded, and the data sets that are downloaded."""

import gzip
import hashlib
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from strag.datasets import catalogue
from strag.datasets.catalogue import CATALOGUE, EMBEDDED, REMOTE, load
from strag.datasets.dataset import mean_and_std
from strag.datasets.idx import find_idx, read_idx
from strag.datasets.importing import import_files
from tests.datasets.mirror import Mirror, corrupted, remote_file
from tests.datasets.test_cifar import packed
from tests.files.makers import refused
from tests.shell import files_in

REPOSITORY = Path(__file__).parents[2]
ORIGINALS = REPOSITORY.parent / "shared" / "data" / "mnist"


@pytest.fixture(scope="module")
def data():
    return load("mnist8k")


def test_its_shape_and_its_first_labels(data):
    assert data.x.shape == (8192, 28, 28)
    assert data.x_test.shape == (10_000, 28, 28)
    assert data.x.dtype == data.x_test.dtype == np.uint8
    assert data.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert set(data.y) == set(data.y_test) == set(range(10))


def test_it_comes_with_parity_a_title_and_its_command(data):
    assert (data.labels, data.grouping.names) == ("parity", ("even", "odd"))
    assert (data.title, data.command) == ("mnist8k", "strag data mnist8k")
    assert (data.origin, data.origin_size) == (data.identity, 8192)


def test_115_of_its_pixels_are_constant(data):
    """A fact about block 1 of MNIST on which the standardisation depends."""
    assert (mean_and_std(data.x)[1] == 0).sum() == 115


def test_the_test_set_is_mnists(data):
    """By the published md5 sums of the uncompressed IDX files, of which the header comes first."""
    header = bytes([0, 0, 8, 3, 0, 0, 39, 16, 0, 0, 0, 28, 0, 0, 0, 28])
    images = hashlib.md5(header + data.x_test.tobytes(), usedforsecurity=False).hexdigest()
    labels = hashlib.md5(
        header[:3] + b"\1" + header[4:8] + data.y_test.astype(np.uint8).tobytes(), usedforsecurity=False
    )
    assert images == "2646ac647ad5339dbf082846283269ea"
    assert labels.hexdigest() == "27ae3e4e09519cfbb04c329615203637"


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="the original MNIST files are not beside the repository")
@pytest.mark.parametrize("key", ["x", "y", "x_test", "y_test"])
def test_it_is_the_beginning_of_the_originals(data, key):
    original = read_idx(find_idx(ORIGINALS)[key])
    embedded = getattr(data, key)
    np.testing.assert_array_equal(embedded, original[: len(embedded)])
    assert key in ("x", "y") or len(embedded) == len(original)


def test_the_licence_of_what_is_embedded_comes_along():
    assert "MNIST" in (EMBEDDED / "LICENSE.md").read_text()


IMAGES = np.random.default_rng(0).integers(0, 256, (12, 2, 2), dtype=np.uint8)


def idx_files():
    """Twelve images and their labels, 0 to 9 and 0 to 1, as the four files of MNIST."""
    images = struct.pack(">HBB3I", 0, 8, 3, *IMAGES.shape) + IMAGES.tobytes()
    labels = struct.pack(">HBBI", 0, 8, 1, 12) + bytes(n % 10 for n in range(12))
    parts = {"images-idx3": images, "labels-idx1": labels}
    return {
        f"{part}-{what}-ubyte.gz": gzip.compress(content, mtime=0)
        for part in ("train", "t10k")
        for what, content in parts.items()
    }


def cifar_file(folder):
    return {"cifar-10-binary.tar.gz": packed(folder / "made.tar.gz").read_bytes()}


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A mirror with small files in the place of every data set's own, and an empty cache."""
    monkeypatch.setenv("STRAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    content = {}
    for name, remote in REMOTE.items():
        files = cifar_file(tmp_path) if name == "cifar10" else idx_files()
        content |= {f"/{name}/{file}": body for file, body in files.items()}
        known = tuple(remote_file(file, body) for file, body in files.items())
        monkeypatch.setitem(catalogue.REMOTE, name, replace(remote, files=known))
    with Mirror(content) as mirror:
        monkeypatch.setenv("STRAG_MIRROR", mirror.address)
        yield mirror


def test_the_names():
    assert CATALOGUE == ("mnist8k", "mnist", "kmnist", "fashion-mnist", "cifar10")


@pytest.mark.parametrize("name", REMOTE)
def test_a_data_set_that_is_downloaded(served, name):
    data = load(name)
    assert (data.title, data.command) == (name, f"strag data {name}")
    assert (data.labels, data.grouping.names) == ("parity", ("even", "odd"))
    assert data.origin_size == len(data.y)
    assert data.has_test
    if name == "cifar10":
        assert data.x.shape[1:] == (32, 32, 3)
    else:
        np.testing.assert_array_equal(data.x, IMAGES)
        np.testing.assert_array_equal(data.y_test, np.arange(12) % 10)
    assert load(name).identity == data.identity


def test_their_classes():
    classes = {name: remote.class_names for name, remote in REMOTE.items()}
    assert classes["mnist"] is None
    assert classes["kmnist"] == ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    assert classes["fashion-mnist"][0] == "T-shirt/top"
    assert classes["fashion-mnist"][9] == "Ankle boot"
    assert classes["cifar10"][0] == "airplane"
    assert classes["cifar10"][9] == "truck"
    assert {len(set(names)) for names in classes.values() if names} == {10}


@pytest.mark.parametrize("name", REMOTE)
def test_every_download_is_known_by_its_checksum(name):
    remote = REMOTE[name]
    for file in remote.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.size > 4000
    for home in remote.homes:
        assert re.fullmatch(r"https?://\S+/", home)
    assert len(set(remote.homes)) == len(remote.homes) > 1
    assert len({file.sha256 for file in remote.files}) == len(remote.files)


def test_a_corrupted_download_says_how_to_do_without(served, tmp_path, monkeypatch):
    served.behave = corrupted
    monkeypatch.chdir(tmp_path)
    words = "download its four files into a folder, then import it with `labels` parity"
    text = refused(
        lambda: load("kmnist"), "kmnist: train-images-idx3-ubyte.gz cannot be downloaded (127.", words
    )
    assert text.endswith("with `labels` parity")
    (tmp_path / "kmnist").mkdir()
    assert refused(lambda: load("kmnist")).endswith("parity, or pass './kmnist' to use the local file")
    refused(lambda: load("cifar10"), "download it, then import it with `labels` parity")
    assert files_in(tmp_path / "cache" / "kmnist") == []


FASHION = REPOSITORY.parent / "shared" / "data" / "fashion-mnist"
STAMPS = {"train": 1504176606, "t10k": 1504176627}  # when the official files were compressed


@pytest.mark.skipif(not FASHION.is_dir(), reason="the real Fashion-MNIST is not beside the repository")
def test_the_checksums_of_fashion_mnist_are_those_of_the_official_files(tmp_path, monkeypatch):
    """The same deflated bytes, under the official header of gzip: a name and a time."""
    monkeypatch.setenv("STRAG_CACHE", str(tmp_path))
    monkeypatch.setenv("STRAG_MIRROR", "http://127.0.0.1:9/")  # nobody
    (tmp_path / "fashion-mnist").mkdir()
    for file in REMOTE["fashion-mnist"].files:
        body = (FASHION / file.name).read_bytes()
        assert body[:4] == b"\x1f\x8b\x08\0"  # no name in it
        stamp = struct.pack("<I", STAMPS[file.name.partition("-")[0]])
        name = file.name.removesuffix(".gz").encode()
        official = b"\x1f\x8b\x08\x08" + stamp + b"\0\3" + name + b"\0" + body[10:]
        assert remote_file(file.name, official) == file
        (tmp_path / "fashion-mnist" / file.name).write_bytes(official)
    data = load("fashion-mnist")
    assert (data.x.shape, data.x_test.shape) == ((60_000, 28, 28), (10_000, 28, 28))
    assert data.y[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]


KMNIST = REPOSITORY.parent / "shared" / "data" / "kmnist"


@pytest.mark.skipif(not KMNIST.is_dir(), reason="the KMNIST images are not beside the repository")
def test_a_folder_of_kmnist_has_ten_classes():
    data = import_files([KMNIST])
    assert data.x.shape == (9000, 28, 28)
    assert (np.bincount(data.y) == 900).all()
    assert data.command == "strag data kmnist/"
