"""The kind `comparison`: a JSON object that says how far sets of examples overlap."""

from dataclasses import asdict

import numpy as np

from strag.files.jsonfile import numbers
from strag.files.parts import part_from, reading
from strag.files.spec import JsonSpec, Keys
from strag.files.stamp import stamp
from strag.kinds import remake
from strag.stragglers.comparison import (
    FLIPPED,
    KINDS,
    MAJORITY,
    MEASURES,
    RUNS,
    Comparison,
    SetKind,
)
from strag.stragglers.overlap import quotient


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
        Keys(
            ("sets",),
            "[S]: what each set holds, an object with these keys, or null if its file does not say it; "
            "absent in older files",
            (
                Keys(
                    ("holds",),
                    "`majority`: the examples that straggle in more than the share `quorum` of the runs; "
                    "`core`: those that almost surely straggle in most runs; `run`: the set of a single run; "
                    "`runs`: the sets of several single runs, from a sets file; `flipped`: the examples with "
                    "a flipped label, from a dataset file",
                ),
                Keys(("runs",), "number of runs that have a set; null for `flipped`"),
                Keys(("quorum",), "for `majority`; else null"),
                Keys(
                    ("recording",),
                    "only if strag did not train the networks: `snapshot` or `online`",
                ),
                Keys(
                    ("at",),
                    "when the sets were taken: `inversion`, an update, or `error:X` for a training error X; "
                    "null for `flipped`",
                ),
            ),
        ),
        Keys(("sizes",), "[S]: their numbers of examples; for `runs` the mean over the runs"),
        Keys(
            ("common", "expected"),
            r"[S][S]: number of examples in both sets, and the number that random sets of these sizes share, "
            r"\|A\|\|B\|/P with P = `strag.origin_size`",
        ),
        Keys(("jaccard", "kappa"), "[S][S]: as in a stability file; null between empty sets"),
        Keys(
            ("contained",),
            r"[S][S]: the share \|A and B\|/\|A\| of the examples of the row's set A that are in the set "
            "B of the column; null if A is empty; absent in older files. In the row of flipped labels it is "
            "the recall, in their column the precision",
        ),
        Keys(
            ("pairs",),
            "[S][S]: only if a set is `runs`: the values above are means over this many pairs of a set of "
            "the row and a set of the column, on the diagonal of two different runs",
        ),
        Keys(
            ("jaccard_std", "kappa_std"),
            "[S][S]: together with `pairs`: standard deviations over the pairs, with denominator `pairs` "
            "- 1, null for one pair",
        ),
    ),
)
OVER_PAIRS = ("pairs", "jaccard_std", "kappa_std")
_DIGITS = 6


def comparison_object(comparison, compared):
    """Return the JSON object for the Comparison of a list of Compared, see `strag.api.compare`."""
    meta, names = compared[0].meta, MEASURES + (OVER_PAIRS if comparison.pairs is not None else ())
    return {
        "strag": stamp(
            "comparison",
            recipe={},
            inputs={"stragglers": [one.identity for one in compared]},
            origin=compared[0].origin,
            origin_size=comparison.examples,
            title=meta.get("title"),
            command=meta.get("command"),
        ),
        "names": list(comparison.names),
        "sets": [_kind_object(kind) for kind in comparison.kinds or [None] * len(comparison.names)],
        "sizes": comparison.sizes.tolist(),
        **{name: np.round(getattr(comparison, name), _DIGITS).tolist() for name in names},
    }


def _kind_object(kind):
    """Return the JSON object for a SetKind, or None for None."""
    absent = {"recording"} if kind is not None and kind.recording is None else set()
    return kind and {name: value for name, value in asdict(kind).items() if name not in absent}


def read(opened):
    """Return the Comparison in an open Document. Older files have no `sets` and no `contained`.

    Raises StragError for values that `comparison_object` does not write.
    """
    value = SPEC.check(opened)
    S, source = len(value["names"]), opened.name
    kinds = _kinds(value.get("sets"), S, source)
    several = kinds is not None and any(kind and kind.holds == RUNS for kind in kinds)
    sizes = numbers(value.get("sizes"), whole=not several)
    if sizes is None or len(sizes) != S or not (sizes >= 0).all():
        raise SPEC.fault(f"'sizes' does not have one number for each of its {S} sets", source)
    size = opened.meta.get("origin_size")
    if type(size) is not int or size < 1:
        raise SPEC.fault("does not say how many examples its origin has", source)
    names = [*MEASURES, *(OVER_PAIRS if several else ())]
    if "contained" not in value:
        names.remove("contained")
    matrices = {name: _matrix(value.get(name), S, name, source) for name in names}
    matrices.setdefault("contained", quotient(matrices["common"], sizes[:, None]))
    title = opened.meta.get("title")
    return Comparison(
        tuple(value["names"]), sizes, **matrices, examples=size, title=title, source=source, kinds=kinds
    )


def _kinds(entries, S, source):
    """Return the SetKinds in a JSON list as a tuple, None for null; None without the list."""
    if entries is None:
        return None
    if not isinstance(entries, list) or len(entries) != S:
        raise SPEC.fault(f"'sets' does not have one object for each of its {S} sets", source)
    with reading("sets", source, remake("comparison")):
        kinds = tuple(None if entry is None else part_from(SetKind, entry) for entry in entries)
        if not all(kind is None or _is_whole(kind) for kind in kinds):
            raise ValueError
    return kinds


def _is_whole(kind):
    """Whether a SetKind has the values that belong to its kind."""
    timed = kind.holds == FLIPPED or None not in (kind.runs, kind.at)
    return kind.holds in KINDS and timed and (kind.holds != MAJORITY or kind.quorum is not None)


def _matrix(rows, S, name, source):
    """Return a JSON list of lists of numbers as a matrix: float64 [S, S]."""
    rows = [numbers(row) for row in rows] if isinstance(rows, list) else []
    if len(rows) != S or not all(row is not None and len(row) == S for row in rows):
        raise SPEC.fault(f"'{name}' is not a matrix of {S} x {S} numbers", source)
    return np.stack(rows)
