"""What strag says to a person: notes, warnings, tables and progress. Data never passes here."""

import contextlib
import sys

from strag.words import as_text


def stdout_is_terminal():
    """Whether a person, rather than a pipe or a file, is reading stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def say(text):
    """Write one line of text, see `as_text`, to stderr; a closed stderr is no reason to fail."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"strag: {as_text(text)}\n")
        sys.stderr.flush()


def warn(text):
    """A warning: shown even with --quiet."""
    say(f"warning: {text}")


class Notes:
    """Notes on stderr, silenced by --quiet."""

    def __init__(self, quiet=False):
        self.quiet = quiet

    def __call__(self, text):
        if not self.quiet:
            say(text)


def print_table(title, columns, rows, caption=None, follows=False):
    """Print a table to the terminal; `columns` are (heading, justification), the caption comes below.

    follows : whether it stands below another one, with a line between.

    Numbers, justified to the right, are never wrapped or cut; texts wrap at words where there is no room.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading, justify in columns:
        table.add_column(heading, justify=justify, no_wrap=justify == "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, emoji=False)  # a "[" in a name is a "["
    if follows:
        console.print()
    console.print(table)
    if caption:
        console.print(caption)


def print_tables(tables):
    """Print Tables, see `strag.views.table`, one below the other."""
    for number, table in enumerate(tables):
        print_table(table.title, table.columns, table.rows, table.caption, follows=number > 0)


BAR = "{percentage:3.0f}%|{bar:10}| {elapsed}<{remaining}{postfix}"  # the figures say how far it is
SCALED_BAR = "{percentage:3.0f}%|{bar:10}| {n_fmt}/{total_fmt}{unit} {elapsed}<{remaining}{postfix}"


class Progress:
    """A progress bar on stderr, only where stderr is a terminal and notes are wanted."""

    def __init__(self, total, unit, quiet=False, scaled=False):
        from tqdm import tqdm

        visible = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            unit=unit,
            unit_scale=scaled,
            file=sys.stderr,
            disable=not visible,
            leave=False,
            dynamic_ncols=True,
            bar_format=SCALED_BAR if scaled else BAR,
        )

    def to(self, done, **figures):
        """Move the bar to `done`, showing `figures` beside it."""
        self._bar.n = done
        self._bar.set_postfix(figures, refresh=False)
        self._bar.update(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()


def watch_downloads(quiet=False):
    """What says that a file is downloaded, and how far it is; see `strag.datasets.download.fetch`."""
    notes = Notes(quiet)

    @contextlib.contextmanager
    def watch(url, size, failure=None):
        notes(f"{failure + '; ' if failure else ''}downloading {url} ({size / 1e6:.1f} MB)")
        with Progress(size, "B", quiet, scaled=True) as progress:
            yield progress.to

    return watch
