"""`strag.train`: many networks trained at once, and the record of their dynamics."""

from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from strag import kinds
from strag.api.arguments import file_to_read, kind, refuse_overwriting
from strag.api.crew import hire
from strag.api.extend import history_or_path, prepare_extension, refuse_unused_in_extension
from strag.api.job import history_writer, prepare_job, weights_writer
from strag.api.model import file_of, model
from strag.api.options import with_options_of
from strag.api.part import outputs_of
from strag.api.part import part as part_check
from strag.api.resume import EVERY, Resumption, records_before
from strag.api.sharing import workers_check
from strag.api.unused import refuse_unused, refuse_unused_with
from strag.api.workers import train_by
from strag.errors import StragError, StragNote, bad_usage, warn_caller, warn_of
from strag.files import history
from strag.files.completed import is_complete
from strag.files.output import Output, commit
from strag.files.state import REACHED
from strag.signals import held
from strag.stragglers.decision import decided
from strag.stragglers.recipe import descends
from strag.training import architectures
from strag.training import loop as science
from strag.training.device import DEVICES, choose_device, set_threads
from strag.training.factory import Factory
from strag.training.recipe import Recipe
from strag.training.records import Checkpoint
from strag.training.schedule import listed
from strag.training.watch import Watch
from strag.values import checked, choice, flag, function, instance, listing, number, optional, whole


@contextmanager
def missing_outputs(job, sinks, weights_at, device):
    """A context with the open writers of what a Job has to write: of the history and of the weights, if any.

    It is None where all outputs are there already, see `is_done`. sinks : open Outputs of the history and of
    the weights, or None. weights_at : updates at which weights are written; None where none are.
    """
    if is_done(job, sinks, weights_at, device):
        yield None
        return
    with ExitStack() as stack:
        writers = [stack.enter_context(history_writer(job, device, sinks[0]))]
        if weights_at is not None and not is_written(job, sinks[1], device, weights_at):
            writers.append(stack.enter_context(weights_writer(job, device, sinks[1], weights_at)))
        yield writers


def is_done(job, sinks, weights_at, device):
    """Whether the outputs of a part, or of a training that resumes, are there already, complete.

    sinks : open Outputs of the history and of the weights, or None where they are not written.

    Raises StragError if there is another file in the place of one of them.
    """
    history, weights = sinks
    done = history is not None and is_written(job, history, device)
    if done and weights is not None and not is_written(job, weights, device, weights_at):
        what = "is complete, but its weights are missing, so it is trained again"
        warn_of(history.path, what, StragNote)
        done = False
    if done and history.is_begun:  # a command was killed before it could remove its work file
        with suppress(StragError), history_writer(job, device, history) as writer:
            writer.output.drop()
    return done


def is_written(job, sink, device, weights_at=None):
    """Whether one output of a part, or of a training that resumes, is there already, complete.

    sink : open Output of the history or, with `weights_at`, of the weights.

    Raises StragError if there is another file in its place.
    """
    if sink.is_direct or (job.part is None and not sink.resumes):
        return False
    if weights_at is None:
        state = (REACHED.name,) if job.keeps_state else ()
        return is_complete(sink.path, job.meta("history", device), tensors=state)
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
        warn_caller(text)


def _train(job, writers, device, watch, progress, resumption=None):
    """Train, and pass every record to the writers and the Watch; keep the state with a Resumption."""
    begun = [] if job.extension is None else job.extension.begin(job, writers[0])
    due = decide = None
    if resumption is not None:
        later = {checkpoint.runs.start: checkpoint for checkpoint in resumption.begun()}
        begun = [*later.values(), *(checkpoint for checkpoint in begun if checkpoint.runs.start not in later)]
        due = resumption.due
    for checkpoint in begun:
        checkpoint.seen = records_before(writers[0], checkpoint)
        for record in records_before(writers[0], checkpoint):
            watch.add(record, job.last)
    if job.recipe.until:
        decide = partial(decided, descends=descends(job.recipe.as_dict()))
    weights_at = writers[1].updates if len(writers) > 1 else ()
    options = {"begun": begun, "due": due, "decide": decide, "keep": job.keeps_state}
    if job.crew is None:
        events = science.train(job.recipe, job.task, weights_at, device, **options)
    else:
        events = train_by(job.crew, job.recipe, job.task, weights_at, every=EVERY, **options)
    try:
        for event in events:
            _follow(event, job, writers, watch, progress, resumption)
    except StragError:  # of a worker, say: what all have reached is kept
        if resumption is not None:
            resumption.save()
        raise
    if resumption is not None:
        resumption.save()
        resumption.require_all()


