"""The examples of a training set: their ids, in the order in which they were first seen, and their labels."""

from dataclasses import dataclass, field

import numpy as np

from strag.errors import bad_usage
from strag.recording.ids import some_ids


@dataclass(frozen=True)
class Origin:
    """What is kept of a data set whose rows the ids are.

    identity : its origin. index : int64 [P], rows of the origin, which are the ids. group, y : int64 [P],
    the labels and the original classes. classes : names of the groups. names : its Names, or None.
    described : further entries of the stamp of files about it.
    """

    identity: str
    index: np.ndarray
    group: np.ndarray
    y: np.ndarray
    classes: tuple
    names: object = None
    described: dict = field(default_factory=dict)


class Examples:
    """The ids and labels of at most P examples.

    Attributes
    ----------
    size : number of examples P of the whole training set. labels : int64 [P], the label of each number; -1
    where it is not known. origin : Origin whose rows the ids are, or None.
    """

    def __init__(self, size, origin=None):
        self.size, self.origin = size, origin
        self.labels = np.full(size, -1) if origin is None else origin.group.copy()
        ids = [] if origin is None else origin.index.tolist()
        self._numbers = {identity: number for number, identity in enumerate(ids)}

    @property
    def ids(self):
        """The ids that were seen, in the order of their numbers: list of int or of str."""
        return list(self._numbers)

    def numbers(self, ids, labels):
        """Return the numbers of examples, int64 [B], and the dict of new ids to their numbers.

        The new ids are not kept before `take`. ids : list of int or str. labels : int64 [B].

        Raises StragError for an id that has another label than before, for ids of another type than before,
        for ids that are not in the origin, and for more than P ids.
        """
        new, known = {}, self._numbers
        before = next(iter(known), None)
        if known and ids and type(ids[0]) is not type(before):
            problem = f"`ids` mixes integers and texts, such as {before!r} before and {ids[0]!r}"
            raise bad_usage(problem, "pass ids of one type")
        numbers = [known[i] if i in known else new.setdefault(i, len(known) + len(new)) for i in ids]
        if new and self.origin is not None:
            problem = f"`ids` has {some_ids(list(new))}, not in the `index` of the data set in `origin`"
            raise bad_usage(problem, "pass the `index` of each example as its id")
        if len(known) + len(new) > self.size:
            problem = f"more than {self.size} examples have ids, such as {some_ids(list(new)[-1:])}"
            raise bad_usage(problem, "pass the size of the whole training set as `examples`")
        numbers = np.array(numbers, np.int64)
        _, first, places = np.unique(numbers, return_index=True, return_inverse=True)
        expected = np.where(self.labels[numbers] < 0, labels[first][places], self.labels[numbers])
        if (expected != labels).any():
            at = int(np.flatnonzero(expected != labels)[0])
            before = "before" if self.origin is None else "in `origin`"
            problem = f"example {ids[at]!r} has label {labels[at]}, but {expected[at]} {before}"
            raise bad_usage(problem, "pass the same label of an example at every record")
        return numbers, new

    def take(self, new, numbers, labels):
        """Keep the new ids of `numbers`, and the labels of the examples."""
        self._numbers |= new
        self.labels[numbers] = labels

    def missing(self, seen):
        """Return the ids of the examples that were not seen, as far as they are known: list.

        seen : bool [P], by number. Integers from 0 to P - 1 are known without having been seen.
        """
        known = self.ids
        missing = [identity for identity, is_seen in zip(known, seen, strict=False) if not is_seen]
        if len(known) < self.size and all(isinstance(i, int) and 0 <= i < self.size for i in known):
            missing += [identity for identity in range(self.size) if identity not in self._numbers]
        return missing
