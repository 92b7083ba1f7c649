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
    from strag.commands.deliver import deliver
    from strag.commands.inputs import called, refuse_overwriting, refuse_several_stdin
    from strag.files.comparison import comparison_object
    from strag.files.output import Output
    from strag.files.stragglers import read_stragglers
    from strag.stragglers.comparison import compare
    from strag.views import comparison as view

    names = called(files, labels)
    if len(files) < 2:
        raise click.UsageError("a comparison needs two FILE or more")
    refuse_several_stdin(*files)
    refuse_overwriting(files, ("-o", output))
    with Output(output, binary=False) as sink:
        lists = [read_stragglers(path) for path in files]
        found = compare([one.indices for one in lists], _examples(lists), names, lists[0].meta.get("title"))
        deliver(view, found, lambda: comparison_object(found, lists), sink, as_json, quiet)


def _examples(lists):
    """The number of examples of the origin that all the StragglerLists share."""
    from strag.errors import StragError

    first = lists[0]
    for one in lists:
        size = one.meta.get("origin_size")
        if type(size) is not int or not 0 < size < 2**53:
            raise StragError(
                "does not say how many examples its data set has",
                "make it again with 'strag find-stragglers'",
                one.source,
            )
        if (one.origin, size) != (first.origin, first.meta["origin_size"]):
            raise StragError(
                f"its indices count in another data set than those of {first.source}",
                "compare stragglers of one data set",
                one.source,
            )
    return first.meta["origin_size"]
