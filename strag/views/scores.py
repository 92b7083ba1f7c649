"""Scores of examples as a figure, a table and a sentence: which examples expand their groups?"""

from textwrap import wrap

import numpy as np

from strag.views.axes import entitle
from strag.views.captions import one_line, recipe_facts
from strag.views.picture import Picture
from strag.views.style import BLUE, CHARACTERS, GREY, INK, VERMILION, WIDTH, house_style, new_figure
from strag.views.table import Table, as_cell
from strag.words import number_of

HEIGHT = 3.5  # inches
BINS = 50
STRAGGLERS, OTHERS, ALL = "stragglers", "others", "all examples"
COLOURS = {STRAGGLERS: VERMILION, OTHERS: BLUE, ALL: INK}


def scores_figure(scores):
    """Draw the cumulative shares of the stragglers and of the others, and the distribution of the shares.

    On the left, the examples of a run are sorted by their share, the largest first. Each line, one per run,
    rises over the examples that expand their groups and falls over those that contract them, and ends at the
    part of all of them in the change of R^2, the mean over the groups. A dot marks the mean over the runs.
    Without stragglers, the lines are those of all examples. On the right are the distributions of the parts
    of single examples, over all runs.

    Parameters
    ----------
    scores : Scores.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.lines import Line2D

    with house_style():
        figure = new_figure(WIDTH, HEIGHT)
        left, right = figure.subplots(1, 2)
        for name, lines in _cumulated(scores).items():
            for number, (share, total) in enumerate(lines):
                look = {"color": COLOURS[name], "linewidth": 0.8, "alpha": 0.7}
                left.plot(share, total, label=None if number else name, **look)
            ends = np.mean([(share[-1], total[-1]) for share, total in lines], axis=0)
            left.plot(*ends, "o", color=COLOURS[name], markersize=5, markeredgecolor="white", zorder=3)
        left.set_xlabel("share of the examples, most expanding first")
        left.set_ylabel("part in the change of R²")
        _histogram(right, scores)
        for panel in (left, right):
            at_zero = panel.axhline if panel is left else panel.axvline
            at_zero(0, color=GREY, linewidth=0.6, zorder=0)
        left.set_xlim(0, 1)
        entitle(left, _heading(scores), wrap(_caption(scores), CHARACTERS))
        handles, labels = left.get_legend_handles_labels()
        if len(scores.runs) > 1:
            handles.append(Line2D([], [], color=GREY, marker="o", linestyle="none", markersize=5))
            labels.append("mean over runs")
        figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure


def _groups(scores):
    """The examples that are drawn together: dict of name to bool [R, P], without those not trained on."""
    trained, members = ~np.isnan(scores.of_runs), scores.members
    if members is None:
        return {ALL: trained}
    return {STRAGGLERS: members & trained, OTHERS: trained & ~members}


def _cumulated(scores):
    """The cumulative shares of the examples of each run: dict of name to a list of two arrays per run."""
    trained, lines = ~np.isnan(scores.of_runs), {}
    for name, members in _groups(scores).items():
        lines[name] = []
        for run, chosen in enumerate(members):
            shares = np.sort(scores.of_runs[run, chosen].astype(np.float64))[::-1]
            count = np.arange(shares.size + 1) / trained[run].sum()
            total = np.concatenate([[0], np.cumsum(shares)]) / scores.classes[run]
            lines[name].append((count, total))
    return lines


def _histogram(panel, scores):
    """Draw the densities of P times the part of an example in the change of R^2.

    Such a value is the change of R^2 that would result if the parts of all examples were equal to this one.
    """
    scale = (~np.isnan(scores.of_runs)).sum(axis=1) / np.asarray(scores.classes)
    values = scores.of_runs.astype(np.float64) * scale[:, None]
    low, high = np.nanmin(values), np.nanmax(values)
    edges = np.linspace(low, high, BINS + 1) if low < high else np.array([low - 0.5, low + 0.5])
    for name, members in _groups(scores).items():
        if members.any():
            look = {"histtype": "step", "color": COLOURS[name], "linewidth": 1.2}
            panel.hist(values[members], edges, density=True, **look)
    panel.set_xlabel("P × part of an example in the change of R²")
    panel.locator_params(axis="x", nbins=7)
    panel.set_ylabel("density")


def _heading(scores):
    """The headline: how R^2 changes, and by whom."""
    title, change = one_line(scores.meta.get("title") or "scores"), scores.summary["change"]["mean"]
    parts = scores.division
    if parts is None:
        return f"{title}: R² changes by {change:+.3g}"
    return (
        f"{title}: R² changes by {change:+.3g}; stragglers {parts['stragglers']['mean']:+.3g}, "
        f"others {parts['others']['mean']:+.3g}"
    )


def _caption(scores):
    """The caption: the states, the runs, the stragglers and the recipe."""
    runs = number_of(len(scores.runs), "run")
    facts = [f"t = {_states(scores)}", runs, *_sets(scores), *recipe_facts(_training(scores)).values()]
    return ", ".join(facts)


def _training(scores):
    """The recipe of the training: dict."""
    inputs = scores.meta.get("inputs") or {}
    return inputs.get("training") or {}


def _sets(scores):
    """Whose stragglers they are, in words: list of str, empty without stragglers."""
    if scores.division is None:
        return []
    share = 100 * scores.division["share_of_examples"]["mean"]
    return [f"{share:.2g} % stragglers, {'of most runs' if scores.own is None else 'of each run'}"]


def _states(scores):
    """The updates of both states as text: `74 to 500`, with the range over the runs where they differ."""
    return " to ".join(_range_of(run[end] for run in scores.meta["combined"]) for end in ("from", "to"))


def _range_of(updates):
    """One update, or the smallest and the largest of several, as text."""
    updates = sorted(set(updates))
    return "-".join(str(update) for update in dict.fromkeys((updates[0], updates[-1])))


def picture(scores):
    """Return the Picture of Scores."""
    return Picture(lambda: scores_figure(scores), lambda: tables(scores))


def tables(scores):
    """Return Scores as a list of one Table, with a row for every run."""
    headings = ["run", "from", "to", "change of R²"]
    division = scores.division
    key = "consensus" if scores.own is None else "own"
    if division is not None:
        headings += ["stragglers", "their part", "others' part"]
    rows = []
    for run in scores.meta["combined"]:
        cells = [str(run["run"]), str(run["from"]), str(run["to"]), f"{run['change']:+.4f}"]
        if division is not None:
            parts = run[key]
            cells += [
                str(parts["examples"]),
                f"{parts['stragglers']:+.4f}",
                f"{parts['others']:+.4f}",
            ]
        rows.append(tuple(cells))
    title = scores.meta.get("title")
    return [Table(title, [(heading, "right") for heading in headings], rows, sentence(scores))]


def sentence(scores):
    """Return one line: the change of R^2, the parts of the stragglers and of the others, and their ranges."""
    change, parts = scores.summary["change"], scores.division
    runs = number_of(len(scores.runs), "run")
    line = f"R^2 changes by {_with_range(change)} from update {_states(scores)} ({runs})"
    if parts is not None:
        number, share = parts["examples"]["mean"], 100 * parts["share_of_examples"]["mean"]
        whose = "of most runs" if scores.own is None else "of each run"
        line += f"; stragglers {whose} ({as_cell(number, 0)}, {share:.2g} %): "
        line += f"{_with_range(parts['stragglers'])}, others: {_with_range(parts['others'])}"
    left_out = scores.meta.get("left_out") or ()
    if left_out:
        reasons = dict.fromkeys(run["reason"] for run in left_out)
        line += f"; {number_of(len(left_out), 'run')} left out: {', '.join(reasons)}"
    return line


def _with_range(values):
    """A mean with the smallest and the largest value as text."""
    mean, low, high = (f"{values[name]:+.4f}" for name in ("mean", "smallest", "largest"))
    return mean if low == high else f"{mean} ({low} to {high})"
