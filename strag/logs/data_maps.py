"""Data maps (Swayamdipta et al., EMNLP 2020, doi:10.18653/v1/2020.emnlp-main.746): logits in JSON lines.

A folder holds one file `dynamics_epoch_X.jsonl` per epoch, whose lines have the `guid`, the logits and the
`gold` label of an example. Lines come in another order in each file.
"""

import json
import re
from pathlib import Path

import numpy as np

from strag.errors import StragError, bad_usage
from strag.recording.ids import order_of
from strag.recording.logged import Logged
from strag.words import number_of, some_of

FOLDER = "training_dynamics"
_NAME = re.compile(r"dynamics_epoch_(\d{1,9})\.jsonl?")
_LARGEST = 10**300  # of whole numbers, so that they are floats
_AGAIN = "log it again, or remove the epoch from all folders"


def read_data_maps(folders, updates=None, recording="online", note=None):
    """The Recorded of one training run per folder, all of the same examples and epochs.

    Parameters
    ----------
    folders : list of paths: the folders with the files, or those that hold a folder `training_dynamics`.
    updates : rising updates of the epochs, int [T], or None for the numbers of the epochs.
    recording : "online" or "snapshot".
    note : function that is called with one line on each thing that was left out, or None.

    Raises StragError, which names file, line and guid, for lines that cannot be read, for examples that are
    missing, repeated, or have another label than before, and for missing epochs.
    """
    epochs = [_epochs_of(Path(folder), updates is not None, note) for folder in folders]
    for folder, other in zip(folders[1:], epochs[1:], strict=True):
        if other.keys() != epochs[0].keys():
            only = min(other.keys() ^ epochs[0].keys())
            has, lacks = (folder, folders[0]) if only in other else (folders[0], folder)
            raise StragError(f"has no epoch {only}, which {has} has", "pass runs of the same epochs", lacks)
    times = np.array(list(epochs[0])) if updates is None else np.asarray(updates)
    if len(times) != len(epochs[0]):
        problem = f"`updates` has {number_of(len(times), 'update')} for {number_of(len(epochs[0]), 'epoch')}"
        raise bad_usage(problem, "pass one per epoch, in order", folders[0])
    examples, logged = None, None
    for run, files in enumerate(epochs):
        for record, (epoch, path) in enumerate(files.items()):
            guids, gold, logits = _read(path, epoch)
            if examples is None:
                examples = _Examples(path, guids, gold, logits.shape[1])
                logged = Logged(times, len(epochs), gold, examples.order, logits.shape[1])
            logged.judge(record, run, logits[examples.rows_of(path, guids, gold, logits.shape[1])])
    classes = [str(number) for number in range(examples.classes)]
    folder = Path(folders[0]).resolve()
    title = (folder.parent if folder.name == FOLDER else folder).name
    return logged.recorded(examples.ids, classes, (), recording, title)


class _Examples:
    """The examples of the first file, which all others must have: their ids, in the order of its lines.

    path : the first file. guids : list of the guids, as in the lines. gold : int64 [P]. classes : C.
    """

    def __init__(self, path, guids, gold, classes):
        self.path, self.gold, self.classes = path, gold, classes
        self._lines = {str(guid): line for line, guid in enumerate(guids)}
        self.ids = guids if all(type(guid) is int for guid in guids) else list(self._lines)
        self.order = order_of(self.ids)

    def rows_of(self, path, guids, gold, classes):
        """The line of another file that has each of these examples, from 0: int64 [P]."""
        if classes != self.classes:
            problem = f"has {classes} logits per line, but {self.path.name} has {self.classes}"
            raise StragError(problem, "pass logits of one network", path)
        rows = np.full(len(self.gold), -1)
        for line, guid in enumerate(guids):
            place = self._lines.get(str(guid))
            if place is None:
                raise _at(path, line, f"guid {guid!r} is not in {self.path}", "log the same examples")
            if gold[line] != self.gold[place]:
                was = f"but {self.gold[place]} in {self.path}"
                raise _at(
                    path, line, f"guid {guid!r} has the label {gold[line]}, {was}", "log the same labels"
                )
            rows[place] = line
        missing = [self.ids[place] for place in np.flatnonzero(rows < 0)]
        if missing:
            lacks = f"lacks {number_of(len(missing), 'example')} of {self.path}, such as guid {missing[0]!r}"
            raise StragError(lacks, "log every example in every epoch", path)
        return rows


