"""Examples in another shape: rows of numbers as images, images in another size, colours as grey."""

import numpy as np

from strag.datasets.pixels import check_size, scaled
from strag.errors import StragError, bad_usage


def shaped(x, shape):
    """Examples [P, ...] of as many numbers as `shape` has, in that shape."""
    inputs, wanted = int(np.prod(x.shape[1:])), int(np.prod(shape))
    if inputs != wanted:
        problem = f"examples have {inputs} inputs, --shape {'x'.join(map(str, shape))} makes {wanted}"
        raise bad_usage(problem, "give a shape of as many numbers")
    return x.reshape(len(x), *shape)


def resized(x, size):
    """Images [P, h, w], [P, h, w, channels] or [P, channels, h, w] in another height and width."""
    check_size(*size)
    axis = channel_axis(x.shape)
    if x.ndim not in (3, 4) or (x.ndim == 4 and axis is None):
        raise bad_usage(f"examples of shape {list(x.shape[1:])} are no images", "leave --resize out")
    images = np.moveaxis(x, 1, 3) if axis == 1 else x
    if images.shape[1:3] == size:
        return x
    made = np.empty((len(x), *size, *images.shape[3:]), dtype=x.dtype)
    for row, image in enumerate(images):
        made[row] = scaled(image, *size)
    return np.ascontiguousarray(np.moveaxis(made, 3, 1)) if axis == 1 else made


def grey(x):
    """The mean over the colours of each pixel: float32 [P, h, w].

    A fourth channel, which is no colour, must be the same everywhere.
    """
    axis = channel_axis(x.shape)
    if axis is None:
        raise StragError(f"examples of shape {list(x.shape[1:])} have no colours", "leave --gray out")
    images = np.moveaxis(x, axis, -1)
    if images.shape[-1] == 4 and (images[..., 3] != images[0, 0, 0, 3]).any():
        problem = "has a fourth channel that is no colour, and not the same everywhere"
        raise StragError(problem, "lay the images on a ground before you save them")
    return images[..., :3].mean(axis=-1, dtype=np.float32)


def channel_axis(shape):
    """The axis of the channels of [P, h, w, channels] or [P, channels, h, w], or None.

    One or three channels are looked for before four.
    """
    if len(shape) != 4:
        return None
    return next((axis for sizes in ((1, 3), (4,)) for axis in (3, 1) if shape[axis] in sizes), None)
