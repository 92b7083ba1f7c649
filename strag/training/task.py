"""What a training works on."""

from dataclasses import dataclass

import numpy as np

from strag.training.architecture import Ends


@dataclass
class Task:
    """The data that networks are trained on: standardised arrays, and the examples of each run.

    Attributes
    ----------
    x : float32 [P, d'], the inputs that are used. columns : int64 [d'], the positions of these inputs among
    all d of an example. shape : shape of an example. varying : bool [d'], whether an input is divided by a
    standard deviation above 0; these inputs get noise on the test set.
    group : int64 [P], from 0 to `classes` - 1. classes : number of groups C.
    index : int [P], the examples' rows in the origin. origin_size : number of rows of the origin, over which
    mini-batches are drawn.
    seed_runs : run number of each network, which determines its initial weights and, with `own_order`, its
    order of the examples.
    trained : bool [R, P], the examples that each run trains on, or None for all. x_test, test_group : the
    test set, or None.
    initial : dict of name to float32 [R, ...], parameters to start from, or None to draw them from the seed.
    """

    x: np.ndarray
    columns: np.ndarray
    shape: tuple
    varying: np.ndarray
    group: np.ndarray
    classes: int
    index: np.ndarray
    origin_size: int
    seed_runs: tuple
    trained: np.ndarray | None = None
    x_test: np.ndarray | None = None
    test_group: np.ndarray | None = None
    initial: dict | None = None

    @property
    def ends(self):
        """The Ends of the task's networks."""
        return Ends(self.shape, len(self.columns), self.classes)
