"""Options and arguments that commands share: one spelling, one meaning each."""

import math
import os
import shlex

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from strag.words import as_text

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


fewest_option = click.option(
    "--min-misclassified",
    "fewest",
    type=click.IntRange(1, 2**53),
    default=10,
    show_default=True,
    metavar="N",
    help="Examples that must be misclassified at an inversion.",
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


def refuse_ignored(*rules):
    """Refuse what is given and would change nothing.

    rules : (names of parameters, with spaces between; whether they are without effect; why, in words that
    follow the option: `needs --controls`).
    """
    spelled = {param.name: max(param.opts, key=len) for param in click.get_current_context().command.params}
    for names, ignored, why in rules:
        for name in names.split():
            if ignored and is_given(name):
                raise click.UsageError(f"{spelled[name]} {why}")


def refuse_several_stdin(*paths):
    """Refuse to read stdin twice."""
    if paths.count("-") > 1:
        raise click.UsageError("only one input can be stdin")


def refuse_data_set(path, remedy):
    """Refuse the name of a data set of the catalogue, which is no file, in the place of one."""
    from strag.errors import bad_usage

    if path in CATALOGUE and not os.path.exists(path):
        raise bad_usage("is the name of a data set, not a file", remedy, path)


def example(text):
    """An epilog that shows how the command is used, kept line by line."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())


def data_or_pipe(data, others):
    """The DATA that is meant: what was given, else what is piped in, else None.

    others : what else of the command may be stdin, '-', or None.
    """
    from strag.files.streams import is_piped_in

    if data is not None:
        return data
    return "-" if "-" not in others and is_piped_in() else None


def read_data(source):
    """The Dataset that a DATA argument names: a catalogue name, a dataset file, or '-' for stdin."""
    from pathlib import Path

    from strag.console import warn, watch_downloads
    from strag.datasets import catalogue
    from strag.errors import StragError
    from strag.files.streams import name_of
    from strag.kinds import read

    if source in catalogue.CATALOGUE:
        if Path(source).exists():
            taken = f"{source}: the data set of the catalogue is taken, not what lies here by that name"
            warn(f"{taken}; './{source}' is that")
        context = click.get_current_context(silent=True)
        quiet = context is not None and context.params.get("quiet", False)
        return catalogue.load(source, watch_downloads(quiet))
    if source != "-" and not (source and Path(source).exists()):
        known = ", ".join(catalogue.CATALOGUE)
        raise StragError("no such file or catalogue name", f"the catalogue has {known}", name_of(source))
    if Path(source).is_dir():
        import_it = f"strag data {shlex.quote(source)} -o FILE"
        raise StragError("is a directory, not a dataset file", f"import it with '{import_it}'", source)
    return read(source, "dataset")


def refuse_overwriting(inputs, *outputs):
    """Refuse an output in the place of an input, which it would destroy, or of another output.

    inputs : what the command reads, None where an option is not given. outputs : pairs of the option and
    its value, likewise.
    """
    from strag.errors import bad_usage
    from strag.files.streams import name_of, place_of

    read = {place_of(path) for path in inputs if path not in (None, "-", *CATALOGUE)}
    taken = {}
    for option, path in outputs:
        place = None if path in (None, "") else place_of(path)
        if place is None:
            continue
        if place in read:
            raise bad_usage(f"is read, and {option} would overwrite it", "choose another name", name_of(path))
        if place in taken:
            what = "stdout" if place == "-" else path
            raise bad_usage(f"both {taken[place]} and {option} would write it", "name two files", what)
        taken[place] = option


def require_origin(data, name, stragglers):
    """Refuse stragglers whose indices count in another data set than DATA's origin."""
    from strag.errors import StragError

    if stragglers.origin != data.origin:
        made = stragglers.meta.get("command")
        raise StragError(
            f"its indices count in another data set than '{name}'",
            f"use the one from '{made}'" if made else "use the data set it was found in",
            stragglers.source,
        )


def labels_of(files, labels):
    """The --label of every one of FILE as text: list of str, empty where none is given."""
    if labels and len(labels) != len(files):
        raise click.UsageError(f"{len(labels)} --label for {len(files)} FILE; give one for each, in order")
    return [as_text(label) for label in labels]


def called(files, labels=()):
    """What to call every one of FILE: its --label, else its stem, as text; numbered where these are alike."""
    from pathlib import Path

    from strag.files.streams import name_of

    names = labels_of(files, labels) or [as_text(Path(name_of(path)).stem) for path in files]
    return [
        f"{name} ({names[: at + 1].count(name)})" if names.count(name) > 1 else name
        for at, name in enumerate(names)
    ]
