"""Checks of arguments: the names that a function has, and the values that its parameters can have.

A check is a function of a value and the name of its parameter. It returns the value to use, in plain Python
types, or raises a StragError that names the parameter. `None` is checked by `optional` alone.
"""

import contextlib
import functools
import inspect
import math
import numbers
import os

from strag.errors import bad_usage
from strag.words import number_of

LARGEST = 2**31 - 1  # of numbers that torch counts with
LARGEST_FLOAT = 3.4e38  # almost the largest float32
LARGEST_UPDATE = 2**63 - 1
LARGEST_WHOLE = 10**38 - 1  # beyond any seed, and short enough for a message
LONGEST = 60  # characters of a value in a message
_PLAIN = (str, bytes, bool, int, float, complex, type(None), numbers.Number, os.PathLike)


def shown(value):
    """A value for a message, in one short line; for values that have no short text, their type."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    if all(isinstance(part, _PLAIN) for part in parts):
        with contextlib.suppress(ValueError):  # of whole numbers with thousands of digits
            text = repr(value)
            if len(text) <= LONGEST:
                return text
            if isinstance(value, str):
                return f"{value[:LONGEST]!r}..."
    return f"an object of type {type(value).__name__}"


def refused(value, name, wanted):
    """The error for a value that a parameter cannot have. wanted : the values that it can have, in words."""
    return bad_usage(f"cannot use {shown(value)} as `{name}`", f"pass {wanted}")


def optional(check):
    """The check of a parameter that may also be None."""
    return lambda value, name: None if value is None else check(value, name)


def whole(first, last=LARGEST_WHOLE):
    """The check of a whole number from `first` to `last`; numpy's integers become int."""
    wanted = f"a whole number from {first} {f'to {last}' if last < LARGEST_UPDATE else 'on'}"

    def check(value, name):
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < first:
            raise refused(value, name, wanted)
        if value > last:
            raise refused(value, name, wanted if last < LARGEST_UPDATE else "a smaller whole number")
        return int(value)

    return check


def number(low, high=None, above=False, below=False):
    """The check of a finite number from `low` to `high` that float32 can hold; it becomes a float.

    above, below : whether `low` and `high` themselves are excluded.
    """
    wanted = f"a number {_range(low, high, above, below)}"

    def check(value, name):
        is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not is_real or abs(value) > LARGEST_FLOAT or not math.isfinite(value):
            raise refused(value, name, wanted)
        if value < low or (above and value == low):
            raise refused(value, name, wanted)
        if high is not None and (value > high or (below and value == high)):
            raise refused(value, name, wanted)
        return float(value)

    return check


def _range(low, high, above, below):
    """The range of `number` in words."""
    lower = f"above {low}" if above else f"from {low}"
    if high is None:
        return lower if above else f"{lower} on"
    if above:
        return f"{lower} and {'below' if below else 'up to'} {high}"
    return f"{lower} to {f'below {high}' if below else high}"


def choice(*choices):
    """The check of one of several texts."""

    def check(value, name):
        if not isinstance(value, str) or value not in choices:
            raise refused(value, name, some_or(choices))
        return str(value)

    return check


def some_or(choices):
    """Texts in one list: `a, b or c`."""
    *others, last = map(str, choices)
    return f"{', '.join(others)} or {last}" if others else last


def flag(value, name):
    """The check of True or False, of Python or of numpy."""
    if not isinstance(value, bool) and type(value).__name__ not in ("bool", "bool_"):
        raise refused(value, name, "True or False")
    return bool(value)


def text(wanted="text"):
    """The check of a text. wanted : the texts that have a meaning, in words."""

    def check(value, name):
        if not isinstance(value, str):
            raise refused(value, name, wanted)
        return str(value)

    return check


def several(check, wanted, fewest=0):
    """The check of a list, a tuple or an array [n] of values that each pass `check`; it becomes a tuple."""

    def check_all(value, name):
        is_array = getattr(value, "ndim", None) == 1 and hasattr(value, "tolist")
        if not (is_array or isinstance(value, (list, tuple))) or len(value) < fewest:
            raise refused(value, name, wanted)
        return tuple(check(part, name) for part in value)

    return check_all


def sizes(fewest, most=None):
    """The check of `fewest` to `most` lengths of axes, such as (28, 28); they become a tuple of int."""
    most = most or fewest
    wanted = "height and width, such as (28, 28)" if most == fewest == 2 else "lengths, such as (28, 28)"
    length = several(whole(1, 999_999), wanted, fewest)

    def check(value, name):
        found = length(value, name)
        if len(found) > most:
            raise refused(value, name, wanted)
        return found

    return check


