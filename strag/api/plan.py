"""What a training would cost, before it is run."""

from dataclasses import replace

from strag.api.job import bytes_of_history, weights_bytes
from strag.api.outputs import write_answer
from strag.api.room import taken_so_far
from strag.files.container import RESIDENT
from strag.training import plan as science


def plan(job, device, weights_at=None, output=None):
    """The cost of a Job: dict of numbers of network-updates, operations, seconds and bytes, as in the file.

    A whole training that takes long comes with a suggestion of parts.

    weights_at : updates at which weights would be written, as text; None where none would be.
    output : an open Output to write the JSON into as well.
    """
    cost, parts = science.plan(job.recipe, job.task, device), None
    if cost.parts and job.part is None:
        own = replace(job.recipe, runs=cost.parts.runs.stop - cost.parts.runs.start)
        parts = {"number": cost.parts.of, "runs": own.runs}
        parts |= _resources(own, job, cost.parts, weights_at)
    value = {
        "strag": job.meta("plan", device),
        "network_updates": cost.network_updates,
        "operations": cost.operations,
        **_resources(job.recipe, job, cost, weights_at),
        "parts": parts,
    }
    write_answer(value, output)
    return value


def _resources(recipe, job, cost, weights_at):
    """The time, the memory and the disk space of a training of the data of a Job: dict.

    cost : Plan or Parts, with the seconds and the memory.
    """
    history = bytes_of_history(recipe, job.data, job.keeps_state)
    weights = weights_bytes(recipe, job.data, weights_at)
    return {
        "seconds": cost.seconds,
        "memory_bytes": taken_so_far() + cost.memory + min(history, RESIDENT) + min(weights, RESIDENT),
        "history_bytes": history,
        "weights_bytes": weights,
    }
