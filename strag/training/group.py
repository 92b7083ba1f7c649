"""The networks of some runs that are trained together."""

import numpy as np
import torch

from strag.geometry.curves import measures_of
from strag.training.architecture import stack
from strag.training.descent import Descent, kept_by
from strag.training.ending import Ending
from strag.training.passes import Inputs, batch_step, full_pass, misclassified
from strag.training.records import STOP, Checkpoint, Record
from strag.training.seeds import epoch_order, noise_array


def open_inputs(recipe, task, device):
    """Move the examples and the test set to the device: (Inputs, _Test or None)."""
    dtype = recipe.architecture.operands(recipe.precision, task.ends)[0]
    data = Inputs.of(task.x, task.group, task.classes, device, dtype)
    return data, _Test.of(recipe, task, device, dtype)


def state_shapes(recipe, task):
    """Shapes of the arrays of one run in its last Checkpoint: dict of name to tuple.

    The optimiser of Adam counts its steps for all runs of a group together; a run has one number.
    """
    architecture, ends = recipe.architecture, task.ends
    state = {name: torch.zeros(1, *shape) for name, shape in architecture.shapes(ends).items()}
    columns = torch.as_tensor(task.columns)
    networks = architecture.networks(state, ends, columns, recipe.precision, "cpu")
    shapes = {name: tuple(parameter.shape[1:]) for name, parameter in networks.parameters.items()}
    kept = {
        f"{what}.{name}": () if what == "steps" else shape
        for what in kept_by(recipe)
        for name, shape in shapes.items()
    }
    shapes |= {name: tuple(parameter.shape[1:]) for name, parameter in networks.fixed.items()}
    return {f"parameter.{name}": shape for name, shape in shapes.items()} | kept


class _Test:
    """The test set and the noise on its varying inputs, which all runs and conditions share."""

    def __init__(self, inputs, noise, levels):
        self.inputs, self.noise, self.levels = inputs, noise, levels

    @classmethod
    def of(cls, recipe, task, device, dtype):
        """Return the _Test of a Task, or None if the task has no test set."""
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
        """Return the misclassified test examples at each noise level: bool [R, S, Q]."""
        levels = [
            misclassified(networks, self.inputs, level * self.noise if level else None)
            for level in self.levels
        ]
        return torch.stack(levels, dim=1).cpu().numpy()


