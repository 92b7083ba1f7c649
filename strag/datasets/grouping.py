"""How original classes form groups: the labels that the network learns and whose manifolds are measured."""

import re
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, bad_usage
from strag.words import number_of, some_of

_HELP = "use parity, classes, or groups such as 0-4/5-9 or cat,dog/eel"
_LIST = "use a list such as 3,8 or cat,dog"
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")
_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,/"]+))\s*')
_MOST = 4096  # groups, each of which is a logit of the network


@dataclass(frozen=True)
class Grouping:
    """The group of every original class.

    Attributes
    ----------
    names : tuple of C group names.
    members : tuple with the group of each class from 0 on; -1 for a class in no group.
    """

    names: tuple
    members: tuple

    @classmethod
    def parse(cls, labels, numbers, names=None):
        """The Grouping for `parity`, `classes`, or groups separated by '/': `0-4/5-9` or `cat,dog/eel`.

        numbers : the class numbers in increasing order. names : their names in the same order, or None.

        A group lists classes by number, by range of numbers, or by name. A name that contains one of ',/"-'
        or looks like a number is written in double quotes; a double quote inside it is doubled. Raises
        StragError for labels that cannot be read, that put a class into two groups, or that make fewer than
        2 groups.
        """
        if labels == "parity":
            return cls(("even", "odd"), tuple(c % 2 for c in range(max(numbers) + 1)))
        members = [-1] * (max(numbers) + 1)
        if labels == "classes":
            if len(numbers) < 2:
                only = f"'{names[0]}'" if names else numbers[0]
                raise StragError(f"has only one class, {only}", "provide examples of at least two classes")
            for group, c in enumerate(numbers):
                members[c] = group
            return cls._checked(tuple(names or map(str, numbers)), members)
        groups = read_groups(labels, numbers, names)
        for group, (_, classes) in enumerate(groups):
            for c in classes:
                if members[c] not in (-1, group):
                    shown = _as_written(c, labels, numbers, names)
                    raise bad_usage(f"`labels` '{labels}' put class {shown} into two groups", _HELP)
                members[c] = group
        return cls._checked(tuple(text for text, _ in groups), members)

    @classmethod
    def _checked(cls, names, members):
        """The Grouping of these, if the number of groups is allowed."""
        _check_number(len(names))
        return cls(names, tuple(members))


def check_form(labels):
    """Raise StragError for labels that no data set could have: unreadable, or not 2 to 4096 groups."""
    if labels not in ("parity", "classes"):
        _check_number(len(_split(labels)))


def check_list(text):
    """Raise StragError for a text that is not a list of classes such as `3,8` or `cat,dog`."""
    try:
        is_list = len(_split(text)) == 1
    except StragError:
        is_list = False
    if not is_list:
        raise bad_usage(f"cannot read the classes '{text}'", _LIST)


def _check_number(groups):
    """Raise StragError if the number of groups is not allowed."""
    if not 2 <= groups <= _MOST:
        raise bad_usage(f"`labels` make {number_of(groups, 'group')}, not 2 to {_MOST}", _HELP)


def _split(labels, shown=None, remedy=_HELP):
    """The groups in a text, each a list of items (name in quotes or None, text that is not in quotes).

    shown : the whole text, and remedy : how to write one, for errors.
    """
    groups, at = [[]], 0
    while at <= len(labels):
        item = _ITEM.match(labels, at)
        quoted = item and item[1]
        plain = item[2].strip() if item and item[2] else ""
        at = item.end() if item else at
        separator = labels[at : at + 1]
        if not item or (quoted is None and not plain) or separator not in ("", ",", "/"):
            raise bad_usage("cannot read " + (shown or f"'{labels}'"), remedy)
        groups[-1].append((quoted if quoted is None else quoted.replace('""', '"'), plain))
        if separator == "/":
            groups.append([])
        at += 1
    return groups


