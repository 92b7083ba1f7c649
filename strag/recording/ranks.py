"""The recordings of the processes that share the examples of a training, joined into one run."""

import numpy as np

from strag.bits import pack
from strag.errors import StragError
from strag.geometry.curves import measures_of
from strag.recording.ids import order_of, some_ids
from strag.recording.recorded import Recorded
from strag.recording.sums import add_one
from strag.recording.tape import margins_of
from strag.words import number_of, some_of

_SAME = (
    ("of", "number of processes", "pass the recordings of one training"),
    ("recording", "recording", "join snapshots and online recordings on their own"),
    ("size", "number of examples", "pass the recordings of one training"),
    ("classes", "classes", "pass the recordings of one training"),
    ("layers", "layers", "record the same layers in every process"),
    ("id_type", "type of ids", "use the same ids in every process"),
    ("has_origin", "data set", "pass the same origin to the Recorder of every process"),
)


def joined(parts):
    """Return the Recorded of one run from the recordings of all its processes.

    parts : list of objects with the attributes and methods of `strag.files.recording.Recording`, in the order
    of their numbers.

    An example that several processes have at a record is counted once, if it is the last one of all of them
    but one: so DistributedSampler of torch repeats examples, to give every process the same number.

    Raises StragError for parts of different trainings, for labels that differ, for other examples that
    several processes have, and for examples that none has.
    """
    for part in parts[1:]:
        _require_same(part, parts[0])
    whole = _Whole(parts)
    records = [whole.record(at) for at in range(len(parts[0].updates))]
    wrong, error, loss, lasts, measures = zip(*records, strict=True)
    sums, squares = (whole.per_example(name) for name in ("margins", "margin_squares"))
    for position, margin in (pair for pairs in lasts for pair in pairs):
        sums[position] += margin
        squares[position] += margin**2
    return Recorded(
        updates=parts[0].updates,
        ids=whole.ids,
        labels=whole.labels,
        classes=parts[0].classes,
        layers=parts[0].layers,
        recording=parts[0].recording,
        train_error=np.array(error)[:, None],
        train_loss=np.array(loss)[:, None] / len(whole.ids),
        misclassified=np.stack(wrong)[:, None],
        measures={name: np.stack([of[name] for of in measures])[:, None] for name in measures[0]},
        **margins_of(sums, squares, len(records)),
        **whole.described(),
    )


def _require_same(part, first):
    """Raise StragError if a part is not of the same training as the first one."""
    for name, what, remedy in _SAME:
        ours, theirs = getattr(part, name), getattr(first, name)
        if ours != theirs:
            verb = "are" if isinstance(ours, tuple) else "is"
            shown = f"its {what} {verb} {_shown(ours)}, not {_shown(theirs)}"
            raise StragError(f"belongs to another training than {first.source}: {shown}", remedy, part.source)
    if first.has_origin and part.origin != first.origin:
        problem = f"has another data set as its origin than {first.source}"
        raise StragError(problem, "pass the recordings of one training", part.source)
    if part.updates.tolist() != first.updates.tolist():
        differing = sorted({*part.updates.tolist()} ^ {*first.updates.tolist()})
        problem = f"has other updates than {first.source}, such as {differing[0]}"
        raise StragError(problem, "save in every process after the same record", part.source)


def _shown(value):
    """A value for a message, or several names."""
    return some_of(value) or "none" if isinstance(value, tuple) else str(value)


