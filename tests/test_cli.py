"""The group: its order, its help, its laziness, and the funnel through which every failure leaves."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import click
import numpy as np
import pytest

import strag
from strag import cli
from strag.errors import StragError, StragNote, bad_usage, warn_of
from strag.files.beside import prefix_of
from tests.files.makers import complaint, dataset_file, history_file, images, stragglers_file
from tests.shell import shell

STRAG = [sys.executable, "-m", "strag"]
SOURCES = Path(strag.__file__).parent / "commands"
WRITTEN = [name for name in cli.COMMANDS if (SOURCES / f"{name.replace('-', '_')}.py").exists()]


def help_of(capsys, *arguments):
    assert cli.main([*arguments, "--help"]) == 0
    out, text = capsys.readouterr()
    assert text == ""
    return out


def output_of(script, *arguments, cwd=None):
    """Lines that a Python script of its own prints."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


class TestHelp:
    def test_the_commands_come_in_the_order_of_the_pipeline(self, capsys):
        listed = help_of(capsys).split("Commands:\n")[1].split("\n\n")[0]
        assert re.findall(r"^  (\S+)", listed, re.MULTILINE) == list(cli.COMMANDS)
        pipeline = ["data", "train", "find-stragglers", "prune", "plot", "info"]
        assert [name for name in cli.COMMANDS if name in pipeline] == pipeline

    def test_without_a_command_it_is_the_same(self, capsys):
        expected = help_of(capsys)
        assert cli.main([]) == 0
        assert capsys.readouterr() == (expected, "")

    @pytest.mark.parametrize("name", WRITTEN)
    def test_a_command_has_its_summary_and_an_example(self, capsys, name):
        text = help_of(capsys, name)
        paragraphs = text.split("\n\n")
        assert paragraphs[0].startswith(f"Usage: strag {name} ")
        assert " ".join(paragraphs[1].split()) == cli.COMMANDS[name]
        examples = text.split("\n  Example:\n")[1].splitlines()
        assert any(re.search(rf"\bstrag {name}\b", line) for line in examples)
        for line in examples:
            assert set(re.findall(r"strag ([a-z-]+)", line)) <= cli.COMMANDS.keys()

    @pytest.mark.parametrize("name", WRITTEN)
    def test_every_option_is_explained(self, name):
        command = cli.group.get_command(None, name)
        options = [option for option in command.params if isinstance(option, click.Option)]
        assert options
        assert [option.name for option in options if not option.help] == []

    @pytest.mark.parametrize("flag", ["-h", "--help"])
    def test_both_spellings(self, capsys, flag):
        assert cli.main(["info", flag]) == 0
        assert capsys.readouterr().out.startswith("Usage: strag info ")

    def test_version(self, capsys):
        assert cli.main(["--version"]) == 0
        assert capsys.readouterr() == (f"strag {strag.__version__}\n", "")

    def test_shell_completion_knows_the_commands(self):
        words = {"_STRAG_COMPLETE": "bash_complete", "COMP_WORDS": "strag in", "COMP_CWORD": "1"}
        found = subprocess.run(
            STRAG, env={**os.environ, **words}, capture_output=True, text=True, check=False
        )
        assert (found.returncode, found.stdout, found.stderr) == (0, "plain,info\n", "")


