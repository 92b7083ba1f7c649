"""One image file: what is read is what a viewer shows, and what cannot be kept is refused."""

import errno
import os
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from strag.datasets import pixels
from strag.datasets.pixels import is_image, read_image, scaled
from strag.errors import StragError
from tests.datasets.drawing import colour, encoded, grey, png, rows, write
from tests.files.makers import refused

SMOOTH = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) * 2
NOISE, COLOURS = grey(48, 64), colour(48, 64)
ORIENTATION = 274


def read(tmp_path, content, **options):
    return read_image(write(tmp_path / "image", content), **options)[0]


DEEP = np.random.default_rng(1).integers(0, 65536, (3, 4, 4), dtype=np.uint16)


def tiff(tags, body):
    """A TIFF file of one strip; tags are {number: (type, values)} of shorts."""
    every = {256: [4], 257: [3], 259: [1], 262: [1], 273: [0], 277: [1], 278: [3], 279: [len(body)]} | tags
    start, extra = 8 + 2 + 12 * len(every) + 4, b""
    entries = b""
    for tag, values in sorted(every.items()):
        if tag == 273:
            entries += struct.pack("<HHIHH", tag, 3, 1, start + 64, 0)
        elif len(values) < 3:
            entries += struct.pack("<HHI2H", tag, 3, len(values), *(*values, 0)[:2])
        else:
            entries += struct.pack("<HHII", tag, 3, len(values), start + len(extra))
            extra += struct.pack(f"<{len(values)}H", *values)
    return (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", len(every))
        + entries
        + bytes(4)
        + extra.ljust(64, b"\0")
        + body
    )


TOO_DEEP = {
    **{
        f"png of kind {kind}": png(4, 3, 16, kind, rows(DEEP[..., :n]))
        for kind, n in enumerate((1, 0, 3, 0, 2, 0, 4))
        if n
    },
    "grey tiff": encoded(DEEP[..., 0], "TIFF"),
    "colour tiff": tiff({258: [16, 16, 16], 262: [2], 277: [3]}, DEEP[..., :3].tobytes()),
    "tiff of 32 bits": encoded(DEEP[..., 0].astype(np.int32), "TIFF"),
    "tiff of fractions": encoded(DEEP[..., 0].astype(np.float32), "TIFF"),
    "pgm": b"P5 4 3 65535\n" + DEEP[..., 0].tobytes(),
    "pgm of 9 bits": b"P5\n# deep\n4 3\n256\n" + DEEP[..., 0].tobytes(),
    "ppm": b"P6 4 3 65535\n" + DEEP[..., :3].tobytes(),
    "plain ppm": b"P3 4 3 1023\n" + b"1000 " * 36,
}


@pytest.mark.parametrize("content", TOO_DEEP.values(), ids=TOO_DEEP.keys())
def test_more_than_8_bits_are_refused(tmp_path, content):
    refused(
        lambda: read(tmp_path, content),
        "image: has more than 8 bits per channel; save it with 8 bits, or pass",
    )


def test_a_pgm_of_fractions_is_refused(tmp_path):
    """Older versions of pillow know none, newer ones read it."""
    content = b"Pf 4 3 -1.0\n" + DEEP[..., 0].astype("<f4").tobytes()
    assert "NoneType" not in refused(lambda: read(tmp_path, content), "image: ")


