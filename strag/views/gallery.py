"""The figure of stragglers: a gallery of the examples that straggle most often."""

import warnings
from bisect import bisect_right
from dataclasses import dataclass
from math import isqrt

import numpy as np

from strag.errors import StragError
from strag.stragglers.unknown import in_brief
from strag.views.captions import one_line, title_of
from strag.views.picture import Picture
from strag.views.style import GREY, NORMAL, SMALL, WIDTH, house_style, new_figure
from strag.words import number_of

NUMBER = 40  # examples shown by default
CELL = 0.875  # inches, width of an image and the gap next to it
GAP = 0.08  # inches
ROOM = CELL - GAP  # inches, width of an image or its text
LEAST = 0.2  # inches, least length of the shorter side of an image
LINE = 0.14  # inches, height of a line of text below an image
TINY = 7  # points, of that text
LINE_ABOVE = 0.17  # inches, height of a line of the title
WIDENED = 1.03  # factor by which text becomes wider when it is drawn in whole pixels
COARSE = 0.9  # share of the width for the title, whose letters are wider if pixels are large
LETTERS = 120  # more than fit into a line at any size
SQUARE = 36  # fewest numbers that are drawn as the pixels of a square


@dataclass(frozen=True)
class Shown:
    """The examples of a Finding that a gallery shows, the most frequent stragglers first.

    index : int64 [n], rows of the origin. words : n texts that say how often each example straggles.
    explained : the meaning of these texts. total : number of all examples of the Finding.
    """

    index: np.ndarray
    words: list
    explained: str
    total: int


def gallery(data, stragglers, number=NUMBER):
    """Draw the `number` examples of a Finding that straggle most often.

    The text below each image has its index, its original class and its group. If the label was flipped, it
    also has the class and group before that. The name follows if the example has one, then the probability of
    straggling or, if probabilities are unknown, the number of runs in which the example straggles.

    Parameters
    ----------
    data : Dataset whose examples are images, [h, w] or, in colour, [h, w, 3] or [3, h, w], or rows of
        numbers, which are drawn with the layout of `layout_of`.
    stragglers : Finding with the same origin.
    number : the most examples that are shown.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError as `most_frequent`, `as_images` and `Dataset.positions` do.
    """
    shown = most_frequent(stragglers, number)
    rows = data.positions(shown.index)
    images = as_images(data.x[rows], data.x)
    grouped = _groups_say_more(data, stragglers)
    columns, lines = _grid(len(rows))
    width = max(columns * CELL + GAP, WIDTH / 2)
    sides = _sides(*images.shape[1:3])
    with house_style():
        texts, explained = _captions(data, shown, rows, grouped)
        explained = "; ".join(filter(None, (explained, in_brief(stragglers.recording))))
        title, subtitle = _titles(data, shown, explained, COARSE * (width - 2 * GAP))
        cell = sides[0] + GAP / 2 + LINE * max(1 + text.count("\n") for text in texts)
        top = 0.2 + LINE_ABOVE * (len(title) + len(subtitle))
        height = top + lines * cell + GAP
        figure = new_figure(width, height, layout=None)
        panel = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))  # inches
        panel.set_axis_off()
        y = height - 0.1
        panel.text(GAP, y, "\n".join(title), va="top")
        panel.text(
            GAP, y - LINE_ABOVE * len(title), "\n".join(subtitle), va="top", color=GREY, fontsize=SMALL
        )
        for place, (image, text) in enumerate(zip(images, texts, strict=True)):
            corner = GAP + place % columns * CELL, height - top - place // columns * cell
            _show(panel, image, text, corner, sides)
    return figure


def flipped_among(data, stragglers, number=NUMBER):
    """Return the number of examples with flipped labels that `gallery` shows, and of all that it shows."""
    shown = most_frequent(stragglers, number)
    return int(_flipped(data, data.positions(shown.index)).sum()), len(shown.index)


def most_frequent(stragglers, number):
    """Return the `number` most frequent stragglers of a Finding as Shown.

    Raises StragError if the Finding has no stragglers, or if the columns of its examples do not fit together.
    """
    table = {"index": stragglers.indices.tolist(), **stragglers.examples}
    index, count, runs, probability = (
        _column(table, name) for name in ("index", "count", "runs", "probability")
    )
    sizes = {len(column) for column in (index, count, runs, probability) if column is not None}
    if index is None or None in index or len(sizes) > 1:
        remedy = "create it again with 'strag find-stragglers'"
        raise StragError("'examples' has columns that do not fit each other", remedy, stragglers.source)
    if not index:
        problem = f"holds no stragglers to show (its verdict is '{stragglers.verdict}')"
        remedy = "find the stragglers at another moment with `at`"
        raise StragError(problem, remedy, stragglers.source)
    words, explained = [""] * len(index), ""
    if probability and None not in probability:
        words, explained = [_rounded(p) for p in probability], "probability of straggling in another run"
    elif count and runs:
        words = [f"{k} of {n}" for k, n in zip(count, runs, strict=True)]
        explained = "runs in which it straggles"
    return Shown(np.array(index[:number], dtype=np.int64), words[:number], explained, len(index))


