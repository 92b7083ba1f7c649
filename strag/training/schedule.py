"""Which updates are recorded."""

from strag.errors import bad_usage
from strag.geometry.times import logarithmic


def every(text, last, what, may_be_none=True):
    """The updates that `N` (every N-th), `log` or `never` mean, from 0 to `last`, which is always in.

    what : the parameter that the text is the value of. may_be_none : whether it may be `never`, which gives
    none. Raises StragError for anything else, naming the parameter.
    """
    if text == "never" and may_be_none:
        return []
    if text == "log":
        return sorted({0, *logarithmic(range(last + 1)), last})
    step = _step(text, what, may_be_none)
    return sorted({*range(0, last + 1, step), last})


def count(text, last, what, may_be_none=True):
    """The number of updates that `every` gives, without listing them: int."""
    if text in ("log", "never"):
        return len(every(text, last, what, may_be_none))
    step = _step(text, what, may_be_none)
    return last // step + 1 + (last % step > 0)


def _step(text, what, may_be_none):
    try:
        step = int(text)
    except ValueError:
        step = 0
    if step < 1:
        words = "log, or never" if may_be_none else "log"
        raise bad_usage(f"cannot read `{what}` '{text}'", f"pass a number of updates, or {words}")
    return step


def listed(text, last, what):
    """The updates in a list such as `0,40,150`, or `log`, or `last`: sorted list of int.

    what : the parameter that the text is the value of. Raises StragError for anything else, naming it.
    """
    if text == "log":
        return every(text, last, what)
    if text == "last":
        return [last]
    try:
        chosen = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise bad_usage(f"cannot read `{what}` '{text}'", "pass updates such as 0,40,150, or log") from None
    if chosen[0] < 0 or chosen[-1] > last:
        raise bad_usage(f"`{what}` {text} is outside the training", f"choose updates from 0 to {last}")
    return chosen
