"""A made-up agreement of runs, and a comparison of sets, for pictures."""

import numpy as np

from strag.stragglers.comparison import compare
from strag.stragglers.stability import Stability
from tests.views.histories import RECIPE


def agreement(T=40, **changed):
    """A Stability of 200 runs whose kappa is largest at the inversion."""
    error = np.geomspace(0.5, 0.01, T)
    kappa = 0.9 - 0.1 * np.square(np.log(error / 0.09))
    values = {
        "updates": np.arange(T),
        "train_error": error,
        "size_mean": 1000 * error,
        "z": 60 * kappa,
        "kappa": kappa,
        "kappa_low": kappa - 0.05,
        "kappa_high": kappa + 0.05,
        "jaccard": kappa / (2 - kappa),
        "runs": np.full(T, changed.get("taken", 200)),
        "pairs": np.full(T, changed.get("taken", 200) // 2),
        "inversion": (21.0, 0.09),
        "taken": 200,
        "diverged": 0,
        "which": "disjoint",
        "examples": 1000.0,
        "title": "made-up",
        "recipe": RECIPE,
        "source": "a.json",
    }
    return Stability(**{**values, **changed})


def comparison(sets, examples=1000, names=None, title="made-up"):
    """The Comparison of lists of examples."""
    names = names or [f"set {n}" for n in range(len(sets))]
    return compare([np.array(one, dtype=np.int64) for one in sets], examples, names, title)
