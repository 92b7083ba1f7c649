"""A summary as a figure, tables and a sentence: experiments compared with each other."""

import re

from strag.views.picture import Picture
from strag.views.summary_figure import summary_figure
from strag.views.table import Table, as_cell
from strag.words import number_of

COLUMNS = (  # quantity, heading, digits
    ("train_error", "eps*", 4),
    ("test_error", "test error at t*", 4),
    ("gap", "eps* minus test error", 4),
    ("lr_update", "lr t*", 2),
    ("depth_at_4", "depth to 4 t*", 3),
    ("horizon", "T / t*", 1),
)
ENDS = (  # shown if there are test records, those of AT_NOISE for every noise: quantity, heading, format
    ("examples_trained", "trained on", ".0f"),
    ("last_test_error", "last test error", ".4f"),
    ("reference_test_error", "all examples", ".4f"),
    ("stopped_test_error", "all examples, stopped at t*", ".4f"),
    ("right_test_error", "where stopped at t* is right", ".4f"),
    ("wrong_test_error", "where stopped at t* is wrong", ".4f"),
    ("excess_error", "excess per example left out", ".2g"),
)


def picture(summary):
    """Return the Picture of a Summary."""
    return Picture(lambda: summary_figure(summary), lambda: tables(summary))


def sentence(summary):
    """Return one line: the number of conditions and runs, and the inversion of the reference."""
    runs = sum(one.runs for one in summary.conditions)
    line = f"{number_of(len(summary.conditions), 'condition')}, {number_of(runs, 'run')}"
    reference = summary.reference
    if reference.level("train_error").mean == reference.level("train_error").mean:
        name = f"reference {reference.label}" if len(summary.conditions) > 1 else "all"
        line += f"; {name}: eps* {_level(reference.level('train_error'), '.4f')}"
    return line


def notes(summary):
    """Yield what a reader must know about the numbers."""
    if summary.repeated:
        verbs = "appears twice and is" if summary.repeated == 1 else "appear twice and are"
        yield f"{number_of(summary.repeated, 'run')} {verbs} counted once"
    if summary.lacks_test_examples:
        yield (
            "some files do not give the number of test examples, so intervals of test errors do not include "
            "the error of the test set; create them again with 'strag find-stragglers'"
        )


def _is_known(summary, name):
    return any(one.level(name).mean == one.level(name).mean for one in summary.conditions)


def _ends(summary):
    """Return the columns of ENDS for every noise, without empty ones."""
    names = list(dict.fromkeys(name for one in summary.conditions for name in one.levels))
    columns = []
    for wanted, heading, form in ENDS:
        for name in names:
            base, _, noise = name.partition("@")
            if base == wanted and _is_known(summary, name):
                columns.append((name, heading + (f", noise {noise}" if noise else ""), form))
    return columns if any(name != "examples_trained" for name, *_ in columns) else []


def _others(summary):
    """Return the verdicts on the runs of every condition that do not invert; empty if all runs invert."""
    verdicts = [condition.others for condition in summary.conditions]
    return [text or "-" for text in verdicts] if any(verdicts) else []


def _differences(summary):
    """Return eps* of every condition minus that of the reference; empty if none is known."""
    differences = [_level(one.difference("train_error"), "+.4f") for one in summary.conditions]
    return differences if set(differences) != {"-"} else []


def _cells(condition, ends):
    """Return the cells of one row, without the optional ones."""
    inverts = f"{condition.inverting} of {condition.runs}"
    if condition.low == condition.low:
        inverts += f" ({condition.low:.2f} to {condition.high:.2f})"
    levels = [_level(condition.level(name), f".{digits}f") for name, _, digits in COLUMNS]
    level = condition.level("train_error")
    noise = " / ".join("-" if v != v else f"{v:.4f}" for v in (level.seed_std, level.block_std))
    last = [_level(condition.level(name), form) for name, _, form in ends]
    return [_escaped(condition.label), str(condition.blocks), inverts, *levels, noise, *last]


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


def _law_lines(summary):
    names = {
        "train_error": "eps*",
        "test_error": "test error at t*",
        "gap": "eps* minus test error",
        "lr_update": "lr t*",
    }
    for name, law in summary.laws.items():
        if law.limit_low != law.limit_low:
            yield f"{names[name]} and P: no law, because {law.reason}"
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


def markdown(summary):
    """Return a Summary as a Markdown table, with the size laws below it."""
    ends = _ends(summary)
    rows = [_headings(ends), *(_cells(one, ends) for one in summary.conditions)]
    for place, heading, column in (
        (4, "eps* minus the reference's", _differences(summary)),
        (3, "other verdicts", _others(summary)),
    ):
        if column:
            rows = [
                [*row[:place], cell, *row[place:]] for row, cell in zip(rows, [heading, *column], strict=True)
            ]
    rows.insert(1, ["---"] * len(rows[0]))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    laws = [f"\n{line}." for line in _law_lines(summary)]
    return "\n".join([*lines, *laws]) + "\n"


def _escaped(text):
    """Escape Markdown and HTML in the text of a table cell."""
    return re.sub(r"([\\`*_<>\[\]|~&$])", r"\\\1", text)


def tables(summary):
    """Return a Summary as two tables, shorter than the Markdown table, with the same row numbers."""
    rows = [
        (
            str(number),
            one.label,
            str(one.blocks),
            f"{one.inverting} of {one.runs}",
            f"{as_cell(one.low, 2)} to {as_cell(one.high, 2)}",
            one.others or "-",
        )
        for number, one in enumerate(summary.conditions, 1)
    ]
    numbers = [(name, "right") for name in ("blocks", "invert", "95 % interval")]
    columns = [("", "right"), ("condition", "left"), *numbers, ("other verdicts", "left")]
    conditions = Table(summary.title, columns, rows)
    names = ("", "eps*", "95 % interval", "test error", "gap", "lr t*", "to 4 t*", "T / t*")
    rows = [
        (
            str(number),
            as_cell(one.level("train_error").mean, 4),
            _interval_cell(one.level("train_error")),
            *(as_cell(one.level(name).mean, digits) for name, _, digits in COLUMNS[1:]),
        )
        for number, one in enumerate(summary.conditions, 1)
    ]
    caption = [
        "means at the inversion: training and test error, their gap, depth up to 4 t*",
        "intervals over blocks, or over seeds if there is one block",
        *([f"reference: {summary.reference.label}"] if len(summary.conditions) > 1 else []),
        *_law_lines(summary),
        *notes(summary),
    ]
    return [conditions, Table(None, [(name, "right") for name in names], rows, "\n".join(caption))]


def _interval_cell(level):
    return "-" if level.low != level.low else f"{level.low:.4f} to {level.high:.4f}"
