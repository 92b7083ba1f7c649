"""Parts of a training joined into the file of the whole training, tensor by tensor."""

from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, StragNote, warn_of
from strag.files import history, weights
from strag.files.completed import difference
from strag.files.container import TensorWriter
from strag.files.header import DTYPES
from strag.files.laws import RUN
from strag.words import number_of

SPECS = {"history": history.SPEC, "weights": weights.SPEC}
_OWN = ("part", "runs", "sets", "environment")  # what the stamp of each part has for itself


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


def gathered(containers):
    """The Parts in open containers of histories, or of weights.

    Raises StragError for a file that is not a part, and for parts of different trainings or of the same
    number.
    """
    first, found = containers[0], {}
    for container in containers:
        number, of = _part_of(container)
        _require_same(container, first, of)
        if number in found:
            problem = f"is part {number} of {of}, as {found[number].name} is"
            raise StragError(problem, "pass each part once", container.name)
        found[number] = container
    ordered = dict(sorted(found.items()))
    return Parts(of, tuple(ordered), tuple(ordered.values()))


def _part_of(container):
    """The number of a part, and the number of all parts."""
    part = container.meta.get("part")
    numbers = [part.get(key) for key in ("number", "of")] if isinstance(part, dict) else []
    if not numbers or not all(type(number) is int for number in numbers) or not 1 <= numbers[0] <= numbers[1]:
        problem = "is not a part of a training"
        raise StragError(problem, "pass files that 'strag train --part' wrote", container.name)
    return numbers


def _require_same(container, first, of):
    """Raise StragError if a part belongs to another training than the first one."""
    wanted, _ = SPECS[first.kind], SPECS[container.kind].check(container)
    if container.kind != wanted.kind:
        problem = f"is a {container.kind} file, but {first.name} is a {first.kind} file"
        raise StragError(problem, "merge each kind on its own", container.name)
    if of != _part_of(first)[1]:
        problem = f"is a part of {of}, but {first.name} is one of {_part_of(first)[1]}"
        raise StragError(problem, "pass the parts of one training", container.name)
    for ours, theirs in ((container, first), (first, container)):
        lacking = sorted({*theirs.layout()} - {*ours.layout()})
        if lacking:
            problem = f"has no tensor '{lacking[0]}', which {theirs.name} has"
            raise StragError(problem, "pass parts that were trained with the same options", ours.name)
    what = difference(container.meta, first.meta, _OWN)
    if what:
        problem = f"belongs to another training than {first.name}: its {what}"
        raise StragError(problem, "pass the parts of one training", container.name)


def merge(parts, output):
    """Write the whole training into an open Output, from all its Parts: the bytes of the unsplit job.

    Raises StragError if a part is missing, or disagrees with another one on the examples.
    """
    if parts.missing:
        some = ",".join(map(str, parts.missing[:20])) + (",..." if len(parts.missing) > 20 else "")
        are = "is" if len(parts.missing) == 1 else "are"
        problem = f"is one of {parts.of} parts, of which {some} {are} missing"
        raise StragError(problem, "train the missing parts first", parts.containers[0].name)
    spec, containers = SPECS[parts.containers[0].kind], parts.containers
    axes = {name: spec.axes_of(name) for name in containers[0].layout()}
    runs = [len(container.meta["runs"]) for container in containers]
    rows = [slice(stop - number, stop) for number, stop in zip(runs, np.cumsum(runs).tolist(), strict=True)]
    with TensorWriter(output, _stamp(containers), _layout(containers, axes, sum(runs))) as writer:
        for name in axes:
            for container, own in zip(containers, rows, strict=True):
                _copy(writer, name, axes[name], container, own, containers[0])
        writer.commit()


def _layout(containers, axes, runs):
    """The layout of the whole file: dict of name to (numpy dtype, shape)."""
    layout = {}
    for name, (dtype, shape) in containers[0].layout().items():
        shape = list(shape)
        if RUN.name in axes[name]:
            shape[axes[name].index(RUN.name)] = runs
        layout[name] = (DTYPES[dtype], tuple(shape))
    return layout


def _copy(writer, name, axes, container, rows, first):
    """Copy one tensor of a part to its runs; a tensor without runs must be the same in every part."""
    if RUN.name not in axes:
        values = container.read(name)
        if container is first:
            writer.put(name, ..., values)
        elif not np.array_equal(writer.arrays[name], values):
            problem = f"belongs to another training than {first.name}: its tensor '{name}' differs"
            raise StragError(problem, "pass the parts of one training", container.name)
    elif axes.index(RUN.name) == 0:
        writer.put(name, rows, container.read(name))
    else:
        for at in range(len(writer.arrays[name])):
            writer.put(name, (at, rows), container.part(name, at))


def _stamp(containers):
    """The stamp of the whole training; says where the parts were trained in different environments."""
    metas = [container.meta for container in containers]
    meta = {key: value for key, value in metas[0].items() if key not in _OWN}
    meta["runs"] = [run for part in metas for run in part["runs"]]
    if "sets" in metas[0]:
        columns = metas[0]["sets"]
        meta["sets"] = {name: [item for part in metas for item in part["sets"][name]] for name in columns}
    meta["environment"], mixed = joined([part.get("environment") or {} for part in metas])
    if mixed:
        text = f"parts differ in {', '.join(mixed)}, so that the bytes may not be those of one job"
        warn_of(containers[0].name, text, StragNote)
    return meta


def joined(environments):
    """One environment, with a list where the values of several differ, and the names of these values."""
    whole, mixed = {}, []
    for key in sorted({key for part in environments for key in part}):
        lists = [part.get(key) for part in environments]
        values = [value for part in lists for value in (part if isinstance(part, list) else [part])]
        values = list(dict.fromkeys(values))
        whole[key] = values[0] if len(values) == 1 else values
        mixed += [key] if len(values) > 1 else []
    return whole, mixed


def described(parts):
    """A sentence about Parts: how many there are, and which are missing."""
    have = f"{number_of(len(parts.numbers), 'part')} of {parts.of}"
    return have if not parts.missing else f"{have}; missing {','.join(map(str, parts.missing))}"
