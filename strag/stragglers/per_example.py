"""Tables of one row per example: what a History and a Finding say about each example.

A table is a dict of column name to an array [P], or to a text that holds for all rows. Unknown values are
NaN, or masked in columns that do not hold floats.
"""

import numpy as np

from strag.stragglers.learning import learning_of, over_counted_runs
from strag.stragglers.membership import membership_of, sets_are_known

NEVER_LEARNED = 1000  # forgetfulness of an example that was never learned, as data maps write it
# Which end of a column is hard, in the order of the columns.
_LARGER = ("frequency", "never_learned", "forgetting_events", "first_learned")  # the last two may be empty
_SMALLER = ("correctness", "margin")


def table_of(history, finding=None):
    """The table of the examples of a History.

    Parameters
    ----------
    history : History
    finding : Finding of the same training, for the columns count, runs, frequency, status and keep. If it is
        None or has no set, they are left out; status and keep also where the runs are not independent.

    Returns
    -------
    dict of column name to array [P]; see the table of columns in FORMATS.md.

    Raises StragError for a Finding that does not fit the History.
    """
    table = {"index": history.index}
    if history.names is not None:
        table["name"] = np.array([history.names[row] for row in range(history.examples)])
    numbers, rows = np.unique(history.y, return_inverse=True)
    table["class"] = history.y
    table["label"] = np.array([history.class_name(int(number)) for number in numbers])[rows.ravel()]
    table["group"] = np.array(history.classes)[history.group]
    if finding is not None and sets_are_known(finding):
        pooled = history.shared_run is None
        table |= _membership_columns(membership_of(finding, history), pooled)
    learning = learning_of(history)
    table |= {
        "correctness": _single(learning.correctness),
        "forgetting_events": _single(learning.forgetting_events),
        "first_learned": learning.first_learned,
        "never_learned": _single(learning.never_learned),
    }
    for name in ("margin", "margin_deviation"):
        values = getattr(history, name)
        if values is not None:
            table[name] = _single(over_counted_runs(history, values))
    return {**table, "hard_end": hard_end(table)}


def table_of_finding(finding):
    """The table of the examples of a Finding alone, without scores.

    It has all rows of the origin if every run trained on all of them, else the examples in at least one set.
    The class, the label and the name of an example that is in no set are not known.
    """
    membership, listed = membership_of(finding), finding.examples
    table = {"index": membership.index}
    for name, kind in (("name", str), ("class", np.int64), ("label", str)):
        if isinstance(listed.get(name), list):
            table[name] = _listed(listed[name], membership.listed, kind)
    table |= _membership_columns(membership)
    return {**table, "hard_end": hard_end(table)}


def _membership_columns(membership, pooled=True):
    """The columns of a Membership. pooled : whether the runs are independent."""
    columns = {
        "count": membership.count,
        "runs": membership.runs,
        "frequency": _single(membership.frequency),
    }
    if pooled and membership.status is not None:
        columns["status"] = np.ma.array(membership.status, mask=membership.status == "")
    if pooled:
        columns["keep"] = ~membership.straggler
    return columns


def _listed(values, places, kind):
    """The values of a column at these places, masked where a place is -1: masked array [P]."""
    column = np.array([*values, "" if kind is str else 0], dtype=kind)[places]
    return np.ma.array(column, mask=places < 0)


def _single(values):
    """Values as float32, with NaN for those that are not finite."""
    values = np.asarray(values, dtype=np.float32)
    return np.where(np.isfinite(values), values, np.float32(np.nan))


def hard_end(table):
    """Which end of each column of a table is hard, in words.

    An example that was never learned has no forgetting events and no first_learned, and is the hardest.
    """
    larger, smaller = ([name for name in names if name in table] for names in (_LARGER, _SMALLER))
    empty = " (empty: hardest)" if "first_learned" in table else ""
    parts = [f"larger: {', '.join(larger)}{empty}"] if larger else []
    return "; ".join([*parts, f"smaller: {', '.join(smaller)}"] if smaller else parts)


def data_map_of(history):
    """The table of a data map (Swayamdipta et al., EMNLP 2020, doi:10.18653/v1/2020.emnlp-main.746).

    Its columns are those of `td_metrics.jsonl` of allenai/cartography. guid : the name of an example, or its
    index without names; a number if all are numbers. index : position of the example. correctness : number
    of records at which it is classified correctly. forgetfulness : number of forgetting events, 1000 if it is
    classified correctly at no record. Both are means over runs. The probabilities of confidence, variability
    and threshold_closeness are not in a History, so that these columns are masked.
    """
    learning, P = learning_of(history), history.examples
    unknown = np.ma.masked_all(P, dtype=np.float32)
    forgetfulness = np.where(learning.never_learned == 1, NEVER_LEARNED, learning.forgetting_events)
    return {
        "guid": _guids(history),
        "index": np.arange(P),
        **dict.fromkeys(("threshold_closeness", "confidence", "variability"), unknown),
        "correctness": _counts(learning.correct),
        "forgetfulness": _counts(forgetfulness),
    }


def _guids(history):
    """The ids of the examples as data maps write them: int64 or str [P]."""
    if history.names is None:
        return history.index
    names = [history.names[row] for row in range(history.examples)]
    are_numbers = all(
        name.isascii() and name.isdecimal() and len(name) < 19 and str(int(name)) == name for name in names
    )
    return np.array(names, dtype=np.int64 if are_numbers else str)


def _counts(values):
    """Means of counts: int64 if all are whole numbers, else float32; NaN becomes masked."""
    known = np.isfinite(values)
    if (values[known] % 1 == 0).all():
        return np.ma.array(np.where(known, values, 0).astype(np.int64), mask=~known)
    return _single(values)
