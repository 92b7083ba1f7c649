"""Import of a folder of images: one folder per class, or `train` and `test` with such folders in each."""

from pathlib import Path

import numpy as np

from strag.datasets.folders import ImageFiles, class_folders
from strag.datasets.imported import Form, Imported
from strag.datasets.pictures import Pictures
from strag.errors import StragError


def read_image_folder(folder, reading):
    """The Imported of a folder of images, whose labels are the names of the class folders.

    x is uint8 [P, h, w] if all images are grey, else [P, h, w, 3]. Examples are in the order of `ImageFiles`,
    and their names are the paths below the folder. See `read_image` for the pixels.

    Raises StragError for images of different sizes without `reading.resize`, for images that cannot be read,
    for broken images (all in one message) without `reading.skip_broken`, and for classes without images.
    """
    folder = Path(folder)
    files = ImageFiles.of(folder)
    pairs = [*files.train, *(files.test or ())]
    pictures = Pictures(reading, len(pairs))
    for path, _ in pairs:
        pictures.add(path)
    notes = files.notes + pictures.notes("", lambda path: path.relative_to(folder).as_posix())
    kept = [pair for pair, is_kept in zip(pairs, pictures.kept, strict=True) if is_kept]
    P = sum(pictures.kept[: len(files.train)])
    train, test = kept[:P], kept[P:]
    _check_classes(files.train, train)
    _check_classes(files.test or (), test)
    x, y = pictures.array(), [np.array([name for _, name in part]) for part in (train, test)]
    return Imported(
        x=x[:P],
        y=y[0],
        x_test=x[P:] if test else None,
        y_test=y[1] if test else None,
        names=[path.relative_to(folder).as_posix() for path, _ in train],
        notes=notes,
    )


def _check_classes(pairs, kept):
    """Raise StragError if all images of a class are broken. pairs, kept : all images, those not broken."""
    classes = {name for _, name in kept}
    for path, name in pairs:
        if name not in classes:
            problem = "is a class folder in which all images are broken"
            raise StragError(problem, "repair the images or remove the folder", path.parent)


FOLDER = Form(
    "a folder of images",
    lambda paths: len(paths) == 1 and paths[0].is_dir() and bool(class_folders(paths[0])),
    lambda paths, reading: read_image_folder(paths[0], reading),
    ("resize", "background", "skip_broken"),
)
