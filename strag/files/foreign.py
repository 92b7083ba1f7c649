"""Activations that another program saved as plain arrays, read as `strag.files.activations` reads dumps.

A file holds `labels` or `y` [P], and layers: every other array of floating-point numbers with two or more
axes, of which the first is that of the P examples. Optional are `ids` [P], `predictions` [P], `logits` [P, C]
and `updates` [T]. With `updates`, layers, predictions and logits begin with an axis of T. An npy file is one
layer, called like the file, and its labels come from another file.
"""

from contextlib import ExitStack

import numpy as np

from strag.bits import pack
from strag.errors import StragError, bad_usage
from strag.recording.outputs import judged
from strag.words import Brief, number_of, some_of

LABELS = ("labels", "y")
ROLES = (*LABELS, "ids", "predictions", "logits", "updates")
_ROWS = 1 << 14  # rows of logits read at a time


class Arrays:
    """The arrays of one file by their role, before the labels of all files are read together.

    found : dict of name to an array, or to the StragError of one that cannot be read. labels : the labels if
    they come from elsewhere, or None.

    Attributes
    ----------
    stack : the ExitStack of the open files.
    layers : dict of name to StoredArray. labels : the raw labels [P]. left_out : dict of the name of an array
    to the reason why it is left out.

    Raises StragError for arrays that do not fit together.
    """

    def __init__(self, found, source, labels=None):
        self.source, self.stack = source, ExitStack()
        self.roles = {name: self._usable(found[name]) for name in ROLES if name in found}
        self.labels = self._labels(labels)
        self.updates = self._updates()
        self.lead = () if self.updates is None else (len(self.updates),)
        self.layers, self.left_out = {}, {}
        for name, array in found.items():
            if name not in ROLES:
                self._sort(name, array)
        if not self.layers:
            rows = f" at each of {number_of(self.lead[0], 'update')}" if self.lead else ""
            problem = f"holds no layer, which is an array of floats with one row per example{rows}"
            out = "; ".join(f"{name} {reason}" for name, reason in self.left_out.items())
            raise StragError(f"{problem} ({out})" if out else problem, "add one or more", source)
        self.ids = self.roles["ids"].read() if "ids" in self.roles else None
        for name, axes in (("ids", ()), ("predictions", self.lead), ("logits", self.lead)):
            self._require_rows(name, axes, 1 + (name == "logits"))

    def _usable(self, array):
        """The array, if it could be read."""
        if isinstance(array, StragError):
            raise array
        return array

    def _labels(self, given):
        """The raw labels [P] of this file."""
        own = [name for name in LABELS if name in self.roles]
        if len(own) == 2:
            raise StragError("holds 'labels' and 'y'", "keep only one of them", self.source)
        if own and given is not None:
            raise bad_usage(f"holds '{own[0]}', but `labels` are given too", "use one of them", self.source)
        if not own and given is None:
            remedy = "add an array 'labels', or pass the file of the labels with `labels`"
            raise bad_usage("holds no labels", remedy, self.source)
        labels = self.roles[own[0]].read() if own else np.asarray(given)
        if not labels.ndim:
            raise StragError("has a single label", "save one label per example", self.source)
        if not len(labels):
            raise StragError("holds no examples", "save at least one", self.source)
        return labels

    def _updates(self):
        """The updates, int64 [T], or None."""
        if "updates" not in self.roles:
            return None
        updates = self.roles["updates"].read()
        rising = updates.dtype.kind in "iu" and updates.ndim == 1 and updates.size
        if not rising or updates.min() < 0 or (np.diff(updates.astype(np.int64)) <= 0).any():
            problem = "'updates' are not whole numbers that strictly increase"
            raise StragError(problem, "save one number for each update", self.source)
        return updates.astype(np.int64)

    def _sort(self, name, array):
        """Take an array as a layer, or leave it out with a reason. Raises StragError for other lengths."""
        axes = (*self.lead, len(self.labels))
        if isinstance(array, StragError):
            reason = array.problem.removeprefix("array ").removeprefix("tensor ")
            self.left_out[name] = reason.removeprefix(f"'{name}' ")
        elif not array.is_float:
            self.left_out[name] = f"is {array.dtype}, not floating-point numbers"
        elif len(array.shape) <= len(axes):
            self.left_out[name] = f"has shape {list(array.shape)}, without an axis of units"
        elif array.shape[: len(axes)] != axes:
            begins = f"{len(self.labels)} labels" + (f" at {self.lead[0]} updates" if self.lead else "")
            problem = f"layer '{name}' has shape {list(array.shape)}, but there are {begins}"
            raise StragError(problem, "save one row per label, or remove the array", self.source)
        elif not np.prod(array.shape, dtype=object):
            raise StragError(f"layer '{name}' has no units", "remove it", self.source)
        else:
            self.layers[name] = array

    def _require_rows(self, name, lead, axes):
        """Raise StragError unless the array of a role, if there is one, has a row for every label."""
        shape = self.roles[name].shape if name in self.roles else None
        expected = (*lead, len(self.labels))
        if shape is not None and (shape[: len(expected)] != expected or len(shape) != len(lead) + axes):
            form = [*expected, *(["classes"] if axes == 2 else [])]
            problem = f"'{name}' have shape {list(shape)}, not [{', '.join(map(str, form))}]"
            raise StragError(problem, "save one row per label", self.source)


