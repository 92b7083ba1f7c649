"""The kind `comparison`: JSON, how far sets of stragglers overlap."""

import numpy as np

from strag.errors import StragError
from strag.files.jsonfile import numbers
from strag.files.stamp import check_fields, stamp
from strag.stragglers.comparison import Comparison

MATRICES = ("jaccard", "kappa", "common", "expected")
_DIGITS = 6


def comparison_object(found, lists):
    """The JSON object for a Comparison of Findings."""
    meta = lists[0].meta
    return {
        "strag": stamp(
            "comparison",
            recipe={},
            inputs={"stragglers": [one.identity for one in lists]},
            origin=lists[0].origin,
            origin_size=found.examples,
            title=meta.get("title"),
            command=meta.get("command"),
        ),
        "names": list(found.names),
        "sizes": found.sizes.tolist(),
        **{name: np.round(getattr(found, name), _DIGITS).tolist() for name in MATRICES},
    }


def comparison_from(value, source):
    """The Comparison in a JSON object.

    Raises StragError for what `comparison_object` does not write.
    """
    check_fields(value["strag"], source)
    names, sizes = value.get("names"), numbers(value.get("sizes"), whole=True)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise _broken("'names' is no list of names", source)
    if sizes is None or len(sizes) != len(names):
        raise _broken(f"'sizes' are not those of its {len(names)} sets", source)
    size = value["strag"].get("origin_size")
    if type(size) is not int or size < 1:
        raise _broken("does not say how many examples its origin has", source)
    matrices = {name: _matrix(value.get(name), len(names), name, source) for name in MATRICES}
    title = value["strag"].get("title")
    return Comparison(tuple(names), sizes, **matrices, examples=size, title=title, source=source)


def _matrix(rows, S, name, source):
    rows = [numbers(row) for row in rows] if isinstance(rows, list) else []
    if len(rows) != S or not all(row is not None and len(row) == S for row in rows):
        raise _broken(f"'{name}' is no matrix of {S} times {S} numbers", source)
    return np.stack(rows)


def _broken(problem, source):
    return StragError(problem, "make it again with 'strag compare'", source)
