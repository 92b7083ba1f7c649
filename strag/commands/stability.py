"""strag stability: how far independent runs agree on the examples that they misclassify."""

import click

from strag.commands.options import (
    FilePath,
    example,
    fewest_option,
    json_option,
    output_option,
    quiet_option,
    removed_option,
)

ROWS = 24  # of the table; the JSON has them all


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
    help="Compare runs 2j and 2j + 1, or every two, of which those that share a run are not independent.",
)
@removed_option(
    "--bootstrap", "the interval of kappa is Student's t over pairs of runs; leave it out", takes_value=True
)
@removed_option(
    "--seed", "nothing is drawn, as the interval of kappa is Student's t; leave it out", takes_value=True
)
@fewest_option
@output_option("the agreement")
@json_option
@quiet_option
def command(history, pairs, fewest, output, as_json, quiet):
    """Measure how far independent runs misclassify the same examples.

    For every recorded update: kappa, the agreement beyond chance (1: the same examples, 0: as many
    as by chance), and the Jaccard index, both between the sets that the runs misclassify at equal
    training error; and z, the paper's score, between those at equal update. z grows with the number
    of examples and falls with the spread of the size of the sets, so that kappa is what to compare.

    The 95 % interval of kappa is Student's t over disjoint pairs, and from a jackknife over runs with
    --pairs all. It takes at least 8 runs.

    HISTORY, by default stdin, needs at least two runs.
    """
    from strag import kinds
    from strag.commands.options import refuse_data_set, refuse_overwriting
    from strag.console import Notes, stdout_is_terminal, warn
    from strag.files.jsonfile import write_json
    from strag.files.output import Output
    from strag.files.stability import stability_object
    from strag.files.streams import refuse_terminal_input
    from strag.stragglers.stability import stability

    refuse_data_set(history, f"train on it with 'strag train {history}'")
    refuse_terminal_input(history)
    refuse_overwriting((history,), ("-o", output))
    with Output(output, binary=False) as sink:
        read = kinds.read(history, "history", tests=False)
        found = stability(read, pairs, fewest)
        as_table = output == "-" and stdout_is_terminal() and not as_json
        if as_table:
            show(found)
        else:
            write_json(stability_object(read, found, {"pairs": pairs, "min_misclassified": fewest}), sink)
    if found.diverged:
        warn(f"{read.source}: {found.diverged} of {len(read.runs)} runs diverged and are left out")
    if not as_table:
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
    headings = ["t", "error", "size", "kappa", "95 % low", "high", "Jaccard", "z", "runs"]
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
        as_cell(found.kappa_low[row], 3),
        as_cell(found.kappa_high[row], 3),
        as_cell(found.jaccard[row], 3),
        as_cell(found.z[row], 1),
        str(found.runs[row]),
    )


def _interval(found, row):
    low, high = found.kappa_low[row], found.kappa_high[row]
    return "" if low != low else f"{low:.3f} to {high:.3f}"


def summary_line(found):
    """One line: kappa at the inversion, and at its largest, and why they have no interval."""
    from strag.stragglers.stability import FEWEST_RUNS

    at, largest = found.at_inversion, found.at_largest
    parts = [
        "no inversion"
        if at is None
        else f"kappa = {_kappa(found, at)} at the inversion, eps* = {found.inversion[1]:.4f}"
    ]
    if largest is not None:
        parts.append(f"largest {_kappa(found, largest)} at eps = {found.train_error[largest]:.4f}")
    told = largest if at is None else at
    unknown = told is not None and bool(found.kappa[told] == found.kappa[told]) and not _interval(found, told)
    few = unknown and found.runs[told] < FEWEST_RUNS + 2  # of which one may have no partner
    reason = f"with fewer than {FEWEST_RUNS} runs" if few else "that holds in a file of before"
    why = f"; no interval {reason}" if unknown else ""
    return f"{'; '.join(parts)} ({found.taken} runs, {found.which} pairs{why})"


def _kappa(found, row):
    from strag.console import as_cell

    interval = _interval(found, row)
    return as_cell(found.kappa[row], 3) + (f" ({interval})" if interval else "")
