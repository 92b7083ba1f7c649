"""What a training would cost, before it is run."""

from strag.api.job import bytes_of_history, weights_bytes
from strag.api.outputs import write_answer
from strag.files.container import RESIDENT
from strag.training import plan as science


def plan(job, device, weights_at=None, output=None):
    """The cost of a Job: dict of numbers of network-updates, operations, seconds and bytes, as in the file.

    weights_at : updates at which weights would be written, as text; None where none would be.
    output : an open Output to write the JSON into as well.
    """
    history = bytes_of_history(job.recipe, job.data, job.keeps_state)
    weights = weights_bytes(job.recipe, job.data, weights_at)
    cost = science.plan(job.recipe, job.task, device)
    value = {
        "strag": job.meta("plan", device),
        "network_updates": cost.network_updates,
        "operations": cost.operations,
        "seconds": cost.seconds,
        "memory_bytes": cost.memory + min(history, RESIDENT) + min(weights, RESIDENT),
        "history_bytes": history,
        "weights_bytes": weights,
    }
    write_answer(value, output)
    return value
