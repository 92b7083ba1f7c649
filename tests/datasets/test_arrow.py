"""Parquet, Arrow and Hugging Face's folders: the same examples in each, and every null named."""

import datetime
import errno
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from strag.datasets.imported import Reading
from strag.datasets.importing import import_files
from tests.datasets.drawing import colour, encoded, grey
from tests.files.makers import refused

pa = pytest.importorskip("pyarrow")
from pyarrow import ipc, parquet  # noqa: E402

P = 6
Y = [0, 1, 2, 0, 1, 2]
X = np.random.default_rng(0).integers(0, 256, (P, 3, 4), dtype=np.uint8)
IMAGES = [{"bytes": encoded(image, "PNG"), "path": f"{row}.png"} for row, image in enumerate(X)]
CLASSES = {"_type": "ClassLabel", "names": ["cat", "dog", "eel"]}


def table(**columns):
    """A table whose columns of classes are marked as Hugging Face's library does."""
    marked = {name: CLASSES for name in columns if name.endswith("label")}
    noted = {"huggingface": json.dumps({"info": {"features": marked}})}
    return pa.table(columns).replace_schema_metadata(noted)


def write(path, content):
    """A table in a file of the kind that its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet.write_table(content, path, row_group_size=2)
        return path
    begin = ipc.new_stream if path.suffix == ".arrow" else ipc.new_file
    with pa.OSFile(str(path), "wb") as stream, begin(stream, content.schema) as writer:
        writer.write_table(content, max_chunksize=4)
    return path


def save_to_disk(folder, content, parts=2):
    """A folder as Hugging Face's library writes one."""
    rows, names = -(-content.num_rows // parts), []
    for part in range(parts):
        names.append(f"data-{part:05}-of-{parts:05}.arrow")
        write(folder / names[-1], content.slice(part * rows, rows))
    state = {"_data_files": [{"filename": name} for name in names], "_split": None}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def imported(path, **reading):
    """A Dataset and the notes on it."""
    notes = []
    return import_files([path], Reading(**reading), notes.append), notes


def read(tmp_path, name="t.parquet", reading=None, **columns):
    return imported(write(tmp_path / name, table(**columns)), **(reading or {}))


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather"])
@pytest.mark.parametrize("name", ["image", "img"])
def test_images_of_every_file(tmp_path, suffix, name):
    data, notes = read(tmp_path, f"t.{suffix}", **{name: IMAGES, "label": Y})
    np.testing.assert_array_equal(data.x, X)
    assert (data.x.dtype, data.y.tolist(), data.class_names) == (np.uint8, Y, ("cat", "dog", "eel"))
    assert [data.names[row] for row in range(P)] == [f"{row}.png" for row in range(P)]
    assert notes == []


def hub(folder, content):
    write(folder / "data" / "train-00000-of-00002.parquet", content.slice(0, 4))
    write(folder / "data" / "train-00001-of-00002.parquet", content.slice(4))
    write(folder / "data" / "test-00000-of-00001.parquet", content)


def plain(folder, content):
    write(folder / "train.parquet", content)
    write(folder / "test.parquet", content)


def configured(folder, content):
    write(folder / "default" / "train" / "0000.parquet", content)
    write(folder / "default" / "test" / "0000.parquet", content)


def cached(folder, content):
    write(folder / "mnist-train.arrow", content)
    write(folder / "mnist-test.arrow", content)
    (folder / "dataset_info.json").write_text("{}")


def split(folder, content):
    for name in ("train", "test"):
        save_to_disk(folder / name, content)
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')


@pytest.mark.parametrize("make", [hub, plain, configured, cached, split])
def test_folders_with_a_test_set(tmp_path, make):
    make(tmp_path / "d", table(image=IMAGES, label=Y))
    data, notes = imported(tmp_path / "d")
    np.testing.assert_array_equal(data.x, X)
    np.testing.assert_array_equal(data.x_test, X)
    assert (data.y.tolist(), data.y_test.tolist(), notes) == (Y, Y, [])
    assert data.command == "strag data d/"


def test_a_folder_of_one_part(tmp_path):
    data, notes = imported(save_to_disk(tmp_path / "d", table(image=IMAGES, label=Y)))
    assert (data.y.tolist(), data.has_test, notes) == (Y, False, [])


def test_validation_is_the_test_set_only_where_there_is_no_other(tmp_path):
    for name in ("train", "validation"):
        write(tmp_path / "d" / f"{name}.parquet", table(x=Y, label=Y))
    data, notes = imported(tmp_path / "d")
    assert (data.has_test, notes) == (True, ["d/: the split 'validation' is the test set"])
    write(tmp_path / "d" / "test.parquet", table(x=Y[::-1], label=Y[::-1]))
    data, notes = imported(tmp_path / "d")
    assert (data.y_test.tolist(), notes) == (Y[::-1], ["d/: left out: validation"])


def test_hidden_test_labels_and_a_lonely_test_set(tmp_path):
    write(tmp_path / "d" / "test.parquet", table(x=Y, label=[-1] * P))
    write(tmp_path / "d" / "train.parquet", table(x=Y, label=Y))
    data, notes = imported(tmp_path / "d")
    assert not data.has_test
    assert notes == ["d/: left out the test set (test.parquet), as all its labels are unknown (-1)"]
    write(tmp_path / "e" / "test.parquet", table(x=Y, label=Y))
    data, notes = imported(tmp_path / "e")
    assert (data.y.tolist(), data.has_test) == (Y, False)
    assert notes == ["e/: holds only the split 'test', which becomes the training set"]


def vectors(shape):
    return np.arange(P * np.prod(shape)).reshape(P, *shape)


@pytest.mark.parametrize(
    "column",
    [
        vectors((4,)).tolist(),
        pa.array(vectors((4,)).tolist(), pa.list_(pa.int16(), 4)),
        pa.array(vectors((4,)).tolist(), pa.large_list(pa.float64())),
        vectors((2, 2)).tolist(),
        pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(vectors((2, 2)), np.float32)),
    ],
)
def test_vectors(tmp_path, column):
    for suffix in ("parquet", "feather"):
        data, _ = read(tmp_path, f"t.{suffix}", x=column, label=Y)
        assert (data.x.dtype, data.x.shape[0]) == (np.uint8, P)
        np.testing.assert_array_equal(data.x.ravel(), np.arange(4 * P))
    assert data.x.shape[1:] in ((4,), (2, 2))


