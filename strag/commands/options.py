"""The options that commands share, and the types that parse their values."""

import math
import os
import shlex

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from strag.geometry.measures import observables
from strag.values import LARGEST_FLOAT

quiet_option = click.option(
    "-q", "--quiet", is_flag=True, help="Do not print notes; warnings are still printed."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON even to a terminal.")


CATALOGUE = (
    "mnist8k",
    "mnist",
    "kmnist",
    "fashion-mnist",
    "cifar10",
)  # a copy, so that shell completion does not load the catalogue


class FilePath(click.ParamType):
    """The name of a file, or '-'. Shells complete it."""

    name = "file"

    def shell_complete(self, ctx, param, incomplete):
        return [CompletionItem(incomplete, type="file")]


class DataPath(FilePath):
    """A name in the catalogue, which takes precedence, or a file."""

    name = "data"

    def shell_complete(self, ctx, param, incomplete):
        known = [name for name in CATALOGUE if name.startswith(incomplete)]
        if not known:
            return super().shell_complete(ctx, param, incomplete)
        # A shell that receives words neither looks for files itself nor quotes them.
        files = [name for name in _entries_here() if name.startswith(incomplete) and name not in known]
        if any(shlex.quote(name) != name for name in files):
            return super().shell_complete(ctx, param, incomplete)
        return [CompletionItem(name) for name in (*known, *files)]


def _entries_here():
    """The names in the working folder: those of folders with a slash, without hidden ones."""
    try:
        with os.scandir() as entries:
            names = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith("."))


class FiniteRange(click.FloatRange):
    """Finite numbers in a range that float32 can hold. A FloatRange alone lets NaN and infinity pass."""

    def convert(self, value, param, ctx):
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number", param, ctx)
        if abs(number) > LARGEST_FLOAT:
            self.fail(f"{number:g} is too large for float32", param, ctx)
        return number


class Sizes(click.ParamType):
    """Lengths of axes, such as 28x28: a tuple of `fewest` to `most` natural numbers."""

    name = "sizes"

    def __init__(self, fewest, most=None):
        self.fewest, self.most = fewest, most or fewest

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        parts = str(value).lower().split("x")
        fits = self.fewest <= len(parts) <= self.most and all(part.isdecimal() for part in parts)
        sizes = tuple(int(part) for part in parts) if fits and len(max(parts, key=len)) < 7 else (0,)
        if min(sizes) < 1:
            self.fail(f"'{value}' is not a size; write it like 28x28", param, ctx)
        return sizes


class Times(click.ParamType):
    """The time at which sets are taken: a Moment or, with `records`, a Logarithmic; see `strag sets --at`."""

    name = "when"

    def __init__(self, records=False):
        self.records = records

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        from strag.api.find_stragglers import moment
        from strag.errors import StragError
        from strag.stragglers.sets import Logarithmic

        kind, colon, number = value.partition(":")
        if kind == "log":
            if not self.records:
                self.fail(f"'{value}' means sets at many records; use 'strag sets' for these", param, ctx)
            if not colon:
                return Logarithmic()
            if number.isascii() and number.isdecimal() and len(number) < 10 and int(number) >= 2:
                return Logarithmic(int(number))
            self.fail(f"cannot read '{value}'; use log, or log:N for N records, at least 2", param, ctx)
        try:
            return moment(value)
        except StragError:
            self.fail(
                f"cannot read '{value}'; use inversion, an update, or error:X with X from 0 to 1", param, ctx
            )


def share_of(text, above=False):
    """The number from 0 to 1, or above 0 with `above`, in a text. Raises ValueError for other texts."""
    share = float(text)
    if not 0 <= share <= 1 or (above and not share):
        raise ValueError
    return share


class Shares(click.ParamType):
    """Fractions above 0 and up to 1, such as 0.1,0.5,1: an increasing tuple."""

    name = "shares"

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        try:
            return tuple(sorted({share_of(part, above=True) for part in value.split(",")}))
        except ValueError:
            self.fail(
                f"cannot read '{value}'; use fractions above 0 and up to 1, such as 0.1,0.5,1", param, ctx
            )


