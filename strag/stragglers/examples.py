"""BetaBinomial: the probability that an example is a straggler, from a binomial model over runs.

Runs differ only in their seed. Example i is a straggler in k_i of the n_i inverting runs that train on it, so
that k_i is Binomial(n_i, p_i). With p_i ~ Beta(a, b), where a and b are fitted by maximum
likelihood over all examples, the posterior of p_i is Beta(a + k_i, b + n_i - k_i).

Few examples or few runs leave a and b uncertain. Intervals and statuses therefore use a mixture of these
posteriors over the posterior of a and b, whose prior is uniform in a / (a + b) and 1 / (a + b + 1). With the
fitted a and b alone, the 95 % intervals of 50 examples in two runs would cover 58 %.
"""

from dataclasses import dataclass

import numpy as np

from strag.errors import StragError

SURE = 0.95
CORE, FRINGE, RARE = "core", "fringe", "rare"
_LOG_BOUNDS = (-12.0, 12.0)  # bounds of log a and log b
_MEANS, _SHARES = (-4.0, 4.0), (-9.0, 9.0)  # logits: of a / (a + b) about the mean, of 1 / (a + b + 1)
_SIDE = 14  # number of grid points for each of the two logits
_ZOOMS = 6  # at most; each zooms to where the posterior is
_SMALL = 1e-4  # parts of the posterior below this share of the largest weight are left out
_HALVINGS = 34  # halvings of the interval from 0 to 1, which leave 1e-10


def unidentifiable(counts, runs):
    """The reason why k_i of n_i runs, int [P] each, do not identify a and b; empty if they do.

    One run cannot distinguish a from b. Where every k is 0, or every k is n, the likelihood does not change
    once b, or a, is large compared with the other.
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

    a, b : float. posterior : float64 [3, G], pairs of a and b and their weights; if it is None, a and b are
    assumed to be known.
    """

    a: float
    b: float
    posterior: np.ndarray | None = None

    @property
    def share(self):
        """1 / (a + b + 1), between 0 and 1, the intraclass correlation of membership in the sets.

        It is the share of the variance of membership that is due to the examples, not to the seeds.
        """
        return 1 / (self.a + self.b + 1)

    @classmethod
    def fit(cls, counts, runs):
        """Fit a and b by maximum likelihood over examples: `counts` k_i and `runs` n_i, int [P] each.

        Raises StragError if a and b are not identifiable, see `unidentifiable`.
        """
        from scipy.optimize import minimize
        from scipy.special import betaln

        counts, runs = np.asarray(counts), np.asarray(runs)
        reason = unidentifiable(counts, runs)
        if reason:
            raise StragError(reason, "train more runs")
        (k, n), _, weights = _distinct(counts, runs)

        def loss(logs):
            a, b = np.exp(logs)
            return -float(weights @ (betaln(k + a, n - k + b) - betaln(a, b))) / counts.size

        share = np.clip(counts.sum() / runs.sum(), 1e-6, 1 - 1e-6)
        starts = [np.log([s * share, s * (1 - share)]) for s in (0.1, 1.0, 10.0)]
        fits = [minimize(loss, start, method="L-BFGS-B", bounds=[_LOG_BOUNDS] * 2) for start in starts]
        a, b = np.exp(min(fits, key=lambda fit: fit.fun).x)
        return cls(float(a), float(b), _posterior(k, n, weights))

    def probability(self, counts, runs):
        """Probability (k + a) / (n + a + b) that an example straggles in the next run: float64 [P]."""
        return (counts + self.a) / (runs + self.a + self.b)

    def interval(self, counts, runs, coverage=SURE):
        """Equal-tailed posterior interval of p_i with this coverage: (low, high), float64 [P] each."""
        tail = (1 - coverage) / 2
        (k, n), pair_of, _ = _distinct(counts, runs)
        low, _ = self._quantile(k, n, tail)
        _, high = self._quantile(k, n, 1 - tail)
        return low[pair_of], high[pair_of]

    def status(self, counts, runs):
        """`core` if P(p_i > 1/2) >= 0.95, `rare` if it is <= 0.05, otherwise `fringe`: str [P]."""
        (k, n), pair_of, _ = _distinct(counts, runs)
        above = 1 - self._below(k, n, np.full(k.shape, 0.5))
        return np.where(above >= SURE, CORE, np.where(above > 1 - SURE, FRINGE, RARE))[pair_of]

    def _below(self, k, n, p):
        """P(p_i <= p) for examples with k and n; k, n, p and the result are float64 [M]."""
        from scipy.special import betainc

        if self.posterior is None:
            return betainc(self.a + k, self.b + n - k, p)
        a, b, weights = self.posterior
        return weights @ betainc(a[:, None] + k, b[:, None] + n - k, p)

    def _quantile(self, k, n, share):
        """Bounds (low, high), 1e-10 apart, of the quantile of p_i at this probability: float64 [M] each."""
        low, high = np.zeros(k.shape), np.ones(k.shape)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            above = self._below(k, n, middle) < share
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return low, high


def _distinct(counts, runs):
    """The distinct pairs of k and n in increasing order, float64 [2, M].

    Also returns the position of each example's pair, int [P], and the number of examples with each pair, int
    [M]. counts, runs : int [P] with counts of at most runs.
    """
    counts, runs = np.asarray(counts, np.int64), np.asarray(runs, np.int64)
    base = int(runs.max(initial=0)) + 1
    keys, pair_of, weights = np.unique(counts * base + runs, return_inverse=True, return_counts=True)
    return np.stack(np.divmod(keys, base)).astype(np.float64), pair_of.ravel(), weights


def _posterior(k, n, weights):
    """The posterior of a and b: pairs of a and b, and their weights, float64 [3, G].

    They lie on a grid over the logits of a / (a + b) and 1 / (a + b + 1), which zooms to where the posterior
    is.

    k, n : float64 [M], distinct pairs of k and n. weights : int [M], number of examples with each pair.
    """
    from scipy.special import betaln, expit, logit

    centre = logit((weights @ k + 0.5) / (weights @ n + 1))
    ends = np.array([[centre + _MEANS[0], centre + _MEANS[1]], _SHARES])
    for _ in range(_ZOOMS):
        mean, share = (
            axis.ravel() for axis in np.meshgrid(*(np.linspace(*bounds, _SIDE) for bounds in ends))
        )
        prior = np.log(expit(mean) * expit(-mean) * expit(share) * expit(-share))
        total = np.exp(-share)  # a + b
        a, b = expit(mean) * total, expit(-mean) * total
        likelihood = (betaln(k + a[:, None], n - k + b[:, None]) - betaln(a, b)[:, None]) @ weights
        density = np.exp(prior + likelihood - (prior + likelihood).max())
        kept = density > _SMALL
        step = (ends[:, 1] - ends[:, 0]) / (_SIDE - 1)
        inside = np.array([[mean[kept].min(), mean[kept].max()], [share[kept].min(), share[kept].max()]])
        smaller = inside + np.stack([-step, step], axis=1)
        if (smaller[:, 1] - smaller[:, 0] > 0.8 * (ends[:, 1] - ends[:, 0])).all():
            break
        ends = np.stack(
            [np.maximum(smaller[:, 0], ends[:, 0]), np.minimum(smaller[:, 1], ends[:, 1])], axis=1
        )
    return np.stack([a[kept], b[kept], density[kept] / density[kept].sum()])
