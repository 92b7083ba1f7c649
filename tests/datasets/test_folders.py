"""What is found in a folder of images: classes, parts of a split, and a word on everything else."""

import os
import socket

import pytest

from strag.datasets.folders import ImageFiles, class_folders
from tests.datasets.drawing import encoded, grey, write
from tests.files.makers import refused

IMAGE = encoded(grey(), "PNG")
KINDS = "not of type PNG, JPEG, BMP, GIF, WebP, TIFF, PGM or PPM"


def fill(folder, *names):
    """An image under each name."""
    for name in names:
        write(folder / name, IMAGE)
    return folder


def found_in(folder):
    """Training and test images as text `path class`, and the notes."""
    found = ImageFiles.of(folder)
    parts = [
        None if part is None else [f"{path.relative_to(folder)} {name}" for path, name in part]
        for part in (found.train, found.test)
    ]
    return *parts, found.notes


@pytest.mark.parametrize(
    ("names", "order"),
    [
        ("10 9 1 2", "1 2 9 10"),
        ("10 9 1 02", "1 02 9 10"),
        ("10 9 1 two", "1 10 9 two"),
        ("b a C", "C a b"),
        ("1234567890 2", "1234567890 2"),
    ],
)
def test_the_order_of_classes(tmp_path, names, order):
    fill(tmp_path, *(f"{name}/0.png" for name in names.split()))
    assert [path.name for path in class_folders(tmp_path)] == order.split()
    train, test, notes = found_in(tmp_path)
    assert [pair.split()[1] for pair in train] == order.split()
    assert (test, notes) == (None, [])


def test_files_of_a_class_come_in_the_order_of_their_names(tmp_path):
    fill(tmp_path, "a/10.png", "a/9.png", "b/x.png", "a/1.jpg")
    assert found_in(tmp_path)[0] == ["a/1.jpg a", "a/10.png a", "a/9.png a", "b/x.png b"]


@pytest.mark.parametrize("train", ["train", "training", "TRAIN", "Training"])
@pytest.mark.parametrize("test", ["test", "testing", "TEST", None])
@pytest.mark.parametrize("validation", ["val", "valid", "Validation", "dev", None])
def test_parts_of_a_split(tmp_path, train, test, validation):
    """A validation part is the test set only where there is no other."""
    fill(tmp_path, f"{train}/a/0.png", f"{train}/b/0.png", f"{train}/b/1.png")
    for part in filter(None, (test, validation)):
        fill(tmp_path, f"{part}/b/0.png", f"{part}/b/1.png")
    found = found_in(tmp_path)
    assert found[0] == [f"{train}/a/0.png a", f"{train}/b/0.png b", f"{train}/b/1.png b"]
    part = test or validation
    assert found[1] == (part and [f"{part}/b/0.png b", f"{part}/b/1.png b"])
    if test and validation:
        assert found[2] == [f"left out 2 images in {validation}; the test set is {test}"]
    else:
        assert found[2] == ([f"the test set is {validation}, as there is no other"] if validation else [])


def test_a_validation_part_that_is_left_out_may_be_of_any_form(tmp_path):
    fill(tmp_path, "train/0/0.png", "train/1/0.png", "test/0/0.png", "val/0.png", "val/x/y/z/1.png")
    assert found_in(tmp_path)[2] == ["left out 2 images in val; the test set is test"]


AMBIGUOUS = {
    "a class beside a part": (
        ["train/a/0.png", "train/b/0.png", "cat/0.png"],
        "{}: holds train, the name of a split, and cat, which is not; move cat away, or rename train",
    ),
    "two parts for training": (
        ["train/a/0.png", "Training/b/0.png"],
        "{}: holds Training and train, which both mean the training set; keep only one",
    ),
    "two validation parts": (
        ["train/a/0.png", "val/a/0.png", "dev/a/0.png"],
        "holds dev and val, which both mean the validation set",
    ),
    "a test part alone": (
        ["test/a/0.png", "test/b/0.png"],
        "{}: holds test but no training images; put the training images",
    ),
    "a validation part and a test part": (["dev/a/0.png", "test/a/0.png"], "but no training images"),
    "an image beside the parts": (
        ["train/a/0.png", "train/b/0.png", "0.png"],
        "{}: holds the image 0.png as well as class folders; move every image into",
    ),
    "images without classes": (["train/0.png"], "{}/train: holds the image 0.png but no class folders"),
    "test images without classes": (
        ["train/a/0.png", "train/b/0.png", "test/1.jpg"],
        "{}/test: holds the image 1.jpg but no class folders",
    ),
    "a test class that is not trained": (
        ["train/a/0.png", "train/b/0.png", "test/A/0.png"],
        "{}/test/A: is not a class of the training set (a, b); use the same class folders in the",
    ),
    "an image without a suffix beside the classes": (
        ["a/0.png", "b/0.png", "picture"],
        "image picture as well as class folders;",
    ),
    "classes that differ in a space": (
        ["a/0.png", "a /0.png"],
        "holds the classes 'a' and 'a ', which differ only in",
    ),
    "a name with an escape": (
        ["a/0.png", "b\x1b[31m/0.png"],
        "the class 'b\\x1b[31m', whose name is not printable text",
    ),
    "a name that is no utf-8": (
        ["a/0.png", "b\udcff/0.png"],
        "the class 'b\\udcff', whose name is not printable text",
    ),
    "a class in a class": (
        ["a/0.png", "b/0.png", "b/c/0.png"],
        "{}/b: is a class folder, but holds the folder c",
    ),
    "a class that holds only a folder": (
        ["a/0.png", "b/c/0.png"],
        "{}/b: is a class folder, but holds the folder",
    ),
    "one class": (
        ["a/0.png", "a/1.png"],
        "{}: holds only one class folder; provide one folder of images per class",
    ),
    "one class in an outer folder": (
        ["d/a/0.png", "d/a/1.png"],
        "{}/d: holds only one class folder; provide",
    ),
}


