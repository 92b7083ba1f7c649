"""The figure of original classes."""

import numpy as np
import pytest
from matplotlib.text import Text

from strag.errors import StragError
from strag.stragglers.finding import Finding
from strag.stragglers.original_classes import OriginalClass
from strag.views.original_classes import DOT, original_classes_figure
from strag.views.style import FORMATS, WIDTH, house_style, rendered
from tests.views.test_history import texts

SHARES = (0.02, 0.09, 0.05, 0.12, 0.03, 0.01, 0.11, 0.04, 0.07, 0.06)


def listed(told, title="made-up", classes=("even", "odd")):
    """A Finding with these OriginalClasses."""
    training = {"depth": 2, "width": 20, "activation": "tanh", "lr": 0.2, "runs": 6}
    meta = {"origin": "o", "title": title, "classes": list(classes), "inputs": {"training": training}}
    return Finding("none", np.arange(3), meta, original_classes=tuple(told), source="s.json")


def classes_of(shares=SHARES, errors=SHARES, name=str):
    return [
        OriginalClass(n, name(n), 100, 9, share, error, np.nan)
        for n, (share, error) in enumerate(zip(shares, errors, strict=True))
    ]


def names_in(panel):
    return [text for text in panel.texts if text.get_text()]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_input_gives_the_same_bytes(form):
    first, second = (rendered(original_classes_figure(listed(classes_of())), form) for _ in range(2))
    assert first == second


def test_bars_by_share_and_points_by_test_error():
    errors = np.linspace(0.1, 0.3, 10)
    left, right = original_classes_figure(listed(classes_of(errors=errors))).axes
    assert [bar.get_width() for bar in left.patches] == sorted(SHARES)
    order = [str(n) for n in np.argsort(SHARES)]
    assert [tick.get_text() for tick in left.get_yticklabels()] == order
    at = np.array(right.lines[0].get_data()).T
    np.testing.assert_array_equal(at, [(SHARES[int(n)], errors[int(n)]) for n in order])
    assert [name.xy for name in names_in(right)] == [tuple(place) for place in at]
    assert [name.get_text() for name in names_in(right)] == order


def test_it_says_what_it_shows():
    figure = original_classes_figure(listed(classes_of(errors=[1 - share for share in SHARES])))
    said = " ".join(texts(figure))
    for text in (
        "made-up: stragglers of each class and its test error",
        "P = 1000, 6 runs, depth 2, width 20, lr 0.2, trained on even / odd",
        "mean over runs; Spearman's rank correlation of the two -1.00 (n = 10 classes)",
        "share of the class that straggles",
        "test error of the class",
        "original class",
    ):
        assert text in said
    assert figure.get_size_inches()[0] == WIDTH
    alike = original_classes_figure(listed(classes_of(), classes=[str(n) for n in range(10)]))
    assert not any("trained on" in text for text in texts(alike))


def test_without_test_errors_there_are_bars_alone():
    figure = original_classes_figure(listed(classes_of(errors=[np.nan] * 10)))
    assert len(figure.axes) == 1
    said = texts(figure)
    assert "made-up: stragglers of each class" in said
    assert not any("Spearman" in text or "test error" in text for text in said)


def test_a_class_without_a_share_is_left_out():
    shares = (np.nan, *SHARES[1:])
    left, right = original_classes_figure(listed(classes_of(shares=shares))).axes
    assert len(left.patches) == len(names_in(right)) == 9
    assert "(n = 9 classes)" in " ".join(texts(left.figure))


def test_without_a_set_there_is_nothing_to_show():
    with pytest.raises(StragError, match=r"s.json: holds no set of stragglers .* 'none'.*`at`"):
        original_classes_figure(listed(classes_of(shares=[np.nan] * 10)))


@pytest.mark.parametrize("spread", [0, 1e-4, 0.01, 0.3])
def test_names_cover_neither_each_other_nor_points(spread):
    """Even where nine of ten points coincide; each name lies inside the panel."""
    random = np.random.default_rng(0)
    shares, errors = 0.5 + spread * random.random((2, 10))
    shares[0], errors[0] = 0.1, 0.1
    figure = original_classes_figure(listed(classes_of(shares, errors, lambda n: f"automobile {n}")))
    with house_style():
        figure.draw_without_rendering()
    panel = figure.axes[1]
    boxes = [Text.get_window_extent(text) for text in names_in(panel)]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])
        assert panel.bbox.x0 <= box.x0
        assert box.x1 <= panel.bbox.x1
        assert panel.bbox.y0 <= box.y0
        assert box.y1 <= panel.bbox.y1
        for point in panel.transData.transform(panel.lines[0].get_xydata()):
            assert not box.contains(*point)


