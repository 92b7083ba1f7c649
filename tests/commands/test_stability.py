"""strag stability, through its command line."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from strag import kinds
from strag.cli import main
from strag.console import print_tables
from strag.files.opening import Document, open_file
from strag.files.stability import COLUMNS, read
from strag.stragglers.stability import stability
from strag.views.stability import tables
from tests.commands.terminal import at_terminal
from tests.conftest import cut_to
from tests.files.makers import history_file
from tests.shell import complains, files_in, shell, strag
from tests.views.agreements import agreement
from tests.views.histories import T, falling, made, valley, write

P = 400


def wrong_sets(R, seed=0):
    """bool [T, R, P]: sets that shrink along training, alike in all runs up to noise."""
    hard = np.arange(P) / P + 0.05 * np.random.default_rng(seed).standard_normal((R, P))
    return hard[None] < np.linspace(0.5, 0.05, T)[:, None, None]


def made_runs(R=4, curve=None, **options):
    """A History of R runs, by default with a valley."""
    wrong = wrong_sets(R)
    curves = [valley(20) if curve is None else curve] * R
    return made(curves, wrong=wrong, error=wrong.mean(axis=2), P=P, **options)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A history of eight runs, one of four and one of one run, never written to again."""
    folder = tmp_path_factory.mktemp("stability")
    write(folder / "h", made_runs(R=8))
    write(folder / "four", made_runs())
    write(folder / "one", made_runs(R=1))
    return folder


