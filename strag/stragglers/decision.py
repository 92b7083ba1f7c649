"""The decision: whether the records of a run so far answer if, and where, it inverts.

It is for the radius over all classes, in every measured layer. `per_class` and other observables may need
longer training. A run whose answer is an inversion may still have a later, deeper valley, which training on
would show: a decision says that a valley was seen on both sides, not that it is the last one.
"""

import numpy as np

from strag.geometry.curves import over_axis
from strag.geometry.measures import MEASURES
from strag.stragglers.curves import Curves
from strag.stragglers.inversion import (
    COMPARED_AT,
    DIVERGED,
    FARTHEST,
    FEWEST,
    INVERSION,
    MISCLASSIFIED,
    NEAR,
    NONE,
    SEEN_FROM,
    SMALLEST_DEPTH,
    UNSTABLE,
    find_inversion,
    unmeasured,
)

OBSERVABLE = MEASURES["radius"]


def decided(
    updates, measures, train_error, train_loss, wrong, examples, descends=False, present=None, fewest=FEWEST
):
    """Whether the records of one run up to now decide its verdict in every layer.

    A layer is decided in these cases.

    inversion   The records reach at least 4 t*, up to where depths are compared.
    none        Training has finished. If a valley is half as deep as an inversion, and has enough
                misclassified examples, the records also reach twice its update, at which it would be seen.
    diverged    A value is not finite, and will not become so.
    unstable    The loss of full-batch gradient descent rose before there was an inversion: no later record
                counts as evidence for one. If there was one before the rise, and a deeper valley after it,
                the records reach at least 4 times the update of that valley.

    `open` and `unresolved` are not decided, except where fewer examples are misclassified than an inversion
    needs: longer training does not mend that. The records then reach at least 8 times the last update at
    which there were enough, since most such trainings finish before, with the verdict none.

    Parameters
    ----------
    updates : int [T], rising, the updates of the records.
    measures : dict of the name of a measure to float32 [T, L, axis], at least the `radius`, [T, L, C]. The
        values, like those of the other curves, are those that the history stores, so that training and a
        reader of the history come to the same decision.
    train_error, train_loss : float32 [T], over the examples that the run trains on.
    wrong : int [T], numbers of these examples that are misclassified.
    examples : number of these examples.
    descends : whether training is full-batch gradient descent, see `strag.stragglers.recipe.descends`.
    present : bool [C], the classes of which the run trains on an example, which count; by default those that
        have a radius at the first record.
    fewest : number of examples that must be misclassified at an inversion.
    """
    updates, wrong = np.asarray(updates), np.asarray(wrong)
    error, loss = (np.asarray(curve, np.float32) for curve in (train_error, train_loss))
    radius = np.asarray(measures[OBSERVABLE.name], np.float32).astype(np.float64)  # (T, L, C)
    layers = range(radius.shape[1])
    if not layers:
        return unmeasured(Curves(updates, None, error, loss, wrong, examples)).verdict == DIVERGED
    present = np.isfinite(radius[0]).any(axis=0) if present is None else present
    radius = over_axis(OBSERVABLE, radius, present)
    curves = (Curves(updates, radius[:, layer], error, loss, wrong, examples) for layer in layers)
    return all(_is_decided(of_layer, descends, fewest) for of_layer in curves)


def _is_decided(curves, descends, fewest):
    """Whether the Curves of one layer decide its verdict."""
    found, last = find_inversion(curves, descends, fewest), curves.updates[-1]
    if found.verdict == INVERSION:
        return bool(last >= COMPARED_AT * found.update)
    if found.verdict == NONE:
        forms = found.depth * NEAR >= SMALLEST_DEPTH and found.misclassified >= fewest
        return not forms or bool(last >= SEEN_FROM * found.valley_update)
    if found.verdict == UNSTABLE:
        rise = int(np.searchsorted(curves.updates, found.unstable_from))
        before = find_inversion(curves.until(rise), descends, fewest)
        return before.verdict != INVERSION or bool(last >= COMPARED_AT * found.valley_update)
    if found.failed == MISCLASSIFIED:  # fewer than there must be, and there will not be more
        enough = np.flatnonzero(curves.wrong >= fewest)
        has_fallen = enough.size > 0 and curves.wrong[-1] < fewest
        return bool(has_fallen and last >= FARTHEST * curves.updates[enough[-1]])
    return found.verdict == DIVERGED
