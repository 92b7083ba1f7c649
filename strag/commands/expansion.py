"""strag expansion: which examples expand or contract the class manifolds."""

import click

from strag.commands.options import (
    device_option,
    example,
    output_option,
    quiet_option,
    stored_model_option,
    stored_runs_option,
    threads_option,
)
from strag.commands.paths import DataPath, FilePath
from strag.commands.types import LayerName, State


@click.command(
    "expansion",
    epilog=example("""
strag train mnist8k --runs 4 --epochs 300 --lr 0.2 --weights w.safetensors --weights-at log -o h.safetensors
strag find-stragglers h.safetensors -o s.json
strag expansion w.safetensors mnist8k --from inversion --to last --stragglers s.json -o e.safetensors
strag expansion w.safetensors mnist8k --from 10 --to inversion --stragglers s.json -o early.safetensors
strag plot e.safetensors -o e.png
"""),
)
@click.argument("weights", type=FilePath(), metavar="WEIGHTS")
@click.argument("data", type=DataPath(), metavar="DATA")
@click.option(
    "--from",
    "from_",
    type=State("inversion"),
    metavar="UPDATE|inversion",
    default="inversion",
    show_default=True,
    help="First state: a stored update, or the inversion of each run.",
)
@click.option(
    "--to",
    type=State("inversion", "last"),
    metavar="UPDATE|inversion|last",
    default="last",
    show_default=True,
    help="Second state: a stored update, the inversion of each run, or its last update.",
)
@click.option(
    "--stragglers",
    type=FilePath(),
    metavar="FILE",
    help="Stragglers file of the same data, for the inversions, and to divide the change between the "
    "stragglers and the others.",
)
@click.option(
    "--layer",
    type=LayerName(),
    metavar="LAYER",
    help="Hidden layer to use, by number or name.  [default: the first]",
)
@stored_model_option
@stored_runs_option("use")
@device_option
@threads_option
@output_option("the scores")
@quiet_option
def command(weights, data, stragglers, device, threads, output, quiet, **options):
    """Measure which examples expand or contract the class manifolds.

    WEIGHTS is a file written by 'strag train --weights' at two or more updates (--weights-at log). DATA is
    the data set of the training. One of the inputs may be '-' for stdin. The output is a scores file, which
    'strag plot' draws.

    The score of an example is its exact share in the change of R^2, the squared gyration radius of its
    group, between two states of a network. A positive share means that the example moves out and expands its
    group. The shares of a group sum to the change of its R^2. The file has them for every run, and as means
    over the runs. Examples that a run did not train on do not count.

    --from inversion and --to inversion use the stored update nearest in ln t to the inversion of each run.
    They need --stragglers of the same training. Runs without an inversion are left out.

    With --stragglers, the change of R^2, now the mean over the groups, is divided between the stragglers and
    the others, as a mean and a range over the runs. The stragglers of a run are its own: the trained examples
    that it misclassifies at the stored update nearest to that of its set. If they are not known, for example
    because FILE comes from another training, they are those of most runs. The file has both divisions.
    """
    from contextlib import ExitStack

    from strag import kinds
    from strag.api.expansion import expansion_into, prepare_expansion
    from strag.api.model import file_of
    from strag.commands.inputs import (
        read_data,
        refuse_data_set,
        refuse_overwriting,
        refuse_several_stdin,
    )
    from strag.console import Notes, Progress
    from strag.files.output import Output
    from strag.training.device import choose_device, set_threads
    from strag.views.scores import sentence

    refuse_several_stdin(weights, data, stragglers)
    refuse_data_set(weights, "the order is WEIGHTS DATA")
    refuse_overwriting((weights, data, stragglers, file_of(options["model"])), ("-o", output))
    device = choose_device(device)
    set_threads(threads)
    with ExitStack() as stack:
        sink = stack.enter_context(Output(output))
        finding = None if stragglers is None else kinds.read(stragglers, "stragglers")
        stored = stack.enter_context(kinds.read(weights, "weights"))
        job = prepare_expansion(stored, read_data(data), stragglers=finding, **options)
        with Progress(job.passes, "pass", quiet) as progress:
            scores = expansion_into(job, sink, device, progress.to)
    Notes(quiet)(sentence(scores))
