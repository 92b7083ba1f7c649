"""`strag.sets`: sets of examples to leave out of training, one set per network."""

from strag.api.arguments import refuse_overwriting, require, require_choice
from strag.api.find_stragglers import layer_of, moment, usual_observable
from strag.api.outputs import opened, renamed
from strag.files.sets import StoredSets, sets_meta, write_sets
from strag.stragglers.find import MOST, VALLEY, Moment, find_stragglers
from strag.stragglers.inversion import FEWEST
from strag.stragglers.sets import (
    CONTROLS,
    Logarithmic,
    dosed_sets,
    sets_of_runs,
    sets_over_time,
    with_controls,
)


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
    at = at or Moment()
    many = isinstance(at, Logarithmic)
    observable, quorum = observable or usual_observable(rule), MOST if quorum is None else quorum
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
    sets = with_controls(history, sets, controls, seed)
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


def sets(history, at="inversion", output=None, **options):
    """Take many sets of examples, to train one network without each.

    Parameters
    ----------
    history : History.
    at : when the sets are taken: "inversion", an update, "error:0.09", "log" (many records, a tenth apart in
        ln t) or "log:12" (twelve records).
    output : where to write the file of `strag sets` as well: a path.
    options : controls=("random",), dose=(0.5, 1), seed, observable, layer, rule, min_misclassified, quorum,
        as on the command line; see `sets_of`.

    Returns
    -------
    StoredSets, which `strag.train(data, without=...)` takes.

    Raises StragError for a moment that is not recorded, and where no layer was measured.
    """
    require(history, "history", "History")
    for control in options.get("controls", ()):
        require_choice(control, "controls", CONTROLS[1:])
    refuse_overwriting((history,), output=output)
    text = str(at)
    number = text.removeprefix("log:")
    many = text == "log" or (number != text and number.isdecimal() and int(number) > 1)
    when = Logarithmic(None if text == "log" else int(number)) if many else moment(at)
    options = renamed(options, {"dose": "doses", "min_misclassified": "fewest"})
    taken, _, recipe = sets_of(history, when, **options)
    with opened(output) as sink:
        if sink:
            write_sets(sink, taken, history, recipe)
    return StoredSets(taken, history.index, sets_meta(history, recipe), "sets")
