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
    step = _step(text, option)
    return sorted({*range(0, last + 1, step), last})


def count(text, last, option):
    """The number of updates that `every` gives, of which there may be too many to list: int."""
    if text in ("log", "never"):
        return len(every(text, last, option))
    step = _step(text, option)
    return last // step + 1 + (last % step > 0)


def _step(text, option):
    try:
        step = int(text)
    except ValueError:
        step = 0
    if step < 1:
        words = "log" if option == "--record-every" else "log, or never"
        raise bad_usage(f"cannot read {option} '{text}'", f"give a number of updates, or {words}")
    return step


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
