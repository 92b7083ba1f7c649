"""Whether an image file is whole: what is missing is never filled in silence."""

import zlib

import numpy as np
import pytest
from PIL import Image

from strag.datasets.pixels import BrokenImageError, is_image, read_image
from tests.datasets.drawing import colour, encoded, grey, png, rows, run_length_bmp, write
from tests.files.makers import refused

SMOOTH = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) * 2
RANDOM = np.random.default_rng(0)
NOISE = RANDOM.integers(0, 256, (48, 64), dtype=np.uint8)
COLOURS = RANDOM.integers(0, 256, (48, 64, 3), dtype=np.uint8)


def plain(pixels, kind):
    values = " ".join(map(str, pixels.ravel())).encode()
    top = b"" if kind == 1 else b"255\n"
    return b"P%d\n# a comment\n%d %d\n" % (kind, pixels.shape[1], pixels.shape[0]) + top + values + b"\n"


WHOLE = {
    f"{name} {kind} {options}": encoded(pixels, kind, **options)
    for name, pixels in {"smooth": SMOOTH, "noise": NOISE, "colours": COLOURS}.items()
    for kind, options in [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"restart_marker_rows": 1}),
        ("GIF", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        ("PPM", {}),
        *[("TIFF", {"compression": one}) for one in (None, "tiff_lzw", "tiff_deflate", "packbits", "jpeg")],
    ]
}
WHOLE |= {
    "fax": encoded(Image.fromarray(NOISE).convert("1"), "TIFF", compression="group4"),
    "pbm": encoded(Image.fromarray(NOISE).convert("1"), "PPM"),
    "plain pbm": plain(NOISE // 128, 1),
    "plain pgm": plain(NOISE, 2),
    "plain ppm": plain(COLOURS, 3),
    "dark pgm": b"P5 64 48 100\n" + (NOISE % 101).tobytes(),
    "run-length bmp": run_length_bmp(),
}


def read(tmp_path, content, **options):
    return read_image(write(tmp_path / "image", content), **options)[0]


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE.keys())
def test_a_file_cut_short_is_refused_or_equals_the_whole_one(tmp_path, content, capfd):
    whole = read(tmp_path, content)
    assert is_image(tmp_path / "image")
    broken = 0
    for share in (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, 0.99):
        try:
            found = read(tmp_path, content[: int(share * len(content))])
            np.testing.assert_array_equal(found, whole)
        except BrokenImageError:
            broken += 1
    assert broken >= 6
    assert capfd.readouterr() == ("", "")  # libtiff has a voice of its own


@pytest.mark.parametrize("name", [name for name in WHOLE if "PNG" in name or "JPEG" in name])
def test_a_file_whose_end_was_never_filled_is_refused(tmp_path, name):
    for share in (0.5, 0.9):
        kept = int(share * len(WHOLE[name]))
        content = WHOLE[name][:kept] + bytes(len(WHOLE[name]) - kept)
        with pytest.raises(BrokenImageError):
            read(tmp_path, content)


def test_half_of_a_webp_that_was_never_filled_is_refused(tmp_path):
    for name in ("noise WEBP {}", "noise WEBP {'lossless': True}"):
        half = len(WHOLE[name]) // 2
        with pytest.raises(BrokenImageError):
            read(tmp_path, WHOLE[name][:half] + bytes(len(WHOLE[name]) - half))
    black = encoded(np.zeros((512, 512), np.uint8), "WEBP", quality=0)
    assert not read(tmp_path, black).any()


PACKED = zlib.compress(rows(NOISE))
WRONG_PNG = {
    "half a stream": (png(64, 48, packed=PACKED[: len(PACKED) // 2]), "truncated"),
    "another bit": (png(64, 48, packed=PACKED).replace(PACKED[600:604], bytes(4)), ""),
    "a wrong checksum": (png(64, 48, packed=PACKED)[:-20] + bytes(4) + png(64, 48)[-16:], ""),
    "no end": (png(64, 48, packed=PACKED)[:-12], "truncated"),
}


@pytest.mark.parametrize(("content", "words"), WRONG_PNG.values(), ids=WRONG_PNG.keys())
def test_a_png_that_lacks_something_is_refused(tmp_path, content, words):
    np.testing.assert_array_equal(read(tmp_path, png(64, 48, packed=PACKED)), NOISE)
    refused(lambda: read(tmp_path, content), "is a broken image (", words)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_what_follows_an_image_does_not_matter(tmp_path, kind):
    content = encoded(SMOOTH, kind)
    np.testing.assert_array_equal(read(tmp_path, content + b"garbage" * 9), read(tmp_path, content))


@pytest.mark.parametrize(
    "options", [{"quality": 1}, {"quality": 30, "progressive": True}, {"optimize": True}]
)
@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (17, 33), (300, 400)])
def test_a_whole_jpeg_is_never_taken_for_a_broken_one(tmp_path, shape, options):
    for pixels in (
        grey(*shape),
        colour(*shape),
        np.zeros(shape, np.uint8),
        np.full((*shape, 3), 200, np.uint8),
    ):
        for extra in ({}, {"subsampling": 0}, {"restart_marker_blocks": 3}, {"comment": b"\xff\xd9\xff\xda"}):
            content = encoded(pixels, "JPEG", **options, **extra)
            with Image.open(write(tmp_path / "expected", content)) as image:
                np.testing.assert_array_equal(read(tmp_path, content), np.asarray(image))


def test_a_second_image_in_a_stream_is_refused(tmp_path):
    one = encoded(grey(), "PPM")
    refused(lambda: read(tmp_path, one + one), "is a broken image (it holds several images)")
