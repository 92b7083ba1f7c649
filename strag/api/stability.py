"""`strag.stability`: how far independent runs misclassify the same examples."""

from strag.api.arguments import destination, fewest, kind, refuse_overwriting
from strag.api.outputs import write_answer
from strag.errors import note_each
from strag.files.stability import stability_object
from strag.stragglers import stability as science
from strag.stragglers.inversion import FEWEST
from strag.stragglers.overlap import ALL, DISJOINT
from strag.stragglers.unknown import about_agreement
from strag.values import checked, choice, optional


@checked(
    history=kind("History"),
    pairs=choice(DISJOINT, ALL),
    min_misclassified=fewest,
    output=optional(destination),
)
def stability(history, pairs=DISJOINT, min_misclassified=FEWEST, output=None):
    """The agreement of the runs of a history on the examples that they misclassify, along training.

    Parameters
    ----------
    history : History of at least two runs.
    pairs : `disjoint` pairs of runs, which are independent, or `all` pairs.
    min_misclassified : the smallest number of misclassified examples at an inversion.
    output : where to also write the file of `strag stability`: a path, or an open Output.

    Returns
    -------
    Stability: kappa, its interval, the Jaccard index and z at every record, see
    `strag.stragglers.stability`.

    Raises StragError with fewer than two runs, and for networks that share their initial weights.
    """
    refuse_overwriting((history,), output=output)
    agreement = science.stability(history, pairs, min_misclassified)
    note_each(history.source, about_agreement(history))
    recipe = {"pairs": pairs, "min_misclassified": min_misclassified}
    write_answer(stability_object(history, agreement, recipe), output)
    return agreement
