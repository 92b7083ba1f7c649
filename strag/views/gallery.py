"""The figure of stragglers: the examples that were called stragglers most often."""

import warnings
from bisect import bisect_right
from dataclasses import dataclass
from math import isqrt

import numpy as np

from strag.errors import StragError
from strag.views.captions import one_line
from strag.views.picture import Picture
from strag.views.style import GREY, NORMAL, SMALL, WIDTH, house_style, new_figure
from strag.words import number_of

NUMBER = 40  # examples shown by default
CELL = 0.875  # inches, an image and the gap beside it
GAP = 0.08
ROOM = CELL - GAP  # inches, of an image or its text
LEAST = 0.2  # inches, of the shorter side of an image
LINE = 0.14  # inches, of text under an image
TINY = 7  # points, of that text
LINE_ABOVE = 0.17  # inches, of the title
WIDENED = 1.03  # what text gains where it is drawn in whole pixels
COARSE = 0.9  # of the width is for the title, whose letters grow where pixels are large
LETTERS = 120  # of which more than fit into a line at any size
SQUARE = 36  # the fewest numbers that are taken for the pixels of a square


@dataclass(frozen=True)
class Shown:
    """The rows of a Finding's examples that a gallery shows, most frequent first.

    index : int64 [n], rows of the origin. words : n texts, how often each was called a straggler.
    explained : what those texts say. total : number of them in all.
    """

    index: np.ndarray
    words: list
    explained: str
    total: int


def gallery(data, stragglers, number=NUMBER):
    """The `number` examples of a Finding that were called stragglers most often.

    Under each image stand its index, its original class and group, what these were where its label was
    flipped, its name where it has one, and the probability in the list, or how many runs called it a
    straggler where one run allows no probability.

    Parameters
    ----------
    data : Dataset whose examples are images: [h, w], or with colours [h, w, 3] or [3, h, w]; or rows of
    numbers, which `layout_of` says how to draw.
    stragglers : Finding with the same origin.
    number : how many to show, if there are as many.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = most_frequent(stragglers, number)
    rows = data.positions(shown.index)
    images = as_images(data.x[rows], data.x)
    grouped = _groups_say_more(data, stragglers)
    columns, lines = _grid(len(rows))
    width = max(columns * CELL + GAP, WIDTH / 2)
    sides = _sides(*images.shape[1:3])
    with house_style():
        said, explained = _captions(data, shown, rows, grouped)
        title, subtitle = _titles(data, shown, explained, COARSE * (width - 2 * GAP))
        cell = sides[0] + GAP / 2 + LINE * max(1 + text.count("\n") for text in said)
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
        for place, (image, text) in enumerate(zip(images, said, strict=True)):
            corner = GAP + place % columns * CELL, height - top - place // columns * cell
            _show(panel, image, text, corner, sides)
    return figure


def flipped_among(data, stragglers, number=NUMBER):
    """How many of the examples that `gallery` shows have flipped labels, and how many it shows."""
    shown = most_frequent(stragglers, number)
    return int(_flipped(data, data.positions(shown.index)).sum()), len(shown.index)


def most_frequent(stragglers, number):
    """The first `number` rows of a Finding's examples.

    Raises StragError for one without examples, or with columns that do not fit each other.
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
        explained = "runs that call it a straggler"
    return Shown(np.array(index[:number], dtype=np.int64), words[:number], explained, len(index))


def _column(table, name):
    """A column of natural numbers, or of any for the probability; None if it is neither."""
    column, kinds = table.get(name), (int, float) if name == "probability" else (int,)
    fits = isinstance(column, list) and all(
        value is None or (type(value) in kinds and 0 <= value < 2**63) for value in column
    )
    return column if fits else None


def layout_of(shape):
    """Height and width at which examples of this shape, rows of numbers, are drawn; None for images.

    A row of n^2 numbers, 36 or more, is a square, any other a strip.
    """
    if len(shape) != 1:
        return None
    side = isqrt(shape[0])
    return (side, side) if side * side == shape[0] >= SQUARE else (1, shape[0])


