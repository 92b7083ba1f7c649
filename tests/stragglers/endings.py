"""Histories whose runs end at different records."""

from dataclasses import replace

import numpy as np

from strag.bits import pack
from tests.conftest import history_of

T, P, Q = 161, 64, 24
ENDS = (120, 47, 159, 80)  # the last record of each run
FULL_BATCH = {"optimizer": "sgd", "batch_size": None}
MINI_BATCHES = {"optimizer": "sgd", "batch_size": 8}
SCHEDULE = (0, 2, 5, 10, 20, 40, 80, 160)  # updates of the tests


def whole(valleys=(25, 9, 30, 60), seed=0):
    """A History of four runs and T records, tested at every one; the third run has no valley."""
    random, t = np.random.default_rng(seed), np.arange(T)
    R = len(valleys)
    curves = 0.8 + 0.1 * np.square(np.log((t[:, None] + 1) / (np.array(valleys) + 1)))
    curves[:, 2] = 0.5 + 0.5 * np.exp(-t / 40)
    error = 0.5 * np.exp(-t[:, None] / (np.array(valleys) + 20))
    wrong = random.random((R, P)) < 2 * error[:, :, None] + 0.2
    history = history_of(curves, error=wrong.mean(axis=2), loss=1.5 * error, wrong=wrong, P=P)
    radius = history.measures["radius"] * np.array([0.9, 1.1], np.float32)
    wrong_tests = random.random((T, R, 1, Q)) < error[:, :, None, None] + 0.1
    return replace(
        history,
        measures={**history.measures, "radius": radius},
        test_updates=t,
        test_error=wrong_tests.mean(axis=3).astype(np.float32),
        test_misclassified=pack(wrong_tests),
        y_test=np.arange(Q) % 10,
    )


def ending(history, ends, beyond=np.nan):
    """A History whose runs end at these records and have been tested as the schedule says.

    beyond : value of the floats of a run after its end; bits there are 0 where it is NaN, else 1.
    """
    length, bits = max(ends) + 1, 0 if np.isnan(beyond) else 255
    gone = np.arange(length)[:, None] > np.array(ends)
    updates = sorted({t for t in SCHEDULE if t < length} | set(ends))
    untested = np.array([[t > end or (t not in SCHEDULE and t != end) for end in ends] for t in updates])

    def cut(values, gone, value):
        values = np.array(values)
        values[gone] = value
        return values

    tested = {
        name: np.array(getattr(history, name)[updates]) for name in ("test_error", "test_misclassified")
    }
    tested["test_error"][untested] = np.nan
    tested["test_misclassified"][untested] = 0
    for record, run in np.argwhere(untested):
        if updates[record] > ends[run]:
            tested["test_error"][record, run], tested["test_misclassified"][record, run] = beyond, bits
    return replace(
        history,
        updates=history.updates[:length],
        **{
            name: cut(getattr(history, name)[:length], gone, value)
            for name, value in (("train_error", beyond), ("train_loss", beyond), ("misclassified", bits))
        },
        measures={name: cut(values[:length], gone, beyond) for name, values in history.measures.items()},
        test_updates=np.array(updates),
        **tested,
        last_record=np.array(ends),
    )


def alone(history, run, end):
    """The same History with one run alone, whose training ended at a record."""
    kept, one = slice(end + 1), slice(run, run + 1)
    updates = sorted({t for t in SCHEDULE if t <= end} | {end})
    names = ("train_error", "train_loss", "misclassified")
    return replace(
        history,
        updates=history.updates[kept],
        **{name: getattr(history, name)[kept, one] for name in names},
        measures={name: values[kept, one] for name, values in history.measures.items()},
        trained=history.trained[one],
        runs=history.runs[one],
        test_updates=np.array(updates),
        **{name: getattr(history, name)[updates, one] for name in ("test_error", "test_misclassified")},
    )


def together(history, end):
    """The same History with all runs, whose training ended at one record, without `last_record`."""
    updates = sorted({t for t in SCHEDULE if t <= end} | {end})
    names = ("updates", "train_error", "train_loss", "misclassified")
    return replace(
        history,
        **{name: getattr(history, name)[: end + 1] for name in names},
        measures={name: values[: end + 1] for name, values in history.measures.items()},
        test_updates=np.array(updates),
        **{name: getattr(history, name)[updates] for name in ("test_error", "test_misclassified")},
    )
