"""`strag.linearity`: how linear trained networks are, along training and at the inversion."""

from dataclasses import dataclass

import numpy as np

from strag.api.arguments import destination, kind, refuse_overwriting
from strag.api.checkpoints import factory_of
from strag.api.dump_weights import DumpJob, prepare_dump
from strag.api.model import file_of
from strag.api.outputs import write_answer
from strag.errors import StragError, bad_usage, warn_of
from strag.files.linearity import linearity_object
from strag.geometry.linearity import MIN_VARIANCE, LinearFit, differences
from strag.geometry.linearity import linearity as measured
from strag.stragglers.linearity import Linearity, inversions_of
from strag.stragglers.recipe import require_same_training
from strag.stragglers.sets import described_at
from strag.training.activations import logits_of
from strag.training.device import DEVICES, choose_device, environment
from strag.values import checked, choice, listing, number, optional
from strag.words import number_of


@dataclass
class LinearityJob:
    """Which networks are measured on which data.

    dump : DumpJob. min_variance : see `strag.geometry.linearity`. inversion : see `Linearity`.
    stragglers : Finding that it is from, or None.
    """

    dump: DumpJob
    min_variance: float
    inversion: np.ndarray | None
    stragglers: object = None

    def training_sets(self):
        """The distinct training sets: list of (bool [P], its examples; int64, positions of its runs)."""
        trained, sets = self.dump.trained, {}
        for run, rows in enumerate(trained):
            sets.setdefault(rows.tobytes(), []).append(run)
        return [(trained[runs[0]], np.array(runs)) for runs in sets.values()]


def prepare_linearity(
    weights, data, stragglers=None, min_variance=MIN_VARIANCE, updates="all", runs="all", model=None
):
    """The LinearityJob of open Weights on the Dataset that their networks were trained on.

    stragglers : Finding of the same training, or None. updates, runs : as for `prepare_dump`. model : as for
    `linearity`.

    Raises StragError for data that the networks were not trained on, and for stragglers of another training.
    """
    job = prepare_dump(weights, data, None, updates, runs, factory_of(model))
    if job.is_other:
        problem = f"is not the data set that the networks of {weights.source} were trained on"
        raise bad_usage(problem, "pass that one, or a part of it made by 'strag prune'", data.source)
    if not job.trained.any():
        problem = f"has no example that a network of {weights.source} was trained on"
        raise StragError(problem, "pass the data set of the training", data.source)
    inversion = None
    if stragglers is not None:
        meta = weights.meta
        require_same_training(stragglers, meta["recipe"], meta.get("inputs"), weights.source)
        inversion = inversions_of(
            stragglers, [weights.runs[position] for position in job.runs], weights.source
        )
    return LinearityJob(job, min_variance, inversion, stragglers)


def linearity_into(job, output, device="cpu", progress=None):
    """The Linearity of a LinearityJob; it is written into an open Output, or to a path, unless that is None.

    progress : called with the number of networks that are measured.
    """
    dump, (x, columns) = job.dump, job.dump.inputs()
    U, R = len(dump.updates), len(dump.runs)
    values = np.full((3, U, R), np.nan)  # training error, R^2, agreement
    counts, done = np.zeros((4, R), dtype=np.int64), 0
    for trained, runs in job.training_sets():
        rows = [np.flatnonzero(trained & (dump.data.index % 2 == half)) for half in (0, 1)]
        fit = LinearFit(x[rows[0]], x[rows[1]], job.min_variance)
        counts[:, runs] = np.array([[*map(len, rows), fit.inputs, fit.directions]]).T
        for place, position in enumerate(dump.updates):
            state = dump.state(position, [dump.runs[run] for run in runs])
            for part, logits in _logits(state, dump, x, columns, device):
                wrong = logits[:, trained].argmax(axis=2) != dump.data.groups[trained]
                wrong |= ~np.isfinite(logits[:, trained]).all(axis=2)
                between = [differences(logits[:, half]) for half in rows]
                values[:, place, runs[part]] = wrong.mean(axis=1), *measured(fit, *between)
            done += len(runs)
            if progress:
                progress(done)
    result = _linearity(job, values, counts, device)
    _warn_of_few(result, dump.data.source)
    write_answer(linearity_object(result), output)
    return result


