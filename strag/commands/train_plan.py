"""What `strag train --plan` prints: the cost of a job, before it is run."""

from strag.commands.train_job import bytes_of_history, weights_bytes
from strag.console import print_table, stdout_is_terminal
from strag.files.container import RESIDENT
from strag.files.jsonfile import write_json
from strag.files.output import Output
from strag.training.plan import plan


def show_plan(job, device, options, as_json):
    """Print the cost of a Job: a table at a terminal, else JSON."""
    value = {"strag": job.meta("plan", device), **costs(job, device, options)}
    if stdout_is_terminal() and not as_json:
        print_table(job.data.title, [("what", "left"), ("costs", "right")], _rows(value))
        return
    with Output("-", binary=False) as sink:
        write_json(value, sink)


def costs(job, device, options):
    """Network-updates, floating-point operations, seconds, and bytes of memory and disk: dict of numbers."""
    history = bytes_of_history(job.recipe, job.data)
    weights = weights_bytes(job.recipe, job.data, options)
    found = plan(job.recipe, job.task, device)
    return {
        "network_updates": found.network_updates,
        "operations": found.operations,
        "seconds": found.seconds,
        "memory_bytes": found.memory + min(history, RESIDENT) + min(weights, RESIDENT),
        "history_bytes": history,
        "weights_bytes": weights,
    }


def _rows(value):
    minutes, seconds = divmod(round(value["seconds"]), 60)
    hours, minutes = divmod(minutes, 60)
    updates = value["network_updates"]
    rows = [
        ("network-updates", f"{updates:,}"),
        ("arithmetic", f"{value['operations'] / 1e12:,.3g} TFLOP"),
        ("time", f"{hours}:{minutes:02}:{seconds:02}"),
        ("per network-update", f"{1e3 * value['seconds'] / updates:.3g} ms"),
        ("memory", f"{value['memory_bytes'] / 2**30:.2f} GiB"),
        ("history on disk", f"{value['history_bytes'] / 2**20:,.1f} MiB"),
    ]
    if value["weights_bytes"]:
        rows.append(("weights on disk", f"{value['weights_bytes'] / 2**20:,.1f} MiB"))
    return rows