def instance(kind, wanted):
    """The check of an object of a class. wanted : such objects, in words."""

    def check(value, name):
        if not isinstance(value, kind):
            raise refused(value, name, wanted)
        return value

    return check


def function(wanted):
    """The check of a function that can be called with one value. wanted : such functions, in words."""

    def check(value, name):
        try:
            inspect.signature(value).bind(None)
        except TypeError:
            raise refused(value, name, wanted) from None
        except ValueError:  # a function of C without a signature
            pass
        return value

    return check


def path(value, name):
    """The check of a path; it becomes text."""
    wrong = refused(value, name, "the path of a file")
    if not isinstance(value, (str, os.PathLike)):
        raise wrong
    with contextlib.suppress(UnicodeEncodeError):
        encoded = os.fsencode(value)
        if encoded and b"\0" not in encoded:
            return os.fsdecode(encoded)
    raise wrong


def listing(wanted):
    """The check of a text of numbers such as `0,40`, of a number, or of several; it becomes text.

    wanted : the texts that have a meaning, in words.
    """
    each = several(whole(0, LARGEST_UPDATE), wanted, 1)

    def check(value, name):
        if isinstance(value, str):
            return str(value)
        is_one = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        return ",".join(map(str, each([value] if is_one else value, name)))

    return check


def bound(signature, own, values, named, options=()):
    """The arguments of a call, as `inspect.Signature.bind` gives them.

    own : name of the function in messages. values, named : arguments by position and by name. options : names
    that can be passed in addition. Raises StragError for arguments that do not fit the signature.
    """
    parameters = signature.parameters.values()
    places = [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    by_name = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    known = [*places, *by_name, *options]
    any_number = [parameter.name for parameter in parameters if parameter.kind is parameter.VAR_POSITIONAL]
    for name in named:
        if name in any_number:
            raise bad_usage(f"{own} accepts `{name}` only by position", "pass them without a name")
        if name not in known:
            import difflib

            close = difflib.get_close_matches(name, known, 1)
            remedy = f"use `{close[0]}`" if close else f"its parameters are {', '.join(known)}"
            raise bad_usage(f"{own} has no parameter `{name}`", remedy)
    if len(values) > len(places) and not any_number:
        most = number_of(len(places), "argument")
        problem = f"{own} accepts {most} by position, but {len(values)} are given"
        raise bad_usage(problem, "pass options by name")
    for name in places[: len(values)]:
        if name in named:
            raise bad_usage(f"{own} is given `{name}` twice", "pass it once")
    for name in places[len(values) :]:
        if name not in named and signature.parameters[name].default is inspect.Parameter.empty:
            raise bad_usage(f"{own} needs `{name}`", "pass it")
    return signature.bind(*values, **named)


def checked(options=None, ignored=None, **checks):
    """The decorator of a verb of the package, which then refuses wrong arguments with a StragError.

    checks : the check of every parameter by its name. options : function that returns the names of further
    options, if the verb has such. ignored : function that refuses arguments without an effect. It is called
    with the names of the arguments that are given, and with all arguments by name. An argument that is None
    or False is not given.
    """

    def decorate(verb):
        signature, own = inspect.signature(verb), f"strag.{verb.__name__}"

        @functools.wraps(verb)
        def call(*values, **named):
            given = bound(signature, own, values, named, options() if options else ())
            _check_all(given.arguments, checks)
            if ignored:
                items = given.arguments.items()
                names = {name for name, value in items if value is not None and value is not False}
                given.apply_defaults()
                ignored(names, **given.arguments)
            return verb(*given.args, **given.kwargs)

        call.checks = checks
        return call

    return decorate


def checked_fields(elsewhere=None, **checks):
    """The decorator of a dataclass, which then refuses wrong fields with a StragError.

    checks : the check of every field by its name. elsewhere : function that is called with the names of the
    given fields, and may refuse some of them by an error of its own.
    """

    def decorate(kind):
        signature, create = inspect.signature(kind), kind.__init__

        @functools.wraps(create)
        def init(self, /, *values, **named):
            if elsewhere:
                elsewhere(named)
            given = bound(signature, kind.__name__, values, named)
            _check_all(given.arguments, checks)
            create(self, *given.args, **given.kwargs)

        kind.__init__, kind.checks = init, checks
        return kind

    return decorate


def _check_all(arguments, checks):
    """Replace the arguments that have a check by what the check returns."""
    for name, value in arguments.items():
        if name in checks:
            arguments[name] = checks[name](value, name)
