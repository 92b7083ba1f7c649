"""The figure of a sweep."""

from dataclasses import replace

import numpy as np
import pytest

from strag.bits import pack
from strag.errors import StragError
from strag.stragglers.intervals import two_levels
from strag.stragglers.sets import CONTROLS
from strag.stragglers.sweep import Baseline, sweep_of
from strag.views.style import FORMATS, house_style, rendered
from strag.views.sweep import tables
from strag.views.sweep_figure import sweep_figure
from strag.views.sweep_panels import AT_T, LOOKS, NAMES
from tests.views.histories import RECIPE, made, valley
from tests.views.sweeps import sweep, told
from tests.views.test_history import legend, texts


def over_time():
    columns = {"run": [0, 1] * 4, "dose": [1.0] * 8, "update": [5, 5, 20, 20] * 2}
    return told(sweep(), **columns)


def with_every_control(runs=1):
    """Sets of two updates and every kind of control, for one run or several."""
    control = [name for name in CONTROLS for _ in range(2 * runs)]
    places = {"run": [*range(runs)] * 2, "update": [5] * runs + [20] * runs}
    columns = {name: column * len(CONTROLS) for name, column in places.items()}
    return told(many(len(control)), dose=[0.0] * len(control), control=control, **columns)


def many(networks, **options):
    """A sweep of this many networks."""
    history = made([valley()] * networks, recipe={**RECIPE, "noise": [0.0]}, **options)
    trained = np.ones((networks, history.examples), dtype=bool)
    trained[:, :8] = False
    error = 0.1 + 0.3 * np.random.default_rng(0).random((1, networks, 1))
    tests = {"test_error": error.astype(np.float32), "test_updates": np.array([100])}
    return replace(history, trained=pack(trained), **tests)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_input_gives_the_same_bytes(form):
    first, second = (rendered(sweep_figure(sweep_of(sweep())), form) for _ in range(2))
    assert first == second


def of(panel, control):
    """The line of a control in a panel."""
    (line,) = (
        line
        for line in panel.lines
        if line.get_color() == LOOKS[control][0] and line.get_linestyle() != "None"
    )
    return line


def test_shares_times_depths_and_test_errors_are_those_of_the_networks():
    found = sweep_of(sweep())
    share, *others = sweep_figure(found).axes
    assert [of(share, name).get_ydata().tolist() for name in ("none", "class")] == [[1, 0], [1, 1]]
    for panel, name in zip(others, ("update", "depth_at_4", "test_error"), strict=True):
        for control in ("none", "class"):
            means = [getattr(one, name).mean() for one in found.conditions if one.control == control]
            line = of(panel, control)
            np.testing.assert_allclose(line.get_xdata(), [0.5, 1])
            np.testing.assert_allclose(line.get_ydata(), means)
    turn = others[0]
    assert turn.get_yscale() == "log"
    low, high = turn.get_ylim()
    assert low < 20 < 22 < high


