"""OriginalClass: the stragglers and test errors of each original class, for any groups."""

from dataclasses import dataclass

import numpy as np

from strag.bits import unpack
from strag.stragglers.intervals import mean_of
from strag.stragglers.inversion import DIVERGED, INVERSION


@dataclass(frozen=True)
class OriginalClass:
    """The stragglers and test errors of one original class; NaN for unknown values.

    Attributes
    ----------
    number : number of the class. name : its name in the data set.
    examples : number of its examples that at least one run trains on.
    stragglers : number of its examples in the consensus (or core) of the runs.
    straggler_share : |S and class| / |class|, mean over the runs with a set S; only the examples count that
        the run trains on.
    test_error : share of its test examples that are misclassified without noise at the last test record, mean
        over the runs that did not diverge.
    test_error_at_inversion : the same at the test record nearest to t* in ln t, mean over the inverting runs
        with a t* between test records.
    """

    number: int
    name: str
    examples: int
    stragglers: int
    straggler_share: float
    test_error: float
    test_error_at_inversion: float


def original_classes(history, stragglers, chosen):
    """The OriginalClass of every class with examples in a History: tuple, by number.

    stragglers : Stragglers of the History. chosen : bool [P], the consensus or the core.
    """
    trained = history.trained_bits()
    y_test, last, turning = _tests(history, stragglers)
    rows = []
    for number in np.unique(history.y).tolist():
        members, tested = history.y == number, y_test == number
        size = trained[list(stragglers.taken)][:, members].sum(axis=1)  # of every run with a set
        straggling = stragglers.sets[:, members].sum(axis=1)
        rows.append(
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
    return tuple(rows)


def rank_correlation(classes):
    """Spearman's rank correlation of straggler_share and test_error over OriginalClasses that have both.

    Returns the correlation and the number of classes that have both values. The correlation is NaN for fewer
    than three such classes, and if all values of either are equal.
    """
    from scipy.stats import spearmanr

    pairs = np.array([(original.straggler_share, original.test_error) for original in classes]).reshape(-1, 2)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if len(pairs) < 3 or (pairs == pairs[0]).all(axis=0).any():
        return np.nan, len(pairs)
    return float(spearmanr(*pairs.T).statistic), len(pairs)


def _tests(history, stragglers):
    """The tests without noise: (y_test, last, turning), with int [Q], bool [., Q] and bool [., Q].

    The two bool arrays are the misclassified test examples at the last test record, for every run that did
    not diverge, and at t*, for every inverting run with a t* between test records. Without tests all are
    empty.
    """
    noise_free = history.noise_free
    if history.y_test is None or noise_free is None:
        return np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0))

    def wrong(places):
        bits = [history.test_misclassified[record, run, noise_free] for record, run in places]
        return unpack(np.array(bits, dtype=np.uint8).reshape(len(bits), -(-Q // 8)), Q)

    Q = len(history.y_test)
    runs = list(enumerate(stragglers.inversions))
    ends = [(history.tests_of(run)[-1:], run) for run, inversion in runs if inversion.verdict != DIVERGED]
    last = [(int(record), run) for records, run in ends for record in records]
    turning = [
        (history.test_record_near(inversion.update, run), run)
        for run, inversion in runs
        if inversion.verdict == INVERSION
    ]
    return history.y_test, wrong(last), wrong([place for place in turning if place[0] is not None])
