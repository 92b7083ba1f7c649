"""Every table holds in 80 columns: no number is cut or wrapped, and no word of a text is broken."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest
from tqdm import tqdm

from strag.console import BAR, SCALED_BAR, print_tables
from strag.geometry.further import NOTHING, Further
from strag.geometry.measures import FURTHER
from strag.stragglers import stability as agreement
from strag.stragglers.comparison import compare as compared
from strag.stragglers.find import find_stragglers
from strag.stragglers.finding import finding_of
from strag.stragglers.per_class import find_per_class
from strag.stragglers.profile import find_by_layer
from strag.stragglers.summary import summarise
from strag.stragglers.sweep import Baseline, sweep_of
from strag.views import comparison, geometry, original_classes, stability, summary
from strag.views import stragglers as stragglers_view
from strag.views import sweep as sweep_view
from strag.views.table import name_in_lines
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


LONG = (
    "conv1",
    "block.1.act:mean",
    "encoder.layers.11.output.LayerNorm:mean",
    "a_module_with_a_long_name:mean",
)


def table_of_layers(layers=(1, 2, 3)):
    history = late(layers=layers)
    found, profile = find_by_layer(history, "radius", "all")
    return finding_of(history, found, {"at": "inversion"}, profile=profile)


def measured(layers, further=NOTHING):
    """A Grid, as far as a table needs it, its rows, and the measures that they list."""
    part = SimpleNamespace(meta={"title": "a data set"})
    grid = SimpleNamespace(layers=layers, parts=[part], runs=range(12), is_other=False, trained=np.eye(12))
    figures = np.full(1 + sum(bool(measure.label) for measure in further.listed), 0.12345)
    return grid, [(123456, layer, figures) for layer in layers], further


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
    "layers with short names": lambda: stragglers_view.tables(table_of_layers(("conv1", "conv2"))),
    "layers with long names": lambda: stragglers_view.tables(table_of_layers(LONG)),
    "geometry": lambda: geometry.tables(*measured((1, 2))),
    "geometry of long names": lambda: geometry.tables(*measured(LONG)),
    "all measures": lambda: geometry.tables(*measured((1, 2), Further(FURTHER))),
    "all measures of long names": lambda: geometry.tables(*measured(LONG, Further(FURTHER))),
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


@pytest.mark.parametrize("name", ["layers with long names", "geometry of long names"])
def test_a_long_name_of_a_layer_is_broken_only_at_dots_and_colons(name, capsys):
    print_tables(TABLES[name]()[:2])
    words = set(capsys.readouterr().out.split())
    for layer in LONG:
        assert layer in words or set(name_in_lines(layer, 24).split()) <= words


def test_a_name_is_broken_where_it_is_too_wide():
    assert name_in_lines("block.1.act:mean", 16) == "block.1.act:mean"
    assert name_in_lines("block.1.act:mean", 12) == "block.1.act\n:mean"
    assert name_in_lines("block.1.act:mean", 8) == "block.1.\nact:mean"
    assert name_in_lines("a_long_name", 3) == "a_long_name"
    assert name_in_lines(1, 3) == "1"


@pytest.mark.parametrize("form", [BAR, SCALED_BAR])
def test_the_progress_bar_keeps_its_figures(form):
    figures = "update=300000, error=0.0912, radius=0.801" if form == BAR else ""
    bar = {"ncols": WIDTH, "bar_format": form, "unit": "B", "unit_scale": True, "postfix": figures}
    text = tqdm.format_meter(12_000_000, 30_000_000, 36_000, **bar)
    assert len(text) <= WIDTH
    assert text.startswith(" 40%|")
    assert text.endswith(figures or "10:00:00<15:00:00")
