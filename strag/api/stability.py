"""How far independent runs misclassify the same examples."""

from strag.api.outputs import write_answer
from strag.files.stability import stability_object
from strag.stragglers import stability as science
from strag.stragglers.inversion import FEWEST
from strag.stragglers.overlap import DISJOINT


def stability(history, pairs=DISJOINT, min_misclassified=FEWEST, output=None):
    """The agreement of the runs of a history on what they misclassify, along training.

    Parameters
    ----------
    history : History of at least two runs.
    pairs : `disjoint` pairs of runs, which are independent, or `all` of them.
    min_misclassified : examples that must be misclassified at an inversion.
    output : where to write the file of `strag stability` as well: a path, or an open Output.

    Returns
    -------
    Stability: kappa, its interval, the Jaccard index and z at every record, see
    `strag.stragglers.stability`.

    Raises StragError with fewer than two runs, and for networks that share their initial weights.
    """
    found = science.stability(history, pairs, min_misclassified)
    write_answer(
        stability_object(history, found, {"pairs": pairs, "min_misclassified": min_misclassified}), output
    )
    return found
