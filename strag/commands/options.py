"""Options and arguments that commands share: one spelling, one meaning each."""

import click

data_argument = click.argument("data", metavar="DATA")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No notes on stderr; warnings stay.")
json_option = click.option("--json", "as_json", is_flag=True, help="JSON even at a terminal.")


def output_option(what):
    """-o FILE, by default stdout."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        default="-",
        help=f"Where to write {what}; '-', the default, is stdout.",
    )


def example(text):
    """An epilog that shows how the command is used, kept line by line."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())


def read_data(source):
    """The Dataset that a DATA argument names: a catalogue name, a dataset file, or '-' for stdin."""
    from pathlib import Path

    from strag.console import watch_downloads
    from strag.datasets import catalogue
    from strag.errors import StragError
    from strag.files.dataset import read_dataset

    if source in catalogue.CATALOGUE:
        context = click.get_current_context(silent=True)
        quiet = context is not None and context.params.get("quiet", False)
        return catalogue.load(source, watch_downloads(quiet))
    if source != "-" and not Path(source).exists():
        known = ", ".join(catalogue.CATALOGUE)
        raise StragError("no such file or catalogue name", f"the catalogue has {known}", source)
    return read_dataset(source)


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
