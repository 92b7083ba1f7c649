"""The form in which modules take examples: channels first."""

from strag.datasets.shaping import channel_axis


def image_shape(shape):
    """The shape in which modules take an example of a data set: (c, h, w) for an image, or the same shape.

    shape : (h, w) has one channel; (h, w, c) and (c, h, w) are told apart as `channel_axis` does.
    """
    if len(shape) == 2:
        return (1, *shape)
    if _has_channels_last(shape):
        return (shape[2], *shape[:2])
    return tuple(shape)


def as_images(x, shape):
    """Examples x [B, d], of this shape in the data set, as modules take them: [B, *image_shape(shape)]."""
    if _has_channels_last(shape):
        return x.view(-1, *shape).permute(0, 3, 1, 2).contiguous()
    return x.view(-1, *image_shape(shape))


def _has_channels_last(shape):
    return len(shape) == 3 and channel_axis((1, *shape)) == 3
