"""What `strag find-stragglers --per-run` does: from a history to a file of sets."""

from strag.commands.find_stragglers import exit_status
from strag.console import Notes
from strag.errors import bad_usage
from strag.files.history import read_history
from strag.files.sets import write_sets
from strag.files.streams import Output
from strag.stragglers.find import Moment, find_stragglers
from strag.stragglers.sweeps import (
    dosed_sets,
    read_controls,
    read_doses,
    sets_of_runs,
    sets_over_time,
    with_controls,
)

RECIPE = ("observable", "layer", "rule", "at", "controls", "dose", "seed")


def write_sets_of(history, output, quiet, options):
    """Write the sets that the options mean; the exit status."""
    over_time = options["at"] == "log"
    controls = read_controls(options["controls"]) if options["controls"] else ()
    doses = read_doses(options["dose"]) if options["dose"] else None
    if over_time and doses:
        raise bad_usage("--dose and --at log contradict each other", "leave one of them out")
    moment = Moment() if over_time else Moment.parse(options["at"])
    with Output(output) as sink:
        read = read_history(history)
        if over_time:
            verdict, sets = None, sets_over_time(read)
        else:
            found = find_stragglers(
                read, options["observable"], read.layer(options["layer"]), options["rule"], moment
            )
            verdict = found.verdict
            sets = dosed_sets(read, found, doses) if doses else sets_of_runs(read, found)
        sets = with_controls(read, sets, controls, options["seed"])
        write_sets(sink, sets, read, {name: options[name] for name in RECIPE})
    Notes(quiet)(f"{len(sets.run)} sets of {sets.members.sum(axis=1).mean():.1f} examples on average")
    return 0 if over_time else exit_status(verdict, moment.is_chosen, options["allow_none"])
