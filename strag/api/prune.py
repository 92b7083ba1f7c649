"""`strag.prune`: remove examples from a data set, or keep only them."""

import os
import shlex

from strag.api.arguments import destination, kind, refuse_ignored, refuse_overwriting
from strag.api.outputs import opened
from strag.datasets.catalogue import CATALOGUE
from strag.datasets.pruning import random_rows, without_rows
from strag.errors import StragError
from strag.files.dataset import write_dataset
from strag.stragglers.unknown import own_data
from strag.values import checked, choice, flag, optional, whole


def refuse_unused(given, *, keep, random, **_):
    """Refuse arguments of `prune` that have no effect. given : names of those that are given."""
    refuse_ignored(
        given,
        ("match", random is None, "needs `random`"),
        ("allow_empty", keep, "contradicts `keep`, which would leave nothing"),
    )


@checked(
    ignored=refuse_unused,
    data=kind("Dataset"),
    stragglers=kind("Finding"),
    keep=flag,
    random=optional(whole(0)),
    match=optional(choice("class")),
    allow_empty=flag,
    output=optional(destination),
)
def prune(data, stragglers, keep=False, random=None, match=None, allow_empty=False, output=None):
    """The data set without stragglers, or with only them.

    Parameters
    ----------
    data : Dataset. stragglers : Finding of `find_stragglers` in a training on it.
    keep : keep the stragglers instead of removing them.
    random : seed; use as many examples, drawn at random from all examples, instead of the stragglers.
    match : with `class`, draw as many examples of each original class as the stragglers have.
    allow_empty : return a copy if there are no stragglers.
    output : where to also write the dataset file: a path, or an open Output.

    Returns
    -------
    Dataset with the origin and the standardisation of `data`.

    Raises StragError for stragglers of another data set, if there are no stragglers, and if no example would
    be left.
    """
    refuse_overwriting((data, stragglers), output=output)
    require_origin(data, stragglers)
    if not (stragglers.indices.size or allow_empty or keep):
        raise StragError(
            f"has no examples (its verdict is '{stragglers.verdict}'), so that nothing would be pruned",
            "to allow this, use `allow_empty`",
            stragglers.source,
        )
    rows = chosen_rows(data, stragglers, keep, random, match)
    pruned = data.rows(rows) if keep else without_rows(data, rows)
    recipe = {"keep": keep, "random": random, "match": match}
    inputs = {"data": data.identity, "stragglers": stragglers.identity}
    with opened(output) as sink:
        if sink:
            write_dataset(sink, pruned, recipe, inputs)
    return pruned


def chosen_rows(data, stragglers, keep=False, random=None, match=None):
    """The rows that are kept (with `keep`) or removed: int64."""
    try:
        rows = data.positions(stragglers.indices)
    except StragError as error:
        raise error.about(data.source) from None
    if random is not None:
        rows = random_rows(data, rows.size, random, rows if match else None)
    if rows.size == (0 if keep else len(data.y)):
        remedy = "prune a smaller set" if rows.size else "remove the set instead of keeping it"
        raise StragError("no example would be left", remedy, data.source)
    return rows


def require_origin(data, stragglers):
    """Refuse stragglers whose indices count in the rows of another data set than the origin of `data`."""
    if stragglers.origin != data.origin:
        command = _command_of(stragglers.meta)
        remedy = (
            f"use the data set of '{command}'" if command else "use the data set in which they were found"
        )
        if stragglers.recording is not None:
            remedy = own_data(stragglers)
        raise StragError(f"has indices of another data set than '{data.source}'", remedy, stragglers.source)


def _command_of(meta):
    """The command that makes the data set of a stamp, or None. That of arrays has only their title."""
    command, title = meta.get("command"), meta.get("title")
    has_only_title = f"{command} ".startswith(f"strag data {shlex.quote(str(title))} ")
    return None if has_only_title and title not in CATALOGUE and not os.path.exists(str(title)) else command
