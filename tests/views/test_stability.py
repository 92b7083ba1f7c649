"""The figure of a stability."""

import numpy as np
import pytest

from strag.errors import StragError
from strag.views.stability import THIN, sentence, stability_figure, tables
from strag.views.style import BLUE, VERMILION, rendered
from tests.views.agreements import agreement
from tests.views.forms import FORMS
from tests.views.test_history import dots, legend, texts, vertical_lines


def curve(panel, colour):
    """The curve of a panel in this colour, as wide as usual."""
    lines = [line for line in panel.lines if line.get_color() == colour and len(line.get_xdata()) > 1]
    (line,) = (line for line in lines if line.get_linewidth() > 1)
    return line


@pytest.mark.parametrize("form", FORMS)
def test_the_same_input_gives_the_same_bytes(form):
    first, second = (rendered(stability_figure(agreement()), form) for _ in range(2))
    assert first == second
    assert first != rendered(stability_figure(agreement(inversion=None)), form)


def test_curves_against_the_falling_error():
    found = agreement()
    left, middle, right = stability_figure(found).axes
    for panel, colour, values in (
        (left, BLUE, found.kappa),
        (left, VERMILION, found.jaccard),
        (right, "#000000", found.z),
    ):
        line = curve(panel, colour)
        np.testing.assert_array_equal(line.get_xdata(), found.train_error)
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert vertical_lines(middle) == [0.09]
    for panel in (left, right):
        assert panel.get_xscale() == "log"
        low, high = panel.get_xlim()
        assert low > 0.5 > 0.01 > high
        assert vertical_lines(panel) == [0.09]
    (band,) = left.collections
    (path,) = band.get_paths()
    assert {tuple(point) for point in np.round(path.vertices, 9)} >= {
        tuple(point) for point in np.round(np.stack([found.train_error, found.kappa_high], axis=1), 9)
    }


def test_it_says_what_it_shows():
    figure = stability_figure(agreement(diverged=2))
    said = texts(figure)
    assert "made-up: κ = 0.90 at the inversion, ε* = 0.09" in said
    caption = "P = 1000, 200 runs (2 diverged and left out), disjoint pairs, depth 2, width 20, lr 0.2; "
    top = "largest κ = 0.900 (0.850 to 0.950) at ε = 0.0909 = 1.01 ε*"
    assert caption + top in " ".join(said)
    for text in (
        "training error ε",
        "agreement at equal ε",
        "κ near its largest value",
        "z, at equal updates",
    ):
        assert text in said
    entries = ["κ, beyond chance", "95 % interval", "Jaccard index", "inversion", "largest κ"]
    assert legend(figure) == entries
    assert "all pairs" in " ".join(texts(stability_figure(agreement(which="all"))))


def test_curves_are_thin_where_not_every_run_gets_there():
    runs = np.where(np.arange(40) < 30, 200, 11)
    found = agreement(runs=runs)
    figure = stability_figure(found)
    left, _, right = figure.axes
    bold = curve(left, BLUE).get_ydata()
    np.testing.assert_array_equal(bold[:30], found.kappa[:30])
    assert np.isnan(bold[30:]).all()
    thin = [
        line for line in left.lines if line.get_linewidth() == THIN["linewidth"] and len(line.get_xdata())
    ]
    assert [line.get_color() for line in thin] == [BLUE, VERMILION]
    np.testing.assert_array_equal(thin[0].get_ydata(), found.kappa)
    assert not np.isnan(curve(right, "#000000").get_ydata()).any()  # z is at equal updates, of all runs
    assert "not every run" in legend(figure)


def test_without_inversion_nothing_is_marked():
    figure = stability_figure(agreement(inversion=None))
    assert "made-up: no inversion" in texts(figure)
    assert "inversion" not in legend(figure)
    assert [vertical_lines(panel) for panel in figure.axes] == [[], [], []]


