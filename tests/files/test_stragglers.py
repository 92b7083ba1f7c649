"""The stragglers file: what is written is read again, and what makes no sense is refused."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strag import kinds
from strag.datasets.names import Names
from strag.files.dataset import described_classes
from strag.files.jsonfile import json_text, write_json
from strag.files.output import Output
from strag.files.stragglers import stragglers_object
from strag.files.tables import write_table
from strag.stragglers.find import Moment, find_stragglers
from strag.stragglers.finding import COLUMNS, example_table, finding_of
from tests.files.makers import history_file, images, refused, stragglers_file
from tests.files.makers import stragglers_object as made_up

DATA = images()


@pytest.fixture
def found(tmp_path):
    """The stragglers at update 6 of a made-up history: run r misclassifies where i mod 12 >= 6 - r."""
    history = kinds.read(history_file(tmp_path / "h"))
    return history, find_stragglers(history, at=Moment(update=6))


@given(indices=st.sets(st.integers(0, 23)).map(list))
@settings(max_examples=40, deadline=None)
def test_indices_are_read_as_they_stand(tmp_path_factory, indices):
    path = stragglers_file(tmp_path_factory.getbasetemp() / "s", DATA, indices)
    read = kinds.read(path, "stragglers")
    assert read.indices.tolist() == indices
    assert (read.origin, read.source, read.verdict) == (DATA.origin, path, "inversion")
    again = kinds.read(
        stragglers_file(tmp_path_factory.getbasetemp() / "s", DATA, sorted(indices)), "stragglers"
    )
    assert again.identity == read.identity


def test_another_set_or_origin_has_another_identity(tmp_path):
    files = [([1, 2], "a"), ([1, 3], "a"), ([1, 2], "b")]
    read = [kinds.read(stragglers_file(tmp_path / "s", DATA, i, origin=o), "stragglers") for i, o in files]
    assert len({one.identity for one in read}) == 3


@pytest.mark.parametrize(
    "indices", [[1.0], ["1"], [True], [None], [[1]], "12", None, {"0": 1}, 7], ids=json.dumps
)
def test_indices_that_are_no_whole_numbers(tmp_path, indices):
    value = made_up(DATA, [1])
    (tmp_path / "s").write_text(json.dumps({**value, "indices": indices}))
    refused(
        lambda: kinds.read(tmp_path / "s", "stragglers"),
        "s: 'indices' is not a list of whole numbers",
        "find-stragglers",
    )


@pytest.mark.parametrize("size", [24, None])
@pytest.mark.parametrize(
    ("indices", "words"),
    [
        ([-1], "leaves the range"),
        ([3, 10**30], "leaves the range"),
        ([2**63], "leaves the range"),
        ([5, 3, 5], "lists an example twice"),
    ],
)
def test_indices_that_name_no_example_or_one_twice(tmp_path, indices, words, size):
    path = stragglers_file(tmp_path / "s", DATA, indices, origin_size=size)
    refused(lambda: kinds.read(path, "stragglers"), f"{path}: 'indices' {words}", "strag find-stragglers")


def test_the_last_index_is_in_range_and_the_next_is_not(tmp_path):
    assert kinds.read(stragglers_file(tmp_path / "s", DATA, [23]), "stragglers").indices.tolist() == [23]
    path = stragglers_file(tmp_path / "s", DATA, [24])
    refused(lambda: kinds.read(path, "stragglers"), "'indices' leaves the range of the data set")


@pytest.mark.parametrize("origin", [None, 3])
def test_without_an_origin(tmp_path, origin):
    path = stragglers_file(tmp_path / "s", DATA, [1], origin=origin)
    refused(
        lambda: kinds.read(path, "stragglers"), f"{path}: does not say in which data set its indices count"
    )


def test_a_broken_json_says_where(tmp_path):
    path = tmp_path / "s"
    text = json_text(made_up(DATA, [1, 2]))
    path.write_text(text[:-20])
    line = text[:-20].count("\n") + 1
    refused(
        lambda: kinds.read(path, "stragglers"),
        f"{path}: is not complete JSON (at line {line})",
        "create or copy it again",
    )
    path.write_text(text + text)
    refused(
        lambda: kinds.read(path, "stragglers"),
        f"{path}: is not complete JSON (at line {text.count(chr(10)) + 1})",
    )
    path.write_bytes(text.encode().replace(b"images", b"\xff"))
    refused(lambda: kinds.read(path, "stragglers"), f"{path}: is not complete JSON")
    path.write_text("[" + text + "]")
    refused(
        lambda: kinds.read(path, "stragglers"),
        f"{path}: is not a strag file",
        "make one with 'strag find-stragglers'",
    )
    path.write_text('{"indices": [1]}')
    refused(
        lambda: kinds.read(path, "stragglers"),
        f"{path}: is not a strag file",
        "make one with 'strag find-stragglers'",
    )


def test_white_space_does_not_matter(tmp_path):
    value = made_up(DATA, [4, 2])
    for text in (json.dumps(value), json.dumps(value, indent=8), "\n " + json.dumps(value), json_text(value)):
        (tmp_path / "s").write_text(text)
        assert kinds.read(tmp_path / "s", "stragglers").indices.tolist() == [4, 2]


def test_what_find_stragglers_found_is_read_again(tmp_path, found):
    history, stragglers = found
    with Output(tmp_path / "s", binary=False) as output:
        write_json(stragglers_object(finding_of(history, stragglers, {"at": "6"})), output)
    read = kinds.read(tmp_path / "s", "stragglers")
    every = [i for i in range(24) if i % 12 >= 6]  # misclassified in both runs: more than half
    assert read.indices.tolist() == every
    assert read.meta["origin"] == history.meta["origin"]
    assert read.meta["command"] == DATA.command
    assert json.loads((tmp_path / "s").read_text())["summary"]["indices"] == len(every)


def test_the_table_names_every_example_called_once_most_frequent_first(found):
    history, stragglers = found
    table = example_table(history, stragglers)
    assert tuple(table) == tuple(name for name in COLUMNS if name != "name")
    assert table["label"] == [str(i % 4) for i in table["index"]]
    assert sorted(table["index"]) == [i for i in range(24) if i % 12 >= 5]
    assert table["count"] == sorted(table["count"], reverse=True)
    assert [table["count"][table["index"].index(i)] for i in (5, 6, 17, 23)] == [1, 2, 1, 2]
    assert all(low <= p <= high for low, p, high in zip(*(table[n] for n in ("low", "probability", "high"))))  # noqa: B905


def test_the_table_has_the_names_of_the_examples(tmp_path):
    data = images(names=Names.of([f"{i}.png" for i in range(24)]), class_names=("a", "b", "d", "e"))
    numbers = np.array([1, 2, 5, 9])
    renumbered = {
        "y": numbers[data.y],
        "y_test": numbers[data.y_test],
        "class_numbers": tuple(numbers.tolist()),
    }
    for one in (data, replace(data, **renumbered, class_count=0, origin=None)):
        described = described_classes(one)
        history = kinds.read(history_file(tmp_path / "h", data=one, **described))
        table = example_table(history, find_stragglers(history, at=Moment(update=6)))
        assert table["name"] == [f"{i}.png" for i in table["index"]]
        assert table["label"] == ["abde"[i % 4] for i in table["index"]]


def test_the_csv_is_the_table(tmp_path, found):
    table = example_table(*found)
    with Output(tmp_path / "t.csv", binary=False) as output:
        write_table(output, table)
        output.commit()
    with open(tmp_path / "t.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["index"]) for row in rows] == table["index"]
    np.testing.assert_allclose([float(row["probability"]) for row in rows], table["probability"])


def test_json_text_is_the_value(found):
    value = stragglers_object(finding_of(*found, {"at": "6", "layer": None}))
    read = json.loads(json_text(value))
    assert read["strag"]["recipe"] == {"at": "6", "layer": None}
    assert read["indices"] == value["indices"].tolist()
    assert len(json_text(value).splitlines()) < 80  # columns on one line each
