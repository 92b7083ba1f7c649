"""The `repr` of the objects of the package: one short line, which says what is in them."""

from dataclasses import replace

import numpy as np
import pytest

import strag
from strag.words import LONGEST
from tests.conftest import made_up


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """An object of each class that a verb returns, by the name of its class."""
    folder = tmp_path_factory.mktemp("brief")
    data = made_up(P=300, Q=60, overlap=2.0)
    paths = {"output": folder / "h", "weights": folder / "w", "weights_at": "0,4"}
    history = strag.train(data, runs=3, epochs=4, width=4, depth=3, layers="all", **paths)
    finding = strag.find_stragglers(history, at=3, layer=1)
    with strag.read(folder / "w") as weights:
        activations = strag.dump(weights, data)
        things = [data, history, finding, weights, activations]
        things += [strag.expansion(weights, data, from_=0, layer=1)]
        things += [strag.sets(history, at=3, controls=("random",)), strag.stability(history)]
        things += [strag.compare([finding, finding]), strag.summarise([finding])]
        yield {type(thing).__name__: thing for thing in things}


def test_every_result_is_one_short_line(things):
    assert len(things) == 10
    for name, thing in things.items():
        text = repr(thing)
        assert text.startswith(f"{name}: ")
        assert text.isprintable()
        assert len(text) < 100, text


def test_the_line_has_the_sizes(things):
    finding, sizes = things["Finding"], len(things["Finding"].indices)
    assert repr(things["Dataset"]).endswith("300 examples of 4 x 5, 2 groups, 60 test examples")
    assert repr(things["History"]) == "History: 3 runs, 5 records, 300 examples, 2 groups, layers 1, 2"
    assert repr(finding).endswith(f" of 3 runs), {sizes} stragglers of 300")
    assert repr(finding).startswith(f"Finding: {finding.verdict} (")
    assert repr(things["Weights"]) == "Weights: 3 runs at updates 0, 4, 6 parameters"
    assert repr(things["Activations"]) == "Activations: 3 runs at updates 0, 4, 300 examples, layers 1"
    assert repr(things["Scores"]) == "Scores: 300 examples, 3 runs"
    assert repr(things["StoredSets"]) == "StoredSets: 6 sets of 3 runs, of 300 examples"
    assert repr(things["Stability"]).startswith("Stability: 3 runs in disjoint pairs, 5 records, ")
    assert repr(things["Comparison"]) == f"Comparison: 2 sets of {sizes}, {sizes} stragglers, of 300 examples"
    assert repr(things["Summary"]).startswith("Summary: 1 condition, ")


def test_long_and_wild_content_stays_one_line(things):
    data = replace(things["Dataset"], title="a\x1b[1m\n" * 99)
    assert repr(data).isprintable()
    assert len(repr(data)) <= LONGEST + 3
    many = replace(things["History"], layers=tuple(range(1, 500)), last_record=np.array([4, 4, 2]))
    assert len(repr(many)) <= LONGEST
