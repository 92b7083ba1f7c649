"""Histories as curves that are drawn with characters, for a terminal."""

import string

import numpy as np

from strag.geometry.measures import MEASURES
from strag.stragglers.intervals import mean_over_runs
from strag.views.captions import caption, heading
from strag.views.dynamics import AXES, ERROR, UPDATES, USUAL, log_ticks

NARROWEST, SIDE_BY_SIDE = 40, 55  # least columns: of the text, and of each panel if they are side by side
LOWEST, HIGHEST = 11, 22  # rows of a panel
COLOURS = (12, 9, 10, 11, 13, 14)  # from the sixteen of every terminal; legible on dark and on light


def history_text(shown, x=UPDATES, width=80, height=24, coloured=True, curves=USUAL):
    """Draw the curves of `history_figure` as text, without bands. Curves of classes show only their mean.

    Parameters
    ----------
    shown : list of Dynamics.
    x : `updates` or `error`.
    width, height : size of the terminal, in characters. The text is at most as wide, but at least NARROWEST
        wide. It may be higher.
    coloured : whether to use colours. Without colours, several histories are drawn with different letters.
    curves : names in `strag.views.dynamics.CURVES`, in the order of their panels.

    Returns
    -------
    str of several lines, without a newline at the end.
    """
    width = max(width, NARROWEST)
    header = [_fitting(line, width) for line in (heading(shown), caption(shown)) if line]
    if len(shown) > 1:
        header += [_entry(dynamics, number, coloured, width) for number, dynamics in enumerate(shown)]
    side_by_side = width >= SIDE_BY_SIDE * len(curves)
    room, stacked = height - len(header) - 2, 1 if side_by_side else len(curves)
    rows = stacked * min(max(room // stacked, LOWEST), HIGHEST)
    panels = _panels(shown, x, (width, rows), side_by_side, coloured, curves)
    return "\n".join([*header, panels.rstrip("\n")])


def _panels(shown, x, size, side_by_side, coloured, curves):
    """Return the panels as text of this size, in columns and rows.

    side_by_side : whether the panels stand next to each other, or one below another.
    """
    import plotext

    plotext.terminal.limit(False, False)
    figure = plotext.figure.clear()
    if len(curves) > 1:
        figure.subplots(*((1, len(curves)) if side_by_side else (len(curves), 1)))
    figure.plot_size(*size)
    figure.theme("colorless")
    ticks = _ticks(shown, x, most=size[0] // (8 * (len(curves) if side_by_side else 1)))
    for number, name in enumerate(curves, 1):
        panel = figure.subplot(*((1, number) if side_by_side else (number, 1))) if len(curves) > 1 else figure
        panel.title(AXES[ERROR] if name == ERROR else MEASURES[name].short_title)
        if side_by_side or number == len(curves):
            panel.label(AXES[x], "x", "lower")
        for at, dynamics in enumerate(shown):
            values, records = dynamics.axis(x)
            means = mean_over_runs(dynamics.curves[name][records], dynamics.recorded[records])
            curve = panel.signal(_place(values, x), means, marker=_marker(at, len(shown), coloured))
            panel.draw(curve.lines())
        panel.ruler("x", "lower").ticks(_place(ticks, x), [f"{tick:g}" for tick in ticks])
    return figure.build().string(colorless=not coloured)


def _ticks(shown, x, most):
    """Return at most `most` ticks of the horizontal axis that all histories share."""
    values = np.concatenate([dynamics.axis(x)[0] for dynamics in shown])
    return log_ticks(values.min(), values.max(), most)


def _place(values, x):
    """Return the places of values on the logarithmic horizontal axis; the error falls to the right."""
    return (np.log10(values) * (-1 if x == ERROR else 1)).tolist()


def _marker(number, histories, coloured):
    """Return the marker of the number-th history: braille dots, or its letter if several lack colours.

    histories : how many there are.
    """
    import plotext

    if not coloured and histories > 1:
        return plotext.marker(_letter(number))
    return plotext.marker("braille", plotext.pixel(foreground=_colour(number)) if coloured else None)


def _entry(dynamics, number, coloured, width):
    """Return the legend entry of a history: its letter or colour, its name and its inversion."""
    import plotext

    text = _fitting(f"{dynamics.label}: {dynamics.sentence}{dynamics.left_out}", width - 3)
    if not coloured:
        return f"{_letter(number)} {text}"
    return f"{plotext.colorize('━━').fill(plotext.pixel(foreground=_colour(number))).string()} {text}"


def _letter(number):
    """Return the letter of the number-th history."""
    return string.ascii_letters[number % len(string.ascii_letters)]


def _colour(number):
    """Return the colour of the number-th history, as a number of the terminal."""
    return COLOURS[number % len(COLOURS)]


def _fitting(line, width):
    """Return a line, cut at its end if it is longer than `width`."""
    return line if len(line) <= width else f"{line[: width - 1]}…"
