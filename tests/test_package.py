"""What is installed: a wheel built from the project."""

import subprocess
import sys
import zipfile
from pathlib import Path

REPO = Path(__file__).parents[1]


def test_a_wheel_carries_the_embedded_data_and_its_licence(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "strag"):
        (source / name).symlink_to(REPO / name)
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(source),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    embedded = {path.name for path in (REPO / "strag" / "datasets" / "mnist8k").iterdir()}
    assert len(embedded) == 5
    assert {f"strag/datasets/mnist8k/{name}" for name in embedded} <= names
    assert "strag/files/FORMATS.md" in names
    assert any(name.endswith("entry_points.txt") for name in names)
    assert not any(name.startswith("tests") for name in names)
