"""From a history to its stragglers."""

from strag.stragglers.find import MOST, VALLEY, Moment
from strag.stragglers.inversion import FEWEST, INVERSION
from strag.stragglers.per_class import find_per_class
from strag.stragglers.profile import find_by_layer
from strag.stragglers.reference import reference_of


def find(
    history,
    observable=None,
    layer=None,
    per_class=False,
    rule=VALLEY,
    fewest=FEWEST,
    at=None,
    quorum=None,
    core=False,
    reference=None,
):
    """The Stragglers of a History, the recipe, `core`, those of every layer, and its Reference, or None."""
    at = at or Moment()
    observable, quorum = observable or usual_observable(rule, per_class), MOST if quorum is None else quorum
    same = {"rule": rule, "fewest": fewest, "quorum": quorum}

    def found_in(one, moment):
        if per_class:
            return find_per_class(one, one.layer(layer), **same), None
        return find_by_layer(one, observable, layer, at=moment, **same)

    found, profile = found_in(history, at)
    beside = None
    if reference is not None:
        reference.require_layers("leave --reference out")
        beside = reference_of(history, reference, found_in(reference, Moment())[0])
    if core and (found.verdict == INVERSION or at.is_chosen):
        found.require_core(history.source)
    recipe = {
        "observable": observable,
        "layer": layer_of(history, layer),
        "rule": rule,
        "at": str(at),
        "core": core,
        "per_class": per_class,
        "min_misclassified": fewest,
        "quorum": quorum,
    }
    return found, recipe, core, profile, beside


def usual_observable(rule, per_class=False):
    """The radius over all classes; for the notebook's rule, which knows no other, that of class 0."""
    return "radius:0" if rule != VALLEY and not per_class else "radius"


def layer_of(history, layer):
    """The layer by its name in the history, `all`, or the first where none is named; None without layers."""
    if layer == "all":
        return layer
    first = history.layers[0] if history.layers else None
    return first if layer is None else history.layer(layer)
