"""strag summary: many experiments beside each other."""

import click

from strag.commands.options import FilePath, example, json_option, output_option, quiet_option


@click.command(
    "summary",
    epilog=example("""
strag summary width*.json
strag summary block1.json block2.json block3.json -o blocks.json
strag summary all.json pruned.json --label all --label 'without stragglers' --markdown
strag summary size*.json -o law.json && strag plot law.json -o law.png
"""),
)
@click.argument("files", nargs=-1, required=True, type=FilePath(), metavar="FILE...")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="TEXT",
    help="The condition of a FILE, by default told from its settings; once per FILE, in order.",
)
@click.option("--markdown", is_flag=True, help="A Markdown table instead of JSON.")
@output_option("the summary")
@json_option
@quiet_option
def command(files, labels, markdown, output, as_json, quiet):
    """Put many experiments beside each other.

    Each FILE is what find-stragglers wrote. Files with the same settings are one condition, measured
    on several blocks of data: a value is mean + block + seed. Their runs are pooled, and one that comes
    twice (same data, seed, initial weights and number) counts once. For every condition: how many runs
    invert, with an interval in which runs of which it is not known (open, unresolved, unstable,
    diverged) count for neither side, by blocks where there are several; and the mean of the training
    error eps* and the test error at the inversion, of lr t* (lr t* / (1 - m) with momentum m, none for
    Adam) and of the depth up to 4 t*, with a 95 % interval from the means of its blocks (of its seeds,
    where it has one block) and both standard deviations. Intervals of test errors hold the error of the
    test set, too. Where the number of examples P is all that varies, limit - a P^-b is fitted, with b
    free and with b = 1, and told with intervals where there are blocks enough.

    The gap is eps* less the test error at t*. Differences are those to the reference on the same data,
    run by run where runs start from the same weights, and on this test set: the reference is the
    condition that has the usual value of every setting, or all examples beside sets that were left out,
    else, of those with an inversion, that with the most blocks, then runs, then the first of the table.
    The order of the files does not matter, except to that of --label.

    JSON and Markdown also have the verdicts on the runs, the test error at the end for every noise,
    what find-stragglers --reference put beside it, and, of networks that left out sets, the excess
    over as many random examples, per example.
    """
    from strag import kinds
    from strag.api.summarise import summarise
    from strag.commands.deliver import deliver
    from strag.commands.inputs import labels_of, refuse_overwriting, refuse_several_stdin
    from strag.files.output import Output
    from strag.views import summary as view

    labels = labels_of(files, labels)
    refuse_several_stdin(*files)
    if markdown and as_json:
        raise click.UsageError("--json contradicts --markdown")
    refuse_overwriting(files, ("-o", output))
    with Output(output, binary=False) as sink:
        read = [kinds.read(path, "stragglers") for path in files]
        if markdown:
            return _write_markdown(summarise(read, labels), sink, quiet)
        deliver(view, lambda out: summarise(read, labels, out), sink, as_json, quiet)
    return None


def _write_markdown(found, sink, quiet):
    """Write a Summary as a Markdown table, and say what is said beside its JSON."""
    from strag.console import Notes
    from strag.views import summary as view

    with sink.writing():
        sink.file.write(view.markdown(found).encode())
    sink.commit()
    for line in (view.sentence(found), *view.notes(found)):
        Notes(quiet)(line)
