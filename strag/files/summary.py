"""The kind `summary`: JSON, many experiments beside each other."""

from dataclasses import asdict, replace
from hashlib import sha256

import numpy as np

from strag.errors import StragError
from strag.files.canonical import canonical_json
from strag.files.jsonfile import read_json
from strag.files.stamp import check_fields, stamp
from strag.files.stragglers import stragglers_from
from strag.files.streams import name_of
from strag.stragglers.intervals import UNKNOWN, Level, share_interval
from strag.stragglers.inversion import CENSORED, FEWEST, INVERSION, NONE
from strag.stragglers.recipe import step_size
from strag.stragglers.sets import random_partners
from strag.stragglers.size_law import SizeLaw
from strag.stragglers.summary import (
    AT_NOISE,
    QUANTITIES,
    Condition,
    Experiment,
    Run,
    Summary,
    at_noise,
)

_TRAINING = (
    *("depth", "width", "activation", "optimizer", "lr", "momentum", "weight_decay"),
    *("batch_size", "own_order", "precision", "restandardise"),
)
_AGAIN = "make it again with 'strag find-stragglers'"
_FINDING = ("observable", "layer", "rule", "at", "per_class", "min_misclassified")
_USUAL = {"min_misclassified": FEWEST}  # of what files of before do not say
_TELLING = ("run", "verdict", "refined_update", "refined_train_error", "depth", "prominence")  # runs apart
_NETWORK = ("depth", "width")  # with the number of groups what shapes the initial weights
_ALWAYS = ("train_error", "test_error", "lr_update", "depth", "stragglers")  # in every summary, if null


def read_experiments(path):
    """The Experiments in a stragglers file, or stdin for '-': one, or one per kind of set of a sweep."""
    source = name_of(path)
    value = read_json(path, "stragglers")
    meta, runs, summary = value["strag"], value.get("runs"), value.get("summary")
    if not isinstance(runs, list) or not runs or not isinstance(summary, dict):
        raise StragError("has no runs", _AGAIN, source)
    examples, sizes = summary.get("examples"), (summary.get("examples"), summary.get("test_examples"))
    if not all(map(_is_run, runs)) or not all(size is None or _is_size(size) for size in sizes):
        raise StragError("has runs that cannot be read", _AGAIN, source)
    identity, inputs = stragglers_from(value, source).identity, meta.get("inputs") or {}
    training, finding = inputs.get("training") or {}, meta.get("recipe") or {}
    settings = {
        "data": meta.get("title"),
        "groups": ", ".join(map(str, meta.get("classes") or [])),
        "examples": examples,
        **{name: training.get(name) for name in _TRAINING},
        **{name: finding.get(name, _USUAL.get(name)) for name in _FINDING},
        "layer": _layer(finding.get("layer"), value.get("layers"), training.get("layers")),
        "pruned": _pruned(meta, inputs, examples),
        "without": _short((inputs.get("history") or {}).get("without")),
    }
    if not all(map(_is_plain, settings.values())):
        raise StragError("has settings that cannot be read", _AGAIN, source)
    try:
        kinds = {}
        for run, kind in zip(_runs(runs, meta, summary), _kinds(runs), strict=True):
            kinds.setdefault(kind, []).append(run)
        return [
            Experiment(
                {**settings, **dict(kind)}, tuple(members), summary.get("test_examples"), source, identity
            )
            for kind, members in kinds.items()
        ]
    except (AttributeError, LookupError, TypeError, ValueError):
        raise StragError("has runs that cannot be read", _AGAIN, source) from None


def _layer(told, profile, recorded):
    """The layer that the runs are about: null in files of before is the first, and `all` begins with it."""
    if told == "all" and isinstance(profile, list) and profile and isinstance(profile[0], dict):
        return profile[0].get("layer")
    first = recorded[0] if isinstance(recorded, list) and recorded else None
    known = int(told) if isinstance(told, str) and told.isdecimal() else told
    return first if told in (None, "all") else known


def _pruned(meta, inputs, examples):
    """What tells data pruned from one data set apart: part of its identity, null for all of it."""
    identity = (inputs.get("history") or {}).get("data")
    whole = examples is None or meta.get("origin_size") in (None, examples)
    return None if whole else _short(identity)


def _short(identity):
    """Enough of an identity to tell it apart, None for what is none."""
    return identity[:8] if isinstance(identity, str) else None


def _is_plain(value):
    """Whether it is a text, a number of usual size, or null."""
    return value is None or isinstance(value, (str, bool)) or (_is_number(value) and abs(value) < 2**53)


def _is_number(value):
    return isinstance(value, (int, float))


