"""The stragglers of a Finding as tables and in sentences."""

from dataclasses import replace

from strag.errors import bad_usage
from strag.stragglers.inversion import SMALLEST_DEPTH
from strag.views.captions import one_line, scaled_update, table_title
from strag.views.table import Table, as_cell, name_in_lines
from strag.words import number_of, some_of

HARDEST = 10  # examples shown at a terminal
NAME = 60  # characters of the name of an example in a table; the JSON and the CSV have all
LAYER = 40  # characters of the name of a layer in a line of a table
OPTIONS = ("data", "number", "by_class")  # of a picture of stragglers

_MEANING = {
    "inversion": "inversion",
    "none": "no inversion: training has finished without one",
    "open": "no inversion so far, and training has not finished",
    "unresolved": "unresolved",
    "unstable": "unstable: the loss rises, which makes false valleys; use a smaller learning rate",
    "diverged": "no verdict because runs diverged; use a smaller learning rate",
}
_REMEDY = {  # by the failed condition
    "records": "record more often, or use a smaller learning rate",
    "noise": "record more often, or use larger batches",
    "misclassified": "`min_misclassified` sets this number",
}


def verdict_line(verdict):
    """Return the meaning of a verdict as a clause."""
    return _MEANING[verdict]


def _meaning(verdict, verdicts):
    """Return the meaning of a verdict over runs. verdicts : numbers of runs, see `counted`."""
    unfinished = verdicts.get("open", 0)
    if verdict != "open" or unfinished == sum(verdicts.values()):
        return verdict_line(verdict)
    verb = "has" if unfinished == 1 else "have"
    return f"no inversion so far, and {number_of(unfinished, 'run')} {verb} not finished training"


def counted(verdicts):
    """Return the number of runs that invert, and the other verdicts, as text: `3 of 10 runs, 7 open`.

    verdicts : dict of verdict to number of runs.
    """
    total = sum(verdicts.values())
    others = [f"{number} {verdict}" for verdict, number in verdicts.items() if verdict != "inversion"]
    return ", ".join([f"{verdicts.get('inversion', 0)} of {number_of(total, 'run')}", *others])


def never_reached(runs):
    """Return a clause with the number of runs that never reach a training error; empty if it is 0."""
    return f"; {number_of(runs, 'run')} never {'reaches' if runs == 1 else 'reach'} it" if runs else ""


def sentence(finding):
    """Return the result of `strag find-stragglers` in one line."""
    summary, at = finding.summary, finding.recipe["at"]
    number = f"{number_of(summary.indices, 'straggler')} of {summary.examples}"
    if at != "inversion":
        subject = "sets" if finding.is_of_sets else number
        taken = f"{summary.runs_with_a_set} of {number_of(summary.runs, 'run')}"
        missing = summary.runs - summary.runs_with_a_set if at.startswith("error:") else 0
        return f"{subject}, misclassified at {_moment(at)} ({taken}){never_reached(missing)}"
    line = f"{_meaning(finding.verdict, summary.verdicts)} ({counted(summary.verdicts)})"
    if summary.train_error_mean is not None:
        error = _with_std(summary.train_error_mean, summary.train_error_std, 4)
        line += f", eps* = {error} at t* = {_with_std(summary.update_mean, summary.update_std, 1)}"
    line += f"; {number}" if summary.runs_with_a_set and not finding.is_of_sets else ""
    line += _why(finding.verdict, summary)
    for names, words in (
        (finding.classes_without, "no inversion in"),
        (finding.classes_absent, "no training example of"),
    ):
        line += f"; {words} class {some_of(names)}" if names else ""
    return line


def _why(verdict, summary):
    """Return clauses with advice, the condition for an inversion that failed, and how nearly it was met.

    The text is empty if there is an inversion, and if the runs are unstable or diverged.
    """
    if verdict in ("inversion", "unstable", "diverged"):
        return ""
    excluded, until, shortfall = summary.excluded_below, summary.train_until, summary.shortfall
    clauses = f"; train for {number_of(until, 'update')} to learn more" if until is not None else ""
    if shortfall:
        clauses += f"; {shortfall.words}"
        remedy = _REMEDY.get(shortfall.condition)
        if shortfall.condition == "records" and shortfall.update is None:
            remedy = "record more often, or train for longer"
        if shortfall.condition == "misclassified" and (shortfall.depth or 0) < SMALLEST_DEPTH:
            remedy = None  # a smaller number would not help
        clauses += f" ({remedy})" if remedy else ""
    clauses += f"; an inversion is excluded only at t* below {excluded:g}" if excluded is not None else ""
    if verdict in ("none", "open"):
        clauses += "; use `at` error:X for the examples misclassified at training error X"
    return clauses


def _moment(at):
    """Return the value of `at` in words."""
    error = at.removeprefix("error:")
    return f"update {at}" if error == at else f"training error {float(error):.4g}"


