"""The README and FORMATS.md cannot lie: what they show is run, what they name exists.

The READMEs of the examples are run by test_examples.py.
"""

import argparse
import importlib
import json
import re
import subprocess
import sys
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.torch
import torch

import strag
from strag.cli import COMMANDS, main
from strag.errors import StragError
from strag.files.checkpoints import read_state
from strag.files.comparison import comparison_object
from strag.files.formats import markdown
from strag.files.stability import stability_object
from strag.files.stragglers import stragglers_object
from strag.files.summary import summary_object
from strag.kinds import KINDS
from strag.stragglers.comparison import compare
from strag.stragglers.experiments import QUANTITIES, Experiment, Run
from strag.stragglers.find import find_stragglers
from strag.stragglers.finding import finding_of
from strag.stragglers.per_class import find_per_class
from strag.stragglers.stability import stability
from strag.stragglers.summary import summarise
from tests.benchmarks import precision as precision_pairs
from tests.benchmarks import run
from tests.conftest import history_of, made_up
from tests.shell import files_in, shell

PARTS = ("examples", "summary", "runs", "layers", "original_classes")  # of a stragglers file
REPO = Path(__file__).parents[1]
README = (REPO / "README.md").read_text()
BENCHMARKS = REPO / "tests" / "benchmarks"
PAGES = [REPO / "README.md", BENCHMARKS / "README.md", *sorted(REPO.glob("examples/*/README.md"))]
FORMATS = (REPO / "strag" / "files" / "FORMATS.md").read_text()


def command_of(name):
    return importlib.import_module(f"strag.commands.{name.replace('-', '_')}").command


def options_of(name):
    shown = [one for one in command_of(name).params if not getattr(one, "hidden", False)]
    return {option for parameter in shown for option in parameter.opts}


def table_under(text, title):
    """The first table under a heading `## title` of a Markdown text."""
    section = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.search(r"(?:^\|.*\n)+", section, flags=re.M)[0].rstrip("\n")


def blocks(text, language="sh"):
    """The blocks of a language in a Markdown text."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def commands_in(text):
    """Every strag command in the shell blocks of a Markdown text: its name and its arguments."""
    lines = [line for block in blocks(text) for line in block.splitlines()]
    return [found for line in lines for found in re.findall(r"strag (\S+)([^|]*)", line)]


def outputs_in(script):
    """The names of the files that the commands of a script write."""
    return set(re.findall(r"(?:-o|--weights|--csv) (\S+)", script))


def section(title):
    """The text of the README under a heading `## title`."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


OF_CHECKPOINTS = section("Checkpoints of other people")


def test_every_block_of_the_readme_is_run_by_a_test():
    others = ("Logs of other people", "Checkpoints of other people", "Activations of other people")
    titles = ("Start", "The pipeline", "Your network", "Your own loop", *others)
    for language in ("sh", "python"):
        assert len(blocks(README, language)) == sum(
            len(blocks(section(title), language)) for title in (*titles, "Python")
        )


def test_the_logs_of_the_readme_give_a_cleaned_list(tmp_path, monkeypatch):
    (script,) = blocks(section("Logs of other people"))
    monkeypatch.chdir(tmp_path)
    hard, labels = np.random.default_rng(0).random(200), np.arange(200) % 3
    wrong = hard < np.geomspace(0.5, 0.01, 20)[:, None]
    np.savez("predictions.npz", predictions=np.where(wrong, (labels + 1) % 3, labels), labels=labels)
    for line in script.splitlines():
        assert main(line.split()[1:]) == 0
    kept = [",True," in line for line in Path("examples.csv").read_text().splitlines()[1:]]
    record = int(np.argmax(wrong.mean(axis=1) <= 0.05))
    assert kept in [(~wrong[at]).tolist() for at in (record - 1, record)]
    assert 2 < kept.count(False) < 20


def test_the_arrays_of_the_readme_are_measured(tmp_path, monkeypatch, capfd):
    text = section("Activations of other people")
    (block,), (script,) = blocks(text, "python"), blocks(text)
    monkeypatch.chdir(tmp_path)
    exec(block, {})
    assert main(script.split()[1:]) == 0
    (record,) = json.loads(capfd.readouterr().out)["records"]
    assert record["layer"] == "fc"
    assert record["class_sizes"] == np.bincount(np.load("mine.npz")["labels"]).tolist()


@pytest.mark.slow
def test_the_pipeline_of_the_readme_runs(tmp_path):
    (script,) = blocks(section("The pipeline"))
    result = shell("set -e\n" + script, tmp_path)
    assert result.returncode == 0, result.stderr.decode()
    assert b"inversion (10 of 10 runs)" in result.stderr
    assert set(files_in(tmp_path)) == outputs_in(script)
    for picture in ("pruned.png", "stragglers.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path):
    (block,) = blocks(section("Python"), "python")
    few = block.replace("runs=10", "runs=2")
    assert few.count("runs=2") == 2
    command = [sys.executable, "-c", few]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"inversion \d+\n", result.stdout)
    assert files_in(tmp_path) == ["pruned.png"]


