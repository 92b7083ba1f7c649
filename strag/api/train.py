"""`strag.train`: many networks trained at once, and the record of their dynamics."""

import warnings
from contextlib import ExitStack
from functools import partial

from strag import kinds
from strag.api.arguments import kind, refuse_overwriting
from strag.api.extend import history_or_path, prepare_extension, refuse_changes
from strag.api.job import history_writer, prepare_job, weights_writer
from strag.api.resume import EVERY, Resumption, records_before
from strag.errors import StragWarning
from strag.files import history
from strag.files.completed import is_complete
from strag.files.output import Output, commit
from strag.files.state import REACHED
from strag.signals import held
from strag.stragglers.decision import decided
from strag.stragglers.recipe import descends
from strag.training import loop as science
from strag.training.architectures import ARCHITECTURES
from strag.training.device import DEVICES, choose_device, set_threads
from strag.training.recipe import Recipe
from strag.training.records import Checkpoint
from strag.training.schedule import listed
from strag.training.watch import Watch
from strag.training.workers import train_by
from strag.values import checked, choice, flag, function, instance, listing, number, optional, path, whole


def is_done(job, sinks, weights_at, device):
    """Whether the outputs of a part, or of a training that resumes, are there already, complete.

    sinks : open Outputs of the history and of the weights, the latter None without weights.

    Raises StragError if there is another file in the place of one of them.
    """
    if job.part is None and not sinks[0].resumes:
        return False
    state = (REACHED.name,) if job.keeps_state else ()
    done = is_complete(sinks[0].path, job.meta("history", device), tensors=state)
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
        warnings.warn(text, StragWarning, stacklevel=2)


def _train(job, writers, device, watch, progress, resumption=None):
    """Train, and pass every record to the writers and the Watch; keep the state with a Resumption."""
    begun = [] if job.extension is None else job.extension.begin(job, writers[0])
    due = decide = None
    if resumption is not None:
        later = resumption.begun()
        begun = [*begun, *later]  # the last Checkpoint of a group counts
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
    for event in events:
        if isinstance(event, Checkpoint):
            if job.keeps_state and event.is_last:  # before its runs count as finished
                writers[0].add_state(event)
            if resumption is not None:
                resumption.take(event)
            continue
        for writer in writers:
            writer.add(event)
        done = watch.add(event, job.last)
        if progress:
            progress(done, **watch.figures)


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
    keep_state=flag,
    extend=optional(history_or_path),
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
    keep_state=False,
    extend=None,
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
    keep_state : whether the history holds the last state of every run, so that it can be extended.
    extend : History with a state, or the path of one, whose training goes on to the number `epochs`, counted
        from its start. All other options come from it.

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
    read = [thing for thing in (data, without, init, extend) if thing is not None]
    refuse_overwriting(read, output=output, weights=weights)
    device = choose_device(device)
    set_threads(threads)
    if extend is None:
        recipe = Recipe.of(**options) if recipe is None else recipe.changed(**options)
    else:
        named = {"recipe": recipe, "without": without, "init": init}
        refuse_changes(
            [*options, *(name for name, value in named.items() if value is not None)], extend.source
        )
    at = None if weights is None else weights_at
    with ExitStack() as stack:
        sinks = [None if name is None else stack.enter_context(Output(name)) for name in (output, weights)]
        if extend is None:
            job = prepare_job(recipe, data, without, init, memory, device, sinks, at, keep=keep_state)
        else:
            epochs = options.get("epochs")
            job = prepare_extension(extend, data, epochs, memory, device, sinks, at, keep=keep_state)
        writers = [stack.enter_context(history_writer(job, device, sinks[0]))]
        if at:
            writers.append(stack.enter_context(weights_writer(job, device, sinks[1], at)))
        run(job, writers, device, progress and (lambda done, **_: progress(done)))
        gathered = history.read(writers[0].as_container("history")) if output is None else None
        commit(*(writer for writer in reversed(writers) if writer.output))
    return gathered or kinds.read(str(output), "history")
