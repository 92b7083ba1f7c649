"""Figures do not depend on the user's matplotlib, its backend, its folder, or its letters."""

import os
import subprocess
import sys

import pytest

from strag.views.style import house_style, new_figure, rendered
from tests.views.histories import made, valley, write

INLINE = "module://matplotlib_inline.backend_inline"  # a notebook's, which other programs need not have


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    return write(tmp_path_factory.mktemp("style") / "h", made([valley(20), valley(22)]))


def plotted(history, folder, **environment):
    """The picture that a strag of its own draws, with this in its environment; stderr is empty."""
    command = [sys.executable, "-m", "strag", "plot", str(history), "-q", "-o", "p.png"]
    where = {name: value for name, value in os.environ.items() if not name.startswith("MPL")}
    result = subprocess.run(
        command, cwd=folder, env={**where, **environment}, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    return (folder / "p.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"MPLBACKEND": INLINE},
        {"MPLBACKEND": "no such backend"},
        {"MPLBACKEND": "TkAgg"},
        {"MPLBACKEND": ""},
        {"HOME": "/proc", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "MPLCONFIGDIR": ""},
        {"MPLCONFIGDIR": "/proc/nowhere"},
        {"PYTHONWARNINGS": "error"},
    ],
)
def test_the_picture_is_the_same_whatever_the_environment_says(environment, history, tmp_path):
    assert plotted(history, tmp_path, **environment) == plotted(history, tmp_path)


def test_a_matplotlibrc_that_cannot_be_read_is_no_matter(history, tmp_path):
    usual = plotted(history, tmp_path)
    (tmp_path / "matplotlibrc").write_text("backend: nothing\nno.such.key: 1\nfont.size: huge of sorts\n")
    assert plotted(history, tmp_path) == usual


SCRIPT = """
import os, sys, warnings
warnings.simplefilter("error")
before = dict(os.environ), list(warnings.filters)
from strag.cli import main
assert main(["plot", sys.argv[1], "-q", "-o", "p.png"]) == 0
assert (dict(os.environ), list(warnings.filters)) == before
import logging, matplotlib
assert logging.getLogger().handlers == []
backend = dict.__getitem__(matplotlib.rcParams, "backend")
print(backend if {valid} else "any", matplotlib.rcParams["font.size"])
"""


@pytest.mark.parametrize(("backend", "kept"), [("svg", "svg"), (INLINE + "x", "any")])
def test_whoever_calls_strag_keeps_environment_backend_and_settings(backend, kept, history, tmp_path):
    script = SCRIPT.replace("{valid}", str(kept != "any"))
    command = [sys.executable, "-c", script, str(history)]
    environment = {**os.environ, "MPLBACKEND": backend}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
    assert result.stdout.split() == [kept, "10.0"]


def test_nothing_is_mathematics():
    with house_style():
        figure = new_figure(2, 2)
        panel = figure.subplots()
        panel.set_title("$a^b$")
        panel.set_xticks([0], ["$x_1$"])
        panel.plot([0, 1], label="$\\frac$")
        figure.legend(*panel.get_legend_handles_labels())
        figure.text(0, 0, "100 % of {x}")
    text = rendered(figure, "svg").decode()
    for name in ("$a^b$", "$x_1$", "$\\frac$", "100 % of {x}"):
        assert f">{name}</text>" in text