def _as_written(number, labels, numbers, names):
    """A class as `labels` names it: its name in quotes if it is in the text, otherwise its number."""
    written = {plain if quoted is None else quoted for items in _split(labels) for quoted, plain in items}
    name = dict(zip(numbers, names or (), strict=False)).get(number)
    return f"'{name}'" if name in written else number


def read_groups(labels, numbers, names=None, strict=False, called=None):
    """Pairs (text, class numbers), one for each of the groups in `labels`, which are separated by '/'.

    numbers, names : see `Grouping.parse`. strict : refuse numbers and ranges without a class, which a user
    who types them did not intend. called : the parameter that `labels` is the value of, for errors, or None.
    """
    shown = f"`{called}` '{labels}'" if called else f"'{labels}'"
    remedy = _LIST if called == "classes" else _HELP
    groups = []
    for items in _split(labels, shown, remedy):
        classes = [c for item in items for c in _classes(*item, numbers, names, strict, shown, remedy)]
        groups.append((",".join(plain if quoted is None else quoted for quoted, plain in items), classes))
    return groups


def read_classes(text, numbers, names=None):
    """The class numbers in a list such as `3,8` or `cat,dog`: sorted, without repetition."""
    groups = read_groups(text, numbers, names, True, "classes")
    if len(groups) != 1:
        raise bad_usage(f"cannot read `classes` '{text}'", _LIST)
    return sorted(set(groups[0][1]))


def check_labels(labels, numbers, names=None):
    """Raise StragError for labels that name absent classes, or parity if class names are other numbers."""
    if labels == "parity":
        for number, name in zip(numbers, names or (), strict=False):
            if name.isdecimal() and int(name) != number:
                problem = f"class {number} has the name '{name}', so its parity is ambiguous"
                raise bad_usage(problem, "list the groups, such as cat,dog/eel")
    elif labels != "classes":
        read_groups(labels, numbers, names, True, "labels")


def _classes(quoted, plain, numbers, names, strict, shown, remedy):
    """The class numbers of one item of a group.

    quoted : a name that was in quotes, or None. plain : otherwise a name, number or range. shown : the
    whole text, and remedy : how to write one, for errors.
    """
    named = dict(zip(names, numbers, strict=True)) if names else {}
    if quoted is not None or not _RANGE.fullmatch(plain):
        name = plain if quoted is None else quoted
        if name not in named:
            known = (
                f"the classes are {some_of(map(_quoted, names))}" if names else "the classes have no names"
            )
            raise bad_usage(f"cannot read {shown}: no class '{name}'", f"{known}; {remedy}")
        return [named[name]]
    bounds = _RANGE.fullmatch(plain)
    first, last = int(bounds[1]), int(bounds[2] or bounds[1])
    classes = [number for number in numbers if first <= number <= last]
    for text in (plain, bounds[1], bounds[2]):
        means = classes if text == plain else [int(text or 0)]
        if text in named and [named[text]] != means:
            problem = f"'{plain}' means class numbers, but '{text}' is the name of class {named[text]}"
            raise bad_usage(problem, "put names in double quotes, or use the class numbers")
    if strict and (not classes or last > max(numbers)):
        problem = f"has no class {plain} (in {shown})"
        raise bad_usage(problem, f"use its classes: {some_of(numbers)}")
    return classes


def _quoted(name):
    """A class name as the user must type it, in quotes if needed."""
    return name if not re.search(r'[,/"-]|^\d+$', name) else '"' + name.replace('"', '""') + '"'


def group_examples(grouping, y, name_of=str):
    """Group of each example of original class y: int64, in the shape of y.

    name_of : function of a class number that gives its name, for the error about a class in no group.
    """
    groups = np.asarray(grouping.members, dtype=np.int64)[y]
    if (groups < 0).any():
        missing = int(np.asarray(y)[groups < 0][0])
        raise bad_usage(f"class {name_of(missing)} is in no group", "list every class in `labels`")
    return groups
