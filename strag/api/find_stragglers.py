"""`strag.find_stragglers`: the inversion of a history and its stragglers."""

from strag.api import arguments as check
from strag.api.outputs import opened
from strag.errors import bad_usage, note_each
from strag.files.jsonfile import json_text
from strag.files.output import commit
from strag.files.stragglers import stragglers_object
from strag.files.tables import write_table
from strag.parsing import read_number, read_whole
from strag.stragglers.find import FIRST_INCREASE, MOST, VALLEY, Moment
from strag.stragglers.finding import finding_of
from strag.stragglers.inversion import FEWEST, INVERSION
from strag.stragglers.per_class import find_per_class
from strag.stragglers.profile import find_by_layer
from strag.stragglers.reference import reference_of
from strag.stragglers.unknown import NO_REFERENCE, about_verdicts, require_recipe
from strag.values import LARGEST_UPDATE, checked, choice, flag, optional, text

MOMENTS = ("inversion, an update,", "error:X with X from 0 to 1")  # that `at` can be, in words


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
    at, quorum = at or Moment(), MOST if quorum is None else quorum
    observable = usual_observable(rule, per_class) if observable is None else observable
    same = {"rule": rule, "fewest": fewest, "quorum": quorum}

    def stragglers_of(training, moment):
        if per_class:
            return find_per_class(training, training.layer(layer), **same), None
        return find_by_layer(training, observable, layer, at=moment, **same)

    stragglers, profile = stragglers_of(history, at)
    compared = None
    if reference is not None:
        require_recipe(reference, NO_REFERENCE)
        reference.require_layers("remove `reference`")
        compared = reference_of(history, reference, stragglers_of(reference, Moment())[0])
    if core and (stragglers.verdict == INVERSION or at.is_chosen):
        stragglers.require_core(history)
    note_each(history.source, about_verdicts(history))
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
        write_table(csv, finding.examples)
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
        if kind == "error" and read_number(number) <= 1:
            return Moment(error=read_number(number))
        if kind != "error" and read_whole(when) <= LARGEST_UPDATE:
            return Moment(update=read_whole(when))
    except ValueError:
        pass
    raise bad_usage(f"cannot read `at` '{when}'", f"use {MOMENTS[0]} or {MOMENTS[1]}")


def refuse_unused(given, *, at, per_class, layer, rule, core, reference, **_):
    """Refuse arguments of `find_stragglers` that contradict each other or have no effect.

    given : names of the arguments that are given. at : a Moment.
    """
    chosen = at.is_chosen
    inverts = not chosen or reference is not None  # the inversion of a reference is always sought
    check.refuse_ignored(
        given,
        # With `per_class` it is the radius of each class, at its own inversion.
        ("observable", per_class, "contradicts `per_class`"),
        ("at", per_class and chosen, "contradicts `per_class`"),
        ("layer", per_class and layer == "all", "all contradicts `per_class`"),
        ("quorum", core, "contradicts `core`"),
        ("rule", not inverts, f"has no effect, because `at` {at} does not look for an inversion"),
        ("min_misclassified", rule == FIRST_INCREASE, "needs `rule` valley"),
    )


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
    ignored=lambda given, at, **named: refuse_unused(given, at=moment(at), **named),
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
    check.refuse_overwriting((history,), output=output, csv=csv)
    same = (observable, layer, per_class, rule, min_misclassified)
    _, finding = find(history, *same, moment(at), quorum, core, reference)
    with opened(output, binary=False) as sink, opened(csv, binary=False) as table:
        return write_finding(finding, sink, table)
