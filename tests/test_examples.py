"""The examples: each is made on small settings, and shows the pictures that it makes."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from strag import kinds
from strag.cli import COMMANDS, main
from tests.shell import STRAG, files_in, shell
from tests.test_readme import commands_in, options_of, outputs_in

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/Makefile"))
LARGEST_PICTURE = 100_000  # bytes, in the repository
SMALL = "--epochs 100 --lr 0.2 --test-every never"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The first 2048 of mnist8k."""
    path = tmp_path_factory.mktemp("examples") / "small.safetensors"
    assert main(["data", "mnist8k", "--size", "2048", "-q", "-o", str(path)]) == 0
    return path


def make(name, data, out, **variables):
    """Run an example on small settings into `out`; what it said on stdout, and on stderr."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    given = {"STRAG": STRAG, "OUT": out, "DATA": data, **variables}
    command = ["make", "-s", "-C", EXAMPLES / name, *(f"{key}={value}" for key, value in given.items())]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert made.returncode == 0, made.stderr
    for picture in pictures_of(name):
        assert (out / picture).read_bytes().startswith(b"\x89PNG"), picture
    return made.stdout, made.stderr


def pictures_of(name):
    """The names of the pictures that the README of an example shows."""
    return re.findall(r"\]\(pictures/(\S+\.png)\)", (EXAMPLES / name / "README.md").read_text())


@pytest.mark.slow
def test_quickstart(data, tmp_path):
    said, _ = make("quickstart", data, tmp_path, TRAIN=f"--runs 2 {SMALL}", EPOCHS="", LONGER="")
    assert "1. 2 of 2 runs invert" in said
    assert (tmp_path / "inversion.png").exists()


@pytest.mark.slow
def test_layers(data, tmp_path):
    train = f"--runs 2 {SMALL} --depth 3 --record-every log"
    said, _ = make("layers", data, tmp_path, TRAIN=train)
    assert [json.loads(line)["layer"] for line in said.splitlines()] == [1, 2]
    assert kinds.read(str(tmp_path / "measured.safetensors")).layers == (1, 2)


@pytest.mark.slow
def test_measures(data, tmp_path):
    train = f"--runs 2 {SMALL} --record-every log"
    said, _ = make("measures", data, tmp_path, TRAIN=train)
    assert "| `radius` of x, valley | 1.00 +- 0.00 (2 of 2) |" in said
    assert "| `nc4` of h, valley |" in said


@pytest.mark.slow
def test_classes(data, tmp_path):
    said, _ = make("classes", data, tmp_path, TRAIN=f"--runs 2 {SMALL}", LABELS="0-3/4-6/7-9")
    assert re.fullmatch(r"together:  \d+ stragglers\nper class: [1-9]\d* stragglers\n", said)


@pytest.mark.slow
def test_networks(data, tmp_path):
    """The perceptron takes the place of the residual network, which takes longer; its README trains it."""
    smaller_cnn = "--model cnn --channels 4 --layers conv1,conv1:mean --epochs 400"
    train = "--runs 2 --until decided --test-every never"
    few = {
        "TRAIN": train,
        "CNN": smaller_cnn,
        "ADAM": "--lr 0.2",
        "RESIDUAL": "--model networks.py:perceptron",
    }
    said, _ = make("networks", data, tmp_path, **few)
    assert [json.loads(line)["layer"] for line in said.splitlines()] == ["conv1", "conv1:mean", "act1"]
    assert json.loads((tmp_path / "same.json").read_text())["jaccard"] == [[1, 1], [1, 1]]
    assert json.loads((tmp_path / "overlap.json").read_text())["names"] == ["mlp", "other", "cnn", "residual"]


@pytest.mark.slow
def test_stability(data, tmp_path):
    few = {"RUNS": "--runs 4", "OTHERS": "--runs 2"}
    make("stability", data, tmp_path, TRAIN=SMALL, **few)
    assert json.loads((tmp_path / "overlap.json").read_text())["names"] == ["tanh", "relu", "wide", "linear"]
    assert json.loads((tmp_path / "agreement.json").read_text())["inversion"] is not None


@pytest.mark.slow
def test_sweeps(data, tmp_path):
    _, said = make("sweeps", data, tmp_path, RUNS="--runs 2", DOSES="0.5,1", EPOCHS="--epochs 100")
    assert len(re.findall(r"networks invert(?:, .*)?$", said, flags=re.M)) == 6
    assert len(kinds.read(str(tmp_path / "sweep.safetensors")).runs) == 18  # own, two doses, two controls


@pytest.mark.slow
def test_blocks(data, tmp_path):
    few = {"BLOCKS": "1 2", "SIZE": 1024, "CONDITIONS": "tanh wide", "TRAIN": f"--runs 2 {SMALL}"}
    _, said = make("blocks", data, tmp_path, **few)
    assert "2 conditions, 8 runs" in said
    table = (tmp_path / "blocks.md").read_text().splitlines()
    assert [line.split(" | ")[1] for line in table[2:]] == ["2", "2"]  # blocks


def test_the_lines_that_the_readme_of_loops_shows_are_those_of_its_files():
    files = [path.read_text() for path in (EXAMPLES / "loops").glob("*.py")]
    lines = {line.strip() for text in files for line in text.splitlines()}
    blocks = re.findall(r"```py\n(.*?)```", (EXAMPLES / "loops" / "README.md").read_text(), flags=re.S)
    assert len(blocks) == 2
    for block in blocks:
        shown = [line.strip() for line in block.splitlines() if not line.startswith("...")]
        assert set(shown) <= lines
        assert len(shown) <= 10


@pytest.mark.slow
def test_loops(tmp_path):
    """Two networks of scikit-learn, and two processes."""
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    _, said = make("loops", "mnist8k", tmp_path, RUNS="0 1", PYTHON=sys.executable)
    assert "inversion (2 of 2 runs)" in said
    assert "2 recordings of 2, 1 run" in said
    merged = kinds.read(str(tmp_path / "ddp.safetensors"))
    assert (merged.examples, merged.layers) == (2001, ("tanh",))


@pytest.mark.slow
def test_machines(data, tmp_path):
    """Two parts of two runs each; test_machines.py has the other ways to start them."""
    few = "--width 320 --runs 4 --epochs 60 --lr 0.2 --threads 1 --test-every never"
    _, said = make("machines", data, tmp_path, TRAIN=few, N=2)
    assert "2 parts of 2" in said
    assert len(kinds.read(str(tmp_path / "h.safetensors")).runs) == 4


@pytest.mark.slow
def test_resnet(data, tmp_path):
    few = {"SIZE": 192, "TRAIN": "--epochs 3 --width 4", "PYTHON": sys.executable}
    said, _ = make("resnet", data, tmp_path, **few)
    *last, one, two, three = said.splitlines()
    layers = ["layer1:mean", "layer2:mean", "layer3:mean"]
    assert [json.loads(line)["layer"] for line in (one, two, three)] == layers
    assert len(last) == 2  # the figures of the last record of each run
    assert kinds.read(str(tmp_path / "history.safetensors")).runs == (0, 1)


@pytest.mark.slow
def test_data(data, tmp_path):
    _, said = make("data", data, tmp_path, TRAIN="--runs 2 --epochs 150 --lr 0.2")
    assert re.search(r"inversion \(2 of 2 runs\)", said)
    flipped, shown = re.search(r"(\d+) of the (\d+) examples shown have flipped labels", said).groups()
    assert int(flipped) > 0.2 * int(shown)  # four times their share of the examples
    assert "column 'name' holds the names of the examples" in said
    examples = json.loads((tmp_path / "flowers.json").read_text())["examples"]
    assert all(re.fullmatch(r"flower\d{3}", name) for name in examples["name"])
    assert set(examples["label"]) == {"iris", "rose"}


@pytest.mark.slow
def test_logs(data, tmp_path):
    said, _ = make("logs", data, tmp_path, SEEDS="1 2", PYTHON=sys.executable)
    first, both, _, last = map(float, said.splitlines()[-4:])
    assert (first, last) == (1, 1)
    assert 0 < both < 1
    table = (tmp_path / "examples.csv").read_text().splitlines()
    assert table[0].startswith("index,name,class,label,group,count,runs,frequency,status,keep,correctness")
    assert len(table) == 2049


NOTEBOOK = json.loads((EXAMPLES / "notebook" / "pipeline.ipynb").read_text())


def code_of(notebook):
    """The code cells of a notebook, as texts."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_is_a_clean_one_of_about_ten_lines():
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in NOTEBOOK["cells"]]
    assert len(set(names)) == len(names)
    for cell in NOTEBOOK["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == ([], None)
    lines = [line for text in code_of(NOTEBOOK) for line in text.splitlines() if line.strip()]
    assert len(lines) <= 12
    assert len(NOTEBOOK["cells"]) > len(code_of(NOTEBOOK)) + 2


@pytest.mark.slow
def test_notebook(data, tmp_path):
    """Its cells run one after the other, and write the files that the commands write."""
    few = {"RUNS": 2, "EPOCHS": 100, "LONGER": 120}
    make("notebook", data, tmp_path / "commands", **few)
    settings = f"DATA, RUNS, EPOCHS, LONGER = {(str(data), *few.values())!r}"
    code, replaced = re.subn(r"^DATA, RUNS.*$", settings, "\n".join(code_of(NOTEBOOK)), flags=re.M)
    assert replaced == 1
    (tmp_path / "cells").mkdir()
    command = [sys.executable, "-c", code]
    made = subprocess.run(
        command, cwd=tmp_path / "cells", capture_output=True, text=True, timeout=120, check=False
    )
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"inversion: \d+ stragglers\n", made.stdout)
    assert files_in(tmp_path / "cells") == ["pruning.png", "stragglers.json"]
    for name in files_in(tmp_path / "cells"):
        written = (tmp_path / "cells" / name).read_bytes()
        assert written == (tmp_path / "commands" / name).read_bytes(), name


