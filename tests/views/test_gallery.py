"""The gallery of stragglers."""

import re
from dataclasses import replace

import numpy as np
import pytest

from strag.datasets.dataset import Dataset
from strag.datasets.names import Names
from strag.errors import StragError
from strag.stragglers.finding import Finding
from strag.views.captions import one_line
from strag.views.gallery import (
    _inches,
    as_images,
    fitted,
    flipped_among,
    gallery,
    layout_of,
    most_frequent,
    wrapped,
)
from strag.views.style import FORMATS, house_style, rendered


def digits(P=30, shape=(6, 5), **options):
    """A Dataset of images of one brightness each, 8 times their row."""
    x = np.broadcast_to(8 * np.arange(P).reshape(-1, *[1] * len(shape)), (P, *shape))
    options = {
        "labels": "parity",
        "title": "digits",
        "y": np.arange(P) % 10,
        "index": np.arange(P),
        **options,
    }
    return Dataset(x.astype(np.uint8), **options)


def called(data, index, probability=None, classes=("even", "odd")):
    """A Finding over these examples, in this order."""
    examples = {
        "index": list(index),
        "count": [3] * len(index),
        "runs": [4] * len(index),
        "probability": probability or [None] * len(index),
    }
    listed = np.sort(np.array(index, dtype=np.int64))
    meta = {"origin": data.origin, "classes": list(classes)}
    return Finding("inversion", listed, meta, examples=examples, source="s.json")


def texts(figure):
    return re.findall(r"<text[^>]*>([^<]*)</text>", rendered(figure, "svg").decode())


def test_shows_the_examples_in_the_order_of_the_list():
    data = digits()
    figure = gallery(data, called(data, [7, 2, 11, 20], [0.9996, 0.75, 0.5, 0.001]), number=3)
    (panel,) = figure.axes
    assert [image.get_array().flat[0] for image in panel.images] == [56, 16, 88]
    said = texts(figure)
    assert "digits: 3 of the 4 examples that straggle in at" in " ".join(said)
    assert "index: class and group; probability of straggling in another run" in " ".join(said)
    assert said[-6:] == ["7: 7 odd", "&gt; 0.99", "2: 2 even", "0.75", "11: 1 odd", "0.50"]


def test_counts_stand_where_one_run_allows_no_probability():
    data = digits()
    said = texts(gallery(data, called(data, [4])))
    assert said[-2:] == ["4: 4 even", "3 of 4"]
    assert "runs in which it straggles" in " ".join(said)
    assert "digits: 1 example that straggles in at least one run" in " ".join(said)


def test_class_names_stand_alone_where_groups_are_the_classes_or_unknown():
    names = [f"name{number}" for number in range(10)]
    data = digits(labels="classes", class_names=names)
    assert texts(gallery(data, called(data, [13], [0.5], classes=names)))[-2:] == ["13: name3", "0.50"]
    other = digits(labels="parity")
    assert texts(gallery(other, called(other, [13], [0.5], classes=names)))[-2:] == ["13: 3", "0.50"]


def test_rows_are_found_by_index():
    whole = digits()
    kept = whole.rows(np.arange(10, 30))
    figure = gallery(kept, called(whole, [20, 12], [0.9, 0.8]))
    assert [image.get_array().flat[0] for image in figure.axes[0].images] == [160, 96]
    with pytest.raises(StragError, match="lacks example 5"):
        gallery(kept, called(whole, [5, 12], [0.9, 0.8]))


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_input_gives_the_same_bytes(form):
    data = digits()
    first, second = (rendered(gallery(data, called(data, [7, 2], [0.9, 0.8])), form) for _ in range(2))
    assert first == second
    assert first != rendered(gallery(data, called(data, [7, 3], [0.9, 0.8])), form)


@pytest.mark.parametrize("shape", [(8, 6), (8, 6, 1), (1, 8, 6)])
def test_grey_images(shape):
    x = np.arange(2 * 48, dtype=np.uint8).reshape(2, *shape)
    np.testing.assert_array_equal(as_images(x), x.reshape(2, 8, 6))


def test_colours_come_last_wherever_they_stood():
    last = np.arange(2 * 8 * 6 * 3, dtype=np.uint8).reshape(2, 8, 6, 3)
    np.testing.assert_array_equal(as_images(last), last)
    np.testing.assert_array_equal(as_images(np.moveaxis(last, -1, 1)), last)


def test_floats_are_scaled_together():
    x = np.array([[[-2.0, 0.0]], [[2.0, 6.0]]], dtype=np.float32)
    np.testing.assert_allclose(as_images(x), [[[0, 0.25]], [[0.5, 1]]])
    np.testing.assert_array_equal(as_images(np.full((2, 3, 3), 7.0)), 0)


