"""Running strag as its users do."""

import functools
import os
import shlex
import subprocess
import sys
from pathlib import Path

from strag.cli import main
from tests.server import Server

STRAG = f"{sys.executable} -m strag"


def strag(*arguments, stdin=b"", cwd=None):
    """Run `strag ARGUMENTS` in a process of its own, which has torch already: CompletedProcess with bytes."""
    if not hasattr(os, "fork"):
        return afresh(*arguments, stdin=stdin, cwd=cwd)
    return _server().run([*map(str, arguments)], stdin, cwd, 120)


@functools.cache
def _server():
    return Server()


def afresh(*arguments, stdin=b"", cwd=None):
    """Run `strag ARGUMENTS` as `strag` does, in a Python that starts for it."""
    command = [sys.executable, "-m", "strag", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=120, check=False)


def shell(script, cwd):
    """Run a script in bash with pipefail, where `strag` is this strag."""
    script = f'strag() {{ {STRAG} "$@"; }}\n{script}'
    command = ["bash", "-o", "pipefail", "-c", script]
    return subprocess.run(
        command, capture_output=True, cwd=cwd, timeout=300, check=False, env=dict(os.environ)
    )


def in_this_process(script, folder):
    """Run lines of `strag ARGUMENTS` in a folder without a process for each, as torch takes long to load."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        for line in script.strip().splitlines():
            name, *arguments = shlex.split(line)
            assert name == "strag", line
            assert main(arguments) == 0, line
    finally:
        os.chdir(before)


def complains(result, status, *words):
    """Assert that a command failed with this status and one line on stderr that holds all `words`."""
    text = result.stderr.decode()
    assert result.returncode == status, (result.returncode, text)
    assert text.count("\n") == 1, text
    assert text.startswith("strag: "), text
    for word in words:
        assert word in text, (word, text)
    assert result.stdout == b""


def files_in(folder):
    """Names of everything in a folder, hidden files too."""
    return sorted(path.name for path in Path(folder).iterdir())
