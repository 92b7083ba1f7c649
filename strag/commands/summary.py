"""strag summary: many experiments beside each other."""

import click

from strag.commands.options import example, json_option, output_option, quiet_option

COLUMNS = (  # quantity, heading, digits
    ("train_error", "eps*", 4),
    ("test_error", "test error at t*", 4),
    ("gap", "eps* less that", 4),
    ("lr_update", "lr t*", 2),
    ("depth", "valley depth", 3),
)
ENDS = (  # shown where there are test records, those of AT_NOISE for every noise: quantity, heading, format
    ("examples_trained", "trained on", ".0f"),
    ("last_test_error", "last test error", ".4f"),
    ("reference_test_error", "all examples", ".4f"),
    ("stopped_test_error", "all examples, stopped at t*", ".4f"),
    ("right_test_error", "where that was right", ".4f"),
    ("wrong_test_error", "where that was wrong", ".4f"),
    ("excess_error", "excess per example left out", ".2g"),
)


@click.command(
    "summary",
    epilog=example("""
strag summary width*.json
strag summary block1.json block2.json block3.json -o blocks.json
strag summary all.json pruned.json --label all --label 'without stragglers' --markdown
strag summary size*.json -o sizes.json && strag plot sizes.json -o sizes.png
"""),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
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
    on several blocks of data: a value is mean + block + seed. For every condition: how many runs
    invert, with an exact interval (Clopper-Pearson), and the mean of the training error eps* and the
    test error at the inversion, of lr t* and of the depth, with a 95 % interval from the means of
    its blocks (of its seeds, where it has one block) and both standard deviations. Where the number
    of examples P is all that varies, limit - a P^-b is fitted, with b free and with b = 1.

    The gap is eps* less the test error at t*. Differences are those to the reference, run by run on
    the same data: the condition that has the usual value of every setting, else that with the most
    blocks, then runs, then the first.

    JSON and Markdown also have the verdicts on the runs, the test error at the end for every noise,
    what find-stragglers --reference put beside it, and, of networks that left out sets, the excess
    over as many random examples, per example.
    """
    from strag.commands.options import refuse_overwriting
    from strag.console import Notes, stdout_is_terminal
    from strag.files.jsonfile import write_json
    from strag.files.streams import Output
    from strag.files.summary import read_experiments, summary_object
    from strag.stragglers.summary import summarise

    if labels and len(labels) != len(files):
        raise click.UsageError(f"{len(labels)} --label for {len(files)} FILE; give one for each, in order")
    if files.count("-") > 1:
        raise click.UsageError("only one input can be stdin")
    if markdown and as_json:
        raise click.UsageError("--json contradicts --markdown")
    refuse_overwriting(files, ("-o", output))
    with Output(output, binary=False) as sink:
        read = [read_experiments(path) for path in files]
        names = [label for label, parts in zip(labels, read, strict=True) for _ in parts] if labels else None
        experiments = [one for parts in read for one in parts]
        found = summarise(experiments, names)
        if markdown:
            with sink.writing():
                sink.file.write(markdown_table(found).encode())
            sink.commit()
        elif output == "-" and stdout_is_terminal() and not as_json:
            show(found)
        else:
            write_json(summary_object(found, experiments), sink)
    if output != "-":
        Notes(quiet)(f"{len(found.conditions)} conditions, {sum(one.runs for one in found.conditions)} runs")


def _is_known(found, name):
    return any(one.level(name).mean == one.level(name).mean for one in found.conditions)


def _ends(found):
    """The columns of what is known at the end: those of ENDS, for every noise, without any that is empty."""
    names = list(dict.fromkeys(name for one in found.conditions for name in one.levels))
    columns = []
    for wanted, heading, form in ENDS:
        for name in names:
            base, _, noise = name.partition("@")
            if base == wanted and _is_known(found, name):
                columns.append((name, heading + (f", noise {noise}" if noise else ""), form))
    return columns if any(name != "examples_trained" for name, *_ in columns) else []


def _others(found):
    """Of every condition, the verdicts on the runs that do not invert: text; empty if all runs invert."""
    from strag.stragglers.inversion import INVERSION

    told = [
        ", ".join(f"{number} {verdict}" for verdict, number in one.verdicts.items() if verdict != INVERSION)
        for one in found.conditions
    ]
    return [text or "-" for text in told] if any(told) else []


def _differences(found):
    """Of every condition, eps* less that of the reference; empty if none is known."""
    told = [_level(one.difference("train_error"), "+.4f") for one in found.conditions]
    return told if set(told) != {"-"} else []


def _cells(condition, ends):
    """The cells of one row but the optional ones: text."""
    inverts = f"{condition.inverting} of {condition.runs} ({condition.low:.2f} to {condition.high:.2f})"
    levels = [_level(condition.level(name), f".{digits}f") for name, _, digits in COLUMNS]
    level = condition.level("train_error")
    noise = " / ".join("-" if v != v else f"{v:.4f}" for v in (level.seed_std, level.block_std))
    last = [_level(condition.level(name), form) for name, _, form in ends]
    return [condition.label, str(condition.blocks), inverts, *levels, noise, *last]


def _level(level, form):
    if level.mean != level.mean:
        return "-"
    text = f"{level.mean:{form}}"
    if level.low != level.low or level.low == level.high:
        return text
    return f"{text} ({level.low:{form}} to {level.high:{form}})"


def _headings(ends):
    shown = (
        *(heading for _, heading, _ in COLUMNS),
        "eps* seed / block s.d.",
        *(name for _, name, _ in ends),
    )
    return ["condition", "blocks", "inverts", *shown]


def _law_lines(found):
    names = {
        "train_error": "eps*",
        "test_error": "test error at t*",
        "gap": "their gap",
        "lr_update": "lr t*",
    }
    lines = []
    for name, law in found.laws.items():
        exponent = f"b = {law.b:.2f} ({law.b_low:.2f} to {law.b_high:.2f})"
        if not law.identifiable:
            exponent += ", not identifiable"
        limits = _interval(law.limit, law.limit_low, law.limit_high)
        one = _interval(law.limit_one, law.limit_one_low, law.limit_one_high)
        lines.append(f"{names[name]} for P to infinity: {limits}, {exponent}; with b = 1: {one}")
    return lines


def _interval(value, low, high):
    return f"{value:.4g} ({low:.4g} to {high:.4g})"


def markdown_table(found):
    """A Summary as a Markdown table, with the size laws below it."""
    ends = _ends(found)
    rows = [_headings(ends), *(_cells(one, ends) for one in found.conditions)]
    for place, heading, column in (
        (4, "eps* less the reference's", _differences(found)),
        (3, "the others", _others(found)),
    ):
        if column:
            rows = [
                [*row[:place], cell, *row[place:]] for row, cell in zip(rows, [heading, *column], strict=True)
            ]
    rows.insert(1, ["---"] * len(rows[0]))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    laws = [f"\n{line}." for line in _law_lines(found)]
    return "\n".join([*lines, *laws]) + "\n"


def show(found):
    """Print a Summary as a table, shorter than that in Markdown."""
    from strag.console import as_cell, print_table

    headings = ["blocks", "invert", "eps* (95 %)", *(heading for _, heading, _ in COLUMNS[1:])]
    rows = [
        (
            one.label,
            str(one.blocks),
            f"{one.inverting} of {one.runs}",
            _level(one.level("train_error"), ".4f"),
            *(as_cell(one.level(name).mean, digits) for name, _, digits in COLUMNS[1:]),
        )
        for one in found.conditions
    ]
    columns = [("condition", "left"), *((heading, "right") for heading in headings)]
    caption = "\n".join(["intervals from blocks, or from seeds where there is one block", *_law_lines(found)])
    print_table(found.title, columns, rows, caption)
