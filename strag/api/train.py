"""`strag.train`: many networks trained at once, and the record of their dynamics."""

from contextlib import ExitStack
from functools import partial

from strag import kinds
from strag.api.arguments import file_to_read, kind, refuse_overwriting
from strag.api.job import history_writer, prepare_job, weights_writer
from strag.api.options import with_options_of
from strag.api.resume import EVERY, Resumption
from strag.api.unused import refuse_unused, refuse_unused_with
from strag.errors import warn_caller
from strag.files import history
from strag.files.completed import is_complete
from strag.files.output import Output, commit
from strag.signals import held
from strag.stragglers.decision import decided
from strag.stragglers.recipe import descends
from strag.training import architectures
from strag.training import loop as science
from strag.training.device import DEVICES, choose_device, set_threads
from strag.training.recipe import Recipe
from strag.training.records import Checkpoint
from strag.training.schedule import listed
from strag.training.watch import Watch
from strag.training.workers import train_by
from strag.values import checked, choice, function, instance, listing, number, optional, whole


def is_done(job, sinks, weights_at, device):
    """Whether the outputs of a part, or of a training that resumes, are there already, complete.

    sinks : open Outputs of the history and of the weights, the latter None without weights.

    Raises StragError if there is another file in the place of one of them.
    """
    if job.part is None and not sinks[0].resumes:
        return False
    done = is_complete(sinks[0].path, job.meta("history", device))
    if sinks[1] is not None:
        updates = None if job.recipe.until else listed(weights_at, job.last, "weights_at")
        done &= is_complete(sinks[1].path, job.meta("weights", device), updates)
    return done


def run(job, writers, device, progress=None):
    """Train, and pass every record to the writers. Warnings of the training follow at the end.

    If their Outputs resume, it goes on from the state in the work file, and keeps the state there, also when
    a signal ends it.

    progress : called after every record with the network-updates that are done and a dict of figures.
    """
    watch = Watch(job.recipe, job.task, job.data.grouping.names)
    if writers[0].output is not None and writers[0].output.resumes:
        with held():  # a signal ends the training after a state is written
            _train(job, writers, device, watch, progress, Resumption(job, writers))
    else:
        _train(job, writers, device, watch, progress)
    for text in watch.warnings():
        warn_caller(text)


def _train(job, writers, device, watch, progress, resumption=None):
    """Train, and pass every record to the writers and the Watch; keep the state with a Resumption."""
    begun, due, decide = (), None, None
    if resumption is not None:
        begun, due = resumption.begun(), resumption.due
        for checkpoint in begun:
            for record in resumption.seen(checkpoint):
                watch.add(record, job.last)
    if job.recipe.until:
        decide = partial(decided, descends=descends(job.recipe.as_dict()))
    weights_at = writers[1].updates if len(writers) > 1 else ()
    options = {"begun": begun, "due": due, "decide": decide}
    if job.crew is None:
        events = science.train(job.recipe, job.task, weights_at, device, **options)
    else:
        events = train_by(job.crew, job.recipe, job.task, weights_at, every=EVERY, **options)
    for event in events:
        if isinstance(event, Checkpoint):
            resumption.take(event)
            continue
        for writer in writers:
            writer.add(event)
        done = watch.add(event, job.last)
        if progress:
            progress(done, **watch.figures)


_MODEL = (architectures.DEFAULT, "name of the architecture.")


def _options():
    """The names of the options of a training and of all models."""
    return sorted({*Recipe.option_names(), *architectures.option_names()})


@with_options_of(Recipe, *architectures.ARCHITECTURES.values(), without=["architecture"], model=_MODEL)
@checked(
    options=_options,
    data=kind("Dataset"),
    recipe=optional(instance(Recipe, "a strag.Recipe, or its parts by name, such as lr=0.2")),
    without=optional(kind("Finding", "StoredSets")),
    init=optional(kind("Weights")),
    output=optional(file_to_read),
    weights=optional(file_to_read),
    weights_at=optional(listing("updates such as '0,40', 'log' or 'last'")),
    device=choice(*DEVICES),
    threads=optional(whole(1, 4096)),
    memory=optional(number(0, above=True)),
    progress=optional(function("a function of the number of network-updates done")),
)
def train(
    data,
    recipe=None,
    without=None,
    init=None,
    output=None,
    weights=None,
    weights_at=None,
    device="auto",
    threads=None,
    memory=None,
    progress=None,
    **options,
):
    """Train many networks at once and record the dynamics.

    Parameters
    ----------
    data : Dataset, see `strag.data`.
    recipe : Recipe. Options, which are listed below, change it; without one, they make it.
    without : Finding whose `indices` every run leaves out, or StoredSets, one network for each set.
    init : Weights whose last state the networks start from.
    output, weights : where to write the files of `strag train` as well: paths.
    weights_at : updates whose weights are written, such as "0,40", (0, 40), "log" or "last", the default.
    device : "auto", "cpu", "cuda" or "mps". threads : processor threads; None leaves torch's default.
    memory : GiB that the training may need at most.
    progress : function that is called with the network-updates done, out of runs times updates.
    options : of the recipe and of the architecture.

    Returns
    -------
    History, in memory unless it is written.

    Raises StragError for parts that contradict each other and for data that cannot be trained on.

    Examples
    --------
    >>> import numpy as np, strag
    >>> x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    >>> history = strag.train(strag.data(x, x[:, 0] > 0), runs=2, epochs=5, lr=0.5)
    >>> history.train_error.shape
    (6, 2)
    """
    read = [thing for thing in (data, without, init) if thing is not None]
    refuse_overwriting(read, output=output, weights=weights)
    device = choose_device(device)
    set_threads(threads)
    recipe = Recipe.of(**options) if recipe is None else recipe.changed(**options)
    given = {*options, *([] if weights_at is None else ["weights_at"])}
    refuse_unused(given, recipe, without, init, weights)
    refuse_unused_with(data, given, recipe, without)
    at = None if weights is None else weights_at or "last"
    with ExitStack() as stack:
        sinks = [None if name is None else stack.enter_context(Output(name)) for name in (output, weights)]
        job = prepare_job(recipe, data, without, init, memory, device, sinks, at)
        writers = [stack.enter_context(history_writer(job, device, sinks[0]))]
        if at:
            writers.append(stack.enter_context(weights_writer(job, device, sinks[1], at)))
        run(job, writers, device, progress and (lambda done, **_: progress(done)))
        gathered = history.read(writers[0].as_container("history")) if output is None else None
        commit(*(writer for writer in reversed(writers) if writer.output))
    return gathered or kinds.read(str(output), "history")