def test_a_tiff_says_what_its_channels_mean(tmp_path):
    pixels = grey()
    np.testing.assert_array_equal(read(tmp_path, tiff({258: [8]}, pixels.tobytes())), pixels)
    np.testing.assert_array_equal(read(tmp_path, tiff({258: [8], 262: [0]}, pixels.tobytes())), 255 - pixels)
    refused(lambda: read(tmp_path, tiff({258: [8], 339: [2]}, pixels.tobytes())), "has signed pixel values")
    fourth = {258: [8] * 4, 262: [2], 277: [4], 338: [0]}
    refused(lambda: read(tmp_path, tiff(fourth, bytes(48))), "has a channel that is not grey")
    lab = {258: [8] * 3, 262: [8], 277: [3]}
    refused(lambda: read(tmp_path, tiff(lab, bytes(36))), "transparency; save it as grey or RGB")


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "JPEG"])
def test_an_image_is_turned_as_viewers_do(tmp_path, kind, turn):
    """A picture with a light corner at its left and top, stored in each of the eight ways."""
    upright = np.zeros((16, 32), np.uint8)
    upright[:8, :8] = 250
    undo = {6: 8, 8: 6}.get(turn, turn)
    tag = Image.Exif()
    tag[ORIENTATION] = undo
    image = Image.fromarray(upright)
    image.getexif()[ORIENTATION] = undo
    stored = ImageOps.exif_transpose(image)
    tag[ORIENTATION] = turn
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind == "JPEG" else {}
    content = encoded(stored, kind, exif=tag, **options)
    pixels, turned = read_image(write(tmp_path / "image", content))
    assert (pixels.shape, turned) == ((16, 32), turn > 1)
    assert np.abs(pixels.astype(int) - upright).max() <= 3


@pytest.mark.parametrize("value", [0, 9, 77])
def test_an_orientation_of_no_meaning_turns_nothing(tmp_path, value):
    tag = Image.Exif()
    tag[ORIENTATION] = value
    pixels, turned = read_image(write(tmp_path / "image", encoded(SMOOTH, "PNG", exif=tag)))
    np.testing.assert_array_equal(pixels, SMOOTH)
    assert not turned


def test_exif_that_cannot_be_read_turns_nothing(tmp_path):
    content = encoded(SMOOTH, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    assert read_image(write(tmp_path / "image", content))[0].shape == SMOOTH.shape


def with_alpha(alpha):
    """Every way in which pixels with this alpha, 0 or 255, are stored without a loss."""
    a = np.where(alpha, 255, 0).astype(np.uint8)
    shade = np.where(alpha, NOISE % 100 + 100, 7).astype(np.uint8)
    rgba = np.dstack([shade, shade, shade, a])
    palette = Image.fromarray(shade).convert("P")
    grey_alpha = np.dstack([shade, a])
    yield "RGBA", encoded(rgba, "PNG"), shade
    yield "LA", encoded(grey_alpha, "PNG"), shade
    yield "WebP", encoded(rgba, "WEBP", lossless=True, exact=True), shade
    yield "TIFF", encoded(rgba, "TIFF"), shade
    yield "L", encoded(shade, "PNG", transparency=7), shade
    yield "RGB", encoded(np.dstack([shade] * 3), "PNG", transparency=(7, 7, 7)), shade
    yield "P", encoded(palette, "PNG", transparency=7), shade
    yield "P, bytes", encoded(palette, "PNG", transparency=b"\xff" * 7 + b"\0"), shade
    yield "GIF", encoded(palette, "GIF", transparency=7), shade
    bit = Image.fromarray(np.where(alpha, 255, 0).astype(np.uint8)).convert("1")
    yield "1", encoded(bit, "PNG", transparency=0), np.full(alpha.shape, 255)


def test_transparent_pixels_are_refused_or_laid_on_a_background(tmp_path):
    alpha = NOISE > 90
    kinds = 0
    for name, content, shade in with_alpha(alpha):
        refused(
            lambda content=content: read(tmp_path, content),
            "image: has transparent pixels; use `background`",
        )
        for background in (0, 33, 255):
            found = read(tmp_path, content, background=background)
            expected = np.where(alpha, shade, background)
            found = found if found.ndim == 2 else found[..., 1]
            np.testing.assert_array_equal(found, expected, err_msg=name)
        kinds += 1
    assert kinds == 10


def test_an_alpha_that_hides_nothing_is_as_if_it_were_not_there(tmp_path):
    for name, content, shade in with_alpha(np.ones(NOISE.shape, bool)):
        for options in ({}, {"background": 0}):
            found = read(tmp_path, content, **options)
            np.testing.assert_array_equal(found if found.ndim == 2 else found[..., 0], shade, err_msg=name)


def test_half_transparent_pixels_are_half_of_the_background(tmp_path):
    pixels = np.dstack([COLOURS, NOISE])
    found = read(tmp_path, encoded(pixels, "PNG"), background=100)
    share = NOISE[..., None] / 255
    np.testing.assert_allclose(found, COLOURS * share + 100 * (1 - share), atol=0.51)


FRAMES = [Image.fromarray(grey()).convert("RGB") for _ in range(3)]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_several_frames_are_refused(tmp_path, kind):
    content = encoded(FRAMES[0], kind, save_all=True, append_images=FRAMES[1:])
    refused(lambda: read(tmp_path, content), "image: has 3 frames; save every frame in a file of its own")


def test_what_is_no_file_says_what_it_is(tmp_path):
    os.symlink("nowhere", tmp_path / "link")
    refused(lambda: read_image(tmp_path / "link"), "link: is a broken image (broken link); repair or")
    refused(lambda: read_image(tmp_path / "none"), "none: is a broken image (no such file)")
    refused(lambda: read(tmp_path, b""), "is a broken image (empty file)")
    refused(
        lambda: read(tmp_path, b"text"), "is a broken image (not PNG, JPEG, BMP, GIF, WebP, TIFF, PGM or PPM)"
    )
    refused(lambda: read(tmp_path, png(4, 3)[:20]), "is a broken image (")


@pytest.mark.parametrize(
    "content",
    [
        b"BMW and Audi are cars of many kinds",
        b"P1 is a name, P2 another",
        b"II be or not II be",
        b"GIF89",
        b"",
    ],
)
def test_a_text_is_no_image(tmp_path, content):
    assert not is_image(write(tmp_path / "notes.txt", content))
    assert is_image(write(tmp_path / "notes.JPE", content))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(9, 12), (9, 12, 1), (9, 12, 3), (9, 12, 4)])
