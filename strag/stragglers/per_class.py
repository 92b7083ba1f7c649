"""One inversion per class, for more than two of them (Pukowski and Lu, arXiv 2409.14401).

S is the union over classes c of the class-c examples misclassified at c's own inversion. A class without
an inversion contributes nothing.
"""

import numpy as np

from strag.stragglers.find import VALLEY, collect, invert, overall
from strag.stragglers.history import unpack
from strag.stragglers.inversion import INVERSION, Inversion


def find_per_class(history, layer=None, rule=VALLEY):
    """The inversion of every class in every run of a History, and the stragglers behind them.

    A run inverts if any of its classes does; its t*, eps* and depth are means over those that do. Of a
    class, at least 10 of its own examples must be misclassified at its inversion. A class of which
    the run trains on no example is None in `by_class`, and left out.

    Returns
    -------
    Stragglers, with `by_class`.
    """
    curves = history.radius[:, :, history.layer_position(layer)].astype(np.float64)
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
            found.append(invert(history, run, curves[:, run, c], rule, of_class))
        by_class.append(tuple(found))
        inverting = [one is not None and one.verdict == INVERSION for one in found]
        members = np.zeros(history.examples, dtype=bool)
        for c, inversion in enumerate(found):
            if inverting[c]:
                members |= wrong[inversion.record] & (history.group == c)
        sets.append(members if any(inverting) else None)
    return collect(history, tuple(_of_run(found) for found in by_class), sets, by_class=tuple(by_class))


def _of_run(found):
    found = [one for one in found if one is not None]
    inverting = [one for one in found if one.verdict == INVERSION]
    if not inverting:
        return Inversion(overall([one.verdict for one in found]))
    means = {
        name: float(np.mean([getattr(one, name) for one in inverting]))
        for name in ("update", "train_error", "depth")
    }
    return Inversion(INVERSION, **means)