def test_tensors_keep_their_shape(tmp_path):
    values = np.arange(P * 12.0).reshape(P, 3, 2, 2)
    data, _ = read(tmp_path, x=pa.FixedShapeTensorArray.from_numpy_ndarray(values), label=Y)
    np.testing.assert_array_equal(data.x, values)
    turned = pa.FixedShapeTensorArray.from_numpy_ndarray(values.transpose(0, 2, 3, 1))
    refused(lambda: read(tmp_path, x=turned, label=Y), "column 'x' holds tensors with permuted axes")


def test_columns_of_numbers(tmp_path):
    columns = {"sepal.length": [1, 2, 3, 4, 5, 6], "b": [0.5] * P, "c": [True, False] * 3}
    data, _ = read(tmp_path, **columns, label=Y)
    np.testing.assert_array_equal(data.x, np.stack(list(columns.values()), axis=1))
    assert data.x.dtype == np.float32
    assert read(tmp_path, a=[1, 2] * 3, label=Y)[0].x.dtype == np.uint8


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["cat", "dog", "eel"] * 2, ("cat", "dog", "eel")),
        (pa.array(["cat", "dog", "eel"] * 2).dictionary_encode(), ("cat", "dog", "eel")),
        (pa.array(Y, pa.float64()), None),
        (pa.array(Y, pa.uint8()).dictionary_encode(), None),
        (np.eye(3, dtype=int)[Y].tolist(), None),
    ],
)
def test_labels_of_every_kind(tmp_path, labels, names):
    data, _ = imported(write(tmp_path / "t.parquet", pa.table({"x": Y, "label": labels})))
    assert (data.y.tolist(), data.class_names) == (Y, names)


