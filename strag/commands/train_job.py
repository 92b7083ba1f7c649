"""What `strag train` does between its options and its files."""

import contextlib
from dataclasses import replace

import numpy as np

from strag.api.prune import require_origin
from strag.bits import pack
from strag.commands.room import require_memory
from strag.console import Progress, say, warn
from strag.errors import StragError, bad_usage, with_options
from strag.files.dataset import described_classes
from strag.files.history import HistoryWriter, history_bytes
from strag.files.sets import StoredSets
from strag.files.stamp import stamp
from strag.files.streams import name_of
from strag.files.weights import WeightsWriter, parameter_bytes
from strag.kinds import read
from strag.signals import held, raised
from strag.training.architecture import Ends
from strag.training.architectures import ARCHITECTURES, DEFAULT
from strag.training.device import environment
from strag.training.loop import train
from strag.training.plan import Size
from strag.training.prepare import prepare, start_from
from strag.training.recipe import Recipe
from strag.training.schedule import listed
from strag.training.watch import Watch
from strag.words import number_of


class Job:
    """A recipe with its data set and its task; `sets` has one set per run, or is None."""

    def __init__(self, recipe, data, task, mean, std, inputs, sets=None):
        self.sets = sets
        self.recipe, self.data, self.task, self.inputs = recipe, data, task, inputs
        self.mean, self.std = mean, std
        self.last = recipe.updates(data.origin_size)
        self.recorded = recipe.recorded(data.origin_size)
        self.tested = recipe.tested(data.origin_size) if data.has_test else []
        one = np.ones((1, len(data.y)), dtype=bool) if task.trained is None else task.trained
        self.trained = np.broadcast_to(pack(one), (recipe.runs, -(-len(data.y) // 8)))

    def meta(self, kind, device):
        """The stamp of a file that this job makes."""
        first = self.recipe.first_run
        return stamp(
            kind,
            recipe=self.recipe.as_dict(),
            environment=environment(device),
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
            **({} if self.sets is None else {"sets": self.sets.described()}),
        )


def read_recipe(options):
    """The Recipe that the command's options mean."""
    batched = options["batch_size"] is not None
    model = options.get("model", DEFAULT)
    names = {*Recipe.option_names(), *ARCHITECTURES[model].option_names()} & options.keys()
    chosen = {name: options[name] for name in names}
    chosen |= {
        "record": ("log" if batched else "1") if options["record_every"] is None else options["record_every"],
        "test": options["test_every"],
        "noise": tuple(sorted(set(options["noise"]))) or (0.0,),
    }
    return Recipe.of(model=model, **chosen)


def prepare_job(recipe, data, name, options, device, sinks=()):
    """The Job, with everything read that the options name.

    Raises StragError, before anything large is built, where it has no room in memory or in the open Outputs
    `sinks`, of the history and the weights.
    """
    inputs, removed, seed_runs, sets = {"data": data.identity}, None, None, None
    if options["without"] is not None:
        without = read(options["without"], ("stragglers", "sets"))
        if isinstance(without, StoredSets):
            without.require_some()
        require_origin(data, without)
        inputs["without"] = without.identity
        if isinstance(without, StoredSets):
            _require_same_start(recipe, data, without, options)
            sets = without.sets
            recipe = replace(recipe, runs=len(sets.run), first_run=0)
            removed = [without.removed(number) for number in range(recipe.runs)]
            seed_runs = sets.run.tolist()
        else:
            if not without.indices.size:
                raise StragError(
                    f"names no examples (its verdict is '{without.verdict}'), so that none would be left out",
                    "leave --without out to train on all of them",
                    without.source,
                )
            removed = [without.indices] * recipe.runs
        if max(map(len, removed)) == len(data.y):
            raise StragError(
                f"leaves no example of {name_of(name)} to train on", "remove fewer", without.source
            )
    _require_room(recipe, data, removed is not None, options, device, sinks)
    try:
        task, mean, std = prepare(recipe, data, removed, seed_runs)
    except StragError as error:
        raise error.about(name_of(name)) from None
    if options["init"] is not None:
        with read(options["init"], "weights") as weights:
            start_from(task, recipe, weights.parameters(-1), weights.runs, weights.source)
            inputs["init"] = {**(weights.meta.get("inputs") or {}), "update": int(weights.updates[-1])}
    require_memory(recipe, Size.of(task), options["memory"], device)
    return Job(recipe, data, task, mean, std, inputs, sets)


def _require_room(recipe, data, subsets, options, device, sinks):
    """Refuse what cannot fit, by the least that it takes: one input may be all that varies."""
    tests, classes = len(data.y_test) if data.has_test else 0, len(data.grouping.names)
    size = Size(len(data.y), tests, Ends(data.x.shape[1:], 1, classes), data.origin_size, subsets)
    require_memory(recipe, size, options["memory"], device)
    needed = (
        (
            bytes_of_history(recipe, data),
            "record and test less often (--record-every, --test-every), or train fewer --runs",
        ),
        (
            weights_bytes(recipe, data, options),
            "write them at fewer updates (--weights-at), or of fewer --runs",
        ),
    )
    for sink, (size, remedy) in zip(sinks, needed, strict=False):
        sink.require_room(size, remedy)


def bytes_of_history(recipe, data):
    """Bytes of the tensors of the history of a training."""
    lengths = {
        "run": recipe.runs,
        "class": len(data.grouping.names),
        "layer": len(recipe.layers),
        "record": recipe.records(data.origin_size),
        "example": len(data.y),
        "test record": recipe.tests(data.origin_size) if data.has_test else 0,
        "noise level": len(recipe.noise),
        "test example": len(data.y_test) if data.has_test else 0,
    }
    return history_bytes(lengths, data.named.values())


def weights_bytes(recipe, data, options):
    """Bytes of the parameters that a training writes; 0 without --weights."""
    if options["weights"] is None:
        return 0
    updates = listed(options["weights_at"], recipe.updates(data.origin_size), "weights_at")
    ends = Ends(data.x.shape[1:], data.features, len(data.grouping.names))
    return parameter_bytes(len(updates), recipe.runs, recipe.architecture.shapes(ends))


def _require_same_start(recipe, data, without, options):
    """Refuse what would give the networks other initial weights than the runs of their sets had."""
    for name, what in (("runs", "one network per set"), ("first_run", "a set names its run")):
        if name in options["given"]:
            option = f"--{name.replace('_', '-')}"
            raise bad_usage(
                f"holds sets, which {option} contradicts: {what}", f"leave {option} out", without.source
            )
    inputs = _object(without.meta, "inputs")
    before = _object(inputs, "training")
    then, now = ({"model": DEFAULT, **told} if told else {} for told in (before, recipe.as_dict()))
    for name in ("model", "seed", *recipe.architecture.drawn_by):
        if then.get(name, now[name]) != now[name]:
            raise bad_usage(
                f"its runs were trained with --{name} {then[name]}, these would be with {now[name]}",
                f"give --{name} {then[name]}, so that they start from the same weights",
                without.source,
            )
    groups = list(data.grouping.names)
    then = without.meta.get("classes") or groups
    if isinstance(then, list) and then != groups:
        raise bad_usage(
            f"its runs were trained on {_groups(then)}, these would be on {_groups(groups)}",
            f"use 'strag data --labels {without.meta.get('labels')}', as their training did",
            without.source,
        )
    if "init" in _object(inputs, "history") and not options["init"]:
        raise bad_usage(
            "its runs started from the --init of their training, these would not",
            "give --init again, so that they start from the same weights",
            without.source,
        )


def _object(meta, key):
    """An object in a stamp; empty where there is none."""
    return meta[key] if isinstance(meta.get(key), dict) else {}


def _groups(names):
    return f"{len(names)} groups ({', '.join(map(str, names[:4]))}{', ...' if len(names) > 4 else ''})"


def history_writer(job, device, sink):
    """The writer of the Job's history into an open Output."""
    data = job.data
    whole = {"updates": job.recorded, "trained": job.trained}
    whole |= {"index": data.index, "y": data.y, "group": data.groups, **data.named}
    whole |= {"test_updates": job.tested, "y_test": data.y_test} if len(job.tested) else {}
    return HistoryWriter(sink, job.meta("history", device), whole, len(job.recipe.noise))


def weights_writer(job, device, sink, weights_at):
    """The writer of the Job's weights into an open Output."""
    whole = {"updates": listed(weights_at, job.last, "weights_at"), "mean": job.mean, "std": job.std}
    whole |= {"index": job.data.index, "trained": job.trained}
    return WeightsWriter(
        sink, job.meta("weights", device), whole, job.recipe.architecture.shapes(job.task.ends)
    )


def run(job, writers, device, quiet):
    """Train, showing progress, and put the finished files in their place.

    A history cut off by Ctrl-C or another signal leaves its finished part.
    """
    with _kept_in_part(writers[0]):
        watch = Watch(job.recipe, job.task, job.data.grouping.names)
        weights_at = writers[1].updates if len(writers) > 1 else ()
        with Progress(job.recipe.runs * job.last, "update", quiet) as progress:
            for record in train(job.recipe, job.task, weights_at, device):
                for writer in writers:
                    writer.add(record)
                progress.to(watch.add(record, job.last), **watch.figures)
        for text in watch.warnings():
            warn(with_options(text))
        # A pipe or a device, which may still refuse its bytes, comes before a file; the history comes last.
        for writer in reversed(writers):
            if writer.is_direct:
                writer.commit()
        with held():
            for writer in reversed(writers):
                if not writer.is_direct:
                    writer.commit()


@contextlib.contextmanager
def _kept_in_part(history):
    """Leave the finished part of a history where a signal interrupts its writer."""
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, Exception) and not raised():
            raise
        try:
            left = history.commit_partial()
        except StragError as error:
            warn(f"{error.source}: {error.problem}; the finished part is lost")
            left = None
        if left:
            path, runs, update = left
            say(f"{path}: holds the finished part, {number_of(runs, 'run')} up to update {update}")
        raise
