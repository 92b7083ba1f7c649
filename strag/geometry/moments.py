"""ClassMoments: the definition of radii of class manifolds and of distances between them."""

import numpy as np

from strag.errors import StragError

_DIFFERENCES = 1 << 22  # numbers that distances hold at a time, 32 MiB


def normalise(h):
    """Project latent vectors to the unit sphere: x = h / |h|, and x = 0 where |h| = 0; NaN stays NaN.

    h : [..., N]. The result has the shape and dtype of h.
    """
    norm = np.linalg.norm(h, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):  # an infinite vector has no direction
        return np.divide(h, norm, out=np.zeros_like(h), where=norm != 0)


class ClassMoments:
    """First and second moments of the representations x of C classes, for any leading axes.

    Attributes
    ----------
    count : float64 [..., C], number of examples of each class.
    total : float64 [..., C, N], sum of x over each class.
    norm2 : float64 [..., C], sum of |x|^2 over each class.

    Sums over tiles of examples are float64; within a tile they may be float32. The moments of disjoint sets
    of examples, from different tiles, files or machines, are added with `merge`.

    Raises StragError if the shapes of `total` and `norm2` do not fit.
    """

    def __init__(self, count, total, norm2):
        self.count = np.asarray(count, dtype=np.float64)
        self.total = np.asarray(total, dtype=np.float64)
        self.norm2 = np.asarray(norm2, dtype=np.float64)
        lead, classes = self.norm2.shape[:-1], self.norm2.shape[-1]
        if self.total.shape[:-1] != (*lead, classes):
            raise StragError(f"class sums of shape {self.total.shape} do not fit norms of {self.norm2.shape}")
        self.count = np.broadcast_to(self.count, self.norm2.shape)

    @classmethod
    def zeros(cls, lead, classes, width):
        """The moments of an empty set of examples: leading axes `lead`, C = `classes`, N = `width`."""
        return cls(
            np.zeros((*lead, classes)),
            np.zeros((*lead, classes, width)),
            np.zeros((*lead, classes)),
        )

    @classmethod
    def of(cls, x, labels, classes):
        """The moments of one tile: x [..., B, N] already normalised, labels int [B].

        An example that is not finite makes the sums of its own class NaN, and does not affect other classes.
        """
        member = np.eye(classes, dtype=x.dtype)[labels]  # (B, C)
        lengths = np.square(x).sum(axis=-1)  # (..., B)
        finite = np.isfinite(lengths)
        spoilt = None if finite.all() else ~finite @ (member > 0)  # bool (..., C)
        if spoilt is not None:  # since 0 times NaN is NaN, it would affect every class in the sums below
            x, lengths = np.where(finite[..., None], x, 0), np.where(finite, lengths, 0)
        total = np.swapaxes(member, 0, 1) @ x  # (..., C, N)
        norm2 = lengths @ member  # (..., C)
        if spoilt is not None:
            total[spoilt] = norm2[spoilt] = np.nan
        return cls(member.sum(axis=0), total, norm2)

    def add(self, x, labels):
        """Add a tile of examples in place: x [..., B, N] already normalised, labels int [B]."""
        self._take(self.merge(ClassMoments.of(x, labels, self.norm2.shape[-1])))

    def merge(self, other):
        """The moments of the union of this set of examples and another, disjoint one."""
        return ClassMoments(self.count + other.count, self.total + other.total, self.norm2 + other.norm2)

    def _take(self, other):
        """Replace the moments by those of another object."""
        self.count, self.total, self.norm2 = other.count, other.total, other.norm2

    def means(self):
        """Class means m_c: float64 [..., C, N]; NaN for a class that is empty or not finite."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.total / self.count[..., None]

    def mean_norm2(self):
        """Mean of |x|^2 over each class: float64 [..., C]; the share of non-zero representations."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.norm2 / self.count

    def radii(self):
        """Gyration radius of each class, R_c = sqrt(mean |x|^2 - |m_c|^2): float64 [..., C].

        It equals the root mean square distance to the class mean. It is not computed as sqrt(1 - |m_c|^2),
        since x is a unit vector only up to rounding, which makes small radii inaccurate. It is NaN for an
        empty class, and for one with an example that is not finite.
        """
        spread = self.mean_norm2() - np.square(self.means()).sum(axis=-1)
        return np.sqrt(np.maximum(spread, 0))

    def distances(self):
        """Distances |m_c - m_c'| of all pairs c < c' in upper-triangle order: float64 [..., C(C-1)/2]."""
        m = self.means()
        first, second = np.triu_indices(m.shape[-2], k=1)
        step = max(1, _DIFFERENCES * m.shape[-2] // max(1, m.size))  # pairs whose differences fit in memory
        pieces = [slice(start, start + step) for start in range(0, len(first), step)] or [slice(0)]
        return np.concatenate(
            [np.linalg.norm(m[..., first[at], :] - m[..., second[at], :], axis=-1) for at in pieces], axis=-1
        )

    def separation(self):
        """eta^2 over the classes with examples, see `separation`: float64 [...]."""
        return separation(self.radii(), self.distances(), self.count > 0)


def rms_radius(radius, present=None):
    """Root mean square of the radii over classes with equal weights: [..., C] -> [...].

    present : bool, broadcastable to [..., C], the classes with examples; by default those with a finite
        radius. The result is NaN if one of these classes has no finite radius, and without any class.
    """
    return np.sqrt(mean_over(np.square(radius), _present(radius, present)))


def separation(radius, distance, present=None):
    """eta^2, the share of the spread that is between classes: [..., C], [..., C(C-1)/2] -> [...].

    eta^2 = 1 - mean_c R_c^2 / mean_c(mean |x|^2 - |m|^2), with m the mean of the class means. The
    denominator is mean_c R_c^2 + mean_c |m_c - m|^2, and the second term is the sum of D_cc'^2
    over pairs divided by C^2, so that radii and distances are enough.

    present : as for `rms_radius`.
    """
    classes = _present(radius, present)
    within = mean_over(np.square(radius), classes)
    pairs = ~np.isnan(distance) if present is None else pairs_of(classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = np.where(pairs, np.square(distance), 0).sum(axis=-1) / np.square(classes.sum(axis=-1))
        return between / (within + between)


def pairs_of(present):
    """Whether both classes of each pair c < c' are present: bool [..., C] -> bool [..., C(C-1)/2]."""
    first, second = np.triu_indices(present.shape[-1], k=1)
    return present[..., first] & present[..., second]


def _present(radius, present):
    """The classes that count: `present`, by default those with a finite radius: bool [..., C]."""
    return np.isfinite(radius) if present is None else np.broadcast_to(present, np.shape(radius))


def mean_over(values, present):
    """Mean over the last axis of the values that are `present`, bool; NaN without any: [..., n] -> [...]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(present, values, 0).sum(axis=-1) / present.sum(axis=-1)
