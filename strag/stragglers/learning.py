"""Scores of hardness that follow from the examples that are misclassified at every record.

With one bit per record, run and example, they need neither logits nor another training.
"""

from dataclasses import dataclass

import numpy as np

from strag.bits import unpack

_AT_ONCE = 1 << 24  # bits of one run that are unpacked at a time


@dataclass(frozen=True)
class Learning:
    """How P examples were learned, over the runs that train on them and are finite at their last record.

    Attributes
    ----------
    runs : int64 [P], number of these runs. All other values of an example without any are NaN.
    correct : float64 [P], number of records at which the example is classified correctly, mean over runs.
    correctness : float64 [P], share of the records at which it is, mean over runs.
    forgetting_events : float64 [P], number of records at which the example is misclassified although it was
        classified correctly at the record before (Toneva et al., ICLR 2019, arXiv:1812.05159), mean over the
        runs that classify it correctly at some record. NaN if there are none: such an example is the hardest.
    first_learned : float64 [P], update of the first record at which it is classified correctly, median over
        runs. A run without such a record counts as later than every update; NaN if the median is.
    never_learned : float64 [P], share of the runs without such a record.
    """

    runs: np.ndarray
    correct: np.ndarray
    correctness: np.ndarray
    forgetting_events: np.ndarray
    first_learned: np.ndarray
    never_learned: np.ndarray


def learning_of(history):
    """The Learning of the examples of a History. Every record counts, also that of the initial weights."""
    counted = np.flatnonzero(history.last_finite)
    step = max(1, _AT_ONCE // (8 * len(history.updates)))  # bytes
    parts = [
        _of_part(history, counted, slice(first, first + step))
        for first in range(0, history.misclassified.shape[2], step)
    ]
    columns = [np.concatenate(column)[: history.examples] for column in zip(*parts, strict=True)]
    return Learning(*columns)


def _of_part(history, counted, part):
    """The columns of Learning for the examples in some bytes: tuple of arrays [8 * bytes].

    counted : positions on axis R of the runs that count. part : slice of the bytes.
    """
    trained = unpack(history.trained[counted, part])  # (R, P)
    shape = trained.shape
    correct, share, forgotten = (np.zeros(shape) for _ in range(3))
    first = np.full(shape, np.inf)
    for place, run in enumerate(counted):
        end = history.records[run]
        right = ~unpack(history.misclassified[:end, run, part])  # (T, P)
        correct[place] = right.sum(axis=0)
        share[place] = correct[place] / end
        forgotten[place] = (right[:-1] & ~right[1:]).sum(axis=0)
        learned = right.any(axis=0)
        first[place, learned] = history.updates[right[:, learned].argmax(axis=0)]
    learned = np.isfinite(first)
    runs = trained.sum(axis=0)
    return (
        runs,
        _mean(correct, trained),
        _mean(share, trained),
        _mean(forgotten, trained & learned),
        _median(first, trained),
        _mean(~learned, trained),
    )


def over_counted_runs(history, values):
    """Mean of values, float [R, P], over the runs that count in Learning: float64 [P], NaN without any."""
    counts = history.trained_bits() & history.last_finite[:, None]
    return _mean(values, counts)


def _mean(values, counts):
    """Mean over axis R of the values, [R, P], that count, bool [R, P]; NaN without any."""
    number = counts.sum(axis=0)
    total = np.where(counts, values, 0).sum(axis=0, dtype=np.float64)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def _median(values, counts):
    """Median over axis R of the values, [R, P], that count, bool [R, P]; NaN without any, or if infinite."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    ordered = np.sort(np.where(counts, values, np.inf), axis=0)
    number, columns = counts.sum(axis=0), np.arange(values.shape[1])
    middle = (ordered[np.maximum(number - 1, 0) // 2, columns] + ordered[number // 2, columns]) / 2
    return np.where((number > 0) & np.isfinite(middle), middle, np.nan)
