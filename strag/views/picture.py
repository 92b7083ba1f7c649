"""What `strag plot` shows of a file: a figure, its replacement at a terminal, and notes."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """The picture of a file, drawn on request.

    Attributes
    ----------
    figure : function that returns the matplotlib Figure.
    tables : function that returns the Tables that a terminal shows instead, or None if there is `text`.
    text : function of (columns, lines, coloured) that returns a text for a terminal of this size, or None.
    notes : lines that are reported after the figure is written.
    """

    figure: Callable
    tables: Callable | None = None
    text: Callable | None = None
    notes: tuple = ()
