"""A folder of images as examples: one folder per class, or folders such as `train` and `test` with these."""

from pathlib import Path

import numpy as np

from strag.datasets.folders import ImageFiles, class_folders
from strag.datasets.imported import Form, Imported
from strag.datasets.pixels import MOST, MOST_SCALED, BrokenImageError, read_image, scaled
from strag.errors import StragError, bad_usage
from strag.words import amount, number_of, some_of


def read_image_folder(folder, reading):
    """The Imported of a folder of images, whose labels are the names of the class folders.

    x is uint8 [P, h, w] where all images are grey, else [P, h, w, 3]. Examples come in the order of
    `ImageFiles`; their names are the paths below the folder. `read_image` says how a file becomes pixels.
    Raises StragError for images of different sizes without `reading.resize`, for those that cannot be read,
    for all at once that are broken without `reading.skip_broken`, and for classes without images.
    """
    folder = Path(folder)
    if reading.background is not None and not 0 <= reading.background <= 255:
        raise bad_usage("--background is no grey value", "give a whole number from 0 to 255", folder)
    found = ImageFiles.of(folder)
    images = _Images(len(found.train) + len(found.test or ()), reading)
    try:
        train = images.add(found.train)
        test = images.add(found.test or [])
    except MemoryError:
        raise StragError("has more pixels than fit in memory", "give --resize HxW", folder) from None
    notes = found.notes
    if images.broken:
        notes.append(_left_out(images.broken, folder, reading.skip_broken))
    for pairs, kept in ((found.train, train), (found.test or [], test)):
        _check_classes(pairs, kept)
    if images.turned:
        notes.append(f"turned {number_of(images.turned, 'image')} as the EXIF orientation says")
    P, rows = len(train), len(train) + len(test)
    x, y = images.x, [np.array([name for _, name in pairs]) for pairs in (train, test)]
    return Imported(
        x=x[:P],
        y=y[0],
        x_test=x[P:rows] if test else None,
        y_test=y[1] if test else None,
        names=[path.relative_to(folder).as_posix() for path, _ in train],
        notes=notes,
    )


class _Images:
    """Images of one size, one after the other, in one array that has colours as soon as one of them has."""

    def __init__(self, most, reading):
        self.most, self.reading = most, reading
        self.x = self.first = None
        self.row = self.turned = 0
        self.broken = []

    def add(self, pairs):
        """Read the images of pairs (path, class); the pairs of which the image is not broken."""
        kept = []
        for pair in pairs:
            try:
                pixels, turned = read_image(
                    pair[0], self.reading.background, MOST_SCALED if self.reading.resize else MOST
                )
            except BrokenImageError as error:
                self.broken.append(error)
                continue
            self._keep(scaled(pixels, *self.reading.resize) if self.reading.resize else pixels, pair[0])
            self.turned += turned
            kept.append(pair)
        return kept

    def _keep(self, pixels, path):
        size = pixels.shape[:2]
        if self.x is None:
            self.first = path
            self.x = self._room(pixels.shape)
        if self.x.shape[1:3] != size:
            (h, w), (first_h, first_w) = size, self.x.shape[1:3]
            problem = f"is {w} x {h} pixels, {self.first} is {first_w} x {first_h}"
            raise StragError(problem, "give all images one size, or give --resize HxW", path)
        if self.x.ndim == 3 < 1 + pixels.ndim:
            grey, self.x = self.x, self._room(pixels.shape)
            self.x[: self.row] = grey[: self.row, ..., None]
        self.x[self.row] = pixels if self.x.ndim == 1 + pixels.ndim else pixels[..., None]
        self.row += 1

    def _room(self, shape):
        shape = (self.most, *shape)
        try:
            return np.empty(shape, np.uint8)
        except (MemoryError, ValueError):
            size = amount(np.prod(shape, dtype=float))
            problem = (
                f"and the other {self.most - 1} images have {size} of pixels, which do not fit in memory"
            )
            raise StragError(problem, "give --resize HxW", self.first) from None


def _left_out(broken, folder, skip):
    """The note on broken images that are left out; raises StragError where they are not to be."""
    if skip:
        names = some_of(f"{error.source.relative_to(folder).as_posix()} ({error.reason})" for error in broken)
        return f"left out {number_of(len(broken), 'broken image')}: {names}"
    if len(broken) == 1:
        raise broken[0]
    names = some_of(f"{error.source} ({error.reason})" for error in broken)
    problem = f"holds {number_of(len(broken), 'broken image')}: {names}"
    raise StragError(problem, "mend or remove them, or give --skip-broken", folder)


def _check_classes(pairs, kept):
    """No class is lost with its broken images."""
    left = {name for _, name in kept}
    for path, name in pairs:
        if name not in left:
            raise StragError("is a class folder without whole images", "mend or remove it", path.parent)


FOLDER = Form(
    "a folder of images",
    lambda paths: len(paths) == 1 and paths[0].is_dir() and bool(class_folders(paths[0])),
    lambda paths, reading: read_image_folder(paths[0], reading),
    ("resize", "background", "skip_broken"),
)
