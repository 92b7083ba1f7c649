"""`strag.dump`: activations, predictions and losses of trained networks on a data set."""

from dataclasses import dataclass

import numpy as np

from strag import kinds
from strag.api.arguments import file_to_read, kind, refuse_overwriting
from strag.api.outputs import opened
from strag.bits import pack, unpack
from strag.datasets.dataset import standardise
from strag.errors import StragError, bad_usage
from strag.files.activations import ActivationsWriter, read
from strag.files.dataset import described_classes
from strag.files.stamp import stamp
from strag.stragglers.sets import described_at
from strag.training.activations import activations
from strag.training.architecture import Ends, misfit, not_held
from strag.training.architectures import from_description
from strag.training.device import DEVICES, choose_device, environment
from strag.training.precision import PRECISIONS
from strag.training.recipe import Recipe, layers_check, read_layers
from strag.values import checked, choice, flag, listing, optional, read_whole

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

    def inputs(self):
        """The standardised inputs that the networks use, float32 [P, d'], and their positions, int64 [d']."""
        try:
            x = standardise(self.data.x, self.weights.mean, self.weights.std)
        except StragError as error:
            raise error.about(self.data.source) from None
        return x, np.flatnonzero(self.weights.std > 0)

    def tiles(self, device):
        """Yield the Tiles of every update on a device: (position of the update on axis U, Tile)."""
        x, columns = self.inputs()
        for number, position in enumerate(self.updates):
            described = (self.recipe, self.ends, x, columns, self.data.groups, self.layers, device)
            for tile in activations(self.state(position), *described):
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


def prepare_dump(weights, data, layers=None, updates="all", runs="all"):
    """The DumpJob of all or some of the networks in open Weights on a Dataset.

    layers : names such as `1,2`, or `all`; by default the first. updates, runs : numbers such as `0,40`, or
    `all`.

    Raises StragError for data of another shape or grouping than the networks', and for layers, updates
    or runs that are not stored.
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
    ends = Ends(data.x.shape[1:], int((weights.std > 0).sum()), len(classes))
    recipe, layers = _recipe_and_layers(weights, ends, layers)
    updates = _chosen(updates, weights.updates.tolist(), "update", weights.source)
    runs = _chosen(runs, list(weights.runs), "run", weights.source)
    return DumpJob(weights, data, recipe, ends, layers, updates, runs, _trained(weights, data, runs))


def _recipe_and_layers(weights, ends, layers):
    """The Recipe of the networks in a weights file, and the layers that the option means."""
    stored = weights.meta.get("recipe") or {}
    try:
        architecture = from_description(stored)
    except StragError:
        architecture = None
    if architecture is None or stored.get("precision") not in PRECISIONS:
        raise StragError("does not say what its networks compute", _AGAIN, weights.source)
    fault = misfit(weights.shapes, architecture.shapes(ends))
    if fault:
        raise StragError(fault, _AGAIN, weights.source)
    wanted = read_layers(layers, architecture)
    measured = tuple(layer for layer in wanted if layer != architecture.input_layer)
    try:
        recipe = Recipe(architecture=architecture, precision=stored["precision"], layers=measured or None)
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


def dump_into(job, sink, half=False, device="cpu", progress=None):
    """Run the networks of a DumpJob, or of a CheckpointJob, and write the activations into an open Output.

    If the Output is None, the Activations are returned.

    half : store activations in half precision. progress : called with the number of updates that are done.

    Raises StragError if half precision cannot hold an activation.
    """
    data = job.data
    whole = {"updates": job.at, "index": data.index, "y": data.y, "group": data.groups, **data.named}
    whole["trained"] = pack(job.trained)
    with ActivationsWriter(sink, job.stamp(device), whole, job.widths, half) as writer:
        for number, tile in job.tiles(device):
            _add(writer, number, tile, job)
            if progress and tile.rows.stop == len(data.y) and tile.runs.stop == len(job.trained):
                progress(number + 1)
        if sink is None:
            return read(writer.as_container("activations"))
        writer.commit()
    return None


@checked(
    weights=kind("Weights"),
    data=kind("Dataset"),
    layers=optional(layers_check),
    updates=listing("updates such as '0,40', or 'all'"),
    runs=listing("runs such as '0,3', or 'all'"),
    half=flag,
    device=choice(*DEVICES),
    output=optional(file_to_read),
)
def dump(weights, data, layers=None, updates="all", runs="all", half=False, device="auto", output=None):
    """Dump the hidden activations and predictions of trained networks.

    Parameters
    ----------
    weights : Weights, which `strag.read` returns. data : Dataset to run the networks on.
    layers : names such as "1,2" or (1, 2), or "all"; by default the first. updates, runs : numbers such as
        "0,40" or (0, 40), or "all".
    half : store activations in half precision. device : as for `strag.train`.
    output : path of a file of activations, which may be larger than memory; by default they stay in memory.

    Returns
    -------
    Activations, which are read part by part. Pass them to `measure`.

    Raises StragError for data that do not fit the networks, and for layers, updates or runs that are
    not stored.
    """
    refuse_overwriting((weights, data), output=output)
    job = prepare_dump(weights, data, layers, updates, runs)
    with opened(output) as sink:
        gathered = dump_into(job, sink, half, choose_device(device))
    return gathered or kinds.read(str(output), "activations")


def _add(writer, number, tile, job):
    """Write a Tile of the update at this position; an error names the networks and the data."""
    try:
        writer.add(number, tile)
    except StragError as error:
        raise error.about(f"{job.source} on {job.data.source}") from None


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
    )
