"""Differences between two conditions of a summary, and the values of runs on every block of data."""

from collections import defaultdict

import numpy as np

from strag.stragglers.experiments import TOLD
from strag.stragglers.intervals import UNKNOWN, difference, two_levels
from strag.stragglers.inversion import INVERSION

FEWEST_PAIRS = 3  # on one block; with fewer, all runs are compared instead of pairs


def by_block(runs):
    """The runs on every block of data: dict of block to list."""
    blocks = defaultdict(list)
    for run in runs:
        blocks[run.block].append(run)
    return blocks


def withheld(runs):
    """Quantities to leave out, since they are known only for the inverting runs that invert early: tuple."""
    inverting = [run for run in runs if run.verdict == INVERSION]
    lacking = any(np.isnan(run.values.get("depth_at_4", np.nan)) for run in inverting)
    return ("depth_at_4",) if lacking else ()


def known_values(runs, name):
    """The finite values of a quantity in some runs: float array."""
    values = np.array([run.values.get(name, np.nan) for run in runs])
    return values[np.isfinite(values)]


def differences_of(runs, reference):
    """Levels of the values of runs minus those of the reference, on the blocks of both: dict."""
    ours, theirs = by_block(runs), by_block(reference)
    shared = [(ours[block], theirs[block]) for block in ours if block in theirs]
    left_out = (*withheld(runs), *withheld(reference))
    return {name: UNKNOWN if name in left_out else _difference(shared, name) for name in TOLD}


def _difference(shared, name):
    """The Level of the difference of one quantity, from the runs of a condition and the reference on each
    block.

    Runs with the same initial weights are compared; on a block with too few of them, the means of all runs.
    """
    pairs = [_pairs(ours, theirs, name) for ours, theirs in shared]
    if len(pairs) == 1 and not pairs[0][0]:
        return difference(*pairs[0][1:])
    of_means = [
        first.mean() - second.mean() if first.size and second.size else np.nan for _, first, second in pairs
    ]
    return two_levels([of_pairs or [mean] for (of_pairs, *_), mean in zip(pairs, of_means, strict=True)])


def _pairs(ours, theirs, name):
    """Differences of pairs of runs on one block, empty if too few have a partner, and the values of both."""
    first, second = known_values(ours, name), known_values(theirs, name)
    paired = _paired(ours, theirs, name)
    enough = min(FEWEST_PAIRS, len(first), len(second))
    return (paired if len(paired) >= enough else []), first, second


def _paired(ours, theirs, name):
    """Differences between runs that share their initial weights, finite ones: list of float."""
    by_start = defaultdict(list)
    for run in theirs:
        by_start[run.start].append(run.values.get(name, np.nan))
    differences = [
        run.values.get(name, np.nan) - np.mean(by_start[run.start]) for run in ours if run.start in by_start
    ]
    return [value for value in differences if np.isfinite(value)]
