"""strag summary: many experiments beside each other."""

import re

import click

from strag.commands.options import FilePath, example, json_option, output_option, quiet_option

COLUMNS = (  # quantity, heading, digits
    ("train_error", "eps*", 4),
    ("test_error", "test error at t*", 4),
    ("gap", "eps* less that", 4),
    ("lr_update", "lr t*", 2),
    ("depth_at_4", "depth to 4 t*", 3),
    ("horizon", "T / t*", 1),
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
    from strag.commands.options import labels_of, refuse_overwriting, refuse_several_stdin
    from strag.console import Notes, stdout_is_terminal
    from strag.files.jsonfile import write_json
    from strag.files.output import Output
    from strag.files.stragglers import read_stragglers
    from strag.files.summary import summary_object
    from strag.stragglers.experiments import experiments_of
    from strag.stragglers.summary import summarise

    labels = labels_of(files, labels)
    refuse_several_stdin(*files)
    if markdown and as_json:
        raise click.UsageError("--json contradicts --markdown")
    refuse_overwriting(files, ("-o", output))
    with Output(output, binary=False) as sink:
        read = [experiments_of(read_stragglers(path)) for path in files]
        names = _names(labels, read) if labels else None
        experiments = [one for parts in read for one in parts]
        found = summarise(experiments, names)
        if markdown:
            with sink.writing():
                sink.file.write(markdown_table(found).encode())
            sink.commit()
        elif output == "-" and stdout_is_terminal() and not as_json:
            return show(found)
        else:
            write_json(summary_object(found, experiments), sink)
    for line in (_summary_line(found), *_notes(found)):
        Notes(quiet)(line)
    return None


def _names(labels, read):
    """The label of every Experiment; those of a sweep are told apart by what they left out."""
    from strag.stragglers.conditions import kind_of

    return [
        f"{label}, {kind_of(one.settings)}" if len(parts) > 1 else label
        for label, parts in zip(labels, read, strict=True)
        for one in parts
    ]


def _summary_line(found):
    """One line: how many conditions and runs, and the inversion of the reference."""
    from strag.words import number_of

    runs = sum(one.runs for one in found.conditions)
    line = f"{number_of(len(found.conditions), 'condition')}, {number_of(runs, 'run')}"
    reference = found.reference
    if reference.level("train_error").mean == reference.level("train_error").mean:
        name = f"reference {reference.label}" if len(found.conditions) > 1 else "all"
        line += f"; {name}: eps* {_level(reference.level('train_error'), '.4f')}"
    return line


def _notes(found):
    """What a reader must know of the numbers."""
    from strag.words import number_of

    if found.repeated:
        verbs = "comes twice and counts" if found.repeated == 1 else "come twice and count"
        yield f"{number_of(found.repeated, 'run')} {verbs} once"
    if found.lacks_test_examples:
        yield (
            "some files do not say how many test examples there are, so that intervals of test errors are "
            "without the error of the test set; make them again with 'strag find-stragglers'"
        )


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
    told = [one.others for one in found.conditions]
    return [text or "-" for text in told] if any(told) else []


def _differences(found):
    """Of every condition, eps* less that of the reference; empty if none is known."""
    told = [_level(one.difference("train_error"), "+.4f") for one in found.conditions]
    return told if set(told) != {"-"} else []


def _cells(condition, ends):
    """The cells of one row but the optional ones: text."""
    inverts = f"{condition.inverting} of {condition.runs}"
    if condition.low == condition.low:
        inverts += f" ({condition.low:.2f} to {condition.high:.2f})"
    levels = [_level(condition.level(name), f".{digits}f") for name, _, digits in COLUMNS]
    level = condition.level("train_error")
    noise = " / ".join("-" if v != v else f"{v:.4f}" for v in (level.seed_std, level.block_std))
    last = [_level(condition.level(name), form) for name, _, form in ends]
    return [_markdown(condition.label), str(condition.blocks), inverts, *levels, noise, *last]


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
    for name, law in found.laws.items():
        if law.limit_low != law.limit_low:
            yield f"{names[name]} and P: no law told, {law.reason}"
            continue
        exponent = f"b = {_interval(law.b, law.b_low, law.b_high, '.2f')}"
        if not law.identifiable:
            exponent += f", not identifiable: {law.reason}"
        limits = _interval(law.limit, law.limit_low, law.limit_high)
        one = _interval(law.limit_one, law.limit_one_low, law.limit_one_high)
        yield f"{names[name]} for P to infinity: {limits}, {exponent}; with b = 1: {one}"


def _interval(value, low, high, form=".4g"):
    return (
        f"{value:{form}}" if low != low or high != high else f"{value:{form}} ({low:{form}} to {high:{form}})"
    )


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


def _markdown(text):
    """A text in a cell of a Markdown table, where what would be Markdown or HTML is none."""
    return re.sub(r"([\\`*_<>\[\]|~&$])", r"\\\1", text)


def show(found):
    """Print a Summary as two tables, shorter than that in Markdown, with the same numbers of rows."""
    from strag.console import as_cell, print_table

    rows = [
        (
            str(number),
            one.label,
            str(one.blocks),
            f"{one.inverting} of {one.runs}",
            f"{as_cell(one.low, 2)} to {as_cell(one.high, 2)}",
            one.others or "-",
        )
        for number, one in enumerate(found.conditions, 1)
    ]
    numbers = [(name, "right") for name in ("blocks", "invert", "95 % interval")]
    print_table(found.title, [("", "right"), ("condition", "left"), *numbers, ("others", "left")], rows)
    names = ("", "eps*", "95 % interval", "test error", "gap", "lr t*", "to 4 t*", "T / t*")
    rows = [
        (
            str(number),
            as_cell(one.level("train_error").mean, 4),
            _interval_cell(one.level("train_error")),
            *(as_cell(one.level(name).mean, digits) for name, _, digits in COLUMNS[1:]),
        )
        for number, one in enumerate(found.conditions, 1)
    ]
    caption = [
        "at the inversion: training and test error, the depth up to 4 t*, means",
        "intervals from blocks, or from seeds where there is one block",
        *([f"the reference is: {found.reference.label}"] if len(found.conditions) > 1 else []),
        *_law_lines(found),
        *_notes(found),
    ]
    print_table(None, [(name, "right") for name in names], rows, "\n".join(caption), follows=True)


def _interval_cell(level):
    return "-" if level.low != level.low else f"{level.low:.4f} to {level.high:.4f}"
