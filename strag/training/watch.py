"""Figures that are shown during a training, and warnings at its end."""

import numpy as np

from strag.geometry.moments import rms_radius
from strag.words import number_of, some_of

ROUNDING = 1e-5  # bound on the rounding error of a mean of |x|^2 in float32


class Watch:
    """Observes every Record of a training.

    `figures`, a dict of name to value, are for the progress bar; `warnings` are for the end.

    recipe : Recipe. task : Task. names : names of its C groups.
    """

    def __init__(self, recipe, task, names):
        self.recipe, self.task, self.names = recipe, task, names
        masks = [slice(None)] if task.trained is None else task.trained
        count = np.stack([np.bincount(task.group[mask], minlength=task.classes) for mask in masks])
        self._count = np.broadcast_to(count, (recipe.runs, task.classes))  # (R, C), trained examples
        self.figures = {}
        self._diverged = {}
        self._done = {}  # network updates of each group
        self._over = np.zeros(recipe.runs, bool)  # runs that have ended on their own
        self._vanished = (0, 0, 0, 0)  # number of representations, update, run, layer
        self._present = None

    def add(self, record, last):
        """Observe a Record and return the number of network updates finished so far: int.

        last : the last update of the training.
        """
        if record.train_loss is not None:
            self._look(record)
        number = record.runs.stop - record.runs.start
        self._done[record.runs.start] = number * record.update
        if record.ended is not None:  # a run that has ended is complete
            self._over[record.runs] |= record.ended
            return int(self._over.sum()) * last
        return sum(self._done.values())

    def _look(self, record):
        """Note the runs that diverged, the classes with examples and the figures of a Record."""
        trains = ~self._over[record.runs]
        finite = np.isfinite(record.train_loss)
        for run in np.flatnonzero(~finite & trains) + record.runs.start + self.recipe.first_run:
            self._diverged.setdefault(int(run), record.update)
        present = ~np.isnan(record.measures["radius"][finite]).all(axis=(0, 1)) if finite.any() else None
        self._present = present if self._present is None else self._present
        self._count_vanished(record, trains)
        self.figures = {
            "update": record.update,
            "error": f"{_mean(record.train_error[trains]):.4f}",
            "radius": f"{_mean(rms_radius(record.measures['radius'][trains, 0])):.3f}",
        }

    def _count_vanished(self, record, trains):
        """Note the largest number of vanishing representations of a run in a layer.

        The number is the sum over classes of (1 - mean |x|^2) times the number of examples. trains : bool
        [R], the runs that have not ended before.
        """
        share = 1 - record.measures["mean_norm2"]  # (R, L, C), NaN for an empty class
        share = np.where(trains[:, None, None], share, np.nan)
        count = self._count[record.runs][:, None]  # (R, 1, C)
        vanished = np.where(share > ROUNDING, share * count, 0).sum(axis=-1).round().astype(int)  # (R, L)
        run, layer = np.unravel_index(vanished.argmax(), vanished.shape)
        if vanished[run, layer] > self._vanished[0]:
            number = int(run) + record.runs.start + self.recipe.first_run
            self._vanished = (int(vanished[run, layer]), record.update, number, self.recipe.layers[layer])

    def warnings(self):
        """Return warnings about diverged runs, classes without examples and vanishing representations: list.

        The texts name parameters in backticks, as a StragError does.
        """
        lines = []
        if self._diverged:
            runs = ", ".join(str(run) for run in sorted(self._diverged))
            first = min(self._diverged.values())
            lines.append(f"diverged: run {runs} (first at update {first}); a smaller `lr` may help")
        if self._present is not None and not self._present.all():
            names = np.array(self.names)[~self._present]
            lines.append(
                f"no training examples in class {some_of(names)}: left out of every mean over classes"
            )
        vanished, update, run, layer = self._vanished
        if vanished:
            counted = f"{number_of(vanished, 'representation')} {'vanishes' if vanished == 1 else 'vanish'}"
            lines.append(
                f"up to {counted} (|h| = 0; run {run}, layer {layer}, update {update}); "
                "a vanishing representation counts as x = 0"
            )
        return lines


def _mean(values):
    """Return the mean of the finite values, or NaN if there are none."""
    finite = values[np.isfinite(values)]
    return finite.mean() if finite.size else float("nan")
