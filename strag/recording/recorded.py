"""Recorded: what was recorded of runs that strag did not train, complete and in memory."""

from dataclasses import dataclass, field

import numpy as np

KINDS = ("snapshot", "online")


@dataclass(frozen=True)
class Recorded:
    """T records of R runs on the P examples of a training set in C classes, with L layers.

    Attributes
    ----------
    updates : int64 [T], rising, number of updates before each record.
    ids : list of P int, or of P str, in increasing order, see `strag.recording.ids.order_of`. The position of
        an example is that of its id on every axis of examples.
    labels : int64 [P], positions of the labels in `classes`.
    classes : the C names of the classes. layers : the L names of the layers, of which there may be none.
    train_error : float [T, R], share of the examples misclassified.
    misclassified : uint8 [T, R, ceil(P/8)], bits, see `strag.bits`.
    train_loss : float [T, R], mean cross-entropy in nats, or None if it is not known.
    measures : dict of measure name to float [T, R, L, axis], see `strag.geometry.curves.measures_of`; it may
        be empty without layers.
    recording : "snapshot" if the networks were run with fixed parameters in evaluation mode, "online" if the
        outputs were taken from the training itself.
    margin, margin_deviation : float [R, P], mean over the records of the logit of the label minus the largest
        other logit (the area under the margin of Pleiss et al., 2020), and its population standard deviation;
        None if no logits were seen.
    origin : identity of the data set in whose rows `index` counts. None means that the examples are an origin
        of their own: `index` is then the position among the sorted ids, and the ids are the names.
    index : int64 [P], rows of `origin`, or None without `origin`.
    names : tensors of the names of the examples, see `Names.tensors`, or None if the ids are the names.
    y : int64 [P], original classes, or None if they are the labels.
    described : further entries of the stamp, such as `title` and `command` of a data set.
    """

    updates: np.ndarray
    ids: list
    labels: np.ndarray
    classes: tuple
    train_error: np.ndarray
    misclassified: np.ndarray
    layers: tuple = ()
    train_loss: np.ndarray | None = None
    measures: dict = field(default_factory=dict)
    recording: str = "snapshot"
    margin: np.ndarray | None = None
    margin_deviation: np.ndarray | None = None
    origin: str | None = None
    index: np.ndarray | None = None
    names: dict | None = None
    y: np.ndarray | None = None
    described: dict = field(default_factory=dict)

    @property
    def runs(self):
        """Number of runs R."""
        return np.shape(self.train_error)[1]
