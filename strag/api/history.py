"""`strag.history`: the history of networks that another program trained and logged."""

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from strag.api.arguments import destination, refuse_overwriting
from strag.api.outputs import opened
from strag.errors import StragError, bad_usage
from strag.files.recorded import write_recorded
from strag.files.streams import STANDARD, name_of, open_input, spool
from strag.logs.data_maps import FOLDER, read_data_maps
from strag.logs.predictions import read_predictions
from strag.parsing import read_whole
from strag.values import checked, flag, listing, optional, path, refused
from strag.words import some_of

_UPDATES = "updates such as '0,40'"


def _logs(value, name):
    """The check of one path or several."""
    many = value if isinstance(value, (list, tuple)) else [value]
    if not many:
        raise refused(value, name, "the folders of data maps, or an npz file")
    return [path(one, name) for one in many]


def inputs_of(logs):
    """The files that are read of logs, a list of paths: those in folders, and the others themselves."""
    folders = [log for log in logs if os.path.isdir(log)]
    inner = [os.path.join(folder, FOLDER) for folder in folders]
    found = [folder for folder in (*folders, *inner) if os.path.isdir(folder)]
    return [*logs, *(entry.path for folder in found for entry in os.scandir(folder))]


def recorded_of(logs, updates=None, snapshot=False, note=None):
    """The Recorded of logs; the parameters are those of `history_into`."""
    recording = "snapshot" if snapshot else None
    updates = None if updates is None else _rising(updates)
    if all(os.path.isdir(log) for log in logs):
        _require_once(logs)
        return read_data_maps(logs, updates, recording or "online", note)
    if len(logs) > 1:
        folders = [log for log in logs if os.path.isdir(log)]
        if folders:
            raise bad_usage("is a folder, and other logs are not", "import them one by one", folders[0])
        remedy = "import each of them, and join the histories with 'strag merge'"
        raise bad_usage(f"cannot import {some_of(map(name_of, logs))} together", remedy)
    return _of_file(logs[0], updates, recording, note)


def _require_once(folders):
    """Raise StragError for a folder that is given twice, since each is another run."""
    real = [os.path.realpath(folder) for folder in folders]
    twice = next((folder for at, folder in enumerate(folders) if real[at] in real[:at]), None)
    if twice is not None:
        raise bad_usage("is given twice", "pass each folder once", twice)


def _of_file(log, updates, recording, note):
    """The Recorded of an npz file, or of stdin for '-'."""
    with ExitStack() as stack:
        stream = stack.enter_context(open_input(log))
        if log == STANDARD:
            stream = stack.enter_context(spool(b"", stream))
        if stream.read(2) != b"PK":
            problem = "is not an npz file"
            raise StragError(
                problem, "pass an npz file with predictions, or the folder of a data map", name_of(log)
            )
        title = None if log == STANDARD else Path(log).stem
        return read_predictions(name_of(log), updates, recording, note, stream, title)


def _rising(text):
    """The updates in a text such as 0,40: int64 [T]. Raises StragError unless they rise."""
    try:
        updates = np.array([read_whole(part.strip()) for part in text.split(",")], np.int64)
    except (ValueError, OverflowError):
        updates = np.zeros(2)
    if (updates[1:] <= updates[:-1]).any():
        raise bad_usage(f"cannot use {text!r} as `updates`", f"pass {_UPDATES}, which rise")
    return updates


@checked(logs=_logs, output=optional(destination), updates=optional(listing(_UPDATES)), snapshot=flag)
def history(logs, output=None, updates=None, snapshot=False):
    """The history of networks that another program trained, from its logs.

    Parameters
    ----------
    logs : the folder of a data map, several for several runs, or an npz file; see FORMATS.md.
    output : where to also write the history: a path, or an open Output.
    updates : updates of the records, such as "0,40" or a list. By default they are those of an npz file, and
        the numbers of the epochs of a data map.
    snapshot : whether the networks were recorded with fixed parameters in evaluation mode. A data map is
        recorded during training, and an npz file is a snapshot unless it says otherwise.

    Returns
    -------
    History, whose layers are those with activations or class means; there may be none.

    Raises StragError for logs that cannot be read, or that do not fit each other.
    """
    refuse_overwriting(inputs_of(logs), output=output)
    return history_into(logs, output, updates, snapshot)


def history_into(logs, output=None, updates=None, snapshot=False, note=None):
    """The History of logs; the parameters are those of `history`.

    note : function that is called with one line on each thing that was left out, or None.
    """
    recorded = recorded_of(logs, updates, snapshot, note)
    with opened(output) as sink:
        if sink:
            write_recorded(sink, recorded)
    return replace(write_recorded(None, recorded), source=name_of(logs[0]))
