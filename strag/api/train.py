"""`strag.train`: many networks trained at once, and the record of their dynamics."""

import warnings
from contextlib import ExitStack, suppress
from functools import partial

from strag import kinds
from strag.api.arguments import kind, refuse_overwriting
from strag.api.job import history_writer, prepare_job, weights_writer
from strag.api.resume import Resumption
from strag.errors import StragError, StragWarning
from strag.files import history
from strag.files.completed import is_complete
from strag.files.output import Output, commit
from strag.signals import held, waits
from strag.stragglers.decision import decided
from strag.stragglers.recipe import descends
from strag.training import loop as science
from strag.training.architectures import ARCHITECTURES
from strag.training.device import DEVICES, choose_device, set_threads
from strag.training.recipe import Recipe
from strag.training.records import Checkpoint
from strag.training.schedule import listed
from strag.training.watch import Watch
from strag.values import checked, choice, function, instance, listing, number, optional, path, whole


def is_done(job, sinks, weights_at, device):
    """Whether the outputs of a part, or of a training that resumes, are there already, complete.

    sinks : open Outputs of the history and of the weights, the latter None without weights.

    Raises StragError if there is another file in the place of one of them.
    """
    done = is_written(job, sinks[0], device)
    if sinks[1] is not None:
        done &= is_written(job, sinks[1], device, weights_at)
    if done and sinks[0].is_begun:  # a command was killed before it could remove its work file
        with suppress(StragError), history_writer(job, device, sinks[0]) as writer:
            writer.output.drop()
    return done


def is_written(job, sink, device, weights_at=None):
    """Whether one output of a part, or of a training that resumes, is there already, complete.

    sink : open Output of the history or, with `weights_at`, of the weights.

    Raises StragError if there is another file in its place.
    """
    if job.part is None and not sink.resumes:
        return False
    if weights_at is None:
        return is_complete(sink.path, job.meta("history", device))
    updates = None if job.recipe.until else listed(weights_at, job.last, "weights_at")
    return is_complete(sink.path, job.meta("weights", device), updates)


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
        warnings.warn(text, StragWarning, stacklevel=2)


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
    for event in science.train(job.recipe, job.task, weights_at, device, begun, due, decide=decide):
        if isinstance(event, Checkpoint):
            resumption.take(event)
            if waits():
                return
            continue
        for writer in writers:
            writer.add(event)
        done = watch.add(event, job.last)
        if progress:
            progress(done, **watch.figures)
    if resumption is not None:
        resumption.save()


def _options():
    """The names of the options of a training and of all models."""
    models = (name for model in ARCHITECTURES.values() for name in model.option_names())
    return sorted({*Recipe.option_names(), "model", *models})


@checked(
    options=_options,
    data=kind("Dataset"),
    recipe=optional(instance(Recipe, "a strag.Recipe, or its parts by name, such as lr=0.2")),
    without=optional(kind("Finding", "StoredSets")),
    init=optional(kind("Weights")),
    output=optional(path),
    weights=optional(path),
    weights_at=listing("updates such as '0,40', 'log' or 'last'"),
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
    weights_at="last",
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
    recipe : Recipe; or its parts by name, as options of `strag train`: runs=10, epochs=150, lr=0.2, depth=3,
        layers="all", record_every="log".
    without : Finding whose `indices` every run leaves out, or StoredSets, one network for each set.
    init : Weights whose last state the networks start from.
    output, weights : where to write the files of `strag train` as well: paths.
    weights_at : updates whose weights are written, such as "0,40", (0, 40), "log" or "last".
    device : "auto", "cpu", "cuda" or "mps". threads : processor threads; None leaves torch's default.
    memory : GiB that the training may need at most.
    progress : function that is called with the network-updates done, out of runs times updates.

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
    at = None if weights is None else weights_at
    with ExitStack() as stack:
        sinks = [None if name is None else stack.enter_context(Output(name)) for name in (output, weights)]
        job = prepare_job(recipe, data, without, init, memory, device, sinks, at)
        writers = [stack.enter_context(history_writer(job, device, sinks[0]))]
        if at and not is_written(job, sinks[1], device, at):
            writers.append(stack.enter_context(weights_writer(job, device, sinks[1], at)))
        run(job, writers, device, progress and (lambda done, **_: progress(done)))
        gathered = history.read(writers[0].as_container("history")) if output is None else None
        commit(*(writer for writer in reversed(writers) if writer.output))
    return gathered or kinds.read(str(output), "history")
