"""The picture of a file: a figure, the text that a terminal shows instead, and notes."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """The picture of a file, drawn on request.

    Attributes
    ----------
    figure : function that returns the matplotlib Figure.
    tables : function that returns the Tables that a terminal shows instead of the figure, or None.
    text : function of (columns, lines, coloured) that returns a text for a terminal of this size, which is
        shown instead of the figure, or None.
    notes : lines that are reported after the figure is written.
    """

    figure: Callable
    tables: Callable | None = None
    text: Callable | None = None
    notes: tuple = ()