def _logits(state, dump, x, columns, device):
    described = (dump.recipe, dump.ends, x, columns, dump.data.groups, device)
    return logits_of(state, *described)


def _linearity(job, values, counts, device):
    """The Linearity with these values [3, U, R] and numbers of rows, inputs and directions [4, R]."""
    dump, weights = job.dump, job.dump.weights
    updates = np.repeat(weights.updates[dump.updates, None], len(dump.runs), axis=1)
    if weights.last_update is not None:
        updates[:] = weights.last_update[dump.runs]
    return Linearity(
        tuple(weights.runs[run] for run in dump.runs),
        updates,
        *values,
        *counts,
        inversion=job.inversion,
        meta=_meta(job, device),
        source=weights.source,
    )


def _meta(job, device):
    dump, weights = job.dump, job.dump.weights
    data, sets = dump.data, weights.meta.get("sets")
    inputs = {"data": data.identity, "training": weights.meta.get("inputs")}
    if job.stragglers is not None:
        inputs["stragglers"] = job.stragglers.identity
    return {
        "recipe": {**weights.meta["recipe"], "min_variance": job.min_variance},
        "environment": environment(device),
        "inputs": inputs,
        "origin": data.origin,
        "origin_size": data.origin_size,
        "title": data.title,
        "command": data.command,
        **{key: weights.meta.get(key) for key in ("classes", "labels")},
        **({"sets": described_at(sets, dump.runs)} if sets else {}),
    }


def _warn_of_few(result, source):
    """Warn where runs have too few rows for a fit."""
    few = result.few
    if few.any():
        run = int(few.argmax())
        rows, inputs = number_of(int(result.fitted[run]), "row"), number_of(int(result.inputs[run]), "input")
        runs = "" if few.all() else f" ({number_of(int(few.sum()), 'run')})"
        problem = f"has {rows} of even index for {inputs} that vary, too few to fit{runs}"
        warn_of(source, problem)


@checked(
    weights=kind("Weights"),
    data=kind("Dataset"),
    stragglers=optional(kind("Finding")),
    min_variance=number(0),
    updates=listing("updates such as '0,40', or 'all'"),
    runs=listing("runs such as '0,3', or 'all'"),
    device=choice(*DEVICES),
    output=optional(destination),
)
def linearity(
    weights,
    data,
    stragglers=None,
    min_variance=MIN_VARIANCE,
    updates="all",
    runs="all",
    device="auto",
    output=None,
    model=None,
):
    """How linear trained networks are, at every update whose weights are stored.

    The differences of the logits of each network are fitted by a linear function of its inputs, on the
    training examples of even index, and compared with it on those of odd index; the index is the row of the
    origin.

    Parameters
    ----------
    weights : Weights, which `strag.read` returns. data : Dataset that the networks were trained on.
    stragglers : Finding of the same training, whose inversions are marked.
    min_variance : variance over the fitted examples up to which directions of the standardised inputs are
        left out; 0 is plain least squares.
    updates, runs : numbers such as "0,40" or (0, 40), or "all".
    device : as for `strag.train`.
    output : where to also write the file of `strag linearity`: a path, or an open Output.
    model : the function that built the networks, where `strag.train` was given one, as there.

    Returns
    -------
    Linearity: R^2, the share of equal decisions and the training error of each network, see
    `strag.stragglers.linearity`.

    Raises StragError for data that the networks were not trained on, for stragglers of another training, and
    for updates or runs that are not stored.
    """
    refuse_overwriting((weights, data, stragglers, file_of(model)), output=output)
    job = prepare_linearity(weights, data, stragglers, min_variance, updates, runs, model)
    return linearity_into(job, output, choose_device(device))
