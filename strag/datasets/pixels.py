"""The pixels of one image file, as an image viewer shows them, and their scaling to another size."""

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
MOST = 1 << 24  # largest number of pixels of an image that is stored
MOST_SCALED = 1 << 27  # largest number of pixels of an image that is scaled down first
_LARGEST = 1 << 30  # largest number of bytes of a file
_MAGIC = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP|II[*+]\0|MM\0[*+]"
    rb"|BM.{4}\0{4}.{2}\0\0[\x0c-\x7c]\0\0\0|P[1-6]\s+(#[^\r\n]*[\r\n]\s*)*\d",
    re.DOTALL,
)
_GREY = ("1", "L", "LA", "La")
_COLOURS = ("P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr")
_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_BITS, _EXTRA, _SAMPLES, _TURN = 258, 338, 339, 274  # tags of TIFF; the last is also one of EXIF


class BrokenImageError(StragError):
    """A file that is not a complete image. reason : what is wrong with it, in a few words."""

    def __init__(self, reason, source):
        remedy = "repair or remove it, or use `skip_broken`"
        super().__init__(f"is a broken image ({reason})", remedy, source)
        self.reason = reason


def is_image(path):
    """Whether a regular file is an image, by its suffix or else by its first bytes."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with open(path, "rb") as stream:
            return _MAGIC.match(stream.read(512)) is not None
    except OSError:  # reading the image reports the error
        return True


def check_size(h, w):
    """Raise StragError if images of h x w pixels have more than MOST pixels."""
    if h * w > MOST:
        problem = f"`resize` {h}x{w} makes images of {h * w} pixels, more than {MOST}"
        raise bad_usage(problem, "use a smaller `resize`")


def scaled(pixels, h, w):
    """An image scaled to h x w pixels; the image itself if it has that size.

    pixels : uint8 or float32 [H, W] or [H, W, channels].

    Height, width and channels are scaled independently. A new pixel is the average, with bilinear weights, of
    all pixels that it covers, so that no new value is outside the range of the old values. Sharper filters do
    not guarantee that.
    """
    from PIL import Image

    if pixels.shape[:2] == (h, w):
        return pixels
    if pixels.ndim == 3:
        channels = [scaled(pixels[..., channel], h, w) for channel in range(pixels.shape[2])]
        return np.stack(channels, axis=2)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((w, h), Image.Resampling.BILINEAR))


def read_image(path, background=None, most=MOST, content=None):
    """The pixels of an image file, and whether they were rotated or mirrored by their EXIF orientation.

    Pixels are uint8, [h, w] for a grey image, else [h, w, 3]. An image with a palette, or in WebP, is grey if
    all its pixels are. Colour profiles are ignored; CMYK becomes RGB.

    path : the file, or the name of the image in errors. background : grey value behind a transparent image.
    most : largest number of pixels. content : the bytes of the image, or None to read the file.

    Raises BrokenImageError for an incomplete or unreadable image, and StragError for more than 8 bits per
    channel, several frames, too many pixels, and, without a background, transparent pixels.
    """
    from PIL import Image

    try:
        content = _content(path) if content is None else content
        with warnings.catch_warnings(), _hushed(content):
            warnings.simplefilter("ignore")  # pillow warns about images that it can read
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
    except Exception as error:  # the decoders of pillow raise many kinds of errors for a broken image
        raise BrokenImageError(_reason(error, content), path) from None


def _content(path):
    """The bytes of an image file."""
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > _LARGEST:
                raise StragError(f"has {size} bytes, too many for one image", "scale it down", path)
            content = stream.read()
    except FileNotFoundError:
        raise BrokenImageError("broken link" if os.path.islink(path) else "no such file", path) from None
    except PermissionError as error:
        raise StragError(f"cannot be read: {error.strerror}", "change its permissions", path) from None
    if not content:
        raise BrokenImageError("empty file", path)
    return content


@contextlib.contextmanager
def _hushed(content):
    """Context in which stderr is closed for a TIFF file, because libtiff writes its warnings there."""
    if content[:2] not in (b"II", b"MM"):
        yield
        return
    try:
        kept = os.dup(2)
    except OSError:  # stderr is closed already
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
    """What is wrong with a broken image, from an error of pillow."""
    if type(error).__name__ == "UnidentifiedImageError":
        return "unreadable header" if _MAGIC.match(content or b"") else f"not {KINDS}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return reason_of(error)


def _check(image, content, path, most):
    """Raise StragError for an image that cannot be stored as uint8 grey or RGB."""
    width, height = image.size
    if width * height > most:
        remedy = "scale all images down" + (", with `resize` HxW" if width * height <= MOST_SCALED else "")
        raise StragError(f"has {height} x {width} pixels, more than {most}", remedy, path)
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise StragError(f"has {image.n_frames} frames", "save every frame in a file of its own", path)
    tags = getattr(image, "tag_v2", {})
    deep = image.mode[0] in "IF" or max(tags.get(_BITS, (1,))) > 8
    deep = deep or (image.format == "PNG" and content[24] > 8)
    if deep or (image.format == "PPM" and intact.brightest(content) > 255):
        remedy = "save it with 8 bits, or pass npy files"
        raise StragError("has more than 8 bits per channel", remedy, path)
    if set(tags.get(_SAMPLES, (1,))) != {1}:
        raise StragError("has signed pixel values", "save it with values from 0 to 255", path)
    if 0 in tags.get(_EXTRA, ()) or image.mode not in _GREY + _COLOURS:
        problem = "has a channel that is not grey, red, green, blue or transparency"
        raise StragError(problem, "save it as grey or RGB", path)


def _turn(image):
    """The EXIF orientation, 1 to 8; 1, which is upright, if it is missing or cannot be read."""
    with contextlib.suppress(Exception):
        turn = image.getexif().get(_TURN, 1)
        return turn if turn in range(1, 9) else 1
    return 1


def _upright(image, turn):
    """The image, rotated or mirrored in place by its EXIF orientation."""
    from PIL import ImageOps

    if turn > 1 and image.format != "TIFF":  # pillow has already rotated a TIFF
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _pixels(image, background, path):
    """The pixels of a loaded image; see `read_image`."""
    mode_unknown = image.mode in ("P", "PA") or image.format == "WEBP"
    grey = image.mode in _GREY
    if image.mode in _ALPHA or "transparency" in image.info:
        image = _opaque(image, "L" if grey else "RGB", background, path)
    wanted = "L" if grey else "RGB"
    pixels = np.asarray(image if image.mode == wanted else image.convert(wanted))
    return pixels[..., 0] if mode_unknown and (pixels == pixels[..., :1]).all() else pixels


def _opaque(image, mode, background, path):
    """The image without its alpha channel, in `mode`, with the background behind transparent pixels."""
    from PIL import Image

    straight = image.convert("LA" if mode == "L" and image.mode in ("LA", "La") else "RGBA")
    alpha = straight.getchannel("A")
    colours = straight.convert(mode)
    if alpha.getextrema() == (255, 255):
        return colours
    if background is None:
        remedy = "use `background`, a grey value from 0 to 255"
        raise StragError("has transparent pixels", remedy, path)
    ground = Image.new(mode, image.size, background if mode == "L" else (background,) * 3)
    ground.paste(colours, mask=alpha)
    return ground
