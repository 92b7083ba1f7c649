"""`strag.find_stragglers`: the inversion of a history and its stragglers."""

from strag.api import arguments as check
from strag.api.outputs import opened
from strag.errors import bad_usage
from strag.files.jsonfile import json_text
from strag.files.output import commit
from strag.files.stragglers import stragglers_object, write_csv
from strag.stragglers.find import FIRST_INCREASE, MOST, VALLEY, Moment
from strag.stragglers.finding import finding_of
from strag.stragglers.inversion import FEWEST, INVERSION
from strag.stragglers.per_class import find_per_class
from strag.stragglers.profile import find_by_layer
from strag.stragglers.reference import reference_of
from strag.values import checked, choice, flag, optional, text


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
    """The Stragglers of a History, and the Finding with all results; see `find_stragglers`."""
    at = at or Moment()
    observable, quorum = observable or usual_observable(rule, per_class), MOST if quorum is None else quorum
    same = {"rule": rule, "fewest": fewest, "quorum": quorum}

    def stragglers_of(training, moment):
        if per_class:
            return find_per_class(training, training.layer(layer), **same), None
        return find_by_layer(training, observable, layer, at=moment, **same)

    stragglers, profile = stragglers_of(history, at)
    compared = None
    if reference is not None:
        reference.require_layers("remove `reference`")
        compared = reference_of(history, reference, stragglers_of(reference, Moment())[0])
    if core and (stragglers.verdict == INVERSION or at.is_chosen):
        stragglers.require_core(history.source)
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
    return stragglers, finding_of(history, stragglers, recipe, core, profile, compared)


def write_finding(finding, output=None, csv=None):
    """Write a Finding and its examples as CSV into open Outputs and commit both; returns the Finding."""
    if csv:
        write_csv(csv, finding.examples)
    if output:
        with output.writing():
            output.file.write(json_text(stragglers_object(finding)).encode())
    commit(*filter(None, (csv, output)))
    return finding


def moment(when):
    """The Moment that `inversion`, an update such as 40, or `error:0.09` means.

    Raises StragError for anything else.
    """
    kind, _, number = when.partition(":")
    try:
        if when == "inversion":
            return Moment()
        if kind == "error" and 0 <= float(number) <= 1:
            return Moment(error=float(number))
        if kind != "error" and len(when) < 20 and 0 <= int(when) < 2**63:
            return Moment(update=int(when))
    except ValueError:
        pass
    raise bad_usage(f"cannot read `at` '{when}'", "pass inversion, an update, or error:X with X in 0..1")


def usual_observable(rule, per_class=False):
    """The default observable: the radius over all classes, or of class 0 for the rule of the notebook."""
    return "radius:0" if rule != VALLEY and not per_class else "radius"


def layer_of(history, layer):
    """The layer by its name in the history, or `all`; by default the first. None without layers."""
    if layer == "all":
        return layer
    first = history.layers[0] if history.layers else None
    return first if layer is None else history.layer(layer)


@checked(
    history=check.kind("History"),
    output=optional(check.destination),
    csv=optional(check.destination),
    at=check.when,
    observable=optional(text("the name of a curve")),
    layer=optional(check.layer),
    per_class=flag,
    rule=choice(VALLEY, FIRST_INCREASE),
    min_misclassified=check.fewest,
    quorum=optional(check.quorum),
    core=flag,
    reference=optional(check.kind("History")),
)
def find_stragglers(
    history,
    output=None,
    csv=None,
    at="inversion",
    observable=None,
    layer=None,
    per_class=False,
    rule=VALLEY,
    min_misclassified=FEWEST,
    quorum=None,
    core=False,
    reference=None,
):
    """Find the inversion and the stragglers behind it.

    Parameters
    ----------
    history : History.
    output, csv : where to write the files of `strag find-stragglers` as well: paths.
    at : when the sets are taken: "inversion", an update such as 40, or "error:0.09".
    observable, layer (or "all"), per_class, rule, min_misclassified, quorum, core : as the options of
        `strag find-stragglers`.
    reference : the History of the same runs, trained on all examples.

    Returns
    -------
    Finding: its `verdict`, the `indices` of the stragglers in the rows of the data set, and all else that the
    file says, see `strag.stragglers.finding`.

    Raises StragError where no layer was measured, and for options that make no sense.
    """
    chosen = moment(at)
    for name, other, both in (
        ("observable", "per_class", per_class and observable is not None),
        ("at", "per_class", per_class and chosen.is_chosen),
        ("quorum", "core", core and quorum is not None),
    ):
        if both:
            raise bad_usage(f"`{name}` contradicts `{other}`", f"remove `{name}` or `{other}`")
    check.refuse_overwriting((history,), output=output, csv=csv)
    same = (observable, layer, per_class, rule, min_misclassified)
    _, finding = find(history, *same, chosen, quorum, core, reference)
    with opened(output, binary=False) as sink, opened(csv, binary=False) as table:
        return write_finding(finding, sink, table)
