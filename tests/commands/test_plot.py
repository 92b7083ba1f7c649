"""strag plot, through its command line."""

import json
import os
import pty
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from strag.cli import main
from strag.datasets.dataset import Dataset
from strag.files.dataset import write_dataset
from strag.files.output import Output
from strag.files.stamp import stamp
from strag.stragglers.experiments import QUANTITIES
from tests.shell import complains, files_in, shell, strag
from tests.views.histories import falling, made, valley, write
from tests.views.sweeps import sweep, told

SCALED = "each column scaled by its smallest and largest value"
MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def write_images(path, shape=(6, 5), fill=0):
    x = np.full((20, *shape), fill, np.uint8)
    data = Dataset(x, np.arange(20) % 10, np.arange(20), labels="parity", title="images")
    with Output(str(path)) as sink:
        write_dataset(sink, data, {})
    return data


def write_stragglers(path, origin, indices):
    examples = {"index": indices, "count": [2] * len(indices), "runs": [2] * len(indices)}
    examples["probability"] = [0.75] * len(indices)
    told = {"examples": 10, "stragglers": 1, "test_error_at_inversion": None}
    classes = [
        {"class": n, "name": f"digit {n}", "straggler_share": n / 8, "test_error": n / 16, **told}
        for n in range(4)
    ]
    meta = stamp("stragglers", origin=origin, origin_size=20, classes=["even", "odd"], command="strag data x")
    value = {"strag": meta, "verdict": "none", "indices": sorted(indices), "examples": examples}
    value["original_classes"] = classes
    path.write_text(json.dumps(value))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two histories, stragglers and their data set, never written to again."""
    folder = tmp_path_factory.mktemp("plot")
    write(folder / "h.safetensors", made([valley(20), valley(22)]))
    write(folder / "p.safetensors", made([falling(), falling()]))
    data = write_images(folder / "images.safetensors")
    write_stragglers(folder / "s.json", data.origin, [7, 3])
    return folder


@pytest.fixture
def folder(files, tmp_path, monkeypatch):
    for path in files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_suffix_chooses_the_format(folder, capsys):
    for form, magic in MAGIC.items():
        assert main(["plot", "h.safetensors", "-o", f"f.{form.upper()}"]) == 0
        assert (folder / f"f.{form.upper()}").read_bytes().startswith(magic)
        assert capsys.readouterr() == (
            "",
            "strag: h.safetensors: inversion at t* = 21, ε* = 0.4 (2 of 2 runs)\n",
        )
    assert main(["plot", "h.safetensors", "-o", "f", "--format", "svg", "-q"]) == 0
    assert (folder / "f").read_bytes().startswith(MAGIC["svg"])
    assert capsys.readouterr() == ("", "")


def test_stdout_gets_the_same_bytes_as_a_file(folder):
    assert main(["plot", "h.safetensors", "-o", "f.png"]) == 0
    assert strag("plot", "h.safetensors").stdout == (folder / "f.png").read_bytes()
    piped = strag("plot", "--format", "svg", stdin=(folder / "h.safetensors").read_bytes())
    assert piped.returncode == 0
    assert piped.stdout.startswith(MAGIC["svg"])
    assert b"inversion at t* = 21" in piped.stdout


def test_two_processes_write_the_same_bytes(folder):
    gallery = ["s.json", "--data", "images.safetensors"]
    for form, arguments in (("svg", ["h.safetensors", "p.safetensors"]), ("pdf", gallery)):
        first, second = (strag("plot", *arguments, "--format", form).stdout for _ in range(2))
        assert first == second
        assert first.startswith(MAGIC[form])


def test_a_reader_that_leaves_early_is_no_failure(folder):
    result = shell("strag plot h.safetensors -q | head -c 4", folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, MAGIC["png"], b"")


def test_several_histories_are_called_by_stem_or_label(folder):
    os.mkdir("other")
    write(folder / "other" / "h.safetensors", made([falling()]))
    arguments = ["h.safetensors", "p.safetensors", "other/h.safetensors", "-o", "f.svg"]
    assert main(["plot", *arguments]) == 0
    text = (folder / "f.svg").read_text()
    for entry in ("h (1): inversion at t* = 21", "p: no inversion", "h (2): no inversion"):
        assert entry in text
    assert "other" not in text
    assert main(["plot", *arguments, *("--label", "all", "--label", "few", "--label", "one")]) == 0
    text = (folder / "f.svg").read_text()
    for entry in ("all: inversion at t* = 21", "few: no inversion", "one: no inversion"):
        assert entry in text


def test_error_layer_and_dpi(folder):
    write(folder / "l", made([valley()], layers=(1, 2)))
    assert main(["plot", "l", "--layer", "2", "--x", "error", "-o", "f.svg"]) == 0
    text = (folder / "f.svg").read_text()
    assert "layer 2" in text
    assert "training error ε" in text
    assert "updates t<" not in text
    sizes = []
    for dpi in (50, 100):
        assert main(["plot", "l", "--dpi", str(dpi), "-o", "f.png"]) == 0
        sizes.append(int.from_bytes((folder / "f.png").read_bytes()[16:20], "big"))
    assert sizes == [350, 700]


def test_curves_by_name(folder):
    arguments = ["h.safetensors", "p.safetensors", "--curves", "separation,distance"]
    assert main(["plot", *arguments, "-o", "f.svg"]) == 0
    text = (folder / "f.svg").read_text()
    assert "separation η²" in text
    assert "distance D between class means" in text
    assert "gyration radius" not in text
    assert main(["plot", "h.safetensors", "--curves", "radius,distance", "-o", "a.png"]) == 0
    assert main(["plot", "h.safetensors", "-o", "b.png"]) == 0
    assert (folder / "a.png").read_bytes() == (folder / "b.png").read_bytes()
    status, text, error = at_a_terminal("plot", "h.safetensors", "--curves", "separation", NO_COLOR="1")
    assert (status, error) == (0, "")
    assert "separation η²" in text
    assert "gyration radius" not in text


def test_a_sweep_is_a_picture_of_its_own(folder, capsys):
    write(folder / "w", sweep())
    assert main(["plot", "w", "-o", "f.svg"]) == 0
    text = (folder / "f.svg").read_text()
    for entry in ("depth up to 4 t*", "0 of 2 networks invert without the stragglers"):
        assert entry in text
    assert capsys.readouterr().err.splitlines() == [
        "strag: w: without 8 examples (stragglers, dose 0.5): 2 of 2 networks invert",
        "strag: w: without 16 examples (stragglers, dose 1): 0 of 2 networks invert, 2 none",
        "strag: w: without 8 examples (as many of each class, dose 0.5): 2 of 2 networks invert",
        "strag: w: without 16 examples (as many of each class, dose 1): 2 of 2 networks invert",
    ]
    status, text, error = at_a_terminal("plot", "w")
    assert (status, error) == (0, "")
    rows = [line.split() for line in text.splitlines()]
    assert ["stragglers", "1", "16", "0", "of", "2", "-", "-", "-", "-", "2", "none"] in rows


def test_every_control_of_a_sweep_is_called_by_what_it_is(folder, capsys):
    control = ["none", "random", "class", "earlier"]
    columns = {"control": control * 2, "update": [5] * 4 + [20] * 4, "dose": [0.0] * 8, "run": [0] * 8}
    write(folder / "w", told(sweep(), **columns))
    assert main(["plot", "w", "-o", "f.svg"]) == 0
    assert "as many misclassified at half the time" in (folder / "f.svg").read_text()
    assert "(as many misclassified at half the time, update 20): " in capsys.readouterr().err


def test_one_set_for_each_run_makes_curves_as_ever(folder, capsys):
    history = made([falling(), falling()])
    write(folder / "w", told(history, dose=[1.0, 1.0], control=["none"] * 2, update=[20, 22]))
    assert main(["plot", "h.safetensors", "w", "-o", "f.svg"]) == 0
    assert "w: no inversion" in (folder / "f.svg").read_text()


def test_a_sweep_is_not_mixed_with_others(folder):
    write(folder / "w", sweep())
    for arguments, status, words in (
        (["w", "--x", "error"], 2, ["w: holds a sweep over doses, but --x is for a sweep over updates"]),
        (["w", "h.safetensors"], 1, ["w: holds a sweep", "plot it alone"]),
        (["h.safetensors", "w"], 1, ["w: holds a sweep, but h.safetensors is a history"]),
    ):
        complains(strag("plot", *arguments, "-o", "f.png"), status, *words)
    write(folder / "broken", told(sweep(), dose=[1.0]))
    complains(strag("plot", "broken", "-o", "f.png"), 1, "broken: does not say which set each", "--without")
    assert not (folder / "f.png").exists()


def test_the_gallery(folder, capsys):
    assert main(["plot", "s.json", "--data", "images.safetensors", "--number", "1", "-o", "f.svg"]) == 0
    text = (folder / "f.svg").read_text()
    assert "7 odd" in text
    assert "0.75" in text
    assert "3 odd" not in text
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("flipped", "number", "note"),
    [
        ([], 2, "0 of the 2 examples shown have flipped labels"),
        ([3], 2, "1 of the 2 examples shown has a flipped label"),
        ([3], 1, "0 of the 1 example shown have flipped labels"),
        ([3, 7, 9], 2, "2 of the 2 examples shown have flipped labels"),
    ],
)
def test_the_gallery_counts_flipped_labels(folder, capsys, flipped, number, note):
    data = write_images(folder / "whole")
    true = data.y.copy()
    true[flipped] = (true[flipped] + 1) % 10
    with Output(str(folder / "flipped")) as sink:
        write_dataset(sink, replace(data, y_true=true), {})
    assert main(["plot", "s.json", "--data", "flipped", "--number", str(number), "-o", "f.svg"]) == 0
    assert capsys.readouterr() == ("", f"strag: flipped: {note}\n")
    assert ("was 4 even" in (folder / "f.svg").read_text()) == (3 in flipped and number > 1)


def test_stragglers_by_class(folder, capsys):
    assert main(["plot", "s.json", "--by-class", "-o", "f.svg"]) == 0
    text = (folder / "f.svg").read_text()
    for entry in (
        "stragglers of each class and its test error",
        "correlation of the two 1.00 (n = 4 classes)",
    ):
        assert entry in text
    assert capsys.readouterr() == ("", "")
    first, second = (strag("plot", "s.json", "--by-class", "--format", "pdf").stdout for _ in range(2))
    assert first == second
    assert first.startswith(MAGIC["pdf"])
    status, text, error = at_a_terminal("plot", "s.json", "--by-class")
    assert (status, error) == (0, "")
    rows = [line.split() for line in text.splitlines()]
    assert ["digit", "2", "10", "1", "0.2500", "0.1250", "-"] in rows
    assert "correlation of the two 1.00" in " ".join(text.split())


def test_stragglers_of_an_older_strag_have_no_classes(folder):
    value = json.loads((folder / "s.json").read_text())
    del value["original_classes"]
    (folder / "old.json").write_text(json.dumps(value))
    result = strag("plot", "old.json", "--by-class", "-o", "f.png")
    complains(result, 1, "old.json: does not list its original classes", "'strag find-stragglers'")
    assert not (folder / "f.png").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ("h.safetensors -o f.gif", 2, ["f.gif: ", ".png, .svg or .pdf"]),
        ("h.safetensors -o f", 2, ["f: ", ".png, .svg or .pdf"]),
        ("h.safetensors -o f.png --format pdf", 2, ["f.png: --format pdf contradicts the suffix"]),
        ("s.json -o f.png", 2, ["s.json: holds stragglers, but no images; pass --data, the data set"]),
        ("s.json --data images.safetensors --x error -o f.png", 2, ["s.json: ", "remove --x"]),
        ("s.json --data images.safetensors --label a -o f.png", 2, ["s.json: ", "remove --label"]),
        ("h.safetensors --data images.safetensors -o f.png", 2, ["h.safetensors: ", "remove --data"]),
        ("h.safetensors --reference p.safetensors -o f.png", 2, ["h.safetensors: ", "remove --reference"]),
        ("s.json --reference h.safetensors -o f.png", 2, ["s.json: ", "but --reference is for a sweep"]),
        ("- --reference - -o f.png", 2, ["only one input can be stdin"]),
        ("h.safetensors --number 3 -o f.png", 2, ["h.safetensors: ", "remove --number"]),
        ("h.safetensors --curves size -o f.png", 2, ["no curve 'size'", "radius, distance, separation"]),
        ("h.safetensors --curves radius,radius -o f.png", 2, ["has a curve twice"]),
        ("s.json --curves radius -o f.png", 2, ["s.json: ", "remove --curves"]),
        ("h.safetensors --by-class -o f.png", 2, ["h.safetensors: ", "remove --by-class"]),
        ("s.json --by-class --number 3 -o f.png", 2, ["--number contradicts --by-class"]),
        ("s.json --by-class --data images.safetensors -o f.png", 2, ["--data contradicts --by-class"]),
        ("s.json s.json --by-class -o f.png", 1, ["s.json: ", "plot it alone"]),
        ("h.safetensors p.safetensors --label a -o f.png", 2, ["1 label for 2 FILEs"]),
        ("h.safetensors --layer 4 -o f.png", 2, ["h.safetensors: has no layer 4; it has only layer 1"]),
        ("- - -o f.png", 2, ["only one input can be stdin"]),
        ("- --data - -o f.png", 2, ["only one input can be stdin"]),
        ("images.safetensors -o f.png", 1, ["images.safetensors: is a dataset file", "strag train"]),
        (
            "h.safetensors s.json -o f.png",
            1,
            ["s.json: ", "h.safetensors is a history", "one kind at a time"],
        ),
        ("s.json h.safetensors -o f.png --data images.safetensors", 1, ["s.json: ", "plot it alone"]),
        ("h.safetensors images.safetensors -o f.png", 1, ["images.safetensors: is a dataset file"]),
        ("missing -o f.png", 1, ["missing: no such file"]),
        ("missing -o nowhere/f.png", 1, ["nowhere/f.png: cannot be written"]),
    ],
)
def test_mistakes_are_one_line_and_leave_no_file(folder, arguments, status, words):
    before = files_in(folder)
    complains(strag("plot", *arguments.split()), status, *words)
    assert files_in(folder) == before


def test_stragglers_that_do_not_fit_the_data(folder):
    data = write_images(folder / "other", fill=1)
    to_file = ("-o", "f.png")
    complains(
        strag("plot", "s.json", "--data", "other", *to_file),
        1,
        "s.json: ",
        "'other'",
        "use the data set of 'strag data x'",
    )
    write_stragglers(folder / "none.json", data.origin, [])
    complains(
        strag("plot", "none.json", "--data", "other", *to_file), 1, "none.json: holds no stragglers", "'none'"
    )
    odd = write_images(folder / "odd", shape=(4, 4, 5))
    write_stragglers(folder / "odd.json", odd.origin, [1])
    complains(strag("plot", "odd.json", "--data", "odd", *to_file), 1, "odd: has examples of shape 4 x 4 x 5")
    assert not (folder / "f.png").exists()


@pytest.mark.parametrize(("size", "drawn"), [(12, f"1 x 12, {SCALED}"), (36, "6 x 6")])
def test_rows_of_numbers_are_drawn_and_how_is_said(folder, size, drawn):
    flat = write_images(folder / "flat", shape=(size,))
    write_stragglers(folder / "flat.json", flat.origin, [1])
    result = strag("plot", "flat.json", "--data", "flat", "-o", "f.png")
    assert (result.returncode, result.stdout) == (0, b"")
    assert result.stderr.decode() == f"strag: flat: rows of {size} numbers are drawn as {drawn}\n"


def test_nothing_but_diverged_runs(folder):
    write(folder / "d", made([valley(), valley()], diverged=[0, 1]))
    complains(strag("plot", "d", "-o", "f.png"), 1, "d: has no curve to draw: every run diverged")
    write(folder / "d", made([valley(), valley()], diverged=[0]))
    result = strag("plot", "d", "--format", "svg")
    assert result.returncode == 0
    assert b"2 runs (1 diverged and left out)" in result.stdout
    assert b"1 diverged and left out" in result.stderr


def at_a_terminal(*arguments, **environment):
    """Run `strag ARGUMENTS` with stdout a terminal: exit status, what it showed, stderr."""
    ours, theirs = pty.openpty()
    environment = {"COLUMNS": "80", "LINES": "24", "TERM": "xterm", **environment}
    command = [sys.executable, "-m", "strag", *arguments]
    with subprocess.Popen(
        command,
        stdout=theirs,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the terminal has no writer any more
                break
            if not part:
                break
            parts.append(part)
        error = process.stderr.read()
    os.close(ours)
    return process.returncode, b"".join(parts).decode(), error.decode()


def test_at_a_terminal_curves_are_drawn_there(folder):
    status, text, error = at_a_terminal("plot", "h.safetensors", NO_COLOR="1")
    assert (status, error) == (0, "")
    lines = text.replace("\r\n", "\n").splitlines()
    assert lines[0] == "made-up: inversion at t* = 21, ε* = 0.4 (2 of 2 runs)"
    assert max(map(len, lines)) == 80
    assert "\x1b" not in text
    assert "\x1b" in at_a_terminal("plot", "h.safetensors")[1]
    assert files_in(folder) == ["h.safetensors", "images.safetensors", "p.safetensors", "s.json"]


def test_a_terminal_shows_no_figures(folder):
    for arguments, word in (
        (
            ["s.json", "--data", "images.safetensors"],
            "cannot show images; write the gallery to a file with -o FILE",
        ),
        (["h.safetensors", "--format", "png"], "write to a file with -o FILE"),
    ):
        status, text, error = at_a_terminal("plot", *arguments)
        assert (status, text) == (2, "")
        assert error.startswith("strag: stdout: is a terminal")
        assert word in error


def test_a_terminal_that_knows_no_unicode_gets_a_picture_all_the_same(folder):
    status, text, error = at_a_terminal("plot", "h.safetensors", PYTHONIOENCODING="ascii")
    assert (status, error) == (0, "")
    assert "inversion at t* = 21" in text


def test_help_is_light_and_plotting_needs_no_torch(folder):
    script = """
