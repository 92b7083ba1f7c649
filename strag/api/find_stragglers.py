"""`strag.find_stragglers`: the inversion of a history and its stragglers."""

from strag.api.arguments import refuse_overwriting, require, require_choice
from strag.api.outputs import opened, renamed
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


def moment(text):
    """The Moment that `inversion`, an update such as 40, or `error:0.09` means.

    Raises StragError for anything else.
    """
    if isinstance(text, Moment):
        return text
    kind, _, number = str(text).partition(":")
    try:
        if str(text) == "inversion":
            return Moment()
        if kind == "error" and 0 <= float(number) <= 1:
            return Moment(error=float(number))
        if kind != "error" and len(str(text)) < 20 and 0 <= int(str(text)) < 2**63:
            return Moment(update=int(str(text)))
    except ValueError:
        pass
    raise bad_usage(f"cannot read `at` '{text}'", "give inversion, an update, or error:X with X in 0..1")


def usual_observable(rule, per_class=False):
    """The default observable: the radius over all classes, or of class 0 for the rule of the notebook."""
    return "radius:0" if rule != VALLEY and not per_class else "radius"


def layer_of(history, layer):
    """The layer by its name in the history, or `all`; by default the first. None without layers."""
    if layer == "all":
        return layer
    first = history.layers[0] if history.layers else None
    return first if layer is None else history.layer(layer)


def find_stragglers(history, output=None, csv=None, at="inversion", **options):
    """Find the inversion and the stragglers behind it.

    Parameters
    ----------
    history : History.
    output, csv : where to write the files of `strag find-stragglers` as well: paths.
    at : when the sets are taken: "inversion", an update such as 40, or "error:0.09".
    options : observable, layer (or "all"), per_class, rule, min_misclassified, quorum, core, and reference,
        the History of the same runs, trained on all examples.

    Returns
    -------
    Finding: its `verdict`, the `indices` of the stragglers in the rows of the data set, and all else that the
    file says, see `strag.stragglers.finding`.

    Raises StragError where no layer was measured, and for options that make no sense.
    """
    require(history, "history", "History")
    if options.get("reference") is not None:
        require(options["reference"], "reference", "History")
    require_choice(options.get("rule", VALLEY), "rule", (VALLEY, FIRST_INCREASE))
    if not 0 <= (options.get("quorum") or 0) < 1:
        raise bad_usage(
            f"`quorum` must be from 0 to below 1, not {options['quorum']}", "use a share such as 0.5"
        )
    refuse_overwriting((history,), output=output, csv=csv)
    _, finding = find(history, at=moment(at), **renamed(options, {"min_misclassified": "fewest"}))
    with opened(output, binary=False) as sink, opened(csv, binary=False) as table:
        return write_finding(finding, sink, table)
