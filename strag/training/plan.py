"""The cost of a training, estimated before it runs: operations, time and memory.

Operations and memory are computed from shapes; the time is estimated from a short trial.
"""

import itertools
import math
import time
from dataclasses import dataclass, replace

import torch

from strag.training.architecture import Ends
from strag.training.group import Group, open_inputs
from strag.training.loop import run_groups
from strag.training.parts import Part

TRIAL = 0.2  # shortest time to try each kind of work for, in seconds
FLOAT = 4  # bytes of a float32
SPLIT, GOAL = 3600, 1800  # seconds: a longer training is split, into parts of this length
PER_ITEM = 300  # bytes per run, and per record, of the lists and the stamp that contain an entry for each


@dataclass(frozen=True)
class Size:
    """The sizes that determine the memory of a training. They are known before anything is built.

    examples, test_examples : numbers of examples P, Q. ends : the networks' Ends. rows : number of rows of
    the origin. subsets : whether runs leave out examples.
    """

    examples: int
    test_examples: int
    ends: Ends
    rows: int
    subsets: bool = False

    @classmethod
    def of(cls, task):
        """Return the Size of a Task."""
        return cls(
            examples=len(task.x),
            test_examples=0 if task.x_test is None else len(task.x_test),
            ends=task.ends,
            rows=task.origin_size,
            subsets=task.trained is not None,
        )


@dataclass(frozen=True)
class Plan:
    """The cost of a training.

    network_updates : updates of single networks, summed over all runs. operations : floating-point
    operations of the products; a multiplication and an addition count as two. seconds : time of the training
    in seconds, estimated from a trial; at most so long if runs end on their own. memory : peak memory that
    it adds to the process, in bytes. parts : Parts into which it is best split, or None.
    """

    network_updates: int
    operations: int
    seconds: float
    memory: int
    parts: "Parts | None" = None


@dataclass(frozen=True)
class Parts:
    """Parts of a training that each take 10 to 60 minutes, as far as its groups of runs allow.

    of : number of parts. runs : slice of all runs, that of the part that takes longest. seconds : time of
    this part. memory : peak memory that it adds to its process, in bytes.
    """

    of: int
    runs: slice
    seconds: float
    memory: int


def plan(recipe, task, device="cpu"):
    """Return the Plan of a training, after a short trial on the device."""
    data, test = open_inputs(recipe, task, device)
    groups, seconds_of_size = run_groups(recipe, task.ends), {}
    for runs in groups:
        size = runs.stop - runs.start
        if size not in seconds_of_size:
            seconds_of_size[size] = _group_seconds(Group(recipe, task, data, test, runs, (), device))
    seconds = [seconds_of_size[runs.stop - runs.start] for runs in groups]
    updates, size = recipe.updates(task.origin_size), Size.of(task)
    memory = sum(memory_parts(recipe, size).values())
    parts = None
    if of := parts_for(seconds):
        runs, longest = longest_part(groups, seconds, of)
        own = replace(recipe, runs=runs.stop - runs.start)
        parts = Parts(of, runs, longest, sum(memory_parts(own, size).values()))
    return Plan(recipe.runs * updates, operations(recipe, task), sum(seconds), memory, parts)


def parts_for(seconds):
    """The number of parts of about half an hour; None for a training of an hour, or of one group.

    seconds : the time of every group of runs, in order. A part consists of whole groups.
    """
    total = sum(seconds)
    if total <= SPLIT or len(seconds) == 1:
        return None
    return min(len(seconds), math.ceil(total / GOAL))


def longest_part(groups, seconds, of):
    """The part, of so many, that takes longest: its slice of all runs, and its time in seconds.

    groups : slices of all runs, in order. seconds : the time of each.
    """
    begun = dict(
        zip((group.start for group in groups), itertools.accumulate(seconds, initial=0.0), strict=False)
    )
    begun[groups[-1].stop] = sum(seconds)
    parts = [Part(number, of).runs(groups) for number in range(1, of + 1)]
    longest = max(parts, key=lambda runs: begun[runs.stop] - begun[runs.start])
    return longest, begun[longest.stop] - begun[longest.start]


@torch.no_grad()
def _group_seconds(group):
    """Estimate the time to train a group of runs from trials of an update, a record and a test."""
    batches = itertools.cycle(itertools.islice(group.batches(), 8))

    def update(is_recorded):
        measured = group.look(True, is_recorded)
        if is_recorded:
            group.record(0, measured, tests=False)
        group.step(next(batches, None))

    plain, recorded = _time(lambda: update(False), group.device), _time(lambda: update(True), group.device)
    seconds = group.last * plain + len(group.recorded) * max(0.0, recorded - plain)
    if group.tested:
        seconds += len(group.tested) * _time(lambda: group.test.wrong(group.networks), group.device)
    return seconds


def _time(work, device):
    """Return the median time of several calls of `work`, in seconds."""
    work()  # the first call also allocates memory and loads kernels
    durations = []
    while sum(durations) < TRIAL or len(durations) < 3:
        start = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        durations.append(time.perf_counter() - start)
    return sorted(durations)[len(durations) // 2]


def operations(recipe, task):
    """Count the floating-point operations of the products of a training: int."""
    forward, backward = recipe.architecture.operations(task.ends)
    P, rows = len(task.x), task.origin_size
    updates, records = recipe.updates(rows), len(recipe.recorded(rows))
    if recipe.batch_size is None:
        visits = updates * P * (forward + backward)
        visits += P * forward * (updates in recipe.recorded(rows))  # no update follows the last record
    else:
        visits = recipe.epochs * P * (forward + backward) + records * P * forward
    if task.x_test is not None:
        visits += len(recipe.tested(rows)) * len(recipe.noise) * len(task.x_test) * forward
    return recipe.runs * visits


def memory_parts(recipe, size):
    """Estimate the peak memory that a training of this Size adds to the process: dict of name to bytes.

    `networks` : the networks of one group of runs with their examples; only one group is in memory at a
    time. `runs`, `records` : the data that are kept about every run, and about every record.
    """
    networks, ends = recipe.architecture, size.ends
    runs = min(networks.group_size(ends), recipe.runs)
    P, Q = size.examples, size.test_examples
    parameters = runs * networks.parameters(ends)
    copies = 4 + (2 if recipe.optimizer == "adam" else 1 if recipe.momentum else 0)
    tile = min(networks.tile(runs, ends), max(P, Q))
    activations = runs * tile * (networks.held(ends) + 6 * ends.classes)
    examples = (ends.classes + 3) * (P + Q) + (3 if size.subsets else 1) * runs * max(P, Q)
    drawn, noise = (Q * ends.features, Q * ends.columns) if any(recipe.noise) else (0, 0)
    cast = networks.operands(recipe.precision, ends)[0] != torch.float32
    inputs = (P + Q) * ends.columns // 2 if cast else 0
    later = max(drawn, parameters * copies + activations + examples)
    return {
        "networks": FLOAT * (noise + inputs + later),
        "runs": recipe.runs * (PER_ITEM + size.subsets * P),
        "records": (recipe.records(size.rows) + bool(Q) * recipe.tests(size.rows)) * PER_ITEM,
    }
