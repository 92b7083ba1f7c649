"""Axes, marks and headings that several figures share."""

from strag.views.dynamics import AXES, ERROR, log_ticks
from strag.views.style import CHARACTERS, GREY, SMALL

MARK = {"linewidth": 0.9, "linestyle": (0, (2, 2))}  # of the line at an inversion
MOST_TICKS = 9  # on a horizontal axis of half the width
MOST_COLUMNS = 5  # of a legend
HANDLE, LEGEND = 10, CHARACTERS + 23  # widths in characters: of the line of an entry, and of a legend
FEW_RECORDS = 12  # up to this number, every record gets a dot


def label_horizontal(panel, values, x, most=MOST_TICKS):
    """Make the horizontal axis logarithmic, from the smallest to the largest of `values`.

    x : `updates`, or `error`; the error falls to the right. most : the largest number of ticks.
    """
    low, high = values.min(), values.max()
    ticks = log_ticks(low, high, most)
    panel.set_xscale("log")
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.xaxis.set_minor_formatter("")
    panel.set_xlabel(AXES[x])
    if low < high:
        edge = (high / low) ** 0.02
        limits = (low / edge, high * edge)
        panel.set_xlim(limits[::-1] if x == ERROR else limits)
    elif x == ERROR:
        panel.invert_xaxis()


def legend_columns(labels, most=MOST_COLUMNS):
    """Return the largest number of legend columns, at most `most`, that fit across the figure.

    matplotlib fills a legend column by column, the first ones with one entry more than the last ones.
    """
    for columns in range(min(most, len(labels)), 1, -1):
        rows, more = divmod(len(labels), columns)
        ends = [rows * (number + 1) + min(number + 1, more) for number in range(columns)]
        parts = [labels[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        if sum(HANDLE + max(map(len, part)) for part in parts) <= LEGEND:
            return columns
    return 1


def marker(records):
    """Return the marker of a curve with this many records: a dot if there are few, else None."""
    return "." if records <= FEW_RECORDS else None


def entitle(panel, title, lines):
    """Write a headline above the left panel of a figure, and `lines` below the headline, small and grey."""
    pad = 9 + 11 * len(lines)
    room = panel.set_title(" ", loc="left", pad=pad)  # a long title itself would push the panels apart
    for text, height, look in (
        ("\n".join(lines), 7, {"color": GREY, "fontsize": SMALL}),
        (title, pad, {"fontsize": room.get_fontsize()}),
    ):
        shown = panel.annotate(text, (0, 1), (0, height), "axes fraction", "offset points", **look)
        shown.set_in_layout(False)
