"""Parts of a training joined into the file of the whole training, tensor by tensor."""

from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, StragNote, warn_of
from strag.files import history, weights
from strag.files.completed import difference
from strag.files.container import TensorWriter
from strag.files.header import DTYPES
from strag.files.history import RECORD, TEST_RECORD
from strag.files.laws import RUN
from strag.files.stamp import with_article
from strag.words import number_of

SPECS = {"history": history.SPEC, "weights": weights.SPEC}
_OWN = ("part", "runs", "sets", "environment")  # what the stamp of each part has for itself
_ENDS = ("unfinished", "interrupted")  # what the stamp of a part has whose training did not end
_TIMES = {"updates": RECORD, "test_updates": TEST_RECORD}  # with the axis that a history has of them


@dataclass(frozen=True)
class Parts:
    """The open files of parts of one training, in the order of their numbers.

    of : number of parts of the whole. numbers : of those that there are. containers : their open files.
    """

    of: int
    numbers: tuple
    containers: tuple

    @property
    def missing(self):
        """The numbers of the parts that are missing: list of int."""
        return [number for number in range(1, self.of + 1) if number not in self.numbers]

    @property
    def described(self):
        """The sentence about these parts: how many there are, and which are missing."""
        have = f"{number_of(len(self.numbers), 'part')} of {self.of}"
        return have if not self.missing else f"{have}; missing {','.join(map(str, self.missing))}"

    def write(self, output):
        """Write the whole training into an open Output, from all its Parts: the bytes of the unsplit job.

        Raises StragError if a part is missing, or disagrees with another one on the examples.
        """
        if self.missing:
            some = ",".join(map(str, self.missing[:20])) + (",..." if len(self.missing) > 20 else "")
            are = "is" if len(self.missing) == 1 else "are"
            problem = f"is one of {self.of} parts, of which {some} {are} missing"
            raise StragError(problem, "train the missing parts first", self.containers[0].name)
        Whole(self.containers).write(output, _stamp(self.containers))


def gathered(containers, among_missing=False):
    """The Parts in open containers of histories, or of weights.

    among_missing : whether a part whose training was interrupted or killed counts as missing, with a warning.

    Raises StragError for a file that is not a part, and for parts of different trainings or of the same
    number; without `among_missing` also for a part whose training was interrupted.
    """
    first, found = containers[0], {}
    for container in containers:
        number, of = _part_of(container)
        _require_same(container, first, of)
        if not _is_whole(container):
            problem = f"is an unfinished part {number} of {of}"
            if not among_missing:
                raise StragError(problem, "train this part again", container.name)
            warn_of(container.name, f"{problem}, which counts as missing")
            continue
        if number in found:
            problem = f"is part {number} of {of}, as {found[number].name} is"
            raise StragError(problem, "pass each part once", container.name)
        found[number] = container
    ordered = dict(sorted(found.items()))
    return Parts(of, tuple(ordered), tuple(ordered.values()))


def _is_whole(container):
    """Whether the training of a part came to its end."""
    return not container.meta.get("unfinished") and container.meta.get("interrupted") is None


def _part_of(container):
    """The number of a part, and the number of all parts."""
    part = container.meta.get("part")
    numbers = [part.get(key) for key in ("number", "of")] if isinstance(part, dict) else []
    if not numbers or not all(type(number) is int for number in numbers) or not 1 <= numbers[0] <= numbers[1]:
        problem = "is not a part of a training"
        raise StragError(problem, "pass files written by 'strag train --part'", container.name)
    return numbers


def _require_same(container, first, of):
    """Raise StragError if a part belongs to another training than the first one."""
    SPECS[container.kind].check(container)
    if container.kind != first.kind:
        one, other = with_article(container.kind), with_article(first.kind)
        problem = f"is {one} file, but {first.name} is {other} file"
        raise StragError(problem, "merge each kind on its own", container.name)
    if of != _part_of(first)[1]:
        problem = f"is a part of {of}, but {first.name} is one of {_part_of(first)[1]}"
        raise StragError(problem, "pass the parts of one training", container.name)
    ignored = (*_OWN, *_ENDS, *(() if _is_whole(container) and _is_whole(first) else ("version",)))
    what = difference(container.meta, first.meta, ignored)
    for ours, theirs in ((container, first), (first, container)):
        lacking = sorted({*theirs.layout()} - {*ours.layout()})
        if lacking and not what:
            problem = f"has no tensor '{lacking[0]}', which {theirs.name} has"
            raise StragError(problem, "pass parts that were trained with the same options", ours.name)
    if what:
        problem = f"belongs to another training than {first.name}: its {what}"
        raise StragError(problem, "pass the parts of one training", container.name)


