"""What `strag dump` does between its options and its file."""

from dataclasses import dataclass

import numpy as np

from strag.console import Progress
from strag.datasets.dataset import standardise
from strag.errors import StragError, bad_usage
from strag.files.activations import ActivationsWriter
from strag.files.dataset import described_classes
from strag.files.stamp import stamp
from strag.files.streams import name_of
from strag.stragglers.history import pack, unpack
from strag.stragglers.sets import described_at
from strag.training.activations import activations
from strag.training.device import environment
from strag.training.precision import PRECISIONS
from strag.training.recipe import ACTIVATIONS, Recipe

_AGAIN = "make it again with 'strag train --weights'"


@dataclass
class DumpJob:
    """Which networks of an open weights file run on which data.

    name : of the data. updates, runs : positions on the file's axes. layers : hidden layers. recipe : of the
    training.
    """

    weights: object
    data: object
    name: str
    recipe: Recipe
    layers: tuple
    updates: list
    runs: list


def prepare_dump(weights, data, name, layers, updates, runs):
    """The DumpJob that the options mean.

    Raises StragError for data of another shape or grouping than the networks', and for layers, updates
    or runs that are not there.
    """
    if data.features != weights.sizes[0]:
        problem = f"has {data.features} inputs, but the networks of {weights.source} have {weights.sizes[0]}"
        raise StragError(problem, "give data of the same shape", name_of(name))
    classes = weights.meta["classes"]
    if list(data.grouping.names) != classes:
        problem = (
            f"its groups are {', '.join(data.grouping.names)}, those of the networks {', '.join(classes)}"
        )
        remedy = f"use 'strag data --labels {weights.meta.get('labels')}'"
        raise StragError(problem, remedy, name_of(name))
    recipe, layers = _recipe_and_layers(weights, layers)
    return DumpJob(
        weights,
        data,
        name_of(name),
        recipe,
        layers,
        _chosen(updates, weights.updates.tolist(), "update", weights.source),
        _chosen(runs, list(weights.runs), "run", weights.source),
    )


def _recipe_and_layers(weights, layers):
    """The Recipe of the networks in a weights file, and the layers that the option means: 0 is the input."""
    depth, width, told = len(weights.sizes) - 1, weights.sizes[1], weights.meta.get("recipe") or {}
    activation, precision = told.get("activation"), told.get("precision")
    if activation not in ACTIVATIONS or precision not in PRECISIONS:
        raise StragError("does not say what its networks compute", _AGAIN, weights.source)
    wanted = Recipe.read_layers(layers, depth)
    hidden = tuple(layer for layer in wanted if layer) or Recipe.read_layers(None, depth)
    try:
        recipe = Recipe(depth=depth, width=width, activation=activation, precision=precision, layers=hidden)
        return recipe, wanted
    except StragError as error:
        raise error.about(weights.source) from None


def _chosen(text, there, what, source):
    """Positions of the numbers in `text` among those that are there."""
    if text == "all":
        return list(range(len(there)))
    try:
        wanted = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise bad_usage(f"cannot read --{what}s '{text}'", "give numbers such as 0,40, or all") from None
    for number in wanted:
        if number not in there:
            known = ", ".join(str(n) for n in there[:20]) + (", ..." if len(there) > 20 else "")
            raise bad_usage(f"has no {what} {number}", f"it has {known}", source)
    return [there.index(number) for number in wanted]


def dump(job, sink, half, device, quiet):
    """Run the networks and write what they make of the data into an open Output.

    Raises StragError where half precision cannot hold what they make of it.
    """
    weights, data = job.weights, job.data
    try:
        x = standardise(data.x, weights.mean, weights.std)
    except StragError as error:
        raise error.about(job.name) from None
    columns = np.flatnonzero(weights.std > 0)
    widths = {layer: weights.sizes[layer] if layer else columns.size for layer in job.layers}
    updates = weights.updates[job.updates]
    whole = {"updates": updates, "index": data.index, "y": data.y, "group": data.groups, **data.named}
    whole["trained"] = pack(_trained(job))
    with ActivationsWriter(sink, _meta(job, device), whole, widths, half) as writer:
        with Progress(len(updates), "update", quiet) as progress:
            for number, position in enumerate(job.updates):
                layers = weights.layers(position, job.runs)
                for tile in activations(layers, job.recipe, x, columns, data.groups, job.layers, device):
                    _add(writer, number, tile, job)
                progress.to(number + 1)
        writer.commit()


def _add(writer, number, tile, job):
    """Write a Tile of the update at this position; an error names the networks and the data."""
    try:
        writer.add(number, tile)
    except StragError as error:
        raise error.about(f"{job.weights.source} on {job.name}") from None


def _trained(job):
    """bool [R, P]: the examples of the data that each run was trained on; all of foreign data."""
    weights, data = job.weights, job.data
    everything = np.ones((len(job.runs), len(data.y)), dtype=bool)
    if data.origin != weights.meta.get("origin"):
        return everything
    if (weights.index >= data.origin_size).any():
        raise StragError("has an index beyond the end of its data set", _AGAIN, weights.source)
    bits = unpack(weights.trained[job.runs], len(weights.index))
    of_origin = np.zeros((len(job.runs), data.origin_size), dtype=bool)
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
    )
