"""The README and FORMATS.md cannot lie: what they show is run, what they name exists."""

import importlib
import re
from pathlib import Path

import pytest

from strag.cli import COMMANDS
from strag.files import dataset, history
from tests.shell import files_in, shell

REPO = Path(__file__).parents[1]
README = (REPO / "README.md").read_text()
FORMATS = (REPO / "strag" / "files" / "FORMATS.md").read_text()


def command_of(name):
    return importlib.import_module(f"strag.commands.{name.replace('-', '_')}").command


def options_of(name):
    return {option for parameter in command_of(name).params for option in parameter.opts}


def blocks(text):
    """The shell blocks of a Markdown text."""
    return re.findall(r"```sh\n(.*?)```", text, flags=re.S)


def test_every_strag_command_in_the_readme_runs(tmp_path):
    scripts = [block for block in blocks(README) if "strag " in block]
    assert len(scripts) == 6
    result = shell("set -e\n" + "\n".join(scripts), tmp_path)
    assert result.returncode == 0, result.stderr.decode()
    assert b"inversion (10 of 10 runs)" in result.stderr
    assert result.stdout == b"101\n4\n2\n2\n"  # updates, runs, layers, classes
    made = set(files_in(tmp_path))
    named = set(re.findall(r"(?:-o|--weights) (\S+)", "\n".join(scripts)))
    assert made == named
    for picture in ("pruned.png", "stragglers.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_the_make_targets_exist():
    targets = set(re.findall(r"^make (\S+)", "\n".join(blocks(README)), flags=re.M))
    makefile = (REPO / "Makefile").read_text()
    assert targets == {"demo", "test"}
    for target in targets | {"check"}:
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


def test_formats_names_every_tensor_of_every_kind():
    for kind, module in (("dataset", dataset), ("history", history)):
        section = FORMATS.split(f"\n## {kind}\n")[1].split("\n## ")[0]
        rows = re.findall(r"^\| (.*?) \| (.*?) \|", section, flags=re.M)
        documented = {name: dtypes for names, dtypes in rows for name in re.findall(r"`([a-z_0-9]+)`", names)}
        assert documented.keys() == module.SPEC.keys()
        for name, (dtypes, _, _) in module.SPEC.items():
            for dtype in dtypes.split("|"):
                assert dtype in documented[name] or documented[name].startswith("as `"), name
