"""The label noise of `examples/paper/noise.py`: its numbers are those of the files that it reads."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from strag.stragglers.comparison import compare

FOLDER = Path(__file__).parents[1] / "examples" / "paper"
CLEAN, NOISY = [0.08, 0.10, 0.09], [0.15, 0.17, 0.16]
FLIPPED, STRAGGLERS, CORE = np.arange(20), np.arange(5, 45), np.arange(8, 18)


@pytest.fixture
def rows(monkeypatch, tmp_path):
    """The rows of a data set without flipped labels and with a share of 0.1."""
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    import noise

    for share, errors in (("0", CLEAN), ("0.1", NOISY)):
        runs = [{"verdict": "inversion", "refined_train_error": error} for error in errors]
        runs.append({"verdict": "open", "refined_train_error": None})
        (tmp_path / f"set.{share}.json").write_text(json.dumps({"runs": runs}))
    names = ["stragglers", "core", "flipped"]
    found = compare([STRAGGLERS, CORE, FLIPPED], 200, names)
    overlap = {"names": names, "sizes": found.sizes.tolist(), "contained": found.contained.tolist()}
    (tmp_path / "set.0.1.overlap.json").write_text(json.dumps(overlap))
    return noise.rows_of(tmp_path, "set", ["0.1"])


def test_the_guess_follows_from_the_error_without_flips(rows):
    assert [row["guess"] for row in rows] == pytest.approx([0.09, 0.1 + 0.8 * 0.09])
    assert [row["train_error"] for row in rows] == pytest.approx([0.09, 0.16])
    assert [(row["runs"], row["inverting"]) for row in rows] == [(4, 3)] * 2


def test_the_interval_is_that_of_students_t(rows):
    half = 4.302653 * 0.01 / np.sqrt(3)  # 97.5 % of Student's t with 2 degrees of freedom
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((0.09 - half, 0.09 + half), abs=1e-8)


def test_recall_is_of_the_flipped_and_precision_of_the_stragglers(rows):
    noisy = rows[1]
    assert (noisy["recall"], noisy["precision"]) == (15 / 20, 15 / 40)
    assert (noisy["core_recall"], noisy["core_precision"]) == (10 / 20, 10 / 10)
