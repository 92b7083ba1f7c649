"""Folders of images: one subfolder per class, in the order of their names, and nothing in silence."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from strag.datasets.images import read_image_folder
from strag.datasets.imported import Reading
from strag.datasets.importing import import_files
from strag.datasets.pixels import scaled
from tests.datasets.drawing import colour, encoded, grey, png, save, write
from tests.files.makers import refused

ORIENTATION = 274


def read(folder, **options):
    return read_image_folder(folder, Reading(**options))


def noted(folder, **options):
    """The data set in a folder, and the notes on it."""
    notes = []
    return import_files([folder], Reading(**options), note=notes.append), notes


@pytest.fixture
def folder(tmp_path):
    """Two classes of two grey images each."""
    for name in ("cat/1.png", "cat/0.png", "ant/b.png", "ant/a.png"):
        save(tmp_path / "pets" / name, grey())
    return tmp_path / "pets"


@pytest.mark.parametrize("make", [grey, colour])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".webp", ".gif", ".tif", ".TIFF", ".ppm", ".pnm"])
def test_images_are_read_as_they_were_written(tmp_path, make, suffix):
    if suffix == ".gif":  # a palette: few colours survive unchanged
        pixels = np.where(make() > 127, 255, 0).astype(np.uint8)
        written = [save(tmp_path / c / f"i{suffix}", pixels[::step]) for c, step in (("a", 1), ("b", -1))]
    else:
        options = {"lossless": True} if suffix == ".webp" else {}
        written = [save(tmp_path / c / f"i{suffix}", make(), **options) for c in "ab"]
    imported = read(tmp_path)
    np.testing.assert_array_equal(imported.x, written)
    assert imported.x.dtype == np.uint8
    assert (imported.y.tolist(), imported.x_test, imported.notes) == (["a", "b"], None, [])


def test_a_jpeg_is_nearly_what_was_written(tmp_path):
    smooth = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8
    for path in ("a/i.jpg", "a/i.JPE", "b/i.jpeg", "b/i.jfif", "b/i.png", "b/i"):
        save(tmp_path / path, smooth, "JPEG", quality=100)
    found = read(tmp_path).x
    assert len(found) == 6
    assert np.abs(found.astype(int) - smooth).max() <= 3


def test_classes_and_examples_come_in_the_order_of_their_names(folder):
    imported = read(folder)
    order = ["ant/a.png", "ant/b.png", "cat/0.png", "cat/1.png"]
    np.testing.assert_array_equal(imported.x, [np.asarray(Image.open(folder / name)) for name in order])
    assert (imported.names, imported.y.tolist()) == (order, ["ant", "ant", "cat", "cat"])


def test_a_data_set_with_the_names_of_its_classes(folder, monkeypatch):
    data = import_files([folder])
    assert (data.labels, data.grouping.names, data.has_test) == ("classes", ("ant", "cat"), False)
    assert (data.title, data.command) == ("pets", "strag data pets/")
    monkeypatch.chdir(folder.parent)
    assert import_files(["pets/"]).origin == data.origin


def test_folders_that_are_numbers_are_the_class_numbers(tmp_path):
    for number in (*range(9, 12), 1):
        save(tmp_path / str(number) / "0.png", np.full((2, 2), number, np.uint8))
    data = import_files([tmp_path])
    assert data.y.tolist() == [1, 9, 10, 11]
    assert data.x[:, 0, 0].tolist() == [1, 9, 10, 11]


def test_a_name_of_a_file_keeps_its_bytes(tmp_path):
    for name in ("a/é.png", "a/x\udcff\n.png", "b/x y.png"):
        save(tmp_path / name, grey(), "PNG")
    assert read(tmp_path).names == ["a/x\udcff\n.png", "a/é.png", "b/x y.png"]
    names = import_files([tmp_path]).names
    assert bytes(names.text) == b"a/x\xff\n.pnga/\xc3\xa9.pngb/x y.png"


def test_train_and_test_are_a_split(folder, tmp_path):
    whole = read(folder)
    split = tmp_path / "split"
    (split / "test").mkdir(parents=True)
    folder.rename(split / "train")
    tested = save(split / "test" / "cat" / "x.png", grey())
    imported = read(split)
    np.testing.assert_array_equal(imported.x, whole.x)
    np.testing.assert_array_equal(imported.x_test, [tested])
    assert (imported.y.tolist(), imported.y_test.tolist()) == (whole.y.tolist(), ["cat"])
    assert imported.names == [f"train/{name}" for name in whole.names]
    save(split / "test" / "cat" / "y.png", colour())
    imported = read(split)
    assert imported.x.shape == (4, 3, 4, 3)
    np.testing.assert_array_equal(imported.x, np.repeat(whole.x[..., None], 3, axis=3))


def test_a_split_without_test_images(folder, tmp_path):
    whole = read(folder)
    (tmp_path / "split").mkdir()
    folder.rename(tmp_path / "split" / "train")
    imported = read(tmp_path / "split")
    assert (imported.x_test, imported.y_test) == (None, None)
    np.testing.assert_array_equal(imported.x, whole.x)


def test_digits_as_png_files(tmp_path):
    """MNIST as its PNG form has it, with a validation part beside the test set."""
    for part, count in (("training", 3), ("testing", 2), ("val", 1)):
        for digit in range(10):
            for number in range(count):
                save(tmp_path / part / str(digit) / f"{number}.png", np.full((28, 28), digit, np.uint8))
    data, notes = noted(tmp_path)
    for x, y, count in ((data.x, data.y, 3), (data.x_test, data.y_test, 2)):
        np.testing.assert_array_equal(y, np.repeat(np.arange(10), count))
        np.testing.assert_array_equal(x[:, 5, 5], y)
    assert notes == [f"{tmp_path.name}/: left out 10 images in val; the test set is testing"]


def test_one_colour_image_makes_all_of_them_colour(folder):
    before = read(folder).x
    found = save(folder / "cat" / "2.png", colour())
    after = read(folder).x
    np.testing.assert_array_equal(after[:4], np.repeat(before[..., None], 3, axis=3))
    np.testing.assert_array_equal(after[4], found)
    save(folder / "dog" / "0.png", last := grey())
    np.testing.assert_array_equal(read(folder).x[5], np.repeat(last[..., None], 3, 2))


def test_what_is_grey(tmp_path):
    """One bit, grey with a transparency that hides nothing, and a palette of greys, too."""
    pixels = np.where(grey() > 127, 255, 0).astype(np.uint8)
    image = Image.fromarray(pixels)
    for name, kind in {"bit": "1", "plain": "L", "clear": "LA", "palette": "P"}.items():
        (tmp_path / name).mkdir()
        image.convert(kind).save(tmp_path / name / "i.png")
    np.testing.assert_array_equal(read(tmp_path).x, [pixels] * 4)


def test_transparent_images_are_refused_or_laid_on_a_background(folder):
    glyph = np.zeros((3, 4, 4), np.uint8)
    glyph[1, 1:3, 3] = 255
    save(folder / "cat" / "2.png", glyph)
    refused(
        lambda: import_files([folder]),
        f"{folder}/cat/2.png: has transparent pixels; use `background`, a grey value",
    )
    data = import_files([folder], Reading(background=200))
    np.testing.assert_array_equal(data.x[4, :, :, 0], np.where(glyph[..., 3], 0, 200))
    assert data.command == "strag data pets/ --background 200"
    refused(
        lambda: read(folder, background=256),
        "cannot use 256 as `background`; pass a whole number from 0 to 255",
        status=2,
    )


def test_photographs_are_turned_before_their_sizes_are_compared(folder):
    lying = save(folder / "cat" / "1.png", grey(4, 3), exif=turned(6))
    save(folder / "ant" / "c.tif", grey(4, 3), exif=turned(8))
    data, notes = noted(folder)
    np.testing.assert_array_equal(data.x[4], np.rot90(lying, -1))
    assert notes == ["pets/: rotated 2 images by the EXIF orientation"]


def turned(number):
    tag = Image.Exif()
    tag[ORIENTATION] = number
    return tag


def test_images_of_several_sizes_are_scaled(folder):
    large = save(folder / "cat" / "0.png", colour(30, 50))
    words = (
        f"{folder}/cat/0.png: has 30 x 50 pixels, but {folder}/ant/a.png has 3 x 4; use images of one size"
    )
    refused(lambda: import_files([folder]), words, "or add `resize` HxW")
    data = import_files([folder], Reading(resize=(6, 5)))
    assert data.x.shape == (4, 6, 5, 3)
    np.testing.assert_array_equal(data.x[2], scaled(large, 6, 5))
    same = read(folder.parent / "pets", resize=(3, 4)).x
    np.testing.assert_array_equal(same[0, ..., 0], np.asarray(Image.open(folder / "ant" / "a.png")))


def test_hidden_files_and_other_files_are_passed_over(folder):
    before = read(folder).x
    for name in ("README.md", ".DS_Store", "cat/Thumbs.db", "cat/._0.png"):
        write(folder / name)
    (folder / ".git").mkdir()
    (folder / "cat" / ".ipynb_checkpoints").mkdir()
    data, notes = noted(folder)
    np.testing.assert_array_equal(data.x, before)
    assert [note.rpartition(": ")[2] for note in notes] == ["README.md"]


def spoilt(folder, count=1):
    """Break images in every way that comes to mind, `count` times."""
    whole = encoded(grey(40, 40), "PNG")
    for number in range(count):
        write(folder / "ant" / f"empty{number}.png")
        write(folder / "cat" / f"half{number}.png", whole[: len(whole) // 2])
        write(folder / "cat" / f"text{number}.jpg", b"<html>not found</html>")
        os.symlink("nowhere", folder / "ant" / f"link{number}")


def test_all_broken_images_are_named_at_once(folder):
    spoilt(folder)
    words = (
        f"{folder}: holds 4 broken images: {folder}/ant/empty0.png (empty file), "
        f"{folder}/ant/link0 (broken link), {folder}/cat/half0.png (image file is truncated)"
    )
    refused(
        lambda: import_files([folder]), words, f"{folder}/cat/text0.jpg (not PNG, ", "or use `skip_broken`"
    )
    spoilt_more = folder.parent / "more"
    shutil.copytree(folder, spoilt_more, symlinks=True)
    for number in range(20):
        write(spoilt_more / "ant" / f"{number:02}.png")
    refused(
        lambda: import_files([spoilt_more]),
        "holds 24 broken images",
        "... (24 in all); repair or remove them",
    )


def test_broken_images_are_left_out_by_name(folder):
    before = import_files([folder])
    spoilt(folder)
    data, notes = noted(folder, skip_broken=True)
    np.testing.assert_array_equal(data.x, before.x)
    np.testing.assert_array_equal(data.y, before.y)
    assert [data.names[row] for row in range(4)] == ["ant/a.png", "ant/b.png", "cat/0.png", "cat/1.png"]
    assert notes[0].startswith("pets/: left out 4 broken images: ant/empty0.png (empty file), ant/link0 (b")


def test_a_class_of_broken_images_alone_is_refused(folder):
    for path in (folder / "cat").iterdir():
        path.write_bytes(b"")
    for number in range(3):
        os.symlink("nowhere", folder / "cat" / str(number))
    words = f"{folder}/cat: is a class folder in which all images are broken; repair the images"
    refused(lambda: import_files([folder], Reading(skip_broken=True)), words)
    shutil.rmtree(folder / "ant")
    (folder / "train").mkdir()
    for name in ("a", "b"):
        save(folder / "train" / name / "0.png", grey())
    (folder / "cat").rename(folder / "a")
    (folder / "test").mkdir()
    (folder / "a").rename(folder / "test" / "a")
    words = f"{folder}/test/a: is a class folder in which all images are broken"
    refused(lambda: import_files([folder], Reading(skip_broken=True)), words)


def frames(folder):
    images = [Image.fromarray(grey()) for _ in range(3)]
    images[0].save(folder / "cat" / "9.gif", save_all=True, append_images=images[1:])


def put(content, name="cat/9.png"):
    return lambda folder: write(folder / name, content)


WRONG = {
    "another size": (
        lambda folder: save(folder / "cat" / "0.png", grey(5, 4)),
        "{}/cat/0.png: has 5 x 4 pixels, but {}/ant/a.png has 3 x 4; use images of one size",
    ),
    "a class without images": (
        lambda folder: (folder / "bee").mkdir(),
        "{}/bee: is a class folder without images; add .png, .jpg, .jpeg, .jpe, .jfif",
    ),
    "a class of other files": (put(b"x", "bee/a.npy"), "{}/bee: is a class folder without images"),
    "a class of hidden files": (put(b"x", "bee/.a.png"), "{}/bee: is a class folder without images"),
    "a text that is called png": (put(b"text"), "{}/cat/9.png: is a broken image (not PNG, JPEG"),
    "an empty image": (
        put(b""),
        "{}/cat/9.png: is a broken image (empty file); repair or remove it, or use",
    ),
    "an image without pixels": (put(png(4, 3)), "{}/cat/9.png: is a broken image ("),
    "a header that lies": (put(png(40_000, 40_000)), "{}/cat/9.png: "),
    "16 bits": (put(png(4, 3, 16, 0, bytes(27))), "{}/cat/9.png: has more than 8 bits per channel"),
    "an animation": (frames, "{}/cat/9.gif: has 3 frames; save every frame in a file of its own"),
    "a folder in a class": (
        lambda folder: save(folder / "cat" / "more" / "a.png", grey()),
        "{}/cat: is a class folder, but holds the folder more; put the images directly into",
    ),
}


@pytest.mark.parametrize(("spoil", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named(folder, spoil, words):
    spoil(folder)
    refused(lambda: import_files([folder]), words.format(folder, folder))


def test_a_bomb_is_not_unpacked(tmp_path):
    """A file of a few hundred bytes that claims gigabytes of pixels, in every slot."""
    for side, words in (
        (5000, "has 5000 x 5000 pixels, more than 16777216; scale all images down, with `resize` HxW"),
        (12_000, "has 12000 x 12000 pixels, more than 16777216; scale all images down"),
        (60_000, "has far too many pixels; scale it down"),
    ):
        for name in "ab":
            write(tmp_path / name / "i.png", png(side, side))
        refused(lambda: import_files([tmp_path]), f"{tmp_path}/a/i.png: ", words)


def test_a_folder_with_nothing_to_import_says_what_was_looked_for(tmp_path):
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "notes.txt").touch()
    refused(
        lambda: import_files([tmp_path]),
        f"{tmp_path}: holds no IDX files, arrays, CIFAR batches, tables or folders of images",
        "train-images-idx3-ubyte",
        "one folder of images or one npy file per class",
    )


def test_images_that_would_be_too_large(tmp_path):
    write(tmp_path / "pets" / "cat" / "1.png", b"never read")
    write(tmp_path / "pets" / "dog" / "1.png", b"never read")
    words = "pets: `resize` 99999x99999 makes images of 9999800001 pixels"
    refused(lambda: noted(tmp_path / "pets", resize=(99999, 99999)), words, "a smaller `resize`", status=2)
