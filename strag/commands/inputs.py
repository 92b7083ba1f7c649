"""Read the inputs of commands, and check the names of inputs and outputs."""

import os
import shlex

import click

from strag.commands.paths import CATALOGUE
from strag.words import as_text, number_of


def refuse_several_stdin(*paths):
    """Refuse to read stdin twice."""
    if paths.count("-") > 1:
        raise click.UsageError("only one input can be stdin; pass the others as files")


def refuse_data_set(path, remedy):
    """Refuse the name of a data set of the catalogue where a file is expected."""
    from strag.errors import bad_usage

    if path in CATALOGUE and not os.path.exists(path):
        raise bad_usage("is the name of a data set, not a file", remedy, path)


def data_or_pipe(data, others):
    """DATA if it is set, else '-' if something is piped in and no other input reads it, else None.

    others : the other inputs of the command, any of which may be '-' or None.
    """
    from strag.files.streams import is_piped_in

    if data is not None:
        return data
    return "-" if "-" not in others and is_piped_in() else None


def read_data(source):
    """The Dataset of a DATA argument: a name in the catalogue, a dataset file, or '-' for stdin."""
    from strag.api.data import load
    from strag.console import watch_downloads
    from strag.errors import StragError

    if source not in CATALOGUE and os.path.isdir(source):
        import_it = f"strag data {shlex.quote(source)} -o FILE"
        raise StragError("is a directory, not a dataset file", f"import it with '{import_it}'", source)
    context = click.get_current_context(silent=True)
    quiet = context is not None and context.params.get("quiet", False)
    return load(source, watch_downloads(quiet))


def refuse_overwriting(inputs, *outputs):
    """Refuse an output that would overwrite an input or another output.

    inputs : paths that the command reads. outputs : pairs of an option and its path, which is None if the
    option is not set.
    """
    from strag.errors import bad_usage
    from strag.files.streams import name_of, place_of

    sources = {place_of(path) for path in inputs if path not in (None, "-", *CATALOGUE)}
    options = {}
    for option, path in outputs:
        place = None if path in (None, "") else place_of(path)
        if place is None:
            continue
        if place in sources:
            raise bad_usage(
                f"is read, and {option} would overwrite it", "choose another file name", name_of(path)
            )
        if place in options:
            name = "stdout" if place == "-" else path
            raise bad_usage(f"both {options[place]} and {option} would write it", "use two files", name)
        options[place] = option


def labels_of(files, labels):
    """The --label of each FILE as text: list of str, empty if there are no labels."""
    if labels and len(labels) != len(files):
        raise click.UsageError(
            f"{number_of(len(labels), 'label')} for {number_of(len(files), 'FILE')}; pass one --label per "
            "file, in order"
        )
    if "" in labels:
        raise click.UsageError("a --label is empty; pass a name for each file")
    return [as_text(label) for label in labels]


def called(files, labels=()):
    """The names of the FILEs as text: their --label, else their stem. Equal names are numbered."""
    from pathlib import Path

    from strag.files.streams import name_of

    names = labels_of(files, labels) or [as_text(Path(name_of(path)).stem) for path in files]
    return [
        f"{name} ({names[: at + 1].count(name)})" if names.count(name) > 1 else name
        for at, name in enumerate(names)
    ]
