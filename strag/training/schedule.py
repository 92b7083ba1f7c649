"""Which updates are recorded."""

from strag.errors import bad_usage
from strag.geometry.times import logarithmic


def every(text, last, option):
    """The updates that `N` (every N-th), `log` or `never` mean, from 0 to `last`, which is always in.

    `never` gives none; records there must be. Raises StragError for anything else, naming the option.
    """
    if text == "never" and option != "--record-every":
        return []
    if text == "log":
        return sorted({0, *logarithmic(range(last + 1)), last})
    try:
        step = int(text)
    except ValueError:
        step = 0
    if step < 1:
        raise bad_usage(f"cannot read {option} '{text}'", "give a number of updates, or log")
    return sorted({*range(0, last + 1, step), last})


def listed(text, last, option):
    """The updates in a list such as `0,40,150`, or `log`, or `last`: sorted list of int."""
    if text == "log":
        return every(text, last, option)
    if text == "last":
        return [last]
    try:
        chosen = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise bad_usage(f"cannot read {option} '{text}'", "give updates such as 0,40,150, or log") from None
    if chosen[0] < 0 or chosen[-1] > last:
        raise bad_usage(f"{option} {text} leaves the training, which has updates 0 to {last}")
    return chosen
