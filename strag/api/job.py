"""The job of a training: its recipe with its data, checked against its inputs and the room there is."""

import json
from dataclasses import replace

import numpy as np

from strag.api.prune import require_origin
from strag.api.resume import spare_bytes
from strag.api.room import require_memory
from strag.bits import pack
from strag.errors import StragError, bad_usage, note_each, warn_caller
from strag.files.dataset import described_classes
from strag.files.history import HistoryWriter, history_bytes
from strag.files.sets import StoredSets
from strag.files.stamp import stamp
from strag.files.weights import WeightsWriter, parameter_bytes
from strag.stragglers.sets import described_at
from strag.stragglers.unknown import about_sets
from strag.training.architecture import Ends
from strag.training.architectures import completed
from strag.training.custom import Custom
from strag.training.descent import kept_by
from strag.training.device import environment
from strag.training.group import state_shapes
from strag.training.loop import run_groups
from strag.training.parts import require_one_set
from strag.training.plan import Size
from strag.training.prepare import prepare, start_from
from strag.training.schedule import listed


class Job:
    """A recipe with its data set and its task.

    sets : one set per run, or None. part, whole : the Part of which this is the job, and the recipe of the
    whole training; without a part None, and the recipe itself. crew : the Crew that trains, or None.
    keeps_state : whether the history gets the last state of every run. extension : the Extension of the
    shorter training that this one goes on from, or None.
    """

    crew = extension = None

    def __init__(
        self, recipe, data, task, mean, std, inputs, sets=None, whole=None, part=None, keeps_state=False
    ):
        self.keeps_state = keeps_state
        self.sets, self.part, self.whole = sets, part, whole or recipe
        self.recipe, self.data, self.task, self.inputs = recipe, data, task, inputs
        self.mean, self.std = mean, std
        self.last = recipe.updates(data.origin_size)
        self.recorded = recipe.recorded(data.origin_size)
        self.tested = recipe.tested(data.origin_size) if data.has_test else []
        used = np.ones((1, len(data.y)), dtype=bool) if task.trained is None else task.trained
        self.trained = np.broadcast_to(pack(used), (recipe.runs, -(-len(data.y) // 8)))

    def meta(self, kind, device):
        """The stamp of a file that this job makes."""
        first, here = self.recipe.first_run, environment(device, self.crew and self.crew.threads)
        return stamp(
            kind,
            recipe=self.whole.as_dict(),
            environment=here if self.extension is None else self.extension.environment(here),
            inputs=self.inputs,
            runs=list(range(first, first + self.recipe.runs)),
            layers=list(self.recipe.layers),
            classes=list(self.data.grouping.names),
            labels=self.data.labels,
            **described_classes(self.data),
            origin=self.data.origin,
            origin_size=self.data.origin_size,
            title=self.data.title,
            command=self.data.command,
            **({} if self.sets is None else {"sets": self.sets}),
            **({} if self.part is None else {"part": {"number": self.part.number, "of": self.part.of}}),
        )


def prepare_job(
    recipe,
    data,
    without=None,
    init=None,
    memory=None,
    device="cpu",
    sinks=(),
    weights_at=None,
    part=None,
    keep=False,
):
    """The Job of training a Recipe on a Dataset.

    Parameters
    ----------
    without : Finding whose indices every run leaves out, or StoredSets, of which each makes one network.
    init : open Weights whose last state the networks start from.
    memory : GiB that the training may need at most. sinks : open Outputs of the history and of the weights.
    weights_at : updates at which weights are written, as text; None where none are. part : Part to train.
    keep : whether the history gets the last state of every run.

    Raises StragError, before anything large is built, where it has no room in memory or in the Outputs.
    """
    inputs, removed, seed_runs, sets = {"data": data.identity}, None, None, None
    try:
        recipe = recipe.on(ends_of(data))
    except StragError as error:
        raise error.about(data.source) from None
    if without is not None:
        if isinstance(without, StoredSets):
            without.require_some()
        require_origin(data, without)
        inputs["without"] = without.identity
        removed = _removed(data, without, recipe.runs)
        if isinstance(without, StoredSets):
            _require_same_start(recipe, data, without, init)
            sets = without.sets.described()
            recipe = replace(recipe, runs=len(sets["run"]), first_run=0)
            seed_runs = sets["run"]
    whole = recipe
    if part is not None:
        runs = part.runs(run_groups(whole, ends_of(data)))
        recipe = replace(whole, runs=runs.stop - runs.start, first_run=whole.first_run + runs.start)
        if removed is not None:
            if whole.restandardise:
                require_one_set(removed)
            removed = removed[runs]
        if sets is not None:
            sets, seed_runs = described_at(sets, range(runs.start, runs.stop)), seed_runs[runs]
    require_room(recipe, data, removed is not None, memory, device, sinks, weights_at, keep)
    task, mean, std = prepared(recipe, data, removed, seed_runs)
    if init is not None:
        start_from(task, recipe, init.parameters(-1), init.runs, init.source)
        inputs["init"] = {**(init.meta.get("inputs") or {}), "update": int(init.updates[-1])}
    require_memory(recipe, Size.of(task), memory, device)
    recipe.architecture.require_lawful(task)
    if init is None and recipe.runs > 1:
        _warn_of_equal_starts(recipe, data)
    return Job(recipe, data, task, mean, std, inputs, sets, whole, part, keep)


def _warn_of_equal_starts(recipe, data):
    """Warn if the function of a user builds the same network in every run."""
    architecture = recipe.architecture
    if isinstance(architecture, Custom):
        first, second = (architecture.initial(ends_of(data), recipe.seed, run) for run in (0, 1))
        if all(values.equal(second[name]) for name, values in first.items()):
            problem = f"{architecture.factory.name} returns the same network for every run"
            remedy = "draw its parameters at random, and set no seed, since torch is seeded for each run"
            warn_caller(str(StragError(problem, remedy, architecture.file)))


def prepared(recipe, data, removed, seed_runs):
    """What `strag.training.prepare.prepare` returns; its errors are about the file of the data set."""
    try:
        return prepare(recipe, data, removed, seed_runs)
    except StragError as error:
        raise error.about(data.source) from None


def _removed(data, without, runs):
    """The rows of the origin that each network leaves out: list of int64 arrays."""
    if isinstance(without, StoredSets):
        removed = [without.removed(number) for number in range(len(without.sets.run))]
    elif without.indices.size:
        removed = [without.indices] * runs
    else:
        raise StragError(
            f"lists no examples (its verdict is '{without.verdict}'), so none would be left out",
            "remove `without` to train on all of them",
            without.source,
        )
    if max(map(len, removed)) == len(data.y):
        raise StragError(f"leaves no example of {data.source} to train on", "remove fewer", without.source)
    return removed


def require_room(recipe, data, subsets, memory, device, sinks, weights_at, keep=False):
    """Refuse a training that cannot fit even if only one input varies."""
    tests, classes = len(data.y_test) if data.has_test else 0, len(data.grouping.names)
    size = Size(len(data.y), tests, Ends(data.x.shape[1:], 1, classes), data.origin_size, subsets)
    require_memory(recipe, size, memory, device)
    needed = (
        (
            bytes_of_history(recipe, data, keep),
            "record and test less often (`record_every`, `test_every`), or train fewer `runs`",
        ),
        (
            weights_bytes(recipe, data, weights_at),
            "write them at fewer updates (`weights_at`), or of fewer `runs`",
        ),
    )
    for sink, (size, remedy) in zip(sinks, needed, strict=False):
        if sink is not None:
            sink.require_room(size, remedy)


def bytes_of_history(recipe, data, keep=False):
    """Bytes of the tensors of the history of a training. keep : whether it gets the state of every run."""
    lengths = {
        "run": recipe.runs,
        "class": len(data.grouping.names),
        "layer": len(recipe.layers),
        "record": recipe.records(data.origin_size),
        "example": len(data.y),
        "test record": _tests(recipe, data.origin_size) if data.has_test else 0,
        "noise level": len(recipe.noise),
        "test example": len(data.y_test) if data.has_test else 0,
    }
    kept = 4 * (1 + len(kept_by(recipe))) * recipe.architecture.parameters(ends_of(data)) if keep else 0
    return history_bytes(lengths, data.named.values()) + recipe.runs * kept


def _tests(recipe, rows):
    """The number of test records that a history is laid out for, of a data set with a test set."""
    if recipe.until and recipe.test_every != "never":
        return len({*recipe.recorded(rows), *recipe.tested(rows)})
    return recipe.tests(rows)


def weights_bytes(recipe, data, weights_at):
    """Bytes of the parameters that a training writes at these updates, a text; 0 for None."""
    if weights_at is None:
        return 0
    updates = listed(weights_at, recipe.updates(data.origin_size), "weights_at")
    return parameter_bytes(len(updates), recipe.runs, recipe.architecture.shapes(ends_of(data)))


def ends_of(data):
    """The Ends of networks that use all inputs of a Dataset."""
    return Ends(data.x.shape[1:], data.features, len(data.grouping.names))


def _require_same_start(recipe, data, without, init):
    """Refuse options that give the networks other initial weights than the runs of their sets had.

    A note says so if strag did not train these runs, whose weights it does not know.
    """
    if without.recording is not None:
        note_each(without.source, about_sets(without))
        return
    inputs = _object(without.meta, "inputs")
    before = _object(inputs, "training")
    then, now = (completed(part) if part else {} for part in (before, recipe.as_dict()))
    for name in ("model", "seed", *recipe.architecture.drawn_by):
        if then.get(name, now[name]) != now[name]:
            problem, remedy = _difference(name, then[name], now[name])
            raise bad_usage(
                f"its runs were trained {problem}",
                f"{remedy}, so that they start from the same weights",
                without.source,
            )
    groups = list(data.grouping.names)
    then = without.meta.get("classes") or groups
    if isinstance(then, list) and then != groups:
        raise bad_usage(
            f"its runs were trained on {_groups(then)}, but these would be on {_groups(groups)}",
            f"use 'strag data' with `labels` {without.meta.get('labels')}, as their training did",
            without.source,
        )
    if "init" in _object(inputs, "history") and init is None:
        raise bad_usage(
            "its runs started from the `init` of their training, but these would not",
            "pass `init` again, so that they start from the same weights",
            without.source,
        )


def _difference(name, then, now):
    """How two values of an option differ, and how to pass the first one: texts. A switch has no value."""
    if name == "source":
        return "with another version of the file of `model`", "pass the file as it was then"
    if name == "model_args":
        then, now = (f"'{json.dumps(args, sort_keys=True)}'" for args in (then, now))
    if name == "factory":
        return f"with `model` FILE.py:{then}, but these would be with {now}", f"pass FILE.py:{then}"
    if now is True:
        return f"without `{name}`, but these would be with it", f"remove `{name}`"
    if now is False:
        return f"with `{name}`, but these would be without it", f"pass `{name}`"
    return f"with `{name}` {then}, but these would be with {now}", f"pass `{name}` {then}"


def _object(meta, key):
    """An object in a stamp; empty if there is none."""
    return meta[key] if isinstance(meta.get(key), dict) else {}


def _groups(names):
    return f"{len(names)} groups ({', '.join(map(str, names[:4]))}{', ...' if len(names) > 4 else ''})"


def history_writer(job, device, sink):
    """The writer of the Job's history into an open Output.

    If the Output resumes, its work file has room for the state of the training.
    """
    data = job.data
    whole = {"updates": job.recorded, "trained": job.trained}
    whole |= {"index": data.index, "y": data.y, "group": data.groups, **data.named}
    tests = job.tested
    if job.recipe.until:  # a run is tested where it ends, at whichever record that is
        tests = sorted({*job.tested, *job.recorded}) if len(job.tested) else []
    whole |= {"test_updates": tests, "y_test": data.y_test} if len(tests) else {}
    spare = spare_bytes(job) if sink is not None and sink.resumes else 0
    meta, levels = job.meta("history", device), len(job.recipe.noise)
    state = state_shapes(job.recipe, job.task) if job.keeps_state else None
    scheduled = job.tested if job.recipe.until else None
    return HistoryWriter(sink, meta, whole, levels, spare, scheduled, state)


def weights_writer(job, device, sink, weights_at):
    """The writer of the Job's weights into an open Output.

    Raises StragError for updates that runs which end on their own may not reach.
    """
    if job.recipe.until and weights_at != "last":
        raise bad_usage("`weights_at` must be last where runs end with `until`", "remove `weights_at`")
    whole = {"updates": listed(weights_at, job.last, "weights_at"), "mean": job.mean, "std": job.std}
    whole |= {"index": job.data.index, "trained": job.trained}
    shapes = job.recipe.architecture.shapes(job.task.ends)
    return WeightsWriter(sink, job.meta("weights", device), whole, shapes, bool(job.recipe.until))
