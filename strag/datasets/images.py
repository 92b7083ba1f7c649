"""A folder of images: one subfolder per class, or `train` and `test` with such subfolders."""

import warnings
from pathlib import Path

import numpy as np

from strag.errors import StragError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_GREY = ("1", "L", "LA")
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")  # more than 8 bits, of which pillow keeps some
_MOST = 1 << 24  # pixels of one image


def class_folders(folder):
    """The subfolders of `folder` in order of their names, without hidden ones."""
    return sorted(path for path in Path(folder).iterdir() if path.is_dir() and not _hidden(path))


def read_image_folder(folder):
    """Arrays x, y and, where `folder` is split, x_test, y_test, and the class names, sorted.

    x is uint8 [P, h, w] where all images are grey, else [P, h, w, 3]; an image with a palette, and WebP,
    is grey where its pixels are. Examples come in the order of classes and file names. Transparency
    is dropped. Raises StragError for images of different sizes,
    that are broken, too large, animated or of more than 8 bits, and for classes without images.
    """
    folders = class_folders(folder)
    parts = {path.name: path for path in folders}
    if parts.keys() in ({"train"}, {"test", "train"}):
        files, names = _files(parts["train"])
        test_files = _files(parts["test"], names)[0] if "test" in parts else []
    else:
        files, names = _files(Path(folder))
        test_files = []
    x = _stacked([path for path, _ in files + test_files])
    y = np.array([number for _, number in files + test_files], dtype=np.int64)
    P = len(files)
    arrays = {"x": x[:P], "y": y[:P]}
    if test_files:
        arrays |= {"x_test": x[P:], "y_test": y[P:]}
    return arrays, names


def _hidden(path):
    return path.name.startswith(".")


def _images_in(folder):
    files = (path for path in sorted(folder.iterdir()) if not _hidden(path) and path.is_file())
    return [path for path in files if path.suffix.lower() in SUFFIXES]


def _files(folder, known=None):
    """Pairs (path, class number) of the images in a folder of classes, and the class names."""
    loose = _images_in(folder)
    if loose:
        problem = f"holds an image beside its class folders, {loose[0].name}"
        raise StragError(problem, "put every image into the folder of its class", folder)
    folders = class_folders(folder)
    names = known or tuple(path.name for path in folders)
    if known is None and len(names) < 2:
        problem = f"holds {'one class folder only' if names else 'no class folders'}"
        raise StragError(problem, "give one folder of images per class, for two classes at least", folder)
    if known and not folders:
        raise StragError("holds no class folders", "give one folder of images per class", folder)
    files = []
    for path in folders:
        if path.name not in names:
            problem = f"is a class that the training images lack ({', '.join(names)})"
            raise StragError(problem, "give train and test the same class folders", path)
        files += [(image, names.index(path.name)) for image in _of_class(path)]
    return files, names


def _of_class(folder):
    if not folder.name.isprintable():
        problem = f"holds the class {folder.name!r}, whose name is no text"
        raise StragError(problem, "rename it", folder.parent)
    nested = class_folders(folder)
    if nested:
        problem = f"is a class folder that holds a folder, {nested[0].name}"
        remedy = "put images right into the folder of their class, and at most train and test above"
        raise StragError(problem, remedy, folder)
    images = _images_in(folder)
    if not images:
        remedy = f"give it {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} files, or remove it"
        raise StragError("is a class folder without images", remedy, folder)
    return images


def _stacked(paths):
    """All images as one array, uint8 [P, h, w] or, if any has colours, [P, h, w, 3]."""
    x = None
    for row, path in enumerate(paths):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pillow's remarks on what it can read all the same
            image = _read(path, None if x is None else (x.shape[2], x.shape[1]), paths[0])
        if x is None:
            x = np.empty((len(paths), *image.shape), np.uint8)
        elif x.ndim == 3 < 1 + image.ndim:
            x = np.repeat(x[..., None], 3, axis=3)
        x[row] = image if x.ndim == 1 + image.ndim else image[..., None]
    return x


def _read(path, size, first):
    """One image, uint8 [h, w] or [h, w, 3], of the `size` (width, height) that the `first` has."""
    from PIL import Image

    with open(path, "rb") as stream:
        try:
            with Image.open(stream, formats=_FORMATS) as image:
                _check(image, path, size, first)
                return _pixels(image)
        except StragError:
            raise
        except Image.DecompressionBombError:
            raise StragError("has far too many pixels", "scale it down", path) from None
        except Exception as error:  # a broken image makes pillow raise whatever its decoders do
            reason = type(error).__name__ if str(path) in str(error) else " ".join(str(error).split())[:80]
            if isinstance(error, Image.UnidentifiedImageError):
                reason = f"no {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"
            raise StragError(f"is a broken image ({reason})", "mend or remove it", path) from None


def _check(image, path, size, first):
    width, height = image.size
    if size and image.size != size:
        problem = f"is {width} x {height} pixels, {first} is {size[0]} x {size[1]}"
        raise StragError(problem, "give all images one size", path)
    if width * height > _MOST:
        raise StragError(f"is {width} x {height} pixels, more than {_MOST}", "scale all images down", path)
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise StragError(f"has {image.n_frames} frames", "save every image in a file of its own", path)
    if image.mode in _DEEP:
        raise StragError("has more than 8 bits per pixel", "save it with 8, or give npy files", path)


def _pixels(image):
    if image.mode in _GREY:
        return np.asarray(image.convert("L"))
    pixels = np.asarray(image.convert("RGB"))
    cannot_say = image.mode in ("P", "PA") or image.format == "WEBP"
    return pixels[..., 0] if cannot_say and (pixels == pixels[..., :1]).all() else pixels
