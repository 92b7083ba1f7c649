"""strag train: train many networks at once and record their dynamics."""

from functools import partial

import click

from strag.commands.options import (
    device_option,
    example,
    given_names,
    json_option,
    output_option,
    quiet_option,
    refuse_ignored,
    threads_option,
)
from strag.commands.paths import DataPath
from strag.commands.training_options import DATA, JOB, NETWORK, OPTIMIZER, RECORDS, RUNS, WEIGHTS, add
from strag.commands.types import FiniteRange


@click.command(
    "train",
    epilog=example("""
strag train mnist8k --runs 10 --epochs 150 --lr 0.2 -o h.safetensors
strag prune mnist8k s.json | strag train --runs 6 --epochs 300 --lr 0.2 | strag find-stragglers -
strag data mnist8k --labels classes | strag train - --depth 3 --layers all -o deep.safetensors
strag train mnist8k --standardise channel --lr 0.2 -o channel.safetensors
strag train mnist8k --model cnn --layers conv1,conv2:mean --runs 3 --until decided -o cnn.safetensors
"""),
)
@click.argument("data", required=False, type=DataPath(), metavar="[DATA]")
@add(RUNS, NETWORK, OPTIMIZER, RECORDS, DATA, WEIGHTS, JOB)
@device_option
@threads_option
@click.option(
    "--memory",
    type=FiniteRange(0, min_open=True),
    metavar="GIB",
    help="Stop before training if it needs more memory than this.",
)
@click.option(
    "--plan", "plans", is_flag=True, help="Measure a short trial, print the cost of the training, and stop."
)
@click.option("--list-layers", "lists", is_flag=True, help="List the layers of the networks and stop.")
@output_option("the history")
@json_option
@quiet_option
def command(data, output, plans, lists, as_json, quiet, **options):
    """Train many networks at once and record the dynamics.

    DATA is a dataset file, '-' for stdin, or a name in the catalogue. By default it is stdin if something
    is piped in, else mnist8k, the first 8192 MNIST training images. The output is a history. It holds, for
    every run and recorded update, the training error, the loss, the class radii and distances of the hidden
    representations, and every misclassified example.

    --standardise pixel standardises each input by its own mean and standard deviation over the block; inputs
    that are constant there are not used. With channel, all inputs of a channel share a mean and a standard
    deviation, and with none, only uint8 is scaled, to the range from 0 to 1; constant inputs are used. The
    unit of --noise is this standard deviation; with none it is 1, or 255 levels of uint8.

    Time is counted in updates. With the full batch, records are free. With mini-batches, each record costs
    one pass over all examples, so that records are sparser by default.

    --until decided ends each run when its records show whether it inverts: at 4 times the update of its
    inversion, or when it has finished learning. --epochs is then the limit. A later, deeper valley remains
    possible.

    --part K/N trains part K of N, on any machine, and 'strag merge' joins the parts. --part auto/N takes K
    from the job array of Slurm, PBS or SGE; --part auto takes K and N from torchrun or srun. In the names of
    outputs, %p stands for K. --workers trains with several processes on this machine. The output has the
    same bytes as that of one process with the same --threads.

    If Ctrl-C, SIGTERM, SIGHUP, SIGUSR1 or SIGUSR2 stops a training with -o FILE, the finished part is kept
    as FILE.partial. With --resume, the state is kept in FILE.resume instead, also if the process is killed,
    and the same command continues the training. Complete outputs of the same training are left as they are
    by --resume and --part.

    With a sets file, --without trains one network per set, from the initial weights of the run that the set
    belongs to. The seed, the data and the sizes of the networks must be those of the training in which the
    sets were found.

    --plan writes neither a history nor weights. It prints the network-updates, arithmetic, time, memory
    and disk space of the training, as a table at a terminal, else as JSON. Memory hardly depends on --runs,
    and from about 16 runs on, neither does the time per network-update.

    --extend takes the recipe, the runs and their sets from HISTORY, which was written with --keep-state. DATA
    must be the same data set. The output has the same bytes as a training with these --epochs from the start,
    on the same machine. With --until, the limit is raised for the runs that were not decided. Options that
    would change the training are refused.

    Trainings that run at the same time share the processor: with `make -j`, use --threads 1 for each.
    """
    from contextlib import ExitStack

    from strag.api.crew import hire
    from strag.api.extend import refuse_unused_in_extension
    from strag.api.model import file_of
    from strag.api.train import missing_outputs
    from strag.api.unused import refuse_unused
    from strag.commands.inputs import data_or_pipe, refuse_overwriting
    from strag.console import Notes
    from strag.files.output import Output
    from strag.files.streams import name_of
    from strag.training.device import choose_device, set_threads

    without, init, extend, weights, weights_at = (
        options[key] for key in ("without", "init", "extend", "weights", "weights_at")
    )
    refuse_ignored(("json", not (plans or lists), "needs --plan or --list-layers"))
    refuse_ignored(*((name, lists, "contradicts --list-layers") for name in ("extend", "plan", "layers")))
    refuse_ignored(("extend", plans, "contradicts --plan, which measures a training from its start"))
    if extend is None:
        recipe = _recipe(options)
        refuse_unused(given_names(), recipe, without, init, weights)
    else:
        factory = _factory(options)
        names = given_names() - ({"model"} if factory else set())
        refuse_unused_in_extension(names, name_of(extend), weights=weights)
    source = data_or_pipe(data, (without, init, extend))
    data = "mnist8k" if source is None else source
    read = data, without, init, extend, file_of(options["model"])
    if lists:
        refuse_overwriting(read, ("-o", output))
        return _list_layers(recipe, data, output, as_json)
    if (data, without, init, extend).count("-") > 1:
        raise click.UsageError("DATA, --without, --init and --extend cannot both be stdin")
    weights_at = None if weights is None else weights_at
    part, output, weights = _part(options, output, weights, quiet)
    refuse_overwriting(read, ("-o", output), ("--weights", weights))
    device = choose_device(options["device"])
    set_threads(options["threads"])
    same = (options["memory"], device, part, options["keep_state"])
    if extend is None:
        make_job = partial(_job, recipe, data, without, init, *same)
    else:
        make_job = partial(_extension, extend, data, options["epochs"], factory, *same)
    with ExitStack() as stack:
        names = [None] * 2 if plans else [output, weights]
        resumes = options["resume"] and not plans
        sinks = [
            None if name is None else stack.enter_context(Output(name, resumes=resumes)) for name in names
        ]
        if source is None:
            Notes(quiet)("no DATA is given or piped in, so mnist8k is used")
        job = make_job(sinks, weights_at)
        hire(job, options["workers"], device, options["threads"], options["memory"])
        if plans:
            return _show_plan(job, device, weights_at, as_json)
        writers = stack.enter_context(missing_outputs(job, sinks, weights_at, device))
        if writers is None:
            return Notes(quiet)(f"{output}: is complete already, so it is left as it is")
        _run(job, writers, device, quiet)
    Notes(quiet)(_sentence(job, writers[0]))
    return None


