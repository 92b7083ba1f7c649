"""strag compare: how far sets of examples overlap."""

import click

from strag.commands.options import example, json_option, output_option, quiet_option
from strag.commands.paths import FilePath


@click.command(
    "compare",
    epilog=example("""
strag compare tanh.json linear.json
strag find-stragglers h.safetensors --core | strag compare - s.json --label core --label majority
strag compare seed*.json -o overlap.json && strag plot overlap.json -o overlap.png
strag compare s.json core.json flipped.safetensors
strag sets tanh.safetensors -o t.sets && strag sets relu.safetensors | strag compare t.sets -
"""),
)
@click.argument("files", nargs=-1, required=True, type=FilePath(), metavar="FILE...")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="TEXT",
    help="Name of a set; once per FILE, in order.  [default: the name of the file]",
)
@output_option("the comparison")
@json_option
@quiet_option
def command(files, labels, output, as_json, quiet):
    """Measure how far sets of stragglers overlap.

    Each FILE is a set of examples, and one of them may be '-' for stdin:

    \b
    - a file of 'strag find-stragglers': its `indices`, such as the majority set
      over runs, or the core
    - a sets file of 'strag sets' with the own set of each run: single runs, run
      by run. Values are then means over pairs of runs, also of two different
      runs of this file. They are smaller than those of majority sets.
    - a dataset file of 'strag data --flip-labels': its examples with a flipped
      label

    All must be of the same data set, or of versions of it made by 'strag prune'. The output is a table at a
    terminal, else JSON, with what each set holds and these values for every pair of sets:

    \b
    - the number of common examples
    - the number expected by chance, if both sets were drawn from all examples
    - the Jaccard index
    - kappa, the agreement beyond chance (1: the same examples, 0: as many
      common ones as by chance)
    - the share of the examples of each set that are in the other; for flipped
      labels, recall and precision of the stragglers

    A warning names every set that is empty, since nothing overlaps with it.
    """
    from strag.api.compare import compare
    from strag.commands.deliver import deliver
    from strag.commands.inputs import called, refuse_overwriting, refuse_several_stdin
    from strag.console import warn
    from strag.files.output import Output
    from strag.kinds import read
    from strag.stragglers.finding import Finding
    from strag.views import comparison as view

    names = called(files, labels)
    if len(files) < 2:
        raise click.UsageError("a comparison needs at least two FILEs")
    refuse_several_stdin(*files)
    refuse_overwriting(files, ("-o", output))
    with Output(output, binary=False) as sink:
        sets = [read(path, ("stragglers", "dataset", "sets")) for path in files]
        deliver(view, lambda out: compare(sets, names, out), sink, as_json, quiet)
    for stragglers in sets:
        if isinstance(stragglers, Finding) and not stragglers.indices.size:
            warn(f"{stragglers.source}: has no examples (its verdict is '{stragglers.verdict}')")