FASHION = {  # share that straggles and test error of the classes of Fashion-MNIST, of one training
    "T-shirt/top": (0.145, 0.223),
    "Trouser": (0.037, 0.043),
    "Pullover": (0.252, 0.249),
    "Dress": (0.104, 0.153),
    "Coat": (0.181, 0.257),
    "Sandal": (0.050, 0.109),
    "Shirt": (0.361, 0.415),
    "Sneaker": (0.073, 0.068),
    "Bag": (0.033, 0.063),
    "Ankle boot": (0.040, 0.060),
}


def _crowd(count, spread):
    random = np.random.default_rng(count)
    return 0.5 + spread * random.random((2, count))


def saved(figure, form, dpi):
    """What lies where in the right panel of a figure while it is saved, in points.

    Returns the points [n, 2], the boxes of the names [n, 2, 2], and the ends of their lines, None without.
    """
    seen = []

    def look(_):
        panel, scale = figure.axes[1], 72 / figure.dpi
        lines = [name.arrow_patch for name in names_in(panel)]
        ends = [line and line.get_transform().transform_path(line.get_path()).vertices[-1] for line in lines]
        seen[:] = (
            panel.transData.transform(panel.lines[0].get_xydata()) * scale,
            np.array([Text.get_window_extent(name).get_points() for name in names_in(panel)]) * scale,
            [None if end is None else end * scale for end in ends],
        )

    figure.canvas.mpl_connect("draw_event", look)
    rendered(figure, form, dpi)
    return seen


@pytest.mark.parametrize(
    ("shares", "errors", "name"),
    [
        (*zip(*FASHION.values(), strict=True), str),
        (*zip(*FASHION.values(), strict=True), list(FASHION).__getitem__),
        (*_crowd(10, 0.02), str),
        (*_crowd(40, 0.5), lambda n: f"class {n}"),
        (*np.full((2, 5), 0.5), str),
    ],
    ids=["digits", "words", "ten", "forty", "coincident"],
)
@pytest.mark.parametrize(
    ("form", "dpi"),
    [
        ("png", 72),
        ("png", 150),
        pytest.param("png", 300, marks=pytest.mark.slow),
        pytest.param("svg", 150, marks=pytest.mark.slow),
    ],
)
def test_every_name_is_nearest_to_its_own_point_or_a_line_joins_them(shares, errors, name, form, dpi):
    figure = original_classes_figure(listed(classes_of(shares, errors, name)))
    points, boxes, ends = saved(figure, form, dpi)
    order = sorted(range(len(shares)), key=lambda n: (shares[n], -n))
    assert [text.get_text() for text in names_in(figure.axes[1])] == [name(n) for n in order]
    for at, (box, end) in enumerate(zip(boxes, ends, strict=True)):
        if end is not None:
            assert np.linalg.norm(end - points[at]) == pytest.approx(DOT / 2, abs=0.3)
            continue
        away = np.linalg.norm(np.maximum(0, np.maximum(box[0] - points, points - box[1])), axis=1)
        others = np.delete(away, at)
        assert away[at] < 6
        assert others.min() > 1.5 * away[at]


@pytest.mark.parametrize("count", [1, 2, 10, pytest.param(60, marks=pytest.mark.slow)])
def test_no_text_is_clipped(count):
    shares = np.random.default_rng(1).random(count)
    long = "a name that goes on and on and on and on"
    figure = original_classes_figure(
        listed(classes_of(shares, shares, lambda n: f"{n} {long}"), long, [long] * 3)
    )
    with house_style():
        figure.draw_without_rendering()
        box, inside = figure.get_tightbbox(), figure.bbox_inches
    assert (box.x0, box.y0) >= (inside.x0, inside.y0)
    assert box.x1 <= inside.x1
    assert box.y1 <= inside.y1
