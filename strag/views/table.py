"""A table for a person, before anybody prints it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of text under headings.

    Attributes
    ----------
    title : line above it, or None. columns : pairs of heading and justification, `left` or `right`.
    rows : list of tuples of text, one per column. caption : lines below it, or None.

    Numbers, justified to the right, are never wrapped or cut; texts wrap at words where there is no room.
    """

    title: str | None
    columns: list
    rows: list
    caption: str | None = None


def as_cell(value, digits):
    """A number as the text of a cell, `-` for None and NaN."""
    return "-" if value is None or value != value else f"{value:.{digits}f}"