class Whole:
    """The tensors of all runs, made from those of the files that hold some of them.

    containers : the open files of all parts, in order.

    Where runs end on their own, parts have different numbers of records. `times` then holds the updates of
    all parts, dict of tensor name to int64; a run has NaN and bits 0 at the records that its part lacks. The
    weights of such parts are those of each run's own end, and `updates` holds the largest.
    """

    def __init__(self, containers):
        self.containers, spec = containers, SPECS[containers[0].kind]
        self.axes = {name: _axes(spec, name, shape) for name, (_, shape) in containers[0].layout().items()}
        ends = np.cumsum([len(container.meta["runs"]) for container in containers]).tolist()
        self.rows = [slice(first, stop) for first, stop in zip([0, *ends], ends, strict=False)]
        self.times, self.own = {}, [{} for _ in containers]
        if "last_record" in self.axes:
            for name in _TIMES.keys() & self.axes.keys():
                of_parts = [container.read(name) for container in containers]
                self.times[name] = np.unique(np.concatenate(of_parts))
                for own, times in zip(self.own, of_parts, strict=True):
                    own[_TIMES[name].name] = np.searchsorted(self.times[name], times)
        elif "last_update" in self.axes:
            self.times["updates"] = np.max([container.read("updates") for container in containers], axis=0)

    def write(self, output, meta):
        """Write the whole file into an open Output. meta : its stamp."""
        with TensorWriter(output, meta, self.layout()) as writer:
            for name in self.axes:
                for container, rows in zip(self.containers, self.rows, strict=True):
                    self.copy(writer, name, container, rows)
            writer.commit()

    def layout(self):
        """The layout of the whole file: dict of name to (numpy dtype, shape)."""
        lengths = {RUN.name: self.rows[-1].stop}
        if "last_record" in self.axes:
            lengths |= {_TIMES[name].name: len(times) for name, times in self.times.items()}
        return {
            name: (DTYPES[dtype], tuple(map(lengths.get, self.axes[name], shape)))
            for name, (dtype, shape) in self.containers[0].layout().items()
        }

    def copy(self, writer, name, container, rows):
        """Copy one tensor of a part to its runs; a tensor without runs must be the same in every part."""
        axes, first = self.axes[name], self.containers[0]
        if name in self.times:
            if container is first:
                writer.put(name, ..., self.times[name])
        elif RUN.name not in axes:
            values = container.read(name)
            if container is first:
                writer.put(name, ..., values)
            elif not np.array_equal(writer.arrays[name], values):
                problem = f"belongs to another training than {first.name}: its tensor '{name}' differs"
                raise StragError(problem, "pass the parts of one training", container.name)
        elif axes.index(RUN.name) == 0:
            writer.put(name, rows, container.read(name))
        else:
            own = self.own[self.containers.index(container)].get(axes[0])
            self._copy_records(writer, name, container, rows, own)

    @staticmethod
    def _copy_records(writer, name, container, rows, own):
        """Copy a tensor of records, record by record.

        own : positions of the part's records among those of the whole; None if all parts have the same.
        """
        whole = writer.arrays[name]
        position = {place: at for at, place in enumerate(range(len(whole)) if own is None else own.tolist())}
        for place in range(len(whole)):
            if place in position:
                writer.put(name, (place, rows), container.part(name, position[place]))
            elif whole.dtype.kind == "f":
                writer.put(name, (place, rows), np.full(whole[place, rows].shape, np.nan, whole.dtype))


def _axes(spec, name, shape):
    """Names of all axes of a tensor, None where its specification has none."""
    tensor = spec[name] if name in spec.names else spec.free
    named = [axis.name for axis in tensor.axes if axis is not ...]
    return [*named, *[None] * (len(shape) - len(named))]


def _stamp(containers):
    """The stamp of the whole training; says where the parts were trained in different environments."""
    metas = [container.meta for container in containers]
    meta = {key: value for key, value in metas[0].items() if key not in _OWN}
    meta["runs"] = [run for part in metas for run in part["runs"]]
    if "sets" in metas[0]:
        columns = metas[0]["sets"]
        meta["sets"] = {name: [item for part in metas for item in part["sets"][name]] for name in columns}
    environments = [part["environment"] for part in metas if isinstance(part.get("environment"), dict)]
    meta["environment"], mixed = joined(environments)
    if mixed:
        text = f"parts differ in {', '.join(mixed)}, so that the bytes may not be those of one job"
        warn_of(containers[0].name, text, StragNote)
    return meta


def joined(environments):
    """One environment, with lists of the values that differ, and the names of these values."""
    whole, mixed = {}, []
    for key in sorted({key for part in environments for key in part}):
        values = []
        for part in environments:
            several = part.get(key) if isinstance(part.get(key), list) else [part.get(key)]
            values += [value for value in several if value not in values]
        whole[key] = values[0] if len(values) == 1 else values
        mixed += [key] if len(values) > 1 else []
    return whole, mixed