class Group:
    """The networks of some runs, and their training.

    Parameters
    ----------
    recipe, task : Recipe and Task of the whole training. data, test : the result of `open_inputs`.
    runs : slice of all runs. weights_at : updates at which the weights are due. device : of torch.
    decide : see `train`.

    `update` is the number of updates made, `is_stopped` whether the training was stopped before its end.
    """

    def __init__(self, recipe, task, data, test, runs, weights_at, device, decide=None):
        self.recipe, self.task, self.data, self.test, self.runs = recipe, task, data, test, runs
        self.device, self.weights_at = device, weights_at
        self.size = runs.stop - runs.start
        self.active = np.arange(self.size)  # the runs that `networks` holds
        self.last = recipe.updates(task.origin_size)
        self.recorded = set(recipe.recorded(task.origin_size))
        self.tested = set(recipe.tested(task.origin_size)) if test else set()
        self.trained = None
        if task.trained is not None and not task.trained[runs].all():
            self.trained = torch.as_tensor(task.trained[runs], dtype=torch.float32).to(device)
        self.networks = self._networks()
        self.descent = Descent(recipe, self.networks.parameters)
        self.update, self.ending, self.is_stopped = 0, None, False
        if decide is not None:
            trained = None if task.trained is None else task.trained[runs]
            self.ending = Ending(decide, task.group, trained, task.classes, self.size)

    def _networks(self):
        """Build the networks from the initial parameters, which are given or drawn from the seed."""
        architecture, ends, initial = self.recipe.architecture, self.task.ends, self.task.initial
        if initial is None:
            numbers = self.task.seed_runs[self.runs]
            return self._built(stack([architecture.initial(ends, self.recipe.seed, n) for n in numbers]))
        return self._built({name: torch.as_tensor(p[self.runs]).clone() for name, p in initial.items()})

    def _built(self, state):
        """The networks with these parameters over all inputs, a dict of name to tensor."""
        recipe, columns = self.recipe, torch.as_tensor(self.task.columns)
        return recipe.architecture.networks(state, self.task.ends, columns, recipe.precision, self.device)

    def _leave_ended(self):
        """Go on without the runs that are not active any more."""
        if self.ending is None or self.ending.active.size == self.active.size:
            return
        rows = np.flatnonzero(np.isin(self.active, self.ending.active))
        kept = {name: part[rows] if part.dim() else part for name, part in self.descent.state().items()}
        self.networks = self._built({name: part[rows] for name, part in self.networks.state().items()})
        self.descent = Descent(self.recipe, self.networks.parameters)
        self.descent.restore(kept)
        self.trained = None if self.trained is None else self.trained[rows]
        self.active = self.ending.active

    def _of_all(self, values, absent):
        """Values of the active runs, [., ...], as values of all runs; the others get the value `absent`."""
        if self.active.size == self.size:
            return values
        everyone = np.full((self.size, *values.shape[1:]), absent, values.dtype)
        everyone[self.active] = values
        return everyone

    def checkpoint(self, update, is_last=False):
        """Return the Checkpoint of the present state, which is that after `update` updates."""
        held = self.networks.parameters | self.networks.fixed
        parts = {f"parameter.{name}": tensor for name, tensor in held.items()}
        parts |= self.descent.state()
        arrays = {name: tensor.detach().cpu().numpy().copy() for name, tensor in parts.items()}
        arrays = {name: self._of_all(array, 0) if array.ndim else array for name, array in arrays.items()}
        return Checkpoint(self.runs, update, arrays, is_last)

    @torch.no_grad()
    def restore(self, checkpoint):
        """Go on from a Checkpoint of these runs; called before `records`."""
        state = {name: torch.as_tensor(array) for name, array in checkpoint.arrays.items()}
        for name, parameter in (self.networks.parameters | self.networks.fixed).items():
            parameter.copy_(state.pop(f"parameter.{name}"))
        self.descent.restore(state)
        self.update = checkpoint.update
        for record in checkpoint.seen if self.ending else ():
            self.ending.take(record)

    def events(self, due=None, keep=False):
        """Train to the end and yield Records and Checkpoints; see `train`.

        keep : whether to yield the Checkpoint after the last update.
        """
        yield from self.records(due)
        if keep and not self.is_stopped:
            yield self.checkpoint(self.update, is_last=True)

    @torch.no_grad()
    def records(self, due=None):
        """Train to the end and yield a Record at every update where anything is due, and Checkpoints."""
        batches = self.batches(self.update)
        while True:
            self._leave_ended()
            update, continues = self.update, self.update < self.last
            needed = due() if due is not None else None
            if needed:
                yield self.checkpoint(update)
                if needed == STOP:
                    self.is_stopped = True
                    return
            is_recorded = update in self.recorded
            measured = self.look(continues, is_recorded)
            if is_recorded or update in self.tested or update in self.weights_at:
                yield self.record(update, measured)
            if not continues or (self.ending and self.ending.ended.all()):
                return
            self.step(next(batches, None))
            self.update += 1

    def look(self, continues, is_recorded):
        """Visit all examples once, for a record or for the gradient of the full batch: Measured or None.

        continues : whether an update follows. is_recorded : whether a record is due. If neither a record nor
        the gradient is needed, no example is visited.
        """
        learns = continues and self.recipe.batch_size is None
        self.networks.zero_grad()
        if not (learns or is_recorded):
            return None
        return full_pass(self.networks, self.data, self.recipe.layers, self.trained, learns, is_recorded)

    def step(self, batch=None):
        """Make one update with the gradient of `batch` or, if it is None, the gradient that `look` added."""
        if batch is not None:
            batch_step(self.networks, *batch)
        self.descent.step(self.networks.reached())

    def batches(self, start=0):
        """Yield the mini-batch of every update from `start` on as (Inputs, trained); none of a full batch.

        Mini-batches are drawn over the rows of the origin; rows that are not in the task are skipped.
        trained : float32 of 0 and 1, see `batch_step`, or None.
        """
        if self.recipe.batch_size is None:
            return
        P, origin = len(self.task.index), self.task.origin_size
        row = torch.full((origin,), -1, dtype=torch.int64)
        row[torch.as_tensor(self.task.index)] = torch.arange(P)
        numbers = self.task.seed_runs[self.runs]
        first, skipped = divmod(start, -(-origin // self.recipe.batch_size))
        for epoch in range(first, self.recipe.epochs):
            if self.recipe.own_order:
                orders = [row[epoch_order(origin, self.recipe.seed, epoch, run)] for run in numbers]
                order = torch.stack(orders)  # (R, rows of the origin)
            else:
                order = row[epoch_order(origin, self.recipe.seed, epoch)]
            for batch in order.split(self.recipe.batch_size, dim=-1)[skipped if epoch == first else 0 :]:
                yield self._own_batch(batch) if self.recipe.own_order else self._shared_batch(batch)

    def _shared_batch(self, batch):
        """Return the mini-batch that all runs share. batch : int64 [B], rows of the task, -1 if absent."""
        present = batch[batch >= 0].to(self.device)
        weight = None if self.trained is None else self.trained[:, present]
        return self.data.tile(present), weight

    def _own_batch(self, batch):
        """Return a mini-batch for each active run. batch : int64 [R, B], rows of the task, -1 if absent.

        Runs lack different rows, so an absent row is replaced by row 0 with weight 0.
        """
        batch = batch[self.active].to(self.device)
        present = batch >= 0
        rows = batch.clamp(min=0)
        weight = present.to(torch.float32)
        if self.trained is not None:
            weight = weight * self.trained.gather(1, rows)
        return self.data.tile(rows), weight

    def record(self, update, measured, tests=True):
        """Return the Record of this state. It holds the results of a pass and of the test that is due.

        measured : Measured, or None if no pass was made. tests : whether to test when a test is due.
        """
        record = Record(self.runs, update)
        if measured is not None:
            record.train_error, record.train_loss = (
                self._of_all(values, np.nan) for values in (measured.error, measured.loss)
            )
            measures = measures_of(measured.moments)
            record.measures = {name: self._of_all(values, np.nan) for name, values in measures.items()}
            record.misclassified = self._of_all(measured.wrong, False)
            if self.ending:
                record.ended = self.ending.take(record, is_last=update == self.last)
        ends = record.ended is not None and record.ended.any()
        if self.weights_at and ends if self.ending else update in self.weights_at:
            record.weights = self.networks.state()
            if self.active.size < self.size:
                state = {name: part.numpy() for name, part in record.weights.items()}
                record.weights = {name: self._of_all(part, np.nan) for name, part in state.items()}
        if tests and (update in self.tested or (ends and self.tested)):
            wrong = self.test.wrong(self.networks)
            record.test_error = self._of_all(wrong.mean(axis=-1), np.nan)
            record.test_misclassified = self._of_all(wrong, False)
        return record