def test_fine_or_coarse_labels(tmp_path):
    columns = {"img": IMAGES, "fine_label": Y, "coarse_label": Y[::-1]}
    refused(
        lambda: read(tmp_path, **columns), "may be the label, 'fine_label', 'coarse_label'", "`label_column`"
    )
    data, notes = read(tmp_path, **columns, reading={"label_column": "coarse_label"})
    assert (data.y.tolist(), data.class_names) == (Y[::-1], ("cat", "dog", "eel"))
    assert notes == ["t.parquet: left out, as they are not images: 'fine_label'"]
    columns["img"] = Y
    data, notes = read(tmp_path, **columns, reading={"label_column": "fine_label"})
    assert (data.x.shape, notes) == (
        (P, 1),
        ["t.parquet: left out, as they are other classes: 'coarse_label'"],
    )


def test_names_and_what_is_left_out(tmp_path):
    data, notes = read(tmp_path, x=IMAGES, text=list("abcdef"), id=[*"uvwxy", None], w=Y, label=Y)
    assert [data.names[row] for row in range(P)] == [*"uvwxy", ""]
    assert notes == [
        "t.parquet: column 'id' holds the names of the examples",
        "t.parquet: left out, as they are not images: 'text', 'w'",
    ]


def test_grey_and_colour_together(tmp_path):
    red = colour()
    write(tmp_path / "d" / "train.parquet", table(image=IMAGES, label=Y))
    write(tmp_path / "d" / "test.parquet", table(image=[encoded(red, "PNG")] * 2, label=[0, 1]))
    data, _ = imported(tmp_path / "d")
    np.testing.assert_array_equal(data.x, np.repeat(X[..., None], 3, axis=3))
    np.testing.assert_array_equal(data.x_test, [red, red])


def test_images_that_are_broken_or_of_another_size(tmp_path):
    mixed = [*IMAGES[:4], {"bytes": b"no image", "path": "x"}, IMAGES[5]]
    refused(
        lambda: read(tmp_path, image=mixed, label=Y), "t.parquet, row 4: is a broken image", "`skip_broken`"
    )
    data, notes = read(tmp_path, image=mixed, label=Y, reading={"skip_broken": True})
    np.testing.assert_array_equal(data.x, X[[0, 1, 2, 3, 5]])
    assert (data.y.tolist(), data.names[4]) == ([0, 1, 2, 0, 2], "5.png")
    note = "t.parquet: left out 1 broken image of the training set: t.parquet, row 4 (not PNG, "
    assert [line.startswith(note) for line in notes] == [True]
    mixed[4] = {"bytes": encoded(grey(6, 8), "PNG"), "path": "x"}
    refused(
        lambda: read(tmp_path, image=mixed, label=Y), "row 4: has 6 x 8 pixels", "row 0 has 3 x 4", "`resize`"
    )
    data, _ = read(tmp_path, image=mixed, label=Y, reading={"resize": (3, 4)})
    np.testing.assert_array_equal(data.x[[0, 1, 2, 3, 5]], X[[0, 1, 2, 3, 5]])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": [1, 2, 3, None, 5, 6]}, "column 'x' has no value in row 3"),
        ({"x": [1, 2, 3, float("nan"), 5, 6]}, "column 'x' holds nan in row 3"),
        ({"x": [1, 2, 3, 4, 5, float("inf")]}, "column 'x' holds inf in row 5"),
        ({"x": Y, "label": [0, 1, None, 0, 1, 1]}, "column 'label' has no value in row 2"),
        ({"x": [[1, 2]] * 5 + [None]}, "column 'x' has no value in row 5"),
        ({"x": [[1, 2]] * 5 + [[3, None]]}, "column 'x' has no value in row 5"),
        ({"x": [[1, 2]] * 5 + [[3]]}, "column 'x' holds lists of 1 and of 2 numbers"),
        ({"x": [[]] * 6, "z": Y}, "holds"),
        ({"x": [[[1], [2, 3]]] * 6}, "holds lists of 1 and of 2 numbers"),
        (
            {"x": list("abcdef"), "z": Y, "w": list("abcdef")},
            "holds text in 'x', 'w'; remove the column",
        ),
        ({"x": [datetime.date(2000, 1, 1)] * 6}, "holds date32[day] in column 'x'"),
        ({"x": IMAGES, "z": IMAGES}, "holds images in 'x', 'z'; keep only one"),
        ({"x": [[1]] * 6, "z": [[1]] * 6}, "holds lists of numbers in 'x', 'z'; keep only one"),
        ({"x": [*IMAGES[:5], None]}, "column 'x' has no value in row 5"),
        ({"x": [*IMAGES[:5], {"bytes": None, "path": "/etc/hosts"}]}, "has no image in row 5"),
        ({}, "has no inputs, only the label 'label'"),
        ({"x": Y, "label": IMAGES}, "holds images in column 'label', the label"),
        ({"x": Y, "label": [0.5] * 6}, "label 0.5 in row 0 of 'y' is not a whole number"),
        ({"x": Y, "label": [-1, 0, 1, 0, 1, 0]}, "labels 'y' range from -1 to 1"),
        ({"x": pa.array([], "int8"), "label": pa.array([], "int8")}, "holds no examples"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path, columns, words):
    content = pa.table({"label": Y, **columns})
    path = write(tmp_path / "t.parquet", content)
    refused(lambda: imported(path), "t.parquet: ", words)