def tables(finding):
    """Return a Finding as a list of Tables: its runs or layers, and the examples that straggle most often.

    The first table has the layers if the Finding has a profile, else the runs. Layers with long names take
    two tables. The last one is left out if there are no stragglers, and if the Finding is of sets.
    """
    chosen = finding.recipe["at"] != "inversion"
    parts = _layers(finding) if finding.layers is not None else [_runs(finding.runs, chosen)]
    caption, summary = sentence(finding), finding.summary
    if finding.model is not None:
        caption += (
            f"\n{summary.core} core, {summary.fringe} fringe; "
            f"{finding.model.share_of_examples:.0%} of the variance of membership is between examples"
        )
    elif summary.runs_with_a_set > 1:
        caption += f"\nno probabilities: {finding.model_unknown}"
    title = table_title(finding.meta.get("title"), finding.meta.get("classes"))
    shown = [Table(None, columns, rows) for columns, rows in parts]
    shown[0] = replace(shown[0], title=title)
    shown[-1] = replace(shown[-1], caption=caption)
    if finding.examples["index"] and not finding.is_of_sets:
        shown.append(_hardest(finding))
    return shown


def _hardest(finding):
    """Return the examples that straggle most often as a Table."""
    table, number = finding.examples, len(finding.examples["index"])
    names = {each.number: each.name for each in finding.original_classes}
    headings = ("index", "label", "runs", "probability", "95 % interval")
    columns = [(name, "right") for name in headings] + [("name", "left")] * ("name" in table)
    rows = [
        (
            str(table["index"][row]),
            str(names.get(table["class"][row], table["class"][row])),
            f"{table['count'][row]} of {table['runs'][row]}",
            as_cell(table["probability"][row], 3),
            _interval(table["low"][row], table["high"][row]),
            *([one_line(table["name"][row], NAME)] if "name" in table else []),
        )
        for row in range(min(HARDEST, number))
    ]
    shown = f"the {len(rows)} hardest of {number} examples that straggle in any run; `csv` writes all"
    return Table("hardest examples", columns, rows, shown if number > len(rows) else None)


def _interval(low, high):
    """Return an interval of a probability as the text of a cell: `-` if its ends are not known."""
    return "-" if low is None or low != low else f"{as_cell(low, 3)} to {as_cell(high, 3)}"


def _layers(finding):
    """Return the columns and rows of a table of the layers of a Finding and their mean inversions: [(., .)].

    If a name is longer than its heading, there are two tables, whose rows have the same numbers.
    """
    time = scaled_update([finding.training.get("momentum")])
    names = [str(layer.layer) for layer in finding.layers]
    invert = [f"{layer.inverting_runs} of {layer.runs}" for layer in finding.layers]
    verdicts = [
        ", ".join(f"{n} {verdict}" for verdict, n in layer.verdicts.items()) for layer in finding.layers
    ]
    means = [
        (
            as_cell(layer.update_mean, 1),
            as_cell(layer.lr_update_mean, 2),
            as_cell(layer.train_error_mean, 4),
            as_cell(layer.depth_mean, 3),
            as_cell(layer.depth_at_4_mean, 3),
            as_cell(layer.horizon_mean, 1),
        )
        for layer in finding.layers
    ]
    of_means = [(heading, "right") for heading in ("t*", time, "eps*", "depth", "to 4 t*", "T / t*")]
    ends = [("invert", "right"), ("verdicts", "left")]
    if max(map(len, names)) <= len("layer"):
        columns = [("layer", "right"), ends[0], *of_means, ends[1]]
        rows = zip(names, invert, means, verdicts, strict=True)
        return [(columns, [(name, number, *cells, text) for name, number, cells, text in rows])]
    numbers = list(map(str, range(1, len(names) + 1)))
    lines = [name_in_lines(name, LAYER) for name in names]
    first = list(zip(numbers, lines, invert, verdicts, strict=True))
    second = [(number, *cells) for number, cells in zip(numbers, means, strict=True)]
    return [([("", "right"), ("layer", "left"), *ends], first), ([("", "right"), *of_means], second)]


def _runs(runs, chosen):
    """Return the columns and rows of a table of runs.

    A row has the inversion of the run or, if `chosen`, the moment at which its set was taken.
    """
    columns = [("run", "right"), ("verdict", "left")]
    headings = ("t" if chosen else "t*", "training error" if chosen else "eps*", "depth", "to 4 t*", "T / t*")
    columns += [(heading, "right") for heading in (*headings, "stragglers")]
    rows = [
        (
            str(run.run),
            run.inversion.verdict,
            as_cell((run if chosen else run.inversion).update, 1),
            as_cell((run if chosen else run.inversion).train_error, 4),
            as_cell(run.inversion.depth, 3),
            as_cell(run.inversion.depth_at_4, 3),
            as_cell(run.inversion.horizon, 1),
            as_cell(run.stragglers, 0),
        )
        for run in runs
    ]
    return columns, rows


def _with_std(mean, std, digits):
    """Return a mean as text, with its standard deviation if that is known."""
    return f"{mean:.{digits}f}" + ("" if std is None else f" +- {std:.{digits}f}")


def picture(stragglers, data=None, number=None, by_class=False):
    """Return the Picture of stragglers: a gallery of images, or their original classes.

    data : the Dataset of the training, for the gallery. number : the most images of the gallery. by_class :
    whether to show original classes instead. Raises StragError if `data` is missing.
    """
    if by_class:
        from strag.views.original_classes import picture as classes

        return classes(stragglers)
    from strag.views.gallery import picture as images

    if data is None:
        raise bad_usage(
            "holds stragglers, but no images",
            "pass `data`, the data set of the training, or `by_class`",
            stragglers.source,
        )
    return images(data, stragglers, number)
