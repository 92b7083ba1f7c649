"""The kind `stragglers`: a JSON object with the result of find-stragglers."""

from dataclasses import asdict
from functools import partial

import numpy as np

from strag.errors import StragError
from strag.files.parts import checked, listed, part_from, reading
from strag.files.stamp import check_fields, stamp
from strag.stragglers.finding import Finding, Population
from strag.stragglers.inversion import VERDICTS, Inversion
from strag.stragglers.original_classes import OriginalClass
from strag.stragglers.over_runs import LayerFinding, OverRuns
from strag.stragglers.run_finding import RunFinding, RunReference
from strag.stragglers.shortfall import Shortfall
from strag.stragglers.unknown import index_space

# Fields of dataclasses whose keys in the file have other names.
_OF_INVERSION = {"update": "refined_update", "train_error": "refined_train_error"}
_OF_CLASS = {"number": "class"}
# Keys of a run, in order. Those of its inversion are between the others.
_BEFORE = ("run", "update", "train_error")
_INVERSION_KEYS = (
    *("verdict", "update", "train_error", "depth", "prominence", "noise", "valley_update", "misclassified"),
    *("failed", "horizon", "depth_at_4", "excluded_below", "train_until", "unstable_from", "loss_rise"),
)
_AFTER = ("test_error", "last_test_error", "last_update", "examples", "stragglers")
_STAMPED = ("format", "kind", "version")
_AGAIN = "create it again with 'strag find-stragglers'"


def stragglers_object(finding):
    """Return the JSON object for a Finding."""
    layers, classes = finding.layers, finding.original_classes
    optional = {
        "layers": None if layers is None else [asdict(layer) for layer in layers],
        "classes_without": finding.classes_without,
        "classes_absent": finding.classes_absent,
    }
    return {
        "strag": stamp("stragglers", **finding.meta),
        "verdict": finding.verdict,
        "summary": asdict(finding.summary),
        "runs": [_run_object(run) for run in finding.runs],
        **{name: value for name, value in optional.items() if value is not None},
        "model": None if finding.model is None else asdict(finding.model),
        "model_unknown": finding.model_unknown,
        "indices": finding.indices,
        "examples": finding.examples,
        "original_classes": None if classes is None else [_class_object(original) for original in classes],
        "hard_direction": "a larger count or probability is a harder example",
        "index_space": index_space(finding.recording),
    }


def _run_object(run):
    """Return the JSON object for a RunFinding."""
    value = {
        **{name: getattr(run, name) for name in _BEFORE},
        **_inversion_object(run.inversion),
        **{name: getattr(run, name) for name in _AFTER},
    }
    if run.reference is not None:
        value["reference"] = asdict(run.reference)
    if run.left_out is not None:
        value["set"] = run.left_out
    if run.classes is not None:
        value["classes"] = {
            name: inversion and _inversion_object(inversion) for name, inversion in run.classes.items()
        }
    return value


def _inversion_object(inversion):
    """Return the JSON values of an Inversion."""
    return {_OF_INVERSION.get(name, name): getattr(inversion, name) for name in _INVERSION_KEYS}


def _class_object(original):
    """Return the JSON object for an OriginalClass."""
    return {_OF_CLASS.get(name, name): value for name, value in asdict(original).items()}


def read(opened):
    """Return the Finding in an open Document, see `stragglers_from`."""
    return stragglers_from(opened.value, opened.name)


def stragglers_from(value, source):
    """Return the Finding in a JSON object. Older files have fewer keys.

    value : the object. source : name of the file in messages. Raises StragError for indices that are not
    whole numbers, are outside the data set or occur twice, and for parts that cannot be read.
    """
    check_fields(value["strag"], source)
    indices, examples = _indices(value, source), value.get("examples")
    layers, classes, model = (value.get(name) for name in ("layers", "original_classes", "model"))
    with reading("runs", source, _AGAIN):
        runs = tuple(_run_from(run) for run in listed(value.get("runs")))
        summary = _with_shortfall(OverRuns, value.get("summary") or {})
    with reading("layers", source, _AGAIN):
        layers = _each(layers, partial(_with_shortfall, LayerFinding))
    with reading("original classes", source, _AGAIN):
        classes = _each(classes, partial(part_from, OriginalClass, names=_OF_CLASS))
    with reading("a model", source, _AGAIN):
        model = None if model is None else part_from(Population, model)
        unknown = checked(value.get("model_unknown"), str | None)
    with reading("classes", source, _AGAIN):
        names = ("classes_without", "classes_absent")
        without, absent = (_each(value.get(name), partial(checked, type_=str)) for name in names)
    return Finding(
        verdict=str(value.get("verdict")),
        indices=indices,
        meta={name: item for name, item in value["strag"].items() if name not in _STAMPED},
        summary=summary,
        runs=runs,
        layers=layers,
        model=model,
        model_unknown=unknown,
        examples=examples if isinstance(examples, dict) else {},
        original_classes=classes,
        classes_without=without,
        classes_absent=absent,
        source=source,
    )


def _indices(value, source):
    """Return the rows of the origin that the file lists under `indices`: int64."""
    indices, size = value.get("indices"), value["strag"].get("origin_size")
    size = size if isinstance(size, int) else np.iinfo(np.int64).max
    if not isinstance(indices, list) or not all(type(i) is int for i in indices):
        raise StragError("'indices' is not a list of whole numbers", _AGAIN, source)
    if indices and (min(indices) < 0 or max(indices) >= size):
        raise StragError("'indices' leaves the range of the data set", _AGAIN, source)
    if len(set(indices)) != len(indices):
        raise StragError("'indices' lists an example twice", _AGAIN, source)
    if not isinstance(value["strag"].get("origin"), str):
        raise StragError("does not say in which data set its indices count", _AGAIN, source)
    return np.asarray(indices, dtype=np.int64)


def _run_from(value):
    """Return the RunFinding in a JSON object."""
    reference, classes = value.get("reference"), value.get("classes")
    return part_from(
        RunFinding,
        value,
        {"left_out": "set"},
        inversion=_inversion_from(value),
        reference=None if reference is None else part_from(RunReference, reference),
        classes=None if classes is None else {name: _of_class(part) for name, part in classes.items()},
    )


def _of_class(value):
    """Return the Inversion of one class in a JSON object, or None for null."""
    return None if value is None else _inversion_from(value)


def _inversion_from(value):
    """Return the Inversion in a JSON object."""
    inversion = part_from(Inversion, value, _OF_INVERSION, record=None)
    if inversion.verdict not in VERDICTS:
        raise ValueError
    return inversion


def _with_shortfall(cls, value):
    """Return the instance of a dataclass with a field `shortfall` in a JSON object."""
    shortfall = value.get("shortfall")
    return part_from(cls, value, shortfall=None if shortfall is None else part_from(Shortfall, shortfall))


def _each(values, convert):
    """Return a JSON list as a tuple with `convert` applied to each item; None for null."""
    return None if values is None else tuple(convert(value) for value in listed(values))
