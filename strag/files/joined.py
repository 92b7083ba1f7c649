"""Files of a Recorder joined: runs of the same examples, and the processes that share those of one run."""

import os
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, bad_usage
from strag.files.history import SPEC
from strag.files.merging import Whole
from strag.files.recorded import write_recorded
from strag.files.recording import Recording
from strag.files.stamp import with_article
from strag.identity import identity_of
from strag.recording.ranks import joined
from strag.words import number_of, some_of

_ONCE = "pass each file once"


def is_recorded(container):
    """Whether an open container is a history of a training that strag did not make."""
    meta = container.meta
    return container.kind == "history" and meta.get("recording") is not None and not meta.get("recipe")


@dataclass(frozen=True)
class Ranks:
    """The open recordings of the processes of one run, in the order of their numbers."""

    parts: tuple

    @classmethod
    def of(cls, containers):
        """The Ranks in open containers. Raises StragError for other kinds, and for equal numbers."""
        by_number = {}
        first = next(container for container in containers if container.kind == "recording")
        for container in containers:
            _require_kind(container, "recording", first)
            part = Recording(container)
            if part.number in by_number:
                problem = f"is part {part.number} of {part.of}, as {by_number[part.number].source} is"
                raise StragError(problem, _ONCE, part.source)
            by_number[part.number] = part
        return cls(tuple(part for _, part in sorted(by_number.items())))

    @property
    def missing(self):
        """The numbers of the processes whose recordings are missing: list of int."""
        return sorted({*range(1, self.parts[0].of + 1)} - {part.number for part in self.parts})

    @property
    def described(self):
        """The sentence about these parts."""
        have = f"{number_of(len(self.parts), 'recording')} of {self.parts[0].of}"
        return f"{have}; missing {','.join(map(str, self.missing))}" if self.missing else f"{have}, 1 run"

    def write(self, output):
        """Write the history of the run into an open Output. Raises StragError, see `joined`."""
        write_recorded(output, joined(list(self.parts)))


@dataclass(frozen=True)
class Runs:
    """The open histories of runs of the same examples, in the order given."""

    containers: tuple

    @classmethod
    def of(cls, containers):
        """The Runs in open containers. Raises StragError for histories that do not fit each other."""
        names, runs = [os.path.realpath(container.name) for container in containers], {}
        first = next(filter(is_recorded, containers))
        for at, container in enumerate(containers):
            if names[at] in names[:at]:
                raise StragError("is given twice", _ONCE, container.name)
            _require_kind(container, "history", first)
            SPEC.check(container)
            _require_same(container, containers[0])
            _require_other_runs(container, runs)
        return cls(tuple(containers))

    @property
    def missing(self):
        """Raises StragError, because no run is missing."""
        raise bad_usage(
            "is a history of runs that are not parts", "remove --missing", self.containers[0].name
        )

    @property
    def described(self):
        """The sentence about these histories."""
        runs = sum(len(container.meta["runs"]) for container in self.containers)
        histories = number_of(len(self.containers), "history", "histories")
        return f"{histories}, {number_of(runs, 'run')}, numbered in this order"

    def write(self, output):
        """Write one history of all runs into an open Output."""
        whole = Whole(self.containers)
        whole.write(output, {**self.containers[0].meta, "runs": list(range(whole.rows[-1].stop))})


def _require_kind(container, kind, first):
    """Raise StragError unless a container is of the kind of the first one, a recorded one."""
    if container.kind != kind:
        one, other = with_article(container.kind), with_article(first.kind)
        problem = f"is {one} file, but {first.name} is {other} file"
        raise StragError(problem, "merge each kind on its own", container.name)
    if kind == "history" and not is_recorded(container):
        problem = f"is a history of a training by strag, but {first.name} is not"
        raise StragError(problem, "merge them on their own", container.name)


def _require_same(container, first):
    """Raise StragError if a history has other examples, records, layers or tensors than the first one."""
    ours, theirs = container.meta, first.meta
    if ours["recording"] != theirs["recording"]:
        problem = f"is {ours['recording']}, but {first.name} is {theirs['recording']}"
        raise StragError(problem, "merge snapshots and online recordings on their own", container.name)
    for key in ("layers", "classes"):
        if ours[key] != theirs[key]:
            problem = f"has the {key} {some_of(ours[key]) or 'none'}, but {first.name} has "
            problem += some_of(theirs[key]) or "none"
            raise StragError(problem, f"merge runs with the same {key}", container.name)
    examples = [name for name in ("index", "group", "names") if name in first.layout()]
    differ = ours.get("origin") != theirs.get("origin")
    if differ or any(not _is_equal(container, first, name) for name in examples):
        problem = f"has other examples or labels than {first.name}"
        raise StragError(problem, "merge runs on the same training set", container.name)
    if not _is_equal(container, first, "updates"):
        differing = np.setxor1d(container.read("updates"), first.read("updates"))
        problem = f"has other updates than {first.name}, such as {differing[0]}"
        raise StragError(problem, "record every run at the same updates", container.name)
    lacking = sorted({*container.layout()} ^ {*first.layout()})
    if lacking:
        problem = f"'{lacking[0]}' is in only one of this file and {first.name}"
        raise StragError(problem, "merge runs that were recorded in the same way", container.name)


def _require_other_runs(container, known):
    """Raise StragError for a run of a history that another one has as well, such as a process of torchrun.

    known : dict of the identity of a run to the name of its file, to which the runs are added. Runs without
    margins, which are known by bits alone, are not compared.
    """
    if not {"margin", "train_loss"} <= container.layout().keys():
        return
    margin, loss = container.read("margin"), container.read("train_loss")
    for run in range(len(margin)):
        identity = identity_of({"margin": margin[run], "train_loss": loss[:, run]})
        if known.setdefault(identity, container.name) != container.name:
            problem = f"has the same margins and losses as {known[identity]}, and so the same run"
            remedy = "pass each run once; of processes that each record all examples, pass one file"
            raise StragError(problem, remedy, container.name)


def _is_equal(container, first, name):
    """Whether a tensor is the same in two containers."""
    return name in container.layout() and np.array_equal(container.read(name), first.read(name))
