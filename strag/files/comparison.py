"""The kind `comparison`: a JSON object that says how far sets of stragglers overlap."""

import numpy as np

from strag.files.jsonfile import numbers
from strag.files.spec import JsonSpec, Keys
from strag.files.stamp import stamp
from strag.stragglers.comparison import Comparison


def _are_names(value):
    """Whether a JSON value is a list of texts that is not empty."""
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


SPEC = JsonSpec(
    "comparison",
    (
        Keys(
            ("names",),
            "[S]: names of the sets, without duplicates",
            (),
            _are_names,
            "is not a list of names",
        ),
        Keys(("sizes",), "[S]: their numbers of examples"),
        Keys(
            ("common", "expected"),
            r"[S][S]: number of examples in both sets, and the number that random sets of these sizes share, "
            r"\|A\|\|B\|/P with P = `strag.origin_size`",
        ),
        Keys(("jaccard", "kappa"), "[S][S]: as in a stability file; null between empty sets"),
    ),
)
MATRICES = ("jaccard", "kappa", "common", "expected")
_DIGITS = 6


def comparison_object(comparison, findings):
    """Return the JSON object for the Comparison of a list of Findings."""
    meta = findings[0].meta
    return {
        "strag": stamp(
            "comparison",
            recipe={},
            inputs={"stragglers": [finding.identity for finding in findings]},
            origin=findings[0].origin,
            origin_size=comparison.examples,
            title=meta.get("title"),
            command=meta.get("command"),
        ),
        "names": list(comparison.names),
        "sizes": comparison.sizes.tolist(),
        **{name: np.round(getattr(comparison, name), _DIGITS).tolist() for name in MATRICES},
    }


def read(opened):
    """Return the Comparison in an open Document.

    Raises StragError for values that `comparison_object` does not write.
    """
    value = SPEC.check(opened)
    names, sizes = value["names"], numbers(value.get("sizes"), whole=True)
    if sizes is None or len(sizes) != len(names):
        raise SPEC.fault(f"'sizes' does not have one number for each of its {len(names)} sets", opened.name)
    size = opened.meta.get("origin_size")
    if type(size) is not int or size < 1:
        raise SPEC.fault("does not say how many examples its origin has", opened.name)
    matrices = {name: _matrix(value.get(name), len(names), name, opened.name) for name in MATRICES}
    title = opened.meta.get("title")
    return Comparison(tuple(names), sizes, **matrices, examples=size, title=title, source=opened.name)


def _matrix(rows, S, name, source):
    """Return a JSON list of lists of numbers as a matrix: float64 [S, S]."""
    rows = [numbers(row) for row in rows] if isinstance(rows, list) else []
    if len(rows) != S or not all(row is not None and len(row) == S for row in rows):
        raise SPEC.fault(f"'{name}' is not a matrix of {S} x {S} numbers", source)
    return np.stack(rows)
