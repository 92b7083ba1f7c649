"""Images, added one by one, as one array."""

import numpy as np

from strag.datasets.pixels import MOST, MOST_SCALED, BrokenImageError, check_size, read_image, scaled
from strag.errors import StragError
from strag.words import amount, number_of, some_of


class Pictures:
    """Images of one size, in the order in which they are added.

    reading : the Reading whose `resize`, `background` and `skip_broken` apply. expected : the number of
    images to come, or 0 if unknown. kept : for each added image, whether it is in the array; broken images
    are not.
    """

    def __init__(self, reading, expected=0):
        if reading.resize:
            check_size(*reading.resize)
        self._reading, self._expected = reading, expected
        self._x = self._first = None
        self._row = self._turned = 0
        self.kept, self._broken = [], []

    def add(self, called, content=None):
        """Add an image file, or an image from its bytes.

        called : the path, or the name of the image in messages. content : the bytes, or None to read the
        path. Raises StragError if the size differs from that of the first image, and as `read_image` does,
        except for broken images, which `notes` reports.
        """
        reading = self._reading
        try:
            most = MOST_SCALED if reading.resize else MOST
            pixels, turned = read_image(called, reading.background, most, content)
            self._keep(scaled(pixels, *reading.resize) if reading.resize else pixels, called)
        except BrokenImageError as error:
            self._broken.append(error)
            self.kept.append(False)
            return
        except MemoryError:
            problem = "does not fit in memory, together with the images before it"
            raise StragError(problem, "scale the images down with `resize` HxW", called) from None
        self.kept.append(True)
        self._turned += turned

    def _keep(self, pixels, called):
        """Copy the pixels of an image into the array, which becomes larger or gets colours if needed."""
        if self._x is None:
            self._first = called
            self._x = self._room(self._expected or 1, pixels.shape)
        if self._x.shape[1:3] != pixels.shape[:2]:
            (h, w), (first_h, first_w) = pixels.shape[:2], self._x.shape[1:3]
            problem = f"has {h} x {w} pixels, but {self._first} has {first_h} x {first_w}"
            raise StragError(problem, "use images of one size, or add `resize` HxW", called)
        if self._x.ndim == 3 < 1 + pixels.ndim:
            grey, self._x = self._x, self._room(len(self._x), pixels.shape)
            self._x[: self._row] = grey[: self._row, ..., None]
        if self._row == len(self._x):
            more = self._row + self._row // 8 + 1
            self._x.resize((more, *self._x.shape[1:]), refcheck=False)  # in place, without a copy
        self._x[self._row] = pixels if self._x.ndim == 1 + pixels.ndim else pixels[..., None]
        self._row += 1

    def _room(self, count, shape):
        """An array for `count` images of this shape."""
        shape = (count, *shape)
        try:
            return np.empty(shape, np.uint8)
        except (MemoryError, ValueError):
            size = amount(np.prod(shape, dtype=float))
            problem = f"and {number_of(count - 1, 'other image')} have {size}, which does not fit in memory"
            raise StragError(problem, "scale the images down with `resize` HxW", self._first) from None

    def notes(self, owner, name):
        """Lines on images that were left out or rotated.

        owner : the set that the images belong to, such as " of the test set", or "". name : function that
        turns the `called` of an image into its name in a note. Raises StragError if images are broken and not
        `skip_broken`.
        """
        notes = []
        if self._broken and not self._reading.skip_broken:
            raise self._refusal()
        if self._broken:
            names = some_of(f"{name(error.source)} ({error.reason})" for error in self._broken)
            notes.append(f"left out {number_of(len(self._broken), 'broken image')}{owner}: {names}")
        if self._turned:
            notes.append(f"rotated {number_of(self._turned, 'image')}{owner} by the EXIF orientation")
        return notes

    def _refusal(self):
        """The error for all broken images."""
        if len(self._broken) == 1:
            return self._broken[0]
        names = some_of(f"{error.source} ({error.reason})" for error in self._broken)
        problem = f"holds {number_of(len(self._broken), 'broken image')}: {names}"
        return StragError(problem, "repair or remove them, or use `skip_broken`")

    def array(self):
        """The images: uint8 [P, h, w], or [P, h, w, 3] if at least one image has colours."""
        if self._x is None:
            raise StragError("holds no images", "provide one image per example")
        return self._x[: self._row]
