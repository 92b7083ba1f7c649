"""What is worth saying about a training while it goes on and when it is over."""

import numpy as np

from strag.geometry.moments import rms_radius
from strag.words import number_of, some_of

ROUNDING = 1e-5  # of a mean of |x|^2 in float32


class Watch:
    """Looks at every Record; `figures` are for a progress bar, `warnings` for the end.

    recipe : Recipe. task : Task. names : of its C groups.
    """

    def __init__(self, recipe, task, names):
        self.recipe, self.task, self.names = recipe, task, names
        masks = [slice(None)] if task.trained is None else task.trained
        count = np.stack([np.bincount(task.group[mask], minlength=task.classes) for mask in masks])
        self._count = np.broadcast_to(count, (recipe.runs, task.classes))  # (R, C), trained examples
        self.figures = {}
        self._diverged = {}
        self._vanished = (0, 0, 0, 0)  # how many, update, run, layer
        self._present = None

    def add(self, record, last):
        """Take a record in; the number of network-updates finished so far."""
        if record.train_loss is not None:
            self._look(record)
        return record.runs.start * last + (record.runs.stop - record.runs.start) * record.update

    def _look(self, record):
        finite = np.isfinite(record.train_loss)
        for run in np.flatnonzero(~finite) + record.runs.start + self.recipe.first_run:
            self._diverged.setdefault(int(run), record.update)
        present = ~np.isnan(record.measures["radius"][finite]).all(axis=(0, 1)) if finite.any() else None
        self._present = present if self._present is None else self._present
        self._count_vanished(record)
        self.figures = {
            "update": record.update,
            "error": f"{_mean(record.train_error):.4f}",
            "radius": f"{_mean(rms_radius(record.measures['radius'][:, 0])):.3f}",
        }

    def _count_vanished(self, record):
        """Take in how many representations vanish: 1 - mean |x|^2 of each class, times its examples."""
        share = 1 - record.measures["mean_norm2"]  # (R, L, C), NaN for an empty class
        count = self._count[record.runs][:, None]  # (R, 1, C)
        found = np.where(share > ROUNDING, share * count, 0).sum(axis=-1).round().astype(int)  # (R, L)
        run, layer = np.unravel_index(found.argmax(), found.shape)
        if found[run, layer] > self._vanished[0]:
            number = int(run) + record.runs.start + self.recipe.first_run
            self._vanished = (int(found[run, layer]), record.update, number, self.recipe.layers[layer])

    def warnings(self):
        """Lines to warn with: runs that diverged, classes without examples, vanished representations.

        They name parameters in backticks, as a StragError does.
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
        most, update, run, layer = self._vanished
        if most:
            counted = f"{number_of(most, 'representation')} {'vanishes' if most == 1 else 'vanish'}"
            lines.append(
                f"up to {counted} (|h| = 0; run {run}, layer {layer}, update {update}); "
                "a vanishing representation counts as x = 0"
            )
        return lines


def _mean(values):
    finite = values[np.isfinite(values)]
    return finite.mean() if finite.size else float("nan")
