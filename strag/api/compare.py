"""`strag.compare`: how far sets of stragglers overlap."""

from strag.api import arguments
from strag.api.arguments import destination, findings, labels_for, refuse_overwriting
from strag.api.outputs import write_answer
from strag.errors import StragError, bad_usage
from strag.files.comparison import comparison_object
from strag.stragglers import comparison as science
from strag.values import checked, optional


@checked(stragglers=findings, labels=optional(arguments.labels), output=optional(destination))
def compare(stragglers, labels=None, output=None):
    """The overlap of every two of several sets of stragglers of one data set.

    Parameters
    ----------
    stragglers : two or more Findings of `find_stragglers`.
    labels : names of the sets, by default the names of their files.
    output : where to also write the file of `strag compare`: a path, or an open Output.

    Returns
    -------
    Comparison: sizes, common and expected numbers, Jaccard index and kappa, see
    `strag.stragglers.comparison`.

    Raises StragError for fewer than two sets, and for stragglers of different data sets.
    """
    refuse_overwriting(stragglers, output=output)
    if len(stragglers) < 2:
        raise bad_usage(
            "a comparison needs at least two sets of stragglers", "pass them as `stragglers`, a list"
        )
    if labels is None:
        names = [finding.source for finding in stragglers]
    else:
        names = labels_for(stragglers, labels, "labels")
    examples, title = _examples(stragglers), stragglers[0].meta.get("title")
    comparison = science.compare([finding.indices for finding in stragglers], examples, names, title)
    write_answer(comparison_object(comparison, stragglers), output)
    return comparison


def _examples(findings):
    """The number of examples of the origin, which must be the same for all Findings."""
    first = findings[0]
    for finding in findings:
        size = finding.meta.get("origin_size")
        if type(size) is not int or not 0 < size < 2**53:
            raise StragError(
                "does not say how many examples its data set has",
                "create it again with 'strag find-stragglers'",
                finding.source,
            )
        if (finding.origin, size) != (first.origin, first.meta["origin_size"]):
            raise StragError(
                f"has indices of another data set than {first.source}",
                "compare stragglers of the same data set",
                finding.source,
            )
    return first.meta["origin_size"]
