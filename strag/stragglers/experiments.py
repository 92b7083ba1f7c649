"""Experiment: the runs of one training, with the quantities that a summary compares."""

import json
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from strag.errors import StragError
from strag.stragglers.conditions import OF_TRAINING
from strag.stragglers.inversion import FEWEST, INVERSION, Inversion
from strag.stragglers.recipe import network_of, step_size
from strag.stragglers.run_finding import RunReference
from strag.stragglers.sets import SET_NAMES, excess_errors
from strag.words import number_of

DEPTHS = ("depth", "horizon")  # reported together; only the depth up to 4 t* is compared
TOLD = ("train_error", "test_error", "gap", "lr_update", "depth_at_4", "stragglers")
AT_INVERSION = (*TOLD, *DEPTHS)  # of inverting runs
AT_END = ("examples_trained", "last_test_error")  # of all runs
COMPARED = (  # of all runs with a reference, or with a network that left out as many random examples
    *("stopped_test_error", "reference_test_error", "right_test_error", "wrong_test_error", "excess_error"),
)
AT_NOISE = ("last_test_error", "stopped_test_error", "reference_test_error", "excess_error")
UNBOUNDED = ("gap", "excess_error")  # other quantities are at least 0, and other errors at most 1
LAWFUL = ("train_error", "test_error", "gap", "lr_update")  # to which a law of size is fitted
QUANTITIES = AT_INVERSION + AT_END + COMPARED


def at_noise(name, noise):
    """The name of a quantity in AT_NOISE on test inputs with noise of this standard deviation: str."""
    return f"{name}@{noise:g}" if noise else name


@dataclass(frozen=True)
class Run:
    """One run of an experiment.

    block : identity of the origin of its data.
    start : tuple that identifies its initial weights: two runs with equal starts and blocks have equal
        weights.
    verdict : see `strag.stragglers.inversion`. updates : number of updates of its training, 0 if unknown.
    values : dict of quantity to float, NaN if the run has no value. `gap` is eps* minus the test error at t*.
        Quantities that are measured with noise are named by `at_noise`.
    """

    block: str
    start: tuple
    verdict: str
    updates: int
    values: dict


@dataclass(frozen=True)
class Experiment:
    """The runs of one training.

    settings : dict of the settings of network, optimiser, data and analysis. runs : tuple of Run.
    test_examples : Q, None if unknown. source : the file's name, for messages.
    identity : identity of the stragglers in the file. layers : the measured layers in their order.
    """

    settings: dict
    runs: tuple
    test_examples: int | None = None
    source: str = "stragglers"
    identity: str = ""
    layers: tuple = ()


_UNUSUAL = ("no_bias", "standardise")  # settings that are in a recipe only if they are not the usual ones
OF_FINDING = ("observable", "layer", "rule", "at", "per_class", "min_misclassified")
_USUAL = {"min_misclassified": FEWEST}  # values of settings that older files lack
# With the number of groups they give the form of initial weights.
_NETWORK = ("model", "factory", "source", "model_args", "channels", "depth", "width", "no_bias")
_AGAIN = "create it again with 'strag find-stragglers'"
_LARGEST = 2**53


def experiments_of(finding):
    """The Experiments in a Finding: list of one Experiment, or of one per kind of set in a sweep.

    Raises StragError for a Finding without runs, and for one with invalid values.
    """
    sizes = (finding.summary.examples, finding.summary.test_examples)
    if not finding.runs:
        raise StragError("has no runs", _AGAIN, finding.source)
    settings = _settings(finding)
    if not all(map(_is_plain, settings.values())):
        raise StragError("has settings that cannot be read", _AGAIN, finding.source)
    kinds = {}
    try:
        if not all(size is None or 0 < size < _LARGEST for size in sizes):
            raise ValueError
        for run, kind in zip(_runs(finding), _kinds(finding.runs), strict=True):
            kinds.setdefault(kind, []).append(run)
    except (AttributeError, LookupError, TypeError, ValueError):
        raise StragError("has runs that cannot be read", _AGAIN, finding.source) from None
    described = (sizes[1], finding.source, finding.identity, _measured(finding))
    return [
        Experiment({**settings, **dict(kind)}, tuple(members), *described) for kind, members in kinds.items()
    ]


def _settings(finding):
    """The settings of an experiment: dict."""
    meta, history = finding.meta, _history(finding)
    return {
        "data": meta.get("title"),
        "groups": ", ".join(map(str, meta.get("classes") or [])),
        "examples": finding.summary.examples,
        **{name: finding.training.get(name) for name in OF_TRAINING},
        **{name: finding.training[name] for name in _UNUSUAL if finding.training.get(name)},
        **_model(finding.training),
        **({"recording": finding.recording} if finding.recording else {}),
        **{name: finding.recipe.get(name, _USUAL.get(name)) for name in OF_FINDING},
        "layer": finding.layer,
        "pruned": _pruned(finding),
        "without": _short(history.get("without")),
    }


def _model(training):
    """The settings of networks that are no perceptrons, as texts: dict, empty for perceptrons."""
    settings = {"model": network_of(training), "source": _short(training.get("source"))}
    if training.get("channels"):
        settings["channels"] = ",".join(map(str, training["channels"]))
    if training.get("model_args"):
        settings["model_args"] = _canonical(training["model_args"])
    return {name: text for name, text in settings.items() if text}


