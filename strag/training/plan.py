"""What a training will cost, before it is run: arithmetic counted, time from a short trial, memory."""

import itertools
import platform
import time
from dataclasses import dataclass

import torch

from strag.training.architecture import Ends
from strag.training.loop import Group, open_inputs, run_groups

TRIAL = 0.2  # seconds at least for each kind of work
FLOAT = 4  # bytes
PER_ITEM = 300  # bytes of the lists and the stamp that name every run, and of those that name every record


@dataclass(frozen=True)
class Size:
    """The numbers that a training's memory follows from, which are known before anything is built.

    examples, test_examples : P, Q. ends : of the networks. rows : of the origin. subsets : whether the runs
    train on different examples.
    """

    examples: int
    test_examples: int
    ends: Ends
    rows: int
    subsets: bool = False

    @classmethod
    def of(cls, task):
        """The Size of a Task."""
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

    network_updates : updates of one network. operations : floating-point operations of the products,
    a multiplication and an addition being two. seconds : of training, estimated from a trial.
    memory : bytes at the peak, of the whole process.
    """

    network_updates: int
    operations: int
    seconds: float
    memory: int


def plan(recipe, task, device="cpu"):
    """The Plan of a training, after a short trial on the device."""
    data, test = open_inputs(recipe, task, device)
    seconds, tried = 0.0, {}
    for runs in run_groups(recipe, task.ends):
        size = runs.stop - runs.start
        if size not in tried:
            tried[size] = _group_seconds(Group(recipe, task, data, test, runs, (), device))
        seconds += tried[size]
    updates = recipe.updates(task.origin_size)
    memory = taken_so_far() + sum(memory_parts(recipe, Size.of(task)).values())
    return Plan(recipe.runs * updates, operations(recipe, task), seconds, memory)


@torch.no_grad()
def _group_seconds(group):
    """Time that a group of runs will take: its plain updates, its records and its tests, each tried."""
    batches = itertools.cycle(itertools.islice(group.batches(), 8))

    def update(wanted):
        measured = group.look(True, wanted)
        if wanted:
            group.record(0, measured, tests=False)
        group.step(next(batches, None))

    plain, recorded = _time(lambda: update(False), group.device), _time(lambda: update(True), group.device)
    seconds = group.last * plain + len(group.recorded) * max(0.0, recorded - plain)
    if group.tested:
        seconds += len(group.tested) * _time(lambda: group.test.wrong(group.networks), group.device)
    return seconds


def _time(work, device):
    """Seconds that `work` takes: the median of a few."""
    work()  # what is done once: memory, kernels
    taken = []
    while sum(taken) < TRIAL or len(taken) < 3:
        start = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return sorted(taken)[len(taken) // 2]


def operations(recipe, task):
    """Floating-point operations of the products of a training: int."""
    forward, backward = recipe.architecture.operations(task.ends)
    P, rows = len(task.x), task.origin_size
    updates, records = recipe.updates(rows), len(recipe.recorded(rows))
    if recipe.batch_size is None:
        visits = updates * P * (forward + backward)
        visits += P * forward * (updates in recipe.recorded(rows))  # the last state is only looked at
    else:
        visits = recipe.epochs * P * (forward + backward) + records * P * forward
    if task.x_test is not None:
        visits += len(recipe.tested(rows)) * len(recipe.noise) * len(task.x_test) * forward
    return recipe.runs * visits


def memory_parts(recipe, size):
    """Bytes at the peak of a training of this Size, beside what was taken before: dict of name to int.

    `networks`: those of one group of runs, which are all that is resident at a time. `runs`, `records`: what
    is kept about every run, and about every record.
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


def taken_so_far():
    """Bytes that the process had resident at its peak until now; 0 where the system does not say."""
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:
        return 0
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)
