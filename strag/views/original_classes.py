"""Original classes as a figure and a table: which straggle, and which are hard to generalise to."""

from textwrap import wrap

import numpy as np

from strag.errors import StragError
from strag.stragglers.original_classes import rank_correlation
from strag.views.axes import entitle
from strag.views.captions import one_line, recipe_facts
from strag.views.names import write_names
from strag.views.picture import Picture
from strag.views.style import BLUE, CHARACTERS, VERMILION, WIDTH, house_style, new_figure
from strag.views.table import Table, as_cell

LOWEST, ROW = 3.0, 0.19  # inches: of the figure, and of one class in it
LETTERS = 16  # of a class's name
DOT = 4  # points, diameter
SHARE = "share of the class that straggles"


def original_classes_figure(finding):
    """Straggler shares of the original classes as bars, and against their test errors, where these are known.

    Parameters
    ----------
    finding : Finding with original classes.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError where no class has a share, because no run has a set.
    """
    shown = sorted(
        (one for one in finding.original_classes if np.isfinite(one.straggler_share)), key=_by_share
    )
    if not shown:
        problem = f"holds no set of stragglers to show (its verdict is '{finding.verdict}')"
        remedy = "find the stragglers at another moment with `at`"
        raise StragError(problem, remedy, finding.source)
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
        heading = f"{one_line(finding.meta.get('title') or 'stragglers')}: stragglers of each class"
        heading += " and its test error" if both else ""
        entitle(panels[0], heading, _caption(finding))
        if both:
            names = [one_line(one.name, LETTERS) for one in both]
            write_names(panels[1], places, names, DOT)
    return figure


def tables(finding):
    """The original classes of a Finding as a list of one Table."""
    headings = ("examples", "stragglers", "share", "test error", "at t*")
    columns = [("class", "left"), *((heading, "right") for heading in headings)]
    rows = [
        (
            one.name,
            str(one.examples),
            str(one.stragglers),
            *(
                as_cell(value, 4)
                for value in (one.straggler_share, one.test_error, one.test_error_at_inversion)
            ),
        )
        for one in finding.original_classes
    ]
    return [Table(finding.meta.get("title"), columns, rows, f"share and test error: {sentence(finding)}")]


def sentence(finding):
    """What share and test error of original classes are, in words, and their rank correlation."""
    text = "mean over runs"
    correlation, n = rank_correlation(finding.original_classes)
    if np.isfinite(correlation):
        text += f"; Spearman's rank correlation of the two {correlation:.2f} (n = {n} classes)"
    return text


def _caption(finding):
    """Lines: the recipe of the training, as far as the file says it, and what is shown."""
    classes, recipe = finding.original_classes, finding.training
    facts = [f"P = {sum(one.examples for one in classes)}"]
    facts += [f"{recipe['runs']} runs"] if recipe.get("runs", 1) != 1 else []
    facts += recipe_facts(recipe).values()
    groups = [str(name) for name in finding.meta.get("classes") or []]
    if groups and groups != [one.name for one in classes]:
        facts.append(f"trained on {one_line(' / '.join(groups), 40)}")
    return [*wrap(", ".join(facts), CHARACTERS), *wrap(sentence(finding), CHARACTERS)]


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


def picture(finding):
    """The Picture of the original classes of a Finding."""
    finding.require_original_classes()
    return Picture(lambda: original_classes_figure(finding), lambda: tables(finding))
