"""The closed records of one process: bits, measures, and sums of margins over the records."""

from dataclasses import dataclass, replace

import numpy as np

from strag.bits import pack, unpack
from strag.geometry.curves import measures_of, over_axis, values_of
from strag.geometry.measures import STANDARD
from strag.recording.ids import order_of
from strag.recording.recorded import Recorded
from strag.recording.sums import Closed, add_one


@dataclass(frozen=True)
class Tape:
    """Closed records, in order, and the margins of P examples summed over them.

    records : tuple of Closed. margins, squares : float64 [P], sums of the margins of each example and of
    their squares over the records, without those of the `last` example of each.
    """

    records: tuple
    margins: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, examples):
        """The Tape without records."""
        return cls((), np.zeros(examples), np.zeros(examples))

    def with_record(self, closed, record):
        """Return this Tape with one more record. closed : Closed. record : its OpenRecord.

        The measures are kept in the precision of files, and only of a record that has all examples.
        """
        whole = closed.measures if closed.seen is None else {}
        closed = replace(closed, measures={name: v.astype(np.float32) for name, v in whole.items()})
        margin = np.where(record.seen, record.margin, 0)
        margin[record.last.number] = 0
        return Tape((*self.records, closed), self.margins + margin, self.squares + np.square(margin))

    @property
    def is_complete(self):
        """Whether every record has all examples."""
        return all(closed.seen is None for closed in self.records)

    def recorded(self, examples, classes, layers, recording):
        """Return the Recorded of these records, which are complete.

        examples : Examples. classes, layers : names. recording : "snapshot" or "online".
        """
        T, order = len(self.records), order_of(examples.ids)
        wrong = [unpack(closed.wrong, examples.size)[order] for closed in self.records]
        sums, squares = self.margins.copy(), self.squares.copy()
        for closed in self.records:
            sums[closed.last.number] += closed.last.margin
            squares[closed.last.number] += closed.last.margin**2
        measures = {name: [c.measures[name] for c in self.records] for name in self.records[0].measures}
        return Recorded(
            updates=np.array([closed.update for closed in self.records]),
            ids=[examples.ids[number] for number in order],
            labels=examples.labels[order],
            classes=classes,
            layers=layers,
            recording=recording,
            train_error=np.array([[closed.error] for closed in self.records]),
            train_loss=np.array([[(c.loss + c.last.loss) / examples.size] for c in self.records]),
            misclassified=pack(np.stack(wrong))[:, None],
            measures={name: np.stack(values)[:, None] for name, values in measures.items()},
            **margins_of(sums[order], squares[order], T),
            **described(examples.origin, order),
        )


def margins_of(sums, squares, records):
    """Return `margin` and `margin_deviation` of one run from sums over its records: dict of float64 [1, P].

    The deviation is that of the population of records, sqrt(mean m^2 - (mean m)^2).
    """
    mean = sums / records
    with np.errstate(invalid="ignore"):
        deviation = np.sqrt(np.maximum(squares / records - np.square(mean), 0))
    return {"margin": mean[None], "margin_deviation": deviation[None]}


def described(origin, order):
    """Return what a Recorded has of an Origin, at the rows `order`: dict, empty without an origin."""
    if origin is None:
        return {}
    names = None if origin.names is None else origin.names.take(order).tensors
    own = {"index": origin.index[order], "y": origin.y[order], "names": names}
    return {"origin": origin.identity, "described": origin.described, **own}


def closed_record(update, record, members, place=None):
    """Return the Closed of an OpenRecord with at least one example.

    members : int [C], number of the seen examples of each class. place : as in Closed.
    """
    return Closed(
        update=update,
        seen=None if record.seen.all() else pack(record.seen),
        wrong=pack(record.wrong),
        error=float(record.wrong.sum() / record.seen.sum()),
        loss=record.loss,
        last=replace(record.last, x={}),
        measures=_measures(record, members),
        place=place,
    )


def _measures(record, members):
    """The measures of an OpenRecord: dict of name to float64 [L, axis]. members : examples of each class."""
    moments = []
    for layer, sums in record.layers.items():
        total, norm2 = sums.total.copy(), sums.norm2.copy()
        whole = replace(sums, total=total, norm2=norm2)
        add_one(whole, record.last, layer)
        moments.append(whole.moments(members))
    return measures_of(moments) if moments else {}


def figures(closed, layers, members):
    """Return the figures of a Closed for a logger: dict of float, and the update as int.

    They are `update`, `train_error`, `train_loss`, and of every layer each curve of `STANDARD` over all
    classes with examples, such as `radius/LAYER`. members : number of the seen examples of each class.
    """
    loss, present = (closed.loss + closed.last.loss) / members.sum(), members > 0
    named = {"update": closed.update, "train_error": closed.error, "train_loss": float(loss)}
    if not layers:
        return named
    for measure in STANDARD:
        values = over_axis(measure, values_of(measure, closed.measures, present), present)
        named |= {f"{measure.name}/{layer}": float(at) for layer, at in zip(layers, values, strict=True)}
    return named