def as_images(x, whole=None):
    """Examples [n, ...] as grey images [n, h, w] or colours [n, h, w, 3], uint8 or floats in 0..1.

    Rows of numbers get the shape of `layout_of`. Floats are scaled by the smallest and largest value among
    these examples, but each column of a strip by its own ones among `whole`, the data set whose examples
    they are; a constant column is 0. Raises StragError for shapes that are not images.
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
    """Where numbers lie between the smallest and the largest, 0..1."""
    low, high = np.float64(low), np.float64(high)
    return (x - low) / np.where(high > low, high - low, 1)


def _sides(h, w):
    """Height and width in inches of an image of h x w pixels, as large as its cell allows."""
    return tuple(max(LEAST, side * ROOM / max(h, w)) for side in (h, w))


def _captions(data, shown, rows, grouped):
    """The text under each of the rows, in lines that fit under an image, and what they say."""
    flipped = _flipped(data, rows)
    names = [_names(data, data.y[row], grouped, None) for row in rows]
    index = [f"{i}: " for i in shown.index]
    beside = all(_inches(i + name, TINY) <= ROOM for i, name in zip(index, names, strict=True))
    said = []
    for at, row in enumerate(rows):
        lines = (
            [index[at] + names[at]] if beside else [index[at][:-2], _names(data, data.y[row], grouped, ROOM)]
        )
        if flipped[at]:
            lines.append("was " + _names(data, data.y_true[row], grouped, ROOM - _inches("was ", TINY)))
        if data.names is not None:
            lines.append(fitted(data.names[row], ROOM, TINY))
        said.append("\n".join([*lines, shown.words[at]]))
    what = "class and group" if grouped else "class"
    explained = [f"index: {what}" if beside else f"index; {what}"]
    explained += [f"was: {what} before the label was flipped"] if flipped.any() else []
    explained += ["name"] if data.names is not None else []
    return said, "; ".join([*explained, *([shown.explained] if shown.explained else [])])


def _flipped(data, rows):
    """Which of these rows have flipped labels: bool."""
    return np.zeros(len(rows), bool) if data.y_true is None else data.y_true[rows] != data.y[rows]


def _titles(data, shown, explained, width):
    """The lines of the title, and of what the texts under the images say."""
    count, total = len(shown.index), number_of(shown.total, "example")
    some = total if count == shown.total else f"{count} of the {total}"
    what = "a straggler" if shown.total == 1 else "stragglers, most frequent first"
    title = f"{one_line(data.title)}: {some} that any run calls {what}"
    return wrapped(title, width, NORMAL), wrapped(explained, width, SMALL)


def _show(panel, image, text, corner, sides):
    """An image of these sides and its text; `corner` is the cell's upper left."""
    (x, y), (h, w) = corner, sides
    left, bottom = x + (ROOM - w) / 2, y - h
    extent = (left, left + w, bottom, y)
    top = 255 if image.dtype == np.uint8 else 1
    panel.imshow(image, "gray", vmin=0, vmax=top, extent=extent, aspect="auto", interpolation="nearest")
    panel.text(x + ROOM / 2, bottom - 0.03, text, ha="center", va="top", fontsize=TINY)


def fitted(text, width, size):
    """`text` on one line, its middle cut out where it is wider than so many inches at this size in points."""
    text = one_line(text, LETTERS)
    letters = bisect_right(range(1, len(text) + 1), width, key=lambda n: _inches(one_line(text, n), size))
    return one_line(text, max(1, letters))


def wrapped(text, width, size):
    """`text` in lines of at most so many inches; a longer word has its middle cut out."""
    lines = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _inches(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(fitted(word, width, size))
    return lines


def _inches(text, size):
    """The width of a line of text, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about signs that the font lacks; drawing warns once
        points = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)[0]
    return WIDENED * points / 72


def _groups_say_more(data, stragglers):
    """Whether the data set has the groups of the training, and they are not simply its classes."""
    names, members = data.grouping.names, data.grouping.members
    each = len([group for group in members if group >= 0]) == len(names)
    return list(names) == stragglers.meta.get("classes") and not each


def _names(data, number, grouped, width):
    """An original class, and its group where that says more, in so many inches; None for any number."""
    name, members = data.class_name(int(number)), data.grouping.members
    group = members[number] if grouped and number < len(members) else -1
    if group < 0:
        return one_line(name, LETTERS) if width is None else fitted(name, width, TINY)
    called = data.grouping.names[group]
    if width is None:
        return f"{one_line(name, LETTERS)} {one_line(called, LETTERS)}"
    called = fitted(called, max(width / 2, width - _inches(f"{name[:LETTERS]} ", TINY)), TINY)
    return f"{fitted(name, width - _inches(f' {called}', TINY), TINY)} {called}"


def _rounded(probability):
    """Return a probability with two digits, but never as 0 or 1."""
    text = f"{probability:.2f}"
    return {"1.00": "> 0.99", "0.00": "< 0.01"}.get(text, text)


def _grid(count):
    """Columns and rows: eight beside each other, more only where it would grow too high."""
    columns = min(count, max(8, round((1.6 * count) ** 0.5)))
    return columns, -(-count // columns)


def picture(data, stragglers, number=None):
    """The Picture of a gallery, see `gallery`; what a reader must know of its images is in the notes."""
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
