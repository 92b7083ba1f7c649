"""strag compare: how far sets of stragglers overlap."""

import click

from strag.commands.options import FilePath, example, json_option, output_option, quiet_option

WIDEST = 8  # sets that a matrix in 80 columns has room for
PAIR = ("in both", "by chance", "Jaccard", "kappa")


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
    from strag.commands.options import called, refuse_overwriting, refuse_several_stdin
    from strag.console import Notes, stdout_is_terminal
    from strag.files.comparison import comparison_object
    from strag.files.jsonfile import write_json
    from strag.files.output import Output
    from strag.kinds import read
    from strag.stragglers.comparison import compare

    names = called(files, labels)
    if len(files) < 2:
        raise click.UsageError("a comparison needs two FILE or more")
    refuse_several_stdin(*files)
    refuse_overwriting(files, ("-o", output))
    with Output(output, binary=False) as sink:
        lists = [read(path, "stragglers") for path in files]
        examples = _examples(lists)
        found = compare([one.indices for one in lists], examples, names, lists[0].meta.get("title"))
        if output == "-" and stdout_is_terminal() and not as_json:
            return show(found)
        write_json(comparison_object(found, lists), sink)
    Notes(quiet)(_summary_line(found))
    return None


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


def show(found):
    """Print a Comparison as a table: Jaccard above the diagonal, kappa below it; of many sets as pairs."""
    from strag.console import as_cell, print_table

    if len(found.names) > WIDEST:
        return _show_pairs(found)

    def cell(row, column):
        if row == column:
            return "·"
        return as_cell((found.jaccard if row < column else found.kappa)[row, column], 2)

    S = len(found.names)
    columns = [("", "right"), ("set", "left"), ("size", "right"), *((f"{n + 1}", "right") for n in range(S))]
    rows = [
        (f"{row + 1}", name, str(found.sizes[row]), *(cell(row, column) for column in range(S)))
        for row, name in enumerate(found.names)
    ]
    caption = "above the diagonal: Jaccard index; below it: kappa, the agreement beyond chance"
    if S == 2:
        caption += f"\n{_summary_line(found)}"
    return print_table(found.title, columns, rows, caption)


def _show_pairs(found):
    """Print a Comparison as a table with a row for every two sets."""
    import numpy as np

    from strag.console import as_cell, print_table

    columns = [("set", "left"), ("set", "left"), *((name, "right") for name in PAIR)]
    rows = [
        (
            found.names[a],
            found.names[b],
            str(found.common[a, b]),
            as_cell(found.expected[a, b], 1),
            as_cell(found.jaccard[a, b], 2),
            as_cell(found.kappa[a, b], 2),
        )
        for a, b in zip(*np.triu_indices(len(found.names), 1), strict=True)
    ]
    print_table(found.title, columns, rows, _summary_line(found))


def _summary_line(found):
    """One line: the numbers of two sets, or the range over the pairs of several."""
    import numpy as np

    from strag.console import as_cell

    above = np.triu_indices(len(found.names), 1)
    if len(found.names) == 2:
        common, expected = found.common[above][0], found.expected[above][0]
        return (
            f"{common:.0f} examples in both, {as_cell(expected, 1)} by chance; "
            f"Jaccard {as_cell(found.jaccard[above][0], 3)}, kappa {as_cell(found.kappa[above][0], 3)}"
        )
    return f"{len(found.names)} sets: " + ", ".join(
        f"{name} {_range(values[above])}"
        for name, values in (("Jaccard", found.jaccard), ("kappa", found.kappa))
    )


def _range(values):
    """Smallest and largest of the values that there are."""
    import numpy as np

    known = values[np.isfinite(values)]
    return f"{known.min():.3f} to {known.max():.3f}" if known.size else "-"
