"""History: the recorded dynamics of R runs at T updates, as the analyses use it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from strag.bits import unpack
from strag.errors import StragError, bad_usage
from strag.geometry.curves import over_axis, values_of
from strag.geometry.measures import MEASURES, observables

_FAR = 2  # largest ratio of the updates of two test records between which is interpolated


@dataclass(frozen=True)
class History:
    """T records of R runs on P examples in C groups, with L layers.

    Attributes
    ----------
    updates : int64 [T], number of updates before each record, rising.
    train_error, train_loss : float32 [T, R], over the examples each run trains on.
    measures : dict of the name of a measure to float32 [T, R, L, axis], see `strag.geometry.measures`.
    misclassified : uint8 [T, R, ceil(P/8)], bits over all P examples, little-endian in each byte.
    trained : uint8 [R, ceil(P/8)], bits: the examples each run trains on.
    last_record : int64 [R], position on axis T of the last record of each run, or None if every run has all
        T records. What the arrays hold of a run after its last record does not count.
    index : int64 [P], rows of the origin. y : int64 [P], original classes. group : int64 [P].
    test_updates, test_error [K, R, S], test_misclassified [K, R, S, ceil(Q/8)] : S noise levels, or None.
    y_test : int64 [Q], original classes of the test examples, or None.
    names : names of the P examples, by position, or None.
    layers : the L recorded layers, none in a history of predictions alone. classes : the C group names.
    runs : the R run numbers.
    meta : dict of all other metadata of the file.
    source : the file's name, for messages.
    """

    updates: np.ndarray
    train_error: np.ndarray
    train_loss: np.ndarray
    measures: dict
    misclassified: np.ndarray
    trained: np.ndarray
    index: np.ndarray
    y: np.ndarray
    group: np.ndarray
    layers: tuple
    classes: tuple
    runs: tuple
    meta: dict = field(default_factory=dict)
    source: str = "history"
    test_updates: np.ndarray | None = None
    test_error: np.ndarray | None = None
    test_misclassified: np.ndarray | None = None
    y_test: np.ndarray | None = None
    names: Sequence | None = None
    last_record: np.ndarray | None = None

    @property
    def recipe(self):
        """The recipe of the training: dict, empty if the file has none."""
        return self.meta.get("recipe") or {}

    @cached_property
    def records(self):
        """Number of records of each run, the first ones on axis T: int64 [R]."""
        if self.last_record is None:
            return np.full(len(self.runs), len(self.updates))
        return self.last_record + 1

    @cached_property
    def recorded(self):
        """Whether a run has a record, because its training has not ended before: bool [T, R]."""
        return np.arange(len(self.updates))[:, None] < self.records

    @property
    def last_updates(self):
        """The update of the last record of each run: int64 [R]."""
        return self.updates[self.records - 1]

    @property
    def examples(self):
        """Number of examples P."""
        return len(self.index)

    @property
    def test_examples(self):
        """Number of test examples Q, or None where it is not known."""
        return None if self.y_test is None else len(self.y_test)

    @property
    def seed_runs(self):
        """The run with whose initial weights each network started: tuple of R int.

        A network is its own run, except in a sweep, where networks are numbered by the set they left out.
        Raises StragError if a sweep does not list the run of each network.
        """
        sets = self.meta.get("sets")
        if sets is None:
            return self.runs
        seed_runs = sets.get("run") if isinstance(sets, dict) else None
        columns = sets.values() if isinstance(sets, dict) else ()
        known = all(isinstance(column, list) and len(column) == len(self.runs) for column in columns)
        if not known or seed_runs is None or not all(type(run) is int and run >= 0 for run in seed_runs):
            raise StragError(
                "does not say from which run each of its networks started",
                "create it again by training with `without`",
                self.source,
            )
        return tuple(seed_runs)

    @property
    def shared_run(self):
        """A run with whose initial weights several networks started, or None.

        Such networks differ only by the sets they left out, and are not independent runs.
        """
        return next((run for run, networks in Counter(self.seed_runs).items() if networks > 1), None)

    def require_layers(self, remedy="choose the moment with `at`, which needs no layer"):
        """Raise StragError with this remedy if no layer was measured."""
        if not self.layers:
            raise StragError("no layer was measured", remedy, self.source)

    def layer_position(self, layer=None):
        """Position of a recorded layer on axis L, by default the first. Raises StragError for others."""
        if layer is None:
            self.require_layers()
            return 0
        self.require_layers("remove `layer`")
        if layer not in self.layers:
            known = ", ".join(str(number) for number in self.layers)
            raise bad_usage(f"has no layer {layer}", f"it has {known}", self.source)
        return self.layers.index(layer)

    def layer(self, layer):
        """The layer itself, if it is recorded; None for None.

        Raises StragError for another layer, with a list of the recorded ones.
        """
        if layer is not None:
            self.layer_position(layer)
        return layer

    def class_position(self, name):
        """Position of a group on axis C, by name or by number. Raises StragError for another group."""
        if name in self.classes:
            return self.classes.index(name)
        if name in map(str, range(len(self.classes))):
            return int(name)
        raise bad_usage(f"has no class '{name}'", f"it has {', '.join(self.classes)}", self.source)

    def classes_trained(self):
        """Whether a run trains on an example of a group: bool [R, C]. An empty group has no radius."""
        return self.trained_bits() @ np.eye(len(self.classes))[self.group] > 0

    def _require_trained(self, classes, name="radius"):
        """Raise StragError if a run has no example of one of these classes, positions on axis C.

        name : the measure that the remedy names.
        """
        for run, has in zip(self.runs, self.classes_trained(), strict=True):
            empty = [self.classes[c] for c in classes if not has[c]]
            if empty:
                raise bad_usage(
                    f"has no example of class '{empty[0]}' that run {run} trains on",
                    f"use the {name} over all classes, or of another class",
                    self.source,
                )

    def measure(self, name, layer=None):
        """A measure, recorded or derived, of a layer: float64 [T, R, axis]; some measures have no axis.

        Raises StragError if this history does not contain it.
        """
        at, measure = self.layer_position(layer), MEASURES[name]
        lacking = [source for source in measure.sources if source not in self.measures]
        if lacking:
            remedy = "create it again with this version of strag, which measures it"
            raise StragError(f"does not contain the measure '{lacking[0]}'", remedy, self.source)
        recorded = {source: self.measures[source][:, :, at].astype(np.float64) for source in measure.sources}
        return values_of(measure, recorded, self.classes_trained() if measure.parts else None)

    def curve(self, name, layer=None):
        """A measure over all classes, or that of one class as `radius:CLASS`: float64 [T, R].

        Empty classes are left out. Raises StragError for an unknown name, for a class or a distance without
        examples in some run, and for a measure that this history does not contain.
        """
        self.layer_position(layer)
        plain, colon, group = name.partition(":")
        measure = MEASURES.get(plain)
        if not (measure and measure.label) or (colon and measure.axis != "class"):
            *names, last = observables()
            raise bad_usage(f"no observable '{name}'", f"use {', '.join(names)} or {last}")
        if colon:
            position = self.class_position(group)
            self._require_trained([position], plain)
            return self.measure(plain, layer)[:, :, position]
        present = self.classes_trained()
        if measure.axis == "pair" and (present.sum(axis=1) < 2).any():
            self._require_trained(range(len(self.classes)))
        return over_axis(measure, self.measure(plain, layer), present)

    def observable(self, name="radius", layer=None):
        """A curve whose valley is the inversion, see `curve`: float64 [T, R].

        For a measure whose peak is the inversion, such as the distance, it is minus the curve.
        """
        values = self.curve(name, layer)
        return values * MEASURES[name.partition(":")[0]].sign

    @cached_property
    def finite(self):
        """Whether the loss of a run, and the radii of the classes it trains on, are finite: bool [T, R].

        If not, all examples of the run count as misclassified at this record. False after its last record.
        """
        known = np.isfinite(self.measures["radius"]) | ~self.classes_trained()[:, None]  # (T, R, L, C)
        return self.recorded & np.isfinite(self.train_loss) & known.all(axis=(2, 3))

    @property
    def last_finite(self):
        """Whether a run is finite at its last record: bool [R]."""
        return self.finite[self.records - 1, range(len(self.runs))]

    def tests_of(self, run):
        """Positions on axis K of the test records of one run (position on axis R), rising: int64.

        They are all test records, unless runs end at different records: then a test record at the end of one
        run is none of the others, whose test error is NaN there, as it is after their own end.
        """
        if self.test_updates is None:
            return np.zeros(0, np.int64)
        if self.last_record is None:
            return np.arange(len(self.test_updates))
        tested = np.isfinite(self.test_error[:, run]).all(axis=1)
        return np.flatnonzero(tested & (self.test_updates <= self.last_updates[run]))

    def last_test_error(self, run):
        """Test error of one run (position on axis R) at its last test record: float64 [S].

        NaN for a run that diverged, whose test examples are all misclassified. None without test records.
        """
        if self.test_error is None or not len(self.test_error):
            return None
        tests = self.tests_of(run)
        if not len(tests) or not self.last_finite[run]:
            return np.full(self.test_error.shape[2], np.nan)
        return self.test_error[tests[-1], run].astype(np.float64)

    def test_error_at(self, update, run):
        """Test error of one run (position on axis R) without noise, linear in ln t between its records.

        NaN without noise-free test records, outside of their updates, and between two records of which the
        later has more than twice the updates of the earlier, which is too far to interpolate.
        """
        if update is None or self.noise_free is None:
            return np.nan
        tests = self.tests_of(run)
        updates, errors = self.test_updates[tests], self.test_error[tests, run, self.noise_free]
        errors = errors.astype(np.float64)
        after = int(np.searchsorted(updates, update))
        if after == len(errors):
            return np.nan
        late = float(updates[after])
        if late == update:
            return float(errors[after])
        early = float(updates[after - 1]) if after else 0.0
        if early <= 0 or late > _FAR * early:
            return np.nan
        share = np.log(update / early) / np.log(late / early)
        return float(errors[after - 1] + share * (errors[after] - errors[after - 1]))

    def test_record_near(self, update, run):
        """Position on axis K of the test record of one run that is nearest to an update in ln t.

        run : position on axis R. None without test records, outside of their updates, and if the nearest is
        more than a factor of two away.
        """
        tests = self.tests_of(run)
        if not update or not tests.size:
            return None
        updates = self.test_updates[tests]
        if not updates[0] <= update <= updates[-1]:
            return None
        nearest = int(np.abs(np.log(np.maximum(updates, 1)) - np.log(update)).argmin())
        apart = abs(np.log(max(updates[nearest], 1) / update))
        return None if apart > np.log(_FAR) else int(tests[nearest])

    @property
    def noise_levels(self):
        """Standard deviations of the noise on the test inputs: list of S float."""
        return list(self.recipe.get("noise") or [0.0])

    @property
    def noise_free(self):
        """Position on axis S of the tests without noise; None without such tests."""
        levels = self.noise_levels
        return levels.index(0.0) if self.test_updates is not None and 0.0 in levels else None

    def class_name(self, number):
        """The name of an original class in its data set; its number as text if the data set has no names."""
        names, numbers = self.meta.get("class_names"), self.meta.get("class_numbers")
        if names is None and numbers is None and self.meta.get("labels") == "classes":
            names = self.classes
        if not isinstance(names, (list, tuple)):
            return str(number)
        numbers = numbers if isinstance(numbers, list) else range(len(names))
        return str(dict(zip(numbers, names, strict=False)).get(number, number))

    def trained_bits(self):
        """bool [R, P]: the examples each run trains on."""
        return unpack(self.trained, self.examples)

    def misclassified_at(self, record, run):
        """S(t) of one run (position on axis R) at one record: bool [P], misclassified and trained."""
        return unpack(self.misclassified[record, run] & self.trained[run], self.examples)
