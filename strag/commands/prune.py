"""strag prune: a data set without examples, or with only them; also random controls."""

import click

from strag.commands.options import example, given_names, output_option, quiet_option
from strag.commands.paths import DataPath, FilePath


@click.command(
    "prune",
    epilog=example("""
strag prune mnist8k s.json -o easy.safetensors
strag prune mnist8k s.json --random 1 | strag train - --runs 6 --epochs 300 --lr 0.2 -o control.safetensors
strag find-stragglers h.safetensors | strag prune mnist8k - --keep -o hard.safetensors
"""),
)
@click.argument("data", type=DataPath(), metavar="DATA")
@click.argument("stragglers", default="-", type=FilePath(), metavar="[STRAGGLERS]")
@click.option("--keep", is_flag=True, help="Keep the stragglers instead of removing them.")
@click.option(
    "--random",
    type=click.IntRange(0),
    metavar="SEED",
    help="Use as many random examples, drawn with this seed, instead of the stragglers.",
)
@click.option(
    "--match",
    type=click.Choice(["class"]),
    help="With --random, draw as many examples of each original class as the stragglers have.",
)
@click.option("--allow-empty", is_flag=True, help="Copy the data set if STRAGGLERS has no examples.")
@output_option("the pruned dataset")
@quiet_option
def command(data, stragglers, keep, random, match, allow_empty, output, quiet):
    """Remove examples from a data set, or keep only them.

    DATA is a dataset file, '-' for stdin, or a name in the catalogue. STRAGGLERS is a file written by
    'strag find-stragglers' for this data set, by default stdin. The output is a dataset file without the
    stragglers, or with only them (--keep).

    The output keeps the origin and the standardisation of DATA, so that training on it is the same as
    training without the examples. --random draws from all examples of DATA, including the stragglers. A
    STRAGGLERS file without examples is an error, unless --allow-empty is set.
    """
    from strag.api.prune import prune, refuse_unused
    from strag.commands.inputs import read_data, refuse_data_set, refuse_overwriting
    from strag.console import Notes
    from strag.files.output import Output
    from strag.kinds import read
    from strag.words import number_of

    refuse_unused(given_names(), keep=keep, random=random)
    if data == stragglers == "-":
        raise click.UsageError("DATA and STRAGGLERS cannot both be stdin")
    refuse_data_set(stragglers, "the order is DATA STRAGGLERS")
    refuse_overwriting((data, stragglers), ("-o", output))
    with Output(output) as sink:
        chosen, loaded = read(stragglers, "stragglers"), read_data(data)
        pruned = prune(loaded, chosen, keep, random, match, allow_empty, sink)
    kept, number = len(pruned.y), len(loaded.y)
    action = f"kept {kept}" if keep else f"removed {number - kept}"
    how = "" if random is None else " at random"
    Notes(quiet)(f"{loaded.source}: {action} of {number_of(number, 'example')}{how}")
