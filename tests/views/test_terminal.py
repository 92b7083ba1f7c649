"""Curves of characters."""

import re

import pytest

from strag.views.dynamics import dynamics_of
from strag.views.terminal import history_text
from tests.views.histories import CURVES, falling, made, valley

SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def shown():
    return [dynamics_of(made([valley(20), valley(22)]), curves=CURVES)]


@pytest.mark.parametrize("width", [40, 60, 80, 109, 110, 200])
@pytest.mark.parametrize("x", ["updates", "error"])
def test_is_as_wide_as_the_terminal(shown, width, x):
    two = [*shown, dynamics_of(made([falling()] * 3, diverged=[1]), label="a name of some length")]
    for several in (shown, two):
        for coloured in (False, True):
            text = history_text(several, x, width, 24, coloured)
            assert max(len(line) for line in SEQUENCE.sub("", text).splitlines()) <= width


@pytest.mark.parametrize("width", [40, 80, 165, 200])
def test_shows_the_curves_that_are_named_in_their_order(shown, width):
    titles = ["separation η²", "gyration radius R", "distance D"]
    for curves in (("separation",), ("separation", "radius"), ("separation", "radius", "distance")):
        text = history_text(shown, width=width, coloured=False, curves=curves)
        places = [text.find(title) for title in titles[: len(curves)]]
        assert -1 not in places
        assert places == sorted(places)
        assert not any(title in text for title in titles[len(curves) :])
        assert max(len(line) for line in text.splitlines()) <= width
        rows = [line for line in text.splitlines() if any(title in line for title in titles)]
        beside = width >= 55 * len(curves)
        assert len(rows) == (1 if beside else len(curves))


def test_says_the_inversion_and_names_the_axes(shown):
    text = history_text(shown, coloured=False)
    assert text.splitlines()[0] == f"made-up: {shown[0].sentence}"
    for name in ("gyration radius R", "distance D", "updates t"):
        assert name in text
    assert "training error ε" in history_text(shown, "error", coloured=False)


def test_the_error_falls_to_the_right_and_time_runs_there(shown):
    ticks = {x: history_text(shown, x, coloured=False).splitlines()[-2].split() for x in ("error", "updates")}
    assert ticks["error"] == ["0.5", "0.2", "0.1", "0.05", "0.02", "0.01"]
    assert ticks["updates"] == ["1", "2", "5", "10", "20", "50", "100"]


def test_fits_a_usual_terminal_and_grows_with_it(shown):
    assert len(history_text(shown, width=80, height=24).splitlines()) <= 24
    assert len(history_text(shown, width=80, height=40).splitlines()) > 30
    assert len(history_text(shown, width=120, height=24).splitlines()) <= 24


def test_without_colours_there_are_none_and_letters_tell_curves_apart(shown):
    assert not SEQUENCE.search(history_text(shown, coloured=False))
    assert SEQUENCE.search(history_text(shown, coloured=True))
    two = [*shown, dynamics_of(made([falling(), falling()]), label="pruned")]
    lines = history_text(two, coloured=False).splitlines()
    assert f"b pruned: {two[1].sentence}" in lines
    assert any("aaa" in line for line in lines)
    assert any("bbb" in line for line in lines)


def test_the_curve_has_its_valley_where_the_history_has_it():
    lines = history_text(
        [dynamics_of(made([valley(20)] * 2))], width=80, height=40, coloured=False
    ).splitlines()
    panel = lines[: next(at for at, line in enumerate(lines) if "distance D" in line)]
    drawn = [line for line in panel if re.search("[\u2801-\u28ff]", line)]
    middle = [at for at, mark in enumerate(drawn[-1]) if "\u2801" <= mark <= "\u28ff"]
    left, right = drawn[0].index("┤") if "┤" in drawn[0] else drawn[0].index("│"), len(drawn[0]) - 1
    place = (sum(middle) / len(middle) - left) / (right - left)
    assert place == pytest.approx(0.65, abs=0.05)  # log 20 / log 100


def test_the_same_text_twice(shown):
    first = history_text(shown)
    history_text([*shown, *shown], "error", 120)
    assert history_text(shown) == first
