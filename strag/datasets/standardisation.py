"""The ways to standardise inputs, as the mean and standard deviation that they apply to every input.

All of them follow from the mean and standard deviation of every input over a block, and from the type and
shape of the examples. A data set that was cut from the block carries these, so that training on it is the
same computation as training on the block with weights 0 and 1.
"""

import numpy as np

from strag.datasets.shaping import channel_axis
from strag.errors import bad_usage

PIXEL, CHANNEL, NONE = WAYS = ("pixel", "channel", "none")
BYTE = 255  # the largest value of uint8


def applied(way, mean, std, x):
    """The mean and standard deviation that standardise the inputs in one of WAYS: float64 [d] each.

    `pixel` is `mean` and `std` themselves, and `channel` is `over_channels`. `none` is mean 0 and std 1, or
    std 255 for uint8, whose values it scales to the range from 0 to 1.

    Parameters
    ----------
    mean, std : float64 [d], of every input over the block. x : uint8 or float32 [P, ...], the examples.

    Raises StragError for examples without channels where `channel` needs them.
    """
    if way == CHANNEL:
        return over_channels(mean, std, x.shape[1:])
    if way == NONE:
        return np.zeros_like(mean), np.full_like(std, BYTE if x.dtype == np.uint8 else 1)
    return mean, std


def over_channels(mean, std, shape):
    """The mean and standard deviation of each channel, repeated for its inputs: float64 [d] each.

    With the means m_i and the unbiased standard deviations s_i of the n inputs of a channel, these are

        M = 1/n sum_i m_i,    S^2 = 1/n sum_i [s_i^2 + (m_i - M)^2].

    M is the mean of all n P values of the channel over the P examples of the block. S^2 is the variance of a
    value at a random position: the mean of the unbiased variances plus the variance of the means. It does not
    depend on P, which a data set that was cut from the block does not carry. With the variance V of the n P
    values (divided by n P), S^2 = V + 1/(n P) sum_i s_i^2. If all inputs have the same m_i and s_i, then M
    and S are those. S is exactly 0 for a channel with one value only.

    mean, std : float64 [d], m_i and s_i of all inputs. shape : shape of an example, see `channels`.
    """
    channel = channels(shape)
    sizes = np.bincount(channel)
    M = (np.bincount(channel, mean) / sizes)[channel]
    S = np.sqrt(np.bincount(channel, std**2 + (mean - M) ** 2) / sizes)
    first = np.unique(channel, return_index=True)[1]
    varies = (std > 0) | (mean != mean[first][channel])
    S[np.bincount(channel, varies) == 0] = 0
    return M, S[channel]


def channels(shape):
    """The channel of every input of an image of this shape, numbered from 0: int64 [d].

    An image [h, w] is one channel. In [h, w, c] and [c, h, w] with c = 1, 3 or 4 the axis of the channels is
    that of `channel_axis`; otherwise it is the first one. Raises StragError for other shapes.
    """
    if len(shape) not in (2, 3):
        remedy = "use 'strag data' with `shape`, or `standardise` pixel or none"
        problem = f"has examples of shape {list(shape)}, which have no channels, so `standardise` channel"
        raise bad_usage(f"{problem} cannot be used", remedy)
    if len(shape) == 2:
        return np.zeros(shape[0] * shape[1], dtype=np.int64)
    axis = channel_axis((1, *shape))
    axis = 0 if axis is None else axis - 1
    numbers = np.arange(shape[axis]).reshape([-1 if at == axis else 1 for at in range(3)])
    return np.broadcast_to(numbers, shape).ravel()
