"""Pool the results of further runs of the same conditions, when the histories of the first are gone.

    python pool.py FIRST FURTHER OUT --runs 10

FIRST and FURTHER are folders of summaries, of comparisons of single runs, or of what conv.py writes, with the
same file names and labels. The runs of FURTHER are others than those of FIRST, see `strag train --first-run`.
A condition with all its runs in FURTHER is taken from there, and one that FURTHER lacks, from FIRST. Counts
are added; means, standard deviations and intervals are those of all runs. What needs two runs at once is
known only for pairs within FIRST and pairs within FURTHER: differences to a reference are left out, and an
overlap is that of these pairs. The runs are on one block of data, without test examples.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from strag.files.canonical import finite
from strag.stragglers.experiments import AT_END, QUANTITIES
from strag.stragglers.intervals import share_interval, two_levels
from strag.stragglers.inversion import CENSORED, INVERSION
from strag.stragglers.summary import bounded

AT_THE_INVERSION = ("loss_at", "fall")  # of conv.py; the other means are over all runs
OVERLAPS = ("common", "expected", "jaccard", "kappa", "contained")
SPREADS = {"jaccard_std": "jaccard", "kappa_std": "kappa"}


def level_of(name, mean, deviation, n):
    """The Level of a quantity, from the mean and the standard deviation (n - 1) of its n > 1 values."""
    values, step = np.full(n, mean), deviation * np.sqrt((n - 1) / 2)
    values[:2] += step, -step
    return bounded(name, two_levels([values]))


def values_in(name, level, most):
    """The number of values that a mean with its interval was made of, `most` if several fit: int.

    level : dict of a summary, or None. most : the number of runs that can have a value.
    """
    if level is None or level["low"] is None:
        return 0 if level is None else 1
    given = level["low"], level["high"]
    for n in range(most, 1, -1):
        found = level_of(name, level["mean"], level["seed_std"], n)
        if np.allclose((found.low, found.high), given, rtol=1e-5, atol=1e-7):
            return n
    raise SystemExit(
        f"pool.py: {name}: {level} is not of one block without test examples; pool its histories"
    )


def joint(means, deviations, sizes):
    """Mean and standard deviation (n - 1) of all values of several groups, NaN for one value: float, float.

    A standard deviation counts only where its group has several values.
    """
    n = sum(sizes)
    mean = sum(m * size for m, size in zip(means, sizes, strict=True)) / n
    parts = zip(means, deviations, sizes, strict=True)
    squares = sum((size - 1) * (s if size > 1 else 0.0) ** 2 + size * (m - mean) ** 2 for m, s, size in parts)
    return mean, float(np.sqrt(squares / (n - 1))) if n > 1 else np.nan


def pooled_level(name, levels, usual):
    """A mean of a summary with its interval over all runs: dict, or None.

    levels : the two dicts or None. usual : the number of runs that each can have a value for.
    """
    sizes = [values_in(name, level, most) for level, most in zip(levels, usual, strict=True)]
    known = [(level, size) for level, size in zip(levels, sizes, strict=True) if size]
    if not known:
        return None
    means, deviations = zip(*[(level["mean"], level["seed_std"]) for level, _ in known], strict=True)
    n = sum(sizes)
    mean, deviation = joint(means, deviations, [size for _, size in known])
    return asdict(level_of(name, mean, deviation, n)) if n > 1 else known[0][0]


def pooled_summary(first, further):
    """A condition of a summary over the runs of both: dict."""
    both = first, further
    verdicts = {
        name: sum(c["verdicts"].get(name, 0) for c in both)
        for name in first["verdicts"] | further["verdicts"]
    }
    runs, inverting = sum(c["runs"] for c in both), sum(c["inverting"] for c in both)
    low, high = share_interval(
        [(verdicts.get(INVERSION, 0), sum(verdicts.get(v, 0) for v in CENSORED), runs)]
    )
    out = first | {"runs": runs, "inverting": inverting, "low": low, "high": high}
    for name in QUANTITIES:
        usual = [c["runs" if name in AT_END else "inverting"] for c in both]
        out[name] = pooled_level(name, [c[name] for c in both], usual)
    differences = dict.fromkeys(first["differences"])
    return out | {"verdicts": dict(sorted(verdicts.items())), "differences": differences}


def pooled_layer(first, further):
    """A condition of conv.py over the runs of both: dict."""
    both, out = (first, further), {"label": first["label"]}
    for name in list(first)[1:]:
        values = [c[name] for c in both]
        if name == "first_rise":
            out[name] = min((value for value in values if value is not None), default=None)
        elif isinstance(first[name], int):
            out[name] = sum(values)
        else:
            weights = [c["inverting" if name in AT_THE_INVERSION else "runs"] for c in both]
            known = [
                (value, weight) for value, weight in zip(values, weights, strict=True) if value is not None
            ]
            n = sum(weight for _, weight in known)
            out[name] = sum(value * weight for value, weight in known) / n if n else None
    return out


def pooled_conditions(first, further, runs):
    """The conditions of two files, each from one of them or from both: list of dicts, in the first order."""
    later = {condition["label"]: condition for condition in further}
    if unknown := later.keys() - {condition["label"] for condition in first}:
        raise SystemExit(f"pool.py: the first runs have no condition '{min(unknown)}'; label both alike")
    out = []
    for condition in first:
        other = later.get(condition["label"], condition)
        if condition.get("settings") != other.get("settings"):
            raise SystemExit(f"pool.py: '{condition['label']}' has other settings in one of the folders")
        if other is condition or other["runs"] >= runs:
            out.append(other)
        else:
            pool = pooled_summary if "verdicts" in condition else pooled_layer
            out.append(pool(condition, other))
    return out


def is_alike(sets, others):
    """Whether the kinds of sets of two comparisons differ in their numbers of runs alone: bool."""
    return [kind | {"runs": 0} for kind in sets] == [kind | {"runs": 0} for kind in others]


def pooled_comparison(first, further, runs):
    """A comparison of single runs, from the pairs of both: dict.

    An entry with all pairs of `runs` runs of each in `further` is taken from there.
    """
    if first["names"] != further["names"] or not is_alike(first["sets"], further["sets"]):
        raise SystemExit(
            "pool.py: one of the comparisons has other kinds of sets; compare the same kinds at one error"
        )
    out, size = dict(first), len(first["names"])
    pairs = [np.array(given["pairs"]) for given in (first, further)]
    whole = np.where(np.eye(size, dtype=bool), runs * (runs - 1) // 2, runs * runs)
    weights = np.array([np.where(pairs[1] >= whole, 0, pairs[0]), pairs[1]])
    tables = {
        name: np.array([first[name], further[name]], dtype=np.float64) for name in (*OVERLAPS, *SPREADS)
    }
    for name in OVERLAPS:
        out[name] = (np.sum(weights * tables[name], axis=0) / weights.sum(axis=0)).tolist()
    for spread, name in SPREADS.items():
        out[spread] = [
            [
                joint(tables[name][:, i, j], tables[spread][:, i, j], weights[:, i, j].tolist())[1]
                for j in range(size)
            ]
            for i in range(size)
        ]
    counts = np.array([[kind["runs"] for kind in given["sets"]] for given in (first, further)])
    counts[0] = np.where(counts[1] >= runs, 0, counts[0])
    sizes = np.array([first["sizes"], further["sizes"]])
    out["sizes"] = (np.sum(counts * sizes, axis=0) / counts.sum(axis=0)).tolist()
    out["sets"] = [kind | {"runs": int(n)} for kind, n in zip(first["sets"], counts.sum(axis=0), strict=True)]
    return out | {"pairs": weights.sum(axis=0).tolist()}


def pooled(first, further, runs):
    """Two files of results as one: dict."""
    if "pairs" in first:
        out = pooled_comparison(first, further, runs)
    else:
        out = first | {"conditions": pooled_conditions(first["conditions"], further["conditions"], runs)}
    if "strag" in first:
        inputs = [given["strag"]["inputs"]["stragglers"] for given in (first, further)]
        out["strag"] = first["strag"] | {"inputs": {"stragglers": sorted({*inputs[0], *inputs[1]})}}
    return out


def main():
    """Read both folders, and write each file of FURTHER, pooled with that of FIRST, to OUT."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("further", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=int, required=True, help="number of runs of a whole condition")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for path in sorted(given.further.glob("*.json")):
        if not (given.first / path.name).exists():
            raise SystemExit(
                f"pool.py: {given.first / path.name} is missing; name the files in both folders alike"
            )
        both = [json.loads((folder / path.name).read_text()) for folder in (given.first, given.further)]
        text = json.dumps(finite(pooled(*both, given.runs)), allow_nan=False)
        (given.out / path.name).write_text(text + "\n")


if __name__ == "__main__":
    main()
