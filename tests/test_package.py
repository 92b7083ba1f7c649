"""What is installed: a wheel built from the project, alone in an empty folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import strag

REPO = Path(__file__).parents[1]
TOP = {
    *(
        ".ci",
        ".gitignore",
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "Makefile",
        "README.md",
        "constraints.txt",
    ),
    *("examples", "pyproject.toml", "strag", "tests"),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "strag"):
        (source / name).symlink_to(REPO / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source]
    result = subprocess.run(build, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_a_wheel_carries_the_embedded_data_and_its_licence(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    embedded = {path.name for path in (REPO / "strag" / "datasets" / "mnist8k").iterdir()}
    assert len(embedded) == 5
    assert {f"strag/datasets/mnist8k/{name}" for name in embedded} <= names
    assert "strag/files/FORMATS.md" in names
    assert any(name.endswith("entry_points.txt") for name in names)
    assert not any(name.startswith("tests") for name in names)


@pytest.mark.skipif(not ((REPO / ".git").exists() and shutil.which("git")), reason="this is no git checkout")
def test_the_top_level_holds_no_file_that_a_program_left():
    tracked = ["git", "-c", "safe.directory=*", "-C", REPO, "ls-tree", "--name-only", "HEAD"]
    result = subprocess.run(tracked, capture_output=True, text=True, timeout=60, check=True)
    assert set(result.stdout.split()) == TOP


@pytest.mark.slow
def test_an_installed_wheel_runs_from_an_empty_folder(wheel, tmp_path):
    """Installed into a folder of its own, with nothing of the repository in reach."""
    place, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", place, wheel]
    subprocess.run(install, check=True, timeout=120, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(place)}

    def run(*command):
        return subprocess.run(
            command, cwd=empty, env=environment, capture_output=True, text=True, timeout=120, check=True
        ).stdout

    def strag_run(line):
        return run(sys.executable, "-m", "strag", *line.split())

    where = run(sys.executable, "-c", "import strag; print(strag.__file__)").strip()
    assert Path(where) == place / "strag" / "__init__.py"
    assert run(place / "bin" / "strag", "--version") == f"strag {strag.__version__}\n"
    strag_run("train mnist8k --runs 2 --epochs 3 -q -o h.safetensors")
    strag_run("plot h.safetensors --curves error -q -o h.png")
    assert strag_run("info h.safetensors --get shapes.train_error") == "4\n2\n"
    assert (empty / "h.png").read_bytes().startswith(b"\x89PNG")
