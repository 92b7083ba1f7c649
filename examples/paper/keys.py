"""Keys of the report: the place in results/*.json that a key names, and the quantity there.

The language of keys is described at the top of report.py.
"""

import difflib
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

VERDICTS = ("inversion", "none", "open", "unresolved", "unstable", "diverged")  # absent if no run has one
STYLES = {  # formats of quantities by name; others have four decimals
    **dict.fromkeys(("lr_update", "inverts", "outcome", "b", "ratio"), ".2f"),
    **dict.fromkeys(("depth", "depth_at_4", "kappa", "jaccard", "straggler_share", "r2"), ".3f"),
    **dict.fromkeys(("horizon", "z"), ".1f"),
    "excess_error": ".1e",
    **dict.fromkeys(("stragglers", "examples_trained", "update", "size_mean"), ".0f"),
    **dict.fromkeys(("update_mean", "update_std", "refined_update"), ".0f"),
}
COMPUTED = ("inverts", "outcome")  # members that every condition has besides those in its file
_PART = re.compile(r"\[[^\]]*\]|(?:'[^']*'|[^/\[\]'])+")


class BadKeyError(Exception):
    """A key that cannot be printed, and why."""


class NoValueError(BadKeyError):
    """A key that exists and is null."""


@dataclass(frozen=True)
class Quantity:
    """A number or text, with the ends of its interval if it has one, and its usual format."""

    value: object
    low: float | None = None
    high: float | None = None
    has_interval: bool = False
    style: str = ".4f"
    text: str | None = None  # what is printed unless a format is given
    is_constant: bool = False


@dataclass(frozen=True)
class Node:
    """A place in a results file: its value, the names that lead there, the object it is in, and the file."""

    value: object
    path: tuple
    parent: object
    root: object

    def child(self, name, value):
        return Node(value, (*self.path, str(name)), self.value, self.root)

    def children(self):
        """The members of a list, or the conditions of a summary, by their labels; None for anything else."""
        values = self.value
        if isinstance(values, dict):
            values = values.get("conditions")
        if not isinstance(values, list):
            return None
        names = self.root.get("names", []) if isinstance(self.root, dict) else []
        names = names if len(names) == len(values) else range(len(values))
        labels = (
            value.get("label", value.get("name", name)) if isinstance(value, dict) else name
            for name, value in zip(names, values, strict=True)
        )
        return [self.child(label, value) for label, value in zip(labels, values, strict=True)]

    def members(self):
        """Return the names that may follow in a key: list of str."""
        own = list(self.value) if isinstance(self.value, dict) else []
        own += [child.path[-1] for child in self.children() or []]
        return own + [name for name in COMPUTED if _share_of(self.value)]


