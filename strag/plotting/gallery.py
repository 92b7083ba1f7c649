"""The figure of stragglers: the examples that were called stragglers most often."""

from dataclasses import dataclass
from math import isqrt
from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.plotting.captions import one_line
from strag.plotting.style import GREY, SMALL, WIDTH, house_style, new_figure

NUMBER = 40  # examples shown by default
CELL = 0.875  # inches, an image and the gap beside it
GAP = 0.08
LINE = 0.14  # inches, of text under an image
LETTERS = 15  # in one line under an image


@dataclass(frozen=True)
class Shown:
    """The rows of a straggler list that a gallery shows, most frequent first.

    index : int64 [n], rows of the origin. words : n texts, how often each was called a straggler.
    explained : what those texts say. total : number of examples in the list.
    """

    index: np.ndarray
    words: list
    explained: str
    total: int


def gallery(data, stragglers, number=NUMBER):
    """The `number` examples of a StragglerList that were called stragglers most often.

    Under each image stand its index, its original class and group, its name where it has one, and the
    probability in the list, or how many runs called it a straggler where one run allows no probability.

    Parameters
    ----------
    data : Dataset whose examples are images: [h, w], or with colours [h, w, 3] or [3, h, w]; or rows of
    numbers, which `layout_of` says how to draw.
    stragglers : StragglerList with the same origin.
    number : how many to show, if there are as many.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = most_frequent(stragglers, number)
    rows = data.positions(shown.index)
    images = as_images(data.x[rows])
    grouped = _groups_say_more(data, stragglers)
    columns, lines = _grid(len(rows))
    width = max(columns * CELL + GAP, WIDTH / 2)
    title, subtitle = _titles(data, shown, grouped, width)
    text = LINE * (2 + (data.names is not None))
    top = 0.2 + 0.17 * (len(title) + len(subtitle))
    height = top + lines * (CELL + text) + GAP
    with house_style():
        figure = new_figure(width, height, layout=None)
        panel = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))  # inches
        panel.set_axis_off()
        y = height - 0.1
        panel.text(GAP, y, "\n".join(title), va="top")
        panel.text(GAP, y - 0.17 * len(title), "\n".join(subtitle), va="top", color=GREY, fontsize=SMALL)
        for place, (image, row, words) in enumerate(zip(images, rows, shown.words, strict=True)):
            corner = GAP + place % columns * CELL, height - top - place // columns * (CELL + text)
            index = str(shown.index[place])
            said = [f"{index}: {_names(data, row, grouped, max(6, LETTERS - 1 - len(index)))}"]
            said += [] if data.names is None else [one_line(data.names[row], LETTERS)]
            _show(panel, image, "\n".join([*said, words]), corner)
    return figure


def most_frequent(stragglers, number):
    """The first `number` rows of a StragglerList's examples.

    Raises StragError for a list without examples, or with columns that do not fit each other.
    """
    table = {"index": stragglers.indices.tolist(), **stragglers.examples}
    index, count, runs, probability = (
        _column(table, name) for name in ("index", "count", "runs", "probability")
    )
    sizes = {len(column) for column in (index, count, runs, probability) if column is not None}
    if index is None or None in index or len(sizes) > 1:
        remedy = "make it again with 'strag find-stragglers'"
        raise StragError("'examples' has columns that do not fit each other", remedy, stragglers.source)
    if not index:
        problem = f"holds no stragglers to show (its verdict is '{stragglers.verdict}')"
        remedy = "take the sets at another moment with 'strag find-stragglers --at'"
        raise StragError(problem, remedy, stragglers.source)
    words, explained = [""] * len(index), ""
    if probability and None not in probability:
        words, explained = [_rounded(p) for p in probability], "probability of straggling in another run"
    elif count and runs:
        words = [f"{k} of {n}" for k, n in zip(count, runs, strict=True)]
        explained = "runs that call it a straggler"
    return Shown(np.array(index[:number], dtype=np.int64), words[:number], explained, len(index))


def _column(table, name):
    """A column of natural numbers, or of any for the probability; None where it is no such thing."""
    column, kinds = table.get(name), (int, float) if name == "probability" else (int,)
    fits = isinstance(column, list) and all(
        value is None or (type(value) in kinds and 0 <= value < 2**63) for value in column
    )
    return column if fits else None


def layout_of(shape):
    """Height and width at which examples of this shape, rows of numbers, are drawn; None for images.

    A row of n^2 numbers is a square, any other a strip.
    """
    if len(shape) != 1:
        return None
    side = isqrt(shape[0])
    return (side, side) if side * side == shape[0] else (1, shape[0])


def as_images(x):
    """Examples [n, ...] as grey images [n, h, w] or colours [n, h, w, 3], uint8 or floats in 0..1.

    Rows of numbers get the shape of `layout_of`. Floats are scaled by the smallest and largest value among
    these examples. Raises StragError for shapes that are no images.
    """
    x = x.reshape(len(x), *(layout_of(x.shape[1:]) or x.shape[1:]))
    shape = x.shape[1:]
    if len(shape) == 3 and shape[0] in (1, 3) and shape[2] not in (1, 3):
        x = np.moveaxis(x, 1, -1)  # (n, 3, h, w) -> (n, h, w, 3)
    if x.ndim == 4 and x.shape[-1] == 1:
        x = x[..., 0]
    if not (x.ndim == 3 or (x.ndim == 4 and x.shape[-1] == 3)):
        form = " x ".join(str(n) for n in shape)
        remedy = "a gallery needs images of h x w, h x w x 3 or 3 x h x w"
        raise StragError(f"has examples of shape {form}, which is no image", remedy)
    if x.dtype == np.uint8:
        return x
    low, high = float(x.min()), float(x.max())
    return (x - low) / (high - low or 1.0)


def _titles(data, shown, grouped, width):
    """The lines of the title and of what the texts under the images say."""
    count = len(shown.index)
    some = f"{count}" if count == shown.total else f"{count} of the {shown.total}"
    title = f"{one_line(data.title)}: {some} examples that any run calls stragglers, most frequent first"
    said = "index: " + ("class and group" if grouped else "class") + ("; name" if data.names else "")
    said += f"; {shown.explained}" if shown.explained else ""
    return wrap(title, int(13 * width)), wrap(said, int(15 * width))


def _show(panel, image, text, corner):
    """An image, as large as its cell allows, and its text; `corner` is the cell's upper left."""
    (x, y), room = corner, CELL - GAP
    h, w = (side * room / max(image.shape[:2]) for side in image.shape[:2])
    left, bottom = x + (room - w) / 2, y - room
    extent = (left, left + w, bottom, bottom + h)
    top = 255 if image.dtype == np.uint8 else 1
    panel.imshow(image, "gray", vmin=0, vmax=top, extent=extent, aspect="auto", interpolation="nearest")
    panel.text(x + room / 2, bottom - 0.03, text, ha="center", va="top", fontsize=7)


def _groups_say_more(data, stragglers):
    """Whether the data set has the groups of the training, and they are not simply its classes."""
    names, members = data.grouping.names, data.grouping.members
    each = len([group for group in members if group >= 0]) == len(names)
    return list(names) == stragglers.meta.get("classes") and not each


def _names(data, row, grouped, letters):
    """Original class of a row, and its group where that says more, in so many letters."""
    name = data.class_name(int(data.y[row]))
    if not grouped:
        return one_line(name, letters)
    group = one_line(data.grouping.names[data.groups[row]], letters - 4)
    return f"{one_line(name, letters - 1 - len(group))} {group}"


def _rounded(probability):
    """Two digits, but never a certainty that is none."""
    text = f"{probability:.2f}"
    return {"1.00": "> 0.99", "0.00": "< 0.01"}.get(text, text)


def _grid(count):
    """Columns and rows: eight beside each other, more only where it would grow too high."""
    columns = min(count, max(8, round((1.6 * count) ** 0.5)))
    return columns, -(-count // columns)