@pytest.mark.parametrize("shape", [(4, 4, 5), (2, 2, 2, 3)])
def test_other_shapes_are_no_images(shape):
    data = digits(shape=shape)
    form = " x ".join(map(str, shape))
    with pytest.raises(StragError, match=f"has examples of shape {form}, which is not an image; use images"):
        gallery(data, called(data, [1]))


def test_lists_that_cannot_be_shown():
    data = digits()
    with pytest.raises(
        StragError, match=r"s\.json: holds no stragglers to show \(its verdict is 'inversion'\)"
    ):
        gallery(data, called(data, []))
    fitting = called(data, [1, 2], [0.5, 0.4])
    for broken in (
        {"probability": [0.5]},
        {"index": [1, 2.5]},
        {"index": [1, None]},
        {"index": [1, 10**30]},
        {"index": 3},
    ):
        listed = replace(fitting, examples={**fitting.examples, **broken})
        with pytest.raises(StragError, match=r"s\.json: 'examples' has columns that do not fit"):
            most_frequent(listed, 40)
    bare = Finding("inversion", np.array([3, 5]), {"origin": data.origin})
    assert most_frequent(bare, 40).words == ["", ""]


@pytest.mark.parametrize(
    ("size", "layout"),
    [(36, (6, 6)), (784, (28, 28)), (1, (1, 1)), (4, (1, 4)), (25, (1, 25)), (30, (1, 30)), (37, (1, 37))],
)
def test_rows_of_numbers_are_squares_or_strips(size, layout):
    assert layout_of((size,)) == layout
    x = np.arange(2 * size, dtype=np.uint8).reshape(2, size)
    assert as_images(x).shape == (2, *layout)
    if layout[0] > 1:
        np.testing.assert_array_equal(as_images(x), x.reshape(2, *layout))
    data = digits(shape=(size,))
    (panel,) = gallery(data, called(data, [3])).axes
    assert panel.images[0].get_array().shape == layout
    assert layout_of((6, 6)) is None


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_each_column_of_a_strip_is_scaled_by_the_whole_data_set(kind):
    x = np.array([[0, 100, 7], [1, 200, 7], [4, 110, 7]], dtype=kind)
    strips = [[[0, 0, 0]], [[0.25, 1, 0]], [[1, 0.1, 0]]]
    np.testing.assert_allclose(as_images(x), strips)
    np.testing.assert_allclose(as_images(x[1:2], x), strips[1:2])
    data = Dataset(x, np.array([0, 1, 1]), np.arange(3))
    (panel,) = gallery(data, called(data, [2, 1])).axes
    np.testing.assert_allclose([image.get_array() for image in panel.images], [strips[2], strips[1]])


def test_numbers_of_any_size_are_scaled():
    x = np.array([[-3e38, 0], [3e38, 1]], dtype=np.float32)
    np.testing.assert_allclose(as_images(x), [[[0, 0]], [[1, 1]]])
    np.testing.assert_allclose(as_images(x.reshape(1, 2, 2))[0, 0], [0, 0.5])


@pytest.mark.parametrize(
    ("shape", "sides"), [((6, 6), (0.795, 0.795)), ((20, 40), (0.3975, 0.795)), ((90, 30), (0.795, 0.265))]
)
def test_cells_follow_the_aspect_of_the_images(shape, sides):
    assert boxes_of(shape) == pytest.approx(sides)


def test_no_image_is_too_thin_to_be_seen():
    assert boxes_of((300,)) == pytest.approx((0.2, 0.795))
    assert boxes_of((300, 2)) == pytest.approx((0.795, 0.2))


def boxes_of(shape):
    """Height and width in inches of an image of this shape, which fills its cell but for the text."""
    data = digits(shape=shape)
    figure = gallery(data, called(data, range(20), [0.5] * 20))
    extents = np.array([image.get_extent() for image in figure.axes[0].images])
    left, right, bottom, top = extents.T
    height = top[0] - bottom[0]
    assert bottom[0] - top[8] == pytest.approx(0.32)  # two lines of text
    assert figure.get_figheight() == pytest.approx(0.54 + 3 * (height + 0.32) + 0.08)
    assert figure.get_figheight() >= top.max() > bottom.min() > 0.3
    return height, right[0] - left[0]


def test_the_name_of_an_example_stands_under_it():
    data = digits(names=Names.of([f"photos/{i}.png" for i in range(30)]))
    said = texts(gallery(data, called(data, [7, 22], [0.9, 0.75])))
    assert said[-6:] == ["7: 7 odd", "photos/7.png", "0.90", "22: 2 even", "photos/22.png", "0.75"]
    assert "index: class and group; name; probability" in " ".join(said)


