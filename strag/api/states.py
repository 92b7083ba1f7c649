"""Which stored states of each network are compared: those at an update, at its inversion, or its last one."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from strag.errors import StragError, bad_usage
from strag.parsing import read_whole
from strag.stragglers.inversion import INVERSION
from strag.stragglers.recipe import require_same_training
from strag.words import some_of

LAST = "last"
NEAR = 1.25  # largest ratio of a stored update and t* at which the state counts as that of the inversion


@dataclass(frozen=True)
class States:
    """The states of the runs that are compared.

    Attributes
    ----------
    runs : positions of the runs on axis R of the weights file: list of int.
    starts, ends : positions of their states on axis U: lists of int.
    sets : positions on axis U of the states at which the sets of the runs were taken, or None where they are
        not known.
    inversions : t* of the runs, None where it is not known.
    left_out : dicts of the `run` and the `reason` of each run that is left out.
    """

    runs: list
    starts: list
    ends: list
    sets: list | None
    inversions: list
    left_out: list


def read_state(text, name, words):
    """The update or the word in a text: int or str. name : of the parameter. Raises StragError otherwise."""
    if text in words:
        return text
    try:
        return read_whole(text)
    except ValueError:
        remedy = f"pass an update, or {' or '.join(words)}"
        raise bad_usage(f"cannot read `{name}` '{text}'", remedy) from None


def states_of(weights, runs, start, end, finding=None):
    """The States of the runs at these positions in open Weights.

    start, end : an update, `inversion` or, for the end, `last`. finding : Finding with the inversions, or
    None.

    Raises StragError for updates that are not stored, for stragglers of another training, if no run inverts,
    and for a run that would not move forward in training.
    """
    inverts = INVERSION in (start, end)
    if inverts:
        _require_inversions("from_" if start == INVERSION else "to", finding, weights)
    known = _runs_of(finding, weights)
    chosen, inversions, left_out = [], [], []
    for position in runs:
        number = weights.runs[position]
        time = _inversion_of(known.get(number))
        if inverts and time is None:
            reason = "no inversion" if number in known else "not in the stragglers file"
            left_out.append({"run": number, "reason": reason})
            continue
        chosen.append(position)
        inversions.append(time)
    if not chosen:
        which = "runs" if len(left_out) > 1 else "run"
        problem = f"has no inversion of {which} {some_of(run['run'] for run in left_out)}"
        raise StragError(problem, "pass updates as `from_` and `to`", finding.source)
    starts, ends = (
        [_position(weights, run, state, time, name) for run, time in zip(chosen, inversions, strict=True)]
        for state, name in ((start, "from_"), (end, "to"))
    )
    _require_forward(weights, chosen, starts, ends)
    sets = _sets_of(weights, [known.get(weights.runs[position]) for position in chosen])
    return States(chosen, starts, ends, sets, inversions, left_out)


def _runs_of(finding, weights):
    """The RunFindings of a Finding by their number; empty without one, and for one of another training."""
    if finding is None:
        return {}
    with suppress(StragError):
        _require_same(finding, weights)
        return {run.run: run for run in finding.runs}
    return {}


def _require_inversions(name, finding, weights):
    """Refuse inversions without stragglers of the same training. name : of the parameter that needs them."""
    if finding is None:
        problem = f"`{name}` {INVERSION} needs `stragglers`"
        raise bad_usage(problem, "pass those of the training, or an update")
    if not finding.runs:
        remedy = "create it again with 'strag find-stragglers'"
        raise StragError("does not list its runs", remedy, finding.source)
    _require_same(finding, weights)


def _require_same(finding, weights):
    """Refuse stragglers of another training than that of the weights."""
    recipe, inputs = weights.meta.get("recipe") or {}, weights.meta.get("inputs")
    require_same_training(finding, recipe, inputs, weights.source)


def _inversion_of(run):
    """t* of a RunFinding, refined if it is; None without an inversion."""
    if run is None or run.inversion.verdict != INVERSION:
        return None
    return run.update if run.inversion.update is None else run.inversion.update


def _position(weights, run, state, time, name):
    """The position on axis U of a state of a run. time : t* of the run. name : of the parameter."""
    if state == LAST:
        return len(weights.updates) - 1
    if state == INVERSION:
        position = _nearest(weights.updates, time)
        if position is None:
            here = f"run {weights.runs[run]} has its inversion at update {time:.4g}"
            problem = f"{here}, and no stored update is near: it has {some_of(weights.updates)}"
            raise StragError(problem, "train with `weights_at` log", weights.source)
        return position
    stored = weights.updates.tolist()
    if state not in stored:
        only = f"it has only update {some_of(stored)}; train with `weights_at` log"
        remedy = f"choose `{name}` from {some_of(stored)}" if len(stored) > 1 else only
        raise bad_usage(f"has no update {state}", remedy, weights.source)
    return stored.index(state)


def _nearest(updates, time):
    """The position of the update that is nearest to a time in ln t; None if none is near."""
    apart = np.abs(np.log(np.maximum(updates, 0.5)) - np.log(max(time, 0.5)))
    return int(apart.argmin()) if apart.min() <= np.log(NEAR) else None


def _require_forward(weights, runs, starts, ends):
    """Refuse states in the wrong order, and a state that is compared with itself."""
    for run, start, end in zip(runs, starts, ends, strict=True):
        if start >= end:
            first, last = (int(weights.updates[position]) for position in (start, end))
            which = f"run {weights.runs[run]} would be compared at update {first} with update {last}"
            where = f"`to` is not after `from_`: {which}"
            remedy = "choose a later stored update as `to`"
            if len(weights.updates) == 1:
                where, remedy = f"has only update {first}", "train with `weights_at` log"
            raise bad_usage(where, remedy, weights.source)


def _sets_of(weights, runs):
    """The positions at which the sets of RunFindings were taken; None if one is not known."""
    times = [None if run is None else run.update for run in runs]
    positions = [None if time is None else _nearest(weights.updates, time) for time in times]
    return None if None in positions else positions
