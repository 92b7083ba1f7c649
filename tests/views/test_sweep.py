"""The figure of a sweep."""

from dataclasses import replace

import numpy as np
import pytest

from strag.bits import pack
from strag.errors import StragError
from strag.stragglers.controls import DRAWN
from strag.stragglers.sets import CONTROLS, NO_CONTROL
from strag.stragglers.sweep import Baseline, sweep_of
from strag.views.style import FORMATS, house_style, rendered
from strag.views.sweep_figure import LOOKS, NAMES, sweep_figure
from tests.views.sweeps import sweep, told
from tests.views.test_history import legend, texts


def over_time():
    columns = {"run": [0, 1] * 4, "dose": [1.0] * 8, "update": [5, 5, 20, 20] * 2}
    return told(sweep(), **columns)


def with_every_control():
    """Two updates for the stragglers and every kind of control that is drawn, one network each."""
    control = [name for name in (NO_CONTROL, *DRAWN) for _ in range(2)]
    return told(sweep(), run=[0] * 8, dose=[0.0] * 8, update=[5, 20] * 4, control=control)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_input_gives_the_same_bytes(form):
    first, second = (rendered(sweep_figure(sweep_of(sweep())), form) for _ in range(2))
    assert first == second


def test_shares_depths_and_test_errors_are_those_of_the_networks():
    found = sweep_of(sweep())
    left, middle, right = sweep_figure(found).axes
    assert [line.get_ydata().tolist() for line in left.lines] == [[1, 0], [1, 1]]
    np.testing.assert_allclose(middle.lines[0].get_ydata(), [found.conditions[0].depth_at_4.mean(), np.nan])
    for panel, name in ((right, "test_error"),):
        for line, conditions in zip(panel.lines, (found.conditions[:2], found.conditions[2:]), strict=False):
            np.testing.assert_allclose(line.get_xdata(), [0.5, 1])
            np.testing.assert_allclose(line.get_ydata(), [getattr(one, name).mean() for one in conditions])


def test_it_says_what_it_shows():
    figure = sweep_figure(sweep_of(sweep()))
    said = texts(figure)
    for text in (
        "made-up: 0 of 2 networks invert without the stragglers",
        "P = 48 to 56 of 64, 8 networks, depth 2, width 20, lr 0.2, trained for 100 updates",
        "share that inverts",
        "depth up to 4 t*",
        "test error, noise σ = 1",
        "stragglers left out",
    ):
        assert text in said
    assert legend(figure) == [
        NAMES["none"],
        NAMES["class"],
        "± 1 s.d. over 2 networks",
        "least depth of an inversion",
    ]


def test_networks_of_which_it_is_not_known_are_a_bar_above_the_share():
    found = sweep_of(sweep(diverged=[0, 2]))
    panel = sweep_figure(found).axes[0]
    assert panel.lines[0].get_ydata().tolist() == [0.5, 0]
    (bars,) = panel.containers
    segments = [one.tolist() for one in bars[2][0].get_segments()]
    assert segments == [[[0.5, 0.5], [0.5, 1.0]], [[1.0, 0.0], [1.0, 0.5]]]
    assert "undecided: open, unstable, ..." in legend(panel.figure)
    assert any("0 of 2 networks invert (1 undecided) without" in text for text in texts(panel.figure))
    assert not sweep_figure(sweep_of(sweep())).axes[0].containers


def test_over_time_the_axis_is_that_of_updates():
    figure = sweep_figure(sweep_of(over_time()))
    left, right = figure.axes
    assert left.get_xlabel() == right.get_xlabel() == "update t of the examples left out"
    assert left.get_xscale() == "log"
    assert left.lines[0].get_xdata().tolist() == [5, 20]


BASELINE = Baseline(update=12.0, train_error=0.2, stopped_test_error=0.05, test_error=0.9)


def test_against_the_error_a_set_stands_at_its_share_of_the_examples():
    """8 of 64 are left out at 5, 16 at 20, more than before; large errors are on the left."""
    left, right = sweep_figure(sweep_of(over_time()), "error").axes
    assert left.get_xlabel() == right.get_xlabel() == "share ε(t) left out"
    assert left.lines[0].get_xdata().tolist() == [8 / 64, 16 / 64]
    assert left.get_xscale() == "log"
    low, high = left.get_xlim()[::-1]
    assert low < 8 / 64 < 16 / 64 < high


def test_against_the_error_what_left_out_nothing_is_not_shown():
    history = over_time()
    trained = np.ones((8, history.examples), bool)
    nothing = replace(history, trained=pack(trained))
    trained[:2, :16] = False
    left = sweep_figure(sweep_of(replace(history, trained=pack(trained))), "error").axes[0]
    np.testing.assert_equal(left.lines[0].get_xdata(), [0.25, np.nan])
    with pytest.raises(StragError, match=r"history: left out nothing.*plot it against updates"):
        sweep_figure(sweep_of(nothing), "error")


@pytest.mark.parametrize(("x", "mark"), [("updates", 12.0), ("error", 0.2)])
def test_a_baseline_is_two_lines_across_and_one_down(x, mark):
    figure = sweep_figure(sweep_of(over_time()), x, BASELINE)
    left, right = figure.axes
    across = [line.get_ydata()[0] for line in right.lines if list(line.get_xdata()) == [0, 1]]
    assert across == [0.9, 0.05]
    assert right.get_ylim()[0] < 0.05 < 0.9 < right.get_ylim()[1]
    for panel in (left, right):
        assert [mark, mark] in [list(line.get_xdata()) for line in panel.lines]
    assert legend(figure)[-3:] == ["all examples", "all examples, stopped at t*", "inversion t*"]


def test_the_axis_reaches_an_inversion_outside_of_the_sets():
    left = sweep_figure(sweep_of(over_time()), "updates", replace(BASELINE, update=70.0)).axes[0]
    assert left.get_xlim()[1] > 70


def test_without_an_inversion_or_among_doses_there_is_no_line_down():
    none = Baseline(None, None, None, 0.9)
    assert legend(sweep_figure(sweep_of(over_time()), "updates", none))[-1] == "all examples"
    assert legend(sweep_figure(sweep_of(sweep()), "updates", BASELINE))[-1] == "all examples, stopped at t*"


def test_every_control_has_a_name_and_a_look_of_its_own():
    assert tuple(LOOKS) == tuple(NAMES) == CONTROLS
    for looks in zip(*LOOKS.values(), strict=True):
        assert len(set(looks)) == len(CONTROLS)
    assert len(set(NAMES.values())) == len(CONTROLS)
    drawn = [NAMES[name] for name in (NO_CONTROL, *DRAWN)]
    assert legend(sweep_figure(sweep_of(with_every_control())))[:4] == drawn


@pytest.mark.parametrize(
    "history", [sweep(), over_time(), with_every_control(), sweep(diverged=[0], title="long " * 20)]
)
@pytest.mark.parametrize("baseline", [None, BASELINE])
@pytest.mark.parametrize("x", ["updates", "error"])
def test_no_text_is_clipped(history, x, baseline):
    figure = sweep_figure(sweep_of(history), x, baseline)
    with house_style():
        figure.draw_without_rendering()
        box, inside = figure.get_tightbbox(), figure.bbox_inches
    assert (box.x0, box.y0) >= (inside.x0, inside.y0)
    assert box.x1 <= inside.x1
    assert box.y1 <= inside.y1