@pytest.fixture
def folder(files, tmp_path, monkeypatch):
    for path in files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_writes_what_was_measured(folder, capsys):
    assert main(["stability", "h", "-o", "a.json"]) == 0
    value, found = json.loads((folder / "a.json").read_text()), stability(kinds.read("h"))
    assert len(value["records"]) == T
    for t, record in enumerate(value["records"]):
        assert tuple(record) == COLUMNS
        assert record["update"] == t
        for name in COLUMNS[1:]:
            expected = getattr(found, name)[t]
            if np.isnan(expected):
                assert record[name] is None
            else:
                assert record[name] == pytest.approx(expected, abs=1e-6)
    assert value["inversion"]["update"] == pytest.approx(20, abs=0.2)
    assert value["summary"] == {"runs": 8, "diverged": 0, "examples": P}
    assert value["strag"]["kind"] == "stability"
    assert value["strag"]["origin"] == "o"
    assert value["strag"]["recipe"] == {"pairs": "disjoint", "min_misclassified": 10}
    said = capsys.readouterr()
    assert said.out == ""
    at = found.at_inversion
    interval = f"{found.kappa_low[at]:.3f} to {found.kappa_high[at]:.3f}"
    assert said.err.startswith(f"strag: kappa = {found.kappa[at]:.3f} ({interval}) at the inversion")
    assert said.err.endswith("(8 runs, disjoint pairs)\n")
    assert said.err.count("\n") == 1
    assert main(["stability", "h", "-o", "a.json", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_files_of_before_stay_readable(folder):
    """When the interval was a bootstrap, `recipe` had its options."""
    value = json.loads(strag("stability", "h", "--pairs", "all").stdout)
    value["strag"]["recipe"] |= {"bootstrap": 200, "seed": 0}
    found = read(Document("a.json", value))
    assert (found.which, found.taken) == ("all", 8)


def test_the_option_reaches_the_measure(folder):
    every = json.loads(strag("stability", "h", "--pairs", "all").stdout)
    found = stability(kinds.read("h"), "all")
    assert every["strag"]["recipe"] == {"pairs": "all", "min_misclassified": 10}
    assert [record["pairs"] for record in every["records"]] == found.pairs.tolist()
    assert every["records"][0]["pairs"] == 28
    np.testing.assert_allclose(
        [record["kappa_low"] for record in every["records"][:50]], found.kappa_low[:50], atol=1e-6
    )


def test_fewer_than_eight_runs_have_no_interval_and_it_says_so_once(folder):
    result = strag("stability", "four")
    records = json.loads(result.stdout)["records"]
    assert {(record["kappa_low"], record["kappa_high"]) for record in records} == {(None, None)}
    assert records[30]["kappa"] is not None
    assert result.stderr.endswith(b"(4 runs, disjoint pairs; no interval with fewer than 8 runs)\n")
    assert result.stderr.count(b"interval") == 1
    status, error, text = at_terminal("stdout", "stability", "four")
    assert (status, error) == (0, "")
    assert re.search(r"^\*20 +0\.\d{4} +\d+ +0\.\d{3} +- +- +0\.\d{3} ", text, flags=re.M)
    assert " ".join(text.split()).count("no interval with fewer than 8 runs") == 1


def test_pipes_from_and_to_others(folder):
    result = shell("cat h | strag stability -q | strag info - --get records.20.update", folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"20\n", b"")
    result = shell("strag stability h --json -q | head -c 2", folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"{\n", b"")
    first, second = (strag("stability", "h") for _ in range(2))
    assert first.stdout == second.stdout
    assert first.stderr.startswith(b"strag: kappa = ")
    assert first.stderr.count(b"\n") == 1


def test_no_inversion_is_no_failure(folder, capsys):
    write("f", made_runs(curve=falling()))
    assert main(["stability", "f", "-o", "a.json"]) == 0
    assert json.loads((folder / "a.json").read_text())["inversion"] is None
    assert capsys.readouterr().err.startswith("strag: no inversion; largest kappa 0.")


def test_diverged_runs_are_named_and_left_out(folder):
    write("d", made_runs(diverged=[2]))
    result = strag("stability", "d", "-q")
    assert (result.returncode, result.stderr) == (
        0,
        b"strag: warning: d: 1 of 4 runs diverged and is left out\n",
    )
    assert json.loads(result.stdout)["summary"] == {"runs": 3, "diverged": 1, "examples": P}


def test_a_table_at_a_terminal_and_json_on_demand(folder):
    status, error, text = at_terminal("stdout", "stability", "h")
    assert (status, error) == (0, "")
    for words in ("95 % low", "Jaccard", "*20", "kappa = ", "8 runs, disjoint pairs", "of 101 records"):
        assert words in text
    assert len(text.splitlines()) < 40
    status, error, text = at_terminal("stdout", "stability", "h", "--json")
    assert status == 0
    assert error.startswith("strag: kappa = ")
    assert text.startswith('{\r\n  "strag": {')
    status, error, _ = at_terminal("stdout", "stability", "h", "--json", "-q")
    assert (status, error) == (0, "")


def test_the_table_holds_in_80_columns(capsys, monkeypatch):
    """A million updates, a thousand runs, a million examples; a kappa below 0 and a large z."""
    monkeypatch.setenv("COLUMNS", "80")
    T = 24
    lows = np.full(T, -0.987)
    wide = agreement(
        T,
        updates=np.linspace(0, 1_000_000, T).astype(int),
        size_mean=np.full(T, 1_000_000.0),
        **dict.fromkeys(("kappa", "kappa_low", "kappa_high"), lows),
        z=np.full(T, 12345.6),
        runs=np.full(T, 1000),
        pairs=np.full(T, 499_500),
        taken=1000,
        which="all",
        inversion=(1e6, 0.01),
    )
    print_tables(tables(wide))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line.split() for line in lines if re.match(r" *\*?\d+  0\.\d{4} ", line)]
    assert len(rows) == T
    assert rows[-1] == [
        *("*1000000", "0.0100", "1000000", "-0.987", "-0.987", "-0.987"),
        *(f"{wide.jaccard[-1]:.3f}", "12345.6", "1000"),
    ]
    assert "…" not in "".join(lines)


def test_the_table_of_a_short_history_has_every_record(folder):
    write("short", cut_to(made_runs(), slice(0, 30, 3)))
    status, _, text = at_terminal("stdout", "stability", "short")
    assert status == 0
    rows = re.findall(r"^ *\*?(\d+) +0\.\d{4} ", text, flags=re.M)
    assert rows == [str(t) for t in range(0, 30, 3)]
    assert "records" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["one"], 1, ["one: has 1 run, but agreement needs 2; train more --runs"]),
        (["broken"], 1, ["broken: has 2 runs, of which 1 diverged", "use a smaller --lr, or train more"]),
        (["nothere"], 1, ["nothere: no such file"]),
        (["."], 1, [".: is a directory"]),
        (["empty"], 1, ["empty: is empty"]),
        (["cut"], 1, ["cut: is cut short", "create or copy it again"]),
        (["text"], 1, ["text: is not a strag file; make one with 'strag train'"]),
        (["s.json"], 1, ["s.json: is a stragglers file, not a history file; make one with 'strag train'"]),
        (["h", "--pairs", "some"], 2, ["--pairs", "'some'"]),
        (["h", "--bootstrap", "50"], 2, ["--bootstrap no longer exists", "Student's t", "remove it"]),
        (["h", "--bootstrap", "0"], 2, ["--bootstrap no longer exists"]),
        (["h", "--seed", "0"], 2, ["--seed no longer exists", "draws no numbers", "remove it"]),
        (["h", "-o", "no/a.json"], 1, ["no/a.json: cannot be written"]),
        (["h", "-o", "."], 2, [".: is a directory"]),
        (["h", "one"], 2, ["unexpected extra argument"]),
        ([], 1, ["stdin: is empty"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_and_leaves_nothing(folder, arguments, status, words):
    (folder / "empty").touch()
    (folder / "text").write_text("a line of text, longer than a header\n")
    (folder / "cut").write_bytes((folder / "h").read_bytes()[:-100])
    (folder / "s.json").write_text('{"strag": {"kind": "stragglers", "format": 1}}')
    write("broken", made_runs(R=2, diverged=[0]))
    before = files_in(folder)
    complains(strag("stability", *arguments), status, *words)
    assert files_in(folder) == before


def test_it_does_not_wait_for_a_person(folder):
    status, error, _ = at_terminal("stdin", "stability")
    assert (status, error) == (2, "strag: stdin: is a terminal; name a file or pipe one in\n")


def test_needs_neither_torch_nor_matplotlib_and_reads_no_test_records(folder):
    history_file("tested")
    script = """
import sys
from strag.cli import main
from strag.files.reading import Container
read, names = Container.read, set()
Container.read = lambda self, name: names.add(name) or read(self, name)
assert main(["stability", "tested", "-q", "-o", "a.json"]) == 0
assert "misclassified" in names
assert not {"test_updates", "test_error", "test_misclassified", "y_test"} & names
assert not {"torch", "matplotlib"} & set(sys.modules)
"""
    with open_file("tested") as container:
        assert {"test_updates", "test_error", "test_misclassified", "y_test"} <= container.layout().keys()
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