@pytest.mark.slow
def test_the_network_of_the_readme_runs(tmp_path):
    text = section("Your network")
    (network,), (script,) = blocks(text, "python"), blocks(text)
    (tmp_path / "net.py").write_text(network)
    short = script.replace("--epochs 300", "--epochs 9")
    assert short != script
    result = shell("set -e\n" + short, tmp_path)
    assert result.returncode == 0, result.stderr.decode()
    assert [json.loads(line)["name"] for line in result.stdout.splitlines()] == [
        "conv",
        "act",
        "flat",
        "head",
    ]
    made = [name for name in files_in(tmp_path) if name != "__pycache__"]
    assert set(made) == outputs_in(script) | {"net.py"}
    assert (tmp_path / "n.png").read_bytes().startswith(b"\x89PNG")


LOOPS, (AFTER_A_LOOP,) = (blocks(section("Your own loop"), language) for language in ("python", "sh"))


def stragglers_of_a_loop(loop, given):
    """Run a loop of the README in the current folder, where 400 records are due, and what follows it."""
    assert len(loop.splitlines()) <= 10
    exec(loop, {"strag": strag, "batches": range(400), **given})
    for line in AFTER_A_LOOP.splitlines():
        assert main(line.split()[1:]) == 0
    assert files_in(".") == ["examples.csv", "h.png", "h.safetensors", "s.json"]
    return json.loads(Path("s.json").read_text())


def test_the_torch_loop_of_the_readme_has_stragglers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = made_up(P=400, overlap=1.5)
    x, y = torch.from_numpy(data.x.reshape(400, -1)), torch.from_numpy(data.groups)
    torch.manual_seed(0)
    parts = {"fc": torch.nn.Linear(x.shape[1], 10), "act": torch.nn.Tanh(), "head": torch.nn.Linear(10, 2)}
    model = torch.nn.Sequential(OrderedDict(parts))

    def descend(model, batch):
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= parameter.grad

    found = stragglers_of_a_loop(LOOPS[0], {"model": model, "x": x, "y": y, "descend": descend})
    assert (found["verdict"], found["strag"]["layers"]) == ("inversion", ["act"])


def test_the_loop_of_the_readme_in_any_framework_has_stragglers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, random = made_up(P=400, overlap=1.5), np.random.default_rng(0)
    x, y = data.x.reshape(400, -1), data.groups
    weights = [random.normal(size=(x.shape[1], 10)) / 5, random.normal(size=(10, 2)) / 3]

    def hidden(inputs):
        return np.tanh(inputs @ weights[0])

    def readout(h):
        return h @ weights[1]

    def in_order(x, y):
        return [(range(start, start + 100), x[start:][:100], y[start:][:100]) for start in range(0, 400, 100)]

    def descend(batch):
        h = hidden(x)
        p = np.exp(readout(h))
        slope = (p / p.sum(axis=1, keepdims=True) - np.eye(2)[y]) / len(x)
        back = slope @ weights[1].T * (1 - h**2)
        weights[:] = [weights[0] - x.T @ back, weights[1] - h.T @ slope]

    names = {"hidden": hidden, "readout": readout, "in_order": in_order, "descend": descend}
    assert stragglers_of_a_loop(LOOPS[1], {"x": x, "y": y, **names})["verdict"] == "inversion"


@pytest.mark.slow
def test_the_checkpoints_of_the_readme_have_stragglers(tmp_path):
    (network, _), (script,) = blocks(OF_CHECKPOINTS, "python"), blocks(OF_CHECKPOINTS)
    (tmp_path / "loop.py").write_text(network)
    result = shell(f"set -e\npython() {{ {sys.executable} $@; }}\n{script}", tmp_path)
    assert result.returncode == 0, result.stderr.decode()
    assert b"inversion (1 of 1 run)" in result.stderr
    assert b'"name": "2", "type": "Tanh"' in result.stdout
    assert outputs_in(script) <= set(files_in(tmp_path))


def test_the_converter_of_the_readme_makes_a_refused_checkpoint_readable(tmp_path, monkeypatch):
    _, converter = blocks(OF_CHECKPOINTS, "python")
    monkeypatch.chdir(tmp_path)
    net = torch.nn.Linear(2, 3)
    torch.save({"state_dict": net.state_dict(), "args": argparse.Namespace(lr=0.1)}, "c.pt")
    with pytest.raises(StragError, match="README"):
        read_state("c.pt")
    exec(converter, {"torch": torch, "safetensors": safetensors})
    found = read_state("c.safetensors").tensors
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(found[name], tensor)


def test_the_figures_of_speed_are_those_that_were_measured():
    results = json.loads((BENCHMARKS / "results.json").read_text())
    precision = json.loads((BENCHMARKS / "precision.json").read_text())
    page = (BENCHMARKS / "README.md").read_text()
    shown = page.split("<!-- results.md -->\n")[1].split("<!-- end -->")[0]
    text = run.markdown(results) + "\n" + precision_pairs.markdown(precision)
    assert " ".join(shown.split()) == " ".join(text.split())
    whole = run.markdown(results) + "\n" + run.growth_table(results["growth"])
    assert (BENCHMARKS / "results.md").read_text() == whole
    ratio = results["ratios"]["careful loop / strag, 10 runs"]["median"]
    assert f"strag trains ten networks {ratio:.1f} times as fast as a careful loop in torch does" in README


