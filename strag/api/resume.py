"""The state of a training in its work file, from which a later command continues it."""

import time

import numpy as np

from strag import signals
from strag.bits import unpack
from strag.errors import StragError, StragNote, warn_of
from strag.files.slots import Slots, slot_size
from strag.training.loop import run_groups
from strag.training.records import STATE, STOP, Checkpoint, Record
from strag.words import number_of

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
        self.writers, self.history = writers, writers[0]
        self.fingerprints = {writer.meta["kind"]: writer.fingerprint for writer in writers}
        self.slots = Slots(self.history.output.file, self.history.end, self.history.spare // 2)
        self.groups = run_groups(job.recipe, job.task.ends)
        self.last, self.first_run = job.last, job.recipe.first_run
        self.reached, self.finished = {}, set()
        self._due = time.monotonic() + EVERY
        self._load()

    def _load(self):
        """Take over what an earlier command has trained, if there is anything.

        Without the work file of the weights, an older state no longer counts. It is cleared before that file
        is begun again.
        """
        if all(writer.is_complete for writer in self.writers):
            self.finished = {(runs.start, runs.stop) for runs in self.groups}
            return
        state = self.slots.load()
        if state is not None:
            self._require_same(state[0]["of"])
        if state is None or not all(writer.is_begun for writer in self.writers):
            self.slots.clear()
        else:
            self._restore(*state)
        for writer in self.writers:
            writer.reopen()

    def _require_same(self, fingerprints):
        """Raise StragError unless the state belongs to these files. fingerprints : dict of those it has."""
        problem, remedy = None, "use the same command as then, or remove this file"
        if fingerprints["history"] != self.fingerprints["history"]:
            problem = "was begun by another version of strag"
            remedy = "finish it with that one, or remove this file"
        elif "weights" in self.fingerprints and "weights" not in fingerprints:
            problem = "was begun without `weights`"
        elif fingerprints.get("weights") != self.fingerprints.get("weights", fingerprints.get("weights")):
            problem = "was begun with other `weights_at`"
        if problem:
            for writer in self.writers:
                if not writer.is_begun:
                    writer.output.drop()
            raise StragError(problem, remedy, self.history.output.work_file)

    def _restore(self, meta, arrays):
        """Take over a state: what a slot holds."""
        self.finished = {
            (runs.start, runs.stop)
            for runs in self.groups
            if any(start <= runs.start and runs.stop <= stop for start, stop in meta["finished"])
        }
        for number, (start, stop, update) in enumerate(meta["reached"]):
            head = f"{number}."
            parts = {name[len(head) :]: array for name, array in arrays.items() if name.startswith(head)}
            self.reached[start, stop] = Checkpoint(slice(start, stop), update, parts)
        runs = sum(stop - start for start, stop in self.finished)
        place = [
            f", update {update} of runs {self.first_run + start} to {self.first_run + stop - 1}"
            for start, stop, update in meta["reached"]
        ]
        what = f"the training goes on after {number_of(runs, 'complete run')}{''.join(place)}"
        warn_of(self.history.output.work_file, what, StragNote)

    def begun(self):
        """The Checkpoints of all groups that were begun: list."""
        complete = [Checkpoint(slice(*runs), self.last, {}, is_last=True) for runs in sorted(self.finished)]
        return [*complete, *self.reached.values()]

    def require_all(self):
        """Raise StragError unless every group is complete, or a signal has stopped the training."""
        if not signals.waits() and len(self.finished) < len(self.groups):
            raise StragError(
                "the training ended before all runs were complete", "train again", self.history.output.path
            )

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
        arrays = {
            f"{number}.{name}": array
            for number, checkpoint in enumerate(self.reached.values())
            for name, array in checkpoint.arrays.items()
        }
        meta = {
            "of": self.fingerprints,
            "finished": _joined(sorted(self.finished)),
            "reached": [[c.runs.start, c.runs.stop, c.update] for c in self.reached.values()],
        }
        try:
            for writer in self.writers:
                writer.flush()
            self.slots.save(meta, arrays)
        except OSError as error:
            problem = f"cannot be written: {error.strerror or error}"
            remedy = "free some space, and run the same command again to go on from its last state"
            raise StragError(problem, remedy, self.history.output.work_file) from None
        self._due = time.monotonic() + EVERY


def records_before(history, checkpoint):
    """Yield the Records of a group before a Checkpoint, without their tests, from a HistoryWriter."""
    arrays, runs, last = history.arrays, checkpoint.runs, None
    number = len(arrays["updates"])
    if "last_record" in arrays:  # where a run has not ended, it is 0
        last = np.array(arrays["last_record"][runs])
        number = last.max() + 1 if checkpoint.is_last else number
    for at, update in enumerate(arrays["updates"][:number]):
        if update < checkpoint.update or checkpoint.is_last:
            names = ("train_error", "train_loss", *history.measures)
            rows = {name: np.array(arrays[name][at, runs]) for name in names}
            bits = unpack(arrays["misclassified"][at, runs], len(arrays["index"]))
            error, loss = rows.pop("train_error"), rows.pop("train_loss")
            ended = None if last is None else (last == at) & (at > 0)
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
