"""What `strag train` does between its options and its files."""

from dataclasses import replace

import numpy as np

from strag.commands.options import require_origin
from strag.console import Progress, say, warn
from strag.errors import StragError, bad_usage
from strag.files.container import RESIDENT
from strag.files.history import HistoryWriter
from strag.files.jsonfile import open_any
from strag.files.sets import SetsFile
from strag.files.stamp import stamp, wrong_kind
from strag.files.stragglers import stragglers_from
from strag.files.streams import name_of
from strag.files.weights import WeightsWriter, open_weights
from strag.stragglers.history import pack
from strag.training.device import environment
from strag.training.loop import train
from strag.training.plan import memory_needed
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
        everything = np.ones((recipe.runs, len(data.y)), dtype=bool)
        self.trained = pack(everything if task.trained is None else task.trained)

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
            **({"class_names": list(self.data.class_names)} if self.data.class_names else {}),
            origin=self.data.origin,
            origin_size=self.data.origin_size,
            title=self.data.title,
            command=self.data.command,
            **({} if self.sets is None else {"sets": self.sets.described()}),
        )


def read_recipe(options):
    """The Recipe that the command's options mean."""
    batched = options["batch_size"] is not None
    names = set(Recipe.__dataclass_fields__) & options.keys()
    chosen = {name: options[name] for name in names}
    chosen |= {
        "layers": Recipe.read_layers(options["layers"], options["depth"]),
        "record": ("log" if batched else "1") if options["record_every"] is None else options["record_every"],
        "test": options["test_every"],
        "noise": tuple(sorted(set(options["noise"]))) or (0.0,),
    }
    return Recipe(**chosen)


def prepare_job(recipe, data, name, options):
    """The Job, with everything read that the options name."""
    inputs, removed, seed_runs, sets = {"data": data.identity}, None, None, None
    if options["without"] is not None:
        without = _read_without(options["without"])
        require_origin(data, name_of(name), without)
        inputs["without"] = without.identity
        if isinstance(without, SetsFile):
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
    try:
        task, mean, std = prepare(recipe, data, removed, seed_runs)
    except StragError as error:
        raise error.about(name_of(name)) from None
    if options["init"] is not None:
        with open_weights(options["init"]) as weights:
            start_from(task, recipe, weights.layers(-1), weights.runs, weights.source)
            inputs["init"] = {**(weights.meta.get("inputs") or {}), "update": int(weights.updates[-1])}
    needed = (memory_needed(recipe, task) + RESIDENT) / 2**30
    if options["memory"] and needed > options["memory"]:
        raise bad_usage(
            f"training needs about {needed:.2g} GiB, more than --memory {options['memory']:g}",
            "use fewer examples ('strag data --size') or narrower layers",
        )
    return Job(recipe, data, task, mean, std, inputs, sets)


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
    for name in ("seed", "depth", "width") if recipe.depth > 1 else ("seed", "depth"):
        now = getattr(recipe, name)
        if before.get(name, now) != now:
            raise bad_usage(
                f"its runs were trained with --{name} {before[name]}, these would be with {now}",
                f"give --{name} {before[name]}, so that they start from the same weights",
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


def _read_without(path):
    """The StragglerList or the SetsFile to leave out."""
    opened = open_any(path)
    if isinstance(opened, dict):
        if opened["strag"]["kind"] != "stragglers":
            raise wrong_kind(name_of(path), opened["strag"]["kind"], "stragglers")
        return stragglers_from(opened, name_of(path))
    with opened:
        if opened.kind != "sets":
            raise wrong_kind(name_of(path), opened.kind, "stragglers")
        return SetsFile(opened)


def history_writer(job, device, sink):
    """The writer of the Job's history into an open Output."""
    return HistoryWriter(sink.path, **history_content(job, device), output=sink)


def history_content(job, device):
    """What the Job's history is laid out for: the arguments of `HistoryWriter` by name."""
    data = job.data
    return {
        "meta": job.meta("history", device),
        "updates": job.recorded,
        "per_example": {"index": data.index, "y": data.y, "group": data.groups},
        "trained": job.trained,
        "test_updates": job.tested,
        "noise_levels": len(job.recipe.noise),
        "y_test": data.y_test if data.has_test else (),
    }


def weights_writer(job, device, sink, weights_at):
    """The writer of the Job's weights into an open Output."""
    updates = listed(weights_at, job.last, "--weights-at")
    described = (job.task.sizes(job.recipe), job.mean, job.std, job.data.index, job.trained)
    return WeightsWriter(sink.path, job.meta("weights", device), updates, *described, sink)


def run(job, writers, device, quiet):
    """Train, showing progress; a history cut off by Ctrl-C leaves its finished part."""
    watch = Watch(job.recipe, job.task, job.data.grouping.names)
    weights_at = writers[1].updates if len(writers) > 1 else ()
    try:
        with Progress(job.recipe.runs * job.last, "update", quiet) as progress:
            for record in train(job.recipe, job.task, weights_at, device):
                for writer in writers:
                    writer.add(record)
                progress.to(watch.add(record, job.last), **watch.figures)
    except KeyboardInterrupt:
        left = writers[0].commit_partial()
        if left:
            path, runs, update = left
            say(f"{path}: holds the finished part, {number_of(runs, 'run')} up to update {update}")
        raise
    for text in watch.warnings():
        warn(text)
