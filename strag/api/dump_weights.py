"""Which networks of a weights file run on which data; see `strag.api.dump`."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from strag import kinds
from strag.bits import unpack
from strag.datasets.dataset import standardise
from strag.datasets.standardisation import BYTE, NONE
from strag.errors import StragError, bad_usage, warn_of
from strag.files.dataset import described_classes
from strag.files.stamp import stamp
from strag.parsing import read_whole
from strag.stragglers.sets import described_at
from strag.training.activations import activations
from strag.training.architecture import Ends, misfit, not_held
from strag.training.architectures import from_description
from strag.training.device import environment
from strag.training.precision import PRECISIONS
from strag.training.prepare import spread
from strag.training.readout import head_of
from strag.training.recipe import Recipe, read_layers

_AGAIN = kinds.remake("weights")


@dataclass
class DumpJob:
    """Which networks of an open weights file run on which data.

    updates, runs : positions on the file's axes. layers : their names. recipe : of the
    training. ends : of the networks. trained : bool [R, P], the examples of the data that each run was
    trained on; all examples of data of another origin than the training set.
    """

    weights: object
    data: object
    recipe: Recipe
    ends: Ends
    layers: tuple
    updates: list
    runs: list
    trained: np.ndarray

    @property
    def source(self):
        """The name of the weights file."""
        return self.weights.source

    @property
    def is_other(self):
        """Whether the data have another origin than the training set."""
        return self.data.origin != self.weights.meta.get("origin")

    @property
    def at(self):
        """The updates of the networks: int64 [U]."""
        return self.weights.updates[self.updates]

    @property
    def widths(self):
        """Number of units of every layer: dict of layer to int."""
        return {layer: self.recipe.architecture.units(layer, self.ends) for layer in self.layers}

    @cached_property
    def readout(self):
        """The Readout of the networks on one of the layers of the job, or None."""
        return self.recipe.architecture.readout(self.ends, self.layers)

    def inputs(self):
        """The standardised inputs that the networks use, float32 [P, d'], and their positions, int64 [d']."""
        used = np.flatnonzero(self.weights.std > 0)
        try:
            x = standardise(self.data.x, self.weights.mean, self.weights.std)
        except StragError as error:
            raise error.about(self.data.source) from None
        if not self.recipe.architecture.takes_all:
            return x, used
        return spread(x, used, self.data.features), np.arange(self.data.features)

    def tiles(self, device):
        """Yield the Tiles of every update on a device: (position of the update on axis U, Tile)."""
        x, columns = self.inputs()
        for number, position in enumerate(self.updates):
            described = (self.recipe, self.ends, x, columns, self.data.groups, self.layers, device)
            state = self.state(position)
            head = head_of(state, self.readout)
            for tile in activations(state, *described):
                tile.head = {name: values[tile.runs] for name, values in head.items()}
                yield number, tile

    def stamp(self, device):
        """The stamp of the activations, which are computed on a device: dict."""
        return _meta(self, device)

    def state(self, update, runs=None):
        """The parameters of the networks at a position on axis U: dict of name to float32 [R, ...].

        runs : positions on axis R, by default those of the job. Raises StragError for parameters that such
        networks cannot have.
        """
        state = self.weights.parameters(update, self.runs if runs is None else runs)
        fault = not_held(state, self.recipe.architecture.held_at_zero(self.ends))
        if fault:
            raise StragError(fault, _AGAIN, self.weights.source)
        return state


def prepare_dump(weights, data, layers=None, updates="all", runs="all", factory=None):
    """The DumpJob of all or some of the networks in open Weights on a Dataset.

    layers : names such as `1,2`, or `all`; by default the first. updates, runs : numbers such as `0,40`, or
    `all`. factory : Factory that built the networks, or None.

    Raises StragError for data of another shape or grouping than the networks', for layers, updates or runs
    that are not stored, and for networks that a factory built, if it is not given.
    """
    features = len(weights.mean)
    if data.features != features:
        problem = f"has {data.features} inputs, but the networks of {weights.source} have {features}"
        raise StragError(problem, "pass data of the same shape", data.source)
    classes = weights.meta["classes"]
    if list(data.grouping.names) != classes:
        groups = ", ".join(data.grouping.names)
        problem = f"its groups are {groups}, but those of the networks are {', '.join(classes)}"
        remedy = f"use 'strag data' with `labels` {weights.meta.get('labels')}"
        raise StragError(problem, remedy, data.source)
    _warn_of_scale(weights, data)
    built, ends = _architecture(weights, data, factory)
    recipe, layers = _recipe_and_layers(weights, built, layers)
    updates = _chosen(updates, weights.updates.tolist(), "update", weights.source)
    runs = _chosen(runs, list(weights.runs), "run", weights.source)
    return DumpJob(weights, data, recipe, ends, layers, updates, runs, _trained(weights, data, runs))


def _warn_of_scale(weights, data):
    """Warn of bytes for networks that were trained on other numbers, and the reverse.

    Only `standardise` none shows on which they were trained: it divides bytes by 255.
    """
    if (weights.meta.get("recipe") or {}).get("standardise") != NONE:
        return
    divided, has_bytes = bool((weights.std == BYTE).all()), data.x.dtype == np.uint8
    if divided != has_bytes:
        held, trained = ("uint8", "float32") if has_bytes else ("float32", "uint8")
        done = "its numbers are divided by 255 as well" if divided else "its numbers are not divided by 255"
        warn_of(data.source, f"holds {held}, but the networks were trained on {trained}; {done}")


def _architecture(weights, data, factory):
    """The Architecture of the networks in a weights file, on their Ends, and these Ends.

    Raises StragError for a file that does not say it, and for networks of another factory. A factory whose
    file has changed is only warned of.
    """
    stored = weights.meta.get("recipe") or {}
    if factory is not None and "factory" not in stored:
        problem = "its networks are not built by a function, so that `model` has no effect"
        raise bad_usage(problem, "remove `model`", weights.source)
    try:
        built = from_description(stored, factory)
    except StragError as error:
        if "factory" in stored:
            raise error.about(weights.source) from None
        built = None
    if built is None or stored.get("precision") not in PRECISIONS:
        raise StragError("does not say what its networks compute", _AGAIN, weights.source)
    used = data.features if built.takes_all else int((weights.std > 0).sum())
    ends = Ends(data.x.shape[1:], used, len(weights.meta["classes"]))
    built = built.on(ends)
    fault = misfit(weights.shapes, built.shapes(ends))
    if fault:
        remedy = _AGAIN if factory is None else "pass the `model` of its training"
        raise StragError(fault, remedy, weights.source)
    if factory is not None and factory.source != stored.get("source"):
        warn_of(weights.source, f"{factory.file or factory.name} has changed since its training")
    return built, ends


def _recipe_and_layers(weights, built, layers):
    """The Recipe of the networks in a weights file, and the layers that the option means.

    built : their Architecture.
    """
    wanted = read_layers(layers, built)
    measured = tuple(layer for layer in wanted if layer != built.input_layer)
    try:
        precision = weights.meta["recipe"]["precision"]
        recipe = Recipe(architecture=built, precision=precision, layers=measured or None)
    except StragError as error:
        raise error.about(weights.source) from None
    return recipe, wanted


def _chosen(text, stored, what, source):
    """Positions of the numbers in `text` among those that are stored. what : the noun for one of them."""
    if text == "all":
        return list(range(len(stored)))
    try:
        wanted = sorted({read_whole(part.strip()) for part in text.split(",")})
    except ValueError:
        raise bad_usage(f"cannot read `{what}s` '{text}'", "pass numbers such as 0,40, or all") from None
    for number in wanted:
        if number not in stored:
            known = ", ".join(str(n) for n in stored[:20]) + (", ..." if len(stored) > 20 else "")
            only = f"it has only {what} {known}, so remove `{what}s`"
            remedy = f"choose `{what}s` from {known}" if len(stored) > 1 else only
            raise bad_usage(f"has no {what} {number}", remedy, source)
    return [stored.index(number) for number in wanted]


def _trained(weights, data, runs):
    """The `trained` of a DumpJob of the runs at these positions."""
    everything = np.ones((len(runs), len(data.y)), dtype=bool)
    if data.origin != weights.meta.get("origin"):
        return everything
    if (weights.index >= data.origin_size).any():
        raise StragError("has an index beyond the end of its data set", _AGAIN, weights.source)
    bits = unpack(weights.trained[runs], len(weights.index))
    of_origin = np.zeros((len(runs), data.origin_size), dtype=bool)
    of_origin[:, weights.index] = bits
    return of_origin[:, data.index]


def _meta(job, device):
    weights, data = job.weights, job.data
    keys, sets = ("classes", "labels"), weights.meta.get("sets")
    return stamp(
        "activations",
        recipe=weights.meta["recipe"],
        environment=environment(device),
        inputs={"data": data.identity, "training": weights.meta.get("inputs")},
        runs=[weights.runs[position] for position in job.runs],
        layers=list(job.layers),
        origin=data.origin,
        origin_size=data.origin_size,
        title=data.title,
        command=data.command,
        **{key: weights.meta.get(key) for key in keys},
        **described_classes(data),
        **({"sets": described_at(sets, job.runs)} if sets else {}),
        **({"training_origin": weights.meta.get("origin")} if job.is_other else {}),
        **({"head": job.readout.layer} if job.readout else {}),
    )
