"""What `import strag` is given: the right kinds of object, and outputs that destroy nothing."""

import numbers
import os
import re

from strag.errors import bad_usage
from strag.files.output import Output
from strag.files.streams import STANDARD, place_of
from strag.values import LARGEST, LARGEST_UPDATE, number, path, refused, several, text, whole
from strag.words import number_of

GIVEN_BY = {
    "Dataset": "strag.data or strag.read",
    "History": "strag.train or strag.read",
    "Finding": "strag.find_stragglers or strag.read",
    "StoredSets": "strag.sets or strag.read",
    "Weights": "strag.read",
    "Activations": "strag.dump or strag.read",
}


def require(value, name, *kinds):
    """Refuse an argument of another kind than those named, such as a path in the place of a History."""
    given = type(value).__name__
    if given not in kinds:
        raise bad_usage(
            f"`{name}` must be {' or '.join(map(_with_article, kinds))}, but it is {_with_article(given)}",
            f"{GIVEN_BY[kinds[0]]} returns one",
        )
    return value


def _with_article(noun):
    return f"an {noun}" if noun[:1] in "AEIOUaeiou" else f"a {noun}"


def kind(*kinds):
    """The check of an object of one of these kinds, such as `kind("History")`."""
    return lambda value, name: require(value, name, *kinds)


def findings(value, name):
    """The check of one Finding or several; it becomes a list."""
    if not isinstance(value, (list, tuple)):
        value = [value]
    return [require(finding, name, "Finding") for finding in value]


def comparable(value, name):
    """The check of one set of examples to compare, or several; it becomes a list."""
    if not isinstance(value, (list, tuple)):
        value = [value]
    return [require(thing, name, "Finding", "Dataset", "StoredSets") for thing in value]


def destination(value, name):
    """The check of `output` and the like: a path, which becomes text, or an open Output. Not stdout."""
    if isinstance(value, Output):
        return value
    place = path(value, name)
    if place == STANDARD:
        raise refused(value, name, "the path of a file, because strag writes to stdout only as a command")
    return place


def file_to_read(value, name):
    """The check of an output that is read again: as `destination`, but not a device or a pipe."""
    output = destination(value, name)
    if isinstance(output, str) and not os.path.isdir(output) and place_of(output) in (STANDARD, None):
        raise refused(value, name, "the path of a file, because the result is read from it")
    return output


def when(value, name):
    """The check of `at`, which becomes text: a text or an update."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return str(whole(0, LARGEST_UPDATE)(value, name))
    return text("'inversion', an update, or 'error:X' with X from 0 to 1")(value, name)


def layer(value, name):
    """The check of a recorded layer: its number or its name."""
    return str(value) if isinstance(value, str) else whole(0, LARGEST)(value, name)


def labels(value, name):
    """The check of one name or several names, see `labels_for`."""
    if isinstance(value, str):
        return _label(value, name)
    return several(_label, "a list of names")(value, name)


def _label(value, name):
    if not isinstance(value, (str, int, float)) or value == "":
        raise refused(value, name, "a list of names")
    return str(value)


fewest = whole(1, 2**53)  # of `min_misclassified`
quorum = number(0, 1, below=True)


def refuse_overwriting(inputs, **outputs):
    """Refuse an output in the place of a file that was read, or two outputs in one place.

    inputs : objects with a `source`, or paths. outputs : paths by the name of their parameter. What is not
    given is None.
    """
    sources = [getattr(thing, "source", thing) for thing in inputs if thing is not None]
    read = {os.path.realpath(source) for source in sources if os.path.exists(source)}
    taken = {}
    for name, output in outputs.items():
        if not isinstance(output, str):
            continue
        place = os.path.realpath(output)
        if place in read:
            raise bad_usage(f"is read, and `{name}` would overwrite it", "choose another file name", output)
        if place in taken:
            raise bad_usage(f"both `{taken[place]}` and `{name}` would write it", "use two files", output)
        taken[place] = name


def refuse_ignored(given, *rules):
    """Refuse arguments that are given but have no effect.

    given : names of the arguments that are given. rules : (names, separated by spaces; whether they have no
    effect; the reason, in words that follow the name, such as "needs `controls`").
    """
    for names, has_no_effect, reason in rules:
        for name in names.split():
            if has_no_effect and name in given:
                other = re.search("contradicts (`[a-z_]+`)", reason)
                remedy = f"remove `{name}`" + (f" or {other[1]}" if other else "")
                raise bad_usage(f"`{name}` {reason}", remedy)


def labels_for(things, given, name):
    """The labels as a list, one for each of the things. Raises StragError for another number of them."""
    is_one = isinstance(given, str)
    given = [given] if is_one else list(given)
    if len(given) != len(things):
        items, objects = number_of(len(given), "item"), number_of(len(things), "object")
        remedy = "pass a list of names, one for each, in order" if is_one else "pass one for each, in order"
        raise bad_usage(f"`{name}` has {items} for {objects}", remedy)
    return given
