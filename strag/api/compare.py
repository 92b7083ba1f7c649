"""How far sets of stragglers overlap."""

from strag.api.outputs import write_answer
from strag.errors import StragError, bad_usage
from strag.files.comparison import comparison_object
from strag.stragglers import comparison as science


def compare(stragglers, names=None, output=None):
    """The overlap of every two of several sets of stragglers of one data set.

    Parameters
    ----------
    stragglers : list of two or more of what `find_stragglers` found.
    names : what to call them; by default the names of their files.
    output : where to write the file of `strag compare` as well: a path, or an open Output.

    Returns
    -------
    Comparison: sizes, common and expected numbers, Jaccard index and kappa, see
    `strag.stragglers.comparison`.

    Raises StragError for fewer than two, and for stragglers of different data sets.
    """
    stragglers = list(stragglers)
    if len(stragglers) < 2:
        raise bad_usage("a comparison needs two sets of stragglers or more")
    names = [one.source for one in stragglers] if names is None else list(names)
    examples, title = _examples(stragglers), stragglers[0].meta.get("title")
    found = science.compare([one.indices for one in stragglers], examples, names, title)
    write_answer(comparison_object(found, stragglers), output)
    return found


def _examples(lists):
    """The number of examples of the origin that all the Findings share."""
    first = lists[0]
    for one in lists:
        size = one.meta.get("origin_size")
        if type(size) is not int or not 0 < size < 2**53:
            raise StragError(
                "does not say how many examples its data set has",
                "make it again with 'strag find-stragglers'",
                one.source,
            )
        if (one.origin, size) != (first.origin, first.meta["origin_size"]):
            raise StragError(
                f"its indices count in another data set than those of {first.source}",
                "compare stragglers of one data set",
                one.source,
            )
    return first.meta["origin_size"]