def script_of(text):
    """The shell and Python blocks of a Markdown text, in order, as one script for a shell."""
    found = re.findall(r"```(sh|python)\n(.*?)```", text, flags=re.S)
    return "".join(f"python - <<'EOF'\n{code}EOF\n" if what == "python" else code for what, code in found)


def smaller(script):
    """A script with fewer runs and blocks, and shorter sweeps."""
    script = re.sub(r"--runs \d+(?=.* --part )", "--runs 2 --width 640 --epochs 3", script)
    script = re.sub(r"--runs \d+", "--runs 2", script)
    script = script.replace("sets.safetensors --until decided", "sets.safetensors --epochs 100")
    return script.replace("for b in 1 2 3 4;", "for b in 1 2;")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "paper"])
def test_the_readme_of_an_example_runs(name, tmp_path):
    """Each block after the other, in a copy of the folder, with fewer runs."""
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("out", "pictures"))
    script = smaller(script_of((EXAMPLES / name / "README.md").read_text()))
    python = f'python() {{ {sys.executable} "$@"; }}\n'
    result = shell(f"set -e\n{python}{script}", folder)
    assert result.returncode == 0, result.stderr.decode()
    outputs = outputs_in(script)
    assert outputs
    for output in outputs:
        if "$" not in output:
            assert (folder / output).stat().st_size, output


