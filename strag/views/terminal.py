"""Histories as curves of characters, for a terminal."""

import string

import numpy as np

from strag.geometry.measures import MEASURES
from strag.stragglers.intervals import mean_over_runs
from strag.views.captions import caption, heading
from strag.views.dynamics import AXES, ERROR, UPDATES, USUAL, log_ticks

NARROWEST, SIDE_BY_SIDE = 40, 55  # columns: of the terminal, and of one of several panels beside each other
LOWEST, HIGHEST = 11, 22  # rows of a panel
COLOURS = (12, 9, 10, 11, 13, 14)  # of the sixteen that every terminal has, legible on dark and light


def history_text(shown, x=UPDATES, width=80, height=24, coloured=True, curves=USUAL):
    """The curves that `history_figure` draws, without classes and bands; of classes the mean.

    Parameters
    ----------
    shown : list of Dynamics.
    x : `updates` or `error`.
    width, height : of the terminal, in characters; the text is no wider, but may be higher.
    coloured : whether to use colours; without them, letters tell several curves apart.
    curves : names in `strag.views.dynamics.CURVES`, in the order of their panels.

    Returns
    -------
    str, lines without an end of line after the last.
    """
    width = max(width, NARROWEST)
    above = [_fitting(line, width) for line in (heading(shown), caption(shown)) if line]
    if len(shown) > 1:
        above += [_entry(dynamics, number, coloured, width) for number, dynamics in enumerate(shown)]
    beside = width >= SIDE_BY_SIDE * len(curves)
    room, below = height - len(above) - 2, 1 if beside else len(curves)
    rows = below * min(max(room // below, LOWEST), HIGHEST)
    panels = _panels(shown, x, (width, rows), beside, coloured, curves)
    return "\n".join([*above, panels.rstrip("\n")])


def _panels(shown, x, size, beside, coloured, curves):
    import plotext

    plotext.terminal.limit(False, False)
    figure = plotext.figure.clear()
    if len(curves) > 1:
        figure.subplots(*((1, len(curves)) if beside else (len(curves), 1)))
    figure.plot_size(*size)
    figure.theme("colorless")
    ticks = _ticks(shown, x, most=size[0] // (8 * (len(curves) if beside else 1)))
    for number, name in enumerate(curves, 1):
        panel = figure.subplot(*((1, number) if beside else (number, 1))) if len(curves) > 1 else figure
        panel.title(AXES[ERROR] if name == ERROR else MEASURES[name].short_title)
        if beside or number == len(curves):
            panel.label(AXES[x], "x", "lower")
        for at, dynamics in enumerate(shown):
            values, records = dynamics.axis(x)
            means = mean_over_runs(dynamics.curves[name][records], dynamics.recorded[records])
            curve = panel.signal(_place(values, x), means, marker=_marker(at, len(shown), coloured))
            panel.draw(curve.lines())
        panel.ruler("x", "lower").ticks(_place(ticks, x), [f"{tick:g}" for tick in ticks])
    return figure.build().string(colorless=not coloured)


def _ticks(shown, x, most):
    values = np.concatenate([dynamics.axis(x)[0] for dynamics in shown])
    return log_ticks(values.min(), values.max(), most)


def _place(values, x):
    """Where values of a logarithmic axis lie; the error falls to the right."""
    return (np.log10(values) * (-1 if x == ERROR else 1)).tolist()


def _marker(number, curves, coloured):
    import plotext

    if not coloured and curves > 1:
        return plotext.marker(_letter(number))
    return plotext.marker("braille", plotext.pixel(foreground=_colour(number)) if coloured else None)


def _entry(dynamics, number, coloured, width):
    """A line that says which curve is this history's, and its inversion."""
    import plotext

    text = _fitting(f"{dynamics.label}: {dynamics.sentence}{dynamics.left_out}", width - 3)
    if not coloured:
        return f"{_letter(number)} {text}"
    return f"{plotext.colorize('━━').fill(plotext.pixel(foreground=_colour(number))).string()} {text}"


def _letter(number):
    return string.ascii_letters[number % len(string.ascii_letters)]


def _colour(number):
    return COLOURS[number % len(COLOURS)]


def _fitting(line, width):
    return line if len(line) <= width else f"{line[: width - 1]}…"
