"""Logged: predictions, logits and activations that were logged elsewhere, gathered record by record."""

import numpy as np

from strag.bits import pack
from strag.geometry.curves import measures_of
from strag.geometry.moments import ClassMoments
from strag.geometry.sums import ClassSums, rows_of_tile
from strag.recording.outputs import judged
from strag.recording.recorded import Recorded
from strag.recording.tape import margins_of


class Logged:
    """T records of R runs on P examples in C classes, without their values at first.

    Examples are added in any order; they are kept in that of their sorted ids.

    Parameters
    ----------
    updates : int64 [T]. runs : R. labels : int64 [P], in the order in which examples are added. order : int64
        [P], positions of the sorted ids among these, see `strag.recording.ids.order_of`. classes : C.

    Memory is that of the bits, and of two numbers per run and example.
    """

    def __init__(self, updates, runs, labels, order, classes):
        self.updates, self.labels, self.order = np.asarray(updates), np.asarray(labels), order
        shape = len(self.updates), runs
        P, self.classes = len(order), classes
        self.misclassified = np.zeros((*shape, (P + 7) // 8), np.uint8)
        self.train_error, self.train_loss = np.zeros(shape), None
        self.sums, self.squares = None, None
        self.measures = {}
        self._members = np.bincount(self.labels, minlength=classes)

    def predict(self, record, run, predicted):
        """Keep who is misclassified. record, run : positions. predicted : int [P], the predicted classes."""
        self._keep(record, run, predicted != self.labels)

    def judge(self, record, run, logits, keep=True):
        """Keep who is misclassified, the loss, and the margins, from logits, float [P, C].

        keep : whether the logits say who is misclassified, and not `predict`.
        """
        wrong, loss, margin = judged(logits, self.labels)
        if keep:
            self._keep(record, run, wrong)
        if self.train_loss is None:
            self.train_loss = np.full(self.train_error.shape, np.nan)
            self.sums, self.squares = (
                np.zeros((self.train_error.shape[1], len(self.order))) for _ in range(2)
            )
        self.train_loss[record, run] = loss.mean()
        self.sums[run] += margin
        self.squares[run] += np.square(margin)

    def _keep(self, record, run, wrong):
        """Keep who is misclassified, bool [P]."""
        self.misclassified[record, run] = pack(wrong[self.order])
        self.train_error[record, run] = wrong.mean()

    def measure(self, record, run, layer, layers, moments):
        """Keep the measures of a layer. layer : its position among `layers`. moments : ClassMoments."""
        for name, values in measures_of([moments]).items():
            shape = (*self.train_error.shape, layers, *values.shape[1:])
            self.measures.setdefault(name, np.full(shape, np.nan))[record, run, layer] = values[0]

    def of_activations(self, activations):
        """The ClassMoments of the normalised activations, float [P, N], of all examples."""
        P, N = activations.shape
        sums, step = ClassSums(self.classes, N), rows_of_tile(N)
        for start in range(0, P, step):
            rows = slice(start, start + step)
            sums.add(activations[rows], self.labels[rows])
        return sums.moments()

    def of_means(self, means):
        """The ClassMoments of class means of normalised activations, float [C, N], none of which is zero."""
        present = self._members > 0
        total = np.where(present[:, None], means.astype(np.float64), 0) * self._members[:, None]
        return ClassMoments(self._members, total, self._members)

    def recorded(self, ids, classes, layers, recording, title):
        """Return the Recorded. ids : list [P], as examples are added. title : of the logs, or None."""
        T = len(self.updates)
        parts = {"margin": [], "margin_deviation": []}
        for sums, squares in zip(self.sums, self.squares, strict=True) if self.sums is not None else ():
            for name, values in margins_of(sums[self.order], squares[self.order], T).items():
                parts[name].append(values)
        return Recorded(
            updates=self.updates,
            ids=[ids[place] for place in self.order],
            labels=self.labels[self.order],
            classes=tuple(classes),
            layers=tuple(layers),
            recording=recording,
            train_error=self.train_error,
            train_loss=self.train_loss,
            misclassified=self.misclassified,
            measures=self.measures,
            **{name: np.concatenate(values) if values else None for name, values in parts.items()},
            described={} if title is None else {"title": title},
        )
