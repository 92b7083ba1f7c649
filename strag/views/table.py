"""Tables as data, independent of how they are printed."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of text under headings.

    Attributes
    ----------
    title : line above the table, or None. columns : pairs of heading and justification, `left` or `right`.
    rows : list of tuples with one text per column. caption : lines below the table, or None.

    Columns justified to the right hold numbers, which are never wrapped or cut. Other columns wrap at words.
    """

    title: str | None
    columns: list
    rows: list
    caption: str | None = None


def name_in_lines(name, width):
    """Return a name such as `block.1.act:mean`, broken after dots and before colons if it is wider."""
    lines = [""]
    for part in re.findall(r":?[^.:]+\.?|[.:]", str(name)):
        if lines[-1] and len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def as_cell(value, digits):
    """Return a number as the text of a cell: `-` for None and NaN."""
    return "-" if value is None or value != value else f"{value:.{digits}f}"
