"""The noise of a curve, separated from its curvature, at dense or sparse records.

The deviation s of independent noise on a curve r(t) comes from its divided differences of order 4 in
x = ln(1 + t), over five records x_0 .. x_4,

    d = sum_k w_k r(x_k) / |w|,    w_k = 1 / prod_(j != k) (x_k - x_j),

which are 0 for every cubic in x and have deviation s for noise, so that s is the mean of |d| times
sqrt(pi / 2). Ten records leave six differences, whose median is now and then small by chance: that is why it
is the mean. Of thirty or more the largest quarter is left out (and the factor is another), so that a step of
the learning rate, or whatever else is sharp at one place, is not taken for noise everywhere.

Where records are dense, the five lie at least 0.1 apart in x. Noise that lasts over records would cancel in
differences of neighbours; there it does not, and the curvature is still far below the noise that matters.
"""

import numpy as np

ORDER = 4
MANY = 30  # differences, of which the largest may be left out
KEPT = 0.75  # of them
MEAN, TRIMMED = 0.7978846, 0.5149033  # of |N(0, 1)|: its mean, and that of its smallest three quarters
APART = 0.1  # in ln(1 + t), where the records allow it


def noise_of(updates, curve):
    """Standard deviation of independent noise on a curve that is smooth in ln(1 + t).

    Parameters
    ----------
    updates : int [T], rising, of any spacing.
    curve : float [T].

    Returns
    -------
    float, 0 or more; the same with a constant, or any cubic in ln(1 + t), added, |c| times as much for
    c times the curve, and 0.0 for fewer than 5 records, which say nothing about noise.
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
    """Positions of five records each, every next one the first at least 0.1 further on: int [M, 5].

    Where this leaves fewer than half of the T - 4 fives of neighbours, as it does late in training or with
    records in clusters, 0.1 is halved until it does not.
    """
    number, apart = len(x), APART
    start = np.arange(number)
    while True:
        following = np.maximum(np.searchsorted(x, x + apart), start + 1)
        following = np.append(following, number)  # there is none after the last
        places = [start]
        for _ in range(ORDER):
            places.append(following[places[-1]])
        fitting = int(np.searchsorted(places[-1], number))
        if 2 * fitting >= number - ORDER:
            return np.stack(places, axis=1)[:fitting]
        apart /= 2
