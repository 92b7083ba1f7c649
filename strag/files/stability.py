"""The kind `stability`: a JSON object that says how far the runs of a history agree during training."""

import numpy as np

from strag.files.jsonfile import numbers
from strag.files.spec import JsonSpec, Keys
from strag.files.stamp import stamp
from strag.stragglers.overlap import ALL, DISJOINT
from strag.stragglers.stability import Stability
from strag.stragglers.unknown import carried


def _are_records(value):
    """Whether a JSON value is a list of objects that is not empty."""
    return isinstance(value, list) and bool(value) and all(isinstance(record, dict) for record in value)


SPEC = JsonSpec(
    "stability",
    (
        Keys(
            *(("records",), "one object per update, in order, with these keys:"),
            (
                Keys(("update", "train_error"), "t, and eps(t): the mean training error over runs at t"),
                Keys(
                    ("size_mean", "kappa", "jaccard"),
                    "mean size, kappa and Jaccard index of the sets at equal training error eps(t), "
                    "defined below",
                ),
                Keys(
                    ("kappa_low", "kappa_high"),
                    "95 % interval of the mean kappa, defined below",
                ),
                Keys(
                    ("runs", "pairs"),
                    "number of runs with an error of at most eps(t) at some record, and number of pairs of "
                    "such runs",
                ),
                Keys(
                    ("z",),
                    "z value of the sets at equal t, defined below",
                ),
            ),
            *(_are_records, "is not a list of records"),
        ),
        Keys(
            ("inversion",),
            "`update` and `train_error`: t* and eps*, means over the inverting runs; null unless the verdict "
            "of find-stragglers is `inversion`",
        ),
        Keys(
            ("summary",),
            "`runs`: number of runs used; `diverged`: number of runs left out because they diverged; "
            "`examples`: mean of P over pairs",
        ),
    ),
)
COLUMNS = (
    *("update", "train_error", "size_mean", "z", "kappa", "kappa_low", "kappa_high", "jaccard"),
    *("runs", "pairs"),
)
_WHOLE = ("update", "runs", "pairs")
_INVERSION = ("update", "train_error")
_SUMMARY = ("runs", "diverged", "examples")
_FIELDS = {"update": "updates"}  # the field of a Stability, where it differs from the column
_DIGITS = 6


def stability_object(history, agreement, recipe):
    """Return the JSON object for the Stability `agreement` of a History.

    recipe : dict of the options that it was computed with.
    """
    columns = {name: getattr(agreement, _FIELDS.get(name, name)) for name in COLUMNS}
    columns |= {name: np.round(columns[name], _DIGITS) for name in COLUMNS if name not in _WHOLE}
    summary = (agreement.taken, agreement.diverged, agreement.examples)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return {
        "strag": stamp(
            "stability",
            recipe=recipe,
            inputs={"history": history.meta.get("inputs", {}), "training": history.recipe},
            origin=history.meta["origin"],
            origin_size=history.meta.get("origin_size"),
            classes=list(history.classes),
            title=history.meta.get("title"),
            command=history.meta.get("command"),
            **carried(history),
        ),
        "inversion": agreement.inversion and dict(zip(_INVERSION, agreement.inversion, strict=True)),
        "summary": dict(zip(_SUMMARY, summary, strict=True)),
        "records": [dict(zip(COLUMNS, row, strict=True)) for row in rows],
    }


def read(opened):
    """Return the Stability in an open Document.

    Raises StragError for values that `stability_object` does not write.
    """
    value, source = SPEC.check(opened), opened.name
    columns = {name: _column(value, name, source) for name in COLUMNS}
    has_inversion = value.get("inversion") is not None
    taken, diverged, examples = _numbers(value, "summary", _SUMMARY, source)
    recipe, inputs = (_object(value["strag"], name) for name in ("recipe", "inputs"))
    if "bootstrap" in recipe:  # an older file, whose intervals are too narrow
        columns |= {name: np.full(len(columns[name]), np.nan) for name in ("kappa_low", "kappa_high")}
    return Stability(
        updates=columns.pop("update"),
        **columns,
        inversion=_numbers(value, "inversion", _INVERSION, source) if has_inversion else None,
        taken=int(taken),
        diverged=int(diverged),
        which=ALL if recipe.get("pairs") == ALL else DISJOINT,
        examples=examples,
        title=value["strag"].get("title"),
        classes=tuple(value["strag"].get("classes") or ()),
        recipe=_object(inputs, "training"),
        recording=value["strag"].get("recording"),
        measured=value["strag"].get("layers") != [],
        source=source,
    )


def _object(value, name):
    """Return the object under a key, or an empty one."""
    return value[name] if isinstance(value.get(name), dict) else {}


def _numbers(value, name, keys, source):
    """Return the numbers under these keys of the object `name`: tuple of float."""
    values = numbers([_object(value, name).get(key) for key in keys])
    if values is None or not np.isfinite(values).all():
        raise SPEC.fault(f"'{name}' does not have numbers for {' and '.join(keys)}", source)
    return tuple(values.tolist())


def _column(value, name, source):
    """Return the value under one key of every record: int64 or float64 [T]."""
    records = value["records"]
    if not all(name in record for record in records):
        raise SPEC.fault(f"has records without '{name}'", source)
    column = numbers([record[name] for record in records], whole=name in _WHOLE)
    if column is None or (name == "train_error" and not ((column >= 0) & (column <= 1)).all()):
        raise SPEC.fault(f"has a record with an invalid '{name}'", source)
    return column
