"""History: the recorded training of R runs at T updates, in the form that the analyses use."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from strag.bits import unpack
from strag.errors import StragError, bad_usage
from strag.geometry.curves import over_axis, values_of
from strag.geometry.measures import MEASURES, read_observable
from strag.stragglers.tested import Tested
from strag.words import Brief, lacks_layer, layer_called, number_of, some_of


@dataclass(frozen=True, repr=False)
class History(Tested, Brief):
    """T records of R runs on P examples in C groups, with L layers.

    Attributes
    ----------
    updates : int64 [T], rising, number of updates before each record.
    train_error, train_loss : float32 [T, R], over the examples each run trains on. The loss is None if it was
        not recorded, as in predictions without logits.
    measures : dict of measure name to float32 [T, R, L, axis], see `strag.geometry.measures`.
    misclassified : uint8 [T, R, ceil(P/8)], bits over all P examples, little-endian in each byte.
    trained : uint8 [R, ceil(P/8)], bits: the examples each run trains on.
    last_record : int64 [R], position on axis T of the last record of each run, or None if every run has all
        T records. The values of a run after its last record have no meaning.
    index : int64 [P], rows of the origin. y : int64 [P], original classes. group : int64 [P], positions of
        the groups in `classes`.
    test_updates [K], test_error [K, R, S], test_misclassified [K, R, S, ceil(Q/8)] : the K test records, with
        S noise levels; None without test records.
    y_test : int64 [Q], original classes of the test examples, or None.
    names : names of the P examples, by position, or None.
    margin, margin_deviation : float32 [R, P], mean and population standard deviation over the records of the
        logit of the group minus the largest other logit, or None; training does not record them.
    state : mapping of name to array [R, ...], the last state of the runs, which training goes on from.
    layers : the L recorded layers; there are none in a history that has only predictions.
    classes : the C group names. runs : the R run numbers.
    meta : dict of all other metadata of the file.
    source : the file's name, for messages.
    """

    updates: np.ndarray
    train_error: np.ndarray
    train_loss: np.ndarray | None
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
    margin: np.ndarray | None = None
    margin_deviation: np.ndarray | None = None
    last_record: np.ndarray | None = None
    state: Mapping | None = field(default=None, repr=False, compare=False)

    @property
    def brief(self):
        """The content in one line, for `repr`."""
        sizes = [number_of(len(self.runs), "run"), number_of(len(self.updates), "record")]
        sizes += [number_of(self.examples, "example"), number_of(len(self.classes), "group")]
        return f"{', '.join(sizes)}, {f'layers {some_of(self.layers)}' if self.layers else 'no layers'}"

    @property
    def recipe(self):
        """The recipe of the training: dict, empty if the file has none."""
        return self.meta.get("recipe") or {}

    @property
    def recording(self):
        """How networks that strag did not train were recorded: `snapshot` or `online`; None for others."""
        return self.meta.get("recording")

    def remedy(self, trained, recorded):
        """The remedy `trained` if strag trained the networks, which has options for it; else `recorded`."""
        return trained if self.recording is None else recorded

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
    def seed_runs(self):
        """The number of the run from whose initial weights each network started: tuple of R int.

        It is the number of the network itself, except in a sweep, where networks are numbered by the set that
        they left out. Raises StragError if a sweep does not list the run of each network.
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
        """The number of a run from whose initial weights several networks started, or None.

        These networks differ only in the sets that they left out, and are not independent runs.
        """
        return next((run for run, networks in Counter(self.seed_runs).items() if networks > 1), None)

    def require_layers(self, remedy="choose the moment with `at`, which needs no layer"):
        """Raise StragError with this remedy if no layer was measured."""
        if not self.layers:
            raise StragError("no layer was measured", remedy, self.source)

    def layer_position(self, layer=None):
        """Position of a recorded layer on axis L, by default 0. Raises StragError for another layer.

        layer : number or name, see `strag.words.layer_called`.
        """
        if layer is None:
            self.require_layers()
            return 0
        self.require_layers("remove `layer`")
        recorded = layer_called(layer, self.layers)
        if recorded is None:
            known = ", ".join(map(str, self.layers))
            only = f"it has only layer {known}, so remove `layer`"
            problem = lacks_layer(layer, self.layers)
            if "but it has" in problem:
                only = "remove `layer`"
            remedy = f"choose `layer` from {known}" if len(self.layers) > 1 else only
            raise bad_usage(problem, remedy, self.source)
        return self.layers.index(recorded)

    def layer(self, layer):
        """Return the recorded layer that a user calls so, see `strag.words.layer_called`, and None for None.

        Raises StragError for a layer that is not recorded.
        """
        return None if layer is None else self.layers[self.layer_position(layer)]

    def class_position(self, name):
        """Position of a group on axis C, from its name or number. Raises StragError for an unknown group."""
        if name in self.classes:
            return self.classes.index(name)
        if name in map(str, range(len(self.classes))):
            return int(name)
        raise bad_usage(f"has no class '{name}'", f"it has {', '.join(self.classes)}", self.source)

    def classes_trained(self):
        """Whether each run trains on an example of each group: bool [R, C]. Other groups have no radius."""
        return self.trained_bits() @ np.eye(len(self.classes))[self.group] > 0

    def _require_trained(self, classes, name="radius"):
        """Raise StragError if a run trains on no example of one of these classes, positions on axis C.

        name : name of the measure, for the message.
        """
        for run, present in zip(self.runs, self.classes_trained(), strict=True):
            empty = [self.classes[c] for c in classes if not present[c]]
            if empty:
                raise bad_usage(
                    f"has no example of class '{empty[0]}' that run {run} trains on",
                    f"use the {name} over all classes, or of another class",
                    self.source,
                )

    def measure(self, name, layer=None):
        """The values of a recorded or derived measure in a layer: float64 [T, R, axis].

        Some measures have no axis. Raises StragError if this history does not contain the measure.
        """
        position, measure = self.layer_position(layer), MEASURES[name]
        lacking = [source for source in measure.sources if source not in self.measures]
        if lacking:
            remedy = "create it again with this version of strag, which measures it"
            if measure.optional:
                remedy = f"measure {name} with 'strag geometry', which needs activations"
            raise StragError(f"does not contain the measure '{lacking[0]}'", remedy, self.source)
        recorded = {
            source: self.measures[source][:, :, position].astype(np.float64) for source in measure.sources
        }
        return values_of(measure, recorded, self.classes_trained() if measure.parts else None)

    def curve(self, name, layer=None):
        """A measure over all classes, or of one class if its name is like `radius:CLASS`: float64 [T, R].

        Classes without examples are left out. Raises StragError for an unknown name, for a class without
        examples in a run, for the distance if a run has examples of fewer than two classes, and for a measure
        that this history does not contain.
        """
        self.layer_position(layer)
        measure, group = read_observable(name)
        if group is not None:
            position = self.class_position(group)
            self._require_trained([position], measure.name)
            return self.measure(measure.name, layer)[:, :, position]
        present = self.classes_trained()
        if measure.axis == "pair" and (present.sum(axis=1) < 2).any():
            self._require_trained(range(len(self.classes)))
        return over_axis(measure, self.measure(measure.name, layer), present)

    def observable(self, name="radius", layer=None):
        """A curve in which the inversion is a valley, see `curve`: float64 [T, R].

        For a measure in which the inversion is a peak, such as the distance, it is minus the curve. Raises
        StragError for an optional measure that is not defined everywhere, which is no sign of divergence.
        """
        measure, values = read_observable(name)[0], self.curve(name, layer)
        unknown = np.argwhere(self.finite & ~np.isfinite(values)) if measure.optional else ()
        if len(unknown):
            record, run = unknown[0]
            problem = f"has no {measure.name} at update {self.updates[record]} in run {self.runs[run]}"
            raise StragError(problem, "choose another `observable` or `layer`", self.source)
        return values * measure.sign

    @cached_property
    def finite(self):
        """Whether a run is finite at a record: bool [T, R].

        It is finite if its loss, or its error if the loss is not known, and the radii of the classes that it
        trains on are finite. If not, all examples of the run count as misclassified at this record. After
        its last record, a run is not finite.
        """
        known = np.isfinite(self.measures["radius"]) | ~self.classes_trained()[:, None]  # (T, R, L, C)
        curves = self.train_error if self.train_loss is None else self.train_loss
        return self.recorded & np.isfinite(curves) & known.all(axis=(2, 3))

    @property
    def last_finite(self):
        """Whether each run is finite at its last record: bool [R]."""
        return self.finite[self.records - 1, range(len(self.runs))]

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
        """The examples that each run trains on: bool [R, P]."""
        return unpack(self.trained, self.examples)

    def misclassified_at(self, record, run):
        """S(t) of a run (position on axis R) at a record, its misclassified trained examples: bool [P]."""
        return unpack(self.misclassified[record, run] & self.trained[run], self.examples)
