"""An exported table in a sentence."""

from strag.words import number_of


def sentence(table):
    """Return the number of rows of a table of examples, and of the stragglers in it, in one line."""
    rows = number_of(len(table["index"]), "example")
    if "keep" not in table:
        return rows
    kept = int(table["keep"].sum())
    return f"{rows}: {number_of(len(table['keep']) - kept, 'straggler')}, {kept} to keep"
