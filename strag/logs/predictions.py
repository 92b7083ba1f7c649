"""Predictions in an npz file: who is classified as what, at every update, and what else was logged.

The arrays are `predictions` [T, P] or [T, R, P], `labels` [P], and optionally `logits` [..., P, C], `updates`
[T], `ids` [P], `classes` [C], `recording`, and per layer `activations.NAME` [..., P, N] or `class_means.NAME`
[..., C, N].
"""

from pathlib import Path

import numpy as np

from strag.datasets.npy import Npz
from strag.errors import StragError, bad_usage
from strag.recording.ids import order_of
from strag.recording.logged import Logged
from strag.recording.recorded import KINDS
from strag.words import number_of, some_of

ACTIVATIONS, MEANS = "activations.", "class_means."
_PLAIN = ("predictions", "labels", "logits", "updates", "ids", "classes", "recording")
MOST, MOST_MEASURED = 1 << 16, 1 << 12  # classes; those of a layer have a distance for every pair
_LONGER = 1e-3  # by which a class mean may be longer than 1, from rounding


def read_predictions(path, updates=None, recording=None, note=None, stream=None, title=None):
    """The Recorded of the runs in an npz file.

    Parameters
    ----------
    path : the file, or its name in messages if it is read from `stream`, a binary file that can seek.
    updates : rising updates, int [T], in place of those in the file; without both, 0 to T - 1.
    recording : "online" or "snapshot" in place of that in the file; without both, "snapshot".
    note : function that is called with one line on the arrays that were left out, or None.
    title : name of the logs in figures, or None.

    The radius of a class whose mean m is given follows from R^2 = 1 - |m|^2, which is exact if no activation
    of the class is zero.

    Raises StragError for arrays that are missing or do not fit each other, and for Python objects.
    """
    with Npz(Path(path), stream) as arrays:
        logs = _Logs(arrays, updates, recording)
        logs.title = title
        left_out = [name for name in arrays.names if name not in logs.used]
        if left_out and note:
            note(f"{path}: left out {some_of(left_out)}")
        return logs.recorded()


