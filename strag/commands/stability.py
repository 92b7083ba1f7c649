"""strag stability: how far independent runs agree on the examples that they misclassify."""

import click

from strag.commands.options import (
    FilePath,
    example,
    fewest_option,
    json_option,
    output_option,
    quiet_option,
    removed_option,
)


@click.command(
    "stability",
    epilog=example("""
strag stability h.safetensors
strag stability h.safetensors -o agreement.json && strag plot agreement.json -o agreement.png
strag train mnist8k --runs 20 --epochs 80 --lr 0.2 | strag stability | jq '.records[].kappa'
"""),
)
@click.argument("history", default="-", type=FilePath(), metavar="[HISTORY]")
@click.option(
    "--pairs",
    type=click.Choice(["disjoint", "all"]),
    default="disjoint",
    show_default=True,
    help="Compare runs 2j and 2j + 1, or every two, of which those that share a run are not independent.",
)
@removed_option(
    "--bootstrap", "the interval of kappa is Student's t over pairs of runs; leave it out", takes_value=True
)
@removed_option(
    "--seed", "nothing is drawn, as the interval of kappa is Student's t; leave it out", takes_value=True
)
@fewest_option
@output_option("the agreement")
@json_option
@quiet_option
def command(history, pairs, fewest, output, as_json, quiet):
    """Measure how far independent runs misclassify the same examples.

    For every recorded update: kappa, the agreement beyond chance (1: the same examples, 0: as many
    as by chance), and the Jaccard index, both between the sets that the runs misclassify at equal
    training error; and z, the paper's score, between those at equal update. z grows with the number
    of examples and falls with the spread of the size of the sets, so that kappa is what to compare.

    The 95 % interval of kappa is Student's t over disjoint pairs, and from a jackknife over runs with
    --pairs all. It takes at least 8 runs.

    HISTORY, by default stdin, needs at least two runs.
    """
    from strag import kinds
    from strag.api.stability import stability
    from strag.commands.deliver import deliver
    from strag.commands.inputs import refuse_data_set, refuse_overwriting
    from strag.console import warn
    from strag.files.output import Output
    from strag.files.streams import refuse_terminal_input
    from strag.views import stability as view

    refuse_data_set(history, f"train on it with 'strag train {history}'")
    refuse_terminal_input(history)
    refuse_overwriting((history,), ("-o", output))
    with Output(output, binary=False) as sink:
        read = kinds.read(history, "history", tests=False)
        found = deliver(view, lambda out: stability(read, pairs, fewest, out), sink, as_json, quiet)
    if found.diverged:
        warn(f"{read.source}: {found.diverged} of {len(read.runs)} runs diverged and are left out")
