"""bfloat16 against float32, by pairs of runs with the same seed: `python -m tests.benchmarks.precision`.

The 95 % interval of the mean difference in eps* and in the test error at t* must lie within half a
standard deviation between seeds; the Jaccard index of the two straggler sets of a run stands beside that
of two seeds in one precision. Prints Markdown and writes `precision.json` beside this file.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import t

from strag import kinds
from strag.stragglers.find import find_stragglers

RUNS = 50
TRAIN = ["train", "mnist8k", "--runs", str(RUNS), "--epochs", "150", "--lr", "0.2", "-q"]


def measured(folder, precision):
    """eps*, test error at t*, and straggler sets of every run."""
    path = str(Path(folder) / precision)
    command = [sys.executable, "-m", "strag", *TRAIN, "--precision", precision, "-o", path]
    subprocess.run(command, check=True)
    history = kinds.read(path)
    found = find_stragglers(history)
    errors = np.array([one.train_error for one in found.inversions])
    tested = np.array([history.test_error_at(one.update, run) for run, one in enumerate(found.inversions)])
    return errors, tested, np.array(found.sets)


def paired(a, b):
    """Mean difference with its 95 % interval, in standard deviations between seeds."""
    difference, deviation = b - a, a.std(ddof=1)
    half = t.ppf(0.975, len(a) - 1) * difference.std(ddof=1) / np.sqrt(len(a))
    mean = difference.mean()
    return {
        "difference": mean,
        "low": mean - half,
        "high": mean + half,
        "seed_std": deviation,
        "within_half": bool(max(abs(mean - half), abs(mean + half)) < deviation / 2),
    }


def jaccard(a, b):
    """Mean and standard deviation of |A and B| / |A or B| over rows."""
    values = (a & b).sum(axis=1) / (a | b).sum(axis=1)
    return {"mean": values.mean(), "std": values.std(ddof=1)}


def main():
    """Train both, compare, print and keep."""
    with tempfile.TemporaryDirectory() as folder:
        exact, near = (measured(folder, precision) for precision in ("float32", "bfloat16"))
    results = {
        "runs": RUNS,
        "train_error": paired(exact[0], near[0]),
        "test_error": paired(exact[1], near[1]),
        "jaccard between precisions": jaccard(exact[2], near[2]),
        "jaccard between seeds": jaccard(exact[2][0::2], exact[2][1::2]),
    }
    (Path(__file__).parent / "precision.json").write_text(json.dumps(results, indent=1, default=float) + "\n")
    print(markdown(results))


def markdown(results):
    """The sentence that the README shows."""
    parts = []
    for name, key in (("eps*", "train_error"), ("test error at t*", "test_error")):
        one = results[key]
        parts.append(
            f"{name} differs by {one['difference']:.1e} (95 % interval {one['low']:.1e} to "
            f"{one['high']:.1e}; seed s.d. {one['seed_std']:.1e})"
        )
    between, seeds = (results[f"jaccard between {what}"]["mean"] for what in ("precisions", "seeds"))
    return (
        f"bfloat16 against float32, {results['runs']} runs of the same seeds: {parts[0]}, {parts[1]}; "
        f"Jaccard index of the stragglers {between:.3f} between precisions, {seeds:.3f} between seeds."
    )


if __name__ == "__main__":
    main()
