"""strag sets: many sets of examples, to train as many networks without."""

import click

from strag.commands.options import (
    FilePath,
    FiniteRange,
    Names,
    Shares,
    Times,
    example,
    fewest_option,
    layer_option,
    observable_option,
    output_option,
    quiet_option,
    refuse_ignored,
    rule_option,
)


def _controls():
    from strag.stragglers.sets import CONTROLS

    return CONTROLS[1:]


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
    help="Take the sets at the inversion, an update, error:X (training error), log (records a tenth apart "
    "in ln t), or log:N (N records, from the first to the last).",
)
@click.option(
    "--dose",
    "doses",
    type=Shares(),
    default=(),
    metavar="SHARES",
    help="Add shares of the most frequent stragglers of all runs, as 0.1,0.5,1.",
)
@click.option(
    "--controls",
    type=Names(_controls, "control"),
    default=(),
    metavar="KINDS",
    help="Add controls for each set, one or more of random,class,earlier.",
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
    help="Doses are of what is in strictly more than this share of the sets.  [default: 0.5]",
)
@click.option("--any-verdict", is_flag=True, help="Status 0 whatever the verdict.")
@output_option("the sets")
@quiet_option
def command(history, output, quiet, any_verdict, **options):
    """Write many sets of examples, to train one network without each.

    There is one set per run: the examples that it misclassified at its inversion, S(t*), or at another
    time, or at many times (--at log, log:N). --dose adds the most frequent stragglers of all runs in
    growing doses. --controls adds for each set as many examples at random (random), as many of each
    original class (class), or as many of those that the same network misclassified at half the time
    (earlier), which show whether it is the moment that matters.

    `strag train --without` trains one network per set, from the initial weights of the set's run.

    Exit status 3 says that the answer is not an inversion, as for find-stragglers.
    """
    from strag import kinds
    from strag.api.sets import sets_of
    from strag.commands.deliver import verdict_status, warn_doubts
    from strag.commands.inputs import refuse_data_set, refuse_overwriting
    from strag.console import Notes
    from strag.files.output import Output
    from strag.files.sets import write_sets
    from strag.files.streams import refuse_terminal_input
    from strag.views.sets import sentence

    _refuse_ignored(options)
    refuse_data_set(history, f"train on it with 'strag train {history}'")
    refuse_terminal_input(history)
    refuse_overwriting((history,), ("-o", output))
    with Output(output) as sink:
        read = kinds.read(history, "history")
        sets, found, recipe = sets_of(read, **options)
        write_sets(sink, sets, read, recipe)
    is_chosen = found is None or options["at"].is_chosen
    Notes(quiet)(sentence(sets, None if is_chosen else found.verdict))
    if found is None:
        return 0
    warn_doubts(read, found)
    return verdict_status(found.verdict, is_chosen, any_verdict)


def _refuse_ignored(options):
    """Refuse options that others leave without effect."""
    from strag.stragglers.sets import Logarithmic

    at, doses = options["at"], options["doses"]
    # Doses over time are of the sets at the inversion.
    inverts = bool(doses) if isinstance(at, Logarithmic) else not at.is_chosen
    refuse_ignored(
        ("seed", not options["controls"], "needs --controls"),
        ("quorum", not doses, "needs --dose"),
        ("rule", not inverts, f"seeks inversions, and with --at {at} the sets are taken there"),
        ("fewest observable layer", not inverts, f"is for inversions, which --at {at} does not seek"),
        ("fewest", options["rule"] == "first-increase", "is for --rule valley"),
    )
