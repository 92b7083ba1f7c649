"""Neural collapse: NC1, NC2 and NC3 of Papyan, Han, Donoho (2020), doi:10.1073/pnas.2015509117.

All of them are 0 in complete collapse. They are of representations h that are not normalised, as in the
source. Each class counts once, whatever its number of examples, and the global mean is the mean of the class
means; in the source, the classes are of equal size. Classes without examples are left out. NC4 is in
`strag.geometry.nearest_mean`.
"""

import numpy as np

from strag.geometry.moments import mean_over


class Variability:
    """NC1 = tr(S_W S_B^+) / C: the covariance within classes, over the covariance of the class means.

    S_W is the mean over classes of mean (h - m_c)(h - m_c)^T, and S_B the mean over classes of
    (m_c - m)(m_c - m)^T. S_B has rank C - 1 at most, so that only the components of h - m_c along its
    eigenvectors v_k count: tr(S_W S_B^+) = sum_k v_k^T S_W v_k / l_k. No matrix of N x N is needed. NC1 is
    invariant under rotations, shifts and a common scale. It is NaN with fewer than two classes, for class
    means that coincide, and if a class is not finite.

    moments : ClassMoments of all examples.
    """

    def __init__(self, moments):
        self.means, self.count = moments.means(), moments.count
        self.present = self.count > 0
        self.sums = np.zeros(len(self.count))
        centred = centred_means(moments)[self.present]
        self.axes = np.full((self.means.shape[1], 0), np.nan)  # (N, k), v_k / sqrt(l_k)
        self.known = len(centred) > 1 and np.isfinite(centred).all()
        if self.known:
            _, scale, axes = np.linalg.svd(centred / np.sqrt(len(centred)), full_matrices=False)
            largest = np.abs(self.means[self.present]).max()
            above = scale > largest * max(centred.shape) * np.finfo(float).eps
            kept = np.flatnonzero(above)[: len(centred) - 1]
            self.axes = axes[kept].T / scale[kept]
            self.known = kept.size > 0

    def add(self, points, labels, predicted):
        """Add a tile: float64 [B, N], int [B], int [B]."""
        if self.known:
            along = (points - self.means[labels]) @ self.axes  # (B, k)
            self.sums += np.bincount(labels, np.square(along).sum(axis=1), minlength=len(self.sums))

    def value(self):
        """NC1: float64 []."""
        if not self.known:
            return np.array(np.nan)
        return np.mean(self.sums[self.present] / self.count[self.present]) / self.present.sum()


def centred_means(moments):
    """The class means minus their mean, where each class counts once: float64 [..., C, N]; NaN if empty."""
    means = moments.means()
    return means - mean_over(np.swapaxes(means, -1, -2), moments.count[..., None, :] > 0)[..., None, :]


def equal_norms(moments):
    """NC2, equal norms: the standard deviation of |m_c - m| over classes, over their mean: float64 [...].

    It is 0 for class means at equal distances from their mean m, as the corners of a simplex or a cube are.
    It is invariant under rotations, shifts and a common scale. With two classes it is always 0, so that it is
    NaN with fewer than three classes with examples. It is NaN, too, if a class is not finite.
    """
    norms, present = np.linalg.norm(centred_means(moments), axis=-1), moments.count > 0
    mean = mean_over(norms, present)
    deviation = np.sqrt(mean_over(np.square(norms - mean[..., None]), present))
    return _of_three(deviation, mean, present)


def equal_angles(moments):
    """NC2, angles of a simplex: mean over pairs of classes of |cos + 1 / (C - 1)|: float64 [...].

    cos is the cosine of the angle between m_c - m and m_c' - m. It is -1 / (C - 1) for all pairs if and only
    if the directions of the centred class means are those of a simplex, where the angles are as large as they
    can be together. Invariances and NaN are those of `equal_norms`.
    """
    centred, present = centred_means(moments), moments.count > 0
    norms = np.linalg.norm(centred, axis=-1)
    first, second = np.triu_indices(norms.shape[-1], k=1)
    products = (centred[..., first, :] * centred[..., second, :]).sum(axis=-1)
    classes = present.sum(axis=-1)[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = products / (norms[..., first] * norms[..., second])
        off = np.abs(cosines + 1 / (classes - 1))
    pairs = present[..., first] & present[..., second]
    mean = mean_over(off, pairs)
    return _of_three(mean, np.ones_like(mean), present)


def _of_three(values, over, present):
    """values / over, or NaN with fewer than three classes `present`: [...], [...], [..., C] -> [...]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(present.sum(axis=-1) > 2, values / over, np.nan)


def duality(moments, weight):
    """NC3 = |W / |W| - M / |M||^2: the head's weights against the centred class means: float64 [].

    M are the centred class means [C, N], W the weights of the head [C, N] minus their mean over classes, and
    |.| is the root of the sum of squares. Equal directions give 0, unrelated ones about 2, opposite ones 4.
    The mean over classes of the weights adds the same to every logit and changes no probability; the source
    leaves it in. NC3 is invariant under a common scale of h, of the weights, and under rotations of both. It
    is NaN with fewer than two classes with examples, if a class is not finite, and if the weights or the
    means are all equal.
    """
    present = moments.count > 0
    means, weight = centred_means(moments)[present], weight[present]
    if len(weight) < 2:
        return np.array(np.nan)
    weight = weight - weight.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = weight / np.linalg.norm(weight) - means / np.linalg.norm(means)
    return np.square(apart).sum()
