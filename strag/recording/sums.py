"""The sums over the examples of one record, which grow batch by batch."""

from dataclasses import dataclass, field

import numpy as np

from strag.geometry.moments import ClassMoments, normalise
from strag.geometry.sums import ClassSums, rows_of_tile
from strag.recording.outputs import judged


@dataclass(frozen=True)
class One:
    """One example at a record.

    number : its number. label : its label. loss : in nats. margin : see `judged`. x : dict of layer to
    float64 [N], its normalised representation.
    """

    number: int
    label: int
    loss: float
    margin: float
    x: dict


@dataclass
class Sums:
    """Class sums of the normalised representations x of one layer, for C classes and N units.

    total : float64 [C, N], sum of x. norm2 : float64 [C], sum of |x|^2.
    """

    total: np.ndarray
    norm2: np.ndarray

    @classmethod
    def zeros(cls, classes, width):
        """The sums over no example."""
        return cls(np.zeros((classes, width)), np.zeros(classes))

    def add(self, classes, total, norm2):
        """Add sums over some classes, in place."""
        self.total[classes] += total
        self.norm2[classes] += norm2

    def moments(self, count):
        """The ClassMoments of these sums over `count` examples of each class, [C]."""
        return ClassMoments(count, self.total, self.norm2)


@dataclass
class _Counted:
    """What a batch adds to an open record, computed before anything is added.

    numbers, wrong, margin : of the examples that it is the first to have. loss : sum of their losses without
    the last. layers : list of (layer, classes, total, norm2) of these. last : One, the last of them, or None.
    repeated : number of its other examples.
    """

    numbers: np.ndarray
    wrong: np.ndarray
    margin: np.ndarray
    loss: float
    layers: list
    last: One | None
    repeated: int


class OpenRecord:
    """What was seen of a training set of P examples since the last record.

    The last example that was seen for the first time is kept apart from all sums: where several processes
    share the examples of a record, they may repeat some at the end, so that each has the same number.

    Attributes
    ----------
    seen, wrong : bool [P], the examples that were seen, and those of them that are misclassified. margin :
    float64 [P]. loss : sum of losses. last : One, or None. layers : dict of layer to Sums. repeated : how
    often an example was passed that was seen before.
    """

    def __init__(self, examples, classes, widths):
        self.seen, self.wrong = np.zeros(examples, bool), np.zeros(examples, bool)
        self.margin, self.loss, self.last, self.repeated = np.zeros(examples), 0.0, None, 0
        self.layers = {layer: Sums.zeros(classes, N) for layer, N in widths.items()}

    def counted(self, batch, numbers):
        """Return what a Batch adds. An example that was seen before is not counted again.

        numbers : int64 [B], numbers of its examples.
        """
        _, first = np.unique(numbers, return_index=True)
        rows = np.sort(first)
        rows = rows[~self.seen[numbers[rows]]]
        labels = batch.labels[rows]
        wrong, loss, margin = judged(batch.logits[rows], labels)
        if not rows.size:
            return _Counted(numbers[rows], wrong, margin, 0.0, [], None, len(numbers))
        layers = [(layer, *_sums(h, rows[:-1], batch.labels)) for layer, h in batch.activations.items()]
        x = {layer: normalise(h[rows[-1]].astype(np.float64)) for layer, h in batch.activations.items()}
        last = One(int(numbers[rows[-1]]), int(labels[-1]), float(loss[-1]), float(margin[-1]), x)
        total, repeated = float(loss[:-1].sum()), len(numbers) - len(rows)
        return _Counted(numbers[rows], wrong, margin, total, layers, last, repeated)

    def take(self, counted):
        """Add what `counted` returned."""
        self.repeated += counted.repeated
        if counted.last is None:
            return
        self.seen[counted.numbers], self.wrong[counted.numbers] = True, counted.wrong
        self.margin[counted.numbers] = counted.margin
        self.loss += counted.loss
        for layer, classes, total, norm2 in counted.layers:
            self.layers[layer].add(classes, total, norm2)
        if self.last is not None:
            self.loss += self.last.loss
            for layer, sums in self.layers.items():
                add_one(sums, self.last, layer)
        self.last = counted.last


def add_one(sums, one, layer):
    """Add One example to the Sums of a layer, in place."""
    x = one.x[layer]
    sums.add(one.label, x, np.square(x).sum())


def _sums(h, rows, labels):
    """Return the class sums of a layer: (classes, total, norm2), float64, for the classes that are present.

    h : float [B, N]. rows : the rows that count, rising. labels : int64 [B].
    """
    classes, places = np.unique(labels[rows], return_inverse=True)
    sums, step = ClassSums(len(classes), h.shape[1]), rows_of_tile(h.shape[1])
    for start in range(0, len(rows), step):
        tile = rows[start : start + step]
        is_whole = len(tile) == tile[-1] - tile[0] + 1
        sums.add(h[tile[0] : tile[-1] + 1] if is_whole else h[tile], places[start : start + step])
    moments = sums.moments()
    return classes, moments.total, moments.norm2


@dataclass(frozen=True)
class Closed:
    """One record, complete.

    update : number of updates before it. seen : bits of the examples that were seen, by number, or None for
    all P. wrong : bits of those that are misclassified. error : share of the seen examples that are. loss :
    sum of losses without that of `last`. last : One, kept apart. measures : dict of name to float64 [L, axis]
    over the seen examples. place : where the sums of its layers are kept, see `Recorder`, or None.
    """

    update: int
    seen: np.ndarray | None
    wrong: np.ndarray
    error: float
    loss: float
    last: One = field(repr=False)
    measures: dict = field(repr=False)
    place: object = None
