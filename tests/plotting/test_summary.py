"""The figure of a summary: differences where all are known, else what was measured."""

from dataclasses import replace

import pytest

from strag.plotting.summary import summary_figure
from strag.stragglers.summary import summarise
from tests.stragglers.test_summary import experiment


def at(settings, block, values):
    """An Experiment of two runs, numbers 0 and 1, that invert."""
    return replace(experiment(settings, block, 2, values), seeds=(0, 1), verdicts=("inversion",) * 2)


@pytest.mark.parametrize(("block", "paired"), [("a", True), ("b", False)])
def test_differences_are_shown_where_every_condition_shares_data_with_the_reference(block, paired):
    found = summarise(
        [at({}, "a", [0.10, 0.20]), at({}, "c", [0.11, 0.21]), at({"width": 50}, block, [0.13, 0.23])]
    )
    panel = summary_figure(found).axes[0]
    assert panel.get_xlabel().endswith("less the reference's") == paired
    means = sorted(line.get_xdata()[0] for line in panel.lines if line.get_marker() == "o")
    assert means == pytest.approx([0, 0.03] if paired else [0.155, 0.18])


def test_a_condition_without_an_inversion_says_so():
    none = replace(experiment({"width": 50}, "a", 2, []), verdicts=("none",) * 2)
    panel = summary_figure(summarise([at({}, "a", [0.1, 0.2]), none])).axes[0]
    assert "no inversion" in [text.get_text() for text in panel.texts]
