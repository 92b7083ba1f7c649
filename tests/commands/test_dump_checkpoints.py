"""strag dump of checkpoints that a loop of torch wrote, and of networks of modules that strag trained."""

import json
import random
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load
from safetensors.torch import save_file

import strag as package
from strag import kinds
from strag.api import checkpoints as api
from strag.cli import main
from strag.datasets.dataset import Dataset, standardise
from strag.datasets.standardisation import over_channels
from strag.files.dataset import write_dataset
from tests.commands.terminal import at_terminal
from tests.conftest import made_up
from tests.files.makers import complaint, refused
from tests.shell import files_in, in_this_process, strag

NET = '''
import torch
from torch import nn

class Net(nn.Module):
    """Convolutions with BatchNorm, a shared and in-place ReLU, one layer that never runs, and dropout."""

    def __init__(self, channels, classes, width):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(width)
        self.act1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(2 * width)
        self.act2 = nn.Tanh()
        self.drop = nn.Dropout(0.5)
        self.shared = nn.Hardtanh(-100, 100)
        self.unused = nn.Linear(1, 1)
        self.head = nn.LazyLinear(classes)

    def forward(self, x):
        x = self.act1(self.norm1(self.conv1(x)))
        x = self.shared(self.shared(x))
        x = self.act2(self.norm2(self.conv2(x)))
        return self.head(self.drop(x).flatten(1))

def make(shape, classes, width=3):
    return Net(shape[0], classes, width)

def tied(shape, classes):
    first, second = nn.Linear(classes, classes, bias=False), nn.Linear(classes, classes, bias=False)
    second.weight = first.weight
    body = nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes), nn.Tanh())
    return nn.Sequential(body, first, second)

def ten(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], 10))

class Wrapped(nn.Module):
    def __init__(self, shape, classes, form):
        super().__init__()
        self.net, self.form = Net(shape[0], classes, 3), form

    def forward(self, x):
        logits = self.net(x)
        if self.form == "object":
            return type("Output", (), {"logits": logits})()
        return {"dict": {"loss": 0, "logits": logits}, "tuple": (logits, None), "none": None}[self.form]

def wrapped(shape, classes, form):
    return Wrapped(shape, classes, form)

def parallel(shape, classes):
    return nn.DataParallel(make(shape, classes))

def failing(shape, classes):
    raise KeyError("no\\nluck")

def nothing(shape, classes):
    pass

def talking(shape, classes):
    print("this goes to stderr")
    return make(shape, classes)

def wrong(shape, classes):
    return nn.Linear(7, classes)

number = 3
'''
UPDATES = [0, 1, 2, 4, 8, 16, 30]
LAYERS = ["norm1", "act1", "act2", "act2:mean"]


