"""The end of a command that answers: a table at a terminal, else JSON and one line on stderr."""

from strag.console import Notes, print_tables, stdout_is_terminal, warn

ANOTHER_ANSWER = 3  # exit status


def deliver(view, result, value=None, sink=None, as_json=False, quiet=False, beside=(), notes=(), text=None):
    """Show a result at a terminal, or write its JSON into an open Output and say its sentence.

    view : module with `tables` and `sentence` of the result. value : function that gives its JSON object.
    beside : further open Outputs, already filled, that take their places with it. notes : lines to say after
    the sentence, which a table has in its caption. text : function of the result that gives a text in
    place of JSON and of tables.
    """
    from strag.files.jsonfile import json_text
    from strag.files.output import commit

    if sink.path == "-" and stdout_is_terminal() and not as_json and text is None:
        print_tables(view.tables(result))
        return commit(*beside)
    with sink.writing():
        sink.file.write((text(result) if text else json_text(value())).encode())
    commit(*beside, sink)
    for line in (view.sentence(result), *notes):
        Notes(quiet)(line)
    return None


def warn_doubts(history, found, level=None):
    """Say what to doubt of what was found in a history, once; `level` is the training error of --at."""
    from strag.stragglers.doubts import doubts

    for line in doubts(history, found, level):
        warn(f"{history.source}: {line}")


def verdict_status(verdict, is_chosen, any_verdict):
    """The exit status: of the verdict, unless the sets were taken at a place of the user's choice."""
    return 0 if verdict == "inversion" or is_chosen or any_verdict else ANOTHER_ANSWER
