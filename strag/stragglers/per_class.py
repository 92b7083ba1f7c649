"""One inversion per class, for more than two of them (Pukowski and Lu, arXiv 2409.14401).

S is the union over classes c of the class-c examples misclassified at c's own inversion. A class without
an inversion contributes nothing.
"""

from dataclasses import replace

import numpy as np

from strag.bits import unpack
from strag.stragglers.find import MOST, VALLEY, collect, invert, overall
from strag.stragglers.inversion import FEWEST, INVERSION, Inversion


def find_per_class(history, layer=None, rule=VALLEY, fewest=FEWEST, quorum=MOST):
    """The inversion of every class in every run of a History, and the stragglers behind them.

    A run inverts if any of its classes does; its t*, eps* and depth are means over those that do. Of a
    class, at least `fewest` of its own examples must be misclassified at its inversion. A class of which
    the run trains on no example is None in `by_class`, and left out. `quorum` as for `find_stragglers`.

    Returns
    -------
    Stragglers, with `by_class`.
    """
    curves = history.measure("radius", layer)
    present = history.classes_trained()
    by_class, sets = [], []
    for run in range(len(history.runs)):
        wrong = unpack(history.misclassified[:, run] & history.trained[run], history.examples)
        found = []
        for c in range(len(history.classes)):
            if not present[run, c]:
                found.append(None)
                continue
            of_class = wrong[:, history.group == c].sum(axis=1)
            found.append(invert(history, run, curves[:, run, c], rule, of_class, fewest))
        by_class.append(tuple(found))
        inverting = [one is not None and one.verdict == INVERSION for one in found]
        members = np.zeros(history.examples, dtype=bool)
        for c, inversion in enumerate(found):
            if inverting[c]:
                members |= wrong[inversion.record] & (history.group == c)
        sets.append(members if any(inverting) else None)
    inversions = tuple(_of_run(found) for found in by_class)
    return collect(history, inversions, sets, by_class=tuple(by_class), quorum=quorum)


def _of_run(found):
    """The Inversion of a run with these of its classes: means, and the worst of a rising loss."""
    found = [one for one in found if one is not None]
    inverting = [one for one in found if one.verdict == INVERSION]
    rising = {
        "unstable_from": _of(min, found, "unstable_from"),
        "loss_rise": _of(max, found, "loss_rise"),
    }
    if not inverting:
        verdict = overall([one.verdict for one in found])
        nearest = max(
            (one for one in found if one.verdict == verdict), key=lambda one: np.nan_to_num(one.depth)
        )
        return replace(nearest, **rising)
    names = ("update", "train_error", "depth", "horizon", "depth_at_4")
    return Inversion(INVERSION, **{name: _of(np.mean, inverting, name) for name in names}, **rising)


def _of(statistic, inversions, name):
    """A statistic of what Inversions say, as a number; None unless some say it."""
    known = [getattr(one, name) for one in inversions if getattr(one, name) is not None]
    if not known or (statistic is np.mean and len(known) < len(inversions)):
        return None
    value = statistic(known)
    return int(value) if name == "unstable_from" else float(value)
