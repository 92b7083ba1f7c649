"""The kind `linearity`: a JSON object that says how linear networks are along training."""

from dataclasses import asdict

import numpy as np

from strag.files.jsonfile import numbers
from strag.files.spec import JsonSpec, Keys
from strag.files.stamp import stamp
from strag.stragglers.linearity import Linearity

_STAMPED = ("format", "kind", "version")
_DIGITS = 6
_COUNTS = ("fitted", "tested", "inputs", "directions")
_VALUES = ("train_error", "r2", "agreement")
_COLUMNS = ("update", "run", *_VALUES)


def _are_objects(value):
    """Whether a JSON value is a list of objects that is not empty."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


SPEC = JsonSpec(
    "linearity",
    (
        Keys(
            ("at_inversion",),
            "one object for each of the multiples 0.25, 1 and 4, with these keys; empty if no run inverts, "
            "null without `--stragglers`",
            (
                Keys(
                    ("times", "runs"),
                    "the multiple of t*, and the number of inverting runs with a stored update within a "
                    "factor of 2 of this multiple of their own t*",
                ),
                Keys(
                    ("update", "train_error", "r2", "agreement"),
                    "means over these runs, each at the stored update nearest to it in ln t",
                ),
                Keys(("r2_std", "agreement_std"), "standard deviations over these runs"),
            ),
        ),
        Keys(
            ("runs",),
            "one object per run, with these keys:",
            (
                Keys(("run",), "the run"),
                Keys(("fitted", "tested"), "numbers of training examples of even and of odd index"),
                Keys(
                    ("inputs", "directions"),
                    "number of inputs that vary over the fitted examples, and of directions of the inputs "
                    "that are used",
                ),
                Keys(("inversion_update", "inversion_error"), "t* and eps*; null if they are not known"),
            ),
            *(_are_objects, "is not a list of runs"),
        ),
        Keys(
            ("records",),
            "one object per stored update and run, in this order, with these keys:",
            (
                Keys(("update", "run"), "where it was measured"),
                Keys(("train_error",), "error over the examples of the data that the run was trained on"),
                Keys(("r2", "agreement"), "R^2 and the share of equal decisions, defined below"),
            ),
            *(_are_objects, "is not a list of records"),
        ),
    ),
)


def linearity_object(result):
    """Return the JSON object for a Linearity."""
    columns = {name: np.round(getattr(result, name), _DIGITS) for name in _VALUES}
    inversion = np.full((2, len(result.runs)), np.nan) if result.inversion is None else result.inversion
    moments = [asdict(moment) for moment in result.moments]
    return {
        "strag": stamp("linearity", **result.meta),
        "at_inversion": None if result.inversion is None else [_rounded(moment) for moment in moments],
        "runs": [
            {
                "run": run,
                **{name: int(getattr(result, name)[place]) for name in _COUNTS},
                **dict(
                    zip(("inversion_update", "inversion_error"), inversion[:, place].tolist(), strict=True)
                ),
            }
            for place, run in enumerate(result.runs)
        ],
        "records": [
            {
                "update": int(result.updates[at, place]),
                "run": run,
                **{name: float(column[at, place]) for name, column in columns.items()},
            }
            for at in range(len(result.updates))
            for place, run in enumerate(result.runs)
        ],
    }


def _rounded(moment):
    """Return the numbers of a Moment, rounded."""
    return {
        name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in moment.items()
    }


def read(opened):
    """Return the Linearity in an open Document.

    Raises StragError for values that `linearity_object` does not write.
    """
    value, source = SPEC.check(opened), opened.name
    columns = {name: _column(value["runs"], name, source, True) for name in ("run", *_COUNTS)}
    runs = columns.pop("run")
    records = {name: _column(value["records"], name, source, name in ("update", "run")) for name in _COLUMNS}
    U, R = divmod(len(value["records"]), len(runs))[0], len(runs)
    if len(set(runs.tolist())) != R or not np.array_equal(records.pop("run"), np.tile(runs, U)):
        raise SPEC.fault("does not have a record for every update and run", source)
    fields = {name: column.reshape(U, R) for name, column in records.items()}
    for name in _VALUES:
        known = fields[name][np.isfinite(fields[name])]
        is_share = (known <= 1).all() and (name == "r2" or (known >= 0).all())
        if not is_share or (name == "train_error" and known.size < U * R):
            raise SPEC.fault(f"has a record with an invalid '{name}'", source)
    names = ("inversion_update", "inversion_error")
    inversion = np.stack([_column(value["runs"], name, source) for name in names])
    return Linearity(
        tuple(runs.tolist()),
        fields.pop("update"),
        **fields,
        **columns,
        inversion=None if value.get("at_inversion") is None else inversion,
        meta={name: item for name, item in value["strag"].items() if name not in _STAMPED},
        source=source,
    )


def _column(objects, name, source, whole=False):
    """Return the value under one key of every object: int64 or float64."""
    values = numbers([item.get(name, "") for item in objects], whole=whole)
    if values is None:
        raise SPEC.fault(f"has a record or run with an invalid '{name}'", source)
    return values
