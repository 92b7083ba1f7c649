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
from strag.commands.training_options import DATA, JOB, NETWORK, OPTIMIZER, RECORDS, RUNS, WEIGHTS, add
from strag.commands.types import DataPath, FiniteRange


@click.command(
    "train",
    epilog=example("""
strag train mnist8k --runs 10 --epochs 150 --lr 0.2 -o h.safetensors
strag prune mnist8k s.json | strag train --runs 6 --epochs 300 --lr 0.2 | strag find-stragglers -
strag data mnist8k --labels classes | strag train - --depth 3 --layers all -o deep.safetensors
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
@output_option("the history")
@json_option
@quiet_option
def command(data, output, plans, as_json, quiet, **options):
    """Train many networks at once and record the dynamics.

    DATA is a dataset file, '-' for stdin, or a name in the catalogue. By default it is stdin if something
    is piped in, else mnist8k, the first 8192 MNIST training images. The output is a history. It holds, for
    every run and recorded update, the training error, the loss, the class radii and distances of the hidden
    representations, and every misclassified example.

    Time is counted in updates. With the full batch, records are free. With mini-batches, each record costs
    one pass over all examples, so that records are sparser by default.

    If Ctrl-C, SIGTERM, SIGHUP, SIGUSR1 or SIGUSR2 stops a training with -o FILE, the finished part is kept
    as FILE.partial.

    With a sets file, --without trains one network per set, from the initial weights of the run that the set
    belongs to. The seed, the data and the sizes of the networks must be those of the training in which the
    sets were found.

    --plan writes neither a history nor weights. It prints the network-updates, arithmetic, time, memory
    and disk space of the training, as a table at a terminal, else as JSON. Memory hardly depends on --runs,
    and from about 16 runs on, neither does the time per network-update.

    Trainings that run at the same time share the processor: with `make -j`, use --threads 1 for each.
    """
    from contextlib import ExitStack

    from strag.api.job import history_writer, weights_writer
    from strag.api.train import is_done
    from strag.api.unused import refuse_unused
    from strag.api.workers import crew_for
    from strag.commands.inputs import data_or_pipe, refuse_overwriting
    from strag.console import Notes
    from strag.files.output import Output
    from strag.training.device import choose_device, set_threads

    without, init, weights, weights_at = (
        options[key] for key in ("without", "init", "weights", "weights_at")
    )
    refuse_ignored(("json", not plans, "needs --plan"))
    recipe = _recipe(options)
    refuse_unused(given_names(), recipe, without, init, weights)
    source = data_or_pipe(data, (without, init))
    data = "mnist8k" if source is None else source
    if (data, without, init).count("-") > 1:
        raise click.UsageError("DATA, --without and --init cannot both be stdin")
    part, weights_at = _part(options, quiet), None if weights is None else weights_at
    output, weights = (name if part is None else _named(name, part) for name in (output, weights))
    refuse_overwriting((data, without, init), ("-o", output), ("--weights", weights))
    device = choose_device(options["device"])
    set_threads(options["threads"])
    make_job = partial(_job, recipe, data, without, init, options["memory"], device, part)
    with ExitStack() as stack:
        names = [None] * 2 if plans else [output, weights]
        resumes = options["resume"] and not plans
        sinks = [
            None if name is None else stack.enter_context(Output(name, resumes=resumes)) for name in names
        ]
        if source is None:
            Notes(quiet)("no DATA is given or piped in, so mnist8k is used")
        job = make_job(sinks, weights_at)
        job.crew = crew_for(options["workers"], job.recipe, job.task.ends, device, options["threads"])
        if plans:
            return _show_plan(job, device, weights_at, as_json)
        if is_done(job, sinks, weights_at, device):
            return Notes(quiet)(f"{output}: is complete already, so it is left as it is")
        writers = [stack.enter_context(history_writer(job, device, sinks[0]))]
        if weights is not None:
            writers.append(stack.enter_context(weights_writer(job, device, sinks[1], weights_at)))
        _run(job, writers, device, quiet)
    Notes(quiet)(_sentence(job, writers[0]))
    return None


def _part(options, quiet):
    """The Part of --part, or None; a note says which one `auto` is."""
    from strag.console import Notes

    part, source = options["part"] or (None, None)
    if source:
        Notes(quiet)(f"training part {part}, as {source} {'say' if ' and ' in source else 'says'}")
        for option in ("output", "weights"):
            if options.get(option) not in (None, "-") and "%p" not in options[option]:
                problem = "every part of --part auto needs its own file; write its number in the name as %p"
                raise click.UsageError(problem)
    return part


def _named(name, part):
    """The name of an output, with the number of the part in the place of %p."""
    return None if name is None else name.replace("%p", str(part.number))


def _sentence(job, history):
    """What was trained, as a sentence."""
    from strag.words import number_of

    runs, last = number_of(job.recipe.runs, "run"), history.last_updates
    if job.recipe.until:
        return f"{runs}, which ended after {last.min()} to {last.max()} updates"
    return f"{runs}, {job.last} updates, {len(job.recorded)} records"


def _recipe(options):
    """The Recipe of the options that are set."""
    from strag.training.architectures import ARCHITECTURES, DEFAULT
    from strag.training.recipe import Recipe

    model = options.get("model", DEFAULT)
    names = {*Recipe.option_names(), *ARCHITECTURES[model].option_names()} & given_names()
    return Recipe.of(model=model, **{name: options[name] for name in names})


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


def _job(recipe, data, without, init, memory, device, part, sinks, weights_at):
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
        return prepare_job(recipe, loaded, left_out, start, memory, device, sinks, weights_at, part)
