"""Stragglers and test errors of single original classes, whatever the groups of the training are."""

from dataclasses import dataclass

import numpy as np

from strag.bits import unpack
from strag.stragglers.intervals import mean_of
from strag.stragglers.inversion import DIVERGED, INVERSION


@dataclass(frozen=True)
class OriginalClass:
    """What the runs say of one original class; NaN where they say nothing.

    Attributes
    ----------
    number : the class. name : what its data set calls it.
    examples : of it, trained on by at least one run. stragglers : of it among the consensus of the runs.
    straggler_share : mean over the runs with a set S of |S and class| / |class|, counting the examples
        that the run trains on.
    test_error : share of its test examples that are misclassified without noise at the last test record,
        mean over the runs that did not diverge.
    test_error_at_inversion : the same at the test record nearest to t* in ln t, mean over the inverting
        runs whose t* lies between test records.
    """

    number: int
    name: str
    examples: int
    stragglers: int
    straggler_share: float
    test_error: float
    test_error_at_inversion: float


def original_classes(history, found, chosen):
    """The OriginalClasses of which a History has examples, by number.

    found : Stragglers of the History. chosen : bool [P], the consensus.
    """
    trained = history.trained_bits()
    y_test, last, turning = _tests(history, found)
    told = []
    for number in np.unique(history.y).tolist():
        members, tested = history.y == number, y_test == number
        size = trained[list(found.taken)][:, members].sum(axis=1)  # of every run with a set
        straggling = found.sets[:, members].sum(axis=1)
        told.append(
            OriginalClass(
                number,
                history.class_name(number),
                examples=int(trained[:, members].any(axis=0).sum()),
                stragglers=int(chosen[members].sum()),
                straggler_share=mean_of(straggling[size > 0] / size[size > 0]),
                test_error=mean_of(last[:, tested]),
                test_error_at_inversion=mean_of(turning[:, tested]),
            )
        )
    return tuple(told)


def rank_correlation(classes):
    """Spearman's rank correlation of straggler_share and test_error over OriginalClasses that have both.

    Returns it, NaN with fewer than three classes or where all are alike, and the number of classes.
    """
    from scipy.stats import spearmanr

    pairs = np.array([(one.straggler_share, one.test_error) for one in classes]).reshape(-1, 2)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if len(pairs) < 3 or (pairs == pairs[0]).all(axis=0).any():
        return np.nan, len(pairs)
    return float(spearmanr(*pairs.T).statistic), len(pairs)


def _tests(history, found):
    """y_test [Q], and who is misclassified without noise: bool [., Q] at the end, and at t*."""
    noise_free = history.noise_free
    if history.y_test is None or noise_free is None:
        return np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0))

    def wrong(places):
        bits = [history.test_misclassified[record, run, noise_free] for record, run in places]
        return unpack(np.array(bits, dtype=np.uint8).reshape(len(bits), -(-Q // 8)), Q)

    Q = len(history.y_test)
    runs = list(enumerate(found.inversions))
    last = [(-1, run) for run, one in runs if one.verdict != DIVERGED]
    turning = [(history.test_record_near(one.update), run) for run, one in runs if one.verdict == INVERSION]
    return history.y_test, wrong(last), wrong([place for place in turning if place[0] is not None])
