"""Changes of the shape of examples: rows of numbers to images, images to another size, colours to grey."""

import numpy as np

from strag.datasets.pixels import check_size, scaled
from strag.errors import StragError, bad_usage
from strag.words import number_of


def shaped(x, shape):
    """Examples [P, ...] in the shape [P, *shape]. Raises StragError if the numbers of inputs differ."""
    inputs, wanted = int(np.prod(x.shape[1:])), int(np.prod(shape))
    if inputs != wanted:
        text = "x".join(map(str, shape))
        problem = f"examples have {number_of(inputs, 'input')}, but `shape` {text} has {wanted}"
        raise bad_usage(problem, f"use a shape with {number_of(inputs, 'input')}")
    return x.reshape(len(x), *shape)


def resized(x, size):
    """Images [P, h, w], [P, h, w, channels] or [P, channels, h, w] scaled to `size`, height and width."""
    check_size(*size)
    axis = channel_axis(x.shape)
    if x.ndim not in (3, 4) or (x.ndim == 4 and axis is None):
        raise bad_usage(f"examples of shape {list(x.shape[1:])} are not images", "remove `resize`")
    images = np.moveaxis(x, 1, 3) if axis == 1 else x
    if images.shape[1:3] == size:
        return x
    result = np.empty((len(x), *size, *images.shape[3:]), dtype=x.dtype)
    for row, image in enumerate(images):
        result[row] = scaled(image, *size)
    return np.ascontiguousarray(np.moveaxis(result, 3, 1)) if axis == 1 else result


def grey(x):
    """The mean over the colours of each pixel: float32 [P, h, w].

    A fourth channel is not a colour, and must have the same value in all pixels.
    """
    axis = channel_axis(x.shape)
    if axis is None:
        raise StragError(f"examples of shape {list(x.shape[1:])} have no colours", "remove `gray`")
    images = np.moveaxis(x, axis, -1)
    if images.shape[-1] == 4 and (images[..., 3] != images[0, 0, 0, 3]).any():
        problem = "has a fourth channel, such as transparency, that varies"
        raise StragError(problem, "save the images as opaque RGB images")
    return images[..., :3].mean(axis=-1, dtype=np.float32)


def channel_axis(shape):
    """The axis of the channels in a shape [P, h, w, channels] or [P, channels, h, w], or None.

    An axis of length 1 or 3 takes precedence over one of length 4.
    """
    if len(shape) != 4:
        return None
    return next((axis for sizes in ((1, 3), (4,)) for axis in (3, 1) if shape[axis] in sizes), None)