class TestLaziness:
    def test_help_imports_neither_torch_nor_numpy(self):
        script = """
import contextlib, io, sys
from strag.cli import main
for arguments in [], *([name] for name in sys.argv[1:]):
    with contextlib.redirect_stdout(io.StringIO()):
        assert main([*arguments, "--help"]) == 0
    heavy = {"torch", "numpy", "scipy", "matplotlib", "rich"}
    print(*arguments, *sorted(heavy & sys.modules.keys()))
"""
        assert output_of(script, *WRITTEN) == ["", *WRITTEN]

    def test_only_training_imports_torch(self, tmp_path):
        data = images()
        dataset_file(tmp_path / "d", data)
        history_file(tmp_path / "h")
        stragglers_file(tmp_path / "s", data, [1, 2])
        runs = {
            "data": "data d -q -o out",
            "find-stragglers": "find-stragglers h --at 6 -q -o out",
            "prune": "prune d s -q -o out",
            "plot": "plot h -q -o out.png",
            "info": "info d --get kind",
            "geometry": "geometry a.npz -q -o out",
        }
        np.savez(tmp_path / "a.npz", y=np.arange(9) % 2, h=np.ones((9, 2)))
        script = """
import sys
from strag.cli import main
for command in sys.argv[1:]:
    status = main(command.split())
    print(command.split()[0], status, "torch" in sys.modules)
"""
        names = [name for name in runs if name in WRITTEN]
        found = output_of(script, *(runs[name] for name in names), cwd=tmp_path)
        assert "dataset" in found
        assert [line for line in found if line != "dataset"] == [f"{name} 0 False" for name in names]


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["prnue"], "no command 'prnue'; did you mean 'strag prune'?"),
            (["find"], "no command 'find'; "),
            (["xyzzy"], "no command 'xyzzy'; see 'strag --help'"),
            (["--loud"], "no such option '--loud'; see 'strag --help'"),
            (["info", "--loud"], "no such option '--loud'; see 'strag info --help'"),
            (["info", "--get"], "option '--get' requires an argument; see 'strag info --help'"),
            (["data"], "missing argument 'SOURCE...'; see 'strag data --help'"),
            (["prune", "-", "-"], "DATA and STRAGGLERS cannot both be stdin; see 'strag prune --help'"),
        ],
    )
    def test_bad_usage_is_one_line_and_status_2(self, capsys, arguments, words):
        complaint(capsys, 2, f"strag: {words}", *arguments)


NO_MEMORY = "not enough memory; use fewer examples ('strag data --size'), runs or units (--width)"
CHECK = "check the path, its permissions, and the space on the disk"


class TestFunnel:
    @pytest.mark.parametrize(
        ("error", "status", "line"),
        [
            (StragError("is odd", "make it even", "f"), 1, "f: is odd; make it even"),
            (bad_usage("no", "yes"), 2, "no; yes"),
            (StragError("nothing to be done").about("f"), 1, "f: nothing to be done"),
            (StragError("is odd", source="f").about("g"), 1, "f: is odd"),
            (FileNotFoundError(2, "No such file", "f"), 1, f"f: No such file; {CHECK}"),
            (OSError(28, "No space left on device"), 1, f"No space left on device; {CHECK}"),
            (MemoryError(), 1, NO_MEMORY),
            (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), 1, NO_MEMORY),
            (RuntimeError("CUDA out of memory. Tried to allocate 9 GiB"), 1, NO_MEMORY),
            (KeyboardInterrupt(), 130, "interrupted"),
        ],
    )
    def test_every_failure_is_a_line_and_a_status(self, capsys, monkeypatch, error, status, line):
        def fails(*_, **__):
            raise error

        monkeypatch.setattr(cli.LazyGroup, "get_command", fails)
        assert cli.main(["info"]) == status
        assert capsys.readouterr() == ("", f"strag: {line}\n")

    @pytest.mark.parametrize("command", ["strag --help", "strag info -h", "strag --version"])
    def test_a_reader_that_has_left_already_is_no_failure(self, tmp_path, command):
        result = shell(f"{command} | true", tmp_path)
        assert (result.returncode, result.stderr) == (0, b"")

    def test_what_nobody_foresaw_keeps_its_traceback(self, monkeypatch):
        def fails(*_, **__):
            raise ZeroDivisionError

        monkeypatch.setattr(cli.LazyGroup, "get_command", fails)
        with pytest.raises(ZeroDivisionError):
            cli.main(["info"])


class TestWarnings:
    def test_strags_own_are_said_once_and_a_librarys_never(self, capsys, monkeypatch):
        def warns(*_):
            for _ in range(2):
                warn_of("f", "is half")
                warn_of("f", "was removed", StragNote)
                warnings.warn("overflow encountered", RuntimeWarning, stacklevel=1)
            return 0

        monkeypatch.setattr(cli.group, "main", lambda *_, **__: warns())
        assert cli.main(["info"]) == 0
        assert capsys.readouterr() == ("", "strag: warning: f: is half\nstrag: f: was removed\n")

    @pytest.mark.parametrize(("quiet", "said"), [([], "strag: out: removed 1 unfinished file"), (["-q"], "")])
    def test_notes_are_silent_with_quiet(self, tmp_path, monkeypatch, capsys, quiet, said):
        monkeypatch.chdir(tmp_path)
        dataset_file("d")
        (tmp_path / f"{prefix_of(tmp_path / 'out')}0.tmp").touch()
        assert cli.main(["data", "d", "-o", "out", *quiet]) == 0
        assert capsys.readouterr().err.startswith(said)
        assert sorted(os.listdir(tmp_path)) == ["d", "out"]