def test_a_list_of_another_length_far_below(tmp_path):
    content = pa.table({"x": [[1, 2]] * 1024 + [[1]] * 2, "label": [0, 1] * 513})
    path = write(tmp_path / "t.parquet", content)
    refused(lambda: imported(path), "holds lists of shapes [2] and, from row 1024 on, [1]")


def test_options_that_mean_nothing(tmp_path):
    for option in ({"skip_broken": True}, {"background": 0}):
        name = next(iter(option))
        refused(lambda o=option: read(tmp_path, x=Y, label=Y, reading=o), "numbers", f"`{name}`", status=2)
    refused(lambda: read(tmp_path, x=Y, label=Y, reading={"label_column": "z"}), "no column 'z'", status=2)


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather"])
def test_broken_files(tmp_path, suffix):
    path = write(tmp_path / f"t.{suffix}", table(x=[[1, 2, 3]] * P, label=Y))
    whole = path.read_bytes()
    for size in range(0, len(whole) - 12, 97):
        path.write_bytes(whole[:size])
        refused(lambda: imported(path), f"t.{suffix}: ")
    path.write_bytes(whole.replace(b"label", b"lab\xffl"))
    refused(lambda: imported(path), f"t.{suffix}: cannot be read as parquet or Arrow")
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n")
    refused(lambda: imported(path), "is a Git LFS pointer")


def test_folders_that_are_not_whole(tmp_path):
    content = table(x=Y, label=Y)
    write(tmp_path / "a" / "data" / "train-00000-of-00002.parquet", content)
    refused(lambda: imported(tmp_path / "a"), "a: holds 1 of 2 files like train-00000-of-00002.parquet")
    _, notes = imported(tmp_path / "a" / "data" / "train-00000-of-00002.parquet")
    assert notes == [
        "train-00000-of-00002.parquet: is one of 2 files of a data set; pass their folder to use all"
    ]
    for name in ("train", "test"):
        write(tmp_path / "b" / "one" / f"{name}.parquet", content)
        write(tmp_path / "b" / "two" / f"{name}.parquet", content)
    refused(lambda: imported(tmp_path / "b"), "b: holds several data sets, 'one', 'two'; pass one of them")
    write(tmp_path / "c" / "x.parquet", content)
    write(tmp_path / "c" / "y.parquet", content)
    refused(lambda: imported(tmp_path / "c"), "c: holds several tables, 'x', 'y'")
    write(tmp_path / "d" / "train.parquet", content)
    write(tmp_path / "d" / "test.parquet", table(z=Y, label=Y))
    refused(lambda: imported(tmp_path / "d"), "d/test.parquet: has different columns")
    write(tmp_path / "e" / "train.parquet", content)
    write(tmp_path / "e" / "test.arrow", content)
    refused(lambda: imported(tmp_path / "e"), "e: holds both parquet and Arrow files")
    save_to_disk(tmp_path / "f", content)
    (tmp_path / "f" / "data-00001-of-00002.arrow").unlink()
    refused(lambda: imported(tmp_path / "f"), "f: lacks its file data-00001-of-00002.arrow")
    (tmp_path / "f" / "state.json").write_text('{"_data_files": [{"filename": "../a.arrow"}]}')
    refused(lambda: imported(tmp_path / "f"), "f/state.json: does not list files of its folder")
    (tmp_path / "f" / "state.json").write_text("[")
    refused(lambda: imported(tmp_path / "f"), "f/state.json: is not JSON; copy the folder again")
    for text in ("[]", "{}", '{"_data_files": "a"}'):
        (tmp_path / "f" / "state.json").write_text(text)
        refused(lambda: imported(tmp_path / "f"), "f/state.json: has no list '_data_files'")


