"""A Finding through its file: what is written is read again, and written again as the same text."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from strag.datasets.names import Names
from strag.files.jsonfile import json_text
from strag.files.stragglers import stragglers_from, stragglers_object
from strag.stragglers.experiments import experiments_of
from strag.stragglers.find import Moment, find_stragglers
from strag.stragglers.finding import finding_of
from strag.stragglers.per_class import find_per_class
from strag.stragglers.profile import find_by_layer
from strag.stragglers.reference import reference_of
from tests.files.makers import refused
from tests.stragglers.test_reference import reference, without
from tests.views.histories import falling, made, valley
from tests.views.sweeps import sweep


def seeds(**options):
    """A History of six runs, one of which diverges and one of which does not invert."""
    return made([valley(20 + run) for run in range(5)] + [falling()], diverged=[4], **options)


def with_sets(history):
    """Sets that differ from run to run, so that there is a model."""
    random = np.random.default_rng(0)
    wrong = random.random((101, 6, 8), dtype=np.float32) * 255
    history = replace(history, misclassified=wrong.astype(np.uint8))
    return replace(history, names=Names.of([f"{n}.png" for n in range(64)]), y_test=np.arange(10))


def profile_of(history):
    found, profile = find_by_layer(history, "radius", "all")
    return finding_of(history, found, {"at": "inversion", "layer": "all"}, profile=profile)


def beside_reference():
    history, whole = without(), reference()
    beside = reference_of(history, whole, find_stragglers(whole))
    return finding_of(history, find_stragglers(history), {}, reference=beside)


def at_update(history):
    return finding_of(history, find_stragglers(history, at=Moment(update=50)), {"at": "50"})


@cache
def findings():
    history = with_sets(seeds())
    rising = replace(history, train_loss=np.where(np.arange(101)[:, None] > 60, np.inf, history.train_loss))
    return {
        "runs": finding_of(history, find_stragglers(history), {"at": "inversion"}),
        "core": finding_of(history, find_stragglers(history), {"at": "inversion"}, core=True),
        "update": at_update(seeds()),
        "layers": profile_of(seeds(layers=(1, 2, 3))),
        "classes": finding_of(history, find_per_class(history), {"at": "inversion"}),
        "diverged": finding_of(rising, find_stragglers(rising), {}),
        "sweep": finding_of(sweep(), find_stragglers(sweep()), {}),
        "reference": beside_reference(),
        "nothing": finding_of(made([falling()]), find_stragglers(made([falling()])), {}),
    }


@pytest.mark.parametrize("name", findings())
def test_what_is_written_is_read_again_and_written_as_the_same_text(name):
    finding = findings()[name]
    text = json_text(stragglers_object(finding))
    read = stragglers_from(json.loads(text), finding.source)
    assert repr(read) == repr(finding)  # of which NaN, too, is the same
    np.testing.assert_array_equal(read.indices, finding.indices)
    assert read.identity == finding.identity
    assert json_text(stragglers_object(read)) == text


def test_the_findings_above_hold_every_part():
    found = findings()
    assert found["runs"].model is not None
    assert found["runs"].runs[0].inversion.verdict == "inversion"
    assert found["runs"].runs[4].inversion.verdict == "diverged"
    assert found["runs"].examples["name"][0].endswith(".png")
    assert found["core"].indices.size < found["runs"].indices.size
    assert [layer.layer for layer in found["layers"].layers] == [1, 2, 3]
    assert set(found["classes"].runs[0].classes) == {"even", "odd"}
    assert found["sweep"].runs[5].left_out == {"run": 1, "update": 22, "dose": 0.5, "control": "class"}
    assert found["reference"].runs[0].reference.stopped_test_error is not None
    assert found["nothing"].summary.shortfall is not None
    assert found["nothing"].model_unknown


@pytest.mark.parametrize("name", findings())
def test_a_finding_that_was_read_holds_the_same_experiments(name):
    finding = findings()[name]
    read = stragglers_from(json.loads(json_text(stragglers_object(finding))), finding.source)
    assert repr(experiments_of(read)) == repr(experiments_of(finding))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"runs": 3}, "has runs that cannot be read"),
        ({"runs": {"0": {}}}, "has runs that cannot be read"),
        ({"runs": [{"run": 0}]}, "has runs that cannot be read"),
        ({"runs": [{"run": 0, "verdict": "perhaps"}]}, "has runs that cannot be read"),
        ({"runs": [{"run": -1, "verdict": "none"}]}, "has runs that cannot be read"),
        ({"runs": [{"run": 0.5, "verdict": "none"}]}, "has runs that cannot be read"),
        ({"runs": [{"run": True, "verdict": "none"}]}, "has runs that cannot be read"),
        ({"runs": [{"run": 0, "verdict": "none", "depth": "deep"}]}, "has runs that cannot be read"),
        ({"runs": [{"run": 0, "verdict": "none", "depth": 10**400}]}, "has runs that cannot be read"),
        ({"runs": [{"run": 0, "verdict": "none", "depth": float("nan")}]}, "has runs that cannot be read"),
        ({"runs": [{"run": 0, "verdict": "none", "last_test_error": [[1]]}]}, "has runs that cannot be read"),
        ({"runs": [{"run": 0, "verdict": "none", "set": {"run": None}}]}, "has runs that cannot be read"),
        ({"runs": [{"run": 0, "verdict": "none", "reference": 3}]}, "has runs that cannot be read"),
        ({"runs": [{"run": 0, "verdict": "none", "classes": {"a": 0}}]}, "has runs that cannot be read"),
        ({"summary": 3}, "has runs that cannot be read"),
        ({"summary": {"shortfall": {"condition": "depth"}}}, "has runs that cannot be read"),
        ({"summary": {"examples": -1}}, "has runs that cannot be read"),
        ({"layers": 0}, "has layers that cannot be read"),
        ({"layers": [{"layer": None, "verdict": "none"}]}, "has layers that cannot be read"),
        ({"model": []}, "has a model that cannot be read"),
        ({"model": {"a": 1.0}}, "has a model that cannot be read"),
        ({"model_unknown": 4}, "has a model that cannot be read"),
        ({"classes_absent": [1]}, "has classes that cannot be read"),
        ({"original_classes": ""}, "has original classes that cannot be read"),
    ],
    ids=str,
)
def test_parts_that_make_no_sense(change, words):
    value = json.loads(json_text(stragglers_object(findings()["nothing"])))
    refused(lambda: stragglers_from({**value, **change}, "s"), f"s: {words}", "strag find-stragglers")


def test_a_file_of_before_says_less():
    """Without what 0.1.0 did not write; a part that nobody knows is left alone."""
    value = json.loads(json_text(stragglers_object(findings()["runs"])))
    for name in ("original_classes", "model_unknown"):
        del value[name]
    for name in ("verdicts", "test_examples", "shortfall", "excluded_below", "train_until"):
        del value["summary"][name]
    for run in value["runs"]:
        for name in ("horizon", "depth_at_4", "failed", "misclassified", "valley_update", "loss_rise"):
            del run[name]
        run["colour"] = ["red"]
    read = stragglers_from(value, "s")
    assert read.summary.verdicts is read.original_classes is read.runs[0].inversion.horizon is None
    (experiment,) = experiments_of(read)
    assert [run.verdict for run in experiment.runs] == [run["verdict"] for run in value["runs"]]
    assert experiment.test_examples is None
