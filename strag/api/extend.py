"""Longer trainings, which go on from the last state in the history of a shorter one."""

import os
from dataclasses import replace

import numpy as np

from strag import kinds
from strag.api.arguments import refuse_ignored, require
from strag.api.job import Job, ends_of, prepared, require_room
from strag.api.room import require_memory
from strag.errors import StragError, StragNote, bad_usage, warn_of
from strag.files.merging import joined
from strag.geometry.measures import RECORDED
from strag.stragglers.sets import described_at
from strag.stragglers.unknown import require_recipe
from strag.training import architectures
from strag.training.group import state_shapes
from strag.training.loop import run_groups
from strag.training.parts import Part
from strag.training.plan import Size
from strag.training.recipe import Recipe
from strag.training.records import Checkpoint
from strag.training.schedule import listed

_AGAIN = "create it again with 'strag train' and `keep_state`"
_TESTED = ("test_error", "test_misclassified")


def history_or_path(value, name):
    """The check of `extend`: a History, or the path of one, whose state is read with it."""
    if isinstance(value, (str, os.PathLike)):
        return kinds.read(os.fspath(value), "history", state=True)
    return require(value, name, "History")


def refuse_unused_in_extension(given, source, recipe=None, without=None, init=None, weights=None):
    """Refuse arguments that would change the training that is extended, or have no effect.

    given : names of the arguments that are given, without `model` if it is a Factory. source : name of its
    history. recipe, without, init, weights : what these arguments are, or None.
    """
    things = {"recipe": recipe, "without": without, "init": init}
    names = {*given, *(name for name, thing in things.items() if thing is not None)}
    for name in sorted(names & {*Recipe.option_names(), *architectures.option_names(), "model", *things}):
        if name != "epochs":
            problem = (
                f"`{name}` contradicts `extend`, which goes on with the training in {source} as it began"
            )
            raise bad_usage(problem, f"remove `{name}`")
    refuse_ignored(given, ("weights_at", weights is None, "needs `weights`"))


class Extension:
    """What a longer training takes over from a History: the records before its end, and the last states.

    Parameters
    ----------
    history : History with a state. rows : slice of its runs, those of the longer training.
    end : the last update of its training, or the limit of runs that end on their own.
    """

    def __init__(self, history, rows, end):
        self.history, self.rows, self.end, self._has_noted = history, rows, end, False
        self.state = {name: np.asarray(array)[rows] for name, array in history.state.items()}
        self.reached = self.state.pop("update")

    @property
    def has_ended(self):
        """Whether a run has ended on its own: bool [R]."""
        return self.history.last_updates[self.rows] < self.end

    def environment(self, here):
        """The environment of both trainings, with a list where they differ; a note says where they do.

        here : environment of the longer training.
        """
        both, mixed = joined([self.history.meta.get("environment") or {}, here])
        if mixed and not self._has_noted:
            self._has_noted = True
            text = f"was trained with other {', '.join(mixed)}, so that the bytes may not be those of one job"
            warn_of(self.history.source, text, StragNote)
        return both

    def begin(self, job, writer):
        """Copy the records into a HistoryWriter, and return the Checkpoints of all groups to go on from."""
        self._copy(writer)
        groups = run_groups(job.recipe, job.task.ends)
        checkpoints = [self._checkpoint(runs) for runs in groups]
        for at, checkpoint in enumerate(checkpoints):
            if checkpoint.update < self.end:
                if job.keeps_state:
                    writer.add_state(checkpoint)
                checkpoints[at] = Checkpoint(checkpoint.runs, job.last, {}, is_last=True)
        return checkpoints

    def _checkpoint(self, runs):
        """The Checkpoint of a group of runs."""
        arrays = {
            name: array[runs.start] if name.startswith("steps.") else array[runs]
            for name, array in self.state.items()
        }
        reached = set(self.reached[runs].tolist())
        if len(reached) > 1:
            problem = f"has states of different updates for runs {runs.start} to {runs.stop - 1}"
            raise StragError(problem, _AGAIN, self.history.source)
        return Checkpoint(runs, reached.pop(), arrays)

    def _copy(self, writer):
        """Copy all records and tests before the end."""
        history, rows = self.history, self.rows
        columns = {name: getattr(history, name) for name in ("train_error", "train_loss", "misclassified")}
        columns |= {name: history.measures[name] for name in writer.measures}
        self._put(writer, "updates", history.updates, columns)
        if history.test_updates is not None:
            tests = {name: getattr(history, name) for name in _TESTED}
            self._put(writer, "test_updates", history.test_updates, tests)
        if history.last_record is not None:
            ended = np.flatnonzero(self.has_ended)
            writer.put("last_record", ended, history.last_record[rows][ended])

    def _put(self, writer, axis, updates, columns):
        for at, update in enumerate(updates.tolist()):
            if update < self.end:
                for name, values in columns.items():
                    writer.put(name, writer.places[axis][update], values[at, self.rows])


