"""Networks that were trained without something, beside the same runs trained on all the examples."""

from dataclasses import dataclass

import numpy as np

from strag.bits import unpack
from strag.errors import StragError
from strag.stragglers.find import Stragglers
from strag.stragglers.history import History

_NETWORK = ("seed", "depth", "width", "activation")  # of a recipe
_DESCENT = ("optimizer", "lr", "momentum", "weight_decay", "batch_size", "own_order")  # likewise


@dataclass(frozen=True)
class Counterpart:
    """The run of the reference that started from the same initial weights as one network.

    Attributes
    ----------
    run : its number. update, train_error : its t* and eps*, refined; None without an inversion.
    stopped_test_error, test_error : float64 [S], per noise level: stopped at t*, which is at the test record
        nearest in ln t (None without an inversion, or outside of these records), and at its last one.
    right_test_error, wrong_test_error : test error of the network, at its last test record without noise,
        over the test examples that the reference, stopped at t*, classifies right, and wrong; NaN where
        there are none, without an inversion or without such a record.
    """

    run: int
    update: float | None
    train_error: float | None
    stopped_test_error: np.ndarray | None
    test_error: np.ndarray
    right_test_error: float
    wrong_test_error: float


@dataclass(frozen=True)
class Reference:
    """A training on all the examples: its History, and the Counterpart of every network beside it."""

    history: History
    counterparts: tuple


def reference_of(history: History, reference: History, found: Stragglers):
    """The Reference that `reference` is to the networks of `history`, each beside the run it started from.

    found : what was found in `reference`, whose inversions are taken.

    Raises StragError where the two differ in the data, the examples, the network, the seed, the runs, the
    optimiser, the number of updates or the test records.
    """
    _require_alike(history, reference)
    places = [reference.runs.index(run) for run in history.seed_runs]
    told = [
        _counterpart(history, network, reference, place, found.inversions[place])
        for network, place in enumerate(places)
    ]
    return Reference(reference, tuple(told))


def _counterpart(history, network, reference, place, inversion):
    stopped, right, wrong = None, np.nan, np.nan
    record = reference.test_record_near(inversion.update)
    if record is not None:
        stopped = reference.test_error[record, place].astype(np.float64)
        right, wrong = _divided(history, network, reference, (record, place))
    return Counterpart(
        run=reference.runs[place],
        update=inversion.update,
        train_error=inversion.train_error,
        stopped_test_error=stopped,
        test_error=reference.last_test_error(place),
        right_test_error=right,
        wrong_test_error=wrong,
    )


def _divided(history, network, reference, stopped):
    """Test error over what the reference at `stopped`, (record, run), classifies right, and wrong.

    With W what the reference misclassifies and w what the network does, |W and w| / |W|, and
    |w without W| / (Q - |W|) = (share of w - share of W and w) / (1 - share of W), for which the number Q
    of test examples need not be known.
    """
    level = history.noise_free
    if level is None or not history.last_finite[network]:
        return np.nan, np.nan
    hard = reference.test_misclassified[(*stopped, level)]
    own = history.test_misclassified[-1, network, level]
    share, error = (
        float(reference.test_error[(*stopped, level)]),
        float(history.test_error[-1, network, level]),
    )
    if not hard.any():
        return error, np.nan
    wrong = float(_count(hard & own) / _count(hard))
    right = max(error - share * wrong, 0.0) / (1 - share) if share < 1 else np.nan
    return right, wrong


def _count(bits):
    return unpack(bits).sum()


def _require_alike(history, reference):
    """Refuse a reference that is not the training of the same runs on all the examples."""
    name = history.source
    for one in (history, reference):
        if one.test_error is None:
            remedy = "train it on data with a test set, and record the test error with `test_every`"
            raise StragError("has no test records", remedy, one.source)
    levels = [", ".join(f"{level:g}" for level in one.noise_levels) for one in (reference, history)]
    for problem, remedy, wrong in (
        (
            f"was trained on a different data set than {name}",
            "pass the training on all examples of the same data set",
            reference.meta["origin"] != history.meta["origin"],
        ),
        ("was not trained on all examples", "pass the training on all examples", _is_partial(reference)),
        (
            f"has different groups than {name}",
            "pass a training on data with the same `labels`",
            reference.classes != history.classes,
        ),
        (
            f"was tested with noise {levels[0]}, but {name} with {levels[1]}",
            "use the same `noise` in both trainings",
            levels[0] != levels[1],
        ),
        (
            f"has a different test set than {name}",
            "pass the training on all examples of the same data set",
            reference.test_misclassified.shape[2:] != history.test_misclassified.shape[2:],
        ),
    ):
        if wrong:
            raise StragError(problem, remedy, reference.source)
    _require_same_start(history, reference)


def _is_partial(history):
    size = history.meta.get("origin_size") or history.examples
    return history.meta.get("sets") is not None or (history.trained_bits().sum(axis=1) < size).any()


def _require_same_start(history, reference):
    """Refuse a reference whose runs do not start from the weights that the networks had."""
    linear = history.recipe.get("depth") == 1
    for name in (*_NETWORK, *_DESCENT):
        ours, theirs = (one.recipe.get(name) for one in (history, reference))
        if ours != theirs and not (linear and name in ("width", "activation")):
            parameter = f"`{name}`"
            raise StragError(
                f"was trained with {parameter} {theirs}, but {history.source} with {ours}",
                f"pass a training with {parameter} {ours}",
                reference.source,
            )
    ours, theirs = (int(one.updates[-1]) for one in (history, reference))
    if ours != theirs:
        raise StragError(
            f"was trained for {theirs} updates, but {history.source} for {ours}",
            f"pass a training of {ours} updates",
            reference.source,
        )
    ours, theirs = ((one.meta.get("inputs") or {}).get("init") for one in (history, reference))
    if ours != theirs:
        raise StragError(
            f"started from different weights than {history.source}",
            "use the same `init` in both trainings, or in neither",
            reference.source,
        )
    missing = sorted(set(history.seed_runs) - set(reference.runs))
    if missing:
        raise StragError(
            f"has no run {missing[0]}, from which a network of {history.source} started",
            f"train runs {min(history.seed_runs)} to {max(history.seed_runs)} with `first_run` and `runs`",
            reference.source,
        )
