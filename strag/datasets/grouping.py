"""How original classes form the groups whose manifolds are measured."""

import re
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, bad_usage
from strag.words import number_of, some_of

_HELP = "give parity, classes, or groups such as 0-4/5-9 or cat,dog/eel"
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")
_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,/"]+))\s*')
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
        stands in its group by number, in a range of numbers, or by name; a name that holds one of ',/"-' or
        looks like a number is written in double quotes, of which one within it is doubled.
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
            problem = f"labels make {number_of(len(names), 'group')}, of which there must be 2 to {_MOST}"
            raise bad_usage(problem, _HELP)
        return cls(names, tuple(members))


def read_groups(labels, numbers, names=None, strict=False):
    """Pairs (text, class numbers) of the groups that `labels` names, separated by '/'.

    strict : refuse numbers and ranges of which there is no class, as whoever types them wants to know.
    """
    groups, at, text = [[]], 0, [""]
    while at <= len(labels):
        found = _ITEM.match(labels, at)
        if not found:
            raise bad_usage(f"cannot read '{labels}'", _HELP)
        quoted = None if found[1] is None else found[1].replace('""', '"')
        groups[-1] += _classes(quoted, (found[2] or "").strip(), numbers, names, labels, strict)
        text[-1] += found[0].strip() if quoted is None else quoted
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
            raise bad_usage(f"cannot read '{labels}'", _HELP)
    return list(zip(text, groups, strict=True))


def read_classes(text, numbers, names=None):
    """The class numbers that a list such as `3,8` or `cat,dog` names: sorted, each once."""
    groups = read_groups(text, numbers, names, strict=True) if text.strip() else []
    if len(groups) != 1:
        raise bad_usage(f"cannot read the classes '{text}'", "give a list such as 3,8 or cat,dog")
    return sorted(set(groups[0][1]))


def check_labels(labels, numbers, names=None):
    """Refuse labels that nobody means: of classes that are not there, or the parity of mere positions."""
    if labels == "parity":
        for number, name in zip(numbers, names or (), strict=False):
            if name.isdecimal() and int(name) != number:
                problem = f"calls class {number} '{name}', so that parity would be that of positions"
                raise bad_usage(problem, "name the groups, such as cat,dog/eel")
    elif labels != "classes":
        read_groups(labels, numbers, names, strict=True)


def _classes(quoted, plain, numbers, names, labels, strict):
    """The class numbers that one item names: a name in quotes, or a name, number or range without."""
    named = dict(zip(names, numbers, strict=True)) if names else {}
    if quoted is not None or not _RANGE.fullmatch(plain):
        name = plain if quoted is None else quoted
        if name not in named:
            known = (
                f"the classes are {some_of(map(_quoted, names))}" if names else "the classes have no names"
            )
            raise bad_usage(f"cannot read '{labels}': no class '{name}'", f"{known}; {_HELP}")
        return [named[name]]
    found = _RANGE.fullmatch(plain)
    first, last = int(found[1]), int(found[2] or found[1])
    classes = [number for number in numbers if first <= number <= last]
    for text in (plain, found[1], found[2]):
        means = classes if text == plain else [int(text or 0)]
        if text in named and [named[text]] != means:
            problem = f"'{plain}' is of class numbers, and '{text}' is the name of class {named[text]}"
            raise bad_usage(problem, "give names in double quotes, or the numbers of the classes")
    if strict and (not classes or last > max(numbers)):
        problem = f"has no class {plain}, which '{labels}' names"
        raise bad_usage(problem, f"its classes are {some_of(numbers)}")
    return classes


def _quoted(name):
    """A class name as it is typed."""
    return name if not re.search(r'[,/"-]|^\d+$', name) else '"' + name.replace('"', '""') + '"'


def group_examples(grouping, y, name_of=str):
    """Group of each example with original class y: int64, in the shape of y.

    name_of : what a class number is called, for the error about one in no group.
    """
    groups = np.asarray(grouping.members, dtype=np.int64)[y]
    if (groups < 0).any():
        missing = int(np.asarray(y)[groups < 0][0])
        raise bad_usage(f"class {name_of(missing)} is in no group", "name every class in --labels")
    return groups
