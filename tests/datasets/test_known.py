"""Known forms that are not read: each is named in one line, whose conversion works as it stands."""

import gzip
import io
import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch

from strag.datasets.conversions import CODE
from strag.datasets.imported import Reading
from strag.datasets.importing import import_files
from strag.datasets.known import recognise
from tests.datasets.drawing import encoded
from tests.files.makers import refused

X = np.random.default_rng(0).integers(0, 256, (6, 2, 3), dtype=np.uint8)
Y = np.arange(6) % 3
TENSORS = {"data": torch.tensor(X), "labels": torch.tensor(Y)}


def pickled(content, protocol=4):
    return lambda path: path.write_bytes(pickle.dumps(content, protocol))


def text(content):
    return lambda path: path.write_text(content)


def matlab(**arrays):
    return lambda path: scipy.io.savemat(path, arrays)


def sqlite(path):
    base = sqlite3.connect(path)
    base.execute('CREATE TABLE "my table" (a, label)')
    base.executemany('INSERT INTO "my table" VALUES (?, ?)', [(a, "pq"[a % 2]) for a in range(4)])
    base.commit()
    base.close()


def archive(path, *names):
    """A tar archive of images, or of what their names say."""
    contents = {name: encoded(X[0], "PNG") for name in names}
    contents |= {name: b"q" if "2" in name else b"p" for name in names if name.endswith(".cls")}
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def zipped(path):
    with zipfile.ZipFile(path, "w") as file:
        for name in ("p/1.png", "q/2.png"):
            file.writestr(name, encoded(X[0], "PNG"))


def cifar(labels, *batches, version=2):
    def make(folder):
        folder.mkdir()
        for name in batches:
            content = {"data": np.arange(4 * 3072, dtype=np.int64).reshape(4, -1) % 251, labels: [0, 1, 2, 1]}
            (folder / name).write_bytes(pickle.dumps(content, version))

    return make


def records(*keys):
    rows = [{"x": x.tolist(), "y": int(y)} for x, y in zip(X, Y, strict=True)]
    return rows if not keys else [{"a": a, "label": "pq"[a % 2]} for a in range(4)]


def lines(rows):
    return "".join(f"{json.dumps(row)}\n" for row in rows)


ARFF = "% a comment\n@RELATION r\n@ATTRIBUTE a NUMERIC\n@ATTRIBUTE class {p,q}\n@DATA\n0,p\n1,q\n2,p\n3,q\n"
EMNIST = {
    part: {"images": X[:n].reshape(n, -1), "labels": Y[:n, None]} for part, n in (("train", 6), ("test", 3))
}
TENS = np.where(Y, Y, 10)[:, None]  # SVHN counts its digits from 1
WHOLE, PAIR, CELLS, PICTURES, CIFAR = "whole", "with a test set", "cells", "pictures", "cifar"
CONVERTED = [
    ("a pickle, which can run any code", "a.pkl", pickled({"x": X, "y": Y}), WHOLE),
    ("a pickle", "b.pickle", pickled((X, Y, X, Y), 2), PAIR),
    ("a pickle", "c.p", pickled([X, Y], 0), WHOLE),
    ("a pickle", "no suffix", pickled({"data": X, "target": Y}), WHOLE),
    (
        "a gzipped pickle",
        "d.pkl.gz",
        lambda path: path.write_bytes(gzip.compress(pickle.dumps((X, Y)))),
        WHOLE,
    ),
    ("a file of torch.save", "e.pt", lambda path: torch.save(TENSORS, path), WHOLE),
    ("a file of torch.save", "f.npz", lambda path: torch.save(tuple(TENSORS.values()), path), WHOLE),
    (
        "a file of torch.save",
        "g.pth",
        lambda path: torch.save(TENSORS, path, _use_new_zipfile_serialization=False),
        WHOLE,
    ),
    ("a MATLAB file", "h.mat", matlab(x=X, y=Y), WHOLE),
    (
        "a MATLAB file",
        "it's 32x32.mat",
        matlab(X=np.moveaxis(X, 0, -1)[:, :, None], y=TENS),
        "svhn",
    ),
    ("a MATLAB file", "emnist.mat", matlab(dataset=EMNIST), "emnist"),
    ("a JSON file", "i.json", text(json.dumps(records("a", "label"))), CELLS),
    ("a JSON file", "j.json", text(json.dumps(records())), WHOLE),
    ("a JSON file", "k.json", text(json.dumps({"x": X.tolist(), "y": Y.tolist()})), WHOLE),
    ("a file of JSON lines", "l.jsonl", text(lines(records())), WHOLE),
    ("a file of JSON lines", "m.ndjson", text(lines(records("a", "label"))), CELLS),
    ("a JSON file", "n.json", text(lines(records("a", "label"))), CELLS),
    ("an ARFF file", "o.arff", text(ARFF), CELLS),
    ("an ARFF file", "o.txt", text(ARFF), CELLS),
    ("an SQLite database", "p.db", sqlite, CELLS),
    ("a zip archive (of p/1.png and others)", "q.zip", zipped, PICTURES),
    ("a tar archive of images", "r.tar.gz", lambda path: archive(path, "p/1.png", "q/2.png"), PICTURES),
    (
        "a webdataset",
        "s.tar",
        lambda path: archive(path, "n/1.v.png", "n/1.v.cls", "n/2.v.png", "n/2.v.cls"),
        PICTURES,
    ),
    (
        "the Python version of CIFAR",
        "cifar-10-batches-py",
        cifar("labels", "batches.meta", "data_batch_1", "data_batch_2", "test_batch"),
        CIFAR,
    ),
    ("the Python version of CIFAR", "c100", cifar("fine_labels", "meta", "train", "test"), CIFAR),
    ("the Python version of CIFAR", "[1]", cifar("labels", "data_batch_1", version=4), CIFAR),
]


