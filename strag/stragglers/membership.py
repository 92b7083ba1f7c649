"""How often each example is in the sets of the runs, from a Finding: also those that are in no set.

A Finding lists only the examples in at least one set.
"""

from dataclasses import dataclass

import numpy as np

from strag.errors import StragError
from strag.stragglers.examples import BetaBinomial

_AGAIN = "create it again with 'strag find-stragglers'"


@dataclass(frozen=True)
class Membership:
    """The examples of a Finding, in the order of `index`.

    Attributes
    ----------
    index : int64 [P], rows of the origin.
    count, runs : int64 [P], number of sets that contain the example, and number of sets whose run trained on
        it.
    status : str [P], `core`, `fringe` or `rare`, empty for an example that no run with a set trained on; or
        None if the Finding has no model.
    straggler : bool [P], whether the example is in the `indices` of the Finding.
    listed : int64 [P], position in the table of examples of the Finding, -1 if the example is in no set.
    """

    index: np.ndarray
    count: np.ndarray
    runs: np.ndarray
    status: np.ndarray | None
    straggler: np.ndarray
    listed: np.ndarray

    @property
    def frequency(self):
        """`count` / `runs`, the share of these sets: float64 [P]; NaN without any."""
        return np.divide(self.count, self.runs, out=np.full(len(self.index), np.nan), where=self.runs > 0)


def sets_are_known(finding):
    """Whether a run of a Finding has a set."""
    return any(run.stragglers is not None for run in finding.runs)


def examples_are_known(finding):
    """Whether all rows of the origin of a Finding are examples that every run trained on."""
    size = finding.meta.get("origin_size")
    runs = {run.examples for run in finding.runs}
    return isinstance(size, int) and runs == {size} and finding.summary.examples == size


def require_sets_of(finding, history):
    """Refuse a Finding whose sets have other sizes than those of the runs of a History at the same updates.

    This is all that can be compared of networks that strag did not train, as they have no recipe.
    """
    for run in finding.runs:
        if run.stragglers is None or run.update is None:
            continue
        record = int(np.searchsorted(history.updates, run.update))
        size = None
        if run.run in history.runs and history.updates[record : record + 1].tolist() == [run.update]:
            size = history.misclassified_at(record, history.runs.index(run.run)).sum()
        if size != run.stragglers:
            problem = f"has a set of run {run.run} at update {run.update} that {history.source} does not have"
            raise StragError(problem, "pass the stragglers of the same history", finding.source)


def membership_of(finding, history=None):
    """The Membership of the examples of a Finding.

    Without a History these are all rows of the origin if every run trained on all of them, else those in at
    least one set.

    history : the History of the same training, whose examples these are; or None.

    Raises StragError for a table of examples whose columns do not fit, and for one with other examples than
    the History.
    """
    table, counts, seen = _table_of(finding)
    if history is not None:
        index, runs = history.index, _seen(finding, history)
    elif examples_are_known(finding):
        index = np.arange(finding.meta["origin_size"])
        runs = np.full(len(index), sum(run.stragglers is not None for run in finding.runs))
    else:
        order = np.argsort(table)
        index, runs = table[order], seen[order]
    rows = _rows_of(index, table, finding.source)
    count, listed = np.zeros(len(index), np.int64), np.full(len(index), -1)
    count[rows], listed[rows] = counts, np.arange(len(table))
    if (runs[rows] != seen).any():
        raise StragError("has runs with sets that do not fit its examples", _AGAIN, finding.source)
    straggler = np.zeros(len(index), bool)
    straggler[_rows_of(index, finding.indices, finding.source)] = True
    complete = history is not None or examples_are_known(finding)
    status = _status(finding, count, runs) if complete else _listed_status(finding, order)
    return Membership(index, count, runs, status, straggler, listed)


def _table_of(finding):
    """The columns index, count and runs of the table of examples of a Finding: int64 each."""
    columns = [finding.examples.get(name) for name in ("index", "count", "runs")]
    fits = all(
        isinstance(column, list) and all(type(value) is int and 0 <= value < 2**63 for value in column)
        for column in columns
    )
    sizes = {len(column) for column in finding.examples.values() if isinstance(column, list)}
    if not fits or len(sizes) != 1 or len(set(columns[0])) < len(columns[0]):
        raise StragError("'examples' has columns that do not fit each other", _AGAIN, finding.source)
    return tuple(np.asarray(column, dtype=np.int64) for column in columns)


def _seen(finding, history):
    """Number of runs with a set that train on each example of a History: int64 [P]."""
    with_set = [run.run for run in finding.runs if run.stragglers is not None]
    missing = [run for run in with_set if run not in history.runs]
    if missing:
        raise StragError(
            f"has a set of run {missing[0]}, which {history.source} does not have",
            "pass the stragglers of the same training",
            finding.source,
        )
    positions = [history.runs.index(run) for run in with_set]
    return history.trained_bits()[positions].sum(axis=0)


def _rows_of(index, wanted, source):
    """Positions of rows of the origin in `index`: int64. Raises StragError if one is not there."""
    order = np.argsort(index)
    places = np.searchsorted(index, wanted, sorter=order)
    rows = order[np.minimum(places, len(index) - 1)] if len(index) else np.zeros(len(wanted), np.int64)
    if len(wanted) and (not len(index) or (index[rows] != wanted).any()):
        raise StragError("lists examples that the training does not have", _AGAIN, source)
    return rows


def _status(finding, count, runs):
    """The status of every example from the model that the Finding was made with, or None without a model."""
    if finding.model is None:
        return None
    seen = runs > 0
    status = np.full(len(count), "", dtype="U6")
    status[seen] = BetaBinomial.fit(count[seen], runs[seen]).status(count[seen], runs[seen])
    return status


def _listed_status(finding, order):
    """The status of the listed examples in this order, or None without a model."""
    status = finding.examples.get("status")
    if finding.model is None or not isinstance(status, list):
        return None
    return np.array([text if isinstance(text, str) else "" for text in status])[order]
