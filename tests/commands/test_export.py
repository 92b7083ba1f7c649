"""strag export: one row per example, the same from every way, and the rules of a command."""

import csv
import json
import os
from dataclasses import replace

import numpy as np
import pytest

import strag
from strag.bits import unpack
from strag.cli import main
from strag.datasets.names import Names
from strag.files.dataset import write_dataset
from strag.files.history import SPEC
from strag.files.stamp import stamp
from strag.files.writer import write
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.shell import shell
from tests.views.histories import falling, made, valley
from tests.views.histories import write as write_history

SCORES = ["correctness", "forgetting_events", "first_learned", "never_learned"]
SETS = ["count", "runs", "frequency", "status", "keep"]


def run(line, folder):
    """The exit status of a line of strag in a folder."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        return main(line.split())
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    names = Names.of([f"picture {n}.png" for n in range(300)])
    data = made_up(P=300, Q=40, overlap=2.0, names=names, class_names=("ant", "bee", "cat", "dog"))
    write_dataset(str(folder / "d"), data, {})
    for line in (
        "train d --runs 4 --epochs 30 --width 6 --lr 0.4 -q -o h",
        "find-stragglers h --at 12 -q --csv listed.csv -o s",
        "export h --stragglers s -q -o e.csv",
    ):
        assert run(line, folder) == 0, line
    return folder


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_the_examples_with_their_labels(folder):
    rows, data = rows_of(folder / "e.csv"), strag.read(str(folder / "d"))
    assert list(rows[0]) == ["index", "name", "class", "label", "group", *SETS, *SCORES, "hard_end"]
    assert [int(row["index"]) for row in rows] == list(range(300))
    assert [row["name"] for row in rows] == [f"picture {n}.png" for n in range(300)]
    assert [int(row["class"]) for row in rows] == data.y.tolist()
    assert [row["label"] for row in rows] == [("ant", "bee", "cat", "dog")[number] for number in data.y]
    assert [row["group"] for row in rows] == [("even", "odd")[number % 2] for number in data.y]
    assert {row["hard_end"] for row in rows} == {
        "larger: frequency, never_learned, forgetting_events, first_learned (empty: hardest); "
        "smaller: correctness"
    }


def test_sets_are_those_of_the_stragglers_file(folder):
    rows, finding = rows_of(folder / "e.csv"), strag.read(str(folder / "s"))
    assert [int(row["index"]) for row in rows if row["keep"] == "False"] == finding.indices.tolist()
    listed = {row["index"]: row for row in rows_of(folder / "listed.csv")}
    assert 0 < len(listed) < 300
    for row in rows:
        same = listed.get(row["index"], {"count": "0", "runs": "4"})
        assert {name: row[name] for name in same if name in row} == {
            name: value for name, value in same.items() if name in row
        }
        assert float(row["frequency"]) == int(row["count"]) / int(row["runs"])
        assert row["status"] in ("core", "fringe", "rare")


def test_what_is_kept_is_what_prune_leaves(folder):
    assert run("prune d s -q -o p", folder) == 0
    kept = [int(row["index"]) for row in rows_of(folder / "e.csv") if row["keep"] == "True"]
    assert kept == strag.read(str(folder / "p")).index.tolist()


@pytest.mark.slow
def test_every_format_and_way_has_the_same_values(folder):
    lines = [
        "cat s | strag export h --stragglers - -q > stdout.csv",
        "strag export h --stragglers s -q --format jsonl > e.jsonl",
        "cat h | strag export --stragglers s --format npz > e.npz",
    ]
    result = shell("set -e\n" + "\n".join(lines), folder)
    assert result.returncode == 0, result.stderr.decode()
    finding = strag.read(str(folder / "s"))
    says = f"stdin: 300 examples: {len(finding.indices)} stragglers, {300 - len(finding.indices)} to keep"
    assert result.stderr.decode() == f"strag: {says}\n"
    assert (folder / "e.csv").read_bytes() == (folder / "stdout.csv").read_bytes()
    strag.export(strag.read(str(folder / "h")), str(folder / "o.npz"), finding)
    assert (folder / "e.npz").read_bytes() == (folder / "o.npz").read_bytes()
    table = strag.export(strag.read(str(folder / "h")), stragglers=finding)
    with np.load(folder / "e.npz") as arrays:
        assert list(arrays) == list(table)
        rows = [json.loads(line) for line in (folder / "e.jsonl").read_text().splitlines()]
        for name, values in table.items():
            np.testing.assert_array_equal(arrays[name], values)
            column = [row[name] for row in rows]
            known = [value is not None for value in column]
            values = np.broadcast_to(values, 300)
            np.testing.assert_array_equal(np.array(column)[known].astype(values.dtype), values[known])


def test_without_stragglers_those_of_find_stragglers_are_taken(tmp_path):
    write_history(tmp_path / "h", made([valley()] * 3))
    for line in ("find-stragglers h -q -o s", "export h -q -o a.csv", "export h --stragglers s -q -o b.csv"):
        assert run(line, tmp_path) == 0, line
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_stragglers_file_alone_lists_every_row(folder, capfd):
    assert run("export s -o s.csv", folder) == 0
    said = capfd.readouterr().err
    listed = {row["index"]: row for row in rows_of(folder / "listed.csv")}
    assert f"warning: s: has labels of {len(listed)} examples only, those in at least one set" in said
    rows, whole = rows_of(folder / "s.csv"), rows_of(folder / "e.csv")
    assert list(rows[0]) == ["index", "name", "class", "label", *SETS, "hard_end"]
    for row, same in zip(rows, whole, strict=True):
        assert [row[name] for name in SETS] == [same[name] for name in SETS]
        expected = same if row["index"] in listed else dict.fromkeys(("name", "class", "label"), "")
        assert [row[name] for name in ("name", "class", "label")] == [
            expected[name] for name in ("name", "class", "label")
        ]
    assert run("export s -q -o s.npz", folder) == 0
    with np.load(folder / "s.npz") as arrays:
        assert (arrays["class"] == -1).sum() == 300 - len(listed)


def test_a_data_map_has_what_the_bits_say(folder, capfd):
    assert run("export h --datamaps -o td_metrics.jsonl", folder) == 0
    said = capfd.readouterr().err
    assert said.count("confidence, variability and threshold_closeness are null") == 1
    history = strag.read(str(folder / "h"))
    right = ~unpack(history.misclassified, 300)
    rows = [json.loads(line) for line in (folder / "td_metrics.jsonl").read_text().splitlines()]
    keys = ["guid", "index", "threshold_closeness", "confidence", "variability", "correctness"]
    assert list(rows[0]) == [*keys, "forgetfulness"]
    assert [row["guid"] for row in rows] == [f"picture {n}.png" for n in range(300)]
    assert [row["index"] for row in rows] == list(range(300))
    np.testing.assert_allclose(
        [row["correctness"] for row in rows], right.sum(axis=0).mean(axis=0), rtol=1e-6
    )
    forgotten, learned = (right[:-1] & ~right[1:]).sum(axis=0), right.any(axis=0)
    expected = np.where(learned.any(axis=0), (forgotten * learned).sum(axis=0) / learned.sum(axis=0), 1000)
    np.testing.assert_allclose([row["forgetfulness"] for row in rows], expected, rtol=1e-6)
    assert {row["confidence"] for row in rows} == {None}


@pytest.mark.filterwarnings("ignore:.*holds no probabilities")
def test_numbers_as_names_are_numbers_in_a_data_map(tmp_path):
    for names, guids in ((["7", "1234567890123", "0"], [7, 1234567890123, 0]), (["7", "007", "x"],) * 2):
        history = replace(made([falling()], P=3), names=names)
        assert strag.export(history, datamaps=True)["guid"].tolist() == guids
        assert strag.export(history, datamaps=True)["correctness"].dtype == np.int64


def test_what_is_not_known_is_left_out_and_said(tmp_path, capfd):
    write_history(tmp_path / "falls", made([falling()] * 3))
    write_history(tmp_path / "few", made([falling()] * 2 + [valley()]))
    write_history(tmp_path / "diverged", made([valley()] * 4, diverged=[1]))
    bare = made([valley()] * 2)
    arrays = {name: getattr(bare, name) for name in ("updates", "train_error", "train_loss", "misclassified")}
    arrays |= {name: getattr(bare, name) for name in ("trained", "index", "y", "group")}
    meta = stamp("history", **bare.meta, runs=[0, 1], layers=[], classes=list(bare.classes))
    write(str(tmp_path / "bare"), SPEC, meta, arrays)
    sets = (
        "so the columns count, runs, frequency, status and keep are left out; find the stragglers of another"
    )
    for name, columns, words in (
        ("falls", SCORES, f"no run has a set (the verdict is 'none'), {sets} moment with --at"),
        ("bare", SCORES, f"no layer was measured, {sets}"),
        ("few", SETS + SCORES, "the verdict is 'none'; only 1 of 3 runs have an inversion"),
        ("diverged", SETS + SCORES, "the scores do not count 1 run that diverged"),
    ):
        assert run(f"export {name} -q -o e.csv", tmp_path) == 0
        assert capfd.readouterr().err.count(f"strag: warning: {name}: {words}") == 1
        found = list(rows_of(tmp_path / "e.csv")[0])
        assert [column for column in found if column in SETS + SCORES] == [
            column for column in columns if column != "status" or name != "few"
        ]


def test_networks_that_left_out_sets_have_no_consensus(folder, capfd):
    for line in (
        "sets h --at 12 --controls random -q -o x",
        "train d --without x --epochs 12 --width 6 --lr 0.4 -q -o w",
        "find-stragglers w --at 9 -q -o ws",
    ):
        assert run(line, folder) == 0, line
    capfd.readouterr()
    assert run("export w --stragglers ws -q -o w.csv", folder) == 0
    assert "the columns status and keep are left out" in capfd.readouterr().err
    rows, history = rows_of(folder / "w.csv"), strag.read(str(folder / "w"))
    assert "keep" not in rows[0]
    assert [int(row["runs"]) for row in rows] == history.trained_bits().sum(axis=0).tolist()


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("export h -o e.txt", 2, "e.txt: does not say its format; use a name that ends in .csv, .jsonl or"),
        ("export h -o e", 2, "e: does not say its format"),
        ("export h -o e.npz --format csv", 2, "e.npz: has a name that contradicts --format csv"),
        ("export h -o e.csv --datamaps", 2, "e.csv: has a name that contradicts --datamaps; use a name"),
        ("export h --datamaps --format csv", 2, "--datamaps is JSON lines, which contradicts --format csv"),
        ("export h --datamaps --stragglers s", 2, "--stragglers contradicts --datamaps"),
        ("export s --datamaps", 2, "s: has no records, which a data map needs; use its history"),
        ("export s --stragglers s", 2, "s: is a stragglers file, so that --stragglers has no effect"),
        ("export h --stragglers h", 1, "h: is a history file, not a stragglers file"),
        ("export d", 1, "d: is a dataset file, not a history file"),
        ("export mnist8k", 2, "mnist8k: is the name of a data set, not a file"),
        ("export - --stragglers -", 2, "only one input can be stdin"),
        ("export h -o h --format csv", 2, "h: is read, and -o would overwrite it"),
        ("export h --stragglers s -o s --format csv", 2, "s: is read, and -o would overwrite it"),
        (
            "export h --stragglers other.s",
            1,
            "other.s: is of a training with --lr 0.1, but h of one with 0.4",
        ),
        ("export nothing", 1, "nothing: no such file"),
    ],
)
def test_what_cannot_be_is_one_line(folder, capfd, line, status, words):
    if "other" in line:
        assert run("train d --runs 2 --epochs 3 --width 6 --lr 0.1 -q -o other", folder) == 0
        assert run("find-stragglers other --at 2 -q -o other.s", folder) == 0
    before = (folder / "h").read_bytes()
    capfd.readouterr()
    assert run(line, folder) == status
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"strag: {words}")
    assert said.err.count("\n") == 1
    assert (folder / "h").read_bytes() == before


def test_a_stragglers_file_of_other_data_is_refused(folder):
    history = strag.read(str(folder / "h"))
    finding = strag.read(str(folder / "s"))
    other = replace(finding, meta={**finding.meta, "origin": "another"})
    with pytest.raises(strag.StragError, match="has indices of another data set than"):
        strag.export(history, stragglers=other)


def test_csv_goes_to_a_terminal_and_npz_does_not(folder):
    status, said, shown = at_terminal("stdout", "export", folder / "h", "--stragglers", folder / "s", "-q")
    assert (status, said) == (0, "")
    assert shown.replace("\r\n", "\n") == (folder / "e.csv").read_text()
    status, said, shown = at_terminal("stdout", "export", folder / "h", "--format", "npz")
    assert (status, shown) == (2, "")
    assert said.startswith("strag: stdout: is a terminal")


@pytest.mark.filterwarnings("ignore:.*holds no probabilities")
def test_rows_of_a_part_of_a_data_set_are_rows_of_its_origin(folder):
    """But in a data map the index is the position, as its readers take it."""
    whole = strag.read(str(folder / "h"))
    index = 3 * whole.index[::-1] + 1  # neither 0 to P - 1 nor rising
    history = replace(whole, index=index)
    assert strag.export(history, datamaps=True)["index"].tolist() == list(range(300))
    finding = strag.find_stragglers(history, at=12)
    table = strag.export(history, stragglers=finding)
    assert table["index"].tolist() == index.tolist()
    wrong = np.array([whole.misclassified_at(whole.updates.tolist().index(12), run) for run in range(4)])
    np.testing.assert_array_equal(table["count"], wrong.sum(axis=0))
    assert set(index[~table["keep"]]) == set(finding.indices)
