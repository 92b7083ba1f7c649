"""How sure a straggler is: the binomial model over runs.

Runs differ by their seed alone, so that the number k_i of the n_i inverting runs trained on example i
that call it a straggler is Binomial(n_i, p_i). With p_i ~ Beta(a, b), fitted by maximum likelihood
over all examples, what is known of p_i afterwards is Beta(a + k_i, b + n_i - k_i).
"""

from dataclasses import dataclass

import numpy as np

from strag.errors import StragError

SURE = 0.95
CORE, FRINGE, RARE = "core", "fringe", "rare"
_LOG_BOUNDS = (-12.0, 12.0)  # of log a and log b


def unidentifiable(counts, runs):
    """Why k_i of n_i runs, int [P] each, tell no population of probabilities: words, empty where they do.

    One run cannot tell a and b apart. Where every k is 0, or every k is n, the likelihood is the same
    for every b, or a, that is large enough beside the other.
    """
    counts, runs = counts[runs > 0], runs[runs > 0]
    if not runs.size or runs.max() < 2:
        return "the binomial model needs two runs with a set"
    if not counts.any():
        return "no example straggles in any run"
    if (counts == runs).all():
        return "every example straggles in every run"
    return ""


@dataclass(frozen=True)
class BetaBinomial:
    """The population of straggling probabilities, Beta(a, b).

    `share` = 1 / (a + b + 1) is the share of the variance of membership that belongs to the examples
    rather than to the seeds.
    """

    a: float
    b: float

    @property
    def share(self):
        return 1 / (self.a + self.b + 1)

    @classmethod
    def fit(cls, counts, runs):
        """Maximum likelihood over examples: `counts` k_i and `runs` n_i, int [P].

        Raises StragError where they are not identifiable, see `unidentifiable`.
        """
        from scipy.optimize import minimize
        from scipy.special import betaln

        counts, runs = np.asarray(counts), np.asarray(runs)
        reason = unidentifiable(counts, runs)
        if reason:
            raise StragError(reason, "train more runs")
        pairs, weights = np.unique(np.stack([counts, runs]), axis=1, return_counts=True)
        k, n = pairs.astype(np.float64)

        def loss(logs):
            a, b = np.exp(logs)
            return -float(weights @ (betaln(k + a, n - k + b) - betaln(a, b))) / counts.size

        share = np.clip(counts.sum() / runs.sum(), 1e-6, 1 - 1e-6)
        starts = [np.log([s * share, s * (1 - share)]) for s in (0.1, 1.0, 10.0)]
        fits = [minimize(loss, start, method="L-BFGS-B", bounds=[_LOG_BOUNDS] * 2) for start in starts]
        a, b = np.exp(min(fits, key=lambda fit: fit.fun).x)
        return cls(float(a), float(b))

    def probability(self, counts, runs):
        """Predictive probability (k + a) / (n + a + b) that the next run calls it a straggler."""
        return (counts + self.a) / (runs + self.a + self.b)

    def interval(self, counts, runs, coverage=SURE):
        """Equal-tailed posterior interval of p_i: two arrays, low and high."""
        from scipy.special import betaincinv

        tail = (1 - coverage) / 2
        a, b = self.a + counts, self.b + runs - counts
        return betaincinv(a, b, tail), betaincinv(a, b, 1 - tail)

    def status(self, counts, runs):
        """`core` where P(p_i > 1/2) >= 0.95, `rare` where it is <= 0.05, else `fringe`: array of str."""
        from scipy.special import betainc

        above = betainc(self.b + runs - counts, self.a + counts, 0.5)  # P(1 - p < 1/2)
        return np.where(above >= SURE, CORE, np.where(above > 1 - SURE, FRINGE, RARE))
