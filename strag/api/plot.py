"""The picture that belongs to the content of a file."""

import itertools

from strag.errors import StragError
from strag.kinds import KINDS


def kind_of(thing):
    """The Kind whose picture belongs to a thing, such as a History; None if it has no picture.

    A history whose networks left out sets of several kinds is a sweep.
    """
    from strag.stragglers.sweep import is_sweep

    name = type(thing).__name__.lower()
    if name == "history" and is_sweep(thing):
        name = "sweep"
    return KINDS.get({"finding": "stragglers"}.get(name, name))


def picture(things, names=None, **options):
    """The Picture of things of one kind.

    Parameters
    ----------
    things : iterable of objects that `read` returns: one or more histories, which are drawn over each other,
        or one object of another kind.
    names : names of the histories. options : those of the view of the kind.

    Raises StragError for things of several kinds, and for several things that are not histories.
    """
    things = iter(things)
    first = next(things)
    kind = kind_of(first)
    if kind.name == "history":
        names = (None,) if names is None else names
        same = (_same(first, thing) for thing in things)
        return kind.view().picture(itertools.chain([first], same), names, **options)
    if next(things, None) is not None:
        raise StragError(
            f"holds {kind.holds}, and a picture shows only one of these", "plot it alone", first.source
        )
    return kind.view().picture(first, **options)


def _same(first, thing):
    """Another history. Raises StragError for anything else."""
    kind = kind_of(thing)
    if kind is None or kind.name != "history":
        content = "something without a picture" if kind is None else kind.holds
        problem = f"holds {content}, but {first.source} is a history"
        raise StragError(problem, "plot one kind at a time", thing.source)
    return thing
