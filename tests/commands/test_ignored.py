"""Options that another option, or the data, would leave without effect are refused before any work."""

import json

import pytest

from strag.cli import main
from strag.files.dataset import write_dataset
from strag.files.output import Output
from strag.files.stamp import stamp
from strag.training.precision import FEWEST_INPUTS, is_effective, operand_dtypes
from tests.conftest import made_up
from tests.files.makers import complaint
from tests.shell import in_this_process
from tests.views.histories import made, valley, write


def write_data(path, **options):
    with Output(str(path)) as sink:
        write_dataset(sink, made_up(P=60, Q=20, **options), {})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ignored")
    write_data(folder / "d")
    data = made_up(P=60, Q=20)
    bare = type(data)(data.x, data.y, data.index, labels="parity", title="bare", command="mine")
    with Output(str(folder / "bare")) as sink:
        write_dataset(sink, bare, {})
    write(folder / "h", made([valley(20), valley(22)]))
    value = {"strag": stamp("stragglers", origin="o"), "verdict": "none", "indices": [1], "examples": {}}
    (folder / "s.json").write_text(json.dumps(value))
    return folder


@pytest.fixture
def folder(files, monkeypatch):
    monkeypatch.chdir(files)
    return files


NEVER = "--noise has no effect: --test-every never measures no test error"
HIDDEN = "has no effect: --depth 1 has no hidden layer"
INVERTS = "has no effect, because --at {} does not look for an inversion"
CASES = {
    "train d --depth 1 --width 5": f"--width {HIDDEN}",
    "train d --depth 1 --activation relu": f"--activation {HIDDEN}",
    "train d --depth 1 --layers 1": "depth 1 has no hidden layer 1",
    "train d --noise 1 --test-every never": NEVER,
    "train d --test-every never --noise 0": NEVER,
    "train bare --noise 1": "bare: has no test set, which --noise is for",
    "train bare --test-every 5": "bare: has no test set, which --test-every is for",
    "train d --precision bfloat16": "d: no hidden layer has 64 inputs, which --precision bfloat16 is for",
    "train d --model cnn --precision bfloat16": (
        "a cnn of 2 convolutions is trained in float32, not in --precision bfloat16; remove it"
    ),
    "train d --own-order": "--own-order needs --batch-size",
    "train d --optimizer adam --momentum 0.5": "--momentum needs --optimizer sgd",
    "train d --weights-at 3": "--weights-at needs --weights",
    "train d --json": "--json needs --plan or --list-layers",
    "train d --plan --list-layers": "--plan contradicts --list-layers",
    "find-stragglers h --seed 1": "--seed no longer exists; use 'strag sets'",
    "sets h --seed 0": "--seed needs --controls",
    "find-stragglers h --controls random": "--controls no longer exists; use 'strag sets'",
    "find-stragglers h --dose 1": "--dose no longer exists; use 'strag sets'",
    "find-stragglers h --per-run": "--per-run no longer exists; use 'strag sets'",
    "find-stragglers h --at 20 --rule valley": f"--rule {INVERTS.format('20')}",
    "find-stragglers h --at error:0.1 --rule first-increase": f"--rule {INVERTS.format('error:0.1')}",
    "sets h --at 20 --min-misclassified 3": (f"--min-misclassified {INVERTS.format('20')}"),
    "sets h --at 20 --observable distance": f"--observable {INVERTS.format('20')}",
    "sets h --at log --layer 1": f"--layer {INVERTS.format('log')}",
    "sets h --at log:3 --rule valley": f"--rule {INVERTS.format('log:3')}",
    "sets h --at 20 --dose 1 --rule valley": f"--rule {INVERTS.format('20')}",
    "find-stragglers h --at log": "'log' means sets at many records; use 'strag sets'",
    "train d --init w --seed 3": "--seed has no effect: --init sets the weights",
    "find-stragglers h --rule first-increase --min-misclassified 3": "needs --rule valley",
    "find-stragglers h --core --quorum 0.5": "--quorum contradicts --core; remove --quorum or --core",
    "sets h --quorum 0.5": "--quorum needs --dose",
    "sets h --layer all": "'all' is not a layer; use one layer",
    "find-stragglers h --per-class --layer all": "--layer all contradicts --per-class",
    "find-stragglers h --per-class --observable radius": "--observable contradicts --per-class",
    "find-stragglers h --per-class --at 20": "--at contradicts --per-class",
    "prune d s.json --match class": "--match needs --random",
    "prune d s.json --keep --allow-empty": "--allow-empty contradicts --keep",
    "geometry a --json -o g.safetensors": "--json contradicts -o g.safetensors, which is a history",
    "info h --json --get kind": "--json contradicts --get, which prints one value as text",
    "summary s.json --json --markdown": "--json contradicts --markdown",
    "summary s.json --label= -o r": "a --label is empty; pass a name for each file",
    "plot s.json --by-class --number 3 -o p.png": "--number contradicts --by-class",
    "plot s.json --by-class --data d -o p.png": "--data contradicts --by-class",
    "plot h --number 3 -o p.png": "h: holds a history, but --number is for stragglers",
    "plot h --dpi 96 -o p.svg": "h: --dpi is for pixels, but the svg has none",
    "plot h --x error --curves error -o p.png": "cannot draw the training error against itself",
}


