"""How commands report a result: as tables at a terminal, else as JSON and one line on stderr."""

import contextlib
import json
from dataclasses import replace

from strag.console import Notes, print_tables, say, stdout_is_terminal, warn
from strag.errors import with_options

ANOTHER_ANSWER = 3  # exit status


def deliver(view, answer, sink, as_json=False, quiet=False):
    """Print a result as tables at a terminal; else write it to an Output and print one sentence on stderr.

    view : module with the functions `tables` and `sentence`, and optionally `notes` for further lines.
    answer : function that returns the result; it writes it to the Output that it receives, unless that is
        None.

    Returns the result.
    """
    if sink.path == "-" and stdout_is_terminal() and not as_json:
        result = answer(None)
        print_tables([_with_options(table) for table in view.tables(result)])
        return result
    result = answer(sink)
    for line in (view.sentence(result), *getattr(view, "notes", lambda _: ())(result)):
        Notes(quiet)(with_options(line))
    return result


def deliver_layers(layers, sink, as_json=False):
    """Print the layers of a network, a list of dict: a table at a terminal, else a line of JSON for each.

    as_json : whether --json asks for JSON at a terminal.
    """
    from strag.views.layers import tables

    if sink.path == "-" and stdout_is_terminal() and not as_json:
        print_tables(tables(layers))
        return
    with sink.writing():
        sink.file.write("".join(f"{json.dumps(layer)}\n" for layer in layers).encode())
    sink.commit()


def _with_options(table):
    """A Table whose caption names parameters as options."""
    return replace(table, caption=table.caption and with_options(table.caption))


def warn_doubts(history, stragglers, level=None):
    """Warn of every doubt about the Stragglers of a history. level : the training error of --at, or None."""
    from strag.stragglers.doubts import doubts

    for line in doubts(history, stragglers, level):
        warn(f"{history.source}: {line}")


def verdict_status(verdict, is_chosen, any_verdict):
    """The exit status of a verdict. It is 0 with --any-verdict, or if the user chose the time of the sets."""
    return 0 if verdict == "inversion" or is_chosen or any_verdict else ANOTHER_ANSWER


@contextlib.contextmanager
def kept_in_part(history):
    """Keep the finished part of a history if a signal interrupts the work in this context.

    A training that resumes has kept its state already, and a line says where.
    """
    from strag.errors import StragError
    from strag.signals import raised
    from strag.words import number_of

    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, Exception) and not raised():
            raise
        if history.output.resumes:
            if history.output.can_continue:
                work = history.output.work_file
                say(f"{work}: holds the training so far; run the same command again to go on")
            raise
        try:
            kept = history.commit_partial()
        except StragError as error:
            warn(f"{error.source}: {error.problem}; the finished part is lost")
            kept = None
        if kept:
            path, runs, update = kept
            say(f"{path}: holds the finished part, {number_of(runs, 'run')} up to update {update}")
        raise
