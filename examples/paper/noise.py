"""Label noise: eps* against the share Q of flipped labels, and how far the stragglers are these examples.

Reads the stragglers and comparisons that noise.mk makes; writes noise.json and noise.png there.
"""

import argparse
import json
import math
from pathlib import Path

import matplotlib as mpl
import numpy as np

from strag.stragglers.intervals import two_levels

BLUE = "#0072B2"


def row_of(folder, name, noise):
    """The results on one data set with one share of flipped labels: dict."""
    found = json.loads((folder / f"{name}.{noise}.json").read_text())
    errors = [run["refined_train_error"] for run in found["runs"] if run["verdict"] == "inversion"]
    level = two_levels([errors])
    mean, low, high = (None if math.isnan(end) else end for end in (level.mean, level.low, level.high))
    row = {"set": name, "noise": float(noise), "runs": len(found["runs"]), "inverting": len(errors)}
    row |= {"train_error": mean, "low": low, "high": high}
    if float(noise):
        overlap = json.loads((folder / f"{name}.{noise}.overlap.json").read_text())
        stragglers, core, flipped = map(overlap["names"].index, ("stragglers", "core", "flipped"))
        shares, sizes = overlap["contained"], overlap["sizes"]
        row |= {"recall": shares[flipped][stragglers], "precision": shares[stragglers][flipped]}
        row |= {"core_recall": shares[flipped][core], "core_precision": shares[core][flipped]}
        row |= {"flipped": sizes[flipped], "stragglers": sizes[stragglers], "core": sizes[core]}
    return row


def rows_of(folder, name, noises):
    """The rows of one data set, with the guess that follows from its eps* without flips: list of dict."""
    rows = [row_of(folder, name, noise) for noise in ("0", *noises)]
    clean = rows[0]["train_error"]
    for row in rows:
        row["guess"] = None if clean is None else row["noise"] + (1 - 2 * row["noise"]) * clean
    return rows


def draw(rows, names, path):
    """Draw eps* against Q with the line of the guess, and recall and precision below, for every data set."""
    from matplotlib.figure import Figure

    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure = Figure(figsize=(2.4 * len(names) + 0.8, 4.4), layout="constrained")
    panels = figure.subplots(2, len(names), sharex=True, sharey="row", squeeze=False)
    for name, (above, below) in zip(names, panels.T, strict=True):
        of_set = [row for row in rows if row["set"] == name]
        known = [row for row in of_set if row["train_error"] is not None]
        if known:
            low, mean, high = (
                np.array([row[key] if row[key] is not None else row["train_error"] for row in known])
                for key in ("low", "train_error", "high")
            )
            noise = [row["noise"] for row in known]
            bars = (mean - low, high - mean)
            above.errorbar(noise, mean, bars, fmt="o", ms=4, color=BLUE, label="eps*")
        if of_set[0]["guess"] is not None:
            line = np.array([[row["noise"], row["guess"]] for row in of_set])
            above.plot(*line.T, color="#777777", lw=1, label="Q + (1 - 2Q) eps*(0)")
        above.set_title(name, loc="left")
        noisy = [row for row in known if row["noise"]]
        for column, style, color in (
            ("recall", "o-", BLUE),
            ("precision", "s-", "#D55E00"),
            ("core_recall", "o--", BLUE),
            ("core_precision", "s--", "#D55E00"),
        ):
            points = [(row["noise"], row[column]) for row in noisy if row[column] is not None]
            if points:
                label = column.replace("core_", "") + (" of the core" if "core" in column else "")
                below.plot(*np.transpose(points), style, ms=3, lw=1, color=color, label=label)
        below.set_ylim(0, 1.02)
        below.set_xlabel("share Q of flipped labels")
    panels[0, 0].set_ylabel("training error at t*")
    panels[1, 0].set_ylabel("recall and precision")
    for panel in panels[:, 0]:
        panel.legend(frameon=False, fontsize=7)
    figure.savefig(path, dpi=96, metadata={"Software": None})


def main():
    """Read the folder that noise.mk made, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--noises", nargs="+", required=True)
    given = parser.parse_args()
    rows = [row for name in given.sets for row in rows_of(given.folder, name, given.noises)]
    draw(rows, given.sets, given.folder / "noise.png")
    text = json.dumps({"rows": rows}, indent=1) + "\n"
    (given.folder / "noise.json").write_text(text)  # the last one, because make looks at its time


if __name__ == "__main__":
    main()
