"""What became of the networks of a sweep, each trained without a set of examples of its own.

Beside them stands what their runs do when they train on all the examples.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, bad_usage
from strag.stragglers.find import find_stragglers
from strag.stragglers.history import History
from strag.stragglers.intervals import mean_of
from strag.stragglers.inversion import CENSORED, FEWEST, INVERSION
from strag.stragglers.reference import reference_of
from strag.stragglers.sets import CONTROLS, OWN, SET_NAMES, excess_errors

DOSE, UPDATE = "dose", "update"


@dataclass(frozen=True)
class SweepCondition:
    """The n networks that left out the same kind of set.

    Attributes
    ----------
    control : name in CONTROLS. place : the dose, or the update at which the sets were taken.
    removed : mean number of examples left out.
    verdicts : dict of verdict to number of networks.
    depth_at_4, horizon : float64 [n], of the inversions: depth up to 4 t*, and T / t*; NaN where not known,
        and the depths all of them, if that of an inversion is not known.
    test_error : float64 [n], at the last test record, NaN of one that diverged; None without test records.
    excess : float64 [n], what that exceeds the test error of the network that left out as many at random
        by, per example left out; NaN without such a network, None without test records.
    """

    control: str
    place: float
    removed: float
    verdicts: dict
    depth_at_4: np.ndarray
    horizon: np.ndarray
    test_error: np.ndarray | None
    excess: np.ndarray | None

    @property
    def networks(self):
        """The number n of networks."""
        return len(self.horizon)

    @property
    def inverting(self):
        """Number of networks with an inversion."""
        return self.verdicts.get(INVERSION, 0)

    @property
    def censored(self):
        """Number of networks of which it is not known whether they would invert."""
        return sum(self.verdicts.get(verdict, 0) for verdict in CENSORED)


@dataclass(frozen=True)
class Sweep:
    """A history whose networks left out sets of several kinds.

    Attributes
    ----------
    by : what the conditions differ in beside their control, `dose` or `update`. With doses, the runs' own
        sets, which are no share of anything, are left out.
    conditions : tuple of SweepCondition, by control, then by place.
    noise : standard deviation of the noise on the test inputs, or None without test records.
    layer : position on axis L of the layer whose radius was taken. history : History.
    """

    by: str
    conditions: tuple
    noise: float | None
    layer: int
    history: History

    @property
    def is_own(self):
        """Whether all that was left out are the runs' own sets, and controls of these, at one time."""
        return self.by == DOSE and all(one.place == OWN for one in self.conditions)

    @property
    def controls(self):
        """Names of the controls that there are, in the order of CONTROLS."""
        return tuple(dict.fromkeys(condition.control for condition in self.conditions))


def is_sweep(history):
    """Whether the networks of a History left out sets of more than one kind."""
    return history.meta.get("sets") is not None and len(set(_kinds(history)[1])) > 1


def sweep_of(history, layer=None, noise=None, fewest=FEWEST):
    """The Sweep in a History for which `is_sweep` holds, at a recorded layer, by default the first.

    noise : standard deviation on the test inputs, by default the largest there is. fewest : as for
    `find_stragglers`.

    Raises StragError if its stamp does not say which set each network left out, or for a layer or a noise
    that is not recorded.
    """
    by, kinds = _kinds(history)
    at = history.layer_position(layer)
    found = find_stragglers(history, layer=layer, fewest=fewest)
    trained = history.trained_bits().sum(axis=1)
    tested = history.test_error is not None and len(history.test_error) > 0
    levels = history.noise_levels
    if noise is not None and (not tested or noise not in levels):
        known = ", ".join(f"{level:g}" for level in levels) if tested else "none"
        raise bad_usage(f"has no test error with noise {noise:g}", f"it has {known}", history.source)
    shown_level = len(levels) - 1 if noise is None else levels.index(noise)
    if tested:
        errors = np.array([history.last_test_error(run)[shown_level] for run in range(len(history.runs))])
        sets = history.meta["sets"]
        kinds_of = list(zip(*(sets[name] for name in SET_NAMES), strict=True))
        excess = excess_errors(kinds_of, errors, history.examples - trained)
    conditions = []
    shown = {kind for kind in kinds if by != DOSE or kind[1] != OWN} or set(kinds)
    for kind in sorted(shown, key=lambda kind: (CONTROLS.index(kind[0]), kind[1])):
        networks = [number for number, other in enumerate(kinds) if other == kind]
        inversions = [found.inversions[number] for number in networks]
        conditions.append(
            SweepCondition(
                control=kind[0],
                place=kind[1],
                removed=float(history.examples - trained[networks].mean()),
                verdicts=dict(Counter(one.verdict for one in inversions)),
                depth_at_4=_comparable(inversions),
                horizon=_known(inversions, "horizon"),
                test_error=errors[networks] if tested else None,
                excess=excess[networks] if tested else None,
            )
        )
    return Sweep(by, tuple(conditions), float(levels[shown_level]) if tested else None, at, history)


