"""Options and arguments that commands share, and the parsers of options: one spelling, one meaning each."""

import math
import os
import shlex

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from strag.geometry.measures import observables

quiet_option = click.option("-q", "--quiet", is_flag=True, help="No notes on stderr; warnings stay.")
json_option = click.option("--json", "as_json", is_flag=True, help="JSON even at a terminal.")


CATALOGUE = ("mnist8k", "mnist", "kmnist", "fashion-mnist", "cifar10")  # here too, so that nothing is loaded


class FilePath(click.ParamType):
    """The name of a file, or '-'; a shell completes it."""

    name = "file"

    def shell_complete(self, ctx, param, incomplete):
        return [CompletionItem(incomplete, type="file")]


class DataPath(FilePath):
    """A file, or a name in the catalogue, which goes before."""

    name = "data"

    def shell_complete(self, ctx, param, incomplete):
        known = [name for name in CATALOGUE if name.startswith(incomplete)]
        if not known:
            return super().shell_complete(ctx, param, incomplete)
        # A shell that is given words looks for no files itself, nor does it quote.
        files = [name for name in _entries_here() if name.startswith(incomplete) and name not in known]
        if any(shlex.quote(name) != name for name in files):
            return super().shell_complete(ctx, param, incomplete)
        return [CompletionItem(name) for name in (*known, *files)]


def _entries_here():
    """What lies in the working folder, folders with a slash, without what is hidden."""
    try:
        with os.scandir() as entries:
            found = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
    except OSError:
        return []
    return sorted(name for name in found if not name.startswith("."))


LARGEST = 3.4e38  # as good as the largest float32


class FiniteRange(click.FloatRange):
    """Numbers in a range, as float32 holds them: NaN and infinity pass every comparison, or mean no work."""

    def convert(self, value, param, ctx):
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number", param, ctx)
        if abs(number) > LARGEST:
            self.fail(f"{number:g} is too large for a network's numbers", param, ctx)
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
            self.fail(f"'{value}' is no size; write it like 28x28", param, ctx)
        return sizes


class Times(click.ParamType):
    """When sets are taken: a Moment, or with `records` a rule for many records; see `strag sets --at`."""

    name = "when"

    def __init__(self, records=False):
        self.records = records

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        from strag.stragglers.find import Moment
        from strag.stragglers.sets import Logarithmic

        kind, colon, number = value.partition(":")
        if kind == "log":
            if not self.records:
                self.fail(
                    f"'{value}' takes a set at many records, for which there is 'strag sets'", param, ctx
                )
            if not colon:
                return Logarithmic()
            if number.isascii() and number.isdecimal() and len(number) < 10 and int(number) >= 2:
                return Logarithmic(int(number))
            self.fail(f"cannot read '{value}'; give log, or log:N for N records, at least 2", param, ctx)
        if value == "inversion":
            return Moment()
        try:
            if kind == "error":
                return Moment(error=share_of(number))
            return Moment(update=update_of(value))
        except ValueError:
            self.fail(
                f"cannot read '{value}'; give inversion, an update, or error:X with X in 0..1", param, ctx
            )


def share_of(text, above=False):
    """A number from 0 to 1, `above` 0; ValueError for another text."""
    share = float(text)
    if not 0 <= share <= 1 or (above and not share):
        raise ValueError
    return share


def update_of(text):
    """A number of updates; ValueError for another text."""
    update = int(text) if len(text) < 20 else -1
    if not 0 <= update < 2**63:
        raise ValueError
    return update


class Shares(click.ParamType):
    """Fractions above 0 up to 1, such as 0.1,0.5,1: a rising tuple."""

    name = "shares"

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        try:
            return tuple(sorted({share_of(part, above=True) for part in value.split(",")}))
        except ValueError:
            self.fail(f"cannot read '{value}'; give fractions above 0 up to 1, such as 0.1,0.5,1", param, ctx)


class Names(click.ParamType):
    """One or more of the known names, with commas between: a tuple in the order given.

    known : function that gives the names, called when there is something to check.
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
                self.fail(f"no {self.what} '{name}'; give one or several of {', '.join(known)}", param, ctx)
        if len(set(names)) < len(names):
            self.fail(f"'{value}' names a {self.what} twice; give each once", param, ctx)
        return names


class LayerName(click.ParamType):
    """A recorded layer by its number or its name, or `all` where a command takes that."""

    name = "layer"

    def __init__(self, all_layers=False):
        self.all_layers = all_layers

    def convert(self, value, param, ctx):
        if value == "all" and not self.all_layers:
            self.fail("'all' is no layer here; give one", param, ctx)
        is_number = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19
        return int(value) if is_number else value


fewest_option = click.option(
    "--min-misclassified",
    "fewest",
    type=click.IntRange(1, 2**53),
    default=10,
    show_default=True,
    metavar="N",
    help="Examples that must be misclassified at an inversion.",
)
observable_option = click.option(
    "--observable",
    metavar="NAME",
    help=f"Curve whose valley is sought: {', '.join(observables(explained=True))}.  "
    "[default: radius; with --rule first-increase radius:0]",
)
rule_option = click.option(
    "--rule",
    type=click.Choice(["valley", "first-increase"]),
    default="valley",
    show_default=True,
    help="first-increase is the paper's notebook's: the first rise from update 20 on, of class 0's radius.",
)


def layer_option(all_layers=False):
    """--layer: a recorded layer, or `all` where a command takes a profile of all."""
    more = ", or a profile of all" if all_layers else ""
    return click.option(
        "--layer",
        type=LayerName(all_layers),
        metavar="N|all" if all_layers else "N",
        help=f"Recorded layer{more}.  [default: the first]",
    )


device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
threads_option = click.option(
    "--threads", type=click.IntRange(1, 4096), metavar="N", help="Processor threads.  [default: torch's]"
)


def output_option(what):
    """-o FILE, by default stdout."""
    return click.option(
        "-o",
        "--output",
        type=FilePath(),
        metavar="FILE",
        default="-",
        help=f"Where to write {what}; '-', the default, is stdout.",
    )


def removed_option(name, instead, takes_value=False):
    """An option of before: giving it ends in one line that says what to do instead."""

    def refuse(ctx, param, value):
        if value not in (None, False):
            raise click.UsageError(f"{name} is no more; {instead}", ctx)

    flag = {} if takes_value else {"is_flag": True}
    told = f"No more; {instead}."
    return click.option(name, hidden=True, expose_value=False, callback=refuse, help=told, **flag)


def is_given(name):
    """Whether an option of the command that runs stands on its command line, rather than its default."""
    return click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT


def spelled(name):
    """How an option of the command that runs is written on its command line, from its parameter's name."""
    (param,) = (param for param in click.get_current_context().command.params if param.name == name)
    return max(param.opts, key=len)


def refuse_ignored(*rules):
    """Refuse what is given and would change nothing.

    rules : (names of parameters, with spaces between; whether they are without effect; why, in words that
    follow the option: `needs --controls`).
    """
    for names, ignored, why in rules:
        for name in names.split():
            if ignored and is_given(name):
                raise click.UsageError(f"{spelled(name)} {why}")


def example(text):
    """An epilog that shows how the command is used, kept line by line."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())
