"""strag stability: how far independent runs agree on the examples that they misclassify."""

import click

from strag.commands.options import example, json_option, output_option, quiet_option

ROWS = 24  # of the table; the JSON has them all


@click.command(
    "stability",
    epilog=example("""
strag stability h.safetensors
strag stability h.safetensors -o agreement.json && strag plot agreement.json -o agreement.png
strag train --runs 20 --epochs 80 --lr 0.2 | strag stability - | jq '.records[] | [.train_error, .kappa]'
"""),
)
@click.argument("history", default="-", metavar="[HISTORY]")
@click.option(
    "--pairs",
    type=click.Choice(["disjoint", "all"]),
    default="disjoint",
    show_default=True,
    help="Compare runs 2j and 2j + 1, or every two, of which those that share a run are not independent.",
)
@click.option(
    "--bootstrap",
    type=click.IntRange(0, 10_000),
    default=200,
    show_default=True,
    metavar="N",
    help="Resamples of the runs behind the interval of kappa; 0 gives none.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Of the resamples."
)
@output_option("the agreement")
@json_option
@quiet_option
def command(history, pairs, bootstrap, seed, output, as_json, quiet):
    """Measure how far independent runs misclassify the same examples.

    For every recorded update: kappa, the agreement beyond chance (1: the same examples, 0: as many
    as by chance), with a 95 % interval by bootstrap over runs, and the Jaccard index, both between
    the sets that the runs misclassify at equal training error; and z, the paper's score, between
    those at equal update. z grows with the number of examples and falls with the spread of the size
    of the sets, so that kappa is what to compare.

    HISTORY, by default stdin, needs at least two runs.
    """
    from strag.commands.options import refuse_overwriting
    from strag.console import Notes, stdout_is_terminal, warn
    from strag.files.history import read_history
    from strag.files.jsonfile import write_json
    from strag.files.stability import stability_object
    from strag.files.streams import Output, refuse_terminal_input
    from strag.stragglers.agreement import stability

    refuse_terminal_input(history)
    refuse_overwriting((history,), ("-o", output))
    with Output(output, binary=False) as sink:
        read = read_history(history, tests=False)
        found = stability(read, pairs, bootstrap, seed)
        if output == "-" and stdout_is_terminal() and not as_json:
            show(found)
        else:
            recipe = {"pairs": pairs, "bootstrap": bootstrap, "seed": seed}
            write_json(stability_object(read, found, recipe), sink)
    if found.diverged:
        warn(f"{read.source}: {found.diverged} of {len(read.runs)} runs diverged and are left out")
    if output != "-":
        Notes(quiet)(summary_line(found))


def show(found):
    """Print a Stability as a table."""
    import numpy as np

    from strag.console import print_table

    T, at = len(found.updates), found.at_inversion
    rows = range(T)
    if T > ROWS:
        spread = np.geomspace(1, T, ROWS).round().astype(int) - 1
        rows = sorted({*spread.tolist(), *([] if at is None else [at])})
    headings = ["t", "error", "size", "kappa", "95 % interval", "Jaccard", "z", "runs", "pairs"]
    caption = summary_line(found)
    if len(rows) < T:
        caption += f"\n{len(rows)} of {T} records; --json gives all"
    cells = [_row(found, row, "*" if row == at else "") for row in rows]
    print_table(found.title, [(heading, "right") for heading in headings], cells, caption)


def _row(found, row, mark):
    from strag.console import as_cell

    return (
        f"{mark}{found.updates[row]}",
        as_cell(found.train_error[row], 4),
        as_cell(found.size_mean[row], 0),
        as_cell(found.kappa[row], 3),
        _interval(found, row) or "-",
        as_cell(found.jaccard[row], 3),
        as_cell(found.z[row], 1),
        str(found.runs[row]),
        str(found.pairs[row]),
    )


def _interval(found, row):
    low, high = found.kappa_low[row], found.kappa_high[row]
    return "" if low != low else f"{low:.3f} to {high:.3f}"


def summary_line(found):
    """One line: kappa at the inversion, and at its largest."""
    at, largest = found.at_inversion, found.at_largest
    parts = [
        "no inversion"
        if at is None
        else f"kappa = {_kappa(found, at)} at the inversion, eps* = {found.inversion[1]:.4f}"
    ]
    if largest is not None:
        parts.append(f"largest {_kappa(found, largest)} at eps = {found.train_error[largest]:.4f}")
    return f"{'; '.join(parts)} ({found.taken} runs, {found.which} pairs)"


def _kappa(found, row):
    from strag.console import as_cell

    interval = _interval(found, row)
    return as_cell(found.kappa[row], 3) + (f" ({interval})" if interval else "")
