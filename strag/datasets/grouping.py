"""How original classes form the groups whose manifolds are measured."""

import re
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, bad_usage

_HELP = "give parity, classes, or groups such as 0-4/5-9"
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")
_MOST = 4096  # groups; the logits of a network


@dataclass(frozen=True)
class Grouping:
    """The group of every original class.

    Attributes
    ----------
    names : tuple of C group names.
    members : tuple with the group of each original class, -1 for a class that is in none.
    """

    names: tuple
    members: tuple

    @classmethod
    def parse(cls, labels, classes, class_names=None):
        """Read `parity`, `classes`, or ranges of classes separated by '/', such as '0-4/5-9'.

        `classes` is the number of original classes, `class_names` what they are called.
        """
        if labels == "parity":
            return cls(("even", "odd"), tuple(c % 2 for c in range(classes)))
        if labels == "classes":
            if classes < 2 and not class_names:
                raise StragError("holds one class only", "give examples of two classes at least")
            names = class_names or [str(c) for c in range(classes)]
            if len(names) < classes:
                problem = f"has {classes} classes but names for {len(names)}"
                raise StragError(problem, "give one name per class")
            return cls._checked(tuple(names), tuple(range(len(names))))
        return cls._ranges(labels, classes)

    @classmethod
    def _ranges(cls, labels, classes):
        groups = str(labels).split("/")
        members = [-1] * classes
        for number, text in enumerate(groups):
            for part in text.split(","):
                found = _RANGE.fullmatch(part.strip())
                if not found:
                    raise bad_usage(f"cannot read the labels '{labels}'", _HELP)
                first, last = int(found[1]), int(found[2] or found[1])
                for c in range(first, min(last + 1, classes)):
                    if members[c] not in (-1, number):
                        raise bad_usage(f"labels '{labels}' put class {c} into two groups", _HELP)
                    members[c] = number
        return cls._checked(tuple(text.strip() for text in groups), tuple(members))

    @classmethod
    def _checked(cls, names, members):
        if not 2 <= len(names) <= _MOST:
            raise bad_usage(f"labels make {len(names)} groups, of which there must be 2 to {_MOST}", _HELP)
        return cls(names, members)


def group_examples(grouping, y):
    """Group of each example with original class y: int64, in the shape of y."""
    groups = np.asarray(grouping.members, dtype=np.int64)[y]
    if (groups < 0).any():
        missing = int(np.asarray(y)[groups < 0][0])
        raise bad_usage(f"class {missing} is in no group", "name every class in --labels")
    return groups