def test_it_says_what_it_shows():
    figure = sweep_figure(sweep_of(sweep()))
    said = texts(figure)
    for text in (
        "made-up: 0 of 2 networks invert without the stragglers",
        "P = 48 to 56 of 64, 8 networks, depth 2, width 20, lr 0.2, trained for 100 updates",
        "share that inverts",
        "t* of those that invert",
        "depth up to 4 t*",
        "test error, noise σ = 1",
        "share of the stragglers left out",
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
    assert of(panel, "none").get_ydata().tolist() == [0.5, 0]
    (bars,) = panel.containers
    segments = [one.tolist() for one in bars[2][0].get_segments()]
    assert segments == [[[0.5, 0.5], [0.5, 1.0]], [[1.0, 0.0], [1.0, 0.5]]]
    (hollow,) = (line for line in panel.lines if line.get_markerfacecolor() == "white")
    assert hollow.get_ydata().tolist() == [0.5, 0]
    assert "undecided: open, unstable, ..." in legend(panel.figure)
    assert any("0 of 2 networks invert (1 undecided) without" in text for text in texts(panel.figure))
    assert not sweep_figure(sweep_of(sweep())).axes[0].containers


def test_an_open_network_is_a_triangle_where_an_inversion_is_excluded():
    """A network of which it is not known whether it inverts is not a `no`: it is open."""
    history = sweep()
    loss, error = history.train_loss.copy(), history.train_error.copy()
    loss[:, 2:4], error[:, 2:4] = 1.0, 0.4
    found = sweep_of(replace(history, train_loss=loss, train_error=error))
    assert found.conditions[1].verdicts == {"open": 2}
    bound = found.conditions[1].excluded_below.mean()
    assert np.isfinite(bound)
    figure = sweep_figure(found)
    (hollow,) = (line for line in figure.axes[1].lines if line.get_markerfacecolor() == "white")
    assert (hollow.get_xdata(), hollow.get_ydata()) == ([1.0], [bound])
    assert hollow.get_marker() == "^"
    assert "open: no inversion before" in legend(figure)
    assert any("0 of 2 networks invert (2 open) without" in text for text in texts(figure))


def test_a_sweep_until_decided_says_so():
    recipe = {**sweep().recipe, "until": "decided"}
    history = sweep()
    history = replace(history, meta={**history.meta, "recipe": recipe})
    assert "trained until decided, for 100 updates" in " ".join(texts(sweep_figure(sweep_of(history))))


def test_over_time_the_axis_is_that_of_updates():
    figure = sweep_figure(sweep_of(over_time()))
    left, right, _ = figure.axes
    assert left.get_xlabel() == right.get_xlabel() == "update t at which S(t)\nwas taken"
    assert left.get_xscale() == "log"
    assert of(left, "none").get_xdata().tolist() == [5, 20]


def test_over_time_the_sets_are_the_stragglers_only_at_the_inversion():
    figure = sweep_figure(sweep_of(over_time()), "updates", BASELINE)
    assert legend(figure)[0] == AT_T == "S(t), misclassified at t"
    assert NAMES["none"] not in legend(figure)
    assert "made-up: trained without S(t), the examples misclassified at t" in texts(figure)
    assert legend(figure)[-1] == "t* = 12: the stragglers"
    assert legend(sweep_figure(sweep_of(over_time()), "error", BASELINE))[-1] == "ε* = 0.2: the stragglers"
    assert tables(sweep_of(over_time()))[0].rows[0][0] == "S(t)"


def test_the_differences_are_from_every_control_by_run_with_their_interval():
    found = sweep_of(with_every_control(runs=3))
    panel = sweep_figure(found).axes[2]
    assert panel.get_ylabel() == "test error: S(t) minus\ncontrol, 95 % interval"
    own, bands = [one for one in found.conditions if one.control == "none"], iter(panel.collections)
    for control in CONTROLS[:0:-1]:  # from the last one to the first one
        others = [one for one in found.conditions if one.control == control]
        of_runs = [one.test_error - other.test_error for one, other in zip(own, others, strict=True)]
        np.testing.assert_allclose(of(panel, control).get_ydata(), [values.mean() for values in of_runs])
        level = two_levels([of_runs[0]])
        drawn = next(bands).get_paths()[0].vertices
        assert {level.low, level.high} <= set(drawn[drawn[:, 0] == 5, 1])
    assert not any(line.get_color() == LOOKS["none"][0] for line in panel.lines)
    assert [0, 0] in [list(line.get_ydata()) for line in panel.lines]


def test_the_table_has_the_differences():
    found = sweep_of(with_every_control(runs=3))
    (table,) = tables(found)
    at = [heading for heading, _ in table.columns].index("S(t) - control")
    for row, condition in zip(table.rows, found.conditions, strict=True):
        same = [one for one in found.conditions if (one.control, one.place) == ("none", condition.place)]
        difference = same[0].test_error.mean() - condition.test_error.mean()
        assert row[at] == ("-" if condition.control == "none" else f"{difference:+.4f}")


def test_small_differences_are_seen_next_to_large_ones():
    history = with_every_control()
    error = np.full(history.test_error.shape, 0.1, dtype=np.float32)
    error[:, :2, 0] += np.array([0.2, 0.0015], dtype=np.float32)
    panel = sweep_figure(sweep_of(replace(history, test_error=error))).axes[2]
    assert panel.get_yscale() == "symlog"
    heights = [panel.transData.transform((5, value))[1] for value in (0.0, 0.0015, 0.2)]
    assert heights[1] - heights[0] > 0.1 * (heights[2] - heights[0])
    error[:, :2, 0] = np.array([0.2, 0.15], dtype=np.float32)
    panel = sweep_figure(sweep_of(replace(history, test_error=error))).axes[2]
    assert panel.get_yscale() == "linear"


BASELINE = Baseline(update=12.0, train_error=0.2, stopped_test_error=0.05, test_error=0.9)


def test_against_the_error_a_set_stands_at_its_share_of_the_examples():
    """8 of 64 are left out at 5, 16 at 20, more than before; large errors are on the left."""
    left, right, _ = sweep_figure(sweep_of(over_time()), "error").axes
    assert left.get_xlabel() == right.get_xlabel() == "training error ε(t), the\nshare left out"
    assert of(left, "none").get_xdata().tolist() == [8 / 64, 16 / 64]
    assert left.get_xscale() == "log"
    low, high = left.get_xlim()[::-1]
    assert low < 8 / 64 < 16 / 64 < high


def test_against_the_error_what_left_out_nothing_is_not_shown():
    history = over_time()
    trained = np.ones((8, history.examples), bool)
    nothing = replace(history, trained=pack(trained))
    trained[:2, :16] = False
    left = sweep_figure(sweep_of(replace(history, trained=pack(trained))), "error").axes[0]
    np.testing.assert_equal(of(left, "none").get_xdata(), [0.25, np.nan])
    with pytest.raises(StragError, match=r"history: left out nothing.*plot it against updates"):
        sweep_figure(sweep_of(nothing), "error")


@pytest.mark.parametrize(("x", "mark"), [("updates", 12.0), ("error", 0.2)])
def test_a_baseline_is_two_lines_across_and_one_down(x, mark):
    figure = sweep_figure(sweep_of(over_time()), x, BASELINE)
    left, right, _ = figure.axes
    across = [line.get_ydata()[0] for line in right.lines if list(line.get_xdata()) == [0, 1]]
    assert across == [0.9, 0.05]
    assert right.get_ylim()[0] < 0.05 < 0.9 < right.get_ylim()[1]
    for panel in (left, right):
        assert [mark, mark] in [list(line.get_xdata()) for line in panel.lines]
    assert legend(figure)[-3:-1] == ["all examples", "all examples, stopped at t*"]


def test_the_axis_reaches_an_inversion_outside_of_the_sets():
    left = sweep_figure(sweep_of(over_time()), "updates", replace(BASELINE, update=70.0)).axes[0]
    assert left.get_xlim()[1] > 70


def test_without_an_inversion_or_among_doses_there_is_no_line_down():
    none = Baseline(None, None, None, 0.9)
    assert legend(sweep_figure(sweep_of(over_time()), "updates", none))[-1] == "all examples"
    assert legend(sweep_figure(sweep_of(sweep()), "updates", BASELINE))[-1] == "all examples, stopped at t*"


def test_among_doses_the_inversion_of_all_examples_is_a_line_across():
    turn = sweep_figure(sweep_of(sweep()), "updates", BASELINE).axes[1]
    assert [12.0, 12.0] in [list(line.get_ydata()) for line in turn.lines]
    assert turn.get_ylim()[0] < 12 < turn.get_ylim()[1]


def test_every_control_has_a_name_and_a_look_of_its_own():
    assert tuple(LOOKS) == tuple(NAMES) == CONTROLS
    for looks in zip(*LOOKS.values(), strict=True):
        assert len(set(looks)) == len(LOOKS)
    assert len(set(NAMES.values())) == len(NAMES)
    names = [AT_T, *(NAMES[control] for control in CONTROLS[1:])]
    assert legend(sweep_figure(sweep_of(with_every_control())))[: len(CONTROLS)] == names


@pytest.mark.parametrize(
    "history",
    [
        sweep(),
        over_time(),
        with_every_control(),
        with_every_control(runs=3),
        sweep(diverged=[0], title="long " * 20, classes=["a very long name of a group", "b,c,d"]),
    ],
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
