"""Every table holds in 80 columns: no number is cut or wrapped, and no word of a text is broken."""

import dataclasses
import re

import numpy as np
import pytest
from tqdm import tqdm

from strag.console import BAR, SCALED_BAR, print_tables
from strag.stragglers import stability as agreement
from strag.stragglers.comparison import compare as compared
from strag.stragglers.find import find_stragglers
from strag.stragglers.finding import finding_of
from strag.stragglers.per_class import find_per_class
from strag.stragglers.profile import find_by_layer
from strag.stragglers.summary import summarise
from strag.stragglers.sweep import Baseline, sweep_of
from strag.views import comparison, original_classes, stability, summary
from strag.views import stragglers as stragglers_view
from strag.views import sweep as sweep_view
from tests.stragglers.test_summary import experiment
from tests.views.histories import falling, made, valley
from tests.views.sweeps import sweep
from tests.views.test_original_classes import classes_of, listed

WIDTH = 80


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDTH))


def late(**options):
    """A History of 12 runs whose updates go to a million and whose test errors are recorded."""
    history = made([valley()] * 10 + [falling()] * 2, title="a data set", **options)
    updates = np.round(history.updates.astype(float) ** 3).astype(np.int64)
    return dataclasses.replace(history, updates=updates, runs=tuple(range(990, 1002)))


def stragglers(found=None, **more):
    history = late()
    found = found or find_stragglers(history)
    recipe = {"at": "inversion", **more}
    return finding_of(history, found, recipe)


def table_of_layers():
    history = late(layers=(1, 2, 3))
    found, profile = find_by_layer(history, "radius", "all")
    return finding_of(history, found, {"at": "inversion"}, profile=profile)


def many_conditions():
    settings = [{"width": w, "lr": lr, "optimizer": "sgd"} for w in (20, 1000) for lr in (0.1, 0.05)]
    files = [experiment(one, block, 10, [0.1] * n) for one in settings for block, n in (("a", 10), ("b", 3))]
    return summarise(files, [f"a label that somebody gave, number {n // 2}" for n in range(len(files))])


def agreed():
    found = agreement.stability(late())
    T = len(found.updates)
    return dataclasses.replace(
        found, z=np.full(T, -1234.5), taken=1000, runs=np.full(T, 1000), size_mean=np.full(T, 60_000.0)
    )


def overlaps(S):
    sets = [np.arange(50_000 + n) for n in range(S)]
    return compared(sets, 60_000, [f"a set with a long name, number {n}" for n in range(S)], "mnist")


TABLES = {
    "runs": lambda: stragglers_view.tables(stragglers()),
    "a moment": lambda: stragglers_view.tables(stragglers(at="error:0.0917")),
    "per class": lambda: stragglers_view.tables(stragglers(find_per_class(late()))),
    "layers": lambda: stragglers_view.tables(table_of_layers()),
    "summary": lambda: summary.tables(many_conditions()),
    "agreement": lambda: stability.tables(agreed()),
    "two sets": lambda: comparison.tables(overlaps(2)),
    "eight sets": lambda: comparison.tables(overlaps(8)),
    "twelve sets": lambda: comparison.tables(overlaps(12)),
    "sweep": lambda: sweep_view.tables(sweep_of(sweep(diverged=[0])), Baseline(12.0, 0.2, 0.05, 0.9)),
    "classes": lambda: original_classes.tables(listed(classes_of(name=lambda n: f"class number {n}"))),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_holds(name, capsys):
    print_tables(TABLES[name]())
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert "…" not in shown


def test_no_number_of_a_table_wraps(capsys):
    """Each row of numbers stands in one line: as many as there are runs, pairs, records."""
    print_tables(stragglers_view.tables(stragglers()))
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if re.match(r" *\d+  (inversion|none)", line)]
    assert len(rows) == 12
    assert {len(row) for row in rows} == {8}
    print_tables(summary.tables(many_conditions()))
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if re.match(r"\d  \d\.\d{4}  .* to ", line)]) == 4
    print_tables(stability.tables(agreed()))
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if re.match(r" *\*?\d+  ", line)]
    assert {len(row) for row in rows} == {9}
    print_tables(comparison.tables(overlaps(12)))
    pairs = [
        line for line in capsys.readouterr().out.splitlines() if re.search(r"\d\.\d\d  +\d\.\d\d$", line)
    ]
    assert len(pairs) == 66


@pytest.mark.parametrize("form", [BAR, SCALED_BAR])
def test_the_progress_bar_keeps_its_figures(form):
    figures = "update=300000, error=0.0912, radius=0.801" if form == BAR else ""
    bar = {"ncols": WIDTH, "bar_format": form, "unit": "B", "unit_scale": True, "postfix": figures}
    text = tqdm.format_meter(12_000_000, 30_000_000, 36_000, **bar)
    assert len(text) <= WIDTH
    assert text.startswith(" 40%|")
    assert text.endswith(figures or "10:00:00<15:00:00")
