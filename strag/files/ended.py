"""A history whose runs ended at different updates, cut where the last of them ended."""

import numpy as np

from strag.files.laws import RUN


class Ended:
    """The filled part of the tensors of a history that was laid out for the longest possible training.

    Parameters
    ----------
    arrays : dict of tensor name to array, with `last_record`. spec : Spec of the history.
    scheduled : updates of the tests that every run makes until it ends.

    The axis of records ends with the last record of any run. The axis of test records keeps the scheduled
    ones until then, and those at the last record of a run, where only such runs were tested. Behind the last
    record of a run, and where it was not tested, floats are NaN and bits 0.
    """

    def __init__(self, arrays, spec, scheduled=()):
        self.arrays, self.last = arrays, np.asarray(arrays["last_record"])
        self.axes = {name: spec.axes_of(name) for name in arrays}
        self.own = np.asarray(arrays["updates"])[self.last]  # (R,), update of the last record
        self.kept = {"record": np.arange(self.last.max() + 1)}
        tests = np.asarray(arrays.get("test_updates", ()), np.int64)
        regular = np.isin(tests, list(scheduled)) & (tests <= self.own.max())
        self.kept["test record"] = np.flatnonzero(regular | np.isin(tests, self.own))
        self.is_tested = np.where(regular[:, None], tests[:, None] <= self.own, tests[:, None] == self.own)

    def layout(self):
        """Dict of tensor name to (dtype, shape) of the cut tensors."""
        layout = {}
        for name, array in self.arrays.items():
            axis = self.axes[name][0] if self.axes[name] else None
            length = len(self.kept[axis]) if axis in self.kept else None
            layout[name] = (array.dtype, array.shape if length is None else (length, *array.shape[1:]))
        return layout

    def cut(self):
        """The cut tensors in memory: dict of name to array."""
        arrays = {name: np.empty(shape, dtype) for name, (dtype, shape) in self.layout().items()}
        for name, array in arrays.items():
            for place, values in self.parts(name):
                array[place] = values
        return arrays

    def parts(self, name):
        """Yield (place, values) for all parts of a cut tensor."""
        array, axes = self.arrays[name], self.axes[name]
        if axes[0] not in self.kept:
            yield ..., array
            return
        for at, position in enumerate(self.kept[axes[0]]):
            values = np.array(array[position])
            if len(axes) > 1 and axes[1] == RUN.name:
                missing = self.last < position if axes[0] == "record" else ~self.is_tested[position]
                values[missing] = np.nan if values.dtype.kind == "f" else 0
            yield at, values
