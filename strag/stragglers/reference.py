"""The reference of networks that left out examples: the same runs, trained on all examples.

Each network is compared with the run of the reference that started from the same initial weights.
"""

from dataclasses import dataclass

import numpy as np

from strag.bits import unpack
from strag.errors import StragError
from strag.stragglers.find import Stragglers
from strag.stragglers.history import History
from strag.stragglers.recipe import differing, in_words
from strag.stragglers.unknown import NO_REFERENCE, require_recipe
from strag.words import number_of


@dataclass(frozen=True)
class Counterpart:
    """The run of the reference that started from the same initial weights as one network.

    Attributes
    ----------
    run : the number of the run.
    update, train_error : t* and eps* of the run, refined; None without an inversion.
    stopped_test_error : float64 [S], the test error of the run per noise level when it is stopped at t*, that
        is at the test record nearest to t* in ln t. None without an inversion, or if t* lies outside of the
        test records.
    test_error : float64 [S], the test error of the run per noise level at its last test record.
    right_test_error, wrong_test_error : the test error of the network, at its last test record without noise,
        over the test examples that the run stopped at t* classifies correctly, and over those that it
        misclassifies. NaN if there are no such examples, without an inversion, and without such a record.
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
    """A training on all examples, with which networks that left out examples are compared.

    history : its History. counterparts : tuple of the Counterpart of each of these networks.
    """

    history: History
    counterparts: tuple


def reference_of(history: History, reference: History, stragglers: Stragglers):
    """Find the Counterpart in `reference` of every network of `history`.

    Parameters
    ----------
    history : History of networks that left out examples.
    reference : History of the same runs, trained on all examples.
    stragglers : Stragglers of `reference`, which give its inversions.

    Returns
    -------
    Reference

    Raises StragError if `reference` was not trained on all examples, and if the two differ in the data set,
    the groups, the test set, the noise levels, the network, the seed, the initial weights, the optimiser or
    the number of updates, or the limit of trainings until decided. Also raises it if either has no test
    records, or if `reference` lacks a run from which a network of `history` started.
    """
    _require_comparable(history, reference)
    places = [reference.runs.index(run) for run in history.seed_runs]
    counterparts = [
        _counterpart(history, network, reference, place, stragglers.inversions[place])
        for network, place in enumerate(places)
    ]
    return Reference(reference, tuple(counterparts))


def _counterpart(history, network, reference, place, inversion):
    """The Counterpart of one network: the run at position `place` of the reference, with its Inversion."""
    stopped, right, wrong = None, np.nan, np.nan
    record = reference.test_record_near(inversion.update, place)
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
    """Test error of a network over two parts of the test set: (right, wrong).

    The parts are the test examples that the reference classifies correctly, and those that it misclassifies,
    at `stopped`, a (record, run) of the reference.

    Let W be the test examples that the reference misclassifies, and w those that the network misclassifies.
    Then wrong = |W and w| / |W|, and right = |w without W| / (Q - |W|), which equals
    (share of w - share of W and w) / (1 - share of W). So the number Q of test examples need not be known.
    """
    level = history.noise_free
    if level is None or not history.last_finite[network]:
        return np.nan, np.nan
    hard = reference.test_misclassified[(*stopped, level)]
    last = history.tests_of(network)[-1:]
    if not last.size:
        return np.nan, np.nan
    own = history.test_misclassified[last[0], network, level]
    share, error = (
        float(reference.test_error[(*stopped, level)]),
        float(history.test_error[last[0], network, level]),
    )
    if not hard.any():
        return error, np.nan
    wrong = float(_count(hard & own) / _count(hard))
    right = max(error - share * wrong, 0.0) / (1 - share) if share < 1 else np.nan
    return right, wrong


def _count(bits):
    """The number of ones among bits."""
    return unpack(bits).sum()


def _require_comparable(history, reference):
    """Raise StragError if the reference is not a training of the same runs on all examples."""
    name = history.source
    for training in (history, reference):
        require_recipe(training, NO_REFERENCE)
        if training.test_error is None:
            remedy = "train it on data with a test set, and record the test error with `test_every`"
            raise StragError("has no test records", remedy, training.source)
    levels = [", ".join(f"{level:g}" for level in side.noise_levels) for side in (reference, history)]
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
    """Whether a run of a History was trained without some examples."""
    size = history.meta.get("origin_size") or history.examples
    return history.meta.get("sets") is not None or (history.trained_bits().sum(axis=1) < size).any()


def _require_same_start(history, reference):
    """Raise StragError if the runs of the reference do not start and train like the networks of `history`."""
    difference = differing(history.recipe, reference.recipe)
    if difference is not None:
        theirs, ours, remedy = in_words(*difference)
        raise StragError(
            f"was trained {theirs}, but {history.source} {ours}",
            f"pass a training {remedy}",
            reference.source,
        )
    _require_same_length(history, reference)
    ours, theirs = ((side.meta.get("inputs") or {}).get("init") for side in (history, reference))
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


def _require_same_length(history, reference):
    """Raise StragError if the two were trained for different numbers of updates.

    Trainings until decided end at different updates in each run; they need the same limit.
    """
    if "decided" in (history.recipe.get("until"), reference.recipe.get("until")):
        remedy = "use the same `until` and `epochs` in both trainings"
        ours, theirs = (_length(side.recipe) for side in (history, reference))
        if ours != theirs:
            problem = f"the reference was trained {theirs}, but {history.source} {ours}"
            raise StragError(problem, remedy, reference.source)
        return
    ours, theirs = (int(side.updates[-1]) for side in (history, reference))
    if ours != theirs:
        raise StragError(
            f"the reference was trained for {number_of(theirs, 'update')}, but {history.source} for {ours}",
            f"pass a training of {number_of(ours, 'update')}",
            reference.source,
        )


def _length(recipe):
    """How long a training lasts, in words."""
    epochs = number_of(recipe.get("epochs", 0), "epoch")
    return f"until decided, for at most {epochs}" if recipe.get("until") else f"for {epochs}"