class ForeignActivations(Brief):
    """Arrays of one network that are read part by part, like `strag.files.activations.Activations`.

    arrays : Arrays. classes : names of the C classes. numbers : int64 [C], their numbers, increasing. y,
    index : int64 [P]. predicted : int64 [T, P], the group, or -1 for another class than those of the labels;
    or None.
    """

    is_other, is_foreign, runs, names, model = False, True, (0,), None, {}

    def __init__(self, arrays, classes, numbers, y, index, predicted):
        self._arrays, self.source, self.classes, self._numbers = arrays, arrays.source, classes, numbers
        self.y, self.group, self.index = y, np.searchsorted(numbers, y), index
        self.layers, self.left_out = tuple(arrays.layers), arrays.left_out
        self.updates = np.zeros(1, np.int64) if arrays.updates is None else arrays.updates
        self.trained = pack(np.ones((1, len(y)), dtype=bool))
        self._predicted, self._logits = predicted, arrays.roles.get("logits")
        self.has_predictions = predicted is not None or self._logits is not None
        self.meta = {"classes": list(classes)}
        self._known = None, None
        if self._logits is not None and numbers.max() >= self._logits.shape[-1]:
            problem = f"has class {numbers.max()}, but its logits have {self._logits.shape[-1]} columns"
            raise StragError(problem, "number the classes by the columns, from 0", self.source)

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        return f"{number_of(len(self.index), 'example')}, layers {some_of(self.layers)}"

    @property
    def remarks(self):
        """What is left out or missing, in lines."""
        lines = [f"left out {name}, which {reason}" for name, reason in self.left_out.items()]
        if not self.has_predictions:
            lines.append("holds no predictions or logits, so that the error is not known")
        return [f"{self.source}: {line}" for line in lines]

    def _at(self, update):
        """The positions on the axes before that of the examples."""
        return (update,) if self._arrays.lead else ()

    def width(self, layer):
        """Number of units of a layer."""
        shape = self._arrays.layers[layer].shape
        return int(np.prod(shape[len(self._arrays.lead) + 1 :]))

    def hidden(self, layer, update, run, rows):
        """Return the activations of one layer for a slice of rows, [rows, N]; update, run : positions."""
        return self._arrays.layers[layer].rows(self._at(update), rows)

    def prediction(self, update, run):
        """Return the predicted group of every example, int64 [P], or None; update, run : positions."""
        if self._predicted is not None:
            return self._predicted[update]
        return self._outcome(update)[0]

    def loss(self, update, run):
        """Return the cross-entropy of every example, float64 [P], or None without logits."""
        return self._outcome(update)[1]

    def _outcome(self, update):
        """The predicted groups and the cross-entropies at an update from the logits, or None twice."""
        if self._logits is None:
            return None, None
        if self._known[0] != update:
            columns, losses = np.empty(len(self.y), np.int64), np.empty(len(self.y))
            for start in range(0, len(self.y), _ROWS):
                rows = slice(start, start + _ROWS)
                z = self._logits.rows(self._at(update), rows).astype(np.float64)
                columns[rows] = np.where(np.isfinite(z).all(axis=1), z.argmax(axis=1), -1)
                losses[rows] = judged(z, self.y[rows])[1]
            self._known = update, (positions(columns, self._numbers), losses)
        return self._known[1]

    def close(self):
        """Close the file."""
        self._arrays.stack.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def positions(y, numbers):
    """The position of every class number among `numbers`, int64; -1 if it is not there."""
    at = np.minimum(np.searchsorted(numbers, y), len(numbers) - 1)
    return np.where(numbers[at] == y, at, -1)