def _follow(event, job, writers, watch, progress, resumption):
    """Write a Record, or keep a Checkpoint."""
    if isinstance(event, Checkpoint):
        if job.keeps_state and event.is_last:  # before its runs count as finished
            writers[0].add_state(event)
        if resumption is not None:
            resumption.take(event)
        return
    for writer in writers:
        writer.add(event)
    done = watch.add(event, job.last)
    if progress:
        progress(done, **watch.figures)


_MODEL = (
    architectures.DEFAULT,
    'the networks: "mlp", "cnn", the text FILE.py:FACTORY or a function, see `strag.training.factory`.',
)


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
    part=optional(part_check),
    resume=flag,
    workers=optional(workers_check),
    keep_state=flag,
    extend=optional(history_or_path),
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
    part=None,
    resume=False,
    workers=None,
    keep_state=False,
    extend=None,
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
    part : the part of the training to train, such as "3/8"; or "auto/8" or "auto" in a job of a scheduler. In
        `output` and `weights`, %p is the number of the part. `strag.merge` joins the parts.
    resume : whether to keep the state of the training in `output`.resume, and to go on from there if it was
        stopped. Outputs of a part, or with `resume`, that are there already are left as they are.
    workers : number of processes that train together, each with `threads`, or "auto" for one per core or per
        graphics card; by default this process alone.
    keep_state : whether the history holds the last state of every run, so that it can be extended.
    extend : History with a state, or the path of one, whose training goes on to the number of `epochs`,
        counted from its start. All other options come from it.
    progress : function that is called with the network-updates done, out of runs times updates.
    options : of the recipe and of the architecture.

    Returns
    -------
    History, in memory unless it is written.

    Raises StragError for options that contradict each other, for data that cannot be trained on, and for the
    output of another training in the place of that of a part, or of one that resumes.

    Examples
    --------
    >>> import numpy as np, strag
    >>> x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    >>> history = strag.train(strag.data(x, x[:, 0] > 0), runs=2, epochs=5, lr=0.5)
    >>> history.train_error.shape
    (6, 2)
    """
    part, source = part or (None, None)
    output, weights = outputs_of(part, source, output, weights)
    if resume and output is None:
        raise bad_usage("`resume` needs `output`", "name the file of the history")
    code = file_of(options.get("model", recipe and getattr(recipe.architecture, "factory", None)))
    refuse_overwriting((data, without, init, extend, code), output=output, weights=weights)
    device = choose_device(device)
    set_threads(threads)
    given = {*options, *([] if weights_at is None else ["weights_at"])}
    if "model" in options:
        options["model"] = model(options["model"])
    if extend is None:
        recipe = Recipe.of(**options) if recipe is None else recipe.changed(**options)
        refuse_unused(given, recipe, without, init, weights)
        refuse_unused_with(data, given, recipe, without)
    else:
        factory = options.get("model") if isinstance(options.get("model"), Factory) else None
        given -= {"model"} if factory else set()
        refuse_unused_in_extension(given, extend.source, recipe, without, init, weights)
    at = None if weights is None else weights_at or "last"
    with ExitStack() as stack:
        sinks = [name and stack.enter_context(Output(name, resumes=resume)) for name in (output, weights)]
        if extend is None:
            job = prepare_job(recipe, data, without, init, memory, device, sinks, at, part, keep_state)
        else:
            epochs = options.get("epochs")
            same = (memory, device, sinks, at, part, keep_state, factory)
            job = prepare_extension(extend, data, epochs, *same)
        hire(job, workers, device, threads, memory)
        writers = stack.enter_context(missing_outputs(job, sinks, at, device))
        if writers is None:
            return kinds.read(output, "history")
        run(job, writers, device, progress and (lambda done, **_: progress(done)))
        gathered = history.read(writers[0].as_container("history")) if output is None else None
        commit(*(writer for writer in reversed(writers) if writer.output))
    return gathered or kinds.read(output, "history")
