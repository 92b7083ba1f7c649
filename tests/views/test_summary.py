"""The figure of a summary: differences where all are known, else what was measured."""

from dataclasses import replace

import pytest

from strag.stragglers.summary import summarise
from strag.views.summary import markdown, summary_figure, tables
from tests.stragglers.test_summary import experiment


def at(settings, block, values):
    """An Experiment of two runs, numbers 0 and 1, that invert."""
    return experiment(settings, block, 2, values)


@pytest.mark.parametrize(("block", "paired"), [("a", True), ("b", False)])
def test_differences_are_shown_where_every_condition_shares_data_with_the_reference(block, paired):
    found = summarise(
        [at({}, "a", [0.10, 0.20]), at({}, "c", [0.11, 0.21]), at({"width": 50}, block, [0.13, 0.23])]
    )
    panel = summary_figure(found).axes[0]
    assert panel.get_xlabel().endswith("minus the reference's") == paired
    means = sorted(line.get_xdata()[0] for line in panel.lines if line.get_marker() == "o")
    assert means == pytest.approx([0, 0.03] if paired else [0.155, 0.18])


def test_a_condition_without_an_inversion_says_what_its_runs_are():
    panel = summary_figure(summarise([at({}, "a", [0.1, 0.2]), at({"width": 50}, "a", [])])).axes[0]
    assert "2 open" in [text.get_text() for text in panel.texts]


def test_nothing_is_zero_that_nobody_measured():
    """Test errors are not known: there is no panel for them, or no point of the reference in it."""
    unknown = {"test_error": float("nan"), "lr_update": float("nan")}

    def without(one, names):
        runs = [
            replace(run, values={**run.values, **{name: unknown[name] for name in names}}) for run in one.runs
        ]
        return replace(one, runs=tuple(runs))

    reference = without(at({}, "a", [0.1, 0.2]), ["test_error", "lr_update"])
    other = without(at({"width": 50}, "a", [0.1, 0.3]), ["test_error"])
    figure = summary_figure(summarise([reference, other]))
    points = [[line for line in panel.lines if line.get_marker() == "o"] for panel in figure.axes]
    assert [len(one) for one in points] == [2]  # eps*; of the others no difference is known


def test_without_a_number_of_examples_there_is_no_axis_of_them():
    found = summarise([at({"examples": P}, "a", [0.1, 0.2]) for P in (512, None, 1024)])
    assert not summary_figure(found).axes[0].get_ylabel().startswith("training error")


@pytest.mark.parametrize(("momentum", "time"), [(0.0, "lr t*"), (None, "lr t*"), (0.9, "lr t*/(1 - m)")])
def test_the_time_is_named_after_the_momentum(momentum, time):
    found = summarise([at({"momentum": momentum}, "a", [0.1, 0.2]), at({"width": 50}, "a", [0.1, 0.3])])
    assert f"| {time} |" in markdown(found)
    assert (time, "right") in tables(found)[1].columns
    labels = [panel.get_xlabel() for panel in summary_figure(found).axes]
    assert any(label.startswith(time) and ("(1 - m)" in label) == (momentum == 0.9) for label in labels)


def test_adam_has_no_such_time_and_the_table_says_so():
    unknown = at({"optimizer": "adam"}, "a", [0.1, 0.2])
    runs = tuple(replace(run, values={**run.values, "lr_update": float("nan")}) for run in unknown.runs)
    found = summarise([at({"optimizer": "sgd"}, "a", [0.1, 0.2]), replace(unknown, runs=runs)])
    row = next(
        row for row, each in zip(tables(found)[1].rows, found.conditions, strict=True) if "adam" in each.label
    )
    assert row[5] == "-"
    assert "lr t*: none for Adam" in tables(found)[1].caption