def test_the_largest_kappa_and_its_interval_fill_a_panel_together_with_the_inversion():
    """The top is a hundredth of the axis from 0 to 1, and lies elsewhere than the inversion."""
    error = np.geomspace(0.5, 0.01, 400)
    kappa = 0.9 - 0.01 * np.square(np.log(error / 0.06))
    found = agreement(
        T=400, train_error=error, kappa=kappa, kappa_low=kappa - 0.002, kappa_high=kappa + 0.002
    )
    figure = stability_figure(found)
    panel = figure.axes[1]
    top = found.at_largest
    assert dots(panel) == [[error[top], kappa[top]]]
    assert vertical_lines(panel) == [0.09]
    near, far = panel.get_xlim()[::-1]
    assert near < 0.06 < 0.09 < far < 0.25
    low, high = panel.get_ylim()
    assert low < kappa[top] - 0.002 < kappa[top] + 0.002 < high
    assert 0.15 * (high - low) < 0.004
    line = curve(panel, BLUE)
    np.testing.assert_array_equal(line.get_ydata(), kappa[(error > error[top] / 1.6) & (error < 0.09 * 1.6)])
    assert "= 0.67 ε*" in " ".join(texts(figure))
    assert "= 0.67 eps*" in sentence(found)


def test_a_panel_of_the_largest_kappa_leaves_out_what_is_far_below_it():
    """A steep flank would make the axis long, and the top flat."""
    error = np.geomspace(0.5, 0.01, 400)
    kappa = 0.9 - np.where(error > 0.09, 8, 0.01) * np.square(np.log(error / 0.09))
    found = agreement(
        T=400, train_error=error, kappa=kappa, kappa_low=kappa - 0.002, kappa_high=kappa + 0.002
    )
    panel = stability_figure(found).axes[1]
    assert panel.get_ylim()[0] > 0.79
    shown = curve(panel, BLUE).get_ydata()
    assert shown.min() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("which", ["disjoint", "all"])
def test_z_needs_fifty_independent_pairs(which):
    reason = "z is left out: 49 of the 50 independent pairs that it needs"
    few, enough = (agreement(taken=taken, which=which) for taken in (99, 100))
    assert reason in " ".join(texts(stability_figure(few)))
    assert "z, at equal updates" not in texts(stability_figure(few))
    (table,) = tables(few)
    assert reason in table.caption
    assert "z" not in [heading for heading, _ in table.columns]
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert "z, at equal updates" in texts(stability_figure(enough))
    (table,) = tables(enough)
    assert "no z" not in table.caption
    assert "z" in [heading for heading, _ in table.columns]
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_the_title_says_the_groups():
    vehicles = agreement(classes=("0-1,8-9", "2-7"))
    assert "made-up (0-1,8-9 / 2-7): κ = 0.90 at the inversion, ε* = 0.09" in texts(
        stability_figure(vehicles)
    )
    assert tables(vehicles)[0].title == "made-up (0-1,8-9 / 2-7)"
    assert tables(agreement(classes=("even", "odd")))[0].title == "made-up"


def test_a_legend_without_intervals_names_none():
    few = agreement(
        kappa_low=np.full(40, np.nan), kappa_high=np.full(40, np.nan), taken=4, runs=np.full(40, 4)
    )
    assert legend(stability_figure(few)) == ["κ, beyond chance", "Jaccard index", "inversion", "largest κ"]


def test_the_axis_holds_every_value():
    below = agreement(kappa=np.linspace(-0.4, 0.8, 40), kappa_low=np.linspace(-0.5, 0.7, 40))
    low, high = stability_figure(below).axes[0].get_ylim()
    assert low <= -0.5
    assert high >= 1
    assert stability_figure(agreement(T=10)).axes[0].get_ylim()[0] <= 0


@pytest.mark.parametrize(
    "changed",
    [
        dict.fromkeys(("z", "kappa_low", "kappa_high"), np.full(40, np.nan)),
        dict.fromkeys(("z", "kappa", "kappa_low", "kappa_high", "jaccard"), np.full(40, np.nan)),
        {"train_error": np.full(40, 0.2)},
        {"title": None, "recipe": {}},
        {"inversion": (20.0, 0.0)},
    ],
    ids=["no interval", "nothing", "one error", "no title", "no error at the inversion"],
)
def test_odd_values_are_drawn_all_the_same(changed, recwarn):
    assert rendered(stability_figure(agreement(**changed)), "png").startswith(b"\x89PNG")
    assert not recwarn.list


def test_records_without_error_are_left_out_and_some_must_be_left():
    error = np.geomspace(0.5, 0.01, 40)
    error[35:] = 0
    left, *_ = stability_figure(agreement(train_error=error)).axes
    assert curve(left, BLUE).get_xdata().size == 35
    with pytest.raises(StragError, match=r"a\.json: has no record with a training error to show"):
        stability_figure(agreement(train_error=np.zeros(40)))