@pytest.mark.parametrize("line", CASES)
def test_what_would_change_nothing_is_refused(line, folder, capsys):
    complaint(capsys, 2, [CASES[line]], *line.split())
    assert not list(folder.glob("*.png")) + list(folder.glob("*.svg"))


@pytest.mark.parametrize(
    "line",
    [
        "find-stragglers h --at inversion --rule valley --min-misclassified 3 -o r",
        "sets h --at log:3 --dose 1 --rule valley --observable radius -o r",
        "sets h --at 20 --controls class --seed 3 -o r",
        "find-stragglers h --at 20 --observable distance --layer 1 -o r",
        "sets h --dose 1 --quorum 0.2 -o r",
        "train bare --runs 1 --epochs 1 --test-every never -o r",
        "train d --runs 1 --epochs 1 --depth 1 --layers 0 -o r",
        "train d --runs 1 --epochs 1 --optimizer adam --momentum 0 -o r",
    ],
)
def test_what_changes_something_is_taken(line, folder, capsys):
    assert main(line.split()) == 0, capsys.readouterr().err


def test_the_precision_is_refused_where_it_would_change_no_product():
    wide, narrow = FEWEST_INPUTS, FEWEST_INPUTS - 1
    for sizes, changes in (
        ([wide, 5, 2], True),
        ([narrow, wide, 2], False),  # the readout stays float32
        ([narrow, wide, 5, 2], True),
        ([wide, 2], False),
        ([narrow, 5, 2], False),
    ):
        assert is_effective("bfloat16", operand_dtypes("bfloat16", sizes)) is changes, sizes
        assert is_effective("float32", operand_dtypes("float32", sizes))


def test_the_help_says_which_layers_can_be_measured(folder, capsys):
    assert main(["train", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "names of a module's layers such as conv1,conv2:mean; with --depth 1, 0, the input." in shown
    complaint(capsys, 2, ["a network of depth 2 has no hidden layer 0"], "train", "d", "--layers", "0")


@pytest.mark.parametrize(
    ("line", "remedy"),
    {
        "dump mnist8k w": "the order is WEIGHTS DATA",
        "expansion mnist8k w": "the order is WEIGHTS DATA",
        "prune d mnist8k": "the order is DATA STRAGGLERS",
        "find-stragglers mnist8k": "train on it with 'strag train mnist8k'",
        "stability mnist": "train on it with 'strag train mnist'",
        "plot cifar10 -o p.png": "plot a history, such as the output of 'strag train cifar10'",
        "geometry mnist8k": "run networks on it with 'strag dump WEIGHTS mnist8k'",
        "info mnist8k": "strag data mnist8k | strag info",
    }.items(),
)
def test_a_data_set_of_the_catalogue_is_no_file(line, remedy, folder, capsys):
    complaint(capsys, 2, ["is the name of a data set, not a file", remedy], *line.split())


def test_advice_names_what_can_be_given(folder, capsys):
    in_this_process("strag train d --runs 2 --epochs 2 --first-run 3 --weights w -q -o r", folder)
    for line, words in {
        "train d --test-every x": "use a number of updates, or log, or never",
        "train d --record-every never": "use a number of updates, or log",
        "train d --init w": "w: has no run 0; choose among runs 3 to 4 with --first-run and --runs",
        "dump w d --layers 3": "a network of depth 2 has no hidden layer 3; pass layers from 1",
    }.items():
        assert complaint(capsys, 2, [words], *line.split()).endswith(f"{words}\n")
