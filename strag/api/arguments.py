"""What `import strag` is given: the right kinds of object, and outputs that destroy nothing."""

import os

from strag.errors import bad_usage

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
            f"`{name}` must be a {' or a '.join(kinds)}, but it is a {given}",
            f"{GIVEN_BY[kinds[0]]} returns one",
        )


def require_choice(value, name, choices):
    """Refuse a value that is none of the choices."""
    if value not in choices:
        known = ", ".join(map(str, choices))
        raise bad_usage(f"`{name}` must be one of {known}, not {value!r}", "use one of them")


def refuse_overwriting(inputs, **outputs):
    """Refuse an output in the place of a file that was read, or two outputs in one place.

    inputs : objects with a `source`. outputs : paths by the name of their parameter, None where not given.
    """
    read = {os.path.realpath(thing.source) for thing in inputs if os.path.exists(thing.source)}
    taken = {}
    for name, path in outputs.items():
        if not isinstance(path, (str, os.PathLike)):
            continue
        place = os.path.realpath(path)
        if place in read:
            raise bad_usage(
                f"is read, and `{name}` would overwrite it", "choose another file name", str(path)
            )
        if place in taken:
            raise bad_usage(f"both `{taken[place]}` and `{name}` would write it", "use two files", str(path))
        taken[place] = name


def labels_for(things, labels, name):
    """The labels as a list, one for each of the things. Raises StragError for another number of them."""
    labels = [labels] if isinstance(labels, str) else [str(label) for label in labels]
    if len(labels) != len(things):
        raise bad_usage(
            f"`{name}` has {len(labels)} items for {len(things)} objects", "pass one for each, in order"
        )
    return labels
