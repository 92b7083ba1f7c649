"""strag compare, through its command line."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import strag as api
from strag.bits import pack
from strag.cli import main
from strag.files.sets import SPEC
from strag.files.stamp import stamp
from strag.files.writer import write
from strag.stragglers.sets import CONTROLS
from tests.commands.terminal import at_terminal
from tests.files.makers import dataset_file, images, stragglers_file
from tests.shell import complains, files_in, shell, strag

SETS = {"a": [0, 1, 2, 3], "b": [2, 3, 4, 5, 6, 7], "c": [10, 11]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = images(P=24)
    for name, indices in SETS.items():
        stragglers_file(tmp_path / f"{name}.json", data, indices, title="images")
    return tmp_path


def compared(*arguments, **options):
    result = strag("compare", *arguments, **options)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count(b"\n") == 1  # what they have in common
    return json.loads(result.stdout)


def test_every_two_sets(folder):
    found = compared("a.json", "b.json", "c.json")
    assert found["names"] == ["a", "b", "c"]
    assert found["sizes"] == [4, 6, 2]
    assert found["common"] == [[4, 2, 0], [2, 6, 0], [0, 0, 2]]
    assert found["expected"][0] == pytest.approx([16 / 24, 1, 8 / 24], abs=1e-6)
    assert found["jaccard"][0] == pytest.approx([1, 2 / 8, 0])
    assert found["kappa"][0] == pytest.approx([1, (2 - 1) / (5 - 1), (0 - 1 / 3) / (3 - 1 / 3)])
    stamp = found["strag"]
    assert (stamp["kind"], stamp["title"], stamp["origin_size"]) == ("comparison", "images", 24)
    assert stamp["origin"] == images(P=24).origin
    assert len(set(stamp["inputs"]["stragglers"])) == 3


def test_order_and_company_of_the_files_change_no_number(folder):
    whole, pair = compared("a.json", "b.json", "c.json"), compared("c.json", "a.json")
    for name in ("jaccard", "kappa", "common", "expected"):
        assert pair[name][0][1] == whole[name][2][0] == whole[name][0][2]


def test_sets_are_called_by_stem_or_label(folder):
    (folder / "sub").mkdir()
    stragglers_file(folder / "sub" / "a.json", images(P=24), [5])
    assert compared("a.json", "sub/a.json", "b.json")["names"] == ["a (1)", "a (2)", "b"]
    labelled = compared("a.json", "b.json", "--label", "tanh", "--label", "linear")
    assert labelled["names"] == ["tanh", "linear"]
    assert compared("a.json", "b.json", "--label", "x", "--label", "x")["names"] == ["x (1)", "x (2)"]


def test_one_of_them_may_be_stdin(folder):
    found = compared("b.json", "-", stdin=(folder / "a.json").read_bytes())
    assert found["names"] == ["b", "stdin"]
    assert found["common"][0][1] == 2
    result = shell("strag compare - a.json -q < b.json | strag info - --get jaccard.0.1", folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"0.25\n", b"")


def test_empty_sets_have_no_agreement(folder):
    stragglers_file(folder / "none.json", images(P=24), [])
    result = strag("compare", "none.json", "a.json")
    found = json.loads(result.stdout)
    assert found["sizes"] == [0, 4]
    assert found["jaccard"] == [[None, 0.0], [0.0, 1.0]]
    assert found["kappa"][0] == [None, 0.0]
    result = strag("compare", "none.json", "a.json", "-q")
    (verdict,) = {json.loads((folder / "none.json").read_text())["verdict"]}
    told = f"strag: warning: none.json: has no examples (its verdict is '{verdict}')\n"
    assert (result.returncode, result.stderr.decode()) == (0, told)
    assert strag("compare", "a.json", "b.json", "-q").stderr == b""


def flipped_images(flips, P=24):
    """Images of which these examples have a label of the other group."""
    y = np.arange(P, dtype=np.int64) % 4
    y[flips] = (y[flips] + 1) % 4
    return replace(images(P=P), y=y, y_true=np.arange(P, dtype=np.int64) % 4, origin=None, origin_size=0)


def test_flipped_labels_are_a_set_with_recall_and_precision(folder):
    data = flipped_images([2, 3, 10, 11, 20])
    dataset_file(folder / "flipped.safetensors", data)
    stragglers_file(folder / "s.json", data, [0, 1, 2, 3, 4, 5, 6, 10])
    stragglers_file(folder / "core.json", data, [2, 3])
    found = compared("s.json", "core.json", "flipped.safetensors")
    assert found["sizes"] == [8, 2, 5]
    assert found["common"][2] == [3, 2, 5]
    assert found["contained"][2] == pytest.approx([3 / 5, 2 / 5, 1])  # recall
    assert [row[2] for row in found["contained"]] == pytest.approx([3 / 8, 2 / 2, 1])  # precision
    assert found["sets"] == [None, None, {"holds": "flipped", "runs": None, "quorum": None, "at": None}]
    assert found["strag"]["inputs"]["stragglers"][2] == data.identity
    result = strag("compare", "flipped.safetensors", "s.json", "-o", "o.json")
    told = "3 examples in both (recall 0.600, precision 0.375), 1.7 by chance; Jaccard 0.300, kappa 0.276"
    assert result.stderr.decode() == f"strag: {told}\n"
    result = strag("compare", "s.json", "core.json", "flipped.safetensors", "-o", "o.json")
    assert b"recall of flipped labels 0.400 to 0.600, precision 0.375 to 1.000" in result.stderr
    status, _, text = at_terminal("stdout", "compare", "flipped.safetensors", "s.json")
    assert status == 0
    assert "in the row of flipped labels: recall; in their column: precision" in text
    assert api.compare([api.read("s.json"), api.read("flipped.safetensors")]).contained[1, 0] == 3 / 5


def test_of_a_pruned_data_set_the_flipped_labels_that_are_left(folder):
    data = flipped_images([2, 3, 10, 11, 20])
    dataset_file(folder / "left.safetensors", data.rows(np.arange(3, 24)))
    stragglers_file(folder / "s.json", data, [2, 3, 20])
    found = compared("s.json", "left.safetensors")
    assert (found["sizes"], found["common"][0][1], found["strag"]["origin_size"]) == ([3, 4], 2, 24)


def test_what_has_no_flipped_labels_is_refused(folder):
    data = flipped_images([2, 3])
    dataset_file(folder / "plain.safetensors")
    dataset_file(folder / "same.safetensors", replace(data, y=data.y_true, origin=None))
    dataset_file(folder / "flipped.safetensors", data)
    for name in ("plain", "same"):
        words = [
            f"{name}.safetensors: has no examples with a flipped label",
            "with 'strag data' and --flip-labels",
        ]
        complains(strag("compare", "a.json", f"{name}.safetensors"), 1, *words)
    words = ["flipped.safetensors: has indices of another data set than a.json", "a training on the data set"]
    complains(strag("compare", "a.json", "flipped.safetensors"), 1, *words)


def sets_file(path, runs, control=0, dose=0.0, data=None, **changed):
    """A sets file of these (run, indices), of one control and dose."""
    data = data or images(P=24)
    members = [np.isin(np.arange(len(data.y)), indices) for _, indices in runs]
    members = np.array(members, dtype=bool).reshape(-1, len(data.y))
    S = len(runs)
    tensors = {
        "members": pack(members),
        "run": np.array([run for run, _ in runs], dtype=np.int64),
        "update": np.full(S, 7),
        "control": np.full(S, control),
        "dose": np.full(S, dose),
        "index": data.index,
    }
    meta = {"recipe": {"at": "error:0.1"}, "controls": list(CONTROLS), "title": data.title, **changed}
    meta = {"origin": data.origin, "origin_size": data.origin_size, **meta}
    write(str(path), SPEC, stamp("sets", **meta), tensors)


def test_single_runs_are_compared_pair_by_pair(folder):
    sets_file(folder / "runs", [(0, [0, 1]), (1, [0, 2]), (5, [0, 1, 2, 3])])
    sets_file(folder / "one", [(0, [0, 1])])
    found = compared("runs", "a.json", "one")
    assert found["sets"] == [
        {"holds": "runs", "runs": 3, "quorum": None, "at": "error:0.1"},
        None,
        {"holds": "run", "runs": 1, "quorum": None, "at": "error:0.1"},
    ]
    assert found["sizes"] == pytest.approx([8 / 3, 4, 2])
    assert found["pairs"] == [[3, 3, 3], [3, 1, 1], [3, 1, 1]]
    assert found["jaccard"][0] == pytest.approx(
        [(1 / 3 + 1 / 2 + 1 / 2) / 3, (0.5 + 0.5 + 1) / 3, 11 / 18], abs=1e-6
    )
    assert found["jaccard_std"][0][1] == pytest.approx(np.std([0.5, 0.5, 1], ddof=1), abs=1e-6)
    assert found["jaccard_std"][1] == [found["jaccard_std"][0][1], None, None]
    result = strag("compare", "runs", "one", "-o", "o.json")
    told = "3 single runs at training error 0.1 and 1 single run at training error 0.1: 1.7 examples in both"
    assert told in result.stderr.decode()
    assert api.compare([api.read("runs"), api.read("one")]).common[0, 1] == pytest.approx(5 / 3)
    read = api.read("o.json")
    assert read.pairs.tolist() == [[3, 3], [3, 1]]
    status, _, text = at_terminal("stdout", "compare", "runs", "a.json")
    assert status == 0
    assert "sets 1: 3 single runs at training error 0.1, 2: not known" in text
    assert strag("plot", "o.json", "-o", "o.png").returncode == 0


def test_other_sets_than_the_own_of_each_run_are_refused(folder):
    sets_file(folder / "twice", [(0, [0, 1]), (0, [0, 2])])
    sets_file(folder / "random", [(0, [0, 1])], control=1)
    sets_file(folder / "dose", [(0, [0, 1])], dose=0.5)
    sets_file(folder / "none", [])
    sets_file(folder / "other", [(0, [0, 1])], data=images(P=32))
    for name, words in (
        (
            "twice",
            "twice: holds several sets of one run; create it again with 'strag sets', without --",
        ),
        ("random", "random: holds controls or doses"),
        ("dose", "dose: holds controls or doses"),
        ("none", "none: holds no sets"),
        ("other", "other: has indices of another data set than a.json"),
    ):
        complains(strag("compare", "a.json", name), 1, words)


def test_a_comparison_says_what_its_sets_hold(folder):
    for name, runs, recipe in (
        ("a", 10, {"at": "inversion", "quorum": 0.5, "core": False}),
        ("b", 10, {"at": "inversion", "quorum": 0.5, "core": True}),
        ("c", 3, {"at": "error:0.10000000002", "quorum": 0.8, "core": False}),
    ):
        value = json.loads((folder / f"{name}.json").read_text())
        value["strag"]["recipe"], value["summary"]["runs_with_a_set"] = recipe, runs
        (folder / f"{name}.json").write_text(json.dumps(value))
    found = compared("a.json", "b.json", "c.json")
    assert [one["holds"] for one in found["sets"]] == ["majority", "core", "majority"]
    result = strag("compare", "a.json", "b.json", "-o", "o.json")
    assert b"strag: majority of 10 runs and core of 10 runs: 2 examples in both" in result.stderr
    (folder / "same.json").write_bytes((folder / "a.json").read_bytes())
    result = strag("compare", "a.json", "same.json", "-o", "o.json")
    assert result.stderr.startswith(b"strag: a and same: ")
    status, _, text = at_terminal("stdout", "compare", "a.json", "b.json", "c.json")
    assert status == 0
    told = "sets 1: majority of 10 runs, 2: core of 10 runs, 3: examples of more than 80% of 3 runs at "
    told += "training error 0.1 "
    assert told in f"{' '.join(text.split())} "


def test_comparisons_of_older_files_have_the_shares_as_well(folder):
    value = compared("a.json", "b.json")
    shares = value.pop("contained")
    del value["sets"]
    (folder / "old.json").write_text(json.dumps(value))
    read = api.read("old.json")
    assert read.contained.round(6).tolist() == shares
    assert read.kinds is None
    assert strag("plot", "old.json", "-o", "old.png").returncode == 0


@pytest.mark.parametrize(
    "sets",
    [
        3,
        [None],
        [3, None],
        [{"holds": "x"}, None],
        [{"holds": "runs"}, None],
        [{"holds": "majority", "runs": -1}, None],
    ],
)
def test_a_forged_description_of_a_set_is_one_line(folder, sets):
    (folder / "bad.json").write_text(json.dumps({**compared("a.json", "b.json"), "sets": sets}))
    complains(strag("plot", "bad.json", "-o", "bad.png"), 1, "bad.json: ", "strag compare")


def test_a_file_and_a_line(folder, capsys):
    assert main(["compare", "a.json", "b.json", "-o", "o.json"]) == 0
    assert capsys.readouterr() == (
        "",
        "strag: 2 examples in both (0.500 of the first, 0.333 of the second), 1.0 by chance; "
        "Jaccard 0.250, kappa 0.250\n",
    )
    assert (folder / "o.json").read_bytes() == strag("compare", "a.json", "b.json").stdout
    assert main(["compare", "a.json", "b.json", "c.json", "-o", "o.json"]) == 0
    assert capsys.readouterr().err == "strag: 3 sets: Jaccard 0.000 to 0.250, kappa -0.143 to 0.250\n"
    assert main(["compare", "a.json", "b.json", "-q", "-o", "o.json"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_table_at_a_terminal_and_json_on_demand(folder):
    status, error, text = at_terminal("stdout", "compare", "a.json", "b.json", "c.json")
    assert (status, error) == (0, "")
    rows = [words for words in map(str.split, text.splitlines()) if len(words) == 6]
    assert rows[0] == ["1", "a", "4", "·", "0.25", "0.00"]
    assert rows[2] == ["3", "c", "2", "-0.12", "-0.14", "·"]
    assert rows[3] == ["1", "a", "4", "·", "0.50", "0.00"]  # how much of a is in b and c
    assert rows[4] == ["2", "b", "6", "0.33", "·", "0.00"]
    assert "above the diagonal: Jaccard index; below it: kappa" in text
    status, _, text = at_terminal("stdout", "compare", "a.json", "b.json", "--json")
    assert status == 0
    assert json.loads(text)["names"] == ["a", "b"]


def test_names_are_shown_as_they_are(folder):
    labels = ["--label", "[bold]x[/]", "--label", ":smile:"]
    status, error, text = at_terminal("stdout", "compare", "a.json", "b.json", *labels)
    assert (status, error) == (0, "")
    assert "[bold]x[/]" in text
    assert ":smile:" in text


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, ["missing argument 'FILE...'; see 'strag compare --help'"]),
        (["a.json"], 2, ["a comparison needs at least two FILEs; see 'strag compare --help'"]),
        (["-", "-"], 2, ["only one input can be stdin"]),
        (
            ["a.json", "b.json", "--label", "x"],
            2,
            ["1 label for 2 FILEs; pass one --label per file, in order"],
        ),
        (["a.json", "nothere"], 1, ["nothere: no such file"]),
        (["a.json", "."], 1, [".: is a directory"]),
        (["empty", "a.json"], 1, ["empty: is empty"]),
        (["a.json", "cut.json"], 1, ["cut.json: is not complete JSON"]),
        (["a.json", "text"], 1, ["text: is not complete JSON"]),
        (["a.json", "history.json"], 1, ["history.json: is a history file", "strag find-stragglers"]),
        (["a.json", "other.json"], 1, ["other.json: has indices of another data set than a.json"]),
        (["a.json", "sizes.json"], 1, ["sizes.json: has indices of another data set than a.json"]),
        (["unsized.json", "a.json"], 1, ["unsized.json: does not say how many examples its data set has"]),
        (["a.json", "twice.json"], 1, ["twice.json: 'indices' lists an example twice"]),
        (["a.json", "out.json"], 1, ["out.json: 'indices' leaves the range"]),
        (["a.json", "b.json", "-o", "no/o.json"], 1, ["no/o.json: cannot be written"]),
        (["a.json", "-"], 1, ["stdin: is empty"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_and_leaves_nothing(folder, arguments, status, words):
    data = images(P=24)
    (folder / "empty").touch()
    (folder / "text").write_text("{a line of text\n")
    (folder / "cut.json").write_bytes((folder / "a.json").read_bytes()[:-20])
    (folder / "history.json").write_text('{"strag": {"kind": "history", "format": 1}}')
    stragglers_file(folder / "other.json", images(P=32), [1, 2])
    stragglers_file(folder / "sizes.json", data, [1, 2], origin_size=25)
    stragglers_file(folder / "unsized.json", data, [1, 2], origin_size=None)
    stragglers_file(folder / "twice.json", data, [1, 1])
    stragglers_file(folder / "out.json", data, [1, 24])
    before = files_in(folder)
    complains(strag("compare", *arguments), status, *words)
    assert files_in(folder) == before


def test_needs_neither_torch_nor_matplotlib(folder):
    script = """
import sys
from strag.cli import main
assert main(["compare", "a.json", "b.json", "-q", "-o", "o.json"]) == 0
assert not {"torch", "matplotlib", "scipy"} & set(sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()


def test_an_impossible_number_of_examples(folder):
    for name in ("a", "b"):
        value = json.loads((folder / f"{name}.json").read_text())
        value["strag"]["origin_size"] = 10**30
        (folder / f"{name}.json").write_text(json.dumps(value))
    complains(strag("compare", "a.json", "b.json"), 1, "a.json: its 'origin_size' cannot be read")
