"""strag train --model: laws of networks that are modules, through the command line, and what is refused."""

import functools
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import strag
from strag import kinds
from strag.api import resume
from strag.cli import main
from strag.errors import StragError, StragWarning
from strag.files import container
from strag.files.dataset import write_dataset
from strag.files.history import HistoryWriter
from tests.conftest import made_up
from tests.files.makers import complaint
from tests.shell import files_in, in_this_process

NETWORKS = '''
"""Networks for the tests."""
import math
import random
import sys

import torch
from torch import nn


def make(shape, classes, width=6):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(math.prod(shape), width), nn.Tanh(), nn.Linear(width, classes)
    )


def maps(shape, classes, width=4):
    return nn.Sequential(
        nn.Conv2d(shape[0], width, 3, padding=1), nn.GroupNorm(2, width), nn.ReLU(), nn.Flatten(),
        nn.Linear(width * shape[1] * shape[2], classes),
    )


def with_module(module):
    return lambda shape, classes: nn.Sequential(
        nn.Flatten(), nn.Linear(20, 6), module(), nn.Tanh(), nn.Linear(6, classes)
    )


normed, dropping = with_module(lambda: nn.BatchNorm1d(6)), with_module(nn.Dropout)


def none(shape, classes):
    return None


def kind(shape, classes):
    return nn.Linear


def alone(shape):
    return make(shape, 2)


def more(shape, classes):
    return make(shape, classes + 1)


def one(shape, classes):
    return nn.Sequential(make(shape, 1), nn.Flatten(0))


def frozen(shape, classes):
    return make(shape, classes).requires_grad_(False)


def double(shape, classes):
    return make(shape, classes).double()


def elsewhere(shape, classes):
    return make(shape, classes).to("meta")


def leaves(shape, classes):
    sys.exit(3)


def sized(shape, classes):
    return make(shape, classes, random.randint(2, 50))


def kept(shape, classes, cache=[]):
    if not cache:
        cache.append(make(shape, classes))
    return cache[0]


def seeds(shape, classes):
    torch.manual_seed(0)
    return make(shape, classes)


class Twice(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.a, self.b, self.act, self.never = nn.Linear(20, 6), nn.Linear(6, 6), nn.Tanh(), nn.Linear(1, 1)
        self.c = nn.Linear(6, classes)

    def forward(self, x):
        return self.c(self.act(self.b(self.act(self.a(x.flatten(1))))))


class Bare(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.w = nn.Parameter(torch.randn(20, classes))

    def forward(self, x):
        return x.flatten(1) @ self.w


class Around(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.net, self.calls = make(shape, classes), 0

    def forward(self, x):
        return self.net(x)


class Loss(Around):
    def forward(self, x):
        return {"loss": self.net(x)}


class NoGrad(Around):
    @torch.no_grad()
    def forward(self, x):
        return self.net(x)


class InPlace(Around):
    def forward(self, x):
        return self.net(x.mul_(0.9))


class Later(Around):
    def forward(self, x):
        self.calls += 1
        if self.calls > 15:
            raise ValueError("too late\\nfor this")
        return self.net(x)


number = 3
'''
MAPS = ["--model", "net.py:maps", "--layers", "0,0:mean,2"]
MODELS = {
    "cnn": ["--model", "cnn", "--channels", "3,2", "--layers", "all"],
    "a function": ["--model", "net.py:make", "--model-args", '{"width": 5}'],
    "maps": MAPS,
}
BATCHES = {"full batch": [], "mini-batches": ["--batch-size", "40", "--own-order", "--momentum", "0.5"]}
SMALL = ["train", "d", "--lr", "0.2", "--threads", "1", "-q"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with a data set, and the file of functions."""
    folder = tmp_path_factory.mktemp("model")
    write_dataset(str(folder / "d"), made_up(P=120, Q=30), {})
    write_dataset(str(folder / "flat"), made_up(P=40, Q=10, shape=(4, 5)), {})
    (folder / "net.py").write_text(NETWORKS)
    (folder / "syntax.py").write_text("def make(:\n")
    (folder / "raises.py").write_text("import math\nmath.nothing\n")
    (folder / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    (folder / "bytes.py").write_bytes(b"\x00\xff")
    (folder / "empty.py").write_text("")
    (folder / "folder.py").mkdir()
    return folder


@pytest.fixture
def folder(inputs, tmp_path, monkeypatch):
    """A folder with links to the inputs, as working directory."""
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def made(folder):
    """The names of the files that were made in the folder."""
    return [path.name for path in sorted(folder.iterdir()) if not path.is_symlink()]


def trained(*options, output="h", base=SMALL):
    """Train as options say; the History."""
    assert main([*base, *options, "-o", output]) == 0
    return kinds.read(output, "history")


def bytes_of(*names):
    return [Path(name).read_bytes() for name in names]


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


@pytest.fixture(params=BATCHES)
def batches(request):
    return BATCHES[request.param]


class TestLaws:
    def test_parts_merge_to_the_bytes_of_the_whole(self, folder, model, batches):
        line = [*model, *batches, "--runs", "3", "--epochs", "4", "--weights-at", "0,4"]
        trained(*line, "--weights", "w")
        for part in (1, 2):
            trained(*line, "--part", f"{part}/2", "--weights", f"w{part}", output=f"h{part}")
        in_this_process("strag merge h2 h1 -q -o merged\nstrag merge w1 w2 -q -o merged.w", ".")
        assert bytes_of("merged", "merged.w") == bytes_of("h", "w")

    def test_a_killed_training_ends_with_the_bytes_of_the_whole(self, folder, model, batches, monkeypatch):
        line = [*model, *batches, "--runs", "2", "--epochs", "6", "--record-every", "1"]
        trained(*line, "--weights", "w", output="whole")
        for module, name in ((os, "fsync"), (container.TensorWriter, "flush")):
            monkeypatch.setattr(module, name, lambda _: None)
        monkeypatch.setattr(resume, "EVERY", 0)
        add, calls = HistoryWriter.add, []

        def killed(*arguments):
            calls.append(arguments)
            if len(calls) in (5, 9):
                raise KeyboardInterrupt
            return add(*arguments)

        monkeypatch.setattr(HistoryWriter, "add", killed)
        command = [*SMALL, *line, "--weights", "v", "-o", "h", "--resume"]
        assert [main(command) for _ in range(3)] == [130, 130, 0]
        assert bytes_of("h", "v") == bytes_of("whole", "w")
        assert made(folder) == ["h", "v", "w", "whole"]

    def test_extend_has_the_bytes_of_a_longer_training(self, folder, model, batches):
        line = [*model, *batches, "--runs", "2"]
        trained(*line, "--epochs", "6", output="whole")
        trained(*line, "--epochs", "4", "--keep-state", output="short")
        same = model[:2] if ":" in model[1] else []
        trained(*same, "--extend", "short", "--epochs", "6", base=["train", "d", "--threads", "1", "-q"])
        assert bytes_of("h") == bytes_of("whole")

    @pytest.mark.slow
    def test_workers_write_the_bytes_of_one_process(self, folder, model):
        line = [*model, "--runs", "3", "--epochs", "4"]
        trained(*line, "--weights", "w", output="whole")
        trained(*line, "--weights", "v", "--workers", "2")
        assert bytes_of("h", "v") == bytes_of("whole", "w")

    def test_run_r_alone_is_run_r_of_many(self, folder, model, batches):
        line = [*model, *batches, "--epochs", "4"]
        many = trained(*line, "--runs", "3")
        alone = trained(*line, "--runs", "1", "--first-run", "2")
        np.testing.assert_array_equal(alone.misclassified[:, 0], many.misclassified[:, 2])
        np.testing.assert_array_equal(alone.measures["radius"][:, 0], many.measures["radius"][:, 2])

    def test_init_goes_on_from_the_last_weights(self, folder, model):
        before = trained(*model, "--runs", "2", "--epochs", "4", "--weights", "w")
        after = trained(*model, "--runs", "2", "--epochs", "2", "--init", "w")
        np.testing.assert_array_equal(after.misclassified[0], before.misclassified[-1])
        np.testing.assert_array_equal(after.measures["radius"][0], before.measures["radius"][-1])
        assert (after.train_loss[-1] < before.train_loss[-1]).all()

    def test_left_out_examples_have_no_influence(self, folder, model):
        line = [*model, "--runs", "2", "--epochs", "5"]
        trained(*line)
        in_this_process(
            "strag find-stragglers h --at 4 --any-verdict -q -o s.json\nstrag prune d s.json -q -o p", "."
        )
        weighted = trained(*line, "--without", "s.json", output="weighted")
        sliced = trained(*line, base=["train", "p", *SMALL[2:]], output="sliced")
        assert 0 < len(sliced.index) < len(weighted.index)
        rows = np.isin(weighted.index, sliced.index)
        wrong, other = (
            np.unpackbits(history.misclassified, axis=2, bitorder="little", count=len(history.index))
            for history in (weighted, sliced)
        )
        np.testing.assert_array_equal(wrong[:, :, rows], other)
        np.testing.assert_allclose(weighted.measures["radius"], sliced.measures["radius"], atol=1e-5)

    def test_a_sets_file_gives_one_network_per_set(self, folder, model):
        before = trained(*model, "--runs", "2", "--epochs", "3")
        in_this_process("strag sets h --at 2 --controls random -q -o sets", ".")
        after = trained(*model, "--without", "sets", "--epochs", "1", output="without")
        assert after.meta["sets"]["run"] == [0, 1, 0, 1]
        for network, run in enumerate(after.meta["sets"]["run"]):
            np.testing.assert_array_equal(after.misclassified[0, network], before.misclassified[0, run])


def test_the_recipe_holds_the_function_and_the_bytes_of_its_file_but_no_path(folder):
    recipe = trained(*MODELS["a function"], "--runs", "1", "--epochs", "1").recipe
    (folder / "other").mkdir()
    (folder / "other" / "names.py").write_bytes(Path("net.py").read_bytes())
    moved = [item.replace("net.py", "other/names.py") for item in MODELS["a function"]]
    trained(*moved, "--runs", "1", "--epochs", "1", output="moved")
    assert bytes_of("h") == bytes_of("moved")
    assert {name: recipe[name] for name in ("model", "factory", "model_args")} == {
        "model": "factory",
        "factory": "make",
        "model_args": {"width": 5},
    }
    assert "net.py" not in json.dumps(kinds.read("h").meta)


def test_a_file_that_changes_the_working_directory_does_not_change_where_outputs_go(folder):
    Path("né t").mkdir()
    Path("né t/my net.py").write_text(f"import os\n{NETWORKS}\nos.chdir(os.path.dirname(__file__))\n")
    model = ["--model", "né t/my net.py:make", "--runs", "1", "--epochs", "1", "-q"]
    assert main(["train", "d", *model, "-o", "moved"]) == 0
    assert Path(folder, "moved").exists()


def test_a_changed_file_is_another_recipe(folder, capsys):
    trained("--model", "net.py:make", "--runs", "1", "--epochs", "2", "--keep-state")
    in_this_process("strag sets h --at 1 -q -o sets", ".")
    Path("new.py").write_text(NETWORKS + "\n# changed\n")
    again = ["train", "d", "--model", "new.py:make", "-q", "-o", "out"]
    words = "h: was trained with another version of new.py; pass the file as it was then"
    complaint(capsys, 1, words, *again, "--extend", "h", "--epochs", "3")
    words = "another version of the file of --model"
    complaint(capsys, 2, words, *again, "--without", "sets", "--epochs", "2")
    assert "out" not in files_in(folder)


# What is wrong, the status, and what the line says.
REFUSED = [
    ("--model net", 2, "no model 'net'; use mlp, cnn or FILE.py:FACTORY"),
    ("--model net.py", 2, "no model 'net.py'; use mlp, cnn or FILE.py:FACTORY"),
    ("--model net.py:make()", 2, "no model 'net.py:make()'"),
    ("--model MLP", 2, "no model 'MLP'"),
    ("--model factory", 2, "no model 'factory'"),
    ("--model net.py:nothing", 2, "net.py: has no function nothing; name a function that returns"),
    ("--model net.py:number", 2, "net.py: number is not a function; name a function"),
    ("--model nosuch.py:make", 2, "nosuch.py: cannot be read: No such file or directory; pass FILE.py:"),
    ("--model folder.py:make", 2, "folder.py: cannot be read: Is a directory"),
    ("--model empty.py:make", 2, "empty.py: has no function make"),
    ("--model syntax.py:make", 1, "syntax.py: raises SyntaxError: invalid syntax (syntax.py, line 1); "),
    ("--model raises.py:make", 1, "raises.py: raises AttributeError: module 'math' has no attribute 'not"),
    ("--model leaves.py:make", 1, "leaves.py: raises SystemExit: 0 (line 2); correct it"),
    ("--model bytes.py:make", 1, "bytes.py: raises SyntaxError: source code"),
    ("--model net.py:none", 1, "net.py: none((1, 4, 5), 2) returns NoneType; return a torch.nn.Module"),
    ("--model net.py:kind", 1, "net.py: kind((1, 4, 5), 2) returns type; return a torch.nn.Module"),
    ("--model net.py:alone", 1, "net.py: alone((1, 4, 5), 2) raises TypeError: "),
    ("--model net.py:more", 1, "net.py: the network of more returns an output of shape (3, 3) for 3 ex"),
    ("--model net.py:one", 1, "returns an output of shape (3,) for 3 examples; return logits"),
    ("--model net.py:frozen", 1, "returns a network without parameters to train; return one that has some"),
    ("--model net.py:double", 1, "whose parameter '1.weight' is float64; make all parameters float32"),
    ("--model net.py:elsewhere", 1, "whose parameter '1.weight' is on meta; build it on the CPU"),
    ("--model net.py:leaves", 1, "net.py: leaves((1, 4, 5), 2) raises SystemExit: 3 (line "),
    ("--model net.py:sized", 1, "net.py: a network of another run has a parameter '1.weight' of "),
    ("--model net.py:kept", 1, "net.py: two networks share their parameters; build all"),
    ("--model net.py:normed", 1, "net.py: the output of an example depends on the other examples"),
    ("--model net.py:dropping", 1, "net.py: the network draws random numbers when it is called"),
    ("--model net.py:Bare", 1, "net.py: the network of Bare has no submodule that can be measured; make"),
    ("--model net.py:Bare --layers all", 1, "has no submodule that can be measured; make its nonlinear"),
    ("--model net.py:Loss", 1, "net.py: Loss returns dict, not logits; return a tensor [B, C]"),
    ("--model net.py:NoGrad", 1, "net.py: the output of the network has no gradient; remove torch.no_grad"),
    ("--model net.py:InPlace", 1, "net.py: the network changes its input in place; make its first"),
    ("--model net.py:Later", 1, "net.py: the network of Later raises ValueError: too late (line "),
    ("--model net.py:Twice", 2, "net.py: the network of Twice has no nonlinearity among its modules"),
    ("--model net.py:Twice --layers act", 2, "net.py: cannot use act as --layers: layer act of "),
    ("--model net.py:Twice --layers never", 2, "is called 0 times in a forward pass; pass layers from a"),
    ("--model net.py:Twice --layers d", 2, "the network of Twice has no layer d; pass layers from a, b, c"),
    ("--model net.py:Twice --layers 1", 2, "has no layer 1; pass layers from a, b, c"),
    ("--model net.py:Twice --layers a:mean", 2, "layer a of the network of Twice has no positions"),
    ("--model net.py:Twice --layers a,,c", 2, "cannot read 'a,,c'; use layers such as"),
    ("--model net.py:Twice --layers :mean", 2, "cannot read --layers ':mean'; pass layers such as a,b"),
    ("--model net.py:make --model-args {", 2, "'{' is not a JSON object; write it like '{\"width\": 8}'"),
    ("--model net.py:make --model-args [1]", 2, "'[1]' is not a JSON object"),
    ('--model net.py:make --model-args {"size":3}', 1, "make((1, 4, 5), 2, size=3) raises TypeError: "),
    ('--model net.py:make --model-args {"width":-1}', 1, "net.py: make((1, 4, 5), 2, width=-1) raises"),
    ("--model net.py:make --width 3", 2, "--width is not an option of a --model in a file; pass the"),
    ("--model net.py:make --activation relu", 2, "--activation is not an option of a --model in a file"),
    ("--model net.py:make --precision bfloat16", 2, "the network of make is trained in float32, not in"),
    ("--model cnn --model-args {}", 2, "--model-args is not an option of --model cnn; its options are --ch"),
    ("--model cnn --width 3", 2, "--width is not an option of --model cnn; its options are --channels, --a"),
    ("--model cnn --channels 0", 2, "cannot use 0 as --channels; pass a whole number from 1 to 65536"),
    ("--model cnn --channels a,b", 2, "cannot read 'a,b'; use numbers of channels such as 8,16"),
    ("--model cnn --channels 8,,16", 2, "cannot read '8,,16'"),
    ("--model cnn --activation gelu", 2, "cannot use 'gelu' as --activation; pass tanh or relu"),
    ("--model cnn --layers conv3", 2, "a cnn of 2 convolutions has no layer conv3; pass layers from"),
    ("--model cnn --layers 1", 2, "has no layer 1; pass layers from conv1, conv2"),
    ("--model mlp --channels 3", 2, "--channels is not an option of --model mlp; its options are --depth"),
    ("--model-args {}", 2, "--model-args is not an option of --model mlp"),
    ("--layers conv1", 2, "cannot read --layers 'conv1'; pass layers such as 1, or all"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "status", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_left(folder, capsys, options, status, words):
    line = [*SMALL, "--runs", "2", "--epochs", "30", *options.split(" ")]
    complaint(capsys, status, words, *line, "-o", "out", "--weights", "w")
    assert made(folder) == []


class TestFunctions:
    """Functions that are given in Python."""

    def few(self, **options):
        return strag.train(kinds.read("d"), **{"runs": 2, "epochs": 2, **options})

    def test_a_function_a_class_and_a_lambda_are_models(self, folder):
        def function(shape, classes):
            return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(20, classes), torch.nn.Tanh())

        class Net(torch.nn.Sequential):
            def __init__(self, shape, classes):
                super().__init__(*function(shape, classes))

        same = [function, Net, lambda shape, classes: function(shape, classes)]
        first, *others = [self.few(model=model) for model in same]
        assert [history.recipe["factory"] for history in (first, *others)] == ["function", "Net", "<lambda>"]
        for other in others:
            np.testing.assert_array_equal(other.misclassified, first.misclassified)
            assert other.recipe["source"] != first.recipe["source"]

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"model": functools.partial(made_up)}, "the source of `model` partial is not known; pass"),
            ({"model": len}, "the source of `model` len is not known"),
            ({"model": torch.nn.Linear(2, 2)}, "is a network, an object of type Linear; pass the function"),
            ({"model": None}, "cannot use None as `model`; pass mlp, cnn or FILE.py:FACTORY"),
            ({"model": "net.py"}, "cannot use 'net.py' as `model`"),
            ({"model": "net.py:make", "model_args": [1]}, "cannot use [1] as `model_args`; pass"),
            ({"model": "net.py:make", "model_args": {"width": {1}}}, "cannot use an object of type dict as"),
            ({"model": "net.py:make", "model_args": '{"width": 5, "width": 6}'}, "has the key 'width' twice"),
            ({"model": "net.py:make", "model_args": {"width": float("nan")}}, "pass a JSON object"),
            ({"model_args": {}}, "`model_args` is not an option of `model` mlp"),
            ({"model": "cnn", "channels": 8}, "cannot use 8 as `channels`; pass numbers of"),
            ({"model": "cnn", "channels": (8.5,)}, "cannot use 8.5 as `channels`"),
            ({"model": "cnn", "channels": ()}, "cannot use () as `channels`"),
            ({"model": "cnn", "layers": 1}, "a cnn of 2 convolutions has no layer 1"),
            ({"model": "cnn", "layers": ["conv1", ""]}, "cannot read `layers` 'conv1,'; pass layers such as"),
            ({"model": "cnn", "layers": ()}, "cannot use () as `layers`"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_said_in_the_words_of_python(self, folder, options, words):
        with pytest.raises(StragError) as caught:
            self.few(output="out", **options)
        assert words in str(caught.value)
        assert caught.value.status == 2
        assert made(folder) == []

    def test_a_function_of_no_file_does_not_train_in_other_processes(self, folder):
        from strag.api.model import read_factory

        function = read_factory("net.py:make").function
        with pytest.raises(StragError, match="cannot be sent to another process; remove `workers`"):
            self.few(model=lambda shape, classes: function(shape, classes), workers=2)

    def test_the_same_network_for_every_run_gives_a_warning(self, folder):
        with pytest.warns(StragWarning, match="net.py: seeds returns the same network for every run; draw"):
            self.few(model="net.py:seeds")