@pytest.mark.parametrize(("names", "words"), AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_what_can_be_understood_in_two_ways_is_refused(tmp_path, names, words):
    fill(tmp_path, *names)
    refused(lambda: ImageFiles.of(tmp_path), words.format(tmp_path))


def test_a_folder_without_images_beside_the_parts_is_left_out(tmp_path):
    fill(tmp_path, "train/a/0.png", "train/b/0.png", "test/a/0.png")
    write(tmp_path / "docs" / "more" / "readme.txt", b"text")
    assert found_in(tmp_path)[2] == ["left out the folder docs, which holds no images"]
    fill(tmp_path, "docs/more/picture")
    refused(lambda: ImageFiles.of(tmp_path), "holds train, the name of a split, and docs")


def test_an_outer_folder_of_an_archive(tmp_path):
    fill(tmp_path, "d/d/train/a/0.png", "d/d/train/b/0.png", "d/d/test/a/0.png", "__MACOSX/d/a/._0.png")
    train, test, notes = found_in(tmp_path)
    assert train == ["d/d/train/a/0.png a", "d/d/train/b/0.png b"]
    assert test == ["d/d/test/a/0.png a"]
    assert notes == ["the classes are those in its folder d/d"]


def test_what_is_left_out_is_named(tmp_path):
    """Files that are no images, by suffix or content, and what is no file; litter is no loss."""
    fill(tmp_path, "a/0.png", "a/1.xyz", "a/2", "b/0.png")
    for name in ("a/notes.txt", "b/labels.csv", "README", "a/c.heic", "a/d.npy"):
        write(tmp_path / name, b"text")
    litter = ("a/.DS_Store", "a/Thumbs.db", "b/desktop.ini", ".git/x.png", "a/._0.png", "__MACOSX/a/0.png")
    for name in (*litter, "a/@eaDir/0.png", "b/.ipynb_checkpoints/0.png"):
        write(tmp_path / name, IMAGE)
    (tmp_path / "a" / "empty" / "er").mkdir(parents=True)
    os.mkfifo(tmp_path / "a" / "pipe.png")
    os.symlink("/dev/zero", tmp_path / "b" / "zero.png")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tmp_path / "b")
        listener.bind("socket.jpg")
        os.chdir(here)
        train, _, notes = found_in(tmp_path)
    assert train == ["a/0.png a", "a/1.xyz a", "a/2 a", "b/0.png b"]
    assert notes == [
        "left out the folder a/empty, which holds no images",
        f"left out 8 files {KINDS}: README, a/c.heic, a/d.npy, a/notes.txt, a/pipe.png, "
        "b/labels.csv, b/socket.jpg, b/zero.png",
    ]


def test_of_many_that_are_left_out_a_few_are_named(tmp_path):
    fill(tmp_path, "a/0.png", "b/0.png")
    for number in range(40):
        write(tmp_path / "a" / f"{number:02}.txt", b"text")
    (note,) = found_in(tmp_path)[2]
    assert note.startswith(f"left out 40 files {KINDS}: a/00.txt, a/01.txt, ")
    assert note.endswith(", a/11.txt, ... (40 in all)")


def test_links_to_folders_and_files_are_followed(tmp_path):
    fill(tmp_path / "store", "x/0.png", "y/0.png", "z.png")
    (tmp_path / "d" / "b").mkdir(parents=True)
    os.symlink(tmp_path / "store" / "x", tmp_path / "d" / "a")
    os.symlink(tmp_path / "store" / "z.png", tmp_path / "d" / "b" / "1.png")
    assert found_in(tmp_path / "d")[0] == ["a/0.png a", "b/1.png b"]


def test_links_that_go_round_end(tmp_path):
    fill(tmp_path, "one/a/0.png", "one/b/0.png")
    os.symlink(".", tmp_path / "one" / "a" / "round")
    os.symlink("..", tmp_path / "one" / "b" / "up")
    refused(lambda: ImageFiles.of(tmp_path / "one"), "/a: is a class folder, but holds the folder round")
    (tmp_path / "two").mkdir()
    os.symlink(".", tmp_path / "two" / "two")
    refused(lambda: ImageFiles.of(tmp_path / "two"), "holds only one class folder")
    fill(tmp_path, "three/a/0.png", "three/b/0.png")
    os.symlink("x", tmp_path / "three" / "a" / "x")
    assert found_in(tmp_path / "three")[0] == ["a/0.png a", "a/x a", "b/0.png b"]


def test_a_link_to_nothing_beside_the_classes_may_be_one(tmp_path):
    fill(tmp_path, "a/0.png", "b/0.png")
    os.symlink("nowhere", tmp_path / "c")
    refused(lambda: ImageFiles.of(tmp_path), f"{tmp_path}: holds a broken link, c; repair or remove it")
