"""`strag.measure`: radii, distances and errors from activations, as a history or as a geometry file."""

import contextlib
import os

import numpy as np

from strag import kinds
from strag.api.arguments import file_to_read, refuse_overwriting, require
from strag.api.outputs import opened, write_answer
from strag.api.sharing import shared_by, workers_check
from strag.bits import pack
from strag.datasets.names import Names
from strag.errors import StragError, StragNote, bad_usage, warn_caller
from strag.files.canonical import finite
from strag.files.foreign_files import labels_in, open_parts
from strag.files.history import HistoryWriter, read
from strag.files.stamp import stamp
from strag.geometry import measure as science
from strag.geometry.further import ALL, NOTHING, choose
from strag.geometry.measure import Grid, as_records, curves_of
from strag.geometry.measures import CHOICES
from strag.stragglers.sets import described_at
from strag.values import LARGEST, checked, choice, optional, path, refused, several, whole

HISTORY = ".safetensors"  # end of the path of an output that is a history and not JSON
NAMED = 5  # classes that a warning names
_IF_KNOWN = ("class_names", "class_numbers", "recording")  # keys of a stamp that may be absent


def _meta(grid, kind, further):
    meta = grid.parts[0].meta
    chosen = {
        **({"measures": further.names} if further.measures else {}),
        **({"dimension_examples": further.examples} if further.examples else {}),
    }
    if grid.parts[0].is_foreign:
        return stamp(kind, **meta, runs=list(grid.runs), layers=list(grid.layers), **chosen)
    kept = ("recipe", "environment", "labels", "classes", "origin", "origin_size", "title", "command")
    inputs = meta.get("inputs") or {}
    recipe = {**(meta.get("recipe") or {}), "layers": list(grid.layers)}
    sets = _sets(grid)
    return stamp(
        kind,
        **{**{key: meta.get(key) for key in kept}, "recipe": recipe},
        **{key: meta[key] for key in _IF_KNOWN if meta.get(key) is not None},
        inputs={**(inputs.get("training") or {}), **_checkpoints(grid), "measured": inputs.get("data")},
        runs=list(grid.runs),
        layers=list(grid.layers),
        **({"sets": sets} if sets else {}),
        **({"training_origin": meta["training_origin"]} if meta.get("training_origin") else {}),
        **chosen,
    )


def _checkpoints(grid):
    """The identities of the checkpoints of the parts by update, as an entry of `inputs`; empty without any.

    Raises StragError if parts have different checkpoints of one update.
    """
    known = {}
    for part in grid.parts:
        for update, identity in ((part.meta.get("inputs") or {}).get("checkpoints") or {}).items():
            if known.setdefault(update, identity) != identity:
                problem = f"is of another checkpoint of update {update} than {grid.parts[0].source}"
                raise StragError(problem, "measure dumps of one training together", part.source)
    return {"checkpoints": known} if known else {}


def _sets(grid):
    """The set that each run left out, from the stamps of the parts, or None."""
    described = {}
    for part in grid.parts:
        for at, run in enumerate(part.runs):
            described[run] = described_at(part.meta.get("sets"), [at])
    first = described[grid.runs[0]]
    if not isinstance(first, dict) or not all(isinstance(entry, dict) for entry in described.values()):
        return first
    return {name: [value for run in grid.runs for value in described[run].get(name, [])] for name in first}


def _parts(value, name):
    """The check of the `activations` of `measure`."""
    for part in value:
        if isinstance(part, dict):
            if not all(isinstance(key, str) for key in part):
                raise refused(part, name, "Activations, paths, or dicts of the names of arrays to arrays")
        elif not isinstance(part, (str, os.PathLike)):
            require(part, name, "Activations")
    return value


