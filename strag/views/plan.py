"""The estimated cost of a training as a table and a sentence."""

from strag.views.table import Table


def tables(estimates):
    """Return the estimates of `strag train --plan`, a dict, as a list of one Table."""
    return [
        Table(
            estimates["strag"].get("title"), [("quantity", "left"), ("estimate", "right")], _rows(estimates)
        )
    ]


def _rows(estimates):
    """Return the rows of the table: pairs of a quantity and its estimate."""
    minutes, seconds = divmod(round(estimates["seconds"]), 60)
    hours, minutes = divmod(minutes, 60)
    updates = estimates["network_updates"]
    rows = [
        ("network-updates", f"{updates:,}"),
        ("arithmetic", f"{estimates['operations'] / 1e12:,.3g} TFLOP"),
        ("time", f"{hours}:{minutes:02}:{seconds:02}"),
        ("per network-update", f"{1e3 * estimates['seconds'] / updates:.3g} ms"),
        ("memory", f"{estimates['memory_bytes'] / 2**30:.2f} GiB"),
        ("history on disk", f"{estimates['history_bytes'] / 2**20:,.1f} MiB"),
    ]
    if estimates["weights_bytes"]:
        rows.append(("weights on disk", f"{estimates['weights_bytes'] / 2**20:,.1f} MiB"))
    return rows


def sentence(estimates):
    """Return one line: the time and the memory that the training needs."""
    minutes = estimates["seconds"] / 60
    return f"about {minutes:.1f} minutes, {estimates['memory_bytes'] / 2**30:.2f} GiB of memory"
