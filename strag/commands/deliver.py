"""The end of a command that answers: a table at a terminal, else JSON and one line on stderr."""

import contextlib

from strag.console import Notes, print_tables, say, stdout_is_terminal, warn

ANOTHER_ANSWER = 3  # exit status


def deliver(view, answer, sink, as_json=False, quiet=False):
    """Show a result at a terminal, or let it be written into an open Output and say its sentence.

    view : module with `tables` and `sentence` of the result, and perhaps `notes`, further lines to say.
    answer : function of an Output, or of None where a table is shown, that gives the result and writes it.

    Returns the result.
    """
    if sink.path == "-" and stdout_is_terminal() and not as_json:
        result = answer(None)
        print_tables(view.tables(result))
        return result
    result = answer(sink)
    for line in (view.sentence(result), *getattr(view, "notes", lambda _: ())(result)):
        Notes(quiet)(line)
    return result


def warn_doubts(history, found, level=None):
    """Say what to doubt of what was found in a history, once; `level` is the training error of --at."""
    from strag.stragglers.doubts import doubts

    for line in doubts(history, found, level):
        warn(f"{history.source}: {line}")


def verdict_status(verdict, is_chosen, any_verdict):
    """The exit status: of the verdict, unless the sets were taken at a place of the user's choice."""
    return 0 if verdict == "inversion" or is_chosen or any_verdict else ANOTHER_ANSWER


@contextlib.contextmanager
def kept_in_part(history):
    """Leave the finished part of a history where a signal interrupts its writer."""
    from strag.errors import StragError
    from strag.signals import raised
    from strag.words import number_of

    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, Exception) and not raised():
            raise
        try:
            left = history.commit_partial()
        except StragError as error:
            warn(f"{error.source}: {error.problem}; the finished part is lost")
            left = None
        if left:
            path, runs, update = left
            say(f"{path}: holds the finished part, {number_of(runs, 'run')} up to update {update}")
        raise
