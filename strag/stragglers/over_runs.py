"""Statistics over runs: the `summary` of a Finding (OverRuns), and its `layers` (LayerFinding)."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from strag.stragglers.examples import CORE, FRINGE
from strag.stragglers.intervals import mean_of
from strag.stragglers.inversion import FEWEST, OPEN
from strag.stragglers.recipe import step_size
from strag.stragglers.run_finding import known
from strag.stragglers.shortfall import Shortfall, shortfall_of


@dataclass(frozen=True)
class OverRuns:
    """Numbers, means and standard deviations over the runs of a history; None for unknown values.

    Attributes
    ----------
    runs, inverting_runs : numbers of runs. verdicts : dict of verdict to number of runs.
    runs_with_a_set : number of runs. examples, test_examples : P and Q.
    train_error_mean, train_error_std, update_mean, update_std : over the inverting runs, of eps* and t*,
        refined.
    set_size_mean, set_size_std : over the runs with a set, of the sizes of the sets.
    shortfall : Shortfall of the runs without an inversion, or None.
    excluded_below, train_until : over the open runs, the smallest update below which an inversion is
        excluded, and the largest update up to which to train.
    indices, core, fringe : numbers of examples in the indices, and of those with each status.
    """

    runs: int | None = None
    inverting_runs: int | None = None
    verdicts: dict | None = None
    runs_with_a_set: int | None = None
    examples: int | None = None
    test_examples: int | None = None
    train_error_mean: float | None = None
    train_error_std: float | None = None
    update_mean: float | None = None
    update_std: float | None = None
    set_size_mean: float | None = None
    set_size_std: float | None = None
    shortfall: Shortfall | None = None
    excluded_below: float | None = None
    train_until: int | None = None
    indices: int | None = None
    core: int | None = None
    fringe: int | None = None


@dataclass(frozen=True)
class LayerFinding:
    """The inversion in one layer, over runs.

    Attributes
    ----------
    layer, verdict : the layer and its verdict over runs.
    lr_update_mean : mean of lr t*, which is comparable between learning rates; None if there is no lr, see
        `step_size`.
    depth_mean : mean over all runs. horizon_mean, depth_at_4_mean : means of T / t* and of the depth up to
        4 t* over the inverting runs; None unless known for each of these.
    All other attributes are as in OverRuns.
    """

    layer: int | str
    verdict: str
    inverting_runs: int | None = None
    runs: int | None = None
    verdicts: dict | None = None
    update_mean: float | None = None
    update_std: float | None = None
    train_error_mean: float | None = None
    train_error_std: float | None = None
    excluded_below: float | None = None
    train_until: int | None = None
    shortfall: Shortfall | None = None
    lr_update_mean: float | None = None
    depth_mean: float | None = None
    horizon_mean: float | None = None
    depth_at_4_mean: float | None = None


def over_runs(history, stragglers, chosen, fewest=FEWEST):
    """The OverRuns of a History.

    stragglers : Stragglers of the History. chosen : bool [P], the examples in the indices of the Finding.
    fewest : as for `find_stragglers`.
    """
    inverting, inversions, status = stragglers.inverting, stragglers.inversions, stragglers.status
    excluded = [run.excluded_below for run in inversions if run.verdict == OPEN]
    until = [run.train_until for run in inversions if run.train_until is not None]
    return OverRuns(
        runs=len(history.runs),
        inverting_runs=len(inverting),
        verdicts=dict(Counter(run.verdict for run in inversions)),
        runs_with_a_set=len(stragglers.sets),
        examples=history.examples,
        test_examples=history.test_examples,
        **_mean_and_std("train_error", [run.train_error for run in inverting]),
        **_mean_and_std("update", [run.update for run in inverting]),
        **_mean_and_std("set_size", stragglers.sets.sum(axis=1)),
        shortfall=shortfall_of(inversions, history.records, fewest),
        excluded_below=min(excluded) if excluded and None not in excluded else None,
        train_until=max(until) if until else None,
        indices=int(chosen.sum()),
        core=int((status == CORE).sum()) if stragglers.model else None,
        fringe=int((status == FRINGE).sum()) if stragglers.model else None,
    )


def layer_findings(history, profile, fewest=FEWEST):
    """The LayerFinding of every layer: tuple.

    profile : dict of layer to Stragglers. fewest : as for `find_stragglers`.
    """
    step = step_size(history.recipe)
    return tuple(_of_layer(history, layer, stragglers, step, fewest) for layer, stragglers in profile.items())


def _of_layer(history, layer, stragglers, step, fewest):
    """The LayerFinding of one layer. step : see `step_size`."""
    whole = over_runs(history, stragglers, stragglers.consensus, fewest)
    shared = OverRuns.__dataclass_fields__.keys() & LayerFinding.__dataclass_fields__.keys()
    mean = whole.update_mean
    return LayerFinding(
        layer=layer,
        verdict=stragglers.verdict,
        **{name: getattr(whole, name) for name in shared},
        lr_update_mean=None if mean is None or step is None else step * mean,
        depth_mean=known(mean_of([inversion.depth for inversion in stragglers.inversions])),
        horizon_mean=_of_each(stragglers.inverting, "horizon"),
        depth_at_4_mean=_of_each(stragglers.inverting, "depth_at_4"),
    )


def _of_each(inverting, name):
    """Mean over the inverting runs; None if a value is not known, since early inversions would bias it."""
    values = [getattr(inversion, name) for inversion in inverting]
    return None if None in values else known(mean_of(values))


def _mean_and_std(name, values):
    """The mean and standard deviation of values, None if unknown: dict of NAME_mean and NAME_std."""
    values = np.asarray(values)
    mean = values.mean() if values.size else None
    std = values.std(ddof=1) if values.size > 1 else None
    return {f"{name}_mean": known(mean), f"{name}_std": known(std)}
