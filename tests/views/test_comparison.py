"""The figure of a comparison."""

from itertools import pairwise

import numpy as np
import pytest

from strag.views.comparison import comparison_figure
from strag.views.style import FORMATS, GREY, rendered
from tests.views.agreements import comparison
from tests.views.test_history import texts

SETS = [range(40), range(10, 70), range(200, 300)]


def numbers(figure):
    """What stands in the cells: dict of (row, column) to text."""
    found = {}
    for text in figure.axes[0].texts:
        column, row = text.get_position()
        found[row, column] = text.get_text()
    return found


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_input_gives_the_same_bytes(form):
    first, second = (rendered(comparison_figure(comparison(SETS)), form) for _ in range(2))
    assert first == second
    assert first != rendered(comparison_figure(comparison(SETS[:2])), form)


def test_every_cell_holds_its_number_and_its_colour():
    found = comparison(SETS)
    figure = comparison_figure(found)
    sizes, overlap = {(0, 0): "40", (1, 1): "60", (2, 2): "100"}, {(0, 1): "0.43", (1, 0): "0.43"}
    nothing = dict.fromkeys([(0, 2), (2, 0), (1, 2), (2, 1)], "0.00")
    assert numbers(figure) == sizes | overlap | nothing
    (image,) = figure.axes[0].images
    shown = image.get_array()
    assert shown[0, 1] == pytest.approx(30 / 70)
    assert np.isnan(np.diag(shown.filled(np.nan))).all()
    assert image.get_clim() == (0, 1)
    assert image.get_cmap().name == "cividis"


def test_it_says_what_it_shows():
    figure = comparison_figure(comparison(SETS, names=["tanh", "linear", "$x$"]))
    said = " ".join(texts(figure))
    assert "made-up: overlap of 3 sets of stragglers" in said
    assert "Jaccard index (by chance 0.02 to 0.04)" in said
    assert "P = 1000 examples" in said
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["tanh  1", "linear  2", "$x$  3"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["1", "2", "3"]


def test_chance_is_that_of_random_sets():
    random = np.random.default_rng(0)
    sets = [random.permutation(5000)[:1000] for _ in range(6)]
    found = comparison(sets, examples=5000)
    assert "(by chance 0.11)" in " ".join(texts(comparison_figure(found)))
    assert found.jaccard[np.triu_indices(6, 1)].mean() == pytest.approx(0.11, abs=0.005)


def test_numbers_can_be_told_from_their_cells():
    found = comparison([range(100), range(90), range(10)])
    figure = comparison_figure(found)
    (image,) = figure.axes[0].images
    for text in figure.axes[0].texts:
        column, row = text.get_position()
        if row == column:
            assert text.get_color() == GREY
            continue
        red, green, blue, _ = image.to_rgba(found.jaccard[row, column])
        light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        assert (text.get_color() == "white") == (light < 0.55)


@pytest.mark.parametrize("number", [2, 12])
def test_nothing_leaves_the_figure_or_touches_its_neighbour(number):
    names = [f"a set with a rather long name {n}" for n in range(number)]
    figure = comparison_figure(
        comparison([range(100 * n, 100 * n + 2000) for n in range(number)], 9999, names)
    )
    figure.canvas.draw()
    width, height = figure.bbox.size
    panel = figure.axes[0]
    labels = [*panel.get_yticklabels(), *panel.get_xticklabels(), *figure.texts]
    boxes = [text.get_window_extent() for text in labels]
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)
    cells = [text.get_window_extent() for text in panel.texts]
    everything = [*boxes, *cells]
    assert not any(a.overlaps(b) for at, a in enumerate(everything) for b in everything[:at])
    assert len(cells) == number**2


def test_many_sets_are_colours_without_numbers():
    figure = comparison_figure(comparison([range(n, n + 50) for n in range(60)]))
    assert not figure.axes[0].texts
    assert "diagonal" not in " ".join(texts(figure))
    figure.canvas.draw()
    rows = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert 10 < len(rows) < 60
    assert not any(a.overlaps(b) for a, b in pairwise(rows))


def test_empty_sets_and_no_title(recwarn):
    figure = comparison_figure(comparison([[], [], [3]], title=None))
    assert numbers(figure)[0, 1] == "-"
    assert numbers(figure)[0, 2] == "0.00"
    assert rendered(figure, "png").startswith(b"\x89PNG")
    assert rendered(comparison_figure(comparison([[], []])), "png").startswith(b"\x89PNG")
    assert not recwarn.list