class _Logs:
    """The arrays of an npz file, checked by their shapes.

    used : names of the arrays that are read. T, R, P, C : numbers of updates, runs, examples and classes.
    layers : dict of the name of a layer to the name of its array.
    """

    def __init__(self, arrays, updates=None, recording=None):
        self.arrays, self.path = arrays, arrays.path
        layers = [name for name in arrays.names if name.startswith((ACTIVATIONS, MEANS))]
        self.used = [name for name in arrays.names if name in _PLAIN or name in layers]
        self.labels = self._whole("labels", 1)
        self.P = len(self.labels)
        self._set_lead()
        self.layers = self._layers_of(layers)
        self._set_classes()
        self.updates = self._updates(updates)
        self.recording = self._recording(recording)
        self.ids = self._ids()

    def fault(self, problem, remedy):
        """The StragError about the file."""
        return StragError(problem, remedy, self.path)

    def _set_lead(self):
        """Set T and R, and whether arrays have an axis of runs, from the predictions or the logits."""
        name = "predictions" if "predictions" in self.used else "logits"
        if name not in self.used:
            raise self.fault("has no array 'predictions'", "save predictions [T, P] or [T, R, P], and labels")
        shape, dtype = self.arrays.form_of(name)
        more = 0 if name == "predictions" else 1
        wanted = (
            f"[T, {self.P}] or [T, R, {self.P}]" if not more else f"[T, {self.P}, C] or [T, R, {self.P}, C]"
        )
        if len(shape) not in (2 + more, 3 + more) or shape[len(shape) - 1 - more] != self.P:
            turned = not more and len(shape) == 2 and shape[0] == self.P
            remedy = "transpose it" if turned else "save one column per label"
            raise self.fault(f"'{name}' has shape {list(shape)}, not {wanted}", remedy)
        self._require_kind(name, dtype, "iu" if not more else "f")
        self.lead = shape[: len(shape) - 1 - more]
        self.T, self.R = self.lead[0], self.lead[1] if len(self.lead) == 2 else 1
        if 0 in (self.T, self.R, self.P):
            raise self.fault(
                f"'{name}' has shape {list(shape)}, and so no values", "save at least one record"
            )
        if not more and "logits" in self.used:
            self._shape("logits", (*self.lead, self.P, None), "f")

    def _require_kind(self, name, dtype, kinds):
        """Refuse an array of another kind of numbers: "iu" for whole numbers, "f" for floats."""
        if dtype.kind not in kinds:
            words = "floating-point" if kinds == "f" else "whole"
            remedy = f"save it with .astype({'float' if kinds == 'f' else 'int'})"
            raise self.fault(f"'{name}' holds {dtype}, not {words} numbers", remedy)

    def _shape(self, name, wanted, kinds, more=False):
        """Return the shape of an array. wanted : the shape, with None for any length. more : of any axes."""
        shape, dtype = self.arrays.form_of(name)
        self._require_kind(name, dtype, kinds)
        fits = len(shape) >= len(wanted) if more else len(shape) == len(wanted)
        fits = fits and all(own in (None, n) for own, n in zip(wanted, shape, strict=False))
        if not fits or 0 in shape:
            words = ", ".join("N" if n is None else str(n) for n in wanted)
            raise self.fault(f"'{name}' has shape {list(shape)}, not [{words}]", "save one row per example")
        return shape

    def _whole(self, name, axes):
        """An array of whole numbers with this number of axes: int64."""
        if name not in self.used:
            raise self.fault(f"has no array '{name}'", f"save {name} next to predictions")
        shape, dtype = self.arrays.form_of(name)
        self._require_kind(name, dtype, "iu")
        if len(shape) != axes:
            raise self.fault(
                f"'{name}' has shape {list(shape)}, not {axes} axis", "save one value per example"
            )
        return self.arrays[name].astype(np.int64)

    def _layers_of(self, names):
        """The array of each layer: dict. Raises StragError for a layer that has two."""
        layers = {}
        for name in names:
            layer = name.partition(".")[2]
            if not layer or layer in layers:
                problem = (
                    f"has '{layers[layer]}' and '{name}'" if layer else f"'{name}' has no name of a layer"
                )
                raise self.fault(problem, "save one array per layer")
            layers[layer] = name
        for name in layers.values():
            of_examples = name.startswith(ACTIVATIONS)
            rows = self.P if of_examples else None
            self._shape(name, (*self.lead, rows, None), "f", more=of_examples)
        return layers

    def _set_classes(self):
        """Set C and the names of the classes, and check the labels."""
        counts = {"logits": -1, **{name: -2 for name in self.layers.values() if name.startswith(MEANS)}}
        counts = {
            name: self.arrays.form_of(name)[0][axis] for name, axis in counts.items() if name in self.used
        }
        names = self._texts("classes") if "classes" in self.used else None
        counts |= {} if names is None else {"classes": len(names)}
        if len(set(counts.values())) > 1:
            words = ", ".join(f"{number_of(C, 'class', 'classes')} in '{name}'" for name, C in counts.items())
            raise self.fault(f"has {words}", "save arrays of the same classes")
        largest = int(self.labels.max())
        if not counts and "predictions" in self.used:
            largest = max(largest, max(int(part.max()) for part in self.arrays.along("predictions")))
        self.C = next(iter(counts.values()), max(largest + 1, 2))
        if self.C < 2:
            raise self.fault("has only one class", "save the labels of two classes or more")
        most = MOST_MEASURED if self.layers else MOST
        if most < self.C:
            problem = f"has {self.C} classes, but a history has at most {most}"
            problem += " with layers" if self.layers else ""
            raise self.fault(problem, "number the classes 0, 1, ...")
        if names is not None and len(set(names)) < len(names):
            raise self.fault("'classes' has a name twice", "save one name per class")
        self.names = [str(number) for number in range(self.C)] if names is None else names
        self._require_classes("labels", self.labels)

    def _require_classes(self, name, values, where=""):
        """Refuse class numbers outside of 0 to C - 1."""
        wrong = (values < 0) | (values >= self.C)
        if wrong.any():
            value = int(values[wrong][0])
            at = int(np.flatnonzero(wrong.reshape(-1, self.P).any(axis=0))[0])
            problem = f"'{name}' has {value} for example {at}{where}, but the classes are 0 to {self.C - 1}"
            raise self.fault(problem, "save the numbers of the classes, from 0 on")

    def _texts(self, name):
        """An array [n] of texts or whole numbers as a list of str or int."""
        array = self.arrays[name]
        if array.ndim != 1 or array.dtype.kind not in "USiu":
            problem = f"'{name}' holds {array.dtype} of shape {list(array.shape)}, not texts or whole numbers"
            raise self.fault(problem, "save a list of names")
        if array.dtype.kind == "S":
            array = np.char.decode(array, "utf-8", "surrogateescape")
        return array.tolist()

    def _updates(self, given):
        """The updates: int64 [T], rising."""
        updates, name = given, "`updates`"
        if given is None:
            updates = self._whole("updates", 1) if "updates" in self.used else np.arange(self.T)
            name = "'updates'"
        updates = np.asarray(updates, np.int64)
        if len(updates) != self.T or (updates[1:] <= updates[:-1]).any() or updates[0] < 0:
            right = f"pass one update per record, from 0 on, rising: {self.T} in all"
            has = f"has {number_of(len(updates), 'update')} for {number_of(self.T, 'record')}"
            problem = has if len(updates) != self.T else "does not rise from 0 on"
            raise (
                bad_usage(f"{name} {problem}", right, self.path)
                if given is not None
                else self.fault(f"{name} {problem}", right)
            )
        return updates

    def _recording(self, given):
        """How the networks were recorded: "snapshot" or "online"."""
        recording = given
        if given is None:
            recording = "snapshot"
            if "recording" in self.used:
                recording = str(self.arrays["recording"])
        if recording not in KINDS:
            raise self.fault(f"'recording' is {recording!r}", f"save {' or '.join(KINDS)}")
        if recording == "online" and self.layers:
            problem = f"is an online recording, and has '{next(iter(self.layers.values()))}'"
            remedy = "remove it, because its values belong to different parameters"
            raise self.fault(problem, remedy)
        return recording

    def _ids(self):
        """The ids of the examples: list of int or of str [P]."""
        if "ids" not in self.used:
            return list(range(self.P))
        ids = self._texts("ids")
        if len(ids) != self.P:
            problem = f"'ids' has {number_of(len(ids), 'id')} for {number_of(self.P, 'label')}"
            raise self.fault(problem, "save one id per label")
        return ids

    def recorded(self):
        """Return the Recorded, reading the records one after the other."""
        try:
            order = order_of(self.ids)
        except StragError as error:
            raise self.fault(error.problem.replace("`ids`", "'ids'"), "save one id per example") from None
        self.logged = Logged(self.updates, self.R, self.labels, order, self.C)
        outputs = [self._records(name) for name in ("predictions", "logits")]
        for record in range(self.T):
            self._take(record, *(next(parts, None) for parts in outputs))
        for number, name in enumerate(self.layers.values()):
            for record, part in enumerate(self._records(name)):
                for run, values in enumerate(part):
                    moments = self._moments(name, values, record)
                    self.logged.measure(record, run, number, len(self.layers), moments)
        return self.logged.recorded(self.ids, self.names, list(self.layers), self.recording, self.title)

    def _take(self, record, predicted, logits):
        """Keep the outputs at a record, int [R, P] and float [R, P, C], one of which may be None."""
        where = f" at update {self.updates[record]}"
        if predicted is not None:
            self._require_classes("predictions", predicted, where)
        for run in range(self.R):
            if predicted is not None:
                self.logged.predict(record, run, predicted[run])
            if logits is not None:
                self.logged.judge(record, run, logits[run], keep=predicted is None)
            if predicted is not None and logits is not None:
                own = np.take_along_axis(logits[run], predicted[run].astype(np.int64)[:, None], axis=1)[:, 0]
                other = np.flatnonzero(own < logits[run].max(axis=1))
                if other.size:
                    problem = f"'predictions' has {predicted[run, other[0]]} for example {other[0]}{where}"
                    problem += ", where another of its 'logits' is larger"
                    raise self.fault(problem, "save logits and predictions of the same classes")

    def _records(self, name):
        """Yield an array record by record, [R, ...]; nothing if it is not in the file."""
        for part in self.arrays.along(name) if name in self.used else ():
            yield part if len(self.lead) == 2 else part[None]

    def _moments(self, name, values, record):
        """The ClassMoments of activations [P, ...] or class means [C, N] of a run at a record."""
        if name.startswith(ACTIVATIONS):
            return self.logged.of_activations(values.reshape(self.P, -1))
        lengths = np.linalg.norm(values[np.unique(self.labels)].astype(np.float64), axis=1)
        if (lengths > 1 + _LONGER).any():
            problem = f"'{name}' has a mean of length {lengths.max():.4g} at update {self.updates[record]}"
            raise self.fault(
                problem, "save the class means of activations that were divided by their lengths"
            )
        return self.logged.of_means(values)
