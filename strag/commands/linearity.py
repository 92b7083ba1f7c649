"""strag linearity: how linear trained networks are."""

import click

from strag.commands.options import (
    device_option,
    example,
    json_option,
    output_option,
    quiet_option,
    stored_model_option,
    stored_runs_option,
    stored_updates_option,
    threads_option,
)
from strag.commands.paths import DataPath, FilePath
from strag.commands.types import FiniteRange


@click.command(
    "linearity",
    epilog=example("""
strag train mnist8k --runs 4 --epochs 150 --lr 0.2 --weights w.safetensors --weights-at log -o h.safetensors
strag find-stragglers h.safetensors -o s.json
strag linearity w.safetensors mnist8k --stragglers s.json
strag linearity w.safetensors mnist8k -o l.json && strag plot l.json -o l.png
"""),
)
@click.argument("weights", type=FilePath(), metavar="WEIGHTS")
@click.argument("data", type=DataPath(), metavar="DATA")
@click.option(
    "--stragglers",
    type=FilePath(),
    metavar="FILE",
    help="Stragglers file of the same training, to report the values at t*/4, t* and 4 t*.",
)
@click.option(
    "--min-variance",
    type=FiniteRange(0),
    default=0.01,
    metavar="X",
    show_default=True,
    help="Leave out directions of the standardised inputs with at most this variance; 0 leaves out none.",
)
@stored_model_option
@stored_updates_option("measure")
@stored_runs_option("measure")
@device_option
@threads_option
@output_option("the result")
@json_option
@quiet_option
def command(weights, data, stragglers, device, threads, output, as_json, quiet, **options):
    """Measure how linear trained networks are.

    WEIGHTS is a file written by 'strag train --weights'. DATA is the data set that its networks were trained
    on, or a part of it made by 'strag prune'. One of them may be '-' for stdin. The output is a table at a
    terminal, else JSON, with these values for every stored update and run:

    \b
    - train_error: the training error
    - r2: the share of the variance of the network's logit differences that a
      linear function of its inputs explains (1: the network is linear, 0: no
      better than a constant; it may be negative)
    - agreement: the share of examples that this function and the network
      assign to the same group

    The linear function is fitted by least squares, with an intercept, to the training examples of even
    index, and compared with the network on those of odd index. The index is the row of the data set before
    'strag prune'. The values are null unless there are more such rows than inputs that vary, plus 1.

    Directions of the inputs that hardly vary over the fitted examples are left out (--min-variance). In
    images they are pixels that are rarely used. If they are not left out, R^2 says more about these pixels
    than about the networks. The inputs are standardised as in the training; their variance is 1 unless it
    used --standardise. A linear classifier ('strag train --depth 1') shows how close to 1 the values
    can come.
    """
    from contextlib import ExitStack

    from strag.api.linearity import linearity_into, prepare_linearity
    from strag.api.model import file_of
    from strag.commands.deliver import deliver
    from strag.commands.inputs import read_data, refuse_data_set, refuse_overwriting, refuse_several_stdin
    from strag.console import Progress
    from strag.files.output import Output
    from strag.kinds import read
    from strag.training.device import choose_device, set_threads
    from strag.views import linearity as view

    refuse_several_stdin(weights, data, stragglers)
    refuse_data_set(weights, "the order is WEIGHTS DATA")
    refuse_overwriting((weights, data, stragglers, file_of(options["model"])), ("-o", output))
    device = choose_device(device)
    set_threads(threads)
    with ExitStack() as stack:
        sink = stack.enter_context(Output(output, binary=False))
        stored = stack.enter_context(read(weights, "weights"))
        finding = None if stragglers is None else read(stragglers, "stragglers")
        job = prepare_linearity(stored, read_data(data), finding, **options)

        def answer(out):
            networks = len(job.dump.updates) * len(job.dump.runs)
            with Progress(networks, "network", quiet) as progress:
                return linearity_into(job, out, device, progress.to)

        deliver(view, answer, sink, as_json, quiet)
