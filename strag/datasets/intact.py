"""Whether an image file is whole, where pillow would fill what is missing in silence."""

import io
import re

_PNM = re.compile(rb"P\d(?:(?:\s|#[^\r\n]*[\r\n])+(\d+)){3}")
_SCAN, _END = b"\xff\xda", b"\xff\xd9"  # marks in a JPEG


def check(image, content):
    """Raise an error where `content`, of which pillow has loaded an image, lacks a part of it.

    What a JPEG lacks is seen where its end mark is missing, as after a download that broke off.
    """
    from PIL import Image

    if image.format == "PNG":
        with Image.open(io.BytesIO(content), formats=["PNG"]) as again:
            again.verify()  # the checksums, of which loading leaves some out
    elif image.format in ("JPEG", "MPO") and _END not in content[content.rfind(_SCAN) :]:
        raise ValueError("image file is truncated")
    elif image.format == "PPM":
        _check_pnm(image, content)
    elif image.format == "WEBP" and len(content) - len(content.rstrip(b"\0")) > max(16, len(content) // 8):
        raise ValueError("its end is nothing but zeros")


def brightest(content):
    """What a PBM, PGM or PPM calls the largest value of a channel."""
    return 1 if content[:2] in (b"P1", b"P4") else int(_PNM.match(content)[1])


def _check_pnm(image, content):
    """No further image follows, as it may in a stream of them."""
    if content[:2] in (b"P5", b"P6"):
        w, h = image.size
        end = _PNM.match(content).end() + 1 + w * h * len(image.getbands())
        if _PNM.match(content[end:].lstrip()):
            raise ValueError("another image follows in it")
