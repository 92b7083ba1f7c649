"""The estimated cost of a training as a table and a sentence."""

from strag.views.table import Table
from strag.words import clock


def tables(estimates):
    """Return the estimates of `strag train --plan`, a dict, as a list of one Table."""
    return [
        Table(
            estimates["strag"].get("title"), [("quantity", "left"), ("estimate", "right")], _rows(estimates)
        )
    ]


def _rows(estimates):
    """Return the rows of the table: pairs of a quantity and its estimate."""
    updates, parts = estimates["network_updates"], estimates.get("parts")
    rows = [
        ("network-updates", f"{updates:,}"),
        ("arithmetic", f"{estimates['operations'] / 1e12:,.3g} TFLOP"),
        ("time", clock(estimates["seconds"])),
        ("per network-update", f"{1e3 * estimates['seconds'] / updates:.3g} ms"),
        *_space(estimates),
    ]
    if parts:
        rows += [("suggested parts", f"{parts['number']:,}"), ("time of a part", clock(parts["seconds"]))]
        rows += [(f"{name} of a part", size) for name, size in _space(parts)]
    return rows


def _space(estimates):
    """Return the rows of the memory and the disk space."""
    rows = [
        ("memory", f"{estimates['memory_bytes'] / 2**30:.2f} GiB"),
        ("history on disk", f"{estimates['history_bytes'] / 2**20:,.1f} MiB"),
    ]
    if estimates["weights_bytes"]:
        rows.append(("weights on disk", f"{estimates['weights_bytes'] / 2**20:,.1f} MiB"))
    return rows


def sentence(estimates):
    """Return one line: the time and the memory that the training needs, and the parts to split it into."""
    minutes, parts = estimates["seconds"] / 60, estimates.get("parts")
    whole = f"about {minutes:.1f} minutes, {estimates['memory_bytes'] / 2**30:.2f} GiB of memory"
    if not parts:
        return whole
    number, minutes = parts["number"], parts["seconds"] / 60
    return f"{whole}; or {number} parts (--part K/{number}) of {minutes:.0f} minutes"
