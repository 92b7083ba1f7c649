"""Images that come one by one, as one array."""

import numpy as np

from strag.datasets.pixels import MOST, MOST_SCALED, BrokenImageError, read_image, scaled
from strag.errors import StragError
from strag.words import number_of, some_of


class Pictures:
    """Images in the order they come, read as a Reading says.

    kept : for each one that came, whether it is there; left out are broken ones, if so wished.
    """

    def __init__(self, reading):
        self._reading = reading
        self._images, self._first = [], None
        self.kept, self._broken, self._turned = [], [], 0

    def add(self, content, called, row):
        """Take the bytes of an image; `called` is what messages call it."""
        reading = self._reading
        most = MOST if reading.resize is None else MOST_SCALED
        try:
            image, turned = read_image(called, reading.background, most, content)
        except BrokenImageError:
            if not reading.skip_broken:
                raise
            self.kept.append(False)
            self._broken.append(row)
            return
        image = image if reading.resize is None else scaled(image, *reading.resize)
        self._first = self._first or (image.shape[:2], called)
        shape, first = self._first
        if image.shape[:2] != shape:
            problem = f"is {image.shape[1]} x {image.shape[0]} pixels, {first} is {shape[1]} x {shape[0]}"
            raise StragError(problem, "give all images one size, or --resize HxW", called)
        self.kept.append(True)
        self._turned += turned
        self._images.append(image)

    @property
    def in_colour(self):
        return any(image.ndim == 3 for image in self._images)

    def notes(self, what):
        """What was done to them; `what` names the lot."""
        notes = []
        if self._broken:
            rows = some_of(self._broken)
            notes.append(f"{number_of(len(self._broken), 'broken image')} of {what} left out, in rows {rows}")
        if self._turned:
            turned = number_of(self._turned, "image")
            notes.append(f"{turned} of {what} turned as the EXIF orientation says")
        return notes

    def array(self, colour):
        """All of them, uint8 [P, h, w] or, in colour, [P, h, w, 3]; they are given up on the way."""
        if not self._images:
            raise StragError("holds no images", "give one image per example")
        (h, w), _ = self._first
        x = np.empty((len(self._images), h, w, 3) if colour else (len(self._images), h, w), np.uint8)
        for row, image in enumerate(self._images):
            x[row] = image[..., None] if colour and image.ndim == 2 else image
            self._images[row] = None
        return x
