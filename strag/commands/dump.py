"""strag dump: hidden activations and predictions of trained networks."""

import click

from strag.commands.options import (
    device_option,
    example,
    output_option,
    quiet_option,
    stored_runs_option,
    stored_updates_option,
    threads_option,
)
from strag.commands.types import DataPath, FilePath, LayerNames


@click.command(
    "dump",
    epilog=example("""
strag train mnist8k --runs 4 --epochs 100 --lr 0.2 --weights w.safetensors --weights-at log -o h.safetensors
strag dump w.safetensors mnist8k --updates 41,100 -o a.safetensors
strag dump w.safetensors mnist8k | strag geometry - -o g.safetensors
"""),
)
@click.argument("weights", type=FilePath(), metavar="WEIGHTS")
@click.argument("data", type=DataPath(), metavar="DATA")
@click.option(
    "--layers",
    type=LayerNames(),
    metavar="LAYERS|all",
    help="Layers to write: numbers, or names of a module's layers; 0 is the input.  [default: the first]",
)
@stored_updates_option("write")
@stored_runs_option("write")
@click.option("--half", is_flag=True, help="Store activations in half precision, which takes half the space.")
@device_option
@threads_option
@output_option("the activations")
@quiet_option
def command(weights, data, layers, updates, runs, half, device, threads, output, quiet):
    """Run trained networks and write their activations and predictions.

    WEIGHTS is a file written by 'strag train --weights'. DATA is the data set to run the networks on: a
    dataset file or a name in the catalogue. One of them may be '-' for stdin. The output is an activations
    file, which 'strag geometry' reads.

    Examples of DATA that the networks were not trained on are marked if DATA is the training set, a part of
    it ('strag prune'), or the data set of which the training set is such a part. Any other DATA, also a
    subset made by 'strag data', counts as other data, on which no network was trained.

    DATA is standardised like the data that the networks were trained on. Activations are the outputs of
    the nonlinearity, without normalisation. Layer 0 is the standardised input.
    """
    from contextlib import ExitStack

    from strag.api.dump import dump_into, prepare_dump
    from strag.commands.inputs import read_data, refuse_data_set, refuse_overwriting
    from strag.console import Notes, Progress
    from strag.files.output import Output
    from strag.kinds import read
    from strag.training.device import choose_device, set_threads
    from strag.views.geometry import examples
    from strag.words import number_of

    if weights == data == "-":
        raise click.UsageError("WEIGHTS and DATA cannot both be stdin")
    refuse_data_set(weights, "the order is WEIGHTS DATA")
    refuse_overwriting((weights, data), ("-o", output))
    device = choose_device(device)
    set_threads(threads)
    with ExitStack() as stack:
        sink = stack.enter_context(Output(output))
        stored = stack.enter_context(read(weights, "weights"))
        job = prepare_dump(stored, read_data(data), layers, updates, runs)
        with Progress(len(job.updates), "update", quiet) as progress:
            dump_into(job, sink, half, device, progress.to)
    runs, updates = number_of(len(job.runs), "run"), number_of(len(job.updates), "update")
    Notes(quiet)(f"{runs} at {updates}, {examples(job, fate='')}")
