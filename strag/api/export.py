"""`strag.export`: a table with one row per example, for other programs."""

import os

from strag.api import arguments as check
from strag.api.find_stragglers import find
from strag.api.outputs import opened
from strag.errors import StragError, bad_usage, warn_of
from strag.files.output import Output, commit
from strag.files.tables import FORMATS, write_table
from strag.stragglers.inversion import INVERSION
from strag.stragglers.membership import examples_are_known, require_sets_of, sets_are_known
from strag.stragglers.per_example import data_map_of, table_of, table_of_finding
from strag.stragglers.recipe import require_same_training
from strag.values import checked, choice, flag, optional, some_or
from strag.words import number_of

_MOMENT = "find the stragglers of another moment with `at`, and pass them as `stragglers`"


def format_of(path, form=None, datamaps=False):
    """The format of an output: one of FORMATS.

    path : the output, '-' for stdout, or None. form : the format that the user asks for, or None. datamaps :
    whether a data map is written, which is always JSON lines.

    Raises StragError for a suffix that is not a format, and for formats that contradict each other.
    """
    suffix = os.path.splitext(path or "")[1].removeprefix(".").lower()
    named = suffix if suffix in FORMATS else None
    for asked, by in ((form, f"`format` {form}"), ("jsonl" if datamaps else None, "`datamaps`")):
        if asked and named not in (None, asked):
            wanted = f"use a name that ends in .{asked}, or remove {by}"
            raise bad_usage(f"has a name that contradicts {by}", wanted, path)
    if datamaps and form not in (None, "jsonl"):
        raise bad_usage(f"`datamaps` is JSON lines, which contradicts `format` {form}", "remove one of them")
    chosen = "jsonl" if datamaps else form or named
    is_file = path not in (None, "-") and (os.path.isfile(path) or not os.path.exists(path))
    if chosen is None and is_file:  # a pipe or a device needs no suffix
        suffixes = some_or([f".{name}" for name in FORMATS])
        raise bad_usage("does not say its format", f"use a name that ends in {suffixes}, or `format`", path)
    return chosen or "csv"


def refuse_unused(given, *, datamaps, **_):
    """Refuse arguments of `export` that have no effect. given : names of those that are given."""
    check.refuse_ignored(given, ("stragglers", datamaps, "contradicts `datamaps`"))


@checked(
    ignored=refuse_unused,
    thing=check.kind("History", "Finding"),
    output=optional(check.destination),
    stragglers=optional(check.kind("Finding")),
    format=optional(choice(*FORMATS)),
    datamaps=flag,
)
def export(thing, output=None, stragglers=None, format=None, datamaps=False):
    """A table with one row per example: labels, how often it straggles, its scores, and whether to keep it.

    Parameters
    ----------
    thing : History, or Finding of `find_stragglers`, which has no scores.
    output : where to also write the table: a path that ends in .csv, .jsonl or .npz, or an open Output.
    stragglers : Finding of the same training. By default it is found as `find_stragglers` does.
    format : csv, jsonl or npz, if the path does not say it.
    datamaps : whether to make the table of a data map instead, as `td_metrics.jsonl`; it needs a History.

    Returns
    -------
    dict of column name to array [P], or to a text that holds for all rows; see FORMATS.md.

    Raises StragError for stragglers of another training.
    """
    check.refuse_overwriting([thing] if stragglers is None else [thing, stragglers], output=output)
    path = output.path if isinstance(output, Output) else output
    form = format_of(path, format, datamaps)
    table = _table_of(thing, stragglers, datamaps)
    with opened(output, binary=form == "npz") as sink:
        if sink:
            write_table(sink, table, form)
            commit(sink)
    return table


def _table_of(thing, stragglers, datamaps):
    """The table of a History or of a Finding."""
    if hasattr(thing, "misclassified"):
        return _data_map(thing) if datamaps else _of_history(thing, stragglers)
    if datamaps:
        raise bad_usage("has no records, which a data map needs", "use its history", thing.source)
    if stragglers is not None:
        raise bad_usage("is a stragglers file, so that `stragglers` has no effect", "remove it", thing.source)
    return _of_finding(thing)


def _of_history(history, finding):
    """The table of a History. finding : Finding of the same training, or None."""
    if finding is not None:
        if finding.origin != history.meta.get("origin"):
            problem = f"has indices of another data set than {history.source}"
            raise StragError(problem, "pass the stragglers of the same training", finding.source)
        if history.recording is None:
            require_same_training(finding, history.recipe, history.meta.get("inputs", {}), history.source)
        else:
            require_sets_of(finding, history)
    elif history.layers:
        _, finding = find(history)
    _warn_of_sets(history, finding)
    _warn_of_diverged(history)
    return table_of(history, finding)


def _of_finding(finding):
    """The table of a Finding."""
    if not sets_are_known(finding):
        problem = f"has no sets (its verdict is '{finding.verdict}')"
        raise StragError(problem, "find the stragglers of another moment with `at`", finding.source)
    listed, size = len(finding.examples.get("index") or ()), finding.summary.examples
    if not examples_are_known(finding):
        lists = f"lists only {number_of(listed, 'example')}, those in at least one set"
        warn_of(finding.source, f"{lists}; export the history to have all")
    elif size is not None and listed < size:
        lists = f"has labels of {number_of(listed, 'example')} only, those in at least one set"
        warn_of(finding.source, f"{lists}; export the history to have all")
    return table_of_finding(finding)


def _warn_of_sets(history, finding):
    """Warn of columns that are left out, and of a verdict that is not an inversion."""
    if finding is None:
        _warn_of_missing(history, "no layer was measured")
    elif not sets_are_known(finding):
        _warn_of_missing(finding, f"no run has a set (the verdict is '{finding.verdict}')")
    elif history.shared_run is not None:
        reason = f"several networks start from run {history.shared_run} and leave out different examples"
        warn_of(history.source, f"{reason}; the columns status and keep are left out")
    elif finding.verdict != INVERSION and finding.recipe.get("at", INVERSION) == INVERSION:
        some = f"{finding.summary.runs_with_a_set} of {number_of(len(finding.runs), 'run')}"
        warn_of(finding.source, f"the verdict is '{finding.verdict}'; only {some} have an inversion")


def _warn_of_missing(thing, reason):
    """Warn that there are no columns about sets."""
    columns = "the columns count, runs, frequency, status and keep are left out"
    warn_of(thing.source, f"{reason}, so {columns}; {_MOMENT}")


def _warn_of_diverged(history):
    """Warn of the runs that the scores do not count."""
    diverged = int((~history.last_finite).sum())
    if diverged:
        warn_of(history.source, f"the scores do not count {number_of(diverged, 'run')} that diverged")


def _data_map(history):
    """The table of a data map of a History. Warns of what a history does not hold."""
    _warn_of_diverged(history)
    columns = "confidence, variability and threshold_closeness are null"
    warn_of(history.source, f"holds no probabilities, so {columns}")
    return data_map_of(history)
