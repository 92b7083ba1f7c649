"""The participation ratio: in how many directions the representations of a class vary."""

import numpy as np

_COINCIDE = 1e-24  # share of |x|^2 below which the spread of a class is rounding


class Participation:
    """The participation ratio of the covariance S of one class, (tr S)^2 / tr S^2.

    With the eigenvalues l_k of S it is (sum l_k)^2 / sum l_k^2: the number of directions with a variance, if
    these variances are equal. It is between 1 and the rank of S, which is at most N and at most one less than
    the number of examples. It is invariant under rotations and shifts, and under a common scale. P examples
    of an isotropic Gaussian in N dimensions do not have N: 1 / PR has the expectation
    (N + P) / (N (P - 1) + 2).

    S is accumulated around the class mean, so that nothing is lost to rounding. If there are fewer examples
    than units, tr S^2 follows from the products of the examples with each other instead, which takes less
    memory.

    Source: Gao et al. (2017), doi:10.1101/214262; the name is that of a count of modes in physics.

    mean : float64 [N]. count : number of examples of the class.
    """

    def __init__(self, mean, count):
        self.mean, self.count = mean, count
        self.examples = [] if count < len(mean) else None
        self.products = None if count < len(mean) else np.zeros((len(mean), len(mean)))

    @staticmethod
    def bytes_of(count, width):
        """Memory in bytes for `count` examples of `width` units, with what the sums need: int."""
        smaller = min(count, width)
        return 8 * (2 * smaller * width + (smaller * smaller if count < width else 0))

    def add(self, points):
        """Add examples of the class, float64 [B, N]."""
        centred = points - self.mean
        if self.examples is None:
            self.products += centred.T @ centred
        else:
            self.examples.append(centred)

    def value(self):
        """The ratio: float, NaN for a class whose examples coincide or of which there is only one."""
        products = self.products
        if products is None:
            centred = np.concatenate(self.examples)
            products = centred @ centred.T
        trace = np.trace(products)
        if trace <= _COINCIDE * self.count * (np.square(self.mean).sum() + trace / self.count):
            return np.nan
        return float(trace**2 / np.square(products).sum())
