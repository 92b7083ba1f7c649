"""Curves: the curves of one run along training; and the valleys of a curve."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curves:
    """The curves of one run at T records.

    updates : int [T], rising.
    observable : float [T], the curve in which a valley is sought.
    train_error, train_loss : float [T]; the loss is None if it is not known.
    wrong : int [T], numbers of misclassified training examples.
    examples : number of examples that the run trains on.
    """

    updates: np.ndarray
    observable: np.ndarray
    train_error: np.ndarray
    train_loss: np.ndarray | None
    wrong: np.ndarray
    examples: int

    @property
    def are_finite(self):
        """Whether every known value of the observable, the training error and the loss is finite."""
        curves = (self.observable, self.train_error, self.train_loss)
        return all(np.isfinite(curve).all() for curve in curves if curve is not None)

    def until(self, record):
        """The curves at the records before `record`, a position on axis T."""
        names = ("updates", "observable", "train_error", "train_loss", "wrong")
        curves = (getattr(self, name) for name in names)
        return Curves(*(None if curve is None else curve[:record] for curve in curves), self.examples)


def valleys(curve):
    """How deep every point of a curve r lies in a valley: float64 [T], at least 0.

    It is v_t = min(max of r up to t, max of r from t on) - r_t, which is exactly 0 everywhere for a curve
    that only falls, only rises, or rises and then falls.
    """
    before = np.maximum.accumulate(curve)
    after = np.maximum.accumulate(curve[::-1])[::-1]
    return np.minimum(before, after) - curve


def bottoms(curve, least=0.0):
    """The valleys of a curve that are deeper than `least`: list of (record, V), the deepest first.

    V is v_t (`valleys`) at the bottom of a valley, within the part of the curve between the bottoms of the
    next deeper valleys on both sides. So V of a valley next to a deeper one is the height of the wall between
    the two.
    """
    valleys_found, parts = [], [(0, len(curve))]
    while parts:
        start, stop = parts.pop()
        v = valleys(curve[start:stop])
        bottom = int(np.argmax(v))
        if v[bottom] > least:
            valleys_found.append((start + bottom, float(v[bottom])))
            parts += [(start, start + bottom + 1), (start + bottom, stop)]
    return sorted(valleys_found, key=lambda valley: (-valley[1], valley[0]))
