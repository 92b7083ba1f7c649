"""The kind `summary`: JSON, many experiments compared with each other."""

from dataclasses import asdict, replace

import numpy as np

from strag.errors import StragError
from strag.files.stamp import check_fields, stamp
from strag.stragglers.experiments import QUANTITIES
from strag.stragglers.intervals import UNKNOWN, Level, share_interval
from strag.stragglers.inversion import CENSORED
from strag.stragglers.size_law import SizeLaw
from strag.stragglers.summary import Condition, Summary

_ALWAYS = ("train_error", "test_error", "lr_update", "depth", "stragglers")  # in every summary, possibly null


def summary_object(found, experiments):
    """The JSON object for a Summary of Experiments."""
    sources = sorted({one.identity for one in experiments})
    return {
        "strag": stamp("summary", recipe={}, inputs={"stragglers": sources}, title=found.title),
        "varies": list(found.varies),
        "repeated": found.repeated,
        "laws": {name: asdict(law) for name, law in found.laws.items()},
        "conditions": [_told(condition) for condition in found.conditions],
    }


def _told(condition):
    kept = ("label", "examples", "blocks", "runs", "inverting", "low", "high", "verdicts", "test_examples")
    kept += ("settings",)
    differences = _told_levels(condition.differences)
    told = {name: getattr(condition, name) for name in kept}
    return {**told, **_told_levels(condition.levels), "differences": differences}


def _told_levels(levels):
    return {name: None if np.isnan(level.mean) else asdict(level) for name, level in levels.items()}


def summary_from(value, source):
    """The Summary in a JSON object, without the values of single runs.

    Raises StragError for values that `summary_object` does not write.
    """
    check_fields(value["strag"], source)
    is_old = "repeated" not in value  # written by strag 0.1, whose intervals of shares and laws are wrong
    try:
        conditions = tuple(
            Condition(
                str(one["label"]),
                dict(one["settings"]),
                one["examples"],
                *(int(one[name]) for name in ("blocks", "runs", "inverting")),
                *_share(one, is_old),
                _levels(one),
                {str(verdict): int(number) for verdict, number in one.get("verdicts", {}).items()},
                {},
                {name: _level(told) for name, told in one.get("differences", {}).items()},
                one.get("test_examples"),
            )
            for one in value["conditions"]
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


def _share(one, is_old):
    """The interval of the share of runs that invert; for an older file with one block, from its runs."""
    if not is_old:
        return _number(one["low"]), _number(one["high"])
    censored = sum(number for verdict, number in one.get("verdicts", {}).items() if verdict in CENSORED)
    known = one["blocks"] == 1 and one.get("verdicts")
    return share_interval([(one["inverting"], censored, one["runs"])] if known else [])


def _without_intervals(law):
    ends = [f"{name}_{end}" for name in ("limit", "b", "limit_one") for end in ("low", "high")]
    again = "its intervals come from an older strag; create the summary again"
    return replace(law, **dict.fromkeys(ends, np.nan), identifiable=False, reason=again)


def _levels(one):
    """The Level of every quantity of a condition. Quantities that older summaries lack may be missing."""
    noisy = [name for name in one if "@" in name]
    names = [name for name in QUANTITIES if name in _ALWAYS or name in one]
    return {name: _level(one[name]) for name in (*names, *noisy)}


def _level(told):
    return (
        UNKNOWN
        if told is None
        else Level(**{name: _number(told[name]) for name in Level.__dataclass_fields__})
    )


def _number(value):
    if value is None:
        return float("nan")
    if not abs(value) < 2**53:
        raise ValueError
    return float(value)


def read(opened):
    """The Summary in an open Document."""
    return summary_from(opened.value, opened.name)
