"""strag dump: hidden activations and predictions of trained networks."""

import click

from strag.commands.options import (
    device_option,
    example,
    given_names,
    model_args_option,
    model_option,
    output_option,
    quiet_option,
    refuse_ignored,
    stored_runs_option,
    stored_updates_option,
    threads_option,
)
from strag.commands.paths import DataPath, WeightsPath
from strag.commands.types import LayerNames


@click.command(
    "dump",
    epilog=example("""
strag train mnist8k --runs 4 --epochs 100 --lr 0.2 --weights w.safetensors --weights-at log -o h.safetensors
strag dump w.safetensors mnist8k --updates 41,100 -o a.safetensors
strag dump w.safetensors mnist8k | strag geometry - -o g.safetensors
strag dump mnist8k --model net.py:make --list-layers
strag dump step*.pt mnist8k --model net.py:make --layers conv2,relu3:mean --key model -o a.safetensors
"""),
)
@click.argument("weights", nargs=-1, type=WeightsPath(), metavar="WEIGHTS...")
@click.argument("data", required=False, type=DataPath(), metavar="DATA")
@click.option(
    "--layers",
    type=LayerNames(),
    metavar="LAYERS|all",
    help="Layers to write: numbers, or names of a module's layers; 0 is the input.  [default: the first]",
)
@click.option("--list-layers", "lists", is_flag=True, help="List the layers of the network and stop.")
@model_option("Function in a file of yours that builds the network of checkpoints; strag runs this file.")
@model_args_option
@click.option(
    "--key", metavar="KEY", help="Where the state dict is in a checkpoint, such as model or ema.model."
)
@click.option(
    "--standardise",
    type=click.Choice(["pixel", "channel", "none"]),
    help="How inputs are standardised for checkpoints; none divides uint8 by 255.  [default: none]",
)
@stored_updates_option("write")
@stored_runs_option("write")
@click.option("--half", is_flag=True, help="Store activations in half precision, which takes half the space.")
@device_option
@threads_option
@output_option("the activations")
@quiet_option
def command(weights, data, output, quiet, lists, model, model_args, threads, **options):
    """Run trained networks and write their activations and predictions.

    WEIGHTS is a file written by 'strag train --weights', or one or more checkpoints of another program. DATA
    is the data set to run the networks on: a dataset file or a name in the catalogue. A weights file or DATA
    may be '-' for stdin. The output is an activations file, which 'strag geometry' reads. It holds the
    linear head of the networks too, if the layer that the head reads is dumped.

    Examples of DATA that the networks were not trained on are marked if DATA is the training set, a part of
    it ('strag prune'), or the data set of which the training set is such a part. Any other DATA, also a
    subset made by 'strag data', counts as other data, on which no network was trained.

    DATA is standardised like the data that the networks were trained on. Activations are the outputs of
    the nonlinearity, without normalisation. Layer 0 is the standardised input.

    Checkpoints are state dicts, in safetensors files or in files written by torch.save, of one network that
    --model builds: FACTORY(shape, classes) returns a torch.nn.Module. A pickle that could run code is
    refused. The update of a checkpoint is the last whole number in its name, or its number in --updates. The
    network is in evaluation mode. All examples of DATA count as trained on. A layer is the output of a
    submodule, by its name; --list-layers lists them.
    """
    from contextlib import ExitStack

    from strag.api.checkpoints import are_checkpoints, refuse_unused
    from strag.api.dump import dump_into, prepare
    from strag.api.model import file_of
    from strag.commands.inputs import read_data, refuse_data_set, refuse_overwriting
    from strag.console import Notes, Progress
    from strag.files.output import Output
    from strag.kinds import read
    from strag.training.device import choose_device, set_threads
    from strag.views.geometry import examples
    from strag.words import number_of, some_of

    if data is None or not (weights or lists):
        missing = "WEIGHTS" if data is None and not lists else "DATA"
        raise click.UsageError(f"missing argument '{missing}'; the order is WEIGHTS DATA")
    if "-" in weights and data == "-":
        raise click.UsageError("WEIGHTS and DATA cannot both be stdin")
    for path in weights:
        refuse_data_set(path, "the order is WEIGHTS DATA")
    refuse_overwriting((*weights, data, file_of(model)), ("-o", output))
    device = choose_device(options.pop("device"))
    set_threads(threads)
    if lists:
        others = "layers key standardise updates runs half"
        refuse_ignored((others, True, "contradicts `list_layers`"))
        _list_layers(weights, data, model, model_args, output)
        return
    foreign = are_checkpoints(weights, model)
    refuse_unused(given_names(), foreign)
    half = options.pop("half")
    with ExitStack() as stack:
        sink = stack.enter_context(Output(output))
        stored = list(weights) if foreign else stack.enter_context(read(weights[0], "weights"))
        job = prepare(stored, read_data(data), model=model, model_args=model_args, device=device, **options)
        with Progress(len(job.updates), "update", quiet) as progress:
            dump_into(job, sink, half, device, progress.to)
    runs, updates = number_of(len(job.runs), "run"), number_of(len(job.updates), "update")
    if foreign:  # whose updates come from their names
        updates = f"update{'' if len(job.updates) == 1 else 's'} {some_of(job.updates)}"
    Notes(quiet)(f"{runs} at {updates}, {examples(job, fate='')}")


def _list_layers(weights, data, model, model_args, output):
    """Print the layers of a network: a table at a terminal, else JSON."""
    from contextlib import nullcontext

    from strag.api.dump import layers_of
    from strag.commands.deliver import deliver_layers
    from strag.commands.inputs import read_data
    from strag.files.output import Output
    from strag.kinds import read

    if model is None and len(weights) != 1:
        raise click.UsageError("--list-layers needs --model FILE.py:FACTORY, or one weights file of strag")
    with Output(output, binary=False) as sink:
        with nullcontext() if model is not None else read(weights[0], "weights") as stored:
            found = layers_of(stored, read_data(data), model, model_args)
        deliver_layers(found, sink)
