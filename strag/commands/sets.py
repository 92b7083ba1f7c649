"""strag sets: sets of examples to leave out of training, one set per network."""

import click

from strag.commands.options import (
    example,
    fewest_option,
    given_names,
    layer_option,
    observable_option,
    output_option,
    quiet_option,
    rule_option,
)
from strag.commands.paths import FilePath
from strag.commands.types import FiniteRange, Names, Shares, Times


def _controls():
    from strag.stragglers.controls import DRAWN

    return DRAWN


@click.command(
    "sets",
    epilog=example("""
strag sets h.safetensors -o sets.safetensors
strag sets h.safetensors --dose 0.1,0.5,1 --controls class -o doses.safetensors
strag sets h.safetensors --at log:12 --controls random | strag train mnist8k --without - -o sweep.safetensors
"""),
)
@click.argument("history", default="-", type=FilePath(), metavar="[HISTORY]")
@click.option(
    "--at",
    type=Times(records=True),
    default="inversion",
    show_default=True,
    metavar="WHEN",
    help="Time of the sets: inversion, an update, error:X for a training error, log for records a tenth "
    "apart in ln t, or log:N for N records from the first to the last.",
)
@click.option(
    "--dose",
    "doses",
    type=Shares(),
    default=(),
    metavar="SHARES",
    help="Add sets of these shares of the most frequent stragglers, such as 0.1,0.5,1.",
)
@click.option(
    "--controls",
    type=Names(_controls, "control"),
    default=(),
    metavar="KINDS",
    help="Add controls for each set: one or more of random,class,hard.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, metavar="N", show_default=True, help="Seed of the controls."
)
@observable_option
@layer_option()
@rule_option
@fewest_option
@click.option(
    "--quorum",
    type=FiniteRange(0, 1, max_open=True),
    metavar="SHARE",
    help="Take doses from the examples that straggle in more than this share of the runs.  [default: 0.5]",
)
@click.option("--any-verdict", is_flag=True, help="Exit with status 0 for every verdict.")
@output_option("the sets")
@quiet_option
def command(history, output, quiet, any_verdict, **options):
    """Write sets of examples to leave out of training, one set per network.

    HISTORY is a history, such as a file written by 'strag train', by default stdin. The output is a sets
    file. 'strag train --without FILE' trains one network per set, from the initial weights of the run that
    the set belongs to, unless strag did not train this run.

    There is one set per run: the examples that the run misclassifies at its inversion, at another time, or
    at each of many times (--at).

    --dose adds sets for every run: growing shares of the stragglers that are most frequent over all runs.

    --controls adds sets of equal size for comparison. A note says where there are too few for `hard`.

    \b
    - random: random examples
    - class: random examples, as many of each original class
    - hard: the hardest examples that are in no run's own set: those misclassified
      for the longest share of the time before it, in ln t

    The exit status is 3 if the verdict is not `inversion`, as for find-stragglers.
    """
    from strag import kinds
    from strag.api.sets import refuse_unused, sets_of
    from strag.commands.deliver import verdict_status, warn_doubts
    from strag.commands.inputs import refuse_data_set, refuse_overwriting
    from strag.console import Notes
    from strag.errors import with_options
    from strag.files.output import Output
    from strag.files.sets import write_sets
    from strag.files.streams import refuse_terminal_input
    from strag.views.sets import sentence

    refuse_unused(given_names(), dose=options["doses"], **options)
    refuse_data_set(history, f"train on it with 'strag train {history}'")
    refuse_terminal_input(history)
    refuse_overwriting((history,), ("-o", output))
    with Output(output) as sink:
        loaded = kinds.read(history, "history")
        sets, stragglers, recipe = sets_of(loaded, **options)
        write_sets(sink, sets, loaded, recipe)
    is_chosen = stragglers is None or options["at"].is_chosen
    by_error = str(options["at"]).startswith("error:")
    missing = stragglers.records.count(None) if by_error else 0
    verdict = None if is_chosen else stragglers.verdict
    Notes(quiet)(with_options(sentence(sets, verdict, missing)))
    if stragglers is None:
        return 0
    warn_doubts(loaded, stragglers)
    return verdict_status(stragglers.verdict, is_chosen, any_verdict)
