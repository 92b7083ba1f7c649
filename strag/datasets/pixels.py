"""The pixels of one image file, as every viewer shows them, and in another size."""

import contextlib
import io
import os
import re
import warnings

import numpy as np

from strag.datasets import intact
from strag.errors import StragError, bad_usage
from strag.words import reason_of

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".bmp", ".gif", ".webp"),
    *(".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm"),
)
KINDS = "PNG, JPEG, BMP, GIF, WebP, TIFF, PGM or PPM"
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
MOST = 1 << 24  # pixels of one image that is stored as it is
MOST_SCALED = 1 << 27  # pixels of one image that is scaled
_LARGEST = 1 << 30  # bytes of one file
_MAGIC = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP|II[*+]\0|MM\0[*+]"
    rb"|BM.{4}\0{4}.{2}\0\0[\x0c-\x7c]\0\0\0|P[1-6]\s+(#[^\r\n]*[\r\n]\s*)*\d",
    re.DOTALL,
)
_GREY = ("1", "L", "LA", "La")
_COLOURS = ("P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr")
_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_BITS, _EXTRA, _SAMPLES, _TURN = 258, 338, 339, 274  # tags of TIFF, of which EXIF has the last


class BrokenImageError(StragError):
    """A file that is no whole image. reason : what is wrong with it, in a few words."""

    def __init__(self, reason, source):
        super().__init__(f"is a broken image ({reason})", "mend or remove it, or give --skip-broken", source)
        self.reason = reason


def is_image(path):
    """Whether a regular file says that it is an image, by its suffix or else by its first bytes."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with open(path, "rb") as stream:
            return _MAGIC.match(stream.read(512)) is not None
    except OSError:  # which whoever reads it tells
        return True


def check_size(h, w):
    """Refuse --resize to images of more than MOST pixels."""
    if h * w > MOST:
        problem = f"--resize {h}x{w} makes images of {h * w} pixels, more than {MOST}"
        raise bad_usage(problem, "give a smaller --resize")


def scaled(pixels, h, w):
    """An image, uint8 or float32 [H, W] or [H, W, channels], in h x w pixels; itself where it has that size.

    Each channel by itself, bilinear over all pixels that a new one covers, so that no value lies beyond those
    that were there, as it would with a filter of sharper edges. Sides are scaled independently.
    """
    from PIL import Image

    if pixels.shape[:2] == (h, w):
        return pixels
    if pixels.ndim == 3:
        return np.stack([scaled(pixels[..., one], h, w) for one in range(pixels.shape[2])], axis=2)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((w, h), Image.Resampling.BILINEAR))


def read_image(path, background=None, most=MOST, content=None):
    """The pixels of an image file, and whether they were turned.

    Pixels are uint8 [h, w] of a grey image, else [h, w, 3]; an image with a palette, and WebP, is grey where
    its pixels are. They are turned as their EXIF orientation says. Colour profiles are ignored; CMYK becomes
    RGB.

    background : grey value that a transparent image is laid on. most : pixels that it may have. content : its
    bytes, where it is no file but what the path is called.

    Raises BrokenImageError, and StragError for what has more than 8 bits per channel, several frames, too
    many pixels, or, without a background, a pixel that is transparent.
    """
    from PIL import Image

    try:
        content = _content(path) if content is None else content
        with warnings.catch_warnings(), _hushed(content):
            warnings.simplefilter("ignore")  # pillow's remarks on what it can read all the same
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                _check(image, content, path, most)
                turn = _turn(image)
                image.load()
                intact.check(image, content)
                return _pixels(_upright(image, turn), background, path), turn > 1
    except (StragError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise StragError("has far too many pixels", "scale it down", path) from None
    except Exception as error:  # a broken image makes pillow raise whatever its decoders do
        raise BrokenImageError(_reason(error, content), path) from None


def _content(path):
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > _LARGEST:
                raise StragError(f"has {size} bytes, too many for one image", "scale it down", path)
            content = stream.read()
    except FileNotFoundError:
        raise BrokenImageError("a link to nothing" if os.path.islink(path) else "gone", path) from None
    except PermissionError as error:
        raise StragError(f"cannot be read: {error.strerror}", "change its permissions", path) from None
    if not content:
        raise BrokenImageError("an empty file", path)
    return content


@contextlib.contextmanager
def _hushed(content):
    """Keep libtiff, which writes on stderr by itself, from doing so."""
    if content[:2] not in (b"II", b"MM"):
        yield
        return
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _reason(error, content):
    if type(error).__name__ == "UnidentifiedImageError":
        return "its header cannot be read" if _MAGIC.match(content or b"") else f"no {KINDS}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return reason_of(error)


def _check(image, content, path, most):
    width, height = image.size
    if width * height > most:
        remedy = "scale all images down" + (", with --resize HxW" if width * height <= MOST_SCALED else "")
        raise StragError(f"is {width} x {height} pixels, more than {most}", remedy, path)
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise StragError(f"has {image.n_frames} frames", "save every image in a file of its own", path)
    tags = getattr(image, "tag_v2", {})
    deep = image.mode[0] in "IF" or max(tags.get(_BITS, (1,))) > 8
    deep = deep or (image.format == "PNG" and content[24] > 8)
    if deep or (image.format == "PPM" and intact.brightest(content) > 255):
        raise StragError("has more than 8 bits per channel", "save it with 8, or give npy files", path)
    if set(tags.get(_SAMPLES, (1,))) != {1}:
        raise StragError("has pixels below 0", "save it with values of 0 to 255", path)
    if 0 in tags.get(_EXTRA, ()) or image.mode not in _GREY + _COLOURS:
        problem = "has a channel that is no grey, red, green, blue or transparency"
        raise StragError(problem, "save it as grey or RGB", path)


def _turn(image):
    """The EXIF orientation, 1 to 8; 1 where there is none, or none that can be read."""
    with contextlib.suppress(Exception):
        turn = image.getexif().get(_TURN, 1)
        return turn if turn in range(1, 9) else 1
    return 1


def _upright(image, turn):
    from PIL import ImageOps

    if turn > 1 and image.format != "TIFF":  # which pillow turns by itself
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _pixels(image, background, path):
    cannot_say = image.mode in ("P", "PA") or image.format == "WEBP"
    grey = image.mode in _GREY
    if image.mode in _ALPHA or "transparency" in image.info:
        image = _opaque(image, "L" if grey else "RGB", background, path)
    wanted = "L" if grey else "RGB"
    pixels = np.asarray(image if image.mode == wanted else image.convert(wanted))
    return pixels[..., 0] if cannot_say and (pixels == pixels[..., :1]).all() else pixels


def _opaque(image, mode, background, path):
    """The image without its alpha channel, laid on the background where that is not opaque."""
    from PIL import Image

    straight = image.convert("LA" if mode == "L" and image.mode in ("LA", "La") else "RGBA")
    alpha = straight.getchannel("A")
    colours = straight.convert(mode)
    if alpha.getextrema() == (255, 255):
        return colours
    if background is None:
        remedy = "give --background 0 to 255, the grey that they are laid on"
        raise StragError("has transparent pixels", remedy, path)
    ground = Image.new(mode, image.size, background if mode == "L" else (background,) * 3)
    ground.paste(colours, mask=alpha)
    return ground