def network():
    """The Net of NET as plain torch, and the namespace of its file."""
    names = {}
    exec(NET, names)
    return names["make"]((1, 4, 5), 2).eval()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with data `d`, checkpoints of a plain loop in two forms, and the file of its network."""
    folder, data = tmp_path_factory.mktemp("made"), made_up(P=300)
    write_dataset(str(folder / "d"), data, {})
    (folder / "net.py").write_text(NET)
    torch.manual_seed(0)
    net = network().train()
    x, y = torch.from_numpy(data.x)[:, None], torch.from_numpy(data.groups)
    net(x)
    descent = torch.optim.Adam(net.parameters(), lr=0.01)
    for update in range(UPDATES[-1] + 1):
        if update in UPDATES:
            state = net.state_dict()
            torch.save(
                {"epoch": 1, "model": state, "optimizer": descent.state_dict()}, folder / f"e1_s{update}.pt"
            )
            save_file(state, folder / f"step{update:03}.safetensors")
        descent.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        descent.step()
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def with_inputs(x):
    """The data of `made` with other inputs, and without a test set."""
    data = made_up(P=300)
    return Dataset(x, data.y, data.index, labels="parity")


PICKLES = [f"e1_s{update}.pt" for update in UPDATES]
SAFE = [f"step{update:03}.safetensors" for update in UPDATES]
MODEL = ["--model", "net.py:make", "--layers", ",".join(LAYERS)]


def dumped(out, *arguments):
    """Dump quietly into a file: its content."""
    assert main(["dump", *map(str, arguments), "-q", "-o", str(out)]) == 0
    return Path(out).read_bytes()


def expected(state, x):
    """The logits and the layers of the plain network with this state dict, by hooks of its own."""
    net, seen = network(), {}
    with torch.no_grad():
        net(x)
        net.load_state_dict(state)
        for name in ("norm1", "act1", "act2"):
            keep = lambda _, __, output, name=name: seen.update({name: output.clone()})  # noqa: E731
            net.get_submodule(name).register_forward_hook(keep)
        logits = net(x)
    seen["act2:mean"] = seen["act2"].mean(dim=(2, 3))
    return logits, {name: seen[name].flatten(1).numpy() for name in LAYERS}


def states():
    return [torch.load(name, weights_only=True)["model"] for name in PICKLES]


def assert_activations(path, x):
    """Assert that a file holds what the plain network computes for x at every checkpoint."""
    data, tensors = made_up(P=300), kinds.read(str(path), "activations")
    y = torch.from_numpy(data.groups)
    assert tensors.updates.tolist() == UPDATES
    for at, state in enumerate(states()):
        logits, layers = expected(state, x)
        for name, values in layers.items():
            found = tensors.hidden(name, at, 0, slice(0, 300))
            np.testing.assert_allclose(found, values, rtol=1e-5, atol=1e-6, err_msg=name)
        loss = torch.nn.functional.cross_entropy(logits, y, reduction="none")
        np.testing.assert_allclose(tensors.loss(at, 0), loss, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(tensors.prediction(at, 0), logits.argmax(dim=1))
        np.testing.assert_array_equal(tensors.head(at, 0), state["head.weight"])
    assert tensors.head_layer == "act2"  # dropout, which does nothing here, lies between it and the head


class TestActivations:
    def test_they_are_those_of_torch_itself(self, folder, tmp_path):
        """With the statistics of BatchNorm and without dropout, and also where a ReLU overwrites them."""
        dumped(tmp_path / "a", *PICKLES, "d", *MODEL)
        assert_activations(tmp_path / "a", torch.from_numpy(made_up(P=300).x)[:, None])
        layers = {name: kinds.read(str(tmp_path / "a")).width(name) for name in LAYERS}
        assert layers == {"norm1": 60, "act1": 60, "act2": 120, "act2:mean": 6}

    def test_every_form_and_order_gives_the_same_bytes(self, folder, tmp_path):
        wanted = dumped(tmp_path / "a", *PICKLES, "d", *MODEL)
        assert dumped(tmp_path / "b", *SAFE, "d", *MODEL) == wanted
        assert dumped(tmp_path / "c", *reversed(PICKLES), "d", *MODEL, "--key", "model") == wanted
        mixed = [*PICKLES[3:], *SAFE[:3]]
        assert dumped(tmp_path / "d", *mixed, "d", *MODEL, "--updates", "4,8,16,30,0,1,2") == wanted

    @pytest.mark.parametrize("start", ["module.", "_orig_mod.", "module._orig_mod.", "model."])
    def test_the_names_of_wrappers_are_removed_with_one_note(self, folder, tmp_path, start, capsys):
        wanted = dumped(tmp_path / "a", *SAFE, "d", *MODEL)
        files = []
        for name, state in zip(SAFE, states(), strict=True):
            files.append(str(tmp_path / name))
            save_file({f"{start}{own}": tensor for own, tensor in state.items()}, files[-1])
        capsys.readouterr()
        assert main(["dump", *files, "d", *MODEL, "-o", str(tmp_path / "b")]) == 0
        assert (tmp_path / "b").read_bytes() == wanted
        lines = [line for line in capsys.readouterr().err.splitlines() if "names of parameters" in line]
        parts = sorted(start.rstrip(".").split("."))
        assert lines == [f"strag: the names of parameters are read without {', '.join(map(repr, parts))}"]

    @pytest.mark.parametrize("way", ["pixel", "channel", "none"])
    def test_inputs_are_standardised_as_asked(self, folder, tmp_path, way):
        data = made_up(P=300)
        mean, std = data.standardisation()
        if way == "channel":
            mean, std = over_channels(mean, std, (4, 5))
        x = np.zeros((300, 20), np.float32)
        x[:, std > 0] = standardise(data.x, mean, std)
        x = data.x if way == "none" else x
        dumped(tmp_path / "a", *PICKLES, "d", *MODEL, "--standardise", way)
        assert_activations(tmp_path / "a", torch.from_numpy(x.reshape(300, 1, 4, 5)))
        recipe = kinds.read(str(tmp_path / "a")).meta["recipe"]
        assert recipe.get("standardise", "pixel") == way

    def test_bytes_are_divided_by_255(self, folder, tmp_path, capsys):
        random_x = np.random.default_rng(0).integers(256, size=(300, 4, 5), dtype=np.uint8)
        write_dataset(str(tmp_path / "u"), with_inputs(random_x), {})
        assert main(["dump", *PICKLES, str(tmp_path / "u"), *MODEL, "-o", str(tmp_path / "a")]) == 0
        assert "inputs are divided by 255, and not standardised" in capsys.readouterr().err
        assert_activations(tmp_path / "a", torch.from_numpy(random_x / np.float32(255))[:, None])

    def test_channels_come_first_wherever_the_data_have_them(self, folder, tmp_path):
        colours = np.random.default_rng(0).normal(size=(300, 3, 4, 5)).astype(np.float32)
        names, model = {}, ["--model", "net.py:make", "--layers", "conv1"]
        exec(NET, names)
        net = names["make"]((3, 4, 5), 2)
        net(torch.from_numpy(colours))
        torch.save(net.state_dict(), tmp_path / "c1.pt")
        found = []
        for name, x in (("first", colours), ("last", colours.transpose(0, 2, 3, 1))):
            write_dataset(str(tmp_path / name), with_inputs(np.ascontiguousarray(x)), {})
            found.append(load(dumped(tmp_path / "a", tmp_path / "c1.pt", tmp_path / name, *model)))
        for name in ("layer.conv1", "loss", "prediction"):
            np.testing.assert_array_equal(found[0][name], found[1][name])

    @pytest.mark.parametrize("form", ["object", "dict", "tuple"])
    def test_outputs_may_hold_logits(self, folder, tmp_path, form):
        wanted = load(dumped(tmp_path / "a", *SAFE, "d", *MODEL))
        for name, state in zip(SAFE, states(), strict=True):
            save_file({f"net.{own}": tensor for own, tensor in state.items()}, tmp_path / name)
        files, args = [tmp_path / name for name in SAFE], json.dumps({"form": form})
        more = ["--model", "net.py:wrapped", "--model-args", args, "--layers", "net.act2"]
        found = load(dumped(tmp_path / "b", *files, "d", *more))
        for name in ("prediction", "loss"):
            np.testing.assert_array_equal(found[name], wanted[name])

    def test_a_factory_may_return_a_wrapped_network(self, folder, tmp_path):
        wanted = load(dumped(tmp_path / "a", *SAFE, "d", *MODEL))
        more = ["--model", "net.py:parallel", "--layers", ",".join(LAYERS)]
        found = load(dumped(tmp_path / "b", *SAFE, "d", *more))
        for name, values in wanted.items():
            np.testing.assert_array_equal(found[name], values)

    def test_a_shared_parameter_need_be_there_once(self, folder, tmp_path):
        names = {}
        exec(NET, names)
        state = names["tied"]((1, 4, 5), 2).state_dict()
        torch.save(state, tmp_path / "both1.pt")
        del state["2.weight"]
        save_file(state, tmp_path / "one1.safetensors")
        more = ["d", "--model", "net.py:tied", "--layers", "1,2"]
        both = load(dumped(tmp_path / "a", tmp_path / "both1.pt", *more))
        one = load(dumped(tmp_path / "b", tmp_path / "one1.safetensors", *more))
        np.testing.assert_array_equal(both["prediction"], one["prediction"])

    @pytest.mark.slow
    def test_what_a_factory_prints_does_not_mix_with_data(self, folder, tmp_path):
        wanted = dumped(tmp_path / "a", SAFE[0], "d", *MODEL)
        result = strag("dump", SAFE[0], "d", "--model", "net.py:talking", *MODEL[2:], "-q")
        assert result.stdout.replace(b'"talking"', b'"make"').count(b"this") == 0
        assert load(result.stdout).keys() == load(wanted).keys()
        assert result.stderr == b"this goes to stderr\n"

    def test_half_precision(self, folder, tmp_path):
        whole = load(dumped(tmp_path / "a", *SAFE, "d", *MODEL))
        half = load(dumped(tmp_path / "b", *SAFE, "d", *MODEL, "--half"))
        name = next(name for name in half if "act2" in name)
        assert half[name].dtype == np.float16
        np.testing.assert_allclose(half[name], whole[name], atol=1e-3)


class TestHistory:
    def test_its_radii_and_errors_are_those_computed_directly(self, folder, tmp_path):
        dumped(tmp_path / "a", *PICKLES, "d", *MODEL)
        assert main(["geometry", str(tmp_path / "a"), "-q", "-o", str(tmp_path / "h.safetensors")]) == 0
        history, data = kinds.read(str(tmp_path / "h.safetensors")), made_up(P=300)
        x, group = torch.from_numpy(data.x)[:, None], data.groups
        assert history.updates.tolist() == UPDATES
        assert history.runs == (0,)
        assert list(history.layers) == LAYERS
        assert history.trained_bits().all()
        for at, state in enumerate(states()):
            logits, layers = expected(state, x)
            wrong = logits.argmax(dim=1).numpy() != group
            np.testing.assert_array_equal(history.misclassified_at(at, 0), wrong)
            assert history.train_error[at, 0] == pytest.approx(wrong.mean(), abs=1e-6)
            for number, name in enumerate(LAYERS):
                h = layers[name].astype(np.float64)
                length = np.linalg.norm(h, axis=1, keepdims=True)
                h = np.divide(h, length, out=np.zeros_like(h), where=length > 0)
                for c in (0, 1):
                    part = h[group == c]
                    radius = np.sqrt(((part - part.mean(axis=0)) ** 2).sum(axis=1).mean())
                    assert history.measures["radius"][at, 0, number, c] == pytest.approx(radius, abs=1e-5)

    def test_it_says_what_is_known(self, folder, tmp_path):
        dumped(tmp_path / "a", *SAFE, "d", *MODEL)
        assert main(["geometry", str(tmp_path / "a"), "-q", "-o", str(tmp_path / "h.safetensors")]) == 0
        meta, data = kinds.read(str(tmp_path / "h.safetensors")).meta, made_up(P=300)
        assert meta["recording"] == "snapshot"
        assert meta["recipe"].keys() == {"model", "factory", "source", "model_args", "layers", "standardise"}
        assert "training_origin" not in meta
        assert meta["inputs"]["measured"] == data.identity
        assert list(map(int, sorted(meta["inputs"]["checkpoints"], key=int))) == UPDATES
        text = json.dumps(meta)
        assert str(folder) not in text
        assert "net.py" not in text

    def test_stragglers_are_found_and_drawn(self, folder, tmp_path, capsys):
        dumped(tmp_path / "a", *SAFE, "d", *MODEL)
        h, s = str(tmp_path / "h.safetensors"), str(tmp_path / "s.json")
        assert main(["geometry", str(tmp_path / "a"), "-q", "-o", h]) == 0
        assert main(["find-stragglers", h, "--at", "error:0.2", "--layer", "act2", "-o", s]) == 0
        indices = json.loads(Path(s).read_text())["indices"]
        assert 0 < len(indices) < 150
        for line in (["plot", h], ["plot", s, "--data", "d"], ["summary", s], ["prune", "d", s]):
            out = str(tmp_path / f"{line[0]}.png")
            assert main([*line, "-o", out]) == 0, line

    def test_parts_of_a_series_are_measured_together(self, folder, tmp_path, capsys):
        whole, early, late = (str(tmp_path / name) for name in ("whole", "early", "late"))
        dumped(whole, *SAFE, "d", *MODEL)
        dumped(early, *SAFE[:3], "d", *MODEL)
        dumped(late, *SAFE[3:], "d", *MODEL)
        outs = [str(tmp_path / f"{name}.safetensors") for name in "ab"]
        assert main(["geometry", whole, "-q", "-o", outs[0]]) == 0
        assert main(["geometry", late, early, "-q", "-o", outs[1]]) == 0
        assert Path(outs[0]).read_bytes() == Path(outs[1]).read_bytes()
        rows, data = np.arange(300), made_up(P=300)
        for name, checkpoint in (("low", SAFE[0]), ("high", SAFE[1])):
            part = data.rows(rows < 150 if name == "low" else rows >= 150)
            write_dataset(str(tmp_path / "part"), part, {})
            dumped(tmp_path / name, checkpoint, tmp_path / "part", *MODEL, "--updates", "0")
        words = ["high: is of another checkpoint of update 0 than", "low"]
        complaint(capsys, 1, words, "geometry", tmp_path / "low", tmp_path / "high")


def test_the_updates_are_reported_and_equal_checkpoints_warned_of(folder, tmp_path, capsys):
    (tmp_path / "same9.pt").write_bytes(Path(PICKLES[-1]).read_bytes())
    line = ["dump", PICKLES[-1], PICKLES[1], str(tmp_path / "same9.pt"), "d", *MODEL, "--updates", "7,1,8"]
    assert main([*line, "-o", str(tmp_path / "a")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert f"strag: warning: {tmp_path}/same9.pt: holds the same parameters as {PICKLES[-1]}" in lines
    assert lines[-1] == "strag: 1 run at updates 1, 7, 8, 300 examples"


class TestPython:
    def test_a_path_alone_is_one_checkpoint(self, folder):
        whole = {"model": "net.py:make", "layers": LAYERS}
        with pytest.warns(UserWarning, match="count as trained on"):
            alone, listed = (package.dump(given, package.read("d"), **whole) for given in (SAFE[0], SAFE[:1]))
        np.testing.assert_array_equal(alone.prediction(0, 0), listed.prediction(0, 0))
        data = package.read("d")
        refused(lambda: package.dump(SAFE[0], data), "is a checkpoint, whose network", status=2)
        refused(lambda: package.dump("d", data), "is a dataset file, not a weights file")
        refused(lambda: package.dump("missing", data), "missing")

    def test_an_empty_key_is_not_no_key(self, folder):
        data = package.read("d")
        same = {"model": "net.py:make", "key": ""}
        refused(lambda: package.dump(SAFE[0], data, **same), "`key` is empty; remove it", status=2)

    def test_the_function_writes_the_bytes_of_the_command(self, folder, tmp_path):
        wanted = dumped(tmp_path / "a", *SAFE, "d", *MODEL)
        data = package.read("d")
        options = {"model": "net.py:make", "layers": LAYERS, "output": tmp_path / "b"}
        with pytest.warns(UserWarning, match="count as trained on"):
            package.dump(SAFE, data, **options).__exit__()
        assert (tmp_path / "b").read_bytes() == wanted

    def test_random_states_and_hooks_are_as_before(self, folder):
        built = []

        def remembered(shape, classes):
            built.append(network())
            torch.rand(3), np.random.rand(), random.random()
            return built[-1]

        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
        with pytest.warns(UserWarning, match="not standardised"):
            package.dump(SAFE, package.read("d"), model=remembered, layers="act1")
        assert torch.equal(torch.get_rng_state(), before[0])
        assert (np.random.get_state()[1] == before[1]).all()
        assert random.getstate() == before[2]
        assert built
        assert not any(module._forward_hooks for net in built for module in net.modules())

    def test_one_checkpoint_is_in_memory_at_a_time(self, folder, monkeypatch):
        alive, read = [], api.read_state

        def watched(path, key=None):
            assert not any(state() for state in alive)
            state = read(path, key)
            alive.append(weakref.ref(state))
            return state

        monkeypatch.setattr(api, "read_state", watched)
        with pytest.warns(UserWarning, match="count as trained on"):
            package.dump(PICKLES, package.read("d"), model="net.py:make", layers="act1")
        assert len(alive) == 2 * len(PICKLES)

    def test_a_checkpoint_that_changes_is_refused(self, folder, tmp_path, monkeypatch):
        (tmp_path / "s1.pt").write_bytes(Path(PICKLES[0]).read_bytes())
        data, stamped = package.read("d"), api.stamp

        def then_change(*arguments, **options):
            (tmp_path / "s1.pt").write_bytes(Path(PICKLES[1]).read_bytes())
            return stamped(*arguments, **options)

        monkeypatch.setattr(api, "stamp", then_change)
        with (
            pytest.warns(UserWarning, match="count as trained on"),
            pytest.raises(package.StragError, match=r"s1\.pt: changed while it was read"),
        ):
            package.dump([tmp_path / "s1.pt"], data, model="net.py:make", output=tmp_path / "a")
        assert files_in(tmp_path) == ["s1.pt"]


class Unlawful(torch.nn.Sequential):
    """A network without a nonlinearity, which breaks a law of networks in evaluation mode."""

    def __init__(self, shape, classes, form):
        self.form = form
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(int(np.prod(shape)), classes))

    def forward(self, x):
        if self.form == "in place":
            x -= 1
        if self.form == "dropout":
            x = torch.nn.functional.dropout(x)
        return super().forward(x - x.mean(dim=0) if self.form == "batch" else x)


class TestLaws:
    @pytest.mark.parametrize("zeros", [False, True], ids=["", "zeros"])
    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ("in place", "changes its input in place; make its first operation return a copy"),
            ("dropout", "draws random numbers when it is called, as dropout does; correct it for evaluation"),
            ("batch", "the output of an example depends on the other examples of its batch"),
        ],
    )
    def test_networks_that_break_them_are_refused(self, tmp_path, form, words, zeros):
        def network(shape, classes):
            module = Unlawful(shape, classes, form)
            torch.nn.init.constant_(module[1].weight, 0.0 if zeros else 0.1)
            return module

        data = made_up()
        paths = [str(tmp_path / f"s{number}.pt") for number in (1, 2)]
        for path in paths:
            torch.save(network(data.x.shape[1:], 2).state_dict(), path)
        with (
            pytest.warns(UserWarning, match="count as trained on"),
            pytest.raises(package.StragError, match=words),
        ):
            package.dump(paths, data, model=network, layers="1")


class TestListLayers:
    def test_layers_are_listed_in_the_order_of_their_calls(self, folder):
        result = strag("dump", "d", "--model", "net.py:make", "--list-layers")
        layers = [json.loads(line) for line in result.stdout.decode().splitlines()]
        assert result.stderr == b""
        names = ["conv1", "norm1", "act1", "shared", "conv2", "norm2", "act2", "drop", "head", "unused"]
        assert [layer["name"] for layer in layers] == names
        assert layers[0] == {"name": "conv1", "type": "Conv2d", "shape": [3, 4, 5], "calls": 1}
        assert {layer["name"]: layer["calls"] for layer in layers if layer["calls"] != 1} == {
            "shared": 2,
            "unused": 0,
        }

    @pytest.mark.slow
    def test_a_terminal_gets_a_table(self, folder):
        line = ["dump", "d", "--model", "net.py:make", "--list-layers"]
        status, error, text = at_terminal("stdout", *line)
        assert (status, error) == (0, "")
        assert "called 2 times" in text
        assert "3 x 4 x 5" in text

    def test_options_without_an_effect_are_refused(self, folder, capsys):
        line = ["dump", "d", "--model", "net.py:make", "--list-layers"]
        complaint(capsys, 2, ["--layers contradicts --list-layers"], *line, "--layers", "act1")
        complaint(capsys, 2, ["--list-layers needs --model"], "dump", "d", "--list-layers")

    def test_a_weights_file_needs_no_model(self, folder, tmp_path):
        in_this_process(
            f"strag train d --runs 1 --epochs 1 -q --depth 3 --weights {tmp_path}/w -o {tmp_path}/h", folder
        )
        in_this_process(f"strag dump {tmp_path}/w d --list-layers -o {tmp_path}/l", folder)
        layers = [json.loads(line) for line in (tmp_path / "l").read_text().splitlines()]
        assert layers[1] == {"name": 2, "type": "tanh", "shape": [20], "calls": 1}


def saved(path, content):
    torch.save(content, path)
    return str(path)


def changed(path, form=torch.save, **tensors):
    """A checkpoint with other tensors, or without those that are None; dots are written as __."""
    state = states()[0] | {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    form({name: tensor for name, tensor in state.items() if tensor is not None}, path)
    return str(path)


class Planted:
    def __reduce__(self):
        return open, ("planted", "w")


NAN = torch.full((3,), float("nan"))
WRONG = {
    "a pickle with a class": (
        lambda f: [saved(f / "a1.pt", {"model": states()[0], "x": Planted()})],
        [],
        1,
        ["a1.pt: holds", "README"],
    ),
    "a whole model": (lambda f: [saved(f / "a1.pt", torch.nn.Linear(2, 2))], [], 1, ["Linear", "README"]),
    "zeros": (lambda f: [f / "a1.pt"], [], 1, ["a1.pt: is not a checkpoint"]),
    "a data set": (lambda f: ["d", SAFE[0]], ["--updates", "0,1"], 1, ["d: is a file of strag", "alone"]),
    "one data set": (lambda f: ["d"], [], 1, ["d: is a dataset file, not a weights file"]),
    "a cut file": (lambda f: [f / "cut1.pt"], [], 1, ["cut1.pt: is not a complete checkpoint"]),
    "no file": (lambda f: ["none1.pt"], [], 1, ["none1.pt: no such file"]),
    "a directory": (lambda f: [f], ["--updates", "0"], 1, ["is a directory"]),
    "two weights files": (
        lambda f: ["d", "d"],
        ["--model", None],
        1,
        ["d: is a file of strag", "pass one weights file alone"],
    ),
    "no such key": (
        lambda f: PICKLES[:1],
        ["--key", "net"],
        2,
        ["no --key 'net'", "epoch, model, optimizer"],
    ),
    "a key of no state dict": (lambda f: PICKLES[:1], ["--key", "optimizer"], 2, ["'optimizer' is a dict"]),
    "a missing parameter": (
        lambda f: [changed(f / "a1.pt", norm1__bias=None)],
        [],
        1,
        ["a1.pt: has no parameter 'norm1.bias'"],
    ),
    "a missing buffer": (
        lambda f: [changed(f / "a1.pt", norm2__running_var=None)],
        [],
        1,
        ["'norm2.running_var'"],
    ),
    "an extra parameter": (
        lambda f: [changed(f / "a1.pt", more=torch.ones(2))],
        [],
        1,
        ["'more', which these"],
    ),
    "another shape": (
        lambda f: [changed(f / "a1.pt", norm1__bias=torch.ones(4))],
        [],
        1,
        ["'norm1.bias' of 4, not 3"],
    ),
    "not finite": (
        lambda f: [changed(f / "a1.pt", norm1__bias=NAN)],
        [],
        1,
        ["a1.pt: its 'norm1.bias' is not finite"],
    ),
    "the names twice": (lambda f: [changed(f / "a1.pt", module__norm1__bias=NAN.fill_(0))], [], 1, ["twice"]),
    "more networks": (
        lambda f: [
            saved(
                f / "a1.pt",
                {f"{net}.{name}": t for net in ("student", "teacher") for name, t in states()[0].items()},
            )
        ],
        [],
        1,
        ["has no parameter", "--key student"],
    ),
    "equal updates": (lambda f: [PICKLES[0], SAFE[0]], [], 2, ["is of update 0", "e1_s0.pt", "--updates"]),
    "no update": (
        lambda f: [saved(f.parent / "best" / "best.pt", states()[0])],
        ["--model", "net.py:make"],
        2,
        ["best.pt: has no number", "--updates such as 0,100"],
    ),
    "too few updates": (
        lambda f: PICKLES[:2],
        ["--updates", "3"],
        2,
        ["--updates has 1 number for 2 checkpoints"],
    ),
    "an unknown layer": (
        lambda f: PICKLES[:1],
        ["--layers", "conv3"],
        2,
        ["has no layer conv3", "conv1, norm1, act1"],
    ),
    "a layer that runs twice": (
        lambda f: PICKLES[:1],
        ["--layers", "shared"],
        2,
        ["shared", "called 2 times", "conv1"],
    ),
    "a layer that never runs": (
        lambda f: PICKLES[:1],
        ["--layers", "unused"],
        2,
        ["unused", "called 0 times", "conv1"],
    ),
    "no positions": (lambda f: PICKLES[:1], ["--layers", "head:mean"], 2, ["head", "has no positions"]),
    "no model": (lambda f: PICKLES[:1], ["--model", None], 2, ["e1_s0.pt: is a checkpoint", "--model"]),
    "a model of strag": (
        lambda f: PICKLES[:1],
        ["--model", "cnn"],
        2,
        ["no model 'cnn'; use FILE.py:FACTORY"],
    ),
    "no file of a model": (
        lambda f: PICKLES[:1],
        ["--model", "none.py:make"],
        2,
        ["none.py: cannot be read"],
    ),
    "no factory": (
        lambda f: PICKLES[:1],
        ["--model", "net.py:absent"],
        2,
        ["net.py: has no function absent"],
    ),
    "no function": (
        lambda f: PICKLES[:1],
        ["--model", "net.py:number"],
        2,
        ["net.py: number is not a function"],
    ),
    "a factory that fails": (
        lambda f: PICKLES[:1],
        ["--model", "net.py:failing"],
        1,
        ["net.py: failing((1, 4, 5), 2) raises KeyError"],
    ),
    "a factory of other arguments": (
        lambda f: PICKLES[:1],
        ["--model-args", '{"depth": 3}'],
        1,
        ["net.py: make(", "depth"],
    ),
    "arguments that are no JSON": (lambda f: PICKLES[:1], ["--model-args", "width=3"], 2, ["--model-args"]),
    "no module": (
        lambda f: PICKLES[:1],
        ["--model", "net.py:nothing"],
        1,
        ["nothing((1, 4, 5), 2) returns NoneType"],
    ),
    "a network for other inputs": (
        lambda f: PICKLES[:1],
        ["--model", "net.py:wrong"],
        1,
        ["net.py: the network of wrong raises RuntimeError"],
    ),
    "ten classes": (
        lambda f: PICKLES[:1],
        ["--model", "net.py:ten"],
        1,
        ["d: has 2 groups, even, odd", "returns [10]"],
    ),
    "no logits": (
        lambda f: PICKLES[:1],
        ["--model", "net.py:wrapped", "--model-args", '{"form": "none"}'],
        1,
        ["returns NoneType, not logits"],
    ),
    "runs": (lambda f: PICKLES[:1], ["--runs", "0"], 2, ["--runs has no effect on checkpoints"]),
    "a way": (lambda f: PICKLES[:1], ["--standardise", "batch"], 2, ["--standardise"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_inputs_are_one_line_and_leave_nothing(folder, tmp_path, capsys, case):
    inputs, options, status, words = WRONG[case]
    (tmp_path / "a1.pt").write_bytes(bytes(4096))
    (tmp_path / "cut1.pt").write_bytes(Path(PICKLES[0]).read_bytes()[:3000])
    (tmp_path.parent / "best").mkdir(exist_ok=True)
    paths, before = inputs(tmp_path), files_in(folder)
    kept = files_in(tmp_path)
    given = dict(zip(options[::2], options[1::2], strict=True))
    options = {"--model": "net.py:make", "--layers": "act2", **given}
    if options["--model"] != "net.py:make" and "--layers" not in given:
        del options["--layers"]
    line = [word for name, value in options.items() if value is not None for word in (name, value)]
    text = complaint(capsys, status, words, "dump", *paths, "d", *line, "-q", "-o", tmp_path / "out")
    assert len(text) < 400
    assert files_in(tmp_path) == kept
    assert files_in(folder) == before


def test_options_of_checkpoints_are_refused_for_weights(folder, tmp_path, capsys):
    w = tmp_path / "w"
    in_this_process(f"strag train d --runs 1 --epochs 1 -q --weights {w} -o {tmp_path}/h", folder)
    for options, words in (
        (["--key", "model"], "--key has no effect on a weights file of strag"),
        (["--model-args", "{}"], "--model-args has no effect on a weights file of strag"),
        (["--standardise", "none"], "--standardise has no effect"),
        (["--model", "net.py:make", "--model-args", "{}"], "--model-args has no effect on a weights file"),
        (["--model", "net.py:make"], "its networks are not built by a function"),
    ):
        complaint(capsys, 2, [words], "dump", w, "d", *options, "-q", "-o", tmp_path / "out")


class TestNetworksOfStrag:
    TRAIN = "--runs 2 --epochs 4 --lr 0.1 --weights-at 0,2,4 -q"

    def same(self, tmp_path, folder, model, *more):
        """Train with weights, dump and measure them: the History of the dump, and that of the training."""
        names = [str(tmp_path / name) for name in ("w", "h", "a", "g.safetensors")]
        in_this_process(f"strag train d {self.TRAIN} {model} --weights {names[0]} -o {names[1]}", folder)
        in_this_process(f"strag dump {names[0]} d {' '.join(more)} -q -o {names[2]}", folder)
        in_this_process(f"strag geometry {names[2]} -q -o {names[3]}", folder)
        return kinds.read(names[3]), kinds.read(names[1])

    @pytest.mark.parametrize(
        ("model", "more"),
        [
            ("--model cnn --channels 3,4 --layers all", ["--layers", "all"]),
            ("--model soft.py:make --layers 1,1:mean", ["--layers", "1,1:mean", "--model", "soft.py:make"]),
        ],
    )
    def test_what_was_trained_comes_back(self, folder, tmp_path, model, more):
        (folder / "soft.py").write_text(SOFT)
        found, trained = self.same(tmp_path, folder, model, *more)
        at = np.searchsorted(trained.updates, found.updates)
        assert found.layers == trained.layers
        for name, values in found.measures.items():
            np.testing.assert_allclose(values, trained.measures[name][at], atol=1e-5, err_msg=name)
        np.testing.assert_array_equal(found.misclassified, trained.misclassified[at])

    def test_their_factory_is_needed_and_a_changed_one_is_warned_of(self, folder, tmp_path, capsys):
        (folder / "soft.py").write_text(SOFT)
        w, line = tmp_path / "w", f"strag train d {self.TRAIN} --model soft.py:make --weights {tmp_path}/w"
        in_this_process(f"{line} -o {tmp_path}/h", folder)
        complaint(
            capsys, 2, ["w: its networks are built by the function make", "FILE.py:make"], "dump", w, "d"
        )
        complaint(
            capsys,
            2,
            ["w: its networks are built by make", "--model"],
            "dump",
            w,
            "d",
            "--model",
            "net.py:ten",
        )
        (folder / "soft.py").write_text(f"# a comment\n{SOFT}")
        assert main(["dump", str(w), "d", "--model", "soft.py:make", "-q", "-o", str(tmp_path / "a")]) == 0
        assert capsys.readouterr().err == f"strag: warning: {w}: soft.py has changed since its training\n"
        (folder / "soft.py").write_text(SOFT.replace("3, 3", "4, 3"))
        complaint(capsys, 1, ["has a parameter '0.weight' of 3"], "dump", w, "d", "--model", "soft.py:make")


SOFT = """
from torch import nn

def make(shape, classes):
    return nn.Sequential(nn.Conv2d(shape[0], 3, 3), nn.Tanh(), nn.Flatten(), nn.LazyLinear(classes))
"""
