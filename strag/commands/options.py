"""Options and arguments that commands share: one spelling, one meaning each."""

import math
import shlex

import click

data_argument = click.argument("data", metavar="DATA")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No notes on stderr; warnings stay.")
json_option = click.option("--json", "as_json", is_flag=True, help="JSON even at a terminal.")


class FiniteRange(click.FloatRange):
    """Numbers in a range, of which NaN and infinity are none: they pass every comparison or mean no work."""

    def convert(self, value, param, ctx):
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number", param, ctx)
        return number


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

    from strag.console import watch_downloads
    from strag.datasets import catalogue
    from strag.errors import StragError
    from strag.files.dataset import read_dataset
    from strag.files.streams import name_of

    if source in catalogue.CATALOGUE:
        context = click.get_current_context(silent=True)
        quiet = context is not None and context.params.get("quiet", False)
        return catalogue.load(source, watch_downloads(quiet))
    if source != "-" and not (source and Path(source).exists()):
        known = ", ".join(catalogue.CATALOGUE)
        raise StragError("no such file or catalogue name", f"the catalogue has {known}", name_of(source))
    if Path(source).is_dir():
        import_it = f"strag data {shlex.quote(source)} -o FILE"
        raise StragError("is a directory, not a dataset file", f"import it with '{import_it}'", source)
    return read_dataset(source)


def refuse_overwriting(inputs, *outputs):
    """Refuse an output in the place of an input, which it would destroy, or of another output.

    inputs : what the command reads, None where an option is not given. outputs : pairs of the option and
    its value, likewise.
    """
    from strag.datasets.catalogue import CATALOGUE
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


def called(files, labels=()):
    """What to call every one of FILE: its --label, else its stem; numbered where these are alike."""
    from pathlib import Path

    from strag.files.streams import name_of

    if labels and len(labels) != len(files):
        raise click.UsageError(f"{len(labels)} --label for {len(files)} FILE; give one for each, in order")
    names = list(labels) or [Path(name_of(path)).stem for path in files]
    return [
        f"{name} ({names[: at + 1].count(name)})" if names.count(name) > 1 else name
        for at, name in enumerate(names)
    ]
