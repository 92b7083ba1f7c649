"""The binary version of CIFAR-10: what its page says, in a folder or an archive, and nothing that lies."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from strag.datasets import cifar
from strag.datasets.cifar import CIFAR10, find_cifar, is_archive, read_cifar_archive, read_cifar_folder
from strag.datasets.importing import import_files
from tests.files.makers import refused

NAMES = b"airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"
REAL = Path(__file__).parents[3] / "shared" / "data" / "cifar-10" / "cifar-10-binary-partial.tar.gz"


def batch(x, y):
    """The bytes of a batch, by the format's description, of x uint8 [n, 32, 32, 3]."""
    return b"".join(
        bytes([label]) + b"".join(image[..., colour].tobytes() for colour in range(3))
        for image, label in zip(x, y, strict=True)
    )


def made_up(n, seed):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8), random.integers(0, 10, n)


PARTS = {1: made_up(3, 1), 2: made_up(1, 2), 10: made_up(2, 3)}
TEST = made_up(2, 4)
CONTENTS = {
    "data_batch_1.bin": batch(*PARTS[1]),
    "data_batch_2.bin": batch(*PARTS[2]),
    "data_batch_10.bin": batch(*PARTS[10]),
    "test_batch.bin": batch(*TEST),
    "batches.meta.txt": NAMES,
    "readme.html": b"<html>",
}


def fill(folder, contents=None):
    folder.mkdir()
    for name, content in (contents or CONTENTS).items():
        (folder / name).write_bytes(content)
    return folder


def member(name, content=b"", size=None, **fields):
    """A TarInfo and its content; `size` may lie."""
    info = tarfile.TarInfo(name)
    info.size = len(content) if size is None else size
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def packed(path, members=None, mode="w:gz"):
    """An archive of pairs (TarInfo, content), by default of CONTENTS in the official folder."""
    members = members or [member(f"cifar-10-batches-bin/{n}", c) for n, c in CONTENTS.items()]
    with tarfile.open(path, mode) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content) if info.size <= len(content) else None)
    return path


def test_a_record_is_a_label_and_three_planes(tmp_path):
    """By the format's page: 1024 bytes of red, row by row, then green, then blue."""
    planes = b"\1" + b"\2" * 1023 + b"\3" * 1024 + b"\4" * 1024
    found = read_cifar_folder(fill(tmp_path / "f", {"data_batch_5.bin": b"\7" + planes}), CIFAR10)
    assert found.x.shape == (1, 32, 32, 3)
    assert found.x.dtype == np.uint8
    assert found.x[0, 0, 0].tolist() == [1, 3, 4]
    assert found.x[0, 31, 31].tolist() == [2, 3, 4]
    assert found.y.tolist() == [7]
    assert found.class_names is None


def check(found):
    x, y = (np.concatenate([part[at] for part in PARTS.values()]) for at in (0, 1))
    for key, expected in {"x": x, "y": y, "x_test": TEST[0], "y_test": TEST[1]}.items():
        np.testing.assert_array_equal(getattr(found, key), expected)
    assert found.class_names == tuple(NAMES.decode().split())


def test_batches_are_read_as_they_were_written_in_order_of_their_numbers(tmp_path):
    check(read_cifar_folder(fill(tmp_path / "f"), CIFAR10))


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_an_archive_is_its_folder(tmp_path, mode, form):
    with tarfile.open(tmp_path / "a", mode, format=form) as archive:
        archive.add(fill(tmp_path / "f"), "cifar-10-batches-bin")
    assert is_archive(tmp_path / "a")
    check(read_cifar_archive(tmp_path / "a"))


def test_order_in_the_archive_is_no_order(tmp_path):
    members = [member(f"./{name}", content) for name, content in reversed(CONTENTS.items())]
    check(read_cifar_archive(packed(tmp_path / "a", members)))


