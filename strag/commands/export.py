"""strag export: a table with one row per example, for other programs."""

import click

from strag.commands.options import example, output_option, quiet_option
from strag.commands.paths import FilePath


@click.command(
    "export",
    epilog=example("""
strag export h.safetensors -o examples.csv
strag find-stragglers h.safetensors --at error:0.09 -o s.json
strag export h.safetensors --stragglers s.json --format jsonl | jq 'select(.keep) | .index'
strag export h.safetensors --datamaps -o td_metrics.jsonl
"""),
)
@click.argument("file", default="-", type=FilePath(), metavar="[FILE]")
@click.option(
    "--stragglers",
    type=FilePath(),
    metavar="FILE",
    help="Stragglers file of the same training.  [default: those that find-stragglers finds]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "npz"]),
    help="Format of the table.  [default: by the suffix of the file; csv to stdout]",
)
@click.option("--datamaps", is_flag=True, help="Write a data map instead, as td_metrics.jsonl.")
@output_option("the table")
@quiet_option
def command(file, stragglers, form, datamaps, output, quiet):
    """Write a table with one row per example for other programs.

    FILE is a history or a stragglers file, by default stdin. The output is CSV, JSON lines or npz, by its
    suffix or --format, with these columns:

    \b
    - index: row of the data set in which the training began, or position
      among the sorted ids; name: its name, or its id
    - class, label, group: its original class, and the group that the networks
      learn
    - count, runs, frequency: in how many sets it is, of how many runs that
      trained on it, and the share
    - status: core, fringe or rare
    - keep: whether it is not a straggler, so that the rows with True are the
      cleaned data
    - correctness: share of the records at which it is classified correctly
    - forgetting_events: how often it is misclassified right after a record at
      which it was classified correctly
    - first_learned: update of the first record at which it is classified
      correctly; never_learned: share of the runs without such a record
    - margin, margin_deviation: mean and standard deviation, over the records,
      of its logit minus the largest other logit, if they were recorded
    - hard_end: which end of these columns is hard

    The scores are means over the runs that train on the example, and first_learned is the median. An example
    that is never learned has empty values, and is the hardest. Values that are not known are empty.

    The stragglers of a history are those that 'strag find-stragglers' finds by default. For others, pass
    their file as --stragglers. A stragglers file alone has no scores, and no labels of the examples that are
    in no set.

    --datamaps writes the columns of td_metrics.jsonl of data maps (guid, index, threshold_closeness,
    confidence, variability, correctness and forgetfulness). A history has no probabilities, so that three of
    them are null.
    """
    from strag import kinds
    from strag.api.export import export, format_of, refuse_unused
    from strag.commands.inputs import refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.commands.options import given_names
    from strag.console import Notes
    from strag.files.output import Output
    from strag.files.streams import name_of, refuse_terminal_input
    from strag.views.exported import sentence

    refuse_unused(given_names(), datamaps=datamaps)
    refuse_data_set(file, f"train on it with 'strag train {file}'")
    refuse_terminal_input(file)
    refuse_several_stdin(file, stragglers)
    refuse_overwriting((file, stragglers), ("-o", output))
    form = format_of(output, form, datamaps)
    with Output(output, binary=form == "npz") as sink:
        thing = kinds.read(file, ("history", "stragglers"))
        finding = None if stragglers is None else kinds.read(stragglers, "stragglers")
        table = export(thing, sink, finding, form, datamaps)
    Notes(quiet)(f"{name_of(file)}: {sentence(table)}")
