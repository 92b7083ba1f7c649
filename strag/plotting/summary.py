"""The figure of a summary: every effect beside the noise of seeds and blocks, or the law of size."""

from textwrap import wrap

import numpy as np

from strag.plotting.axes import entitle
from strag.plotting.captions import one_line
from strag.plotting.dynamics import log_ticks
from strag.plotting.style import BLUE, CHARACTERS, GREY, VERMILION, WIDTH, house_style

SHOWN = (
    ("train_error", "training error ε* at t*"),
    ("test_error", "test error at t*"),
    ("lr_update", "lr t*"),
)
ROW = 0.24  # inches
MOST_TICKS = 4  # of the number of examples
_NARROW = 34  # characters of a label


def summary_figure(found):
    """Conditions as rows with their intervals; where P alone varies, curves against P.

    Parameters
    ----------
    found : Summary.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    by_size = tuple(found.varies) == ("examples",) and len(found.conditions) > 2
    shown = [
        (name, label)
        for name, label in SHOWN
        if any(np.isfinite(one.levels[name].mean) for one in found.conditions)
    ] or [SHOWN[0]]
    height = 3.0 if by_size else 1.4 + ROW * len(found.conditions)
    with house_style():
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        panels = np.atleast_1d(figure.subplots(1, len(shown), sharey=not by_size))
        for panel, (name, label) in zip(panels, shown, strict=True):
            (_against_size if by_size else _rows)(panel, found, name, label)
        lines = wrap(_caption(found, by_size), CHARACTERS)
        title = one_line(found.title) if found.title else "several data sets"
        entitle(panels[0], f"{title}: {_heading(by_size)}", lines)
    return figure


def _heading(by_size):
    return "the inversion and the number of examples" if by_size else "the inversion, condition by condition"


def _rows(panel, found, name, label):
    places = np.arange(len(found.conditions))[::-1]
    reference = max(found.conditions, key=lambda one: (one.label == "reference", one.blocks, one.runs))
    level = reference.levels[name]
    if np.isfinite(level.mean):
        for width, alpha in ((level.block_std, 0.10), (level.seed_std, 0.22)):
            if np.isfinite(width):
                panel.axvspan(level.mean - width, level.mean + width, color=GREY, alpha=alpha, linewidth=0)
    for place, one in zip(places, found.conditions, strict=True):
        _point(panel, one.levels[name], place, VERMILION if one.inverting < one.runs else BLUE)
    panel.set_yticks(places, [_short(one) for one in found.conditions])
    panel.set_ylim(-0.7, len(places) - 0.3)
    panel.set_xlabel(label)
    panel.grid(axis="x", alpha=0.25)


def _point(panel, level, place, colour):
    if not np.isfinite(level.mean):
        return
    if np.isfinite(level.low):
        panel.plot([level.low, level.high], [place, place], color=colour, linewidth=1.2)
    panel.plot([level.mean], [place], "o", color=colour, markersize=4)


def _short(condition):
    label = one_line(condition.label)
    return label if len(label) <= _NARROW else label[: _NARROW - 1] + "…"


def _against_size(panel, found, name, label):
    ordered = sorted(found.conditions, key=lambda one: one.examples)
    P = np.array([one.examples for one in ordered], dtype=float)
    mean, low, high = (
        np.array([getattr(one.levels[name], key) for one in ordered]) for key in ("mean", "low", "high")
    )
    below, above = (np.where(np.isfinite(v), v, 0) for v in (mean - low, high - mean))
    panel.errorbar(P, mean, [below, above], fmt="o", color=BLUE, markersize=4, linewidth=1.2)
    law = found.laws.get(name)
    if law is not None:
        panel.axhline(law.limit_one, color=VERMILION, linewidth=1, linestyle=(0, (4, 1.5)))
        panel.axhspan(law.limit_one_low, law.limit_one_high, color=VERMILION, alpha=0.15, linewidth=0)
    panel.set_xscale("log")
    ticks = log_ticks(P[0], P[-1])
    ticks = ticks[:: -(-len(ticks) // MOST_TICKS)]
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.xaxis.set_minor_formatter("")
    panel.set_xlabel("examples P")
    panel.set_ylabel(label)
    panel.margins(y=0.15)


def _caption(found, by_size):
    if by_size:
        return (
            "mean and 95 % interval over blocks (over seeds with one block); "
            "dashed: limit for P to infinity, with b = 1"
        )
    return (
        "mean and 95 % interval over blocks (over seeds with one block); grey: one s.d. between seeds (dark) "
        "and between blocks (light); orange: not all runs invert"
    )