def _comparable(inversions):
    """Depths up to 4 t*; of none, if that of any inversion is not known: early ones would stand for all."""
    depths = _known(inversions, "depth_at_4")
    unknown = any(one.verdict == INVERSION and one.depth_at_4 is None for one in inversions)
    return np.full(depths.shape, np.nan) if unknown else depths


def _known(inversions, name):
    return np.array([getattr(one, name) for one in inversions], dtype=np.float64)  # None becomes NaN


@dataclass(frozen=True)
class Baseline:
    """The runs of a sweep, trained on all the examples: means over them.

    Attributes
    ----------
    update, train_error : t* and eps*, refined, over the runs that invert; None if there are none.
    stopped_test_error : over these, stopped at t*; None likewise, or if t* lies outside of the test records.
    test_error : at the last test record.
    """

    update: float | None
    train_error: float | None
    stopped_test_error: float | None
    test_error: float


def baseline_of(sweep, history, fewest=FEWEST):
    """The Baseline that a History of the same runs, trained on all the examples, is to a Sweep.

    Test errors are at the noise of the sweep, the inversion is that of its layer. `fewest` as for `sweep_of`.

    Raises StragError as `reference_of` does.
    """
    found = find_stragglers(history, layer=sweep.history.layers[sweep.layer], fewest=fewest)
    counterparts = reference_of(sweep.history, history, found).counterparts
    runs = {one.run: one for one in counterparts}.values()
    inverting = [one for one in runs if one.update is not None]
    stopped = [one.stopped_test_error for one in inverting if one.stopped_test_error is not None]
    level = history.noise_levels.index(sweep.noise)

    def mean(values):
        value = mean_of(values)  # the error of a diverged run is none
        return None if np.isnan(value) else value

    return Baseline(
        update=mean([one.update for one in inverting]),
        train_error=mean([one.train_error for one in inverting]),
        stopped_test_error=mean([errors[level] for errors in stopped]),
        test_error=mean([one.test_error[level] for one in runs]),
    )


def _kinds(history):
    """What the networks differ in, and of every network (control, place)."""
    sets = history.meta.get("sets")
    R = len(history.runs)
    columns = [sets.get(name) for name in SET_NAMES] if isinstance(sets, dict) else []
    if not columns or not all(isinstance(column, list) and len(column) == R for column in columns):
        raise _broken(history)
    run, update, dose, control = columns
    if not set(map(str, control)) <= set(CONTROLS) or not all(map(_is_number, (*run, *update, *dose))):
        raise _broken(history)
    several = len(set(zip(run, update, strict=True))) > len(set(run))
    by = DOSE if len(set(dose)) > 1 or not several else UPDATE
    return by, list(zip(control, dose if by == DOSE else update, strict=True))


def _is_number(value):
    return type(value) in (int, float)


def _broken(history):
    return StragError(
        "does not say which set each of its networks left out",
        "create it again by training with `without`",
        history.source,
    )
