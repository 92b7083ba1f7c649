"""Image files for tests, good and bad ones."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

RANDOM = np.random.default_rng(0)


def grey(h=3, w=4):
    return RANDOM.integers(0, 256, (h, w), dtype=np.uint8)


def colour(h=3, w=4):
    return RANDOM.integers(0, 256, (h, w, 3), dtype=np.uint8)


def encoded(pixels, kind, **options):
    """The bytes of an image of an array or of pillow."""
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(stream, kind, **options)
    return stream.getvalue()


def save(path, pixels, kind=None, **options):
    """Write pixels as an image and return them."""
    kind = kind or Image.registered_extensions()[path.suffix.lower()]
    write(path, encoded(pixels, kind, **options))
    return pixels


def write(path, content=b""):
    """Write a file, with the folders above it; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def chunk(name, content):
    """A chunk of a PNG file, with its checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width, height, depth=8, kind=0, body=b"", packed=None):
    """A PNG file of any claims, with the rows in `body`."""
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(body) if packed is None else packed)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def rows(pixels):
    """An array as the rows of a PNG file, 16-bit ones in network order."""
    order = pixels.astype(pixels.dtype.newbyteorder(">"))
    return b"".join(b"\0" + row.tobytes() for row in order)


def run_length_bmp(h=12, w=20):
    """A BMP file with rows of one value each, as it packs them."""
    body = b"".join(bytes([w, value % 256]) + b"\0\0" for value in range(h)) + b"\0\1"
    palette = b"".join(bytes([value] * 3 + [0]) for value in range(256))
    start = 14 + 40 + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start)
    return head + struct.pack("<IiiHHIIiiII", 40, w, h, 1, 8, 1, len(body), 0, 0, 256, 0) + palette + body