def test_a_flipped_label_says_what_it_was():
    names = ["cat", "dog", "eel"]
    y = np.arange(30) % 3
    true = np.where(np.arange(30) == 12, 1, y)
    data = digits(y=y, labels="classes", class_names=names, y_true=true)
    listed = called(data, [12, 4], [0.9, 0.8], classes=names)
    said = texts(gallery(data, listed))
    assert said[-5:] == ["12: cat", "was dog", "0.90", "4: dog", "0.80"]
    assert "index: class; was: class before the label was flipped; probability" in " ".join(said)
    assert flipped_among(data, listed) == (1, 2)
    kept = data.rows(np.array([4, 12, 7]))
    assert flipped_among(kept, listed, 1) == (1, 1)
    assert flipped_among(data, called(data, [4]), 5) == (0, 1)
    assert "flipped" not in " ".join(texts(gallery(data, called(data, [4]))))
    assert flipped_among(replace(data, y_true=None), listed) == (0, 2)


def test_a_flipped_label_says_its_group_too():
    data = digits(y_true=(np.arange(30) + 3) % 10)
    said = texts(gallery(data, called(data, [12], [0.9])))
    assert said[-3:] == ["12: 2 even", "was 5 odd", "0.90"]
    assert "was: class and group before" in " ".join(said)
    far = digits(y_true=np.full(30, 77))
    assert texts(gallery(far, called(far, [12], [0.9])))[-2] == "was 77"


WIDE = ["WWWWMMMMWWWWMMMM", "a long name of a class", "猫" * 15, "MWMWMWMWMWM", "@" * 200]


@pytest.mark.parametrize("labels", ["classes", "0-1/2-4"])
@pytest.mark.parametrize("dpi", [50, 100, 150])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_wide_letters_stay_in_their_cell(labels, dpi):
    P, y = 40, np.arange(40) % 5
    data = digits(
        P,
        y=y,
        y_true=(y + 2) % 5,
        index=np.arange(P) + 9999950,
        labels=labels,
        class_names=WIDE,
        names=Names.of([f"{WIDE[i % 5]}/{i}.jpg" for i in range(P)]),
        title="W" * 28,
        origin="0" * 64,
        origin_size=10**7,
    )
    for number in (1, 3, P):
        index = data.index[:number].tolist()
        figure = gallery(data, called(data, index, [0.001] * number, data.grouping.names))
        figure.set_dpi(dpi)
        boxes = boxes_apart(figure)
        assert max(box.width for box in boxes[2:]) / dpi > 0.7
        assert texts(figure)[-1] == "&lt; 0.01"
        assert {str(i) for i in index} <= set(texts(figure))


def test_as_much_of_a_text_as_fits_is_shown():
    with house_style():
        assert fitted("iiiiiiiiiiiiiiiiiiiiiiii", 0.8, 7) == "iiiiiiiiiiiiiiiiiiiiiiii"
        assert re.fullmatch("W{2,4}…W{2,4}", fitted("W" * 24, 0.8, 7))
        for text in ("W" * 24, "photos/of/a/long/holiday.jpg"):
            for width in (0.3, 0.8, 1.2):
                cut = fitted(text, width, 7)
                assert cut == one_line(text, len(cut))
                assert _inches(cut, 7) <= width < _inches(one_line(text, len(cut) + 1), 7)
        assert fitted("WWW", 0.01, 7) == "…"
        assert wrapped("one two three", 0.6, 9) == ["one two", "three"]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("number", [1, 3, 30])
def test_no_text_is_clipped_and_no_image_overlaps(number, named):
    names = [f"a long name of class {number}" for number in range(10)]
    data = digits(labels="classes", class_names=names, title="a long title of a long data set")
    called_so = Names.of([f"a/long/path/to/a/file/{i}.png" for i in range(30)]) if named else None
    data = replace(data, names=called_so, origin=None)
    figure = gallery(data, called(data, range(number), [0.5] * number, classes=names))
    boxes_apart(figure)
    extents = [tuple(image.get_extent()) for image in figure.axes[0].images]
    assert len(set(extents)) == number


def boxes_apart(figure):
    """The boxes of all texts in pixels, checked to lie on the page and apart."""
    with house_style():
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    inside = figure.bbox
    for box in boxes:
        assert inside.x0 <= box.x0 < box.x1 <= inside.x1
        assert inside.y0 <= box.y0 < box.y1 <= inside.y1
    overlapping = [a for at, a in enumerate(boxes) for b in boxes[:at] if a.overlaps(b)]
    assert overlapping == []
    return boxes
