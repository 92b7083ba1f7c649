"""A sweep made of curves, for pictures."""

from dataclasses import replace

import numpy as np

from strag.bits import pack
from tests.views.histories import RECIPE, falling, made, valley

CONTROL, DOSE = ["none"] * 4 + ["class"] * 4, [0.5, 0.5, 1.0, 1.0] * 2


def sweep(**options):
    """A History of two runs at two doses with a control: only the whole set of stragglers ends the valley."""
    curves = [valley(), valley(22), falling(), falling(), *[valley()] * 4]
    history = made(curves, recipe={**RECIPE, "noise": [0.0, 1.0]}, **options)
    trained = np.ones((8, history.examples), dtype=bool)
    for network, dose in enumerate(DOSE):
        trained[network, : int(16 * dose)] = False
    error = np.linspace(0.0, 0.7, 8) * np.ones((2, 1))
    error[1, 6] = 0.3
    test_error = np.stack([error / 2, error], axis=2).astype(np.float32)  # (K, R, S)
    history = replace(history, trained=pack(trained), test_error=test_error, test_updates=np.array([0, 100]))
    return told(history, dose=DOSE, control=CONTROL, update=[20, 22] * 4, run=[0, 1] * 4)


def told(history, **columns):
    """The History with these columns in the part of its stamp that describes its sets."""
    R = len(history.runs)
    sets = {"run": list(range(R)), **(history.meta.get("sets") or {}), **columns}
    return replace(history, meta={**history.meta, "sets": sets})