def _part(options, output, weights, quiet):
    """The Part of --part or None, and the names of its outputs; a note says which part `auto` is."""
    from strag.api.part import outputs_of
    from strag.console import Notes

    part, source = options["part"] or (None, None)
    output, weights = outputs_of(part, source, output, weights)
    if source:
        Notes(quiet)(f"training part {part}, as {source} {'say' if ' and ' in source else 'says'}")
    return part, output, weights


def _sentence(job, history):
    """What was trained, as a sentence."""
    from strag.words import number_of

    runs, last = number_of(job.recipe.runs, "run"), history.last_updates
    if job.recipe.until:
        first = "" if last.min() == last.max() else f"{last.min()} to "
        return f"{runs}, which ended after {first}{number_of(last.max(), 'update')}"
    return f"{runs}, {number_of(job.last, 'update')}, {number_of(len(job.recorded), 'record')}"


def _recipe(options):
    """The Recipe of the options that are set."""
    from strag.api.model import model
    from strag.training.architectures import DEFAULT, option_names
    from strag.training.recipe import Recipe

    names = {*Recipe.option_names(), *option_names()} & given_names()
    values = {name: options[name] for name in names}
    return Recipe.of(**{**values, "model": model(options.get("model", DEFAULT))})


def _factory(options):
    """The Factory that --model names, or None if it is the name of a model."""
    from strag.api.model import read_factory

    return read_factory(options["model"]) if ":" in options["model"] else None


def _list_layers(recipe, data, output, as_json):
    """Print the layers of the networks of a Recipe."""
    from strag.api.checkpoints import listed
    from strag.api.job import ends_of
    from strag.commands.deliver import deliver_layers
    from strag.commands.inputs import read_data
    from strag.files.output import Output

    with Output(output, binary=False) as sink:
        ends = ends_of(read_data(data))
        deliver_layers(listed(recipe.architecture.shown(ends)), sink, as_json)


def _show_plan(job, device, weights_at, as_json):
    """Print the cost of a Job: a table at a terminal, else JSON."""
    from strag.api.plan import plan
    from strag.commands.deliver import deliver
    from strag.files.output import Output
    from strag.views import plan as view

    with Output("-", binary=False) as sink:
        deliver(view, lambda out: plan(job, device, weights_at, out), sink, as_json, quiet=True)


def _run(job, writers, device, quiet):
    """Train, showing progress, and put the finished files in their places, the history last."""
    from strag.api.train import run
    from strag.commands.deliver import kept_in_part
    from strag.console import Progress
    from strag.files.output import commit

    with kept_in_part(writers[0]):
        with Progress(job.recipe.runs * job.last, "update", quiet) as progress:
            run(job, writers, device, progress.to)
        commit(*reversed(writers))


def _extension(extend, data, epochs, factory, memory, device, part, keep, sinks, weights_at):
    """The Job of going on with the training in a history."""
    from strag.api.extend import prepare_extension
    from strag.commands.inputs import read_data
    from strag.kinds import read

    history = read(extend, "history", state=True)
    same = (memory, device, sinks, weights_at, part, keep, factory)
    return prepare_extension(history, read_data(data), epochs, *same)


def _job(recipe, data, without, init, memory, device, part, keep, sinks, weights_at):
    """The Job of training on DATA. Options that have no effect on this data set are refused."""
    from contextlib import nullcontext

    from strag.api.job import prepare_job
    from strag.api.unused import refuse_unused_with
    from strag.commands.inputs import read_data
    from strag.console import warn
    from strag.kinds import read
    from strag.training.precision import is_native

    loaded = read_data(data)
    left_out = None if without is None else read(without, ("stragglers", "sets"))
    refuse_unused_with(loaded, given_names(), recipe, left_out)
    if not is_native(recipe.precision, device):
        warn(f"this processor has no {recipe.precision} arithmetic: expect no gain, or a loss, in speed")
    with nullcontext() if init is None else read(init, "weights") as start:
        return prepare_job(recipe, loaded, left_out, start, memory, device, sinks, weights_at, part, keep)