class _Whole:
    """The examples of all parts, in the order of their ids.

    ids : list. labels : int64 [P]. places : of each part, the positions of its examples, int64.
    """

    def __init__(self, parts):
        self.parts = parts
        every = list(dict.fromkeys(identity for part in parts for identity in part.ids))
        if len(every) > parts[0].size:
            problem = f"{number_of(len(every), 'example')} have ids in these recordings, whose training"
            problem += f" set has {parts[0].size}"
            remedy = (
                "pass the size of the whole training set to the Recorder, and the same ids at every record"
            )
            raise StragError(problem, remedy, parts[0].source)
        self.ids = [every[at] for at in order_of(every)]
        position = {identity: at for at, identity in enumerate(self.ids)}
        self.places = [np.array([position[identity] for identity in part.ids], np.int64) for part in parts]
        self.labels = np.full(len(self.ids), -1)
        for part, places in zip(parts, self.places, strict=True):
            differs = (self.labels[places] >= 0) & (self.labels[places] != part.group)
            if differs.any():
                at = int(np.flatnonzero(differs)[0])
                labels = f"has label {part.group[at]}, but {self.labels[places[at]]} in another recording"
                problem = f"example {part.ids[at]!r} {labels}"
                raise StragError(problem, "pass the recordings of one training", part.source)
            self.labels[places] = part.group

    def per_example(self, name):
        """The sum over the parts of values of their examples: float64 [P]."""
        whole = np.zeros(len(self.ids))
        for part, places in zip(self.parts, self.places, strict=True):
            whole[places] += getattr(part, name)
        return whole

    def record(self, at):
        """Join a record.

        Returns the bits of the misclassified examples, their share, the sum of losses, (position, margin) of
        the last examples that count, and the measures, dict of name to float64 [L, axis].
        """
        seen, wrong = np.zeros(len(self.ids), bool), np.zeros(len(self.ids), bool)
        lasts, counted = [part.last(at) for part in self.parts], []
        for part, places, last in zip(self.parts, self.places, lasts, strict=True):
            here = part.seen(at)
            here[last.number] = False
            self._require_once(at, part, places[here], seen)
            seen[places[here]] = True
            wrong[places[here]] = part.wrong(at)[here]
        for part, places, last in zip(self.parts, self.places, lasts, strict=True):
            if not seen[places[last.number]]:
                seen[places[last.number]] = True
                wrong[places[last.number]] = part.wrong(at)[last.number]
                counted.append((places[last.number], last))
        self._require_all(at, seen)
        loss = sum(part.loss[at] for part in self.parts) + sum(last.loss for _, last in counted)
        margins = [(position, last.margin) for position, last in counted]
        return pack(wrong), wrong.mean(), loss, margins, self._measures(at, [last for _, last in counted])

    def _require_once(self, at, part, positions, seen):
        """Raise StragError for examples of a part that an earlier part has as well."""
        twice = [self.ids[position] for position in positions[seen[positions]]]
        if twice:
            problem = f"repeats examples of another process at update {part.updates[at]}: {some_ids(twice)}"
            remedy = "let each process record its own examples, in the order of DistributedSampler"
            raise StragError(problem, remedy, part.source)

    def _require_all(self, at, seen):
        """Raise StragError unless all examples were seen at a record."""
        parts, size = self.parts, self.parts[0].size
        if seen.sum() >= size:
            return
        first = parts[0]
        lacking = sorted({*range(1, first.of + 1)} - {part.number for part in parts})
        missing = [identity for identity, is_seen in zip(self.ids, seen, strict=True) if not is_seen]
        if not missing and first.id_type == "integer" and 0 <= self.ids[0] <= self.ids[-1] < size:
            missing = sorted({*range(size)} - {*self.ids})
        has = "has" if len(parts) == 1 else "have"
        problem = f"{number_of(len(parts), 'recording')} of {first.of} {has} {seen.sum()} of "
        problem += f"{number_of(size, 'example')} at update {first.updates[at]}"
        problem += f"; missing are {some_ids(missing)}" if missing else ""
        remedy = "record without drop_last, so that every example is seen"
        if lacking:
            remedy = f"pass the recordings of all processes; missing are {some_of(lacking)}"
        raise StragError(problem, remedy, first.source)

    def _measures(self, at, lasts):
        """The measures at a record. lasts : the last examples that count."""
        members = np.bincount(self.labels, minlength=len(self.parts[0].classes))
        moments = []
        for layer in self.parts[0].layers:
            whole, *others = (part.sums(at, layer) for part in self.parts)
            for sums in others:
                whole.add(slice(None), sums.total, sums.norm2)
            for last in lasts:
                add_one(whole, last, layer)
            moments.append(whole.moments(members))
        return measures_of(moments) if moments else {}

    def described(self):
        """What the Recorded has of a data set: dict, empty without one."""
        first = self.parts[0]
        if not first.has_origin:
            return {}
        _, rows = np.unique(np.concatenate(self.places), return_index=True)
        names = None
        if all(part.names is not None for part in self.parts):
            names = first.names.joined([part.names for part in self.parts]).take(rows).tensors
        y = np.concatenate([part.y for part in self.parts])[rows]
        index = np.array(self.ids, np.int64)
        return {"origin": first.origin, "index": index, "y": y, "names": names, "described": first.described}
