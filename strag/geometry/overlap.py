"""The overlap of two class manifolds: their radii compared with the distance of their means."""

import numpy as np

from strag.geometry.moments import pairs_of


def overlap(radius, distance, present=None):
    """(R_c + R_c') / D_cc' of all pairs c < c': [..., C], [..., C(C-1)/2] -> [..., C(C-1)/2].

    Two classes, each as a sphere of its gyration radius around its mean, touch where the overlap is 1 and
    intersect where it is larger. It has no unit, and normalised representations have it in common with those
    that are scaled, rotated or shifted. It is infinite for two classes with the same mean, and NaN if a class
    is empty or not finite, or if both are the same point.

    It is the similarity R_ij of two clusters of Davies and Bouldin (1979),
    doi:10.1109/TPAMI.1979.4766909, with q = 2 and p = 2.

    present : bool [..., C], the classes with examples; by default those with a radius.
    """
    first, second = np.triu_indices(radius.shape[-1], k=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = (radius[..., first] + radius[..., second]) / distance
    return values if present is None else np.where(pairs_of(present), values, np.nan)
