"""Which measures of the class manifolds turn at the inversion t*?

python measures.py OUT HISTORY... reads histories of 'strag geometry --measure all', one per data set. It
writes OUT.md, a table of the turning points of every measure over t*, and OUT.png, the curves against t / t*.
t* is the inversion of a run in the rms radius of normalised representations.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

import strag
from strag.geometry.measures import MEASURES
from strag.views.style import GREY, SMALL, WIDTH, colour, dashes, house_style, new_figure, rendered

SHOWN = ["radius", "distance"]
SHOWN += [
    "radius_h",
    "overlap",
    "participation",
    "dimension",
    "ncm",
    "nc1",
    "nc2_norms",
    "nc2_angles",
    "nc3",
    "nc4",
]
BOTH = ("participation", "dimension")  # nobody knows in which direction they should turn
ROWS = [row for name in SHOWN for row in ((name, f"-{name}") if name in BOTH else (name,))]
COLUMNS, HEIGHT = 5, 1.75  # panels in a row; inches of a row


def inversions(history, name):
    """t* of every run in the observable `name`, NaN for a run without an inversion: float64 [R].

    `-NAME` is the observable with the other sign: a peak where `name` seeks a valley.
    """
    if name.startswith("-"):
        name = name[1:]
        history = replace(history, measures={**history.measures, name: -history.measures[name]})
    found = strag.find_stragglers(history, observable=name).runs
    return np.array(
        [run.inversion.update if run.inversion.verdict == "inversion" else np.nan for run in found]
    )


def in_table(of_sets):
    """The table of turning points in Markdown.

    of_sets : dict of title to the History and a dict of name to t*, float64 [R].
    """
    rows = [f"| measure, of x or h | {' | '.join(of_sets)} |", f"|---|{'---|' * len(of_sets)}"]
    for name in ROWS:
        if not any(name in turns for _, turns in of_sets.values()):
            continue
        cells = [
            _cell(turns[name] / turns["radius"]) if name in turns else "" for _, turns in of_sets.values()
        ]
        measure = MEASURES[name.removeprefix("-")]
        turn = "valley" if measure.sign == 1 and name == measure.name else "peak"
        rows.append(f"| `{measure.name}` of {measure.space}, {turn} | {' | '.join(cells)} |")
    stars = [f"t\\* = {np.nanmean(turns['radius']):.0f}" for _, turns in of_sets.values()]
    return "\n".join([*rows, f"| | {' | '.join(stars)} |", ""])


def _cell(ratios):
    """Turning points over t*: mean, standard deviation, and the number of runs that have one."""
    known = ratios[np.isfinite(ratios)]
    if not known.size:
        return f"none of {ratios.size}"
    spread = f" +- {known.std(ddof=1):.2f}" if known.size > 1 else ""
    return f"{known.mean():.2f}{spread} ({known.size} of {ratios.size})"


def picture(of_sets):
    """The curves of every measure against t / t*, each scaled to its own range, as the bytes of a png."""
    shown = [name for name in SHOWN if any(name in turns for _, turns in of_sets.values())]
    rows = -(-len(shown) // COLUMNS)
    with house_style():
        figure = new_figure(WIDTH, HEIGHT * rows + 0.4)
        panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True).ravel()
        for panel, name in zip(panels, shown, strict=False):
            panel.axvline(1, color=GREY, linewidth=0.7)
            for number, (title, (history, turns)) in enumerate(of_sets.items()):
                _draw(
                    panel, history, turns, name, color=colour(number), linestyle=dashes(number), label=title
                )
            label = MEASURES[name].short or MEASURES[name].label
            panel.set_title(label, fontsize=SMALL, loc="left")
            panel.set(xscale="log", xlim=(0.03, 40), yticks=(0, 1))
            panel.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
        for panel in panels[len(shown) :]:
            panel.set_visible(False)
        panels[-1 - COLUMNS // 2].set_xlabel("updates t / t*")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return rendered(figure, "png", dpi=100)


def _draw(panel, history, turns, name, **look):
    """Draw the mean curve of a measure over the runs with a t*."""
    known = np.isfinite(turns["radius"])
    if name not in turns or not known.any():
        return
    shown = history.updates > 0
    curve = history.curve(name)[shown][:, known].mean(axis=1)
    scaled = (curve - curve.min()) / (curve.max() - curve.min())
    panel.plot(history.updates[shown] / turns["radius"][known].mean(), scaled, linewidth=1.1, **look)


def main():
    """Read the arguments and the histories, write the table and the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("histories", nargs="+")
    given, of_sets = parser.parse_args(), {}
    for path in given.histories:
        history = strag.read(path)
        held = [name for name in SHOWN if set(MEASURES[name].sources) <= set(history.measures)]
        names = [name for name in ROWS if name.removeprefix("-") in held]
        of_sets[Path(path).stem] = history, {name: inversions(history, name) for name in names}
    Path(f"{given.output}.md").write_text(in_table(of_sets))
    Path(f"{given.output}.png").write_bytes(picture(of_sets))


if __name__ == "__main__":
    main()