class Results:
    """The files of a folder, read when a key names them. `used` is the set of the names of those read."""

    def __init__(self, folder):
        self.folder, self.used, self._read = Path(folder), set(), {}

    def names(self):
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def file(self, name):
        """Return the Node of a file. Raises BadKeyError if there is no such file."""
        if name not in self._read:
            if name not in self.names():
                raise BadKeyError(f"there is no results/{name}.json{_close(name, self.names())}")
            value = json.loads((self.folder / f"{name}.json").read_text())
            self._read[name] = Node(value, (name,), None, value)
        self.used.add(name)
        return self._read[name]

    def nodes(self, key):
        """Return the list of Nodes that a key names: one or more."""
        first, *parts = _parts(key)
        files = [name for choice in first.split(" or ") for name in self._files(choice)]
        return self.below([self.file(name) for name in files], parts)

    def _files(self, choice):
        if "*" not in choice:
            return [choice]
        return [name for name in self.names() if fnmatchcase(name, choice)]

    def below(self, nodes, parts):
        """Return the list of Nodes that the rest of a key, as parts, names below others."""
        for part in parts:
            if part.startswith("["):
                nodes = self.select(nodes, part[1:-1])
            else:
                nodes = [found for node in nodes for found in _step(node, part)]
        return nodes

    def select(self, nodes, rule):
        """Return the Nodes that a rule in brackets keeps, among the members of a list or among many nodes."""
        if all(node.children() is not None for node in nodes):
            nodes = [child for node in nodes for child in node.children()]
        if best := re.fullmatch(r"(max|min) (abs )?(.+)", rule):
            sign = 1 if best[1] == "max" else -1
            distance = (lambda value: -sign * abs(value)) if best[2] else (lambda value: -sign * value)
            return self._nearest(nodes, best[3], distance)
        if near := re.fullmatch(r"near (\S+) (.+)", rule):
            goal = self._goal(near[2])
            return self._nearest(nodes, near[1], lambda value: abs(value - goal))
        for condition in re.findall(r"(?:'[^']*'|[^',])+", rule):
            nodes = self._filtered(nodes, condition.strip())
        return nodes

    def _goal(self, text):
        """Return the number that a text is, or that the key in it names."""
        try:
            return float(text)
        except ValueError:
            (node,) = self.nodes(text)
            return quantity_of(node).value

    def _nearest(self, nodes, path, distance):
        """Return a list with the node whose value at `path` has the smallest `distance`; null has none."""
        scores = []
        for node in nodes:
            value = _value_below(node, path)
            if value not in (None, KeyError):
                place = node.child(_parts(path)[-1], value)
                scores.append((distance(quantity_of(place).value), node))
        if not scores:
            raise BadKeyError(f"no member has a value of '{path}'")
        return [min(scores, key=lambda score: score[0])[1]]

    def _filtered(self, nodes, condition):
        parsed = re.fullmatch(r"(.+?)(!=|<=|>=|=|<|>)(.*)", condition)
        if not parsed:
            raise BadKeyError(
                f"'[{condition}]' is not 'NAME=VALUE', 'max NAME', 'min NAME' or 'near NAME VALUE'"
            )
        name, sign, wanted = parsed[1].strip(), parsed[2], parsed[3].strip().strip("'")
        values = [_value_below(node, name) for node in nodes]
        if all(value is KeyError for value in values):
            raise BadKeyError(f"no member has '{name}'")
        kept = [node for node, value in zip(nodes, values, strict=True) if _holds(value, sign, wanted)]
        if not kept:
            raise BadKeyError(
                f"no member has {condition}; there are {_few(sorted({_plain(v) for v in values}))}"
            )
        return kept


def _parts(key):
    return [part.strip() if part.startswith("[") else part.strip().strip("'") for part in _PART.findall(key)]


def _step(node, part):
    """Return the list of Nodes that one part of a key names in a Node."""
    choices = part.removesuffix("@0").split(" or ")
    names = [name for choice in choices for name in _matching(node, choice)]
    found = []
    for name in names:
        if isinstance(node.value, dict) and name in node.value:
            found.append(node.child(name, node.value[name]))
        elif name in COMPUTED and _share_of(node.value):
            found.append(node.child(name, _share(node.value, name)))
        elif node.path[-1] == "verdicts" and name in VERDICTS:
            found.append(node.child(name, 0))
        elif node.path[-1] == "differences" and not node.value:  # of the reference
            found.append(node.child(name, None))
        else:
            found += _labelled(node, name)
    return found


def _labelled(node, name):
    """Return a list with the member of a list, or the condition of a summary, with this label or number."""
    children = node.children() or []
    labelled = [child for child in children if child.path[-1] == name]
    if not labelled and re.fullmatch(r"-?\d+", name) and isinstance(node.value, list):
        labelled = children[int(name) :][:1]
    if len(labelled) != 1:
        why = "has more than one" if labelled else "does not have"
        raise BadKeyError(f"{'/'.join(node.path)} {why} '{name}'{_close(name, node.members())}")
    return labelled


