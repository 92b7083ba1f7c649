"""The check that an image file is complete. Without it, pillow fills in some missing parts silently."""

import io
import re

_PNM = re.compile(rb"P\d(?:(?:\s|#[^\r\n]*[\r\n])+(\d+)){3}")
_SCAN, _END = b"\xff\xda", b"\xff\xd9"  # marks of the start of a scan and of the end in a JPEG


def check(image, content):
    """Raise an error if `content`, the bytes of a file, lacks a part of the image that pillow loaded from it.

    A JPEG counts as cut short if its end mark is missing, as after an interrupted download.
    """
    from PIL import Image

    if image.format == "PNG":
        with Image.open(io.BytesIO(content), formats=["PNG"]) as again:
            again.verify()  # checks all checksums, which loading does not
    elif image.format in ("JPEG", "MPO") and _END not in content[content.rfind(_SCAN) :]:
        raise ValueError("image file is truncated")
    elif image.format == "PPM":
        _check_pnm(image, content)
    elif image.format == "WEBP" and len(content) - len(content.rstrip(b"\0")) > max(16, len(content) // 8):
        raise ValueError("it ends in zeros")


def brightest(content):
    """The largest value of a channel that the header of a PBM, PGM or PPM file states."""
    return 1 if content[:2] in (b"P1", b"P4") else int(_PNM.match(content)[1])


def _check_pnm(image, content):
    """Raise an error if another image follows in a PGM or PPM file, which the formats allow."""
    if content[:2] in (b"P5", b"P6"):
        w, h = image.size
        end = _PNM.match(content).end() + 1 + w * h * len(image.getbands())
        if _PNM.match(content[end:].lstrip()):
            raise ValueError("it holds several images")