def test_nothing_is_unpacked(tmp_path, monkeypatch):
    path = packed(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    read_cifar_archive(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_without_a_test_batch_there_is_no_test_set(tmp_path):
    contents = {"data_batch_2.bin": CONTENTS["data_batch_2.bin"]}
    found = read_cifar_folder(fill(tmp_path / "f", contents), CIFAR10)
    assert (found.x_test, found.y_test) == (None, None)


def test_batches_that_are_not_there_are_named(tmp_path):
    batches = {f"data_batch_{i}.bin": CONTENTS["data_batch_1.bin"] for i in range(1, 6)}
    for number, (lacking, note) in enumerate(
        (
            ((), []),
            ((3,), ["holds 4 of 5 training batches; data_batch_3.bin is missing"]),
            ((3, 5), ["holds 3 of 5 training batches; data_batch_3.bin, data_batch_5.bin are missing"]),
        )
    ):
        contents = {n: c for n, c in batches.items() if int(n[11]) not in lacking}
        folder = fill(tmp_path / str(number), contents)
        assert read_cifar_folder(folder, CIFAR10).notes == note
        members = [member(name, content) for name, content in contents.items()]
        assert read_cifar_archive(packed(tmp_path / "a", members)).notes == note


@pytest.mark.parametrize("inside", [False, True])
def test_a_folder_with_the_name_of_a_batch(tmp_path, inside):
    """It does not stop the search, and a batch in it is read."""
    folder = fill(tmp_path / "f")
    content = (folder / "data_batch_2.bin").read_bytes()
    (folder / "data_batch_2.bin").unlink()
    fill(folder / "data_batch_2.bin", {"data_batch_2.bin": content} if inside else {"a.txt": b""})
    found = import_files([folder])
    assert len(found.x) == (6 if inside else 5)
    assert found.y[3] == (PARTS[2][1][0] if inside else PARTS[10][1][0])
    (tmp_path / "g" / "data_batch_1.bin").mkdir(parents=True)
    assert find_cifar(tmp_path / "g") is None


def test_a_data_set_with_the_names_of_its_classes(tmp_path):
    folder, archive = fill(tmp_path / "cifar"), packed(tmp_path / "my-cifar.tar.gz")
    found = [import_files([path]) for path in (folder, archive, folder.parent / "cifar" / ".")]
    assert len({data.identity for data in found}) == 1
    assert found[0].grouping.names == tuple(NAMES.decode().split())
    assert [data.title for data in found[:2]] == ["cifar", "my-cifar"]
    assert [data.command for data in found[:2]] == ["strag data cifar/", "strag data my-cifar.tar.gz"]
    fill(tmp_path / "unpacked")
    (tmp_path / "here").mkdir()
    (tmp_path / "unpacked").rename(tmp_path / "here" / "cifar-10-batches-bin")
    assert import_files([tmp_path / "here"]).identity == found[0].identity


def test_links_and_devices_of_other_names_are_passed_over(tmp_path):
    extra = [
        member("latest", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("null", type=tarfile.CHRTYPE),
        member("pipe", type=tarfile.FIFOTYPE),
        member("folder", type=tarfile.DIRTYPE),
    ]
    check(read_cifar_archive(packed(tmp_path / "a", [*extra, *map(member, CONTENTS, CONTENTS.values())])))


def one(name="data_batch_1.bin", content=CONTENTS["data_batch_1.bin"], **fields):
    return [member(name, content, **fields)]


WRONG_BATCHES = {
    "a cut batch": (
        {"data_batch_1.bin": CONTENTS["data_batch_1.bin"][:-1]},
        "has 9218 bytes, not a multiple",
    ),
    "an empty batch": ({"data_batch_1.bin": b""}, "data_batch_1.bin has 0 bytes, not a multiple of 3073"),
    "a cut test batch": ({**CONTENTS, "test_batch.bin": bytes(3072)}, "test_batch.bin has 3072 bytes"),
    "a label of 10": (
        {"data_batch_1.bin": bytes(3073) + b"\x0a" + bytes(3072)},
        "data_batch_1.bin has label 10 in record 1; use labels 0 to 9",
    ),
    "records of CIFAR-100": ({"data_batch_1.bin": bytes(3074 * 10)}, "has 30740 bytes, not a multiple"),
    "a test batch alone": (
        {"test_batch.bin": CONTENTS["test_batch.bin"]},
        "holds no training batch of CIFAR-10; add at least data_batch_1.bin",
    ),
    "nine names": (
        {**CONTENTS, "batches.meta.txt": NAMES[9:]},
        "batches.meta.txt has 9 class names; provide 10",
    ),
    "names without end": ({**CONTENTS, "batches.meta.txt": b"a\n" * 40_000}, "batches.meta.txt has 80000"),
}


@pytest.mark.parametrize(("contents", "words"), WRONG_BATCHES.values(), ids=WRONG_BATCHES.keys())
@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_wrong_with_batches(tmp_path, contents, words, zipped):
    members = [member(name, content) for name, content in contents.items()]
    path = packed(tmp_path / "f", members) if zipped else fill(tmp_path / "f", contents)
    refused(lambda: import_files([path]), f"{tmp_path}/f", words)


LEADS_OUT = "holds '{}', a path that leads out of it; do not trust this archive"
WRONG_ARCHIVES = {
    "a path above it": (one("../data_batch_1.bin"), LEADS_OUT.format("../data_batch_1.bin")),
    "a path above it, later": (one("a/../../data_batch_1.bin"), LEADS_OUT.format("a/../../data_batch_1.bin")),
    "an absolute path": (one("/tmp/data_batch_1.bin"), LEADS_OUT.format("/tmp/data_batch_1.bin")),
    "a path of Windows": (one("C:\\data_batch_1.bin"), LEADS_OUT.format("C:\\data_batch_1.bin")),
    "a path above it of Windows": (one("a\\..\\..\\x"), LEADS_OUT.format("a\\..\\..\\x")),
    "another file above it": ([*one(), member("../../.bashrc", b"x")], LEADS_OUT.format("../../.bashrc")),
    "a batch that is a link": (
        [member("data_batch_1.bin", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
        "holds data_batch_1.bin as a link or device; pack the file itself",
    ),
    "a batch that is a hard link": (
        [*one("data_batch_2.bin"), member("data_batch_1.bin", type=tarfile.LNKTYPE, linkname="x")],
        "holds data_batch_1.bin as a link or device",
    ),
    "a batch that is a device": (
        [member("data_batch_1.bin", type=tarfile.CHRTYPE, devmajor=1, devminor=5)],
        "holds data_batch_1.bin as a link or device",
    ),
    "a batch twice": ([*one(), *one("other/data_batch_1.bin")], "holds data_batch_1.bin twice"),
    "a bomb": (
        [member("data_batch_1.bin", size=3073 << 30)],
        "has files of more than 2 GiB, at 'data_batch_1.bin'; unpack it",
    ),
    "a bomb beside it": ([*one(), member("zeros", size=1 << 40)], "has files of more than 2 GiB, at 'zeros'"),
    "a size that lies": ([member("data_batch_1.bin", size=3073 * 9)], "is a broken archive"),
    "no batch": ([member("a.txt", b"x")], "holds no training batch of CIFAR-10"),
}


@pytest.mark.parametrize(("members", "words"), WRONG_ARCHIVES.values(), ids=WRONG_ARCHIVES.keys())
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_what_is_wrong_with_archives(tmp_path, members, words, mode):
    path = packed(tmp_path / "a.tar", members, mode)
    refused(lambda: import_files([path]), f"{path}: ", words)


@pytest.mark.parametrize("cut", [700, 5000, 20_000, -600, -9, -1])
def test_an_archive_cut_short(tmp_path, cut):
    path = packed(tmp_path / "a.tar.gz")
    path.write_bytes(path.read_bytes()[:cut])
    refused(lambda: import_files([path]), f"{path}: is a broken archive (", "copy it again")


def test_a_wrong_byte_is_noticed(tmp_path):
    """By the checksum of gzip, which comes last."""
    content = bytearray(packed(tmp_path / "a").read_bytes())
    content[-6] ^= 1
    (tmp_path / "a").write_bytes(content)
    refused(lambda: import_files([tmp_path / "a"]), "is a broken archive (CRC check failed")


def test_a_header_that_asks_for_gigabytes_gets_none(tmp_path):
    """Names of any length may stand before a member: here one of 4 GiB, of which some is there."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 4 << 30
    content = info.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)
    (tmp_path / "a").write_bytes(gzip.compress(content))
    refused(
        lambda: read_cifar_archive(tmp_path / "a"), "is a broken archive (a header has an impossible size"
    )


def test_a_bomb_of_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "_LARGEST", 5000)
    members = [*one("data_batch_1.bin", bytes(3073)), *one("data_batch_2.bin", bytes(3073))]
    refused(lambda: read_cifar_archive(packed(tmp_path / "a", members)), "has files of more than")


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b", gzip.compress(b"text", mtime=0), b"text" * 200, b"\x1f\x8bxx"]
)
def test_what_is_no_archive(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    assert not is_archive(tmp_path / "f")
    refused(
        lambda: import_files([tmp_path / "f"]),
        "is not a type of file that strag can import",
        "tar.gz of CIFAR",
    )


def test_a_folder_without_batches(tmp_path):
    assert find_cifar(tmp_path) is None
    (tmp_path / "data_batch_1").touch()
    assert find_cifar(tmp_path) is None


@pytest.mark.skipif(not REAL.is_file(), reason="the real CIFAR-10 batches are not beside the repository")
def test_the_real_batches():
    """First labels and first pixel of data_batch_1 and test_batch, as every other reader shows them."""
    data = import_files([REAL])
    assert data.x.shape == data.x_test.shape == (10_000, 32, 32, 3)
    assert data.y[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert data.y_test[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    assert data.x[0, 0, 0].tolist() == [59, 62, 63]
    assert (np.bincount(data.y_test) == 1000).all()