@pytest.mark.slow
def test_paper(data, tmp_path):
    """Two of the claims; the others are made of the same commands and take longer."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    given = {
        "STRAG": STRAG,
        "OUT": tmp_path,
        "MNIST": data,
        "SETS": "mnist",
        "SIZE": 2048,
        "RUNS": 2,
        "PAIRS_mnist": 2,
    }
    given["TRAIN_mnist"] = given["AGREE_mnist"] = "--lr 0.2 --epochs 60"
    command = ["make", "-s", "-C", EXAMPLES / "paper", *(f"{key}={value}" for key, value in given.items())]
    made = subprocess.run([*command, "c1", "c5"], capture_output=True, text=True, timeout=120, check=False)
    assert made.returncode == 0, made.stderr
    for picture in ("c1/mnist.error.png", "c5/mnist.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG"), picture
    planned = subprocess.run([*command, "-n", "all"], capture_output=True, text=True, check=False)
    assert planned.returncode == 0, planned.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_everything_that_the_report_shows_has_a_rule(tmp_path):
    command = ["make", "-n", "-C", EXAMPLES / "paper", f"STRAG={STRAG}", f"OUT={tmp_path}", "results"]
    planned = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert planned.returncode == 0, planned.stderr
    assert "collect.py" in planned.stdout


def test_pictures_and_results_are_small():
    paths = [path for part in ("pictures", "results") for path in (EXAMPLES / "paper" / part).iterdir()]
    assert sum(path.stat().st_size for path in paths) < 3_500_000


def test_there_is_a_test_for_every_example():
    assert [name for name in NAMES if f"test_{name}" not in globals()] == []
    assert {"quickstart", "layers", "classes", "stability", "sweeps"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_readme_shows_pictures_that_are_there_and_commands_that_exist(name):
    text = (EXAMPLES / name / "README.md").read_text()
    folder = EXAMPLES / name / "pictures"
    shown, there = pictures_of(name), files_in(folder) if folder.is_dir() else []
    assert sorted(shown) == there
    for picture in there:
        assert (folder / picture).stat().st_size < LARGEST_PICTURE, picture
    for used, rest in commands_in(text):
        assert used in COMMANDS
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options_of(used), rest


@pytest.mark.parametrize("name", NAMES)
def test_a_makefile_is_strict_and_runs_strag_alone(name):
    text = (EXAMPLES / name / "Makefile").read_text()
    assert "include ../common.mk" in text
    recipes = re.findall(r"^\t(.*)$", text, flags=re.M)
    assert any("$(STRAG)" in line for line in recipes)
    assert not any(re.search(r"\b(python|pip|curl|wget)\b", line) for line in recipes)
