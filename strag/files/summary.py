"""The kind `summary`: JSON, many experiments beside each other."""

from dataclasses import asdict

import numpy as np

from strag.errors import StragError
from strag.files.canonical import canonical_json
from strag.files.jsonfile import read_json
from strag.files.stamp import check_fields, stamp
from strag.files.stragglers import stragglers_from
from strag.files.streams import name_of
from strag.stragglers.intervals import UNKNOWN, Level
from strag.stragglers.inversion import FEWEST, INVERSION
from strag.stragglers.recipe import step_size
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
from strag.stragglers.sweeps import random_partners

_TRAINING = (
    *("depth", "width", "activation", "optimizer", "lr", "momentum", "weight_decay"),
    *("batch_size", "own_order", "precision"),
)
_AGAIN = "make it again with 'strag find-stragglers'"
_FINDING = ("observable", "layer", "rule", "at", "per_class", "min_misclassified")
_USUAL = {"min_misclassified": FEWEST}  # of what files of before do not say
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
        "without": (inputs.get("history") or {}).get("without"),
    }
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


def _runs(runs, meta, summary):
    """The Run of every entry of `runs`."""
    inputs = meta.get("inputs") or {}
    training, history = inputs.get("training") or {}, inputs.get("history") or {}
    weights = (training.get("seed"), canonical_json(history.get("init")))
    shape = (*(training.get(name) for name in _NETWORK), len(meta.get("classes") or []))
    excess = _excess(runs, summary.get("examples"))
    return [
        Run(
            block=str(meta.get("origin")),
            start=(*weights, int((run.get("set") or run)["run"]), *shape),
            verdict=run["verdict"],
            updates=run.get("last_update") or 0,
            values=_values({**run, "excess": errors}, step_size(training), training.get("noise") or [0.0]),
        )
        for run, errors in zip(runs, excess, strict=True)
    ]


def _kinds(runs):
    """Of every run, what kind of set it left out: tuple of pairs, empty for a history without sets."""
    names = _kind_names(runs)
    told = [run.get("set") or {} for run in runs]
    return [tuple((key, one[key]) for key in names if key in one) for one in told]


def _is_run(run):
    """Whether it is an object with a verdict; what it says of its set, if anything, are numbers, texts."""
    if not isinstance(run, dict) or not isinstance(run.get("verdict"), str):
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
    if at:
        values["train_error"] = float(train)  # an inversion has one
    measured = (_ends(run), beside.get("stopped_test_error"), beside.get("test_error"), run["excess"])
    for name, errors in zip(AT_NOISE, measured, strict=True):
        for number, level in enumerate(noise):
            values[at_noise(name, level)] = errors[number] if errors else None
    return {name: np.nan if value is None else float(value) for name, value in values.items()}


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
    try:
        conditions = tuple(
            Condition(
                str(one["label"]),
                dict(one["settings"]),
                one["examples"],
                *(int(one[name]) for name in ("blocks", "runs", "inverting")),
                *(_number(one[name]) for name in ("low", "high")),
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
        varies = tuple(str(name) for name in value["varies"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise StragError(
            "has conditions that cannot be read", "make it again with 'strag summary'", source
        ) from None
    if not conditions:
        raise StragError("has no conditions", "make it again with 'strag summary'", source)
    return Summary(conditions, varies, laws, value["strag"].get("title"), source)


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
