"""How original classes form the groups whose manifolds are measured."""

import re
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, bad_usage
from strag.words import some_of

_HELP = "give parity, classes, or groups such as 0-4/5-9 or cat,dog/eel"
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")
_ITEM = re.compile(r'\s*(?:"([^"]*)"|([^,/"]+))\s*')
_MOST = 4096  # groups; the logits of a network


@dataclass(frozen=True)
class Grouping:
    """The group of every original class.

    Attributes
    ----------
    names : tuple of C group names.
    members : tuple with the group of each class from 0 on, -1 for a class that is in none.
    """

    names: tuple
    members: tuple

    @classmethod
    def parse(cls, labels, numbers, names=None):
        """Read `parity`, `classes`, or groups of classes separated by '/': `0-4/5-9`, `cat,dog/eel`.

        `numbers` are the class numbers, rising, `names` what they are called, in the same order. A class
        stands in its group by number, in a range of numbers, or by name, in double quotes where the name
        holds one of ',/-'.
        """
        if labels == "parity":
            return cls(("even", "odd"), tuple(c % 2 for c in range(max(numbers) + 1)))
        members = [-1] * (max(numbers) + 1)
        if labels == "classes":
            if len(numbers) < 2 and not names:
                raise StragError("holds one class only", "give examples of two classes at least")
            for group, c in enumerate(numbers):
                members[c] = group
            return cls._checked(tuple(names or map(str, numbers)), members)
        groups = read_groups(labels, numbers, names)
        for group, (_, classes) in enumerate(groups):
            for c in classes:
                if members[c] not in (-1, group):
                    raise bad_usage(f"labels '{labels}' put class {c} into two groups", _HELP)
                members[c] = group
        return cls._checked(tuple(text for text, _ in groups), members)

    @classmethod
    def _checked(cls, names, members):
        if not 2 <= len(names) <= _MOST:
            raise bad_usage(f"labels make {len(names)} groups, of which there must be 2 to {_MOST}", _HELP)
        return cls(names, tuple(members))


def read_groups(labels, numbers, names=None):
    """Pairs (text, class numbers) of the groups that `labels` names, separated by '/'."""
    groups, at, text = [[]], 0, [""]
    while at <= len(labels):
        found = _ITEM.match(labels, at)
        if not found:
            raise bad_usage(f"cannot read the labels '{labels}'", _HELP)
        groups[-1] += _classes(found[1], (found[2] or "").strip(), numbers, names, labels)
        text[-1] += found[0].strip() if found[1] is None else found[1]
        at = found.end() + 1
        if at > len(labels):
            break
        separator = labels[at - 1]
        if separator == "/":
            groups.append([])
            text.append("")
        elif separator == ",":
            text[-1] += ","
        else:
            raise bad_usage(f"cannot read the labels '{labels}'", _HELP)
    return list(zip(text, groups, strict=True))


def read_classes(text, numbers, names=None):
    """The class numbers that a list such as `3,8` or `cat,dog` names: sorted, each once."""
    outside = beyond(text, numbers, names)
    if outside:
        problem = f"has no class beyond {numbers[-1]}, but the list says '{outside}'"
        raise bad_usage(problem, "name the classes that there are")
    groups = read_groups(text, numbers, names)
    if len(groups) > 1:
        raise bad_usage(f"cannot read the classes '{text}'", "give a list such as 3,8 or cat,dog")
    return sorted(set(groups[0][1]))


def beyond(labels, numbers, names=None):
    """Whether a range or number in `labels` leaves the class numbers, as the text that does; else None."""
    if labels in ("parity", "classes"):
        return None
    for item in _ITEM.finditer(labels):
        plain = (item[2] or "").strip()
        found = _RANGE.fullmatch(plain)
        if found and plain not in (names or ()) and int(found[2] or found[1]) > max(numbers):
            return plain
    return None


def _classes(quoted, plain, numbers, names, labels):
    """The class numbers that one item names: a name in quotes, or a name, number or range without."""
    named = dict(zip(names, numbers, strict=True)) if names else {}
    if quoted is not None or not _RANGE.fullmatch(plain):
        name = plain if quoted is None else quoted
        if name not in named:
            known = f"the classes are {some_of(names)}" if names else "the classes have no names"
            raise bad_usage(f"cannot read the labels '{labels}': no class '{name}'", f"{known}; {_HELP}")
        return [named[name]]
    if plain.isdigit() and plain in named and named[plain] != int(plain):
        problem = f"'{plain}' is both a class number and the name of class {named[plain]}"
        raise bad_usage(problem, "give the name in double quotes, or the number of the class")
    found = _RANGE.fullmatch(plain)
    first, last = int(found[1]), int(found[2] or found[1])
    return list(range(first, min(last, max(numbers)) + 1))


def group_examples(grouping, y):
    """Group of each example with original class y: int64, in the shape of y."""
    groups = np.asarray(grouping.members, dtype=np.int64)[y]
    if (groups < 0).any():
        missing = int(np.asarray(y)[groups < 0][0])
        raise bad_usage(f"class {missing} is in no group", "name every class in --labels")
    return groups
