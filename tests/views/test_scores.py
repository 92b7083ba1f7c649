"""The figure, the table and the sentence of scores: who expands the groups."""

from dataclasses import replace

import numpy as np
import pytest

from strag.files.scores import scores_in_memory
from strag.files.stamp import stamp
from strag.geometry import expansion as science
from strag.views.scores import scores_figure, sentence, tables
from strag.views.style import BLUE, INK, VERMILION, rendered
from tests.geometry.test_expansion import networks, visiting
from tests.views.forms import FORMS
from tests.views.test_history import texts

R, P, C = 3, 40, 3


def scores(own=True, consensus=True, seed=0, **changed):
    """Scores of made-up networks, some examples of which are left out of training."""
    states, group, trained = networks(seed, R=R, P=P, classes=C)
    whole = science.expansion(visiting(states), group, trained, C)
    sets = {"consensus": np.arange(P) < 6, "own": (np.arange(P) < [[4], [5], [6]]) & trained}
    sets = {name: sets[name] for name, wanted in (("consensus", consensus), ("own", own)) if wanted}
    parts = {name: whole.part(members & trained) for name, members in sets.items()}
    combined = [
        {
            "run": run,
            "from": 9 + run,
            "to": 90,
            "change": whole.change[run],
            "classes": {name: {} for name in "abc"},
            **{
                name: {"examples": 4, "stragglers": part[run], "others": whole.change[run] - part[run]}
                for name, part in parts.items()
            },
        }
        for run in range(R)
    ]
    summary = {"runs": R, "change": science.summarised(whole.change)}
    summary |= {name: science.divided(whole, members, trained) for name, members in sets.items()}
    fields = {"runs": [0, 1, 2], "layers": [1], "origin": "o", "direction": "positive", "title": "made-up"}
    meta = stamp("scores", **{**fields, "combined": combined, "summary": summary, **changed})
    return scores_in_memory(meta, np.arange(P), np.nan_to_num(whole.mean()), whole.share, **sets)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_input_gives_the_same_bytes(form):
    first, second = (rendered(scores_figure(scores()), form) for _ in range(2))
    assert first == second
    assert first != rendered(scores_figure(scores(own=False, consensus=False)), form)


def lines_of(figure, colour):
    """The points of the curves of one colour on the left: list of [n, 2]."""
    lines = figure.axes[0].lines
    return [line.get_xydata() for line in lines if line.get_color() == colour and len(line.get_xdata()) > 2]


def test_the_curves_end_at_the_parts():
    shown = scores()
    figure = scores_figure(shown)
    for run in range(R):
        ends = [lines_of(figure, colour)[run][-1] for colour in (VERMILION, BLUE)]
        parts = shown.meta["combined"][run]["own"]
        assert [end[1] for end in ends] == pytest.approx([parts["stragglers"], parts["others"]], abs=1e-6)
        assert sum(end[0] for end in ends) == pytest.approx(1)
    dots = [line.get_xydata()[0, 1] for line in figure.axes[0].lines if line.get_marker() == "o"]
    own = shown.summary["own"]
    assert dots == pytest.approx([own["stragglers"]["mean"], own["others"]["mean"]], abs=1e-6)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["stragglers", "others", "mean over runs"]


def test_without_stragglers_one_curve_per_run_ends_at_the_change():
    shown = scores(own=False, consensus=False)
    curves = lines_of(scores_figure(shown), INK)
    assert len(curves) == R
    changes = [run["change"] for run in shown.meta["combined"]]
    assert [curve[-1, 1] for curve in curves] == pytest.approx(changes, abs=1e-6)
    for curve in curves:  # the largest shares come first
        assert (np.diff(np.diff(curve[:, 1])) <= 1e-12).all()


def test_the_distributions_are_densities():
    for shown in (scores(), scores(own=False, consensus=False)):
        for patch in scores_figure(shown).axes[1].patches:
            edges, heights = np.unique(patch.get_xy()[:, 0]), patch.get_xy()[1:-1:2, 1]
            width = (edges[-1] - edges[0]) / (len(edges) - 1)
            assert (heights[: len(edges) - 1] * width).sum() == pytest.approx(1)


def test_it_says_what_it_shows():
    shown = scores()
    said = " ".join(texts(scores_figure(shown)))
    own = shown.summary["own"]
    for text in (
        f"made-up: R² changes by {shown.summary['change']['mean']:+.3g}; stragglers ",
        f"{own['stragglers']['mean']:+.3g}, others {own['others']['mean']:+.3g}",
        "t = 9-11 to 90, 3 runs, ",
        "% stragglers, of each run",
        "part in the change of R²",
    ):
        assert text in said
    assert "of most runs" in " ".join(texts(scores_figure(scores(own=False))))
    plain = " ".join(texts(scores_figure(scores(own=False, consensus=False))))
    assert "straggler" not in plain
    assert "all examples" in plain


def test_the_sentence_has_the_parts_and_their_ranges():
    shown = scores()
    change, own = shown.summary["change"], shown.summary["own"]
    assert sentence(shown) == (
        f"R^2 changes by {change['mean']:+.4f} ({change['smallest']:+.4f} to {change['largest']:+.4f}) "
        f"from update 9-11 to 90 (3 runs); stragglers of each run ({own['examples']['mean']:.0f}, "
        f"{100 * own['share_of_examples']['mean']:.2g} %): {own['stragglers']['mean']:+.4f} "
        f"({own['stragglers']['smallest']:+.4f} to {own['stragglers']['largest']:+.4f}), "
        f"others: {own['others']['mean']:+.4f} ({own['others']['smallest']:+.4f} to "
        f"{own['others']['largest']:+.4f})"
    )
    left_out = [{"run": 7, "reason": "no inversion"}, {"run": 8, "reason": "no inversion"}]
    few = sentence(scores(own=False, consensus=False, left_out=left_out))
    assert few.endswith(" to 90 (3 runs); 2 runs left out: no inversion")


def test_the_table_has_a_row_per_run():
    (table,) = tables(scores())
    assert [row[:3] for row in table.rows] == [("0", "9", "90"), ("1", "10", "90"), ("2", "11", "90")]
    assert len(table.columns) == len(table.rows[0]) == 7
    (plain,) = tables(scores(own=False, consensus=False))
    assert len(plain.columns) == len(plain.rows[0]) == 4


def test_it_holds_where_nothing_moves_and_without_a_straggler():
    shown = scores()
    still = replace(shown, of_runs=np.where(np.isnan(shown.of_runs), np.nan, 0))
    rendered(scores_figure(still), "png")
    nobody = replace(shown, own=np.zeros_like(shown.own))
    rendered(scores_figure(nobody), "png")
