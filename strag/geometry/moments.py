"""ClassMoments: the only place where a radius or a distance between class manifolds is defined."""

import numpy as np

from strag.errors import StragError


def normalise(h):
    """Latent vectors on the unit sphere: x = h / |h|, and x = 0 where |h| = 0; NaN stays NaN.

    h : [..., N]; the result has its shape and dtype.
    """
    norm = np.linalg.norm(h, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):  # infinity has no direction
        return np.divide(h, norm, out=np.zeros_like(h), where=norm != 0)


class ClassMoments:
    """First and second moments of the representations of C classes, for any leading axes.

    Attributes
    ----------
    count : float64 [..., C], examples of each class.
    total : float64 [..., C, N], sum of x over each class.
    norm2 : float64 [..., C], sum of |x|^2 over each class.

    Sums are kept in float64 across tiles of examples; within a tile they may be float32. Moments
    of disjoint sets of examples add up: tiles, files and machines all `merge`.
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
        """The moments of no examples."""
        return cls(
            np.zeros((*lead, classes)),
            np.zeros((*lead, classes, width)),
            np.zeros((*lead, classes)),
        )

    @classmethod
    def of(cls, x, labels, classes):
        """The moments of one tile: x [..., B, N] already normalised, labels int [B].

        An example that is not finite makes the sums of its own class NaN, and of no other.
        """
        member = np.eye(classes, dtype=x.dtype)[labels]  # (B, C)
        lengths = np.square(x).sum(axis=-1)  # (..., B)
        finite = np.isfinite(lengths)
        spoilt = None if finite.all() else ~finite @ (member > 0)  # bool (..., C)
        if spoilt is not None:  # 0 times NaN is NaN: in the sums below it would reach every class
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
        """The moments of this set and another, disjoint one."""
        return ClassMoments(self.count + other.count, self.total + other.total, self.norm2 + other.norm2)

    def _take(self, other):
        self.count, self.total, self.norm2 = other.count, other.total, other.norm2

    def means(self):
        """Class means m_c: float64 [..., C, N]; NaN for an empty class, and for one that is not finite."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.total / self.count[..., None]

    def mean_norm2(self):
        """Mean of |x|^2 over each class: float64 [..., C]; the share of non-zero representations."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.norm2 / self.count

    def radii(self):
        """Gyration radius of each class, R_c = sqrt(mean |x|^2 - |m_c|^2): float64 [..., C].

        Equal to the root mean square distance to the class mean. Not sqrt(1 - |m_c|^2): x is a unit
        vector only up to rounding, which ruins small radii. NaN for an empty class, and for one with an
        example that is not finite.
        """
        spread = self.mean_norm2() - np.square(self.means()).sum(axis=-1)
        return np.sqrt(np.maximum(spread, 0))

    def distances(self):
        """|m_c - m_c'| of all pairs c < c' in upper-triangle order: float64 [..., C(C-1)/2]."""
        m = self.means()
        first, second = np.triu_indices(m.shape[-2], k=1)
        return np.linalg.norm(m[..., first, :] - m[..., second, :], axis=-1)

    def separation(self):
        """eta^2 over the classes that have examples, see `separation`: float64 [...]."""
        return separation(self.radii(), self.distances(), self.count > 0)


def rms_radius(radius, present=None):
    """Root mean square of the radii over classes, each counting once: [..., C] -> [...].

    present : bool, broadcastable to [..., C], the classes that have examples; where one of them has no
    finite radius, the result is NaN, and so it is without any. By default those with a finite radius.
    """
    return np.sqrt(mean_over(np.square(radius), _present(radius, present)))


def separation(radius, distance, present=None):
    """eta^2, the share of the spread that lies between classes: [..., C], [..., C(C-1)/2] -> [...].

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
    """Whether both classes of each pair c < c' are there: bool [..., C] -> bool [..., C(C-1)/2]."""
    first, second = np.triu_indices(present.shape[-1], k=1)
    return present[..., first] & present[..., second]


def _present(radius, present):
    return np.isfinite(radius) if present is None else np.broadcast_to(present, np.shape(radius))


def mean_over(values, present):
    """Mean over the last axis where `present`, bool, NaN where nothing is: [..., n] -> [...]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(present, values, 0).sum(axis=-1) / present.sum(axis=-1)