def test_lists_that_cannot_be_read(tmp_path, monkeypatch):
    (tmp_path / "d" / "train").mkdir(parents=True)
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    refused(lambda: imported(tmp_path / "d"), "d/train/state.json: is missing; copy the folder again")

    def locked(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", locked)
    refused(lambda: imported(tmp_path / "d"), "d/dataset_dict.json: cannot be read: Permission denied")


def test_files_of_one_split_come_in_the_order_of_their_numbers(tmp_path):
    for part in (10, 2, 1):
        write(tmp_path / "d" / f"part-{part}.parquet", table(x=[part, part], label=[0, 1]))
    assert imported(tmp_path / "d")[0].x[:, 0].tolist() == [1, 1, 2, 2, 10, 10]


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_columns_in_another_order(tmp_path, suffix):
    write(tmp_path / "d" / f"part-1.{suffix}", table(a=[1, 2], b=[3, 4], id=["p", "q"], label=[0, 1]))
    write(tmp_path / "d" / f"part-2.{suffix}", table(label=[1, 0], id=["r", "s"], b=[7, 8], a=[5, 6]))
    data, _ = imported(tmp_path / "d")
    assert data.x.tolist() == [[1, 3], [2, 4], [5, 7], [6, 8]]
    assert (data.columns, data.y.tolist()) == (("a", "b"), [0, 1, 1, 0])
    assert [data.names[row] for row in range(4)] == [*"pqrs"]
    write(tmp_path / "d" / f"part-2.{suffix}", table(label=[1, 0], b=[7, 8], a=[5, 6]))
    refused(lambda: imported(tmp_path / "d"), f"part-2.{suffix}: has different columns")


def test_one_image_without_a_path_keeps_the_names_of_the_others(tmp_path):
    data, _ = read(tmp_path, image=[IMAGES[0], {**IMAGES[1], "path": None}, *IMAGES[2:]], label=Y)
    assert [data.names[row] for row in range(P)] == ["0.png", "", "2.png", "3.png", "4.png", "5.png"]
    bare = [{**image, "path": None} for image in IMAGES]
    assert read(tmp_path, image=bare, label=Y)[0].names is None


def test_an_input_that_looks_like_names(tmp_path):
    _, notes = read(tmp_path, user_id=[3, 1, 2, 6, 5, 4], b=Y, label=Y)
    assert notes == [
        "t.parquet: column 'user_id' is an input, but all its values differ; "
        "rename it to id if it holds names of the examples"
    ]


def test_images_that_would_be_too_large(tmp_path):
    refused(
        lambda: read(tmp_path, reading={"resize": (99999, 99999)}, image=IMAGES, label=Y),
        "t.parquet: `resize` 99999x99999 makes images of 9999800001 pixels",
        status=2,
    )


def test_several_files(tmp_path):
    two = [write(tmp_path / f"{name}.parquet", table(x=Y, label=Y)) for name in "ab"]
    refused(
        lambda: import_files(two),
        "a.parquet: is one of 2 tables",
        "b.parquet as the test set with `test`",
        status=2,
    )


def test_a_file_given_twice(tmp_path):
    path = write(tmp_path / "a.parquet", table(x=Y, label=Y))
    refused(lambda: import_files([path, path]), "a.parquet: is given twice; pass it once", status=2)


def test_parts_without_a_split_are_one_table(tmp_path):
    for part in range(3):
        rows = table(x=Y[2 * part : 2 * part + 2], label=Y[2 * part : 2 * part + 2])
        write(tmp_path / "d" / f"part-0000{part}-ab3{part}.snappy.parquet", rows)
    assert imported(tmp_path / "d")[0].y.tolist() == Y


def test_without_pyarrow(tmp_path, monkeypatch):
    path = write(tmp_path / "t.parquet", table(x=Y, label=Y))
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, name, None)
    refused(
        lambda: imported(path),
        "t.parquet: needs the package pyarrow; install it: pip install 'strag[tables]'",
    )