def check(data, wanted):
    """Assert that a Dataset is the one that was converted."""
    if wanted == CELLS:
        assert (data.x.tolist(), data.y.tolist()) == ([[0], [1], [2], [3]], [0, 1, 0, 1])
        assert data.class_names == ("p", "q")
    elif wanted == PICTURES:
        np.testing.assert_array_equal(data.x, X[[0, 0]])
        assert (data.y.tolist(), data.class_names) == ([0, 1], ("p", "q"))
    elif wanted == CIFAR:
        assert data.x[0, :2, :2, 1].tolist() == [[1024 % 251, 1025 % 251], [1056 % 251, 1057 % 251]]
        assert data.y[:4].tolist() == [0, 1, 2, 1]
    elif wanted == "svhn":
        np.testing.assert_array_equal(data.x, X[:, :, :, None])
        assert data.y.tolist() == Y.tolist()  # ten stands for the digit 0
    else:
        np.testing.assert_array_equal(data.x, X.reshape(6, -1) if wanted == "emnist" else X)
        assert data.y.tolist() == Y.tolist()
    if wanted in (PAIR, "emnist"):
        assert data.y_test.tolist() == Y[: len(data.y_test)].tolist()


@pytest.mark.parametrize(("what", "name", "make", "wanted"), CONVERTED, ids=[c[1] for c in CONVERTED])
def test_the_line_in_the_message_converts(tmp_path, monkeypatch, what, name, make, wanted):
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    make(path)
    problem = refused(lambda: import_files([path]), f"{name}: is {what}")
    assert "pickle" not in what or "if you trust it" in problem
    before = set(os.listdir())
    line = problem.rpartition("convert it: ")[2].rpartition("unpack it: ")[2]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(line, shell=True, check=True, env=environment, timeout=120)
    (made,) = set(os.listdir()) - before
    data = import_files([Path(made)])
    check(data, wanted)
    assert data.has_test == (wanted in (PAIR, "emnist") or (wanted == CIFAR and name != "[1]"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(9), "is an HDF5 file; convert it: python3 -c 'import h5py"),
        (
            "a.mat",
            b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n",
            "is a MATLAB file of version 7.3",
        ),
        ("b.mat", b"MATLAB 5.0 MAT-file, cut", "is a MATLAB file"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c...", "is a 7z archive; unpack it: 7z x"),
        ("a.rar", b"Rar!\x1a\x07...", "is a RAR archive; unpack it: unrar x"),
        ("a.csv.zst", b"\x28\xb5\x2f\xfd...", "is compressed with zstd; decompress it: zstd -d"),
        ("a.tfrecord-00000-of-00001", bytes(range(20)), "is a TFRecord file; convert it: python3"),
        ("data.mdb", bytes(16) + b"\xde\xc0\xef\xbe", "is an LMDB database"),
        ("a.rds", gzip.compress(b"X\n\0\0\0\3", mtime=0), "is a file of R; save its data with write.csv"),
        ("a.RData", gzip.compress(b"RDX3\nX\n", mtime=0), "is a file of R"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel file; convert it: python3"),
        (
            "a.joblib",
            pickle.dumps(1),
            "is a file of joblib, which can run any code when it is opened; if you",
        ),
        ("a.npz", b"<!DOCTYPE html>\n<html>", "is a web page, not a file of data; download the file"),
        ("a.csv", b"<html><head>", "is a web page"),
        (
            "a.gz",
            b"version https://git-lfs.github.com/spec/v1\n",
            "is a Git LFS pointer, not the file itself",
        ),
        ("a.libsvm", b"1 3:0.5\n", "is a file of libsvm; convert it: python3"),
        ("a1a.t", b"-1 3:0.5 11:1\n+1 5:1\n", "is a file of libsvm"),
        ("a.db", b"SQLite format 3\0broken", "is an SQLite database"),
    ],
)
def test_what_is_known_by_its_first_bytes_or_its_name(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    refused(lambda: import_files([tmp_path / name]), f"{name}: {words}")


def test_an_excel_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as file:
        file.writestr("[Content_Types].xml", "")
        file.writestr("xl/workbook.xml", "")
    refused(lambda: import_files([tmp_path / "a.xlsx"]), "a.xlsx: is a spreadsheet", "pandas.read_excel")


def test_folders(tmp_path):
    make = cifar("labels", "data_batch_1", "batches.meta")
    (tmp_path / "up").mkdir()
    make(tmp_path / "up" / "cifar-10-batches-py")
    refused(lambda: import_files([tmp_path / "up"]), "up: is the Python version of CIFAR", "binary version")
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "up" / "cifar-10-batches-py", "cifar-10-batches-py")
    refused(
        lambda: import_files([tmp_path / "cifar-10-python.tar.gz"]),
        "is the Python version of CIFAR",
        "tar -xf",
        "&& strag data cifar-10-batches-py",
    )
    (tmp_path / "lmdb").mkdir()
    (tmp_path / "lmdb" / "data.mdb").write_bytes(bytes(16) + b"\xde\xc0\xef\xbe")
    refused(lambda: import_files([tmp_path / "lmdb"]), "lmdb: is an LMDB database")
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "mnist-train.tfrecord-00000-of-00001").write_bytes(b"1")
    refused(lambda: import_files([tmp_path / "records"]), "records: is a folder of TFRecord files")


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    for name in ("a.pkl", "a.npz", "a.joblib", "noname", "a.mat", "a.csv"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        refused(
            lambda name=name: import_files([tmp_path / name]),
            "which can run any code" if name != "a.mat" else "",
        )
    torch.save(Trap(), tmp_path / "a.pt")
    refused(lambda: import_files([tmp_path / "a.pt"]), "a.pt: is a file of torch.save")
    assert not (tmp_path / "sprung").exists()


def test_it_is_the_form_that_is_wrong_not_an_option(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(1))
    np.save(tmp_path / "y.npy", Y)
    reading = Reading(label_column="y", resize=(2, 2), background=3, skip_broken=True)
    assert set(reading.given) == {one.name for one in fields(Reading)}
    refused(lambda: import_files([tmp_path / "a.pkl"], reading), "a.pkl: is a pickle")
    refused(lambda: import_files([tmp_path / "y.npy", tmp_path / "a.pkl"]), "a.pkl: is a pickle")


def test_what_is_read_is_not_taken_for_a_known_form(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    np.savez_compressed(tmp_path / "b.npz", x=X, y=Y)
    np.save(tmp_path / "a.npy", X)
    (tmp_path / "a.csv").write_text('{"a",label\n1,2\n')
    (tmp_path / "a.txt").write_text("1 2 3\n")
    (tmp_path / "empty").write_bytes(b"")
    for path in tmp_path.iterdir():
        assert recognise(path) is None, path
    assert recognise(tmp_path) is None
    shutil.rmtree(tmp_path)
    assert recognise(tmp_path) is None


def test_every_conversion_is_a_program():
    for code, _ in CODE.values():
        compile(code, "line", "exec")
        assert "'" not in code  # it stands in quotes in a shell
        assert "\n" not in code