def _matching(node, choice):
    """Return the names of the members that a choice with stars stands for, or the choice itself."""
    if "*" not in choice:
        return [choice]
    children = node.children()
    names = [child.path[-1] for child in children] if children is not None else list(node.value or [])
    names = [name for name in names if fnmatchcase(name, choice)]
    if not names:
        raise BadKeyError(
            f"{'/'.join(node.path)} has nothing like '{choice}'{_close(choice, node.members())}"
        )
    return names


def _close(name, names):
    """Return what a message says of the names there are: the similar ones first."""
    similar = difflib.get_close_matches(name, names, 3, 0.5)
    if similar:
        return "; did you mean " + " or ".join(f"'{one}'" for one in similar) + "?"
    return f"; there are {_few(names)}" if names else "; it has no members"


def _few(names):
    return ", ".join(f"'{name}'" for name in names[:12]) + (", ..." if len(names) > 12 else "")


def _value_below(node, name):
    """Return the value at a path below a Node, or of one of its settings; KeyError if there is none."""
    value = node.value
    for part in _parts(name):
        if not isinstance(value, dict):
            return KeyError
        value = value[part] if part in value else value.get("settings", {}).get(part, KeyError)
    return value


def _plain(value):
    if value is KeyError:
        return "absent"
    return value if isinstance(value, str) else json.dumps(value)


def _holds(value, sign, wanted):
    if value is KeyError:
        return False
    try:
        value, wanted = float(value), float(wanted)
    except (TypeError, ValueError):
        return {"=": _plain(value) == wanted, "!=": _plain(value) != wanted}.get(sign, False)
    tests = {"=": value == wanted, "!=": value != wanted, "<": value < wanted, ">": value > wanted}
    return {**tests, "<=": value <= wanted, ">=": value >= wanted}[sign]


def _share_of(value):
    """Return (inverting, runs) of a condition or the summary of a stragglers file; else None."""
    if not isinstance(value, dict) or "runs" not in value:
        return None
    inverting = value.get("inverting", value.get("inverting_runs"))
    return None if inverting is None else (inverting, value["runs"])


def _share(value, name):
    """Return the Quantity 'N of M' of the runs that invert; as the outcome also what the others do."""
    inverting, runs = _share_of(value)
    text = f"{inverting} of {runs}"
    others = [f"{n} {verdict}" for verdict, n in value.get("verdicts", {}).items() if verdict != "inversion"]
    if name == "outcome" and others:
        text += f" ({', '.join(others)})"
    low, high = value.get("low"), value.get("high")
    return Quantity(inverting / runs, low, high, "low" in value, STYLES[name], text)


def quantity_of(node):
    """Return the Quantity at a Node. Raises NoValueError for null, BadKeyError for other objects."""
    value, name = node.value, node.path[-1]
    if value is None:
        raise NoValueError(f"{'/'.join(node.path)} has no value")
    if isinstance(value, Quantity):
        return value
    style = next((STYLES[n] for n in _bare(node.path) if n in STYLES), ".4f")
    if isinstance(value, dict) and {"mean", "low", "high"} <= value.keys():
        return Quantity(value["mean"], value["low"], value["high"], True, style)
    if isinstance(value, (dict, list)):
        raise BadKeyError(f"{'/'.join(node.path)} is not a number; it has {_few(node.members())}")
    if isinstance(value, (str, bool)):
        return Quantity(value, text=value if isinstance(value, str) else ("yes" if value else "no"))
    ends = ("low", "high") if name == "mean" else (f"{name}_low", f"{name}_high")
    ends = [node.parent.get(end, KeyError) if isinstance(node.parent, dict) else KeyError for end in ends]
    has_interval = KeyError not in ends
    return Quantity(value, *(ends if has_interval else (None, None)), has_interval, style)


def _bare(path):
    """Return the names of a path below the file, without the noise in their names."""
    return [name.partition("@")[0] for name in path[1:]]
