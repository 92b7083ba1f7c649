"""Images that come one by one, as one array."""

import numpy as np

from strag.datasets.pixels import MOST, MOST_SCALED, BrokenImageError, check_size, read_image, scaled
from strag.errors import StragError, bad_usage
from strag.words import amount, number_of, some_of


class Pictures:
    """Images of one size in the order they come, read as a Reading says.

    expected : how many come, where that is known. kept : for each one that came, whether it is there; broken
    ones are not.
    """

    def __init__(self, reading, expected=0):
        if reading.background is not None and not 0 <= reading.background <= 255:
            raise bad_usage("--background is no grey value", "give a whole number from 0 to 255")
        if reading.resize:
            check_size(*reading.resize)
        self._reading, self._expected = reading, expected
        self._x = self._first = None
        self._row = self._turned = 0
        self.kept, self._broken = [], []

    def add(self, called, content=None):
        """Take an image file, or the bytes of an image; `called` is the path, or what messages call it.

        Raises StragError for an image of another size than the first one, and for what `read_image` refuses.
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
            problem = "has, with the images before it, more pixels than fit in memory"
            raise StragError(problem, "give --resize HxW", called) from None
        self.kept.append(True)
        self._turned += turned

    def _keep(self, pixels, called):
        if self._x is None:
            self._first = called
            self._x = self._room(self._expected or 1, pixels.shape)
        if self._x.shape[1:3] != pixels.shape[:2]:
            (h, w), (first_h, first_w) = pixels.shape[:2], self._x.shape[1:3]
            problem = f"is {w} x {h} pixels, {self._first} is {first_w} x {first_h}"
            raise StragError(problem, "give all images one size, or give --resize HxW", called)
        if self._x.ndim == 3 < 1 + pixels.ndim:
            grey, self._x = self._x, self._room(len(self._x), pixels.shape)
            self._x[: self._row] = grey[: self._row, ..., None]
        if self._row == len(self._x):
            more = self._row + self._row // 8 + 1
            self._x.resize((more, *self._x.shape[1:]), refcheck=False)  # in place, so that no copy is needed
        self._x[self._row] = pixels if self._x.ndim == 1 + pixels.ndim else pixels[..., None]
        self._row += 1

    def _room(self, count, shape):
        shape = (count, *shape)
        try:
            return np.empty(shape, np.uint8)
        except (MemoryError, ValueError):
            size = amount(np.prod(shape, dtype=float))
            problem = f"and the other {count - 1} images have {size} of pixels, which do not fit in memory"
            raise StragError(problem, "give --resize HxW", self._first) from None

    def notes(self, of, name):
        """What was done to them; raises StragError for broken ones that are not to be left out.

        of : what they are of, such as " of the test set", or nothing. name : takes the path of an image, or
        what messages call it, to what a note calls it.
        """
        notes = []
        if self._broken and not self._reading.skip_broken:
            raise self._refusal()
        if self._broken:
            names = some_of(f"{name(error.source)} ({error.reason})" for error in self._broken)
            notes.append(f"left out {number_of(len(self._broken), 'broken image')}{of}: {names}")
        if self._turned:
            notes.append(f"turned {number_of(self._turned, 'image')}{of} as the EXIF orientation says")
        return notes

    def _refusal(self):
        if len(self._broken) == 1:
            return self._broken[0]
        names = some_of(f"{error.source} ({error.reason})" for error in self._broken)
        problem = f"holds {number_of(len(self._broken), 'broken image')}: {names}"
        return StragError(problem, "mend or remove them, or give --skip-broken")

    def array(self):
        """All of them, uint8 [P, h, w] or, with colours as soon as one of them has, [P, h, w, 3]."""
        if self._x is None:
            raise StragError("holds no images", "give one image per example")
        return self._x[: self._row]
