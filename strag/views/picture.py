"""What `strag plot` shows of a file: a figure, what a terminal has in its place, and lines to say."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """The picture that belongs to a file, drawn when it is asked for.

    Attributes
    ----------
    figure : function that gives the matplotlib Figure.
    tables : function that gives the Tables that a terminal shows in its place; None where `text` does.
    text : function of (columns, lines, coloured) that gives a text for a terminal of this size.
    notes : lines to say once the figure is written.
    """

    figure: Callable
    tables: Callable | None = None
    text: Callable | None = None
    notes: tuple = ()
