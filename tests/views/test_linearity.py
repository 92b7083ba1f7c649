"""The figure, tables and sentence of a linearity."""

from dataclasses import replace

import numpy as np
import pytest

from strag.errors import StragError
from strag.stragglers.linearity import Linearity
from strag.views.linearity import linearity_figure, picture, sentence, tables
from strag.views.style import INK

UPDATES = np.array([0, 5, 10, 20, 40, 80, 160])


def made(t_star=(40.0, 36.0), known=True, updates=UPDATES, recipe=None):
    """Two runs whose error falls as 1 / (2 + t) and whose R^2 does so, too."""
    updates = np.repeat(updates[:, None], 2, axis=1)
    r2 = (1 - updates / 400) * [1, 0.98]
    inversion = None if t_star is None else np.array([t_star, 0.06 + 0 * np.array(t_star)])
    counts = [np.full(2, n) for n in (90, 80, 7, 6)]
    r2 = r2 if known else np.full(r2.shape, np.nan)
    error = 1 / (2 + updates)
    meta = {"title": "made-up", "recipe": recipe or {"depth": 2, "width": 20, "lr": 0.1}}
    return Linearity((0, 1), updates, error, r2, r2**2, *counts, inversion=inversion, meta=meta)


def marks(figure):
    """Where the vertical lines are, one list for each panel."""
    return [
        [line.get_xdata()[0] for line in axes.lines if line.get_color() == INK and len(line.get_xdata()) == 2]
        for axes in figure.axes
    ]


def test_the_sentence_says_what_is_known():
    assert sentence(made()) == (
        "R2 0.965, 93.2 % equal at t*/4; R2 0.891, 79.4 % equal at t*; "
        "R2 0.594, 35.3 % equal at 4 t* (2 of 2 runs inverting)"
    )
    assert sentence(made((40.0, np.nan))).endswith("(1 of 2 runs inverting)")
    ends = "R2 0.990, 98.0 % equal at update 0; R2 0.594, 35.3 % equal at update 160"
    assert sentence(made(None)) == f"{ends} (2 runs)"
    assert sentence(made((np.nan, np.nan))) == f"{ends} (2 runs; no run inverts)"
    assert sentence(made(updates=np.array([7]))).startswith("R2 0.973, 94.6 % equal at t*/4 (2")
    assert sentence(made(updates=np.array([1]))) == (
        "no weights are stored near the inversion (2 of 2 runs inverting)"
    )
    assert sentence(made(known=False)) == "nothing is fitted (2 runs)"


def test_runs_that_end_at_different_updates_are_not_at_their_mean():
    ended = replace(made(None, updates=np.array([160])), updates=np.array([[147, 181]]))
    assert sentence(ended) == "R2 0.594, 35.3 % equal at updates 147 to 181 (2 runs)"


def test_the_figure_marks_the_inversion_in_both_panels():
    assert marks(linearity_figure(made())) == [[38.0], [38.0]]
    np.testing.assert_allclose(marks(linearity_figure(made(), "error")), 0.06)
    assert marks(linearity_figure(made(None))) == [[], []]


def test_the_curves_are_means_over_runs():
    left, right = linearity_figure(made()).axes
    np.testing.assert_array_equal(left.lines[0].get_xdata(), UPDATES[1:])
    np.testing.assert_allclose(left.lines[0].get_ydata(), made().r2[1:].mean(axis=1))
    np.testing.assert_allclose(right.lines[0].get_ydata(), 1 - made().train_error[1:, 0])
    np.testing.assert_allclose(right.lines[1].get_ydata(), made().agreement[1:].mean(axis=1))
    (by_error,) = (axes.lines[0].get_xdata() for axes in linearity_figure(made(), "error").axes[:1])
    np.testing.assert_allclose(by_error, made().train_error[:, 0])


def test_what_has_nothing_to_show_is_refused():
    with pytest.raises(StragError, match="has no fit to show: 90 rows of even index, 7 inputs"):
        picture(made(known=False)).figure()
    with pytest.raises(StragError, match="has no weights after update 0 to show"):
        picture(made(updates=np.array([0]))).figure()
    assert picture(made(updates=np.array([0])), x="error").figure()


def test_the_table_has_every_update_if_they_are_few():
    shown, around = tables(made())
    assert [row[0] for row in shown.rows] == [str(update) for update in UPDATES]
    assert [row[:2] for row in around.rows] == [("t*/4", "10"), ("t*", "40"), ("4 t*", "160")]
    assert len(tables(made(None))) == 1
    (long,) = tables(made(None, updates=np.arange(100)))
    assert (len(long.rows), long.rows[0][0], long.rows[-1][0]) == (20, "0", "99")
    assert "20 of 100 updates" in long.caption
    (unknown,) = tables(made(None, known=False))
    assert unknown.rows[0][2:] == ("-", "-", "-", "-", "0")