def _labels(value, name):
    """The check of `labels`: one path or several, as a list."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return [path(one, name) for one in values]


def _output(value, name):
    """The check of `output`, whose suffix chooses the kind of file."""
    return file_to_read(path(value, name), name)


_one_of = choice(*CHOICES, ALL)
_several_of = several(_one_of, f"names among {', '.join(CHOICES)}, or '{ALL}'")


def _names(value, name):
    """The check of `measures`: one name or several, as a tuple."""
    return (_one_of(value, name),) if isinstance(value, str) else _several_of(value, name)


@checked(
    activations=_parts,
    labels=optional(_labels),
    measures=_names,
    examples=optional(whole(3, LARGEST)),
    workers=optional(workers_check),
    output=optional(_output),
)
def measure(*activations, labels=None, measures=(), examples=None, workers=None, output=None):
    """The radii, distances and errors of activations, as the History of the networks.

    Parameters
    ----------
    activations : one or more Activations, see `dump`, that together cover every example at every update and
        run once. Activations of another program are paths of npy, npz or safetensors files, or dicts of name
        to array: `labels` or `y` [P], layers [P, ...], and optionally `ids` [P], `predictions` [P], `logits`
        [P, C] and `updates` [T], see `strag.files.foreign`.
    labels : path of a file of labels, or one for each file of activations that lacks them.
    measures : names of measures to add, "all" for every one that the activations allow: `radius_h`,
        `overlap`, `participation`, `dimension`, `ncm`, `nc1`, `nc2_norms`, `nc2_angles`, `nc3`, `nc4`. The
        help of `strag geometry` says what they are.
    examples : largest number of examples of each class that `dimension` uses, drawn with a fixed seed; by
        default all. Its time grows with the square of this number.
    workers : number of processes that share the layers, runs, updates and files, or "auto" for one per core.
        It changes no number.
    output : where to write the file of `strag geometry` as well: a path. The file is the history if the path
        ends in .safetensors, and otherwise JSON.

    Returns
    -------
    History, in memory unless it is written. For activations of another program, which make no history, the
    dict that `strag.read` returns for the JSON file.

    Raises StragError for dumps of different trainings, for dumps of other data than the training set, if an
    example is covered twice or not at all, and for measures that the activations do not allow.
    """
    if not activations:
        raise bad_usage("there is nothing to measure", "pass one or more Activations, by position")
    refuse_overwriting([*(a for a in activations if not isinstance(a, dict)), *(labels or ())], output=output)
    apply = shared_by(workers)
    with opened_grid(activations, labels) as grid:
        for remark in remarks(grid):
            warn_caller(remark, StragNote)
        further = choose(grid, measures, examples)
        is_history = output is None or output.endswith(HISTORY)
        if grid.parts[0].is_foreign and not (output and is_history):
            answer = as_json_object(grid, further, apply=apply)
            write_answer(answer, output)
            return finite(answer)
        if is_history:
            with opened(output) as sink:
                gathered = as_history(grid, sink, further, apply)
            return gathered or kinds.read(output, "history")
        gathered = as_history(grid, None, further, apply)
        measured = science.measure(grid, further=further, apply=apply)
        write_answer(as_json_object(grid, further, measured), output)
        return gathered


@contextlib.contextmanager
def opened_grid(activations, labels=None):
    """A context with the Grid of Activations, or of files and dicts of arrays that are open inside it.

    labels : paths of the labels of files, or None; see `measure`.
    """
    given = [part for part in activations if not isinstance(part, (str, os.PathLike, dict))]
    if given and (labels or len(given) < len(activations)):
        raise bad_usage("there are Activations, and files or labels too", "pass Activations, or only files")
    with contextlib.ExitStack() as stack:
        parts = given or open_parts(activations, [labels_in(each) for each in labels or ()])
        for part in parts if not given else ():
            stack.enter_context(part)
        yield Grid(list(parts))


def remarks(grid):
    """What the files of a Grid leave out or lack: list of lines."""
    return [remark for part in grid.parts for remark in part.remarks]


def as_history(grid, sink, further=NOTHING, apply=map):
    """Write the history of a Grid into an open Output; without an Output, return it as a History."""
    if grid.parts[0].is_foreign:
        problem = "holds arrays of another program, which make no history"
        raise StragError(problem, "write JSON", grid.parts[0].source)
    if grid.is_other:
        problem = "holds examples of other data than the training set, so that it makes no history"
        raise StragError(problem, "dump the data of the training, or write JSON", grid.parts[0].source)
    idle = np.flatnonzero(~grid.trained.any(axis=1))
    if idle.size:
        problem = f"has no example that run {grid.runs[idle[0]]} was trained on, so that it makes no history"
        raise StragError(
            problem,
            "dump the data of the training too, or write JSON with 'strag geometry'",
            grid.parts[0].source,
        )
    whole = {name: getattr(grid, name) for name in ("updates", "index", "y", "group")}
    whole |= {"trained": pack(grid.trained), **_named(grid)}
    names = [measure.name for measure in further.recorded]
    with HistoryWriter(sink, _meta(grid, "history", further), whole, further=names) as writer:
        for record in _measured(grid, further, apply):
            writer.add(record)
        if sink is None:
            return read(writer.as_container("measured"))
        writer.commit()
    return None


def _named(grid):
    """The names of the examples as tensors, empty where a part has none."""
    names = [part.names for part in grid.parts]
    if None in names:
        return {}
    _, first = np.unique(np.concatenate([part.index for part in grid.parts]), return_index=True)
    return Names.joined(names).take(first).tensors


def _measured(grid, further, apply):
    """Yield the records of a Grid; a warning follows if examples are not finite."""
    faults = []
    for measured in science.measure(grid, further=further, apply=apply):
        faults += measured.not_finite
        yield measured
    if faults:
        warn_caller(_description(faults))


def _description(faults):
    """The place of the first of NotFinite, and the number of other places, in one line."""
    first = faults[0]
    here = [fault for fault in faults if _place(fault) == _place(first)]
    others = len({_place(fault) for fault in faults}) - 1
    names = list(dict.fromkeys(fault.group for fault in here))
    further = [name for name in dict.fromkeys(fault.group for fault in faults) if name not in names]
    several, examples = len(names) > 1, sum(fault.examples for fault in here)
    text = f"{first.source}: {examples} {'examples' if examples > 1 else 'example'}"
    text += f" of {'classes' if several else 'class'} {_listed(names)} in layer {first.layer}"
    text += f" {'are' if examples > 1 else 'is'} not finite at update {first.update} in run {first.run}"
    if others:
        also = f", there also of {_listed(further)}" if further else ""
        text += f" (and {others} more {'times' if others > 1 else 'time'}{also})"
    return f"{text}: {'these classes have' if several or further else 'that class has'} no radius there"


def _place(fault):
    return fault.source, fault.update, fault.run, fault.layer


def _listed(names):
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def as_json_object(grid, further=NOTHING, measured=None, apply=map):
    """The JSON kind `geometry`. measured : records of the Grid; None computes them, with warnings.

    apply : see `strag.geometry.measure.measure`.
    """
    first, second = np.triu_indices(len(grid.classes), k=1)
    return {
        "strag": _meta(grid, "geometry", further),
        "classes": list(grid.classes),
        "class_sizes": np.bincount(grid.group, minlength=len(grid.classes)),
        "pairs": [[grid.classes[a], grid.classes[b]] for a, b in zip(first, second, strict=True)],
        "records": [
            _named_errors(grid, record)
            for one in measured or _measured(grid, further, apply)
            for record in as_records(grid, one, further)
        ],
    }


def _named_errors(grid, record):
    """An entry of `as_records`, where errors of other data than the training set are test errors.

    Whether a network of another program was trained on its examples is not known.
    """
    prefix = "" if grid.parts[0].is_foreign else "test_" if grid.is_other else "train_"
    return {name.replace("train_", prefix): value for name, value in record.items()}


def means_over_runs(grid, further=NOTHING, apply=map):
    """Yield, of every update and layer, (update, layer, figures): means over runs, NaN where a run has none.

    figures : error, then the curve of every listed measure, see `Further`.
    """
    for record in _measured(grid, further, apply):
        curves = curves_of(grid, record, further)
        for number, layer in enumerate(grid.layers):
            figures = [record.train_error, *(curve[:, number] for curve in curves.values())]
            yield record.update, layer, np.stack(figures, axis=1).mean(axis=0)
