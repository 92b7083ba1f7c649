"""What `strag find-stragglers --per-run` does: from a history to a file of sets."""

from strag import kinds
from strag.commands.find_stragglers import exit_status
from strag.console import Notes, warn
from strag.files.output import Output
from strag.files.sets import write_sets
from strag.stragglers.doubts import doubts
from strag.stragglers.find import Moment, find_stragglers
from strag.stragglers.sets import (
    dosed_sets,
    read_controls,
    read_doses,
    read_times,
    sets_of_runs,
    sets_over_time,
    with_controls,
)
from strag.views.stragglers import verdict_line

RECIPE = ("observable", "layer", "rule", "at", "controls", "dose", "seed", "quorum")


def write_sets_of(history, output, quiet, options):
    """Write the sets that the options mean; the exit status."""
    times = read_times(options["at"])
    controls = read_controls(options["controls"]) if options["controls"] is not None else ()
    doses = read_doses(options["dose"]) if options["dose"] is not None else None
    moment = Moment() if times else Moment.parse(options["at"])
    with Output(output) as sink:
        read = kinds.read(history, "history")
        found = None
        if doses and times:
            read.require_layers("leave --dose out, or take the sets at one update")
        if doses or not times:
            found = find_stragglers(
                read,
                options["observable"],
                read.layer(options["layer"]),
                **{name: options[name] for name in ("rule", "fewest", "quorum")},
                at=moment,
            )
        sets = sets_over_time(read, times) if times else sets_of_runs(read, found)
        if doses:
            sets = sets + dosed_sets(read, found, doses)
        sets = with_controls(read, sets, controls, options["seed"])
        recipe = {name: options[name] for name in RECIPE}
        write_sets(sink, sets, read, {**recipe, "min_misclassified": options["fewest"]})
    size = f" of {sets.members.sum(axis=1).mean():.1f} examples on average" if len(sets.run) else ""
    verdict = f"; {verdict_line(found.verdict)}" if found and not moment.is_chosen else ""
    Notes(quiet)(f"{len(sets.run)} sets{size}{verdict}")
    for line in doubts(read, found) if found else ():
        warn(f"{read.source}: {line}")
    return exit_status(found.verdict, moment.is_chosen, options["any_verdict"]) if found else 0
