"""Training as a generator of records."""

from dataclasses import dataclass, field

import numpy as np
import torch

from strag.geometry.curves import measures_of
from strag.training.architecture import Ends, stack
from strag.training.descent import Descent
from strag.training.passes import Inputs, batch_step, full_pass, misclassified
from strag.training.seeds import epoch_order, noise_array


@dataclass
class Task:
    """What is trained on: standardised arrays, and which examples each run sees.

    Attributes
    ----------
    x : float32 [P, d'], the inputs that are used; columns : int64 [d'], where they stand among all d
    of an example, whose axes are `shape`; varying : bool [d'], those that vary in the block and so get
    noise on the test set.
    group : int64 [P] of C = `classes` groups.
    index, origin_size : rows of the origin, over which mini-batches are drawn.
    seed_runs : run number of each network, from which it gets its initial weights and its own order.
    trained : bool [R, P], or None for all. x_test, test_group : the test set, or None.
    initial : dict of name to float32 [R, ...], parameters to start from, or None for the seed's.
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
        """What lies at the two ends of its networks."""
        return Ends(self.shape, len(self.columns), self.classes)


@dataclass
class Record:
    """The state of some runs after `update` updates; arrays begin with the axis of these runs.

    runs : slice of axis R. measures : dict of name to array [., L, axis], see `measures_of`.
    misclassified : bool [., P]. Where only a test or the weights are due these are None, and no measures.
    test_error [., S], test_misclassified bool [., S, Q] : None between tests.
    weights : dict of name to float32 [., ...], the parameters, on the CPU, if asked for, else None.
    """

    runs: slice
    update: int
    train_error: np.ndarray | None = None
    train_loss: np.ndarray | None = None
    measures: dict = field(default_factory=dict)
    misclassified: np.ndarray | None = None
    test_error: np.ndarray | None = None
    test_misclassified: np.ndarray | None = None
    weights: dict | None = field(default=None, repr=False)


def run_groups(recipe, ends):
    """Slices of axis R that are trained together, aligned on the run number."""
    first, last = recipe.first_run, recipe.first_run + recipe.runs
    size = recipe.architecture.group_size(ends)
    starts = sorted({first, *range(-(-first // size) * size, last, size)})
    return [slice(a - first, b - first) for a, b in zip(starts, [*starts[1:], last], strict=True)]


def train(recipe, task, weights_at=(), device="cpu"):
    """Train `recipe.runs` networks and yield a Record wherever one, a test or weights are due, by groups.

    A run that diverges goes on as NaN beside its neighbours, which it does not touch.
    """
    data, test = open_inputs(recipe, task, device)
    for runs in run_groups(recipe, task.ends):
        yield from Group(recipe, task, data, test, runs, frozenset(weights_at), device).records()


def open_inputs(recipe, task, device):
    """The Inputs and, where there is a test set, its _Test on the device, as the products take them."""
    dtype = recipe.architecture.operands(recipe.precision, task.ends)[0]
    data = Inputs.of(task.x, task.group, task.classes, device, dtype)
    return data, _Test.of(recipe, task, device, dtype)


class _Test:
    """The test set, and the noise on those of its inputs that vary: the same for all runs and conditions."""

    def __init__(self, inputs, noise, levels):
        self.inputs, self.noise, self.levels = inputs, noise, levels

    @classmethod
    def of(cls, recipe, task, device, dtype):
        if task.x_test is None:
            return None
        noise = None
        if any(recipe.noise):
            drawn = noise_array(len(task.x_test), task.ends.features, recipe.seed)
            noise = drawn[:, torch.as_tensor(task.columns)]
            noise[:, torch.as_tensor(~task.varying)] = 0
            noise = noise.to(device)
        inputs = Inputs.of(task.x_test, task.test_group, task.classes, device, dtype)
        return cls(inputs, noise, recipe.noise)

    def wrong(self, networks):
        """bool [R, S, Q]: misclassified test examples at each noise level."""
        levels = [
            misclassified(networks, self.inputs, level * self.noise if level else None)
            for level in self.levels
        ]
        return torch.stack(levels, dim=1).cpu().numpy()


class Group:
    """Runs that are trained together."""

    def __init__(self, recipe, task, data, test, runs, weights_at, device):
        self.recipe, self.task, self.data, self.test, self.runs = recipe, task, data, test, runs
        self.device, self.weights_at = device, weights_at
        self.numbers = task.seed_runs[runs]
        self.last = recipe.updates(task.origin_size)
        self.recorded = set(recipe.recorded(task.origin_size))
        self.tested = set(recipe.tested(task.origin_size)) if test else set()
        self.trained = None
        if task.trained is not None and not task.trained[runs].all():
            self.trained = torch.as_tensor(task.trained[runs], dtype=torch.float32).to(device)
        self.networks = self._networks()
        self.descent = Descent(recipe, list(self.networks.parameters.values()))

    def _networks(self):
        architecture, ends, initial = self.recipe.architecture, self.task.ends, self.task.initial
        if initial is None:
            state = stack([architecture.initial(ends, self.recipe.seed, run) for run in self.numbers])
        else:
            state = {name: torch.as_tensor(part[self.runs]).clone() for name, part in initial.items()}
        columns = torch.as_tensor(self.task.columns)
        return architecture.networks(state, ends, columns, self.recipe.precision, self.device)

    @torch.no_grad()
    def records(self):
        """Train to the end, yielding a Record wherever anything is due."""
        batches = self.batches()
        for update in range(self.last + 1):
            wanted, goes_on = update in self.recorded, update < self.last
            measured = self.look(goes_on, wanted)
            if wanted or update in self.tested or update in self.weights_at:
                yield self.record(update, measured)
            if goes_on:
                self.step(next(batches, None))

    def look(self, goes_on, wanted):
        """One pass over all examples, if one is needed: for a record, and for the full batch's gradient."""
        learns = goes_on and self.recipe.batch_size is None
        self.networks.zero_grad()
        if not (learns or wanted):
            return None
        return full_pass(self.networks, self.data, self.recipe.layers, self.trained, learns, wanted)

    def step(self, batch=None):
        """One update, by the gradient of a batch or, without one, by the gradient that `look` left."""
        if batch is not None:
            batch_step(self.networks, *batch)
        self.descent.step()

    def batches(self):
        """Yield (Inputs, trained) for every update, drawn over the origin's rows, absent ones skipped.

        Nothing with the full batch.
        """
        if self.recipe.batch_size is None:
            return
        P, origin = len(self.task.index), self.task.origin_size
        row = torch.full((origin,), -1, dtype=torch.int64)
        row[torch.as_tensor(self.task.index)] = torch.arange(P)
        for epoch in range(self.recipe.epochs):
            if self.recipe.own_order:
                orders = [row[epoch_order(origin, self.recipe.seed, epoch, run)] for run in self.numbers]
                order = torch.stack(orders)  # (R, rows of the origin)
            else:
                order = row[epoch_order(origin, self.recipe.seed, epoch)]
            for batch in order.split(self.recipe.batch_size, dim=-1):
                yield self._own_batch(batch) if self.recipe.own_order else self._shared_batch(batch)

    def _shared_batch(self, batch):
        present = batch[batch >= 0].to(self.device)
        weight = None if self.trained is None else self.trained[:, present]
        return self.data.tile(present), weight

    def _own_batch(self, batch):
        """One batch per run; absent rows stay as row 0 with weight 0, since runs lack different ones."""
        batch = batch.to(self.device)
        present = batch >= 0
        rows = batch.clamp(min=0)
        weight = present.to(torch.float32)
        if self.trained is not None:
            weight = weight * self.trained.gather(1, rows)
        return self.data.tile(rows), weight

    def record(self, update, measured, tests=True):
        """The Record of this state: what a pass measured, and the test error where it is due."""
        record = Record(self.runs, update)
        if update in self.weights_at:
            record.weights = self.networks.state()
        if measured is not None:
            record.train_error, record.train_loss = measured.error, measured.loss
            record.measures = measures_of(measured.moments)
            record.misclassified = measured.wrong
        if tests and update in self.tested:
            wrong = self.test.wrong(self.networks)
            record.test_error = wrong.mean(axis=-1)
            record.test_misclassified = wrong
        return record
