"""The README and FORMATS.md cannot lie: what they show is run, what they name exists."""

import importlib
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from strag.cli import COMMANDS
from strag.files.comparison import comparison_object
from strag.files.spec import markdown, table_under
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
from tests.conftest import history_of
from tests.shell import files_in, shell

PARTS = ("examples", "summary", "runs", "layers", "original_classes")  # of a stragglers file
REPO = Path(__file__).parents[1]
README = (REPO / "README.md").read_text()
FORMATS = (REPO / "strag" / "files" / "FORMATS.md").read_text()


def command_of(name):
    return importlib.import_module(f"strag.commands.{name.replace('-', '_')}").command


def options_of(name):
    shown = [one for one in command_of(name).params if not getattr(one, "hidden", False)]
    return {option for parameter in shown for option in parameter.opts}


def blocks(text):
    """The shell blocks of a Markdown text."""
    return re.findall(r"```sh\n(.*?)```", text, flags=re.S)


@pytest.mark.slow
def test_every_strag_command_in_the_readme_runs(tmp_path):
    scripts = [block for block in blocks(README) if "strag " in block]
    assert len(scripts) == 6
    result = shell("set -e\n" + "\n".join(scripts), tmp_path)
    assert result.returncode == 0, result.stderr.decode()
    assert b"inversion (10 of 10 runs)" in result.stderr
    assert result.stdout == b"101\n4\n2\n2\n"  # updates, runs, layers, classes
    made = set(files_in(tmp_path))
    named = set(re.findall(r"(?:-o|--weights) (\S+)", "\n".join(scripts)))
    assert made == named - {"block$b.json"} | {f"block{b}.json" for b in (1, 2, 3, 4)}
    for picture in ("pruned.png", "stragglers.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_the_figures_of_speed_are_those_that_were_measured():
    folder = REPO / "tests" / "benchmarks"
    results = json.loads((folder / "results.json").read_text())
    precision = json.loads((folder / "precision.json").read_text())
    shown = README.split("<!-- tests/benchmarks/results.md -->\n")[1].split("<!-- end -->")[0]
    text = run.markdown(results) + "\n" + precision_pairs.markdown(precision)
    assert " ".join(shown.split()) == " ".join(text.split())
    whole = run.markdown(results) + "\n" + run.growth_table(results["growth"])
    assert (folder / "results.md").read_text() == whole


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


def test_every_option_that_the_readme_names_exists():
    shown = [line for block in blocks(README) for line in block.splitlines()]
    for line in shown:
        for used, rest in re.findall(r"strag (\S+)([^|]*)", line):
            assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options_of(used), line
    prose = re.sub(r"```.*?```", "", README, flags=re.S)
    known = set().union(*(options_of(name) for name in COMMANDS)) | {"--help"}
    assert set(re.findall(r"--[a-z][a-z-]+", prose)) <= known


def test_every_link_of_the_readme_leads_somewhere():
    for path in (REPO / "README.md", REPO / "examples" / "quickstart" / "README.md"):
        links = re.findall(r"\]\(([^)]+)\)", path.read_text())
        assert links
        for link in links:
            assert link.startswith("https://") or (path.parent / link).exists(), link


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
