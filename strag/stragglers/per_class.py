"""One inversion per class, for data with more than two classes (Pukowski and Lu, arXiv 2409.14401).

Every class c has its own curve and its own inversion. The set S of a run is the union over all classes c of
the examples of c that are misclassified at the inversion of c. A class without an inversion adds no example.
"""

from dataclasses import replace

import numpy as np

from strag.bits import unpack
from strag.stragglers.find import MOST, VALLEY, collect, invert, overall
from strag.stragglers.inversion import FEWEST, INVERSION, Inversion


def find_per_class(history, layer=None, rule=VALLEY, fewest=FEWEST, quorum=MOST):
    """Find the inversion of every class in every run of a History, and the stragglers at these inversions.

    A run has an inversion if at least one of its classes has one. The t*, eps* and depth of the run are means
    over the classes with an inversion.

    Parameters
    ----------
    history : History
    layer, rule, quorum : as for `find_stragglers`.
    fewest : number of examples of a class that must be misclassified at the inversion of this class.

    Returns
    -------
    Stragglers, with `by_class`. A class of which a run trains on no example is None there and does not count.
    """
    curves = history.measure("radius", layer)
    present = history.classes_trained()
    by_class, sets = [], []
    for run in range(len(history.runs)):
        wrong = unpack(history.misclassified[:, run] & history.trained[run], history.examples)
        of_classes = []
        for c in range(len(history.classes)):
            if not present[run, c]:
                of_classes.append(None)
                continue
            set_sizes = wrong[:, history.group == c].sum(axis=1)
            of_classes.append(invert(history, run, curves[:, run, c], rule, set_sizes, fewest))
        by_class.append(tuple(of_classes))
        inverting = [inversion is not None and inversion.verdict == INVERSION for inversion in of_classes]
        members = np.zeros(history.examples, dtype=bool)
        for c, inversion in enumerate(of_classes):
            if inverting[c]:
                members |= wrong[inversion.record] & (history.group == c)
        sets.append(members if any(inverting) else None)
    inversions = tuple(_of_run(of_classes) for of_classes in by_class)
    return collect(history, inversions, sets, by_class=tuple(by_class), quorum=quorum)


def _of_run(of_classes):
    """The Inversion of a run, from the Inversions of its classes, of which some are None.

    Its numbers are means over the classes with an inversion; without any they are those of the deepest valley
    among the classes that have the verdict of `overall`. A rise of the loss is the earliest and the
    largest over all classes.
    """
    present = [inversion for inversion in of_classes if inversion is not None]
    inverting = [inversion for inversion in present if inversion.verdict == INVERSION]
    rising = {
        "unstable_from": _over_classes(min, present, "unstable_from"),
        "loss_rise": _over_classes(max, present, "loss_rise"),
    }
    if not inverting:
        verdict = overall([inversion.verdict for inversion in present])
        same_verdict = (inversion for inversion in present if inversion.verdict == verdict)
        deepest = max(same_verdict, key=lambda inversion: np.nan_to_num(inversion.depth))
        return replace(deepest, **rising)
    names = ("update", "train_error", "depth", "horizon", "depth_at_4")
    means = {name: _over_classes(np.mean, inverting, name) for name in names}
    return Inversion(INVERSION, **means, **rising)


def _over_classes(statistic, inversions, name):
    """A statistic of one attribute of Inversions, as a number; None if no Inversion has a value.

    A mean is None unless every Inversion has a value.
    """
    known = [getattr(inversion, name) for inversion in inversions if getattr(inversion, name) is not None]
    if not known or (statistic is np.mean and len(known) < len(inversions)):
        return None
    value = statistic(known)
    return int(value) if name == "unstable_from" else float(value)
