"""The figure of histories."""

import re
from dataclasses import replace

import numpy as np
import pytest

from strag.views.dynamics import USUAL, dynamics_of
from strag.views.history import history_figure
from strag.views.style import (
    COLOURS,
    DASHES,
    WIDTH,
    colour,
    dashes,
    house_style,
    overlaid_dashes,
    rendered,
)
from tests.conftest import cut_to
from tests.views.forms import FORMS
from tests.views.histories import CURVES, falling, made, valley

MARKED = "inversion of the rms radius"


def figure_of(*histories, x="updates", curves=USUAL, **options):
    shown = [dynamics_of(history, curves=curves, **options) for history in histories]
    return history_figure(shown, x, curves)


def texts(figure):
    """Every text of a figure, as its svg holds them."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", rendered(figure, "svg").decode())
    return [text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&") for text in found]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def vertical_lines(panel):
    """The places of the lines down a panel, without dots."""
    places = [list(line.get_xdata()) for line in panel.lines]
    return [both[0] for both in places if len(both) == 2 and len(set(both)) == 1]


def dots(panel):
    """The places of the single dots in a panel."""
    return [line.get_xydata()[0].tolist() for line in panel.lines if len(line.get_xdata()) == 1]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_input_gives_the_same_bytes(form):
    first, second = (rendered(figure_of(made([valley(), valley(25)])), form) for _ in range(2))
    assert first == second
    assert first != rendered(figure_of(made([valley(), valley(26)])), form)
    assert b"CreationDate" not in first
    assert b"<dc:date>" not in first


def test_the_readers_matplotlibrc_changes_nothing():
    import matplotlib

    expected = rendered(figure_of(made([valley()])), "svg")
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 5, "axes.grid": True}):
        assert rendered(figure_of(made([valley()])), "svg") == expected
        assert matplotlib.rcParams["font.size"] == 20


def test_one_history_names_axes_classes_band_and_inversion():
    figure = figure_of(made([valley(20), valley(22)], classes=("even", "odd")))
    said = texts(figure)
    for text in ("updates t", "gyration radius R", "distance D between class means"):
        assert text in said
    assert "made-up: inversion at t* = 21, ε* = 0.4 (2 of 2 runs)" in said
    assert "P = 64, 2 runs, depth 2, width 20, lr 0.2" in said
    entries = ["even", "odd", "rms over classes", "± 1 s.d. over 2 runs"]
    assert legend(figure) == [*entries, "minimum of each class", MARKED]
    assert set(legend(figure)) <= set(said)


def test_curves_are_means_over_runs_and_the_inversion_is_marked():
    history = made([valley(20), valley(22), falling()], diverged=[2])
    shown = dynamics_of(history)
    left, right = history_figure([shown]).axes
    radii = shown.by_class["radius"]
    means = [radii[1:, :, 0], radii[1:, :, 1], shown.curves["radius"][1:]]
    for line, mean in zip(left.lines, means, strict=False):
        np.testing.assert_allclose(line.get_ydata(), mean.mean(axis=1))
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, len(history.updates)))
    np.testing.assert_allclose(right.lines[0].get_ydata(), shown.curves["distance"][1:].mean(axis=1))
    for panel in (left, right):
        assert vertical_lines(panel) == [pytest.approx(shown.inversion["updates"])]
        assert np.isfinite(np.concatenate([line.get_ydata() for line in panel.lines])).all()


def test_against_the_error_everything_moves_to_the_error():
    history = made([valley(20), valley(22)])
    figure = figure_of(history, x="error")
    shown = dynamics_of(history)
    left, right = figure.axes
    for panel in (left, right):
        assert panel.get_xlabel() == "training error ε"
        assert vertical_lines(panel) == [pytest.approx(shown.inversion["error"])]
        low, high = panel.get_xlim()
        assert low > high
        assert panel.get_xscale() == "log"


@pytest.mark.parametrize("x", ["updates", "error"])
def test_each_class_has_a_dot_at_its_own_minimum(x):
    """The radius of one class may turn at another time than that over all classes, which the line marks."""
    history = made([valley(30), valley(30)], classes=("early", "late", "never"))
    history.measures["radius"][..., 0] = valley(8)[:, None, None]
    history.measures["radius"][..., 2] = falling()[:, None, None]
    shown = dynamics_of(history)
    figure = history_figure([shown], x)
    places, records = shown.axis(x)
    expected = []
    for number in (0, 1):
        mean = shown.by_class["radius"][records, :, number].mean(axis=1)
        expected.append([places[mean.argmin()], mean.min()])
    assert shown.by_class["radius"][:, 0, 0].argmin() == 8
    np.testing.assert_allclose(dots(figure.axes[0]), expected)
    assert [line.get_color() for line in figure.axes[0].lines if len(line.get_xdata()) == 1] == [
        colour(0),
        colour(1),
    ]
    assert dots(figure.axes[1]) == []
    assert "minimum of each class" in legend(figure)
    assert vertical_lines(figure.axes[0]) == [pytest.approx(shown.inversion[x])]


def test_without_inversion_nothing_is_marked():
    figure = figure_of(made([falling(), falling()]))
    assert "made-up: no inversion" in texts(figure)
    assert MARKED not in legend(figure)
    assert [vertical_lines(panel) for panel in figure.axes] == [[], []]


@pytest.mark.parametrize("curves", [("separation",), ("distance", "radius"), ("separation", *CURVES[:2])])
def test_panels_show_the_curves_that_are_named_in_their_order(curves):
    labels = {
        "radius": "gyration radius R",
        "distance": "distance D between class means",
        "separation": "separation η²",
    }
    shown = [dynamics_of(made([valley(20), valley(22)]), curves=curves)]
    figure = history_figure(shown, curves=curves)
    assert [panel.get_ylabel() for panel in figure.axes] == [labels[name] for name in curves]
    for name, panel in zip(curves, figure.axes, strict=True):
        line = panel.lines[2 if name == "radius" else 0]
        np.testing.assert_allclose(line.get_ydata(), shown[0].curves[name][1:].mean(axis=1))
        assert vertical_lines(panel) == [pytest.approx(shown[0].inversion["updates"])]
        assert len(panel.collections) == (3 if name == "radius" else 1)
    of_radius = ["even", "odd", "rms over classes"] if "radius" in curves else []
    minimum = ["minimum of each class"] if "radius" in curves else []
    assert legend(figure) == [*of_radius, "± 1 s.d. over 2 runs", *minimum, MARKED]
    assert "made-up: inversion at t* = 21, ε* = 0.4 (2 of 2 runs)" in texts(figure)
    assert figure.get_size_inches()[0] == WIDTH
    both = history_figure([*shown, dynamics_of(made([falling()]), label="b", curves=curves)], curves=curves)
    for name, panel in zip(curves, both.axes, strict=True):
        first, *_, second = [line for line in panel.lines if len(line.get_xdata()) > 2]
        np.testing.assert_allclose(first.get_ydata(), shown[0].curves[name][1:].mean(axis=1))
        assert second.get_color() == colour(1)


def test_a_curve_that_needs_no_legend_has_none():
    assert figure_of(made([falling()]), curves=("separation",)).legends == []


@pytest.mark.parametrize("panels", [3, 4])
@pytest.mark.parametrize("x", ["updates", "error"])
@pytest.mark.parametrize(
    "last", [2, pytest.param(9, marks=pytest.mark.slow), pytest.param(30, marks=pytest.mark.slow), 100]
)
def test_the_ticks_of_several_panels_do_not_touch(x, last, panels):
    history = made([valley(), valley()])
    figure = figure_of(cut_to(history, slice(last + 1)), x=x, curves=CURVES[:panels])
    with house_style():
        figure.draw_without_rendering()
    for panel in figure.axes:
        boxes = [label.get_window_extent() for label in panel.get_xticklabels() if label.get_text()]
        assert boxes
        assert not any(a.overlaps(b) for at, a in enumerate(boxes) for b in boxes[:at])


def test_one_run_has_no_band():
    figure = figure_of(made([valley()]))
    assert not any("s.d." in entry for entry in legend(figure))
    assert [len(panel.collections) for panel in figure.axes] == [0, 0]


def test_ten_classes_are_told_apart_and_more_are_one_entry():
    names = [str(number) for number in range(10)]
    figure = figure_of(made([valley(), valley()], classes=names))
    assert legend(figure)[:11] == [f"class {name}" for name in names] + ["rms over classes"]
    looks = {
        (line.get_color(), line.get_linestyle(), str(line._dash_pattern))
        for line in figure.axes[0].lines[:11]
    }
    assert len(looks) == 11
    assert figure.axes[1].get_ylabel().endswith("(mean over 45 pairs)")
    many = figure_of(made([valley()], classes=[str(number) for number in range(26)]))
    assert legend(many) == ["each of 26 classes", "rms over classes", MARKED]


def test_an_empty_class_is_left_out():
    history = made([valley(), valley()], classes=("a", "b", "c"))
    history = replace(history, group=history.y % 2)
    history.measures["radius"][..., 2] = np.nan
    assert legend(figure_of(history))[:3] == ["a", "b", "rms over classes"]


def test_several_histories_have_a_colour_and_an_entry_each():
    shown = [
        dynamics_of(made([valley(), valley(22)]), label="all"),
        dynamics_of(made([falling(), falling(), falling()], diverged=[0]), label="_pruned $5 $6"),
    ]
    figure = history_figure(shown)
    assert legend(figure) == [
        "all: inversion at t* = 21, ε* = 0.4 (2 of 2 runs)",
        "_pruned $5 $6: no inversion, 1 diverged and left out",
        "± 1 s.d. over 2 runs",
        MARKED,
    ]
    assert set(legend(figure)) <= set(texts(figure))
    assert "(rms over classes)" in texts(figure)
    for panel in figure.axes:
        assert [line.get_color() for line in panel.lines] == [colour(0), colour(0), colour(1)]
    assert "depth 2, width 20, lr 0.2" in texts(figure)[texts(figure).index("made-up") - 1]


@pytest.mark.parametrize("x", ["updates", "error"])
def test_no_text_is_clipped(x):
    long = "a name that goes on and on and on and on and on and on and on"
    recipe = {"depth": 9, "width": 2000, "activation": "relu", "optimizer": "adam", "lr": 0.00123}
    recipe |= {"momentum": 0.95, "weight_decay": 0.0001, "batch_size": 1000}
    curves = [valley()] * 2 + [falling()] * 6
    histories = [
        made(curves, diverged=[2], classes=[f"{long} {n}" for n in range(C)], title=long, recipe=recipe)
        for C in (2, 10)
    ]
    shown = [dynamics_of(history, label=long, curves=CURVES) for history in histories]
    figures = [
        history_figure(several, x, CURVES[:panels])
        for several in (shown[:1], shown[1:], shown)
        for panels in (1, 2, 3)
    ]
    for figure in figures:
        with house_style():
            figure.draw_without_rendering()
            box, inside = figure.get_tightbbox(), figure.bbox_inches
        assert box.x0 >= inside.x0, x
        assert box.y0 >= inside.y0
        assert box.x1 <= inside.x1
        assert box.y1 <= inside.y1


def test_a_history_of_one_record_is_a_dot():
    history = made([valley()])
    for x in ("updates", "error"):
        figure = figure_of(cut_to(history, slice(20, 21)), x=x)
        assert figure.axes[0].lines[0].get_marker() == "."
        assert rendered(figure, "png").startswith(b"\x89PNG")


def test_looks_differ_until_colours_and_dashes_are_used_up():
    looks = [(colour(number), dashes(number)) for number in range(len(COLOURS) * len(DASHES))]
    assert len(set(looks)) == len(looks)


def test_histories_that_coincide_are_both_seen():
    pairs = [(colour(number), overlaid_dashes(number)) for number in range(len(COLOURS) * len(DASHES))]
    assert len(set(pairs)) == len(pairs)
    for number in range(3):  # short dashes of one length are those of the line at an inversion
        assert overlaid_dashes(number) == "-" or len(set(overlaid_dashes(number)[1])) > 1
    assert all(overlaid_dashes(number) != overlaid_dashes(number + 1) for number in range(24))
    same = [dynamics_of(made([valley()]), label=name) for name in ("a", "b")]
    first, second = [line for line in history_figure(same).axes[0].lines if len(line.get_xdata()) > 2]
    assert (first.get_linestyle(), second.get_linestyle()) == ("-", "--")