import sys
from strag.cli import main
main(["plot", "--help"])
assert not {"numpy", "matplotlib", "torch"} & set(sys.modules)
assert main(["plot", "h.safetensors", "-o", "f.png", "-q"]) == 0
assert main(["plot", "s.json", "--data", "images.safetensors", "-o", "g.png", "-q"]) == 0
assert not {"torch", "matplotlib.pyplot", "plotext"} & set(sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_a_picture_that_cannot_be_written_is_not_described(folder):
    result = strag("plot", "h.safetensors", "--format", "png", "-o", "/dev/full")
    complains(result, 1, "/dev/full: cannot be written")


def test_a_number_that_no_axis_holds(folder):
    level = dict.fromkeys(("mean", "low", "high", "seed_std", "block_std"), 1e308)
    counts = {
        "blocks": 1,
        "runs": 2,
        "inverting": 2,
        "low": 0.3,
        "high": 1.0,
        "verdicts": {},
        "differences": {},
    }
    condition = {"label": "a", "settings": {}, "examples": 20, **counts, **dict.fromkeys(QUANTITIES, level)}
    value = {"strag": stamp("summary"), "conditions": [condition], "laws": {}, "varies": []}
    (folder / "su.json").write_text(json.dumps(value))
    complains(strag("plot", "su.json", "-o", "x.png"), 1, "su.json: has conditions that cannot be read")
