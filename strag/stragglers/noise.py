"""The noise of a curve, separated from the curvature of the curve, at dense or sparse records.

The standard deviation s of independent noise on a curve r(t) is estimated from divided differences of order 4
in x = ln(1 + t), over five records x_0 .. x_4,

    d = sum_k w_k r(x_k) / |w|,    w_k = 1 / prod_(j != k) (x_k - x_j),

They are 0 for every cubic in x and have the standard deviation s for noise, so that s is the mean of |d|
times sqrt(pi / 2). The mean is used instead of the median, since ten records leave only six differences,
whose median is sometimes small by chance. Of thirty or more differences the largest quarter is left out, and
the factor is adapted. So a curve that is sharp in one place, for instance after a step of the learning rate,
does not count as noisy everywhere.

Where records are dense, the five records are at least 0.1 apart in x. Noise that is correlated between
neighbouring records would cancel in their differences. At this distance it does not, and the curvature is
still far below the noise that matters.
"""

import numpy as np

ORDER = 4
MANY = 30  # the number of differences from which on the largest are left out
KEPT = 0.75  # the share of these differences that is kept
MEAN, TRIMMED = 0.7978846, 0.5149033  # of |N(0, 1)|: its mean, and that of its smallest three quarters
APART = 0.1  # the least distance in ln(1 + t), if the records are dense enough


def noise_of(updates, curve):
    """Standard deviation of independent noise on a curve that is smooth in ln(1 + t).

    Parameters
    ----------
    updates : int [T], rising, of any spacing.
    curve : float [T].

    Returns
    -------
    float, at least 0. It does not change if a constant, or any cubic in ln(1 + t), is added to the curve, and
    is |c| times as large for c times the curve. It is 0.0 for fewer than 5 records, which are too few for an
    estimate.
    """
    x = np.log1p(np.asarray(updates, np.float64))
    curve = np.asarray(curve, np.float64)
    places = _fives(x)  # (M, 5)
    if not len(places):
        return 0.0
    weights = np.ones(places.shape)
    for k in range(ORDER + 1):
        for j in range(k):
            gap = x[places[:, k]] - x[places[:, j]]
            weights[:, k] /= gap
            weights[:, j] /= -gap
    differences = (weights * (curve - curve[0])[places]).sum(axis=1) / np.linalg.norm(weights, axis=1)
    sizes = np.abs(differences)
    if len(sizes) < MANY:
        return float(sizes.mean() / MEAN)
    return float(np.sort(sizes)[: int(KEPT * len(sizes))].mean() / TRIMMED)


def _fives(x):
    """Positions of groups of five records: int [M, 5].

    Each record of a group is the first one that is at least 0.1 after the record before it. If this gives
    fewer groups than half of the T - 4 groups of neighbouring records, as it does late in training or for
    records in clusters, the distance 0.1 is halved until it gives enough.

    x : float [T], rising, ln(1 + t) of the records.
    """
    number, apart = len(x), APART
    start = np.arange(number)
    while True:
        following = np.maximum(np.searchsorted(x, x + apart), start + 1)
        following = np.append(following, number)  # the last record has no following one
        places = [start]
        for _ in range(ORDER):
            places.append(following[places[-1]])
        fitting = int(np.searchsorted(places[-1], number))
        if 2 * fitting >= number - ORDER:
            return np.stack(places, axis=1)[:fitting]
        apart /= 2
