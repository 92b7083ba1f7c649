"""The cost of a training as a table."""

from strag.views.table import Table


def tables(value):
    """What `strag train --plan` found, a dict, as a table."""
    return [Table(value["strag"].get("title"), [("what", "left"), ("costs", "right")], _rows(value))]


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


def sentence(value):
    """The time and the memory, in one line."""
    minutes = value["seconds"] / 60
    return f"about {minutes:.1f} minutes, {value['memory_bytes'] / 2**30:.2f} GiB of memory"