def _files_in(folder):
    """The files of a data map in a folder, or in its folder `training_dynamics`: dict of epoch to paths."""
    files = {}
    for path in _entries(folder):
        name = _NAME.fullmatch(path.name)
        if name:
            files.setdefault(int(name[1]), []).append(path)
    return dict(sorted(files.items()))


def _entries(folder):
    """The entries of a folder, or of its folder `training_dynamics`: list of paths, sorted."""
    inner = folder / FOLDER
    folder = inner if inner.is_dir() else folder
    try:
        return sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise StragError(f"cannot be read: {error.strerror}", "check its permissions", folder) from None


def _epochs_of(folder, gaps, note):
    """The file of each epoch in a folder: dict of epoch to path, rising.

    gaps : whether epochs may be missing. note : see `read_data_maps`.
    """
    if not folder.exists():
        raise StragError("no such file", "check the path", folder)
    files = _files_in(folder)
    if not files:
        problem = "holds no dynamics_epoch_X.jsonl, and no folder training_dynamics with such files"
        raise StragError(problem, "pass the folder of a data map, or an npz file", folder)
    twice = [paths for paths in files.values() if len(paths) > 1]
    if twice:
        raise StragError(f"holds {some_of(path.name for path in twice[0])}", "keep only one of them", folder)
    missing = set(range(min(files), max(files))) - set(files)
    if missing and not gaps:
        problem = f"has no dynamics_epoch_{min(missing)}.jsonl, but later epochs"
        raise StragError(problem, "add it, or pass the `updates` of the epochs that are there", folder)
    others = [path.name for path in _entries(folder) if not _NAME.fullmatch(path.name)]
    if others and note:
        note(f"{folder}: left out {some_of(others)}")
    return {epoch: paths[0] for epoch, paths in files.items()}


def _read(path, epoch):
    """The guids, labels and logits in the file of an epoch: list [P], int64 [P], float64 [P, C]."""
    guids, gold, logits, seen, key = [], [], [], {}, f"logits_epoch_{epoch}"
    for line, text in enumerate(_lines_of(path)):
        entry = _entry(path, line, text, key)
        guid, label, row = entry["guid"], entry["gold"], entry[key if key in entry else "logits"]
        if str(guid) in seen:
            problem = f"guid {guid!r} is that of line {seen[str(guid)] + 1}, too"
            raise _at(path, line, problem, "log every example once per epoch")
        if len(row) != len(logits[0] if logits else row) or not 0 <= label < len(row):
            known = len(logits[0]) if logits else len(row)
            problem = f"guid {guid!r} has {number_of(len(row), 'logit')} and label {label}"
            raise _at(path, line, problem, f"log {known} logits, and a label from 0 to {known - 1}")
        seen[str(guid)] = line
        guids.append(guid)
        gold.append(label)
        logits.append(np.array(row, np.float64))
    if not guids:
        raise StragError("has no lines", _AGAIN, path)
    return guids, np.array(gold, np.int64), np.stack(logits)


def _lines_of(path):
    """Yield the lines of a file as bytes."""
    try:
        with open(path, "rb") as stream:
            yield from stream
    except OSError as error:
        raise StragError(f"cannot be read: {error.strerror}", "check the path", path) from None


def _entry(path, line, text, key):
    """The object in a line, checked. key : the name of its logits, which may also be `logits`."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        cut = not text.endswith(b"\n")
        raise _at(path, line, "the line is cut short" if cut else "the line is not JSON", _AGAIN) from None
    if not isinstance(entry, dict) or type(entry.get("guid")) not in (int, str):
        raise _at(path, line, "the line has no 'guid', a number or a text", _AGAIN)
    guid, row = entry["guid"], entry.get(key, entry.get("logits"))
    if type(entry.get("gold")) is not int:
        raise _at(path, line, f"guid {guid!r} has no 'gold', a whole number", _AGAIN)
    numbers = (int, float, type(None))
    fits = isinstance(row, list) and len(row) > 1 and all(type(value) in numbers for value in row)
    if not fits or any(type(value) is int and abs(value) > _LARGEST for value in row):
        raise _at(
            path, line, f"guid {guid!r} has no '{key}' or 'logits', a list of two numbers or more", _AGAIN
        )
    return entry


def _at(path, line, problem, remedy):
    """The StragError about a line, counted from 0."""
    return StragError(f"line {line + 1}: {problem}", remedy, path)
