"""Folders of images: one subfolder per class, in the order of their names, and nothing in silence."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from strag.datasets.images import read_image_folder
from strag.datasets.importing import import_files
from tests.files.makers import refused

RANDOM = np.random.default_rng(0)


def grey(h=3, w=4):
    return RANDOM.integers(0, 256, (h, w), dtype=np.uint8)


def colour(h=3, w=4):
    return RANDOM.integers(0, 256, (h, w, 3), dtype=np.uint8)


def save(path, pixels, **options):
    """Write pixels as an image and return them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def png(width, height, depth=8, kind=0, body=b""):
    """A PNG file of any claims."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    ends = chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + ends


@pytest.fixture
def folder(tmp_path):
    """Two classes of two grey images each."""
    for name in ("cat/1.png", "cat/0.png", "ant/b.png", "ant/a.png"):
        save(tmp_path / "pets" / name, grey())
    return tmp_path / "pets"


@pytest.mark.parametrize("make", [grey, colour])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".webp", ".gif"])
def test_images_are_read_as_they_were_written(tmp_path, make, suffix):
    if suffix == ".gif":  # a palette: few colours survive unchanged
        pixels = np.where(make() > 127, 255, 0).astype(np.uint8)
        written = [save(tmp_path / c / f"i{suffix}", pixels[::step]) for c, step in (("a", 1), ("b", -1))]
    else:
        options = {"lossless": True} if suffix == ".webp" else {}
        written = [save(tmp_path / c / f"i{suffix}", make(), **options) for c in "ab"]
    arrays, names = read_image_folder(tmp_path)
    np.testing.assert_array_equal(arrays["x"], written)
    assert arrays["x"].dtype == np.uint8
    assert (arrays["y"].tolist(), names) == ([0, 1], ("a", "b"))


def test_a_jpeg_is_nearly_what_was_written(tmp_path):
    smooth = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8
    for path in ("a/i.jpg", "b/i.jpeg"):
        save(tmp_path / path, smooth, quality=100)
    assert np.abs(read_image_folder(tmp_path)[0]["x"].astype(int) - smooth).max() <= 3


def test_classes_and_examples_come_in_the_order_of_their_names(folder):
    arrays, names = read_image_folder(folder)
    order = ["ant/a.png", "ant/b.png", "cat/0.png", "cat/1.png"]
    np.testing.assert_array_equal(arrays["x"], [np.asarray(Image.open(folder / name)) for name in order])
    assert (names, arrays["y"].tolist()) == (("ant", "cat"), [0, 0, 1, 1])
    assert arrays.keys() == {"x", "y"}


def test_a_data_set_with_the_names_of_its_classes(folder, monkeypatch):
    data = import_files([folder])
    assert (data.labels, data.grouping.names, data.has_test) == ("classes", ("ant", "cat"), False)
    assert (data.title, data.command) == ("pets", "strag data pets/")
    monkeypatch.chdir(folder.parent)
    assert import_files(["pets/"]).origin == data.origin


def test_train_and_test_are_a_split(folder, tmp_path):
    whole = read_image_folder(folder)[0]
    (tmp_path / "split" / "test").mkdir(parents=True)
    folder.rename(tmp_path / "split" / "train")
    tested = save(tmp_path / "split" / "test" / "cat" / "x.png", grey())
    arrays, names = read_image_folder(tmp_path / "split")
    for key in ("x", "y"):
        np.testing.assert_array_equal(arrays[key], whole[key])
    np.testing.assert_array_equal(arrays["x_test"], [tested])
    assert (arrays["y_test"].tolist(), names) == ([1], ("ant", "cat"))
    save(tmp_path / "split" / "test" / "cat" / "y.png", colour())
    arrays, _ = read_image_folder(tmp_path / "split")
    assert arrays["x"].shape == (4, 3, 4, 3)
    np.testing.assert_array_equal(arrays["x"], np.repeat(whole["x"][..., None], 3, axis=3))


def test_a_split_without_test_images(folder, tmp_path):
    whole, names = read_image_folder(folder)
    (tmp_path / "split").mkdir()
    folder.rename(tmp_path / "split" / "train")
    arrays, found = read_image_folder(tmp_path / "split")
    assert (arrays.keys(), found) == ({"x", "y"}, names)
    np.testing.assert_array_equal(arrays["x"], whole["x"])


def test_one_colour_image_makes_all_of_them_colour(folder):
    before = read_image_folder(folder)[0]["x"]
    found = save(folder / "cat" / "2.png", colour())
    after = read_image_folder(folder)[0]["x"]
    np.testing.assert_array_equal(after[:4], np.repeat(before[..., None], 3, axis=3))
    np.testing.assert_array_equal(after[4], found)
    save(folder / "dog" / "0.png", last := grey())
    np.testing.assert_array_equal(read_image_folder(folder)[0]["x"][5], np.repeat(last[..., None], 3, 2))


def test_what_is_grey(tmp_path):
    """One bit, grey with transparency, and a palette of greys, too."""
    pixels = np.where(grey() > 127, 255, 0).astype(np.uint8)
    image = Image.fromarray(pixels)
    for name, kind in {"bit": "1", "plain": "L", "clear": "LA", "palette": "P"}.items():
        (tmp_path / name).mkdir()
        image.convert(kind).save(tmp_path / name / "i.png")
    arrays, _ = read_image_folder(tmp_path)
    np.testing.assert_array_equal(arrays["x"], [pixels] * 4)


def test_transparency_is_dropped(tmp_path):
    pixels = RANDOM.integers(0, 256, (3, 4, 4), dtype=np.uint8)
    for name in "ab":
        save(tmp_path / name / "i.png", pixels)
    np.testing.assert_array_equal(read_image_folder(tmp_path)[0]["x"][0], pixels[..., :3])


def test_hidden_files_and_other_files_are_passed_over(folder):
    before = read_image_folder(folder)[0]["x"]
    (folder / "README.md").touch()
    (folder / ".DS_Store").touch()
    (folder / ".git").mkdir()
    (folder / "cat" / "Thumbs.db").touch()
    (folder / "cat" / "._0.png").write_bytes(b"mac")
    (folder / "cat" / ".ipynb_checkpoints").mkdir()
    np.testing.assert_array_equal(read_image_folder(folder)[0]["x"], before)


def write(content, name="cat/9.png"):
    def change(folder):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return change


def frames(folder):
    images = [Image.fromarray(grey()) for _ in range(3)]
    images[0].save(folder / "cat" / "9.gif", save_all=True, append_images=images[1:])


def cut_png(folder):
    path = folder / "cat" / "0.png"
    path.write_bytes(path.read_bytes()[:45])


def cut_jpeg(folder):
    path = folder / "cat" / "9.jpg"
    save(path, np.arange(12, dtype=np.uint8).reshape(3, 4) * 20)
    path.write_bytes(path.read_bytes()[:-5])


def split(folder):
    """The two classes become train, and test gets a third."""
    for name in ("ant", "cat"):
        (folder / "train").mkdir(exist_ok=True)
        (folder / name).rename(folder / "train" / name)
    save(folder / "test" / "dog" / "0.png", grey())


def empty_split(folder):
    split(folder)
    (folder / "test" / "dog" / "0.png").unlink()
    (folder / "test" / "dog").rmdir()


WRONG = {
    "another size": (
        lambda folder: save(folder / "cat" / "0.png", grey(5, 4)),
        "{}/cat/0.png: is 4 x 5 pixels, {}/ant/a.png is 4 x 3; give all images one size",
    ),
    "a class without images": (
        lambda folder: (folder / "bee").mkdir(),
        "{}/bee: is a class folder without images; give it .png, .jpg, .jpeg, .bmp, .gif or .webp files",
    ),
    "a class of other files": (write(b"x", "bee/a.tiff"), "{}/bee: is a class folder without images"),
    "a class of hidden files": (write(b"x", "bee/.a.png"), "{}/bee: is a class folder without images"),
    "a text that is called png": (write(b"text"), "{}/cat/9.png: is a broken image (no PNG, JPEG"),
    "an empty image": (write(b""), "{}/cat/9.png: is a broken image (no PNG, JPEG, BMP, GIF or WEBP)"),
    "a tiff that is called png": (
        lambda folder: Image.fromarray(grey()).save(folder / "cat" / "9.png", format="TIFF"),
        "{}/cat/9.png: is a broken image (no PNG",
    ),
    "a png cut short": (cut_png, "{}/cat/0.png: is a broken image ("),
    "a jpeg cut short": (cut_jpeg, "{}/cat/9.jpg: is a broken image (image file is truncated"),
    "an image without pixels": (write(png(4, 3)), "{}/cat/9.png: is a broken image ("),
    "a header that lies": (write(png(40_000, 40_000)), "{}/cat/9.png: "),
    "16 bits": (write(png(4, 3, 16, 0, bytes(27))), "{}/cat/9.png: has more than 8 bits per pixel"),
    "an animation": (frames, "{}/cat/9.gif: has 3 frames; save every image in a file of its own"),
    "a folder in a class": (
        lambda folder: save(folder / "cat" / "more" / "a.png", grey()),
        "{}/cat: is a class folder that holds a folder, more; put images right into",
    ),
    "an image beside the classes": (
        lambda folder: save(folder / "x.png", grey()),
        "{}: holds an image beside its class folders, x.png",
    ),
    "a test class that is not trained": (
        split,
        "{}/test/dog: is a class that the training images lack (ant, cat)",
    ),
    "a test set without classes": (empty_split, "{}/test: holds no class folders"),
    "a name that is no text": (
        write(b"", "a\nb/i.png"),
        "{}: holds the class 'a\\nb', whose name is no text",
    ),
}


@pytest.mark.parametrize(("spoil", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named(folder, spoil, words):
    spoil(folder)
    refused(lambda: import_files([folder]), words.format(folder, folder))


def test_one_class_is_none(folder):
    for path in (folder / "cat").iterdir():
        path.unlink()
    (folder / "cat").rmdir()
    refused(lambda: import_files([folder]), f"{folder}: holds one class folder only", "two classes at least")


def test_a_bomb_is_not_unpacked(tmp_path):
    """A file of a few hundred bytes that claims gigabytes of pixels, in every slot."""
    for side, words in (
        (5000, "is 5000 x 5000 pixels, more than 16777216; scale all images down"),
        (12_000, "is 12000 x 12000 pixels, more than"),
        (60_000, "has far too many pixels; scale it down"),
    ):
        for name in "ab":
            write(png(side, side), f"{name}/i.png")(tmp_path)
        refused(lambda: import_files([tmp_path]), f"{tmp_path}/a/i.png: ", words)


def test_a_folder_with_nothing_to_import_says_what_was_looked_for(tmp_path):
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "notes.txt").touch()
    refused(
        lambda: import_files([tmp_path]),
        f"{tmp_path}: holds no IDX files, CIFAR-10 batches or folders of images",
        "train-images-idx3-ubyte",
        "data_batch_1.bin, or one folder of images per class",
    )
