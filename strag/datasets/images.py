"""A folder of images as examples: one folder per class, or folders such as `train` and `test` with these."""

from pathlib import Path

import numpy as np

from strag.datasets.folders import ImageFiles, class_folders
from strag.datasets.imported import Form, Imported
from strag.datasets.pictures import Pictures
from strag.errors import StragError


def read_image_folder(folder, reading):
    """The Imported of a folder of images, whose labels are the names of the class folders.

    x is uint8 [P, h, w] where all images are grey, else [P, h, w, 3]. Examples come in the order of
    `ImageFiles`; their names are the paths below the folder. `read_image` says how a file becomes pixels.
    Raises StragError for images of different sizes without `reading.resize`, for those that cannot be read,
    for all at once that are broken without `reading.skip_broken`, and for classes without images.
    """
    folder = Path(folder)
    found = ImageFiles.of(folder)
    pairs = [*found.train, *(found.test or ())]
    pictures = Pictures(reading, len(pairs))
    for path, _ in pairs:
        pictures.add(path)
    notes = found.notes + pictures.notes("", lambda path: path.relative_to(folder).as_posix())
    kept = [pair for pair, here in zip(pairs, pictures.kept, strict=True) if here]
    P = sum(pictures.kept[: len(found.train)])
    train, test = kept[:P], kept[P:]
    _check_classes(found.train, train)
    _check_classes(found.test or (), test)
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
