"""strag compare: how far sets of stragglers overlap."""

import click

from strag.commands.options import FilePath, example, json_option, output_option, quiet_option


@click.command(
    "compare",
    epilog=example("""
strag compare tanh.json linear.json
strag find-stragglers h.safetensors --core | strag compare - s.json --label core --label majority
strag compare seed*.json -o overlap.json && strag plot overlap.json -o overlap.png
"""),
)
@click.argument("files", nargs=-1, required=True, type=FilePath(), metavar="FILE...")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="TEXT",
    help="What to call a set, by default its file's stem; once per FILE, in order.",
)
@output_option("the comparison")
@json_option
@quiet_option
def command(files, labels, output, as_json, quiet):
    """Compare sets of stragglers: overlap, and agreement beyond chance.

    Each FILE is what find-stragglers wrote, of the same data set or of what prune made of it; one of
    them may be '-' for stdin. Of every two sets: how many examples are in both, how many would be by
    chance if the sets were drawn from all examples of the data set, the Jaccard index, and kappa,
    the agreement beyond chance (1: the same examples, 0: as many as by chance).
    """
    from strag.api.compare import compare
    from strag.commands.deliver import deliver
    from strag.commands.inputs import called, refuse_overwriting, refuse_several_stdin
    from strag.files.output import Output
    from strag.kinds import read
    from strag.views import comparison as view

    names = called(files, labels)
    if len(files) < 2:
        raise click.UsageError("a comparison needs two FILE or more")
    refuse_several_stdin(*files)
    refuse_overwriting(files, ("-o", output))
    with Output(output, binary=False) as sink:
        lists = [read(path, "stragglers") for path in files]
        deliver(view, lambda out: compare(lists, names, out), sink, as_json, quiet)
