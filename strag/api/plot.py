"""The picture that belongs to what a file holds."""

import itertools

from strag.errors import StragError
from strag.kinds import KINDS


def kind_of(thing):
    """The Kind whose picture belongs to a thing, such as a History; None where there is none.

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
    things : iterable of what `read` gives; several histories are laid over each other, of anything else
        there is one. names : what to call each of several histories. options : those that the view of
        the kind takes.

    Raises StragError for things of several kinds, and for several things that no one picture shows.
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
            f"holds {kind.holds}, of which a picture shows one file", "plot it alone", first.source
        )
    return kind.view().picture(first, **options)


def _same(first, thing):
    """A further history; refused where it is anything else."""
    kind = kind_of(thing)
    if kind is None or kind.name != "history":
        what = "something without a picture" if kind is None else kind.holds
        problem = f"holds {what}, but {first.source} is a history"
        raise StragError(problem, "plot one kind at a time", thing.source)
    return thing
