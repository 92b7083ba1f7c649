"""The figure of a stability: how far runs agree, against the training error."""

from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.views.axes import MARK, entitle, label_horizontal, marker
from strag.views.captions import one_line, recipe_facts
from strag.views.dynamics import ERROR
from strag.views.style import BAND, BLUE, CHARACTERS, GREY, INK, VERMILION, WIDTH, house_style, new_figure

HEIGHT = 3.3  # inches
THIN = {"linewidth": 0.7, "alpha": 0.6}  # where only some of the runs contribute


def stability_figure(found):
    """Kappa with its interval and the Jaccard index on the left, z on the right; the inversion marked.

    On the left the curves are thin where not every run reached the training error.

    Parameters
    ----------
    found : Stability.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError if no record has a training error above 0, which a logarithmic axis can show.
    """
    shown = found.train_error > 0
    if not shown.any():
        raise StragError("has no record with a training error to show", "record more often", found.source)
    error = found.train_error[shown]
    whole = found.runs[shown] == found.taken
    with house_style():
        figure = new_figure(WIDTH, HEIGHT)
        left, right = panels = figure.subplots(1, 2)
        _curve(left, error, found.kappa[shown], whole, color=BLUE, label="κ, beyond chance")
        band = (found.kappa_low[shown], found.kappa_high[shown])
        named = {"label": "95 % interval"} if np.isfinite(band).any() else {}  # of fewer than 8 runs is none
        left.fill_between(error, *band, color=BLUE, alpha=BAND, linewidth=0, **named)
        _curve(left, error, found.jaccard[shown], whole, color=VERMILION, label="Jaccard index")
        _curve(right, error, found.z[shown], np.ones_like(whole), color=INK)
        for panel in panels:
            label_horizontal(panel, error, ERROR)
            if found.inversion is not None and found.inversion[1] > 0:
                panel.axvline(found.inversion[1], color=INK, zorder=1, label="inversion", **MARK)
        if not whole.all():
            left.plot([], [], color=GREY, label="not every run", **THIN)
        left.set_ylim(min(0.0, *left.get_ylim()), 1)
        left.set_ylabel("agreement at equal training error")
        right.set_ylabel("z, at equal updates")
        entitle(left, _heading(found), wrap(_caption(found), CHARACTERS))
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure


def _curve(panel, error, values, whole, label=None, **look):
    """A curve, bold where the runs are `whole`, bool [T]."""
    look["marker"] = marker(error.size)
    if not whole.all():
        panel.plot(error, values, **{**look, **THIN})
    panel.plot(error, np.where(whole, values, np.nan), label=label, **look)


def _heading(found):
    title, at = one_line(found.title or "history"), found.at_inversion
    if at is None:
        return f"{title}: no inversion"
    return f"{title}: κ = {found.kappa[at]:.2f} at the inversion, ε* = {found.inversion[1]:.2g}"


def _caption(found):
    left_out = f" ({found.diverged} diverged and left out)" if found.diverged else ""
    facts = [
        f"P = {found.examples:g}",
        f"{found.taken} runs{left_out}",
        f"{found.which} pairs",
        *recipe_facts(found.recipe).values(),
    ]
    return ", ".join(facts)