def _runs(runs, meta, summary):
    """The Run of every entry of `runs`."""
    inputs = meta.get("inputs") or {}
    training, history = inputs.get("training") or {}, inputs.get("history") or {}
    weights = (canonical_json(training.get("seed")), canonical_json(history.get("init")))
    if training.get("seed") is None:  # nobody knows which runs start alike, but those that are the same
        told = [{name: run.get(name) for name in _TELLING} for run in runs]
        weights = (sha256(canonical_json(told).encode()).hexdigest(),)
    shape = (*(str(training.get(name)) for name in _NETWORK), len(meta.get("classes") or []))
    excess = _excess(runs, summary.get("examples"))
    return [
        Run(
            block=str(meta.get("origin")),
            start=(*weights, _count((run.get("set") or run)["run"] + 0), *shape),
            verdict=run["verdict"],
            updates=_count(run.get("last_update")),
            values=_values({**run, "excess": errors}, step_size(training), training.get("noise") or [0.0]),
        )
        for run, errors in zip(runs, excess, strict=True)
    ]


def _count(value):
    """A number of updates, 0 for none; ValueError for what is no such number."""
    if value is not None and not (type(value) is int and 0 <= value < 2**53):
        raise ValueError
    return value or 0


def _kinds(runs):
    """Of every run, what kind of set it left out: tuple of pairs, empty for a history without sets."""
    names = _kind_names(runs)
    told = [run.get("set") or {} for run in runs]
    return [tuple((key, one[key]) for key in names if key in one) for one in told]


def _is_run(run):
    """Whether it is an object with a known verdict, and says of its set, if anything, numbers and texts."""
    if not isinstance(run, dict) or run.get("verdict") not in (INVERSION, NONE, *CENSORED):
        return False
    told = run.get("set") or {}
    return isinstance(told, dict) and all(isinstance(value, (int, float, str)) for value in told.values())


def _is_size(value):
    return type(value) is int and 0 < value < 2**53


def _excess(runs, examples):
    """What each run's last test error has over that of its control, per example left out: list, one per run.

    An item is a list over noise levels for a network that left out a set, where one network of the same
    run, update and dose left out as many at random; else empty.
    """
    sets = [run.get("set") or {} for run in runs]
    kinds = [tuple(one.get(name) for name in ("run", "update", "dose", "control")) for one in sets]
    found = []
    for run, beside in zip(runs, random_partners(kinds), strict=True):
        known = beside is not None and examples is not None
        removed = examples - run.get("examples", examples) if known else 0
        pairs = zip(_ends(run), _ends(runs[beside]), strict=True) if removed else ()
        found.append([(own - other) / removed for own, other in pairs])
    return found


def _ends(run):
    """Last test error per noise level: list of float, NaN where it is not known."""
    return [np.nan if error is None else error for error in run.get("last_test_error") or []]


def _kind_names(runs):
    """What tells the sets of a sweep apart: control and dose, and the update where a run has many sets."""
    sets = [run["set"] for run in runs if isinstance(run.get("set"), dict)]
    apart = {(one.get("control"), one.get("dose"), one.get("run")) for one in sets}
    return ("control", "dose", *(("update",) if len(apart) < len(sets) else ()))


def _values(run, step, noise):
    """What one run says: dict of quantity to float, NaN for what it does not say."""
    at, beside = (run if run["verdict"] == INVERSION else {}), run.get("reference") or {}
    train, test, update = (at.get(name) for name in ("refined_train_error", "test_error", "refined_update"))
    values = {
        "train_error": train,
        "test_error": test,
        "gap": None if test is None else train - test,
        "lr_update": update * step if at and step else None,
        **{name: at.get(name) for name in ("depth", "depth_at_4", "horizon", "stragglers")},
        "examples_trained": run.get("examples"),
        **{name: beside.get(name) for name in ("right_test_error", "wrong_test_error")},
    }
    if at and not 0 <= train <= 1:  # an inversion has one
        raise ValueError
    measured = (_ends(run), beside.get("stopped_test_error"), beside.get("test_error"), run["excess"])
    for name, errors in zip(AT_NOISE, measured, strict=True):
        for number, level in enumerate(noise):
            values[at_noise(name, level)] = errors[number] if errors else None
    return {name: _number(value) for name, value in values.items()}


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

    Raises StragError for what `summary_object` does not write.
    """
    check_fields(value["strag"], source)
    is_old = "repeated" not in value  # of 0.1, whose intervals of shares and laws did not hold
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
            "has conditions that cannot be read", "make it again with 'strag summary'", source
        ) from None
    if not conditions:
        raise StragError("has no conditions", "make it again with 'strag summary'", source)
    return Summary(conditions, varies, laws, value["strag"].get("title"), source)


def _share(one, is_old):
    """The interval of the share of runs that invert; in a file of before from its runs, if on one block."""
    if not is_old:
        return _number(one["low"]), _number(one["high"])
    censored = sum(number for verdict, number in one.get("verdicts", {}).items() if verdict in CENSORED)
    known = one["blocks"] == 1 and one.get("verdicts")
    return share_interval([(one["inverting"], censored, one["runs"])] if known else [])


def _without_intervals(law):
    ends = [f"{name}_{end}" for name in ("limit", "b", "limit_one") for end in ("low", "high")]
    again = "its intervals are of before; make the summary again"
    return replace(law, **dict.fromkeys(ends, np.nan), identifiable=False, reason=again)


def _levels(one):
    """Level of every quantity of a condition; what summaries of before do not have need not be there."""
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
