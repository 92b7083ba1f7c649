"""strag compare, through its command line."""

import json
import subprocess
import sys

import pytest

from strag.cli import main
from tests.commands.terminal import at_terminal
from tests.files.makers import images, stragglers_file
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


def test_a_file_and_a_line(folder, capsys):
    assert main(["compare", "a.json", "b.json", "-o", "o.json"]) == 0
    assert capsys.readouterr() == (
        "",
        "strag: 2 examples in both, 1.0 by chance; Jaccard 0.250, kappa 0.250\n",
    )
    assert (folder / "o.json").read_bytes() == strag("compare", "a.json", "b.json").stdout
    assert main(["compare", "a.json", "b.json", "c.json", "-o", "o.json"]) == 0
    assert capsys.readouterr().err == "strag: 3 sets: Jaccard 0.000 to 0.250, kappa -0.143 to 0.250\n"
    assert main(["compare", "a.json", "b.json", "-q", "-o", "o.json"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_table_at_a_terminal_and_json_on_demand(folder):
    status, error, text = at_terminal("stdout", "compare", "a.json", "b.json", "c.json")
    assert (status, error) == (0, "")
    rows = {words[1]: words for words in map(str.split, text.splitlines()) if len(words) == 6}
    assert rows["a"] == ["1", "a", "4", "·", "0.25", "0.00"]
    assert rows["c"] == ["3", "c", "2", "-0.12", "-0.14", "·"]
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
