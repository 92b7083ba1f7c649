"""Original classes as a figure and a table: how often their examples straggle, and their test errors."""

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

LOWEST, ROW = 3.0, 0.19  # inches: least height of the figure, and height of the row of a class
LETTERS = 16  # most letters of a class name
DOT = 4  # points, diameter
SHARE = "share of the class that straggles"


def original_classes_figure(finding):
    """Draw the straggler shares of the original classes as bars and, if known, the test errors against them.

    Parameters
    ----------
    finding : Finding with original classes.

    Returns
    -------
    matplotlib.figure.Figure

    Raises StragError if no class has a share, because no run has a set of stragglers.
    """
    classes = finding.original_classes
    shown = sorted((each for each in classes if np.isfinite(each.straggler_share)), key=_by_share)
    if not shown:
        problem = f"holds no set of stragglers to show (its verdict is '{finding.verdict}')"
        remedy = "find the stragglers at another moment with `at`"
        raise StragError(problem, remedy, finding.source)
    tested = [each for each in shown if np.isfinite(each.test_error)]
    with house_style():
        figure = new_figure(WIDTH, max(LOWEST, 1.2 + ROW * len(shown)))
        panels = np.atleast_1d(figure.subplots(1, 2 if tested else 1))
        _bars(panels[0], shown)
        if tested:
            places = np.array([(each.straggler_share, each.test_error) for each in tested])
            panels[1].set_xlabel(SHARE)
            panels[1].set_ylabel("test error of the class")
            panels[1].margins(0.12)
            panels[1].plot(*places.T, "o", color=VERMILION, markersize=DOT)
        heading = f"{one_line(finding.meta.get('title') or 'stragglers')}: stragglers of each class"
        heading += " and its test error" if tested else ""
        entitle(panels[0], heading, _caption(finding))
        if tested:
            names = [one_line(each.name, LETTERS) for each in tested]
            write_names(panels[1], places, names, DOT)
    return figure


def tables(finding):
    """Return the original classes of a Finding as a list of one Table."""
    headings = ("examples", "stragglers", "share", "test error", "at t*")
    columns = [("class", "left"), *((heading, "right") for heading in headings)]
    rows = [
        (
            each.name,
            str(each.examples),
            str(each.stragglers),
            *(
                as_cell(value, 4)
                for value in (each.straggler_share, each.test_error, each.test_error_at_inversion)
            ),
        )
        for each in finding.original_classes
    ]
    return [Table(finding.meta.get("title"), columns, rows, f"share and test error: {sentence(finding)}")]


def sentence(finding):
    """Return one line: over what share and test error are means, and their rank correlation if known."""
    text = "mean over runs"
    correlation, n = rank_correlation(finding.original_classes)
    if np.isfinite(correlation):
        text += f"; Spearman's rank correlation of the two {correlation:.2f} (n = {n} classes)"
    return text


def _caption(finding):
    """Return the lines of the caption: the recipe of the training, as far as it is known, and `sentence`."""
    classes, recipe = finding.original_classes, finding.training
    facts = [f"P = {sum(each.examples for each in classes)}"]
    runs = recipe.get("runs", finding.summary.runs or 1)
    facts += [f"{runs} runs"] if runs != 1 else []
    facts += recipe_facts(recipe, finding.recording).values()
    groups = [str(name) for name in finding.meta.get("classes") or []]
    if groups and groups != [each.name for each in classes]:
        facts.append(f"trained on {one_line(' / '.join(groups), 40)}")
    return [*wrap(", ".join(facts), CHARACTERS), *wrap(sentence(finding), CHARACTERS)]


def _by_share(original_class):
    """Return the key that sorts classes by share, and classes of equal share by falling number."""
    return original_class.straggler_share, -original_class.number


def _bars(panel, shown):
    """Draw the shares of the classes as horizontal bars, the largest at the top."""
    places = np.arange(len(shown))
    panel.barh(places, [each.straggler_share for each in shown], height=0.7, color=BLUE)
    panel.set_yticks(places, [one_line(each.name, LETTERS) for each in shown])
    panel.tick_params(axis="y", length=0)
    panel.set_ylim(-0.7, len(places) - 0.3)
    panel.set_xlim(left=0)
    panel.set_xlabel(SHARE)
    panel.set_ylabel("original class")


def picture(finding):
    """Return the Picture of the original classes of a Finding.

    Raises StragError if the Finding has no original classes.
    """
    finding.require_original_classes()
    return Picture(lambda: original_classes_figure(finding), lambda: tables(finding))
