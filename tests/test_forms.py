"""Every form in which people have data, from import to picture, and that all forms are the same data."""

import csv
import gzip
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from strag import kinds
from strag.cli import main
from tests.files.makers import parts
from tests.shell import in_this_process

P, Q, SIDE = 90, 30, 6
NAMES = ("ant", "bee", "cat")


def drawn():
    """Images uint8 [P + Q, 6, 6] of three classes, some of which are hard, and their classes."""
    random = np.random.default_rng(0)
    y = np.arange(P + Q) % 3
    centres = random.integers(60, 200, (3, SIDE, SIDE))
    x = centres[y] + random.normal(0, 45, (P + Q, SIDE, SIDE))
    return np.clip(np.round(x), 0, 255).astype(np.uint8), y


X, Y = drawn()


def photographs(folder):
    """A split of one folder per class; every third picture lies on its side, and its EXIF says so."""
    for row, (image, number) in enumerate(zip(X, Y, strict=True)):
        path = folder / ("train" if row < P else "test") / NAMES[number] / f"{row:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if row // 3 % 3:
            Image.fromarray(image).save(path)
        else:
            exif = Image.Exif()
            exif[274] = 6  # to be turned by a quarter, clockwise
            Image.fromarray(np.rot90(image).copy()).save(path, exif=exif)
    return [folder]


def pairs(folder):
    """Kannada-MNIST's form: npz files of one array each, in the order of the shell."""
    for part, rows in (("train", slice(P)), ("test", slice(P, None))):
        np.savez_compressed(folder / f"X_kannada_MNIST_{part}.npz", X[rows])
        np.savez_compressed(folder / f"y_kannada_MNIST_{part}.npz", Y[rows])
    return sorted(folder.iterdir())


def idx_files(folder):
    """EMNIST's form: four files among which names tell, with classes from 1."""
    for part, rows in (("train", slice(P)), ("test", slice(P, None))):
        for what, array in (("images-idx3", X[rows]), ("labels-idx1", Y[rows].astype(np.uint8) + 1)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
            path = folder / f"emnist-letters-{part}-{what}-ubyte.gz"
            path.write_bytes(gzip.compress(head + array.tobytes()))
    return [folder]


def arrays(folder):
    """MedMNIST's form."""
    labels = {"train_labels": Y[:P, None], "test_labels": Y[P:, None]}
    np.savez(folder / "m.npz", train_images=X[:P], test_images=X[P:], **labels)
    return [folder / "m.npz"]


def table(folder, name, rows):
    with (folder / name).open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", *(f"pixel{n}" for n in range(SIDE * SIDE)), "label"])
        for row in range(P + Q)[rows]:
            writer.writerow([f"row {row}", *X[row].reshape(-1), NAMES[Y[row]]])
    return folder / name


def tables(folder):
    test = table(folder, "test.csv", slice(P, None))
    return [table(folder, "train.csv", slice(P)), "--test", test, "--shape", f"{SIDE}x{SIDE}"]


def parquet(folder):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as files

    for part, rows in (("train", slice(P)), ("test", slice(P, None))):
        names = [NAMES[number] for number in Y[rows]]
        pixels = X[rows].reshape(-1, SIDE * SIDE).tolist()
        files.write_table(pyarrow.table({"pixels": pixels, "label": names}), folder / f"{part}.parquet")
    test = folder / "test.parquet"
    return [folder / "train.parquet", "--test", test, "--shape", f"{SIDE}x{SIDE}"]


ALL_THE_WAY = """
strag train d --runs 3 --epochs 60 --lr 0.5 --threads 1 -q -o h
strag find-stragglers h --at error:0.1 --csv s.csv -q -o s.json
strag prune d s.json -q -o p
strag train p --runs 2 --epochs 5 --threads 1 -q -o again
strag plot s.json --data d -q -o s.png
"""
FORMS = (photographs, pairs, idx_files, arrays, tables, parquet)


def order(x):
    """Rows in an order that depends on their content alone."""
    flat = x.reshape(len(x), -1)
    return np.lexsort(flat.T)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_form_goes_all_the_way(tmp_path, monkeypatch, form):
    folder = tmp_path / "mine"
    folder.mkdir()
    source = [str(word) for word in form(folder)]
    monkeypatch.chdir(tmp_path)
    assert main(["data", *source, "-q", "-o", "d"]) == 0
    data = kinds.read("d")
    shift = data.class_numbers[0]
    for x, y, expected, rows in (
        (data.x, data.y, X, slice(P)),
        (data.x_test, data.y_test, X, slice(P, None)),
    ):
        np.testing.assert_array_equal(x[order(x)], expected[rows][order(expected[rows])])
        np.testing.assert_array_equal(y[order(x)] - shift, Y[rows][order(expected[rows])])
    assert len(data.grouping.names) == 3
    in_this_process(ALL_THE_WAY, tmp_path)
    found = json.loads(Path("s.json").read_text())
    assert len(kinds.read("p").y) == P - len(found["indices"]) < P
    assert os.path.getsize("s.png") > 1000
    listed = list(csv.DictReader(Path("s.csv").read_text().splitlines()))
    for row in listed:
        at = int(row["index"])
        assert row["label"] == (data.class_names or {1: "1", 2: "2", 3: "3", 0: "0"})[data.y[at]]
        if data.names is not None:
            assert row["name"] == data.names[at]
            np.testing.assert_array_equal(data.x[at], X[int("".join(filter(str.isdigit, row["name"])))])
    assert ("name" in listed[0]) == (form in (photographs, tables))
    assert parts("h")[1]["title"] == data.title
