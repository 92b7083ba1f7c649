"""strag summary: many experiments in one table."""

import click

from strag.commands.options import example, json_option, output_option, quiet_option
from strag.commands.paths import FilePath


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
    help="Name of the condition of a FILE; once per FILE, in order.  [default: from its settings]",
)
@click.option("--markdown", is_flag=True, help="Write a Markdown table instead of JSON.")
@output_option("the summary")
@json_option
@quiet_option
def command(files, labels, markdown, output, as_json, quiet):
    """Summarise many experiments in one table.

    Each FILE is a file written by 'strag find-stragglers'; one of them may be '-' for stdin. The output is
    a table at a terminal, else JSON, or Markdown with --markdown. The order of the files matters only for
    --label.

    Files with the same settings are one condition, measured on several blocks of data. Their runs are
    pooled. A run that occurs twice (same data, seed, initial weights and number) counts once. Each value is
    modelled as mean + block + seed. Every condition has

    \b
    - the share of runs that invert, with a 95 % interval. Runs for which this
      is not known (open, unresolved, unstable, diverged) count neither as
      inverting nor as not inverting. With several blocks, the interval comes
      from the blocks.
    - the means of the training error eps* and the test error at the inversion,
      of the gap (eps* minus this test error), of lr t* (lr t* / (1 - m) with
      momentum m, none for Adam) and of the depth up to 4 t*, with 95 %
      intervals and the standard deviations between seeds and between blocks.
      The intervals come from the means of the blocks, or from the seeds if there
      is one block. Those of test errors include the error of the finite test
      set.
    - the differences from the reference on the same data, run by run if the
      runs start from the same weights. They are valid for this test set.

    The reference is the condition with the usual value of every setting, or, next to conditions that leave
    out examples, the one with all examples. If there is none, it is the condition with an inversion,
    preferably one with --at inversion, that has the most blocks, then the most runs, and that comes first
    in the table.

    If only the number of examples P varies, the law limit - a P^-b is fitted, with b free and with b = 1.
    The fit has intervals if there are enough blocks.

    JSON and Markdown also contain the verdicts of the runs, the test error at the end for every noise, and
    the results of find-stragglers --reference. For networks that left out sets, they contain the excess
    error per example over leaving out as many random examples.
    """
    from strag import kinds
    from strag.api.summarise import summarise
    from strag.commands.deliver import deliver
    from strag.commands.inputs import labels_of, refuse_overwriting, refuse_several_stdin
    from strag.files.output import Output
    from strag.views import summary as view

    labels = labels_of(files, labels) or None
    refuse_several_stdin(*files)
    if markdown and as_json:
        raise click.UsageError("--json contradicts --markdown; remove one of them")
    refuse_overwriting(files, ("-o", output))
    with Output(output, binary=False) as sink:
        stragglers = [kinds.read(path, "stragglers") for path in files]
        if markdown:
            return _write_markdown(summarise(stragglers, labels), sink, quiet)
        deliver(view, lambda out: summarise(stragglers, labels, out), sink, as_json, quiet)
    return None


def _write_markdown(summary, sink, quiet):
    """Write a Summary as a Markdown table, and print the same notes as for JSON."""
    from strag.console import Notes
    from strag.views import summary as view

    with sink.writing():
        sink.file.write(view.markdown(summary).encode())
    sink.commit()
    for line in (view.sentence(summary), *view.notes(summary)):
        Notes(quiet)(line)
