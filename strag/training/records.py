"""What a training yields: records of what was measured, and checkpoints to go on from."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

STATE, STOP = "state", "stop"  # what may be due between two updates: a Checkpoint, or one and then the end


@dataclass
class Record:
    """The state of some runs after `update` updates.

    The first axis of every array, written `.`, is that of these runs. S is the number of noise levels.

    runs : slice of all runs. train_error, train_loss : [.], over the examples that a run trains on; loss in
    nats. measures : dict of name to array [., L, axis], see `measures_of`. misclassified : bool [., P], over
    all examples. These are None, and `measures` empty, at updates where only a test or the weights are due.
    test_error [., S], test_misclassified bool [., S, Q] : None at updates without a test.
    ended : bool [.], the runs whose last record this is; None where all runs end at the last update.
    weights : dict of name to float32 [., ...], the parameters on the CPU, or None if they were not requested.
    """

    runs: slice
    update: int
    train_error: np.ndarray | None = None
    train_loss: np.ndarray | None = None
    measures: dict = field(default_factory=dict)
    misclassified: np.ndarray | None = None
    test_error: np.ndarray | None = None
    test_misclassified: np.ndarray | None = None
    ended: np.ndarray | None = None
    weights: dict | None = field(default=None, repr=False)


@dataclass
class Checkpoint:
    """The state of a group of runs after `update` updates, from which their training goes on.

    runs : slice of all runs. arrays : dict of name to numpy array: `parameter.NAME` of the networks, and what
    the optimiser keeps, see `Descent.state`. is_last : whether the training of these runs is complete.
    seen : the Records of these runs before `update`, which decide about their end; needed with `decide`.
    """

    runs: slice
    update: int
    arrays: dict = field(repr=False)
    is_last: bool = False
    seen: Iterable = field(default=(), repr=False)