def prepare_extension(
    history,
    data,
    epochs,
    memory=None,
    device="cpu",
    sinks=(),
    weights_at=None,
    part=None,
    keep=False,
    factory=None,
):
    """The Job of training on from the state in a History: that of the same training with more `epochs`.

    Parameters
    ----------
    history : History with a state. data : Dataset that it was trained on. epochs : counted from the start.
    factory : the Factory that built its networks, or None.
    All other parameters are as for `prepare_job`.

    Raises StragError if the history has no state, was trained on other data, or is not shorter.
    """
    before = _recipe_of(history, factory)
    _require_same_data(history, data)
    before = before.on(ends_of(data))
    if epochs is None:
        raise bad_usage("`extend` needs `epochs`", f"pass more than {before.epochs}, counted from the start")
    if epochs <= before.epochs:
        problem = f"was trained for {before.epochs} epochs already, which count from the start"
        raise bad_usage(problem, f"pass `epochs` above {before.epochs}", history.source)
    whole = before.changed(epochs=epochs)
    rows, recipe, part = _part_of(history, whole, ends_of(data), part)
    sets, removed, seed_runs = history.meta.get("sets"), None, None
    if sets is not None:
        sets, seed_runs = described_at(sets, range(rows.start, rows.stop)), history.seed_runs[rows]
    inputs = history.meta.get("inputs") or {}
    if "without" in inputs:
        removed = [data.index[~trained] for trained in history.trained_bits()[rows]]
    require_room(recipe, data, removed is not None, memory, device, sinks, weights_at, keep)
    task, mean, std = prepared(recipe, data, removed, seed_runs)
    require_memory(recipe, Size.of(task), memory, device)
    recipe.architecture.require_lawful(task)
    job = Job(recipe, data, task, mean, std, inputs, sets, whole, part, keep)
    _require_version(history, job.meta("history", device)["version"])
    _require_state(history, before, recipe, task)
    job.extension = Extension(history, rows, before.updates(data.origin_size))
    _require_records(job, before)
    if weights_at is not None:
        _require_weights(job, weights_at)
    return job


def _recipe_of(history, factory):
    """The Recipe of a History that can be extended; factory : that of its networks, or None."""
    require_recipe(history, "train on in the loop that trained them")
    if history.state is None:
        problem = "has no state, so its training cannot go on"
        raise StragError(problem, "train with `keep_state`", history.source)
    try:
        before = Recipe.from_dict(history.recipe, factory)
    except StragError as error:
        raise error.about(history.source) from None
    if factory is not None and getattr(before.architecture, "factory", None) is None:
        raise bad_usage("was not trained with a `model` of a file", "remove `model`", history.source)
    if factory is not None and factory.source != history.recipe["source"]:
        problem = f"was trained with another version of {factory.file or factory.name}"
        raise StragError(problem, "pass the file as it was then", history.source)
    return before


