"""The figure of original classes: which of them straggle, and which of them are hard to generalise to."""

from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.stragglers.original_classes import rank_correlation
from strag.views.axes import entitle
from strag.views.captions import one_line, recipe_facts
from strag.views.names import write_names
from strag.views.picture import Picture
from strag.views.style import BLUE, CHARACTERS, VERMILION, WIDTH, house_style, new_figure

LOWEST, ROW = 3.0, 0.19  # inches: of the figure, and of one class in it
LETTERS = 16  # of a class's name
DOT = 4  # points, diameter
SHARE = "share of the class that straggles"


def classwise_figure(stragglers, classes):
    """Straggler shares of the original classes as bars, and against their test errors, where these are known.

    Parameters
    ----------
    stragglers : StragglerList, for its names.
    classes : its OriginalClasses.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError where no class has a share, because no run has a set.
    """
    shown = sorted((one for one in classes if np.isfinite(one.straggler_share)), key=_by_share)
    if not shown:
        problem = f"holds no set of stragglers to show (its verdict is '{stragglers.verdict}')"
        remedy = "take the sets at another moment with 'strag find-stragglers --at'"
        raise StragError(problem, remedy, stragglers.source)
    both = [one for one in shown if np.isfinite(one.test_error)]
    with house_style():
        figure = new_figure(WIDTH, max(LOWEST, 1.2 + ROW * len(shown)))
        panels = np.atleast_1d(figure.subplots(1, 2 if both else 1))
        _bars(panels[0], shown)
        if both:
            places = np.array([(one.straggler_share, one.test_error) for one in both])
            panels[1].set_xlabel(SHARE)
            panels[1].set_ylabel("test error of the class")
            panels[1].margins(0.12)
            panels[1].plot(*places.T, "o", color=VERMILION, markersize=DOT)
        heading = f"{one_line(stragglers.meta.get('title') or 'stragglers')}: stragglers of each class"
        heading += " and its test error" if both else ""
        entitle(panels[0], heading, _caption(stragglers, classes))
        if both:
            names = [one_line(one.name, LETTERS) for one in both]
            write_names(panels[1], places, names, DOT)
    return figure


def said(classes):
    """What share and test error of OriginalClasses are, in words, and their rank correlation."""
    text = "mean over runs"
    correlation, n = rank_correlation(classes)
    if np.isfinite(correlation):
        text += f"; Spearman's rank correlation of the two {correlation:.2f} (n = {n} classes)"
    return text


def _caption(stragglers, classes):
    """Lines: the recipe of the training, as far as the file says it, and what is shown."""
    inputs = stragglers.meta.get("inputs")
    recipe = inputs.get("training") if isinstance(inputs, dict) else None
    recipe = recipe if isinstance(recipe, dict) else {}
    facts = [f"P = {sum(one.examples for one in classes)}"]
    facts += [f"{recipe['runs']} runs"] if recipe.get("runs", 1) != 1 else []
    facts += recipe_facts(recipe).values()
    groups = [str(name) for name in stragglers.meta.get("classes") or []]
    if groups and groups != [one.name for one in classes]:
        facts.append(f"trained on {one_line(' / '.join(groups), 40)}")
    return [*wrap(", ".join(facts), CHARACTERS), *wrap(said(classes), CHARACTERS)]


def _by_share(one):
    return one.straggler_share, -one.number


def _bars(panel, shown):
    """The largest share at the top."""
    places = np.arange(len(shown))
    panel.barh(places, [one.straggler_share for one in shown], height=0.7, color=BLUE)
    panel.set_yticks(places, [one_line(one.name, LETTERS) for one in shown])
    panel.tick_params(axis="y", length=0)
    panel.set_ylim(-0.7, len(places) - 0.3)
    panel.set_xlim(left=0)
    panel.set_xlabel(SHARE)
    panel.set_ylabel("original class")


def picture(stragglers):
    """The Picture of the original classes of stragglers."""
    from strag.files.stragglers import original_classes_of
    from strag.views.classes_table import tables

    classes = original_classes_of(stragglers)
    return Picture(lambda: classwise_figure(stragglers, classes), lambda: tables(stragglers, classes))
