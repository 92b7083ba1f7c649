"""strag stability: how far independent runs agree on the examples that they misclassify."""

import click

from strag.commands.options import (
    example,
    fewest_option,
    json_option,
    output_option,
    quiet_option,
    removed_option,
)
from strag.commands.paths import FilePath


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
    help="Pairs of runs to compare: disjoint compares run 2j with run 2j + 1, all compares every pair. Pairs "
    "that share a run are not independent.",
)
@removed_option(
    "--bootstrap", "remove it: the interval of kappa is Student's t over pairs of runs", takes_value=True
)
@removed_option(
    "--seed", "remove it: the interval of kappa is Student's t, which draws no numbers", takes_value=True
)
@fewest_option
@output_option("the agreement")
@json_option
@quiet_option
def command(history, pairs, fewest, output, as_json, quiet):
    """Measure how far independent runs misclassify the same examples.

    HISTORY is a history, such as a file written by 'strag train', by default stdin. It needs at least two
    runs. The output is a table at a terminal, else JSON, with these values for every recorded update:

    \b
    - kappa: the agreement beyond chance of the examples that two runs
      misclassify at equal training error (1: the same examples, 0: as many
      common ones as by chance)
    - jaccard: the Jaccard index of the same sets
    - z: the score of the paper, for sets at equal update

    z grows with the number of examples and falls with the spread of the sizes of the sets. To compare
    trainings, use kappa.

    The 95 % interval of kappa is Student's t over disjoint pairs, or a jackknife over runs with --pairs
    all. It needs at least 8 runs.
    """
    from strag import kinds
    from strag.api.stability import stability
    from strag.commands.deliver import deliver
    from strag.commands.inputs import refuse_data_set, refuse_overwriting
    from strag.console import warn
    from strag.files.output import Output
    from strag.files.streams import refuse_terminal_input
    from strag.views import stability as view
    from strag.words import number_of

    refuse_data_set(history, f"train on it with 'strag train {history}'")
    refuse_terminal_input(history)
    refuse_overwriting((history,), ("-o", output))
    with Output(output, binary=False) as sink:
        loaded = kinds.read(history, "history", tests=False)
        result = deliver(view, lambda out: stability(loaded, pairs, fewest, out), sink, as_json, quiet)
    if result.diverged:
        runs, verb = number_of(len(loaded.runs), "run"), "is" if result.diverged == 1 else "are"
        warn(f"{loaded.source}: {result.diverged} of {runs} diverged and {verb} left out")
