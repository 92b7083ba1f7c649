"""What is worth saying about a training while it goes on and when it is over."""

import numpy as np

from strag.geometry.moments import rms_radius


class Watch:
    """Looks at every Record; `figures` are for a progress bar, `warnings` for the end."""

    def __init__(self, recipe, data):
        self.recipe, self.data = recipe, data
        self.figures = {}
        self._diverged = {}
        self._zeros = 0
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
        present = ~np.isnan(record.radius[finite]).all(axis=(0, 1)) if finite.any() else None
        self._present = present if self._present is None else self._present
        with np.errstate(invalid="ignore"):
            self._zeros += int((record.mean_norm2[finite] < 1 - 1e-5).any())
        self.figures = {
            "update": record.update,
            "error": f"{_mean(record.train_error):.4f}",
            "radius": f"{_mean(rms_radius(record.radius[:, 0])):.3f}",
        }

    def warnings(self):
        """Lines to warn with: runs that diverged, classes without examples, vanished representations."""
        lines = []
        if self._diverged:
            runs = ", ".join(str(run) for run in sorted(self._diverged))
            first = min(self._diverged.values())
            lines.append(f"diverged: run {runs} (first at update {first}); a smaller --lr may help")
        if self._present is not None and not self._present.all():
            names = np.array(self.data.grouping.names)[~self._present]
            lines.append(
                f"no training examples in class {', '.join(names)}: left out of every mean over classes"
            )
        if self._zeros:
            lines.append(
                f"in {self._zeros} records some representations vanish (|h| = 0); they count as x = 0"
            )
        return lines


def _mean(values):
    finite = values[np.isfinite(values)]
    return finite.mean() if finite.size else float("nan")