def _history(finding):
    """The identities of the inputs of the training: dict."""
    return (finding.meta.get("inputs") or {}).get("history") or {}


def _measured(finding):
    """The measured layers of the training, in the order of the forward pass: tuple."""
    return tuple(filter(_is_plain, finding.measured_layers))


def _pruned(finding):
    """How many examples pruned data lack, and the first digits of their identity; None for a whole data set.

    The digits distinguish prunings of the same size.
    """
    examples, size = finding.summary.examples, finding.meta.get("origin_size")
    identity = _short(_history(finding).get("data"))
    if examples is None or size in (None, examples) or identity is None:
        return None
    return f"{number_of(size - examples, 'example')} ({identity})"


def _short(identity):
    """The first 8 digits of an identity; None for other values."""
    return identity[:8] if isinstance(identity, str) else None


def _is_plain(value):
    """Whether a value is a text, a number that is not too large, or None."""
    if value is None or isinstance(value, (str, bool)):
        return True
    return isinstance(value, (int, float)) and abs(value) < _LARGEST


def _runs(finding):
    """The Run of every RunFinding: list."""
    training, runs = finding.training, finding.runs
    weights = (_canonical(training.get("seed")), _canonical(_history(finding).get("init")))
    if training.get("seed") is None:  # then only identical runs are known to start from the same weights
        weights = (sha256(_canonical(list(map(_distinctive, runs))).encode()).hexdigest(),)
    groups = len(finding.meta.get("classes") or [])
    shape = (*(str(training.get(name)) for name in _NETWORK), groups)
    step, noise = step_size(training), training.get("noise") or [0.0]
    excess = _excess(runs, finding.summary.examples)
    return [
        Run(
            block=finding.origin,
            start=(*weights, _started_as(run), *shape),
            verdict=run.inversion.verdict,
            updates=run.last_update or 0,
            values=_values(run, step) | _at_noise(run, errors, noise),
        )
        for run, errors in zip(runs, excess, strict=True)
    ]


def _canonical(value):
    """A value as one line of JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _distinctive(run):
    """The values that distinguish a run from others: dict."""
    values = {
        "refined_update": run.inversion.update,
        "refined_train_error": run.inversion.train_error,
        "depth": run.inversion.depth,
        "prominence": run.inversion.prominence,
    }
    values = {name: None if value is None or np.isnan(value) else value for name, value in values.items()}
    return {"run": run.run, "verdict": run.inversion.verdict, **values}


def _started_as(run):
    """The number of the run from whose initial weights a run started. Raises ValueError if it is invalid."""
    number = run.left_out["run"] if run.left_out else run.run
    if type(number) is not int or not 0 <= number < _LARGEST:
        raise ValueError
    return number


def _kinds(runs):
    """The kind of set that each run left out: list of tuples of (name, value), empty for a run without a set.

    The kind is the control and the dose, and the update if a run has several sets of one control and dose.
    """
    sets = [run.left_out for run in runs if run.left_out is not None]
    distinct = {(left_out.get("control"), left_out.get("dose"), left_out.get("run")) for left_out in sets}
    names = ("control", "dose", *(("update",) if len(distinct) < len(sets) else ()))
    descriptions = [run.left_out or {} for run in runs]
    return [tuple((name, values[name]) for name in names if name in values) for values in descriptions]


def _excess(runs, examples):
    """`excess_errors` of the last test errors of the runs: float64 [R, S]."""
    kinds = [tuple((run.left_out or {}).get(name) for name in SET_NAMES) for run in runs]
    errors = np.array([run.last_test_error or () for run in runs], dtype=np.float64)
    if examples is None:
        return np.full(errors.shape, np.nan)
    trained = [examples if run.examples is None else run.examples for run in runs]
    return excess_errors(kinds, errors, examples - np.array(trained))


def _values(run, step):
    """The quantities of one run that do not depend on noise: dict of quantity to float, NaN if unknown.

    step : see `step_size`. Raises ValueError for invalid values.
    """
    inversion, reference = run.inversion, run.reference or RunReference()
    if inversion.verdict != INVERSION:
        inversion, test, stragglers = Inversion(inversion.verdict), None, None
    elif 0 <= inversion.train_error <= 1:
        test, stragglers = run.test_error, run.stragglers
    else:
        raise ValueError
    values = {
        "train_error": inversion.train_error,
        "test_error": test,
        "gap": None if test is None else inversion.train_error - test,
        "lr_update": inversion.update * step if inversion.update is not None and step else None,
        **{name: getattr(inversion, name) for name in ("depth", "depth_at_4", "horizon")},
        "stragglers": stragglers,
        "examples_trained": run.examples,
        **{name: getattr(reference, name) for name in ("right_test_error", "wrong_test_error")},
    }
    return {name: _number(value) for name, value in values.items()}


def _at_noise(run, excess, noise):
    """The quantities of one run at every noise on the test inputs: dict of name to float, NaN if unknown."""
    reference = run.reference or RunReference()
    measured = (run.last_test_error, reference.stopped_test_error, reference.test_error, excess.tolist())
    return {
        at_noise(name, level): _number(errors[number] if errors else None)
        for name, errors in zip(AT_NOISE, measured, strict=True)
        for number, level in enumerate(noise)
    }


def _number(value):
    """A value as float, NaN for None. Raises ValueError for a number that is too large."""
    if value is None or np.isnan(value):
        return float("nan")
    if not abs(value) < _LARGEST:
        raise ValueError
    return float(value)