def test_the_laws_of_scaling(shape, dtype):
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    np.testing.assert_array_equal(scaled(pixels, 9, 12), pixels)
    for h, w in ((3, 4), (20, 5), (1, 1), (9, 40)):
        found = scaled(pixels, h, w)
        assert (found.shape, found.dtype) == ((h, w, *shape[2:]), dtype)
        assert pixels.min() <= found.min()
        assert found.max() <= pixels.max()
        np.testing.assert_allclose(
            scaled(pixels[:, ::-1], h, w), found[:, ::-1], atol=1e-3 if dtype == np.float32 else 1
        )
        assert (scaled(np.full(shape, 77, dtype), h, w) == 77).all()
    for channel in range(len(shape) - 2 and shape[2]):
        np.testing.assert_array_equal(scaled(pixels, 5, 7)[..., channel], scaled(pixels[..., channel], 5, 7))


def test_scaling_averages_what_a_pixel_covers():
    """A line two pixels wide in ten does not vanish, as it would if every fifth pixel were taken."""
    lines = np.zeros((40, 40), np.float32)
    lines[:, 2::10] = lines[:, 3::10] = 100
    small = scaled(lines, 4, 4)
    np.testing.assert_allclose(small.mean(), 20, rtol=0.1)
    assert small.min() > 10
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 30, 20)).astype(np.float32)
    np.testing.assert_allclose(scaled(2 * a - b, 7, 9), 2 * scaled(a, 7, 9) - scaled(b, 7, 9), atol=1e-5)


def test_most_pixels(tmp_path):
    with pytest.raises(
        StragError, match="has 48 x 64 pixels, more than 3000; scale all images down, with `resize`"
    ):
        read(tmp_path, encoded(NOISE, "PNG"), most=3000)
    np.testing.assert_array_equal(read(tmp_path, encoded(NOISE, "PNG"), most=64 * 48), NOISE)


def test_an_image_that_may_not_be_read_is_not_broken(tmp_path, monkeypatch):
    def locked(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    path = write(tmp_path / "i.png", encoded(grey(), "PNG"))
    monkeypatch.setattr(pixels, "open", locked, raising=False)
    with pytest.raises(StragError) as caught:
        read_image(path)
    assert not isinstance(caught.value, pixels.BrokenImageError)
    assert str(caught.value) == f"{path}: cannot be read: Permission denied; change its permissions"


def test_the_size_of_an_image_that_is_made():
    pixels.check_size(4096, 4096)
    words = "`resize` 4096x4097 makes images of 16781312 pixels, more than 16777216; use a smaller `resize`"
    refused(lambda: pixels.check_size(4096, 4097), words, status=2)
