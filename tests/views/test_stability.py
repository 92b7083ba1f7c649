"""The figure of a stability."""

import numpy as np
import pytest

from strag.errors import StragError
from strag.views.stability import THIN, stability_figure
from strag.views.style import BLUE, FORMATS, VERMILION, rendered
from tests.views.agreements import agreement
from tests.views.test_history import legend, texts, vertical_lines


def curve(panel, colour):
    """The curve of a panel in this colour, as wide as usual."""
    (line,) = (line for line in panel.lines if line.get_color() == colour and line.get_linewidth() > 1)
    return line


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_input_gives_the_same_bytes(form):
    first, second = (rendered(stability_figure(agreement()), form) for _ in range(2))
    assert first == second
    assert first != rendered(stability_figure(agreement(inversion=None)), form)


def test_curves_against_the_falling_error():
    found = agreement()
    left, right = stability_figure(found).axes
    for panel, colour, values in (
        (left, BLUE, found.kappa),
        (left, VERMILION, found.jaccard),
        (right, "#000000", found.z),
    ):
        line = curve(panel, colour)
        np.testing.assert_array_equal(line.get_xdata(), found.train_error)
        np.testing.assert_array_equal(line.get_ydata(), values)
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
    caption = "P = 1000, 20 runs (2 diverged and left out), disjoint pairs, depth 2, width 20, lr 0.2"
    assert caption in said
    for text in ("training error ε", "agreement at equal training error", "z, at equal updates"):
        assert text in said
    assert legend(figure) == ["κ, beyond chance", "95 % interval", "Jaccard index", "inversion"]
    assert "all pairs" in " ".join(texts(stability_figure(agreement(which="all"))))


def test_curves_are_thin_where_not_every_run_gets_there():
    runs = np.where(np.arange(40) < 30, 20, 11)
    found = agreement(runs=runs)
    figure = stability_figure(found)
    left, right = figure.axes
    bold = curve(left, BLUE).get_ydata()
    np.testing.assert_array_equal(bold[:30], found.kappa[:30])
    assert np.isnan(bold[30:]).all()
    thin = [
        line for line in left.lines if line.get_linewidth() == THIN["linewidth"] and len(line.get_xdata())
    ]
    assert [line.get_color() for line in thin] == [BLUE, VERMILION]
    np.testing.assert_array_equal(thin[0].get_ydata(), found.kappa)
    assert not np.isnan(curve(right, "#000000").get_ydata()).any()  # z is at equal updates, of all runs
    assert legend(figure)[-1] == "not every run"


def test_without_inversion_nothing_is_marked():
    figure = stability_figure(agreement(inversion=None))
    assert "made-up: no inversion" in texts(figure)
    assert "inversion" not in legend(figure)
    assert [vertical_lines(panel) for panel in figure.axes] == [[], []]


def test_a_legend_without_intervals_names_none():
    few = agreement(
        kappa_low=np.full(40, np.nan), kappa_high=np.full(40, np.nan), taken=4, runs=np.full(40, 4)
    )
    assert legend(stability_figure(few)) == ["κ, beyond chance", "Jaccard index", "inversion"]


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
    left, _ = stability_figure(agreement(train_error=error)).axes
    assert curve(left, BLUE).get_xdata().size == 35
    with pytest.raises(StragError, match=r"a\.json: has no record with a training error to show"):
        stability_figure(agreement(train_error=np.zeros(40)))
