"""Output for the person at the terminal: notes, warnings, tables and progress bars.

The data that a command writes to stdout does not pass through this module.
"""

import contextlib
import sys

from strag.words import as_text


def stdout_is_terminal():
    """Whether stdout is a terminal, rather than a pipe or a file."""
    return sys.stdout is not None and sys.stdout.isatty()


def say(text):
    """Write one line of text, made safe by `as_text`, to stderr. A closed stderr is not an error."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"strag: {as_text(text)}\n")
        sys.stderr.flush()


def warn(text):
    """Write a warning to stderr. Warnings are shown even with --quiet."""
    say(f"warning: {text}")


class Notes:
    """A function that writes notes to stderr, or nothing if `quiet`."""

    def __init__(self, quiet=False):
        self.quiet = quiet

    def __call__(self, text):
        if not self.quiet:
            say(text)


def print_table(title, columns, rows, caption=None, follows=False):
    """Print a table to stdout, with its caption below it.

    columns : pairs of heading and justification, `left` or `right`. follows : whether to print a blank line
    first, because the table follows another one.

    Columns justified to the right hold numbers, which are never wrapped or cut. Other columns wrap at words.
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
    console = Console(highlight=False, markup=False, emoji=False)  # a "[" in a name is shown as it is
    if follows:
        console.print()
    console.print(table)
    if caption:
        console.print(caption)


def print_tables(tables):
    """Print Tables, see `strag.views.table`, one below another."""
    for number, table in enumerate(tables):
        print_table(table.title, table.columns, table.rows, table.caption, follows=number > 0)


BAR = "{percentage:3.0f}%|{bar:10}| {elapsed}<{remaining}{postfix}"  # the postfix says how far the work is
SCALED_BAR = "{percentage:3.0f}%|{bar:10}| {n_fmt}/{total_fmt}{unit} {elapsed}<{remaining}{postfix}"


class Progress:
    """A progress bar on stderr, which is shown only if stderr is a terminal and not `quiet`.

    total : amount of work. unit : its unit. scaled : whether to show the amount, with a prefix such as M.
    """

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
        """Move the bar to `done` of `total`, and show `figures` next to it."""
        self._bar.n = done
        self._bar.set_postfix(figures, refresh=False)
        self._bar.update(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()


def watch_downloads(quiet=False):
    """Return a `watch` for `strag.datasets.download.fetch`: it shows a note and a progress bar."""
    notes = Notes(quiet)

    @contextlib.contextmanager
    def watch(url, size, failure=None):
        notes(f"{failure + '; ' if failure else ''}downloading {url} ({size / 1e6:.1f} MB)")
        with Progress(size, "B", quiet, scaled=True) as progress:
            yield progress.to

    return watch
