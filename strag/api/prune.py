"""Remove examples from a data set, or keep only them."""

from strag.api.outputs import opened
from strag.datasets.pruning import random_rows, without_rows
from strag.errors import StragError
from strag.files.dataset import write_dataset


def prune(data, stragglers, keep=False, random=None, match=None, allow_empty=False, output=None):
    """The data set without stragglers, or with nothing else.

    Parameters
    ----------
    data : Dataset. stragglers : what `find_stragglers` found in a training on it.
    keep : keep the stragglers instead of removing them.
    random : seed; as many examples, drawn at random from all, take the place of the stragglers.
    match : `class` draws as many of each original class.
    allow_empty : give a copy where there are no stragglers.
    output : where to write the dataset file as well: a path, or an open Output.

    Returns
    -------
    Dataset with the origin and the standardisation of `data`.

    Raises StragError for stragglers of another data set, without any, and where no example would be left.
    """
    require_origin(data, stragglers)
    if not (stragglers.indices.size or allow_empty or keep):
        raise StragError(
            f"names no examples (its verdict is '{stragglers.verdict}'), so that nothing would be pruned",
            "allow that with --allow-empty (in Python: allow_empty=True)",
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
    """The rows that are kept, with `keep`, or removed: int64."""
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
    """Refuse stragglers whose indices count in another data set than the origin of `data`."""
    if stragglers.origin != data.origin:
        made = stragglers.meta.get("command")
        raise StragError(
            f"its indices count in another data set than '{data.source}'",
            f"use the one from '{made}'" if made else "use the data set it was found in",
            stragglers.source,
        )