class Names(click.ParamType):
    """One or more known names, separated by commas: a tuple in the order of the text.

    known : function that returns the known names; it is called when a value is parsed. what : the noun for
        a name in messages.
    """

    name = "names"

    def __init__(self, known, what):
        self.known, self.what = known, what

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        names, known = tuple(name.strip() for name in value.split(",")), self.known()
        for name in names:
            if name not in known:
                self.fail(f"no {self.what} '{name}'; use one or more of {', '.join(known)}", param, ctx)
        if len(set(names)) < len(names):
            self.fail(f"'{value}' has a {self.what} twice; use each once", param, ctx)
        return names


class Numbers(click.ParamType):
    """A text of whole numbers: one number from 1 on, a list from 0 on, or a word.

    words : texts with a meaning of their own. several : whether it is a list such as 0,40. what : the numbers
    that can be given, for messages.
    """

    name = "numbers"

    def __init__(self, *words, several=False, what="a number of updates"):
        self.words, self.several, self.what = words, several, what

    def convert(self, value, param, ctx):
        """The text, if it can be read."""
        if value not in self.words and not self._is_written(str(value)):
            self.fail(f"cannot read '{value}'; use {', or '.join((self.what, *self.words))}", param, ctx)
        return value

    def _is_written(self, text):
        parts = [part.strip() for part in text.split(",")] if self.several else [text]
        natural = all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts)
        return natural and (self.several or int(text) > 0)


class LayerName(click.ParamType):
    """A recorded layer by its number or its name, or `all` if the command allows it."""

    name = "layer"

    def __init__(self, all_layers=False):
        self.all_layers = all_layers

    def convert(self, value, param, ctx):
        if value == "all" and not self.all_layers:
            self.fail("'all' is not a layer; use one layer", param, ctx)
        is_number = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19
        return int(value) if is_number else value


fewest_option = click.option(
    "--min-misclassified",
    "fewest",
    type=click.IntRange(1, 2**53),
    default=10,
    show_default=True,
    metavar="N",
    help="An inversion needs at least N misclassified examples.",
)
observable_option = click.option(
    "--observable",
    metavar="NAME",
    help=f"Curve in which to look for the inversion: {', '.join(observables(explained=True))}.  "
    "[default: radius, or radius:0 with --rule first-increase]",
)
rule_option = click.option(
    "--rule",
    type=click.Choice(["valley", "first-increase"]),
    default="valley",
    show_default=True,
    help="How to find the inversion: a valley of the curve, or, as in the paper's notebook, its first "
    "increase from update 20 on.",
)


def layer_option(all_layers=False):
    """--layer: a recorded layer, or `all` if the command can profile all layers."""
    more = ", by number or name, or all to profile every layer" if all_layers else ", by number or name"
    return click.option(
        "--layer",
        type=LayerName(all_layers),
        metavar="N|all" if all_layers else "N",
        help=f"Recorded layer to use{more}.  [default: the first]",
    )


device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Device to compute on.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 4096),
    metavar="N",
    help="Number of processor threads.  [default: that of torch]",
)


def output_option(what):
    """-o FILE: the file to write, by default stdout."""
    return click.option(
        "-o",
        "--output",
        type=FilePath(),
        metavar="FILE",
        default="-",
        help=f"File to write {what} to.  [default: '-', stdout]",
    )


def removed_option(name, instead, takes_value=False):
    """An option of an older strag. Using it is an error that says what to do `instead`."""

    def refuse(ctx, param, value):
        if value not in (None, False):
            raise click.UsageError(f"{name} no longer exists; {instead}", ctx)

    flag = {} if takes_value else {"is_flag": True}
    text = f"No longer exists; {instead}."
    return click.option(name, hidden=True, expose_value=False, callback=refuse, help=text, **flag)


def is_given(name):
    """Whether the user has set an option of the running command, so that its value is not the default."""
    return click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT


def spelled(name):
    """The spelling of an option of the running command, from the name of its parameter."""
    (param,) = (param for param in click.get_current_context().command.params if param.name == name)
    return max(param.opts, key=len)


def refuse_ignored(*rules):
    """Refuse options that are set but have no effect.

    rules : (names of parameters, separated by spaces; whether they have no effect; the reason, in words that
    follow the option, such as `needs --controls`).
    """
    for names, ignored, why in rules:
        for name in names.split():
            if ignored and is_given(name):
                raise click.UsageError(f"{spelled(name)} {why}")


def example(text):
    """An epilog of example commands, one per line, which click does not wrap."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())
