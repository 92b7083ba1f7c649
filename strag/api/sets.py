"""`strag.sets`: sets of examples to leave out of training, one set per network."""

import contextlib

import numpy as np

from strag.api import arguments as check
from strag.api.find_stragglers import MOMENTS, layer_of, moment, usual_observable
from strag.api.outputs import opened
from strag.errors import StragError, StragNote, bad_usage, note_each, warn_of
from strag.files.sets import StoredSets, sets_meta, write_sets
from strag.parsing import read_whole
from strag.stragglers.controls import DRAWN, hardest_others, too_large, with_controls
from strag.stragglers.find import FIRST_INCREASE, MOST, VALLEY, Moment, find_stragglers
from strag.stragglers.inversion import FEWEST
from strag.stragglers.sets import (
    HARD,
    Logarithmic,
    dosed_sets,
    sets_of_runs,
    sets_over_time,
)
from strag.stragglers.unknown import about_sets
from strag.values import checked, choice, number, optional, several, text, whole
from strag.words import number_of


def sets_of(
    history,
    at=None,
    controls=(),
    doses=(),
    seed=0,
    observable=None,
    layer=None,
    rule=VALLEY,
    fewest=FEWEST,
    quorum=None,
):
    """The Sets of a History, its Stragglers (None if no inversion is needed), and the recipe.

    Parameters
    ----------
    at : Moment of the set of every run, or Logarithmic for many sets of every run.
    controls : names of the controls to add for each set. seed : seed of the controls.
    doses : shares of the most frequent stragglers; each share adds one set for every run.
    observable, layer, rule, fewest, quorum : as for `find_stragglers`.
    """
    at, quorum = at or Moment(), MOST if quorum is None else quorum
    many = isinstance(at, Logarithmic)
    observable = usual_observable(rule) if observable is None else observable
    stragglers = None
    if doses and many:
        history.require_layers("remove `dose`, or take the sets at one update")
    if doses or not many:
        stragglers = find_stragglers(
            history,
            observable,
            history.layer(layer),
            rule=rule,
            fewest=fewest,
            quorum=quorum,
            at=Moment() if many else at,
        )
    sets = sets_over_time(history, at) if many else sets_of_runs(history, stragglers)
    if doses:
        sets = sets + dosed_sets(history, stragglers, doses)
    inverting = sets_of_runs(history, stragglers) if doses else None
    hardest = _hardest(history, sets, inverting) if HARD in controls else None
    sets = with_controls(history, sets, controls, seed, hardest)
    note_each(history.source, about_sets(history, stragglers is not None and not at.is_chosen))
    recipe = {
        "observable": observable,
        "layer": layer_of(history, layer),
        "rule": rule,
        "at": str(at),
        "controls": ",".join(controls) or None,
        "dose": ",".join(f"{dose:g}" for dose in doses) or None,
        "seed": seed,
        "quorum": quorum,
        "min_misclassified": fewest,
    }
    return sets, stragglers, recipe


def _hardest(history, sets, inverting):
    """`hardest_others` of Sets, with a note about those that are too large for a control `hard`."""
    hardest = hardest_others(history, sets, inverting)
    missing = too_large(sets, hardest)
    if missing.any() and not missing.all():
        size = sets.members[missing].sum(axis=1).min()
        most = max(len(hardest[number]) for number in np.flatnonzero(missing))
        text = (
            f"{missing.sum()} of {number_of(len(missing), 'set')} get no control 'hard': the smallest has "
            f"{number_of(int(size), 'example')}, but there are at most {most} others to choose from"
        )
        warn_of(history.source, text, StragNote)
    return hardest


def times(when):
    """The Moment or Logarithmic that `at` means: as for `moment`, or `log`, or `log:12`.

    Raises StragError for anything else.
    """
    if when == "log":
        return Logarithmic()
    with contextlib.suppress(ValueError, StragError):
        if not when.startswith("log:"):
            return moment(when)
        records = read_whole(when.removeprefix("log:"))
        if 2 <= records < 10**9:
            return Logarithmic(records)
    remedy = f"use {' '.join(MOMENTS)}, log, or log:N for N records, at least 2"
    raise bad_usage(f"cannot read `at` '{when}'", remedy)


def refuse_unused(given, *, at, controls, dose, rule, **_):
    """Refuse arguments of `sets` that have no effect.

    given : names of the arguments that are given. at : a Moment or Logarithmic.
    """
    # With sets at many records, doses still use the sets at the inversion.
    inverts = bool(dose) if isinstance(at, Logarithmic) else not at.is_chosen
    check.refuse_ignored(
        given,
        ("seed", not controls, "needs `controls`"),
        ("quorum", not dose, "needs `dose`"),
        (
            "rule min_misclassified observable layer",
            not inverts,
            f"has no effect, because `at` {at} does not look for an inversion",
        ),
        ("min_misclassified", rule == FIRST_INCREASE, "needs `rule` valley"),
    )


@checked(
    ignored=lambda given, at, **named: refuse_unused(given, at=times(at), **named),
    history=check.kind("History"),
    at=check.when,
    output=optional(check.destination),
    controls=several(choice(*DRAWN), f"a tuple of {', '.join(DRAWN)}"),
    dose=several(number(0, 1, above=True), "a tuple of numbers above 0 and up to 1, such as (0.5, 1)"),
    seed=whole(0),
    observable=optional(text("the name of a curve")),
    layer=optional(check.layer),
    rule=choice(VALLEY, FIRST_INCREASE),
    min_misclassified=check.fewest,
    quorum=optional(check.quorum),
)
def sets(
    history,
    at="inversion",
    output=None,
    controls=(),
    dose=(),
    seed=0,
    observable=None,
    layer=None,
    rule=VALLEY,
    min_misclassified=FEWEST,
    quorum=None,
):
    """Take many sets of examples, to train one network without each.

    Parameters
    ----------
    history : History.
    at : when the sets are taken: "inversion", an update, "error:0.09", "log" (many records, a tenth apart in
        ln t) or "log:12" (twelve records).
    output : where to write the file of `strag sets` as well: a path.
    controls : names of the controls to add for each set, such as ("random", "class"). seed : seed of the
        controls.
    dose : shares of the most frequent stragglers, such as (0.5, 1); each adds one set for every run.
    observable, layer, rule, min_misclassified, quorum : as for `find_stragglers`.

    Returns
    -------
    StoredSets, which `strag.train(data, without=...)` takes.

    Raises StragError for a moment that is not recorded, and where no layer was measured.
    """
    check.refuse_overwriting((history,), output=output)
    same = (observable, layer, rule, min_misclassified, quorum)
    taken, _, recipe = sets_of(history, times(at), controls, dose, seed, *same)
    with opened(output) as sink:
        if sink:
            write_sets(sink, taken, history, recipe)
    return StoredSets(taken, history.index, sets_meta(history, recipe), "sets")
