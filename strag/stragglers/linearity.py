"""Linearity: how linear the networks of a weights file are along training, and at the inversion."""

from dataclasses import dataclass, field

import numpy as np

from strag.errors import StragError
from strag.stragglers.intervals import mean_of
from strag.stragglers.inversion import INVERSION
from strag.stragglers.recipe import differing, in_words
from strag.words import Brief, number_of

TIMES = (0.25, 1.0, 4.0)  # multiples of t* at which means over runs are reported
FARTHEST = 2.0  # a stored update counts as being at t if the larger is at most so many times the other
QUANTITIES = ("train_error", "r2", "agreement")


@dataclass(frozen=True)
class Moment:
    """Means over runs, each at the stored update that is nearest in ln t to a multiple of its own t*.

    Attributes
    ----------
    times : the multiple. runs : number of inverting runs with a stored update near it, see FARTHEST.
    update, train_error, r2, agreement : means over these runs, NaN without a value.
    r2_std, agreement_std : standard deviations over these runs, NaN for fewer than two.
    """

    times: float
    runs: int
    update: float
    train_error: float
    r2: float
    r2_std: float
    agreement: float
    agreement_std: float


@dataclass(frozen=True, repr=False)
class Linearity(Brief):
    """How linear R networks are at U stored updates.

    Attributes
    ----------
    runs : the R run numbers.
    updates : int64 [U, R], the number of updates of each network.
    train_error : float64 [U, R], over the examples that the run was trained on.
    r2, agreement : float64 [U, R], see `strag.geometry.linearity`; NaN if they are not known.
    fitted, tested, inputs, directions : int64 [R], numbers of rows fitted and tested, of inputs that vary
        over the fitted rows, and of directions of the inputs that are used. Unless there are more rows than
        inputs + 1, nothing is fitted.
    inversion : float64 [2, R], t* and eps* of each run, NaN for a run without an inversion; None if they were
        not given.
    meta : the stamp without format, kind and version. source : a file's name, for messages.
    """

    runs: tuple
    updates: np.ndarray
    train_error: np.ndarray
    r2: np.ndarray
    agreement: np.ndarray
    fitted: np.ndarray
    tested: np.ndarray
    inputs: np.ndarray
    directions: np.ndarray
    inversion: np.ndarray | None = None
    meta: dict = field(default_factory=dict)
    source: str = "linearity"

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        runs, updates = number_of(len(self.runs), "run"), number_of(len(self.updates), "update")
        return f"{runs} at {updates}, {int(np.isfinite(self.r2).sum())} fits"

    @property
    def few(self):
        """Whether a run has too few rows for a fit: bool [R]."""
        return (self.fitted <= self.inputs + 1) | (self.tested == 0)

    @property
    def title(self):
        """The title of the data set, or None."""
        return self.meta.get("title")

    @property
    def recipe(self):
        """The recipe of the training: dict."""
        return self.meta.get("recipe") or {}

    @property
    def moments(self):
        """The Moment at every multiple in TIMES: tuple, empty if no run inverts."""
        if self.inversion is None or not np.isfinite(self.inversion[0]).any():
            return ()
        return tuple(self._moment(times) for times in TIMES)

    def _moment(self, times):
        places = [self._nearest(run, times * t) for run, t in enumerate(self.inversion[0])]
        chosen = [(place, run) for run, place in enumerate(places) if place is not None]
        values = {name: [getattr(self, name)[where] for where in chosen] for name in ("updates", *QUANTITIES)}
        means = {name: mean_of(column) for name, column in values.items()}
        spreads = {f"{name}_std": _spread(values[name]) for name in ("r2", "agreement")}
        return Moment(times, len(chosen), means.pop("updates"), **means, **spreads)

    def _nearest(self, run, t):
        """Position of the stored update of a run that is nearest to t in ln t; None if none is near."""
        stored = self.updates[:, run]
        if not np.isfinite(t) or not (stored > 0).any():
            return None
        distance = np.full(len(stored), np.inf)
        distance[stored > 0] = np.abs(np.log(stored[stored > 0] / t))
        place = int(distance.argmin())
        return place if distance[place] <= np.log(FARTHEST) else None


def _spread(values):
    """The standard deviation of the finite values; NaN for fewer than two."""
    finite = np.asarray(values)[np.isfinite(values)]
    return float(finite.std(ddof=1)) if finite.size > 1 else np.nan


def inversions_of(finding, runs, recipe, source):
    """The inversion of each of these runs in a Finding: float64 [2, R], t* and eps*, NaN without one.

    runs : run numbers of networks that were trained with `recipe`. source : the name of their file.

    Raises StragError for a Finding of networks that started or trained differently, and for one that has none
    of the runs.
    """
    difference = differing(recipe, finding.training)
    if difference is not None:
        theirs, ours, _ = in_words(*difference)
        problem = f"is of a training {theirs}, but {source} of one {ours}"
        raise StragError(problem, "pass the stragglers of the same training", finding.source)
    known = {run.run: run.inversion for run in finding.runs}
    if not any(run in known for run in runs):
        problem = f"has none of the runs of {source}"
        raise StragError(problem, "pass the stragglers of the same training", finding.source)
    pairs = np.full((2, len(runs)), np.nan)
    for place, run in enumerate(runs):
        inversion = known.get(run)
        if inversion is not None and inversion.verdict == INVERSION:
            pairs[:, place] = inversion.update, inversion.train_error
    return pairs
