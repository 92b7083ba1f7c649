"""A summary as a figure, tables, Markdown and a sentence: a comparison of the conditions of experiments."""

import re

from strag.stragglers.conditions import REFERENCE
from strag.views.picture import Picture
from strag.views.summary_figure import recordings, summary_figure, time_of
from strag.views.table import Table, as_cell
from strag.words import number_of

COLUMNS = (  # quantity, heading, digits
    ("train_error", "eps*", 4),
    ("test_error", "test error at t*", 4),
    ("gap", "eps* minus test error", 4),
    ("lr_update", None, 2),  # see `time_of`
    ("depth_at_4", "depth to 4 t*", 3),
    ("horizon", "T / t*", 1),
)
ENDS = (  # shown if there are test records, once for every noise: quantity, heading, format
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
    runs = sum(condition.runs for condition in summary.conditions)
    runs = runs if summary.trained is None else summary.trained
    line = f"{number_of(len(summary.conditions), 'condition')}, {number_of(runs, 'run')}"
    reference = summary.reference
    if reference.level("train_error").mean == reference.level("train_error").mean:
        name = reference.label if reference.label == REFERENCE else f"reference {reference.label}"
        name = name if len(summary.conditions) > 1 else "all"
        line += f"; {name}: eps* {_level(reference.level('train_error'), '.4f')}"
    return line


def notes(summary):
    """Yield lines with facts about the runs and intervals that a reader must know."""
    if summary.repeated:
        verbs = "appears twice and is" if summary.repeated == 1 else "appear twice and are"
        yield f"{number_of(summary.repeated, 'run')} {verbs} counted once"
    yield from recordings(summary)
    if summary.lacks_test_examples:
        yield (
            "some files do not give the number of test examples, so intervals of test errors do not include "
            "the error of the test set; create them again with 'strag find-stragglers'"
        )


def _is_known(summary, name):
    """Whether any condition has a mean of this quantity."""
    means = [condition.level(name).mean for condition in summary.conditions]
    return any(mean == mean for mean in means)


def _ends(summary):
    """Return the columns of ENDS for every noise, without empty ones: list of (quantity, heading, format).

    The list is empty if only the number of training examples is known.
    """
    names = list(dict.fromkeys(name for condition in summary.conditions for name in condition.levels))
    columns = []
    for quantity, heading, form in ENDS:
        for name in names:
            base, _, noise = name.partition("@")
            if base == quantity and _is_known(summary, name):
                columns.append((name, heading + (f", noise {noise}" if noise else ""), form))
    return columns if any(name != "examples_trained" for name, *_ in columns) else []


def _others(summary):
    """Return, for every condition, the verdicts on runs that do not invert; empty if all runs invert."""
    verdicts = [condition.others for condition in summary.conditions]
    return [text or "-" for text in verdicts] if any(verdicts) else []


def _differences(summary):
    """Return, for every condition, its eps* minus that of the reference; empty if no difference is known."""
    differences = [_level(each.difference("train_error"), "+.4f") for each in summary.conditions]
    return differences if set(differences) != {"-"} else []


def _cells(condition, ends):
    """Return the cells of a condition, without those of `_others` and `_differences`. ends : see `_ends`."""
    inverts = f"{condition.inverting} of {condition.runs}"
    if condition.low == condition.low:
        inverts += f" ({condition.low:.2f} to {condition.high:.2f})"
    levels = [_level(condition.level(name), f".{digits}f") for name, _, digits in COLUMNS]
    level = condition.level("train_error")
    noise = " / ".join("-" if v != v else f"{v:.4f}" for v in (level.seed_std, level.block_std))
    last = [_level(condition.level(name), form) for name, _, form in ends]
    return [_escaped(condition.label), str(condition.blocks), inverts, *levels, noise, *last]


def _level(level, form):
    """Return a Level as text: its mean, and its interval if that is known."""
    if level.mean != level.mean:
        return "-"
    text = f"{level.mean:{form}}"
    if level.low != level.low or level.low == level.high:
        return text
    return f"{text} ({level.low:{form}} to {level.high:{form}})"


def _headings(summary, ends):
    """Return the headings of the cells of `_cells`."""
    shown = (
        *(heading or time_of(summary) for _, heading, _ in COLUMNS),
        "eps* seed / block s.d.",
        *(name for _, name, _ in ends),
    )
    return ["condition", "blocks", "inverts", *shown]


def _law_lines(summary):
    """Yield one line for every size law."""
    names = {
        "train_error": "eps*",
        "test_error": "test error at t*",
        "gap": "eps* minus test error",
        "lr_update": time_of(summary),
    }
    for name, law in summary.laws.items():
        if law.limit_low != law.limit_low:
            yield f"{names[name]} and P: no law, because {law.reason}"
            continue
        exponent = f"b = {_interval(law.b, law.b_low, law.b_high, '.2f')}"
        if not law.identifiable:
            exponent += f", not identifiable: {law.reason}"
        limits = _interval(law.limit, law.limit_low, law.limit_high)
        limit_one = _interval(law.limit_one, law.limit_one_low, law.limit_one_high)
        yield f"{names[name]} for P to infinity: {limits}, {exponent}; with b = 1: {limit_one}"


def _scale_lines(summary):
    """Yield lines that say why conditions have no lr t*: they were trained with Adam, or not by strag."""
    if any(condition.settings.get("optimizer") == "adam" for condition in summary.conditions):
        yield f"{time_of(summary)}: none for Adam, whose steps do not grow with the gradient"
    if any(condition.settings.get("recording") for condition in summary.conditions):
        yield f"{time_of(summary)}: none for networks that strag did not train, whose lr is unknown"


def _interval(value, low, high, form=".4g"):
    """Return a value as text, with its interval if that is known."""
    return (
        f"{value:{form}}" if low != low or high != high else f"{value:{form}} ({low:{form}} to {high:{form}})"
    )


def markdown(summary):
    """Return a Summary as a Markdown table, with the size laws below it."""
    ends = _ends(summary)
    rows = [_headings(summary, ends), *(_cells(condition, ends) for condition in summary.conditions)]
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
    laws = [f"\n{line}." for line in (*_law_lines(summary), *recordings(summary))]
    return "\n".join([*lines, *laws]) + "\n"


def _escaped(text):
    """Escape Markdown and HTML in the text of a table cell."""
    return re.sub(r"([\\`*_<>\[\]|~&$])", r"\\\1", text)


def tables(summary):
    """Return a Summary as a list of two Tables, which contain less than the Markdown table.

    The first has the verdicts on every condition, the second its inversion. Their rows have the same numbers.
    """
    rows = [
        (
            str(number),
            condition.label,
            str(condition.blocks),
            f"{condition.inverting} of {condition.runs}",
            f"{as_cell(condition.low, 2)} to {as_cell(condition.high, 2)}",
            condition.others or "-",
        )
        for number, condition in enumerate(summary.conditions, 1)
    ]
    numbers = [(name, "right") for name in ("blocks", "invert", "95 % interval")]
    columns = [("", "right"), ("condition", "left"), *numbers, ("other verdicts", "left")]
    conditions = Table(summary.title, columns, rows)
    names = ("", "eps*", "95 % interval", "test error", "gap", time_of(summary), "to 4 t*", "T / t*")
    rows = [
        (
            str(number),
            as_cell(condition.level("train_error").mean, 4),
            _interval_cell(condition.level("train_error")),
            *(as_cell(condition.level(name).mean, digits) for name, _, digits in COLUMNS[1:]),
        )
        for number, condition in enumerate(summary.conditions, 1)
    ]
    caption = [
        "means at the inversion: training and test error, their gap, depth up to 4 t*",
        "intervals over blocks, or over seeds if there is only one block",
        *([f"reference: {summary.reference.label}"] if len(summary.conditions) > 1 else []),
        *_scale_lines(summary),
        *_law_lines(summary),
        *notes(summary),
    ]
    return [conditions, Table(None, [(name, "right") for name in names], rows, "\n".join(caption))]


def _interval_cell(level):
    """Return the interval of a Level as the text of a cell."""
    return "-" if level.low != level.low else f"{level.low:.4f} to {level.high:.4f}"
