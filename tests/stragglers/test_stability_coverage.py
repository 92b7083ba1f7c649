"""How often the interval of kappa holds the kappa that it is of, over many made-up studies.

The sets are like those of mnist8k at its inversion (20 runs, width 20, depth 2, learning rate 0.2). An
example i is misclassified with probability p_i, of which the Beta distribution is the one that
`strag find-stragglers` fits there. A shift of all ln(p_i / (1 - p_i)), normal from run to run, gives the
sets the spread of their sizes. The p_i are the same in all studies, of which each draws runs anew.

Measured with these seeds, coverage and mean width, of 2000 studies, whose standard error is 0.005:

    runs  disjoint pairs   all pairs
       8  0.950  0.0203    0.968  0.0129
      10  0.949  0.0161    0.961  0.0107
      20  0.957  0.0097    0.955  0.0067
      40  0.960  0.0064    0.951  0.0045
     100  0.953  0.0039    0.955  0.0027
"""

import numpy as np
import pytest
from scipy.special import betaincinv, expit, logit

from strag.stragglers.overlap import ALL, DISJOINT, Overlap, pairs_of
from strag.stragglers.stability import mean_interval

pytestmark = pytest.mark.slow

P, A, B, SIZE, SPREAD = 8192, 0.00999775, 0.098079, 754.4, 14.4  # examples, Beta(A, B), sizes of the sets
CERTAIN = 1e-4  # examples nearer than this to 0 or 1 are never, or always, misclassified
STUDIES, TRUTH_SEED = 2000, 2024
# Mean widths measured with these seeds, rounded up by a twentieth: an interval may not cover by being wide.
WIDEST = {
    DISJOINT: {8: 0.0215, 10: 0.017, 20: 0.0103, 40: 0.0068, 100: 0.0042},
    ALL: {8: 0.0138, 10: 0.0114, 20: 0.0071, 40: 0.0048, 100: 0.0029},
}


class Runs:
    """Sets of runs, drawn as often as wanted."""

    def __init__(self):
        p = betaincinv(A, B, (np.arange(P) + 0.5) / P)
        open_ones = p[(p > CERTAIN) & (p < 1 - CERTAIN)]
        self.always = int((p >= 1 - CERTAIN).sum())
        own = (open_ones * (1 - open_ones)).sum()  # variance of the size without a shift, and its slope
        self.log_odds, self.shift = logit(open_ones).astype(np.float32), np.sqrt(SPREAD**2 - own) / own

    def draw(self, random, number):
        """What every two of `number` runs have in common, and the sizes: int [number, number], [number]."""
        shifts = (self.shift * random.standard_normal((number, 1))).astype(np.float32)
        sets = random.random((number, self.log_odds.size), dtype=np.float32) < expit(self.log_odds + shifts)
        sets = sets.astype(np.float32)
        return (sets @ sets.T).astype(int) + self.always, sets.sum(axis=1).astype(int) + self.always

    def kappa(self, drawn, pairs):
        """The kappa of pairs of drawn runs: float [n]."""
        common, sizes = drawn
        a, b = pairs.T
        return Overlap(common[a, b], sizes[a], sizes[b], np.full(len(pairs), P)).kappa


@pytest.fixture(scope="module")
def runs():
    return Runs()


@pytest.fixture(scope="module")
def truth(runs):
    """The expected kappa of a pair, from 50000 independent pairs; its standard error is below 0.00004."""
    random, pairs = np.random.default_rng(TRUTH_SEED), pairs_of(100)
    kappas = [runs.kappa(runs.draw(random, 100), pairs) for _ in range(1000)]
    assert np.std(kappas) / np.sqrt(np.size(kappas)) < 0.00004
    return float(np.mean(kappas))


def test_the_made_up_sets_are_like_those_of_mnist8k(runs, truth):
    sizes = np.concatenate([runs.draw(np.random.default_rng(seed), 100)[1] for seed in range(50)])
    assert sizes.mean() == pytest.approx(SIZE, rel=0.01)
    assert sizes.std() == pytest.approx(SPREAD, rel=0.05)
    assert truth == pytest.approx(0.90, abs=0.005)


@pytest.mark.parametrize("number", [8, 10, 20, 40, 100])
def test_95_percent_intervals_hold_the_truth(runs, truth, number):
    random = np.random.default_rng(number)
    every = {which: pairs_of(number, which) for which in (DISJOINT, ALL)}
    found = {which: [] for which in every}
    for _ in range(STUDIES):
        drawn = runs.draw(random, number)
        for which, pairs in every.items():
            found[which].append(mean_interval(runs.kappa(drawn, pairs), pairs, which))
    for which, intervals in found.items():
        low, high = np.transpose(intervals)
        coverage = ((low <= truth) & (truth <= high)).mean()
        assert 0.93 <= coverage <= 0.985, (which, coverage)
        assert np.mean(high - low) < WIDEST[which][number], which