def test_the_make_targets_exist():
    targets = set(re.findall(r"^make (\S+)", "\n".join(blocks(README)), flags=re.M))
    makefile = (REPO / "Makefile").read_text()
    assert targets == {"demo", "test"}
    for target in targets | {"check", "bench"}:
        assert re.search(rf"^{target}:", makefile, flags=re.M)
    assert "make test" in (REPO / ".ci" / "run").read_text()


def test_the_table_of_commands_is_that_of_the_help():
    table = re.findall(r"^\| `strag (\S+)` \| (.*) \|$", README, flags=re.M)
    assert table == list(COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_what_the_readme_says(name):
    command = command_of(name)
    assert command.help.splitlines()[0] == COMMANDS[name]
    assert "Example:" in command.epilog
    for line in command.epilog.splitlines():
        for used, rest in re.findall(r"strag (\S+)([^|]*)", line):
            unknown = set(re.findall(r"(?<!\S)--[a-z-]+", rest)) - options_of(used)
            assert not unknown, line


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(REPO)) for page in PAGES])
def test_every_command_and_option_that_a_page_names_exists(page):
    text = page.read_text()
    for used, rest in commands_in(text):
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options_of(used), rest
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    known = set().union(*(options_of(name) for name in COMMANDS)) | {"--help", "--index-url"}
    assert set(re.findall(r"(?<![-\w|])--[a-z][a-z-]+", prose)) <= known
    for name in re.findall(r"`strag ([a-z][a-z-]+)", prose):
        assert name in COMMANDS


def anchors_of(page):
    """What links into a page may end in: its headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(REPO)) for page in PAGES])
def test_every_link_of_a_page_leads_somewhere(page):
    links = re.findall(r"\]\(([^)]+)\)", page.read_text())
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        there = page.parent / path
        assert link.startswith("https://") or there.exists(), link
        assert not anchor or anchor in anchors_of(there), link


def test_the_readme_lists_every_example():
    listed = re.findall(r"^- \[(\w+)\]\(examples/(\w+)/README\.md\): ", README, flags=re.M)
    assert {name for name, _ in listed} == {path.parent.name for path in REPO.glob("examples/*/Makefile")}
    assert all(name == folder for name, folder in listed)


def section_of(kind):
    return FORMATS.split(f"\n## {kind}\n")[1].split("\n## ")[0]


WITH_TABLES = [
    kind.name for kind in KINDS.values() if kind.files and kind.name not in ("stragglers", "summary")
]


@pytest.mark.parametrize("kind", WITH_TABLES)
def test_the_tables_of_formats_are_those_of_the_kinds(kind):
    assert table_under(FORMATS, kind) == markdown(KINDS[kind].of().SPEC)


@pytest.mark.parametrize("kind", sorted(kind.name for kind in KINDS.values() if kind.files))
def test_formats_knows_every_kind(kind):
    assert section_of(kind).strip()
    (row,) = re.findall(r"^\| `kind` .*$", FORMATS, flags=re.M)
    assert f"`{kind}`" in row
    assert KINDS[kind].maker.partition(" --")[0] in section_of(kind)


def test_formats_names_every_key_of_the_json_kinds():
    """Top-level keys, and those of the columns or records; `strag` is the stamp."""
    valley = history_of(np.stack([0.8 + 0.1 * np.square(np.log((np.arange(60) + 1) / 21))] * 2, axis=1))
    profile = {1: find_stragglers(valley)}
    found = stragglers_object(finding_of(valley, find_per_class(valley), {}, profile=profile))
    agreement = stability_object(valley, stability(valley), {})
    one = SimpleNamespace(meta={}, origin="o", identity="i")
    overlaps = comparison_object(compare([np.arange(3), np.arange(2)], 9, ["a", "b"]), [one, one])
    values = dict.fromkeys(QUANTITIES, 1.0)
    runs = [Run(block, (run,), "inversion", 9, values) for block in "ab" for run in (0, 1)]
    experiment = Experiment({}, tuple(runs))
    laws = [replace(experiment, settings={"examples": P}) for P in (1, 2, 3, 4)]
    together = summary_object(summarise(laws), [])
    condition, law = together["conditions"][0], together["laws"]["train_error"]
    for kind, value, parts in (
        (
            "stragglers",
            found,
            [found[name] if name in ("examples", "summary") else found[name][0] for name in PARTS],
        ),
        ("stability", agreement, [agreement["records"][0], agreement["summary"], agreement["inversion"]]),
        ("comparison", overlaps, []),
        ("summary", together, [condition, condition["depth"], law]),
    ):
        named = set(re.findall(r"`([a-z_0-9]+)`", section_of(kind)))
        for part in (value, *parts):
            assert set(part) - {"strag"} <= named, kind
