"""The kind `summary`: a JSON object that compares many experiments."""

from dataclasses import asdict, replace

import numpy as np

from strag.errors import StragError
from strag.files.stamp import check_fields, stamp
from strag.stragglers.experiments import QUANTITIES
from strag.stragglers.intervals import UNKNOWN, Level, share_interval
from strag.stragglers.inversion import CENSORED
from strag.stragglers.size_law import SizeLaw
from strag.stragglers.summary import Condition, Summary

_ALWAYS = (
    "train_error",
    "test_error",
    "lr_update",
    "depth",
    "stragglers",
)  # keys of every condition; their values may be null


def summary_object(summary, experiments):
    """Return the JSON object for the Summary of a list of Experiments."""
    sources = sorted({experiment.identity for experiment in experiments})
    return {
        "strag": stamp("summary", recipe={}, inputs={"stragglers": sources}, title=summary.title),
        "varies": list(summary.varies),
        "repeated": summary.repeated,
        "laws": {name: asdict(law) for name, law in summary.laws.items()},
        "conditions": [_condition_object(condition) for condition in summary.conditions],
    }


def _condition_object(condition):
    """Return the JSON object for a Condition."""
    kept = ("label", "examples", "blocks", "runs", "inverting", "low", "high", "verdicts", "test_examples")
    kept += ("settings",)
    differences = _level_objects(condition.differences)
    fields = {name: getattr(condition, name) for name in kept}
    return {**fields, **_level_objects(condition.levels), "differences": differences}


def _level_objects(levels):
    """Return the dict of quantity to the JSON object of its Level; null for an unknown Level."""
    return {name: None if np.isnan(level.mean) else asdict(level) for name, level in levels.items()}


def summary_from(value, source):
    """Return the Summary in a JSON object. It has no values of single runs.

    source : name of the file in messages. Raises StragError for values that `summary_object` does not write.
    """
    check_fields(value["strag"], source)
    is_old = "repeated" not in value  # written by strag 0.1, whose intervals of shares and laws are wrong
    try:
        conditions = tuple(
            Condition(
                str(entry["label"]),
                dict(entry["settings"]),
                entry["examples"],
                *(int(entry[name]) for name in ("blocks", "runs", "inverting")),
                *_share(entry, is_old),
                _levels(entry),
                {str(verdict): int(number) for verdict, number in entry.get("verdicts", {}).items()},
                {},
                {name: _level(level) for name, level in entry.get("differences", {}).items()},
                entry.get("test_examples"),
            )
            for entry in value["conditions"]
        )
        laws = {
            name: SizeLaw(**{k: v if isinstance(v, (bool, str)) else _number(v) for k, v in law.items()})
            for name, law in value["laws"].items()
        }
        laws = {name: _without_intervals(law) for name, law in laws.items()} if is_old else laws
        varies = tuple(str(name) for name in value["varies"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise StragError(
            "has conditions that cannot be read", "create it again with 'strag summary'", source
        ) from None
    if not conditions:
        raise StragError("has no conditions", "create it again with 'strag summary'", source)
    return Summary(conditions, varies, laws, value["strag"].get("title"), source)


def _share(entry, is_old):
    """Return the interval (low, high) of the share of runs that invert, from the object of a condition.

    For an older file, the interval is computed from the numbers of runs if there is one block.
    """
    if not is_old:
        return _number(entry["low"]), _number(entry["high"])
    censored = sum(number for verdict, number in entry.get("verdicts", {}).items() if verdict in CENSORED)
    is_known = entry["blocks"] == 1 and entry.get("verdicts")
    return share_interval([(entry["inverting"], censored, entry["runs"])] if is_known else [])


def _without_intervals(law):
    """Return a SizeLaw of an older file without its intervals."""
    ends = [f"{name}_{end}" for name in ("limit", "b", "limit_one") for end in ("low", "high")]
    again = "its intervals come from an older strag; create the summary again"
    return replace(law, **dict.fromkeys(ends, np.nan), identifiable=False, reason=again)


def _levels(entry):
    """Return the dict of quantity to Level of a condition. Older summaries lack some quantities."""
    noisy = [name for name in entry if "@" in name]
    names = [name for name in QUANTITIES if name in _ALWAYS or name in entry]
    return {name: _level(entry[name]) for name in (*names, *noisy)}


def _level(value):
    """Return the Level in a JSON object; UNKNOWN for null."""
    if value is None:
        return UNKNOWN
    return Level(**{name: _number(value[name]) for name in Level.__dataclass_fields__})


def _number(value):
    """Return a JSON number as a float; NaN for null."""
    if value is None:
        return float("nan")
    if not abs(value) < 2**53:
        raise ValueError
    return float(value)


def read(opened):
    """Return the Summary in an open Document, see `summary_from`."""
    return summary_from(opened.value, opened.name)
