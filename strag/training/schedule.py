"""Reading options that choose updates: `N`, `log`, `never`, or a list such as `0,40,150`."""

from strag.errors import bad_usage
from strag.geometry.times import logarithmic
from strag.parsing import read_whole


def every(text, last, parameter, may_be_none=True):
    """Return the updates that `text` chooses from 0 to `last`: sorted list of int.

    text : `N` for every N-th update, `log` for logarithmically spaced updates, both with 0 and `last`
    always included, or `never` for no updates. parameter : name of the parameter that has this value.
    may_be_none : whether `never` is allowed. Raises StragError, with the parameter's name, for any other
    text.
    """
    if text == "never" and may_be_none:
        return []
    if text == "log":
        return sorted({0, *logarithmic(range(last + 1)), last})
    step = _step(text, parameter, may_be_none)
    return sorted({*range(0, last + 1, step), last})


def count(text, last, parameter, may_be_none=True):
    """Return the number of updates that `every` returns, without listing them for `N`: int."""
    if text in ("log", "never"):
        return len(every(text, last, parameter, may_be_none))
    step = _step(text, parameter, may_be_none)
    return last // step + 1 + (last % step > 0)


def _step(text, parameter, may_be_none):
    """Return the number N >= 1 that `text` holds. Raises StragError for any other text."""
    try:
        step = read_whole(text)
    except ValueError:
        step = 0
    if step < 1:
        words = "log, or never" if may_be_none else "log"
        raise bad_usage(f"cannot read `{parameter}` '{text}'", f"pass a number of updates, or {words}")
    return step


def listed(text, last, parameter):
    """Return the updates that `text` lists: sorted list of int from 0 to `last`.

    text : a list such as `0,40,150`, or `log`, or `last`. parameter : name of the parameter that has this
    value. Raises StragError, with the parameter's name, for any other text.
    """
    if text == "log":
        return every(text, last, parameter)
    if text == "last":
        return [last]
    try:
        chosen = sorted({read_whole(part.strip()) for part in text.split(",")})
    except ValueError:
        raise bad_usage(
            f"cannot read `{parameter}` '{text}'", "pass updates such as 0,40,150, or log"
        ) from None
    if chosen[-1] > last:
        raise bad_usage(f"`{parameter}` {text} is outside the training", f"choose updates from 0 to {last}")
    return chosen