def _column(table, name):
    """Return a column of the table of examples, or None if it is missing or of the wrong type.

    Values are natural numbers or, in the column `probability`, non-negative numbers. Each may be None.
    """
    column, kinds = table.get(name), (int, float) if name == "probability" else (int,)
    fits = isinstance(column, list) and all(
        value is None or (type(value) in kinds and 0 <= value < 2**63) for value in column
    )
    return column if fits else None


def layout_of(shape):
    """Return the height and width in pixels at which rows of numbers are drawn; None for images.

    shape : shape of an example. A row of n^2 numbers, if there are at least 36, is drawn as a square, and any
    other row as a strip.
    """
    if len(shape) != 1:
        return None
    side = isqrt(shape[0])
    return (side, side) if side * side == shape[0] >= SQUARE else (1, shape[0])


def as_images(x, whole=None):
    """Return examples [n, ...] as grey images [n, h, w] or colour images [n, h, w, 3].

    The values are uint8, or floats from 0 to 1. Rows of numbers get the shape of `layout_of`. Floats are
    scaled by the smallest and largest value of these examples. In strips, each column is scaled by its own
    smallest and largest value in `whole`, the inputs of the data set (by default `x`). A constant column is
    0. Raises StragError for shapes that are not images.
    """
    layout = layout_of(x.shape[1:])
    if layout and layout[0] == 1:
        whole = x if whole is None else whole
        return _between(x, whole.min(axis=0), whole.max(axis=0))[:, None]
    x = x.reshape(len(x), *(layout or x.shape[1:]))
    shape = x.shape[1:]
    if len(shape) == 3 and shape[0] in (1, 3) and shape[2] not in (1, 3):
        x = np.moveaxis(x, 1, -1)  # (n, 3, h, w) -> (n, h, w, 3)
    if x.ndim == 4 and x.shape[-1] == 1:
        x = x[..., 0]
    if not (x.ndim == 3 or (x.ndim == 4 and x.shape[-1] == 3)):
        form = " x ".join(str(n) for n in shape)
        remedy = "use images of h x w, h x w x 3 or 3 x h x w"
        raise StragError(f"has examples of shape {form}, which is not an image", remedy)
    return x if x.dtype == np.uint8 else _between(x, x.min(), x.max())


def _between(x, low, high):
    """Return (x - low) / (high - low), or 0 if `low` and `high` are equal."""
    low, high = np.float64(low), np.float64(high)
    return (x - low) / np.where(high > low, high - low, 1)


def _sides(h, w):
    """Return the height and width, in inches, of an image of h x w pixels that fills its cell."""
    return tuple(max(LEAST, side * ROOM / max(h, w)) for side in (h, w))


def _captions(data, shown, rows, grouped):
    """Return the texts below the images of these rows, and one line with their meaning.

    The lines of a text fit below its image. grouped : whether the texts contain the groups.
    """
    flipped = _flipped(data, rows)
    names = [_names(data, data.y[row], grouped, None) for row in rows]
    index = [f"{i}: " for i in shown.index]
    on_one_line = all(_inches(i + name, TINY) <= ROOM for i, name in zip(index, names, strict=True))
    texts = []
    for at, row in enumerate(rows):
        lines = (
            [index[at] + names[at]]
            if on_one_line
            else [index[at][:-2], _names(data, data.y[row], grouped, ROOM)]
        )
        if flipped[at]:
            lines.append("was " + _names(data, data.y_true[row], grouped, ROOM - _inches("was ", TINY)))
        if data.names is not None:
            lines.append(fitted(data.names[row], ROOM, TINY))
        texts.append("\n".join([*lines, shown.words[at]]))
    what = "class and group" if grouped else "class"
    explained = [f"index: {what}" if on_one_line else f"index; {what}"]
    explained += [f"was: {what} before the label was flipped"] if flipped.any() else []
    explained += ["name"] if data.names is not None else []
    return texts, "; ".join([*explained, *([shown.explained] if shown.explained else [])])


