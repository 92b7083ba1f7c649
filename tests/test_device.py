"""The script for graphics cards, run on the processor."""

import json
import subprocess
import sys

import pytest

from tests.benchmarks.device import ROWS, markdown
from tests.benchmarks.device_checks import CHECKS, REPO

LEFT_OUT = (
    "scipy",
    "matplotlib",
    "pooch",
    "PIL",
    "plotext",
    "pyarrow",
    "pytest",
)  # a card's machine may lack


@pytest.mark.slow
def test_the_script_for_graphics_cards_runs_and_its_checks_hold(tmp_path):
    start = f"import sys; sys.modules.update(dict.fromkeys({LEFT_OUT!r})); "
    start += "from tests.benchmarks import device; sys.exit(device.main())"
    options = ["--device", "cpu", "--small", "--seconds", "300", "--output", str(tmp_path / "out")]
    result = subprocess.run(
        [sys.executable, "-c", start, *options], cwd=REPO, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr.decode()
    found = json.loads((tmp_path / "out" / "device.json").read_text())
    assert list(found["checks"]) == list(CHECKS)
    assert all({"result", "seconds"} <= set(check) for check in found["checks"].values())
    assert set(found["rows"]) < set(ROWS)
    assert (tmp_path / "out" / "device.md").read_text() == markdown(found)
