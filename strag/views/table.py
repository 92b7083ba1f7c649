"""Tables as data, independent of how they are printed."""

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


def as_cell(value, digits):
    """Return a number as the text of a cell: `-` for None and NaN."""
    return "-" if value is None or value != value else f"{value:.{digits}f}"