def _flipped(data, rows):
    """Return whether each of these rows has a flipped label: bool [n]."""
    return np.zeros(len(rows), bool) if data.y_true is None else data.y_true[rows] != data.y[rows]


def _titles(data, shown, explained, width):
    """Return the lines of the title, and of the meaning of the texts below the images."""
    count, total = len(shown.index), number_of(shown.total, "example")
    subject = total if count == shown.total else f"{count} of the {total}"
    verb = "straggles" if shown.total == 1 else "straggle"
    order = "" if shown.total == 1 else ", most frequent first"
    title = f"{title_of(data.title, data.grouping.names)}: {subject} that {verb} in at least one run{order}"
    return wrapped(title, width, NORMAL), wrapped(explained, width, SMALL)


def _show(panel, image, text, corner, sides):
    """Draw an image with these sides, in inches, and its text into a cell.

    corner : the upper left corner of the cell, (x, y) in inches.
    """
    (x, y), (h, w) = corner, sides
    left, bottom = x + (ROOM - w) / 2, y - h
    extent = (left, left + w, bottom, y)
    top = 255 if image.dtype == np.uint8 else 1
    panel.imshow(image, "gray", vmin=0, vmax=top, extent=extent, aspect="auto", interpolation="nearest")
    panel.text(x + ROOM / 2, bottom - 0.03, text, ha="center", va="top", fontsize=TINY)


def fitted(text, width, size):
    """Return `text` on one line, with its middle cut out if it is wider than `width`.

    width : in inches. size : of the letters, in points.
    """
    text = one_line(text, LETTERS)
    letters = bisect_right(range(1, len(text) + 1), width, key=lambda n: _inches(one_line(text, n), size))
    return one_line(text, max(1, letters))


def wrapped(text, width, size):
    """Return `text` as lines of at most `width` inches. Words that are longer have their middle cut out."""
    lines = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _inches(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(fitted(word, width, size))
    return lines


def _inches(text, size):
    """Return the width of a line of text of this size (in points), in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # about characters that the font lacks, because drawing warns about them once
        points = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)[0]
    return WIDENED * points / 72


def _groups_say_more(data, stragglers):
    """Whether the data set has the groups of the training, and these are not just the original classes."""
    names, members = data.grouping.names, data.grouping.members
    are_classes = len([group for group in members if group >= 0]) == len(names)
    return list(names) == stragglers.meta.get("classes") and not are_classes


def _names(data, number, grouped, width):
    """Return the name of an original class, and of its group if `grouped`, as one line.

    number : of the class. width : the most inches of the line, or None for any width.
    """
    name, members = data.class_name(int(number)), data.grouping.members
    group = members[number] if grouped and number < len(members) else -1
    if group < 0:
        return one_line(name, LETTERS) if width is None else fitted(name, width, TINY)
    group_name = data.grouping.names[group]
    if width is None:
        return f"{one_line(name, LETTERS)} {one_line(group_name, LETTERS)}"
    group_name = fitted(group_name, max(width / 2, width - _inches(f"{name[:LETTERS]} ", TINY)), TINY)
    return f"{fitted(name, width - _inches(f' {group_name}', TINY), TINY)} {group_name}"


def _rounded(probability):
    """Return a probability as text with two digits, but never as 0 or 1."""
    text = f"{probability:.2f}"
    return {"1.00": "> 0.99", "0.00": "< 0.01"}.get(text, text)


def _grid(count):
    """Return the numbers of columns and rows: eight columns, or more if there would be too many rows."""
    columns = min(count, max(8, round((1.6 * count) ** 0.5)))
    return columns, -(-count // columns)


def picture(data, stragglers, number=None):
    """Return the Picture of a gallery, see `gallery`.

    Its notes say how rows of numbers are drawn, and how many labels are flipped.
    """
    number, notes = number or NUMBER, []
    layout = layout_of(data.x.shape[1:])
    if layout:
        drawn = f"rows of {data.features} numbers are drawn as {layout[0]} x {layout[1]}"
        notes.append(
            drawn + (", each column scaled by its smallest and largest value" if layout[0] == 1 else "")
        )
    figure = gallery(data, stragglers, number)
    if data.y_true is not None:
        flipped, shown = flipped_among(data, stragglers, number)
        have = "has a flipped label" if flipped == 1 else "have flipped labels"
        notes.append(f"{flipped} of the {number_of(shown, 'example')} shown {have}")
    return Picture(lambda: figure, notes=tuple(notes))
