"""The state of a training in its work file, from which a later command continues it."""

import time

import numpy as np

from strag import signals
from strag.bits import unpack
from strag.errors import StragError
from strag.files.slots import Slots, slot_size
from strag.training.loop import run_groups
from strag.training.records import STATE, STOP, Checkpoint, Record

EVERY = 30.0  # seconds between two states
LISTED = 64  # bytes of the stamp of a slot for each group in progress


class Resumption:
    """Writes Checkpoints into the slots of a history's work file, and reads those of an earlier command.

    Parameters
    ----------
    job : Job. writers : of the history, laid out with `spare_bytes`, and of the weights if they are written.

    Raises StragError where the slots belong to another training.
    """

    def __init__(self, job, writers):
        self.job, self.writers, self.history = job, writers, writers[0]
        size = spare_bytes(job) // 2
        self.slots = Slots(self.history.output.file, self.history.end, size)
        self.groups = run_groups(job.recipe, job.task.ends)
        self.last, self.reached, self.finished = job.last, {}, set()
        self._due = time.monotonic() + EVERY
        if all(writer.output.is_begun for writer in writers):
            self._load()

    def _load(self):
        """Take over what the newest slot holds."""
        if self.history.is_complete:
            self.finished = {(runs.start, runs.stop) for runs in self.groups}
            return
        state = self.slots.load()
        if state is None:
            return
        meta, arrays = state
        if meta["of"] != self.history.fingerprint:
            raise StragError(
                "belongs to another version of strag",
                "finish it with that one, or remove this file",
                f"{self.history.output.path}.resume",
            )
        self.finished = {
            (runs.start, runs.stop)
            for runs in self.groups
            if any(start <= runs.start and runs.stop <= stop for start, stop in meta["finished"])
        }
        room = 1 if self.job.crew is None else len(self.job.crew.devices)
        for number, (start, stop, update) in enumerate(meta["reached"][:room]):
            head = f"{number}."
            parts = {name[len(head) :]: array for name, array in arrays.items() if name.startswith(head)}
            self.reached[start, stop] = Checkpoint(slice(start, stop), update, parts)

    def begun(self):
        """The Checkpoints of all groups that were begun: list."""
        complete = [Checkpoint(slice(*runs), self.last, {}, is_last=True) for runs in sorted(self.finished)]
        return [*complete, *self.reached.values()]

    def due(self):
        """STATE when it is time for one, every 30 seconds, STOP when a signal waits, else None."""
        if signals.waits():
            return STOP
        return STATE if time.monotonic() >= self._due else None

    def take(self, checkpoint):
        """Keep a Checkpoint, and write all of them if it is time."""
        runs = (checkpoint.runs.start, checkpoint.runs.stop)
        if checkpoint.is_last:
            self.reached.pop(runs, None)
            self.finished.add(runs)
        else:
            self.reached[runs] = checkpoint
        if self.due():
            self.save()

    def save(self):
        """Write the state into the older slot, after the records that belong to it."""
        for writer in self.writers:
            writer.flush()
        arrays = {
            f"{number}.{name}": array
            for number, checkpoint in enumerate(self.reached.values())
            for name, array in checkpoint.arrays.items()
        }
        meta = {
            "of": self.history.fingerprint,
            "finished": _joined(sorted(self.finished)),
            "reached": [[c.runs.start, c.runs.stop, c.update] for c in self.reached.values()],
        }
        with self.history.output.writing():
            self.slots.save(meta, arrays)
        self._due = time.monotonic() + EVERY


def records_before(history, checkpoint):
    """Yield the Records of a group before a Checkpoint, without their tests, from a HistoryWriter."""
    arrays, runs = history.arrays, checkpoint.runs
    ends = arrays["last_record"][runs] if "last_record" in arrays else None
    for at, update in enumerate(arrays["updates"]):
        if not checkpoint.is_last and update >= checkpoint.update:
            return
        if checkpoint.is_last and ends is not None and at > ends.max():
            return
        names = ("train_error", "train_loss", *history.measures)
        rows = {name: np.array(arrays[name][at, runs]) for name in names}
        bits = unpack(arrays["misclassified"][at, runs], len(arrays["index"]))
        error, loss = rows.pop("train_error"), rows.pop("train_loss")
        ended = None if ends is None else ends == at
        yield Record(runs, int(update), error, loss, rows, bits, ended=ended)


def spare_bytes(job):
    """Bytes of the two slots of a Job, each for the state of every group that is in training."""
    recipe, ends = job.recipe, job.task.ends
    at_once = 1 if job.crew is None else len(job.crew.devices)
    runs = max(group.stop - group.start for group in run_groups(recipe, ends))
    kept = 3 if recipe.optimizer == "adam" else 2 if recipe.momentum else 1
    shapes = recipe.architecture.shapes(ends).values()
    arrays = [4 * runs * int(np.prod(shape)) for shape in shapes] * kept + [4] * len(shapes)
    return 2 * (slot_size(arrays * at_once, LISTED * at_once + 4096) // 8 * 8 + 8)


def _joined(ranges):
    """Sorted ranges (start, stop), those that follow each other joined: list of lists."""
    joined = []
    for start, stop in ranges:
        if joined and joined[-1][1] == start:
            joined[-1][1] = stop
        else:
            joined.append([start, stop])
    return joined