def _require_version(history, version):
    """Refuse a History whose runs ended by the decision of another version of strag."""
    if history.recipe.get("until") and history.meta.get("version") != version:
        problem = f"was trained until decided by strag {history.meta.get('version')}, not {version}"
        raise StragError(problem, "train again from the start", history.source)


def _require_same_data(history, data):
    """Refuse another data set than that of a History, or other groups."""
    trained_on = (history.meta.get("inputs") or {}).get("data")
    if trained_on != data.identity:
        problem = f"is not the data set that {history.source} was trained on"
        raise bad_usage(problem, "pass that one", data.source)
    same = list(history.classes) == list(data.grouping.names) and np.array_equal(history.group, data.groups)
    if not same:
        problem = f"has other groups than {history.source}, which was trained on {history.meta.get('labels')}"
        raise bad_usage(problem, "use the same `labels`", data.source)


def _part_of(history, whole, ends, part):
    """The slice of the runs of a History to train, their Recipe, and the Part that they are, or None."""
    own = history.meta.get("part")
    if own is not None and part is not None:
        problem = f"is part {own.get('number')} of {own.get('of')} already"
        raise bad_usage(problem, "remove `part`", history.source)
    first, runs = history.runs[0], len(history.runs)
    rows = slice(0, runs)
    if own is not None:
        part = Part(own.get("number"), own.get("of"))
    elif part is not None:
        rows = part.runs(run_groups(whole, ends))
    fits = history.runs == tuple(range(first, first + runs))
    if not fits or (own is None and (first, runs) != (whole.first_run, whole.runs)):
        raise StragError("has other runs than its recipe", _AGAIN, history.source)
    return rows, replace(whole, runs=rows.stop - rows.start, first_run=first + rows.start), part


def _require_state(history, before, recipe, task):
    """Refuse a state that does not fit the networks of a recipe, or its end."""
    shapes = state_shapes(recipe, task)
    lacking = sorted({*shapes, "update"} - {*history.state})
    problem = f"has no tensor 'state.{lacking[0]}'" if lacking else None
    for name, shape in shapes.items():
        if problem is None and history.state[name].shape[1:] != shape:
            problem = f"tensor 'state.{name}' does not fit its recipe"
    end, reached = before.updates(task.origin_size), history.state["update"] if not lacking else np.zeros(0)
    if problem is None and ((reached != end).any() if before.until is None else (reached > end).any()):
        problem = f"has no state at update {end}, the end of its training"
    if problem:
        raise StragError(problem, _AGAIN, history.source)


def _require_records(job, before):
    """Refuse a History that does not hold the records of its recipe, or not all measures of this strag."""
    history, rows = job.extension.history, job.data.origin_size
    last = history.updates[-1]
    fits = history.updates.tolist() == [update for update in before.recorded(rows) if update <= last]
    if not fits or (before.until is None and last != job.extension.end):
        raise StragError("does not have the records of its recipe", _AGAIN, history.source)
    if (history.test_updates is None) != (not len(job.tested)):
        raise StragError("does not have the tests of its recipe", _AGAIN, history.source)
    missing = sorted({measure.name for measure in RECORDED} - {*history.measures})
    if missing:
        raise StragError(f"does not contain the measure '{missing[0]}'", _AGAIN, history.source)


def _require_weights(job, weights_at):
    """Refuse weights that the state of a History does not hold."""
    extension = job.extension
    source, end = extension.history.source, extension.end
    first = listed(weights_at, job.last, "weights_at")[0]
    if first < end:
        problem = f"has no weights at update {first}, before its end"
        raise bad_usage(problem, f"choose `weights_at` from {end} to {job.last}", source)
    if extension.has_ended.any():
        problem = "does not hold the weights of runs that have ended on their own"
        raise bad_usage(problem, "remove `weights`", source)
    if "init" in job.inputs and len(job.task.columns) < job.data.features:
        problem = "started from `init`, and does not hold the weights of inputs that are constant"
        raise bad_usage(problem, "remove `weights`", source)
