"""`strag.dump`: activations, predictions and losses of trained networks on a data set."""

import os

from strag import kinds
from strag.api.arguments import file_to_read, kind, refuse_overwriting, require
from strag.api.checkpoints import are_checkpoints, factory_of, listed, prepare_checkpoints, refuse_unused
from strag.api.dump_weights import prepare_dump
from strag.api.job import ends_of
from strag.api.model import file_of
from strag.api.outputs import opened
from strag.bits import pack
from strag.datasets.standardisation import WAYS
from strag.errors import StragError, bad_usage
from strag.files.activations import ActivationsWriter, read
from strag.files.checkpoints import require_checkpoint
from strag.training.architectures import architecture
from strag.training.custom import args_check
from strag.training.device import DEVICES, choose_device
from strag.training.recipe import layers_check
from strag.training.snapshots import Snapshots
from strag.values import checked, choice, flag, listing, optional, path, text


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


def _weights(value, name):
    """The check of `weights`: Weights, a path of one file, or a list of paths of checkpoints."""
    if isinstance(value, (list, tuple)) and value:
        return [path(part, name) for part in value]
    if isinstance(value, (str, os.PathLike)):
        file = path(value, name)
        return [file] if are_checkpoints([file], None) else kinds.read(file, "weights")
    return require(value, name, "Weights")


def _refuse_unused(given, weights, **_):
    refuse_unused(given, isinstance(weights, list))


@checked(
    ignored=_refuse_unused,
    weights=_weights,
    data=kind("Dataset"),
    layers=optional(layers_check),
    updates=listing("updates such as '0,40', or 'all'"),
    runs=optional(listing("runs such as '0,3', or 'all'")),
    half=flag,
    device=choice(*DEVICES),
    output=optional(file_to_read),
    model_args=optional(args_check),
    key=optional(text("the name of a key, such as 'model'")),
    standardise=optional(choice(*WAYS)),
)
def dump(
    weights,
    data,
    layers=None,
    updates="all",
    runs=None,
    half=False,
    device="auto",
    output=None,
    model=None,
    model_args=None,
    key=None,
    standardise=None,
):
    """Dump the hidden activations and predictions of trained networks.

    Parameters
    ----------
    weights : Weights, which `strag.read` returns, or the path of their file; or a list of paths of
        checkpoints of one network, which another program trained, or the path of one: state dicts in
        safetensors, or in files that `torch.save` wrote.
    data : Dataset to run the networks on.
    layers : names such as "1,2" or (1, 2), or "all"; by default the first. updates, runs : numbers such as
        "0,40" or (0, 40), or "all", which is the default. The updates of checkpoints are one number for each,
        by default the last whole number in its name.
    half : store activations in half precision. device : as for `strag.train`.
    output : path of a file of activations, which may be larger than memory; by default they stay in memory.
    model, model_args : the function that builds the networks, of checkpoints or where `strag.train` was given
        one: the text "FILE.py:FACTORY" or the function itself, and a dict of its further arguments.
    key : where the state dict is in each checkpoint, such as "model" or "ema.model".
    standardise : how inputs of checkpoints are standardised: "pixel", "channel", or by default "none".

    Returns
    -------
    Activations, which are read part by part. Pass them to `measure`.

    Raises StragError for data that do not fit the networks, for layers, updates or runs that are not stored,
    for checkpoints that cannot be read without running code in them, and for those of another network.
    """
    files = weights if isinstance(weights, list) else [weights]
    refuse_overwriting([data, *files, file_of(model)], output=output)
    device = choose_device(device)
    job = prepare(weights, data, layers, updates, runs, model, model_args, key, standardise, device)
    with opened(output) as sink:
        gathered = dump_into(job, sink, half, device)
    return gathered or kinds.read(str(output), "activations")


def prepare(weights, data, layers, updates, runs, model, model_args, key, standardise, device):
    """The DumpJob of Weights, or the CheckpointJob of a list of paths; the arguments are those of `dump`."""
    factory = factory_of(model)
    if not isinstance(weights, list):
        return prepare_dump(weights, data, layers, updates, runs or "all", factory)
    if factory is None:
        for name in weights:
            require_checkpoint(name)
        problem = "is a checkpoint, whose network `model` has to build"
        raise bad_usage(problem, "pass FILE.py:FACTORY as `model`", weights[0])
    built = architecture(model=factory, **({} if model_args is None else {"model_args": model_args}))
    given = None if updates == "all" else updates
    return prepare_checkpoints(weights, data, built, layers, key, given, standardise, device)


def layers_of(weights, data, model=None, model_args=None):
    """The layers of a network, in the order of their calls: list of dict of name, type, shape and calls.

    weights : Weights, whose networks are meant without `model`; else None. The others as for `dump`.
    """
    if model is not None:
        options = {} if model_args is None else {"model_args": model_args}
        return listed(Snapshots(architecture(model=factory_of(model), **options), ends_of(data)).layers)
    job = prepare_dump(weights, data)
    return listed(job.recipe.architecture.shown(job.ends))


def _add(writer, number, tile, job):
    """Write a Tile of the update at this position; an error names the networks and the data."""
    try:
        writer.add(number, tile)
    except StragError as error:
        raise error.about(f"{job.source} on {job.data.source}") from None
