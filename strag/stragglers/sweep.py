"""Sweep: the results of networks that were each trained without a set of examples.

A Baseline holds the results of the same runs trained on all examples, to compare with.
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
from strag.stragglers.sets import CONTROLS, NO_CONTROL, OWN, SET_NAMES, partners

DOSE, UPDATE = "dose", "update"


@dataclass(frozen=True)
class SweepCondition:
    """The n networks that left out the same kind of set.

    Attributes
    ----------
    control : name in CONTROLS. place : the dose, or the update at which the sets were taken.
    removed : mean number of examples left out.
    verdicts : dict of verdict to number of networks.
    depth_at_4 : float64 [n], depth of the inversion up to 4 t*; NaN without one. All are NaN if the depth of
        any inversion is not known.
    update, horizon : float64 [n], t* and T / t* of the inversion; NaN without one.
    excluded_below : float64 [n], the update below which an open network has no inversion; NaN for others.
    test_error : float64 [n], at the last test record; NaN for a network that diverged. None without test
        records.
    differences : dict of the name of a control to float64 [n], test error minus that of the network of the
        same run that left out this control of the same set; NaN without such a network. Empty for a control,
        and without test records.
    """

    control: str
    place: float
    removed: float
    verdicts: dict
    depth_at_4: np.ndarray
    update: np.ndarray
    horizon: np.ndarray
    excluded_below: np.ndarray
    test_error: np.ndarray | None
    differences: dict

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
        """Number of networks for which it is not known whether they would invert."""
        return sum(self.verdicts.get(verdict, 0) for verdict in CENSORED)


@dataclass(frozen=True)
class Sweep:
    """A history whose networks left out sets of several kinds.

    Attributes
    ----------
    by : `dose` or `update`, in which the conditions differ apart from their control. If they differ in the
        dose, the own sets of the runs are left out, since they are not a dose.
    conditions : tuple of SweepCondition, ordered by control, then by place.
    noise : standard deviation of the noise on the test inputs; None without test records.
    layer : position on axis L of the layer in whose radius inversions were sought.
    history : History of the networks.
    """

    by: str
    conditions: tuple
    noise: float | None
    layer: int
    history: History

    @property
    def is_own(self):
        """Whether networks left out only own sets of runs, taken at one moment, and controls of them."""
        return self.by == DOSE and all(condition.place == OWN for condition in self.conditions)

    @property
    def controls(self):
        """Names of the controls in the conditions, in the order of CONTROLS: tuple."""
        return tuple(dict.fromkeys(condition.control for condition in self.conditions))


def is_sweep(history):
    """Whether the networks of a History left out sets of more than one kind."""
    return history.meta.get("sets") is not None and len(set(_kinds(history)[1])) > 1


def sweep_of(history, layer=None, noise=None, fewest=FEWEST):
    """The Sweep of a History for which `is_sweep` is true.

    Parameters
    ----------
    history : History
    layer : a recorded layer, by default the first.
    noise : standard deviation of the noise on the test inputs, by default the largest recorded one.
    fewest : as for `find_stragglers`.

    Raises StragError if the file does not say which set each network left out, and for a layer or a noise
    that is not recorded.
    """
    by, kinds = _kinds(history)
    position = history.layer_position(layer)
    stragglers = find_stragglers(history, layer=layer, fewest=fewest)
    trained = history.trained_bits().sum(axis=1)
    tested = history.test_error is not None and len(history.test_error) > 0
    levels = history.noise_levels
    if noise is not None and (not tested or noise not in levels):
        known = ", ".join(f"{level:g}" for level in levels) if tested else "none"
        raise bad_usage(f"has no test error with noise {noise:g}", f"it has {known}", history.source)
    shown_level = len(levels) - 1 if noise is None else levels.index(noise)
    errors = differences = None
    if tested:
        errors = np.array([history.last_test_error(run)[shown_level] for run in range(len(history.runs))])
        differences = _differences(history, errors)
    conditions = []
    shown = {kind for kind in kinds if by != DOSE or kind[1] != OWN} or set(kinds)
    for kind in sorted(shown, key=lambda kind: (CONTROLS.index(kind[0]), kind[1])):
        networks = [number for number, its_kind in enumerate(kinds) if its_kind == kind]
        removed = float(history.examples - trained[networks].mean())
        inversions = [stragglers.inversions[number] for number in networks]
        conditions.append(_condition(kind, removed, inversions, networks, errors, differences))
    shown_noise = float(levels[shown_level]) if tested else None
    return Sweep(by, tuple(conditions), shown_noise, position, history)


def _condition(kind, removed, inversions, networks, errors, differences):
    """The SweepCondition of the networks at these positions, which have these Inversions.

    kind : (control, place). removed : mean number of examples left out. errors, differences : test errors of
    all networks, and their `_differences`; None without test records.
    """
    has_partners = kind[0] == NO_CONTROL and errors is not None
    return SweepCondition(
        control=kind[0],
        place=kind[1],
        removed=removed,
        verdicts=dict(Counter(inversion.verdict for inversion in inversions)),
        depth_at_4=_comparable(inversions),
        **{name: _known(inversions, name) for name in ("update", "horizon", "excluded_below")},
        test_error=None if errors is None else errors[networks],
        differences={name: of_all[networks] for name, of_all in differences.items()} if has_partners else {},
    )


def _differences(history, errors):
    """The test errors [R] of networks minus those of their partners, for every control in a sweep: dict.

    Values are NaN for networks without a partner.
    """
    kinds = list(zip(*(history.meta["sets"][name] for name in SET_NAMES), strict=True))
    found = {}
    for control in CONTROLS[1:]:
        of_control = partners(kinds, control)
        if any(partner is not None for partner in of_control):
            pairs = enumerate(of_control)
            found[control] = np.array(
                [np.nan if other is None else errors[network] - errors[other] for network, other in pairs]
            )
    return found


def _comparable(inversions):
    """Depths up to 4 t*: float64 [n], all NaN if the depth of any inversion is not known.

    Otherwise the mean would be over the early inversions alone.
    """
    depths = _known(inversions, "depth_at_4")
    unknown = any(inversion.verdict == INVERSION and inversion.depth_at_4 is None for inversion in inversions)
    return np.full(depths.shape, np.nan) if unknown else depths


def _known(inversions, name):
    """An attribute of Inversions, NaN for None: float64 [n]."""
    return np.array([getattr(inversion, name) for inversion in inversions], dtype=np.float64)


@dataclass(frozen=True)
class Baseline:
    """Means over the runs of a sweep, trained on all examples.

    Attributes
    ----------
    update, train_error : means of t* and eps*, refined, over the inverting runs; None if there are none.
    stopped_test_error : mean test error at t* over the inverting runs with a t* between test records; None if
        there are none.
    test_error : mean test error at the last test record.
    """

    update: float | None
    train_error: float | None
    stopped_test_error: float | None
    test_error: float


def baseline_of(sweep, history, fewest=FEWEST):
    """The Baseline of a Sweep.

    Test errors are those at the noise of the sweep, and inversions those of its layer.

    Parameters
    ----------
    sweep : Sweep
    history : History of the same runs, trained on all examples.
    fewest : as for `sweep_of`.

    Raises StragError as `reference_of` does.
    """
    stragglers = find_stragglers(history, layer=sweep.history.layers[sweep.layer], fewest=fewest)
    counterparts = reference_of(sweep.history, history, stragglers).counterparts
    runs = {counterpart.run: counterpart for counterpart in counterparts}.values()
    inverting = [run for run in runs if run.update is not None]
    stopped = [run.stopped_test_error for run in inverting if run.stopped_test_error is not None]
    level = history.noise_levels.index(sweep.noise)

    def mean(values):
        value = mean_of(values)  # without diverged runs, whose error is NaN
        return None if np.isnan(value) else value

    return Baseline(
        update=mean([run.update for run in inverting]),
        train_error=mean([run.train_error for run in inverting]),
        stopped_test_error=mean([errors[level] for errors in stopped]),
        test_error=mean([run.test_error[level] for run in runs]),
    )


def _kinds(history):
    """What the networks differ in, `dose` or `update`, and the kind (control, place) of every network: list.

    Raises StragError if the file does not say which set each network left out.
    """
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
    """Whether a value from JSON is a number."""
    return type(value) in (int, float)


def _broken(history):
    """The StragError about a history that does not say which sets its networks left out."""
    return StragError(
        "does not say which set each of its networks left out",
        "create it again by training with `without`",
        history.source,
    )
