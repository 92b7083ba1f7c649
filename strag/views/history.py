"""The figure of histories: measured curves against updates or the training error."""

from dataclasses import replace
from textwrap import wrap

import numpy as np

from strag.errors import bad_usage
from strag.geometry.measures import MEASURES
from strag.stragglers.inversion import FEWEST
from strag.views.axes import MARK, MOST_TICKS, entitle, label_horizontal, legend_columns, marker
from strag.views.captions import LONGEST_LAYER, caption, heading, one_line
from strag.views.dynamics import (
    AXES,
    ERROR,
    UNMEASURED,
    UPDATES,
    USUAL,
    distinguished,
    dynamics_of,
    mean_and_spread,
    of_classes,
)
from strag.views.picture import Picture
from strag.views.style import (
    BAND,
    CHARACTERS,
    GREY,
    INK,
    WIDTH,
    colour,
    dashes,
    house_style,
    new_figure,
    overlaid_dashes,
)
from strag.words import layer_in_words

OPTIONS = ("x", "curves", "layer", "labels", "fewest")  # of a picture of histories
HEIGHT = 2.95  # inches, without the legend and the recipe
ROW = 0.18  # inches, a row of the legend or the recipe
MOST_CLASSES = 10  # that have a colour and a legend entry of their own
MINIMUM = {"marker": "o", "markersize": 5, "markeredgecolor": "white", "linestyle": "", "zorder": 4}
RADIUS = "radius"
ALL = "all"  # of the layers of a history
MOST_BANDED_CLASSES, MOST_BANDED_HISTORIES = 3, 6  # with bands that a reader can distinguish
UNDERMOST = {"linewidth": 3.2, "alpha": 0.5}  # look of the first of several histories, which others may cover
MOST_OF_SEVERAL = {3: 5, 4: 3}  # ticks on the horizontal axis, by number of panels


def history_figure(shown, x=UPDATES, curves=USUAL):
    """Draw histories, with one panel per curve, and mark their inversions in every panel.

    One history is drawn with a curve for every class, where classes have one, and with the mean over the
    classes. Several histories share the panels. Each has its own colour, and no curves for single classes.

    Parameters
    ----------
    shown : list of Dynamics with these curves.
    x : `updates`, or `error` for the training error, which falls to the right. Both axes are logarithmic.
    curves : names in `strag.views.dynamics.CURVES`, from left to right.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        figure = new_figure(WIDTH, HEIGHT)
        panels = dict(zip(curves, figure.subplots(1, len(curves), squeeze=False)[0], strict=True))
        alone = len(shown) == 1
        handles = _one(panels, shown[0], x) if alone else _several(panels, shown, x)
        _label_axes(panels, shown, x)
        lines = _entitle(panels[curves[0]], shown)
        labels = [handle.get_label() for handle in handles]
        columns = legend_columns(labels) if alone else 1
        rows = -(-len(handles) // columns) + sum(label.count("\n") for label in labels)
        figure.set_size_inches(WIDTH, HEIGHT + ROW * (lines + rows))
        if handles:
            figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    return figure


def _entitle(panel, shown):
    """Write the headline and the recipe above the left panel. Returns the number of lines of the recipe."""
    recipe = wrap(caption(shown), CHARACTERS)
    entitle(panel, heading(shown), recipe)
    return len(recipe)


def _one(panels, dynamics, x):
    """Draw one history, with the curves of its classes if any. Returns the handles of the legend."""
    with_classes = [name for name in panels if of_classes(name)]
    handles_of_panels = [
        _of_classes(panels[name], dynamics, dynamics.by_class[name], x) for name in with_classes
    ]
    handles = handles_of_panels[0] if handles_of_panels else []
    lines = {
        name: _curve(panel, dynamics, dynamics.curves[name], x, color=INK, linewidth=1.8)
        for name, panel in panels.items()
    }
    if with_classes:  # the panels share the legend
        means = dict.fromkeys(MEASURES[name].mean for name in with_classes)
        lines[with_classes[0]].set_label(f"{' or '.join(means)} over classes")
        handles.append(lines[with_classes[0]])
    if dynamics.runs_shown > 1:
        handles.append(_band_handle(f"± 1 s.d. over {dynamics.runs_shown} runs"))
    if RADIUS in with_classes and _mark_minima(panels[RADIUS], dynamics, x):
        handles.append(_minimum_handle())
    if _mark(panels, dynamics, x, INK):
        handles.append(_mark_handle())
    return handles


def _of_classes(panel, dynamics, by_class, x):
    """Draw the curves of the classes, by_class: float64 [T, R, C]. Returns the handles of the legend."""
    several = len(dynamics.classes) > MOST_CLASSES
    handles = []
    for number, name in enumerate(dynamics.classes):
        values = by_class[:, :, number]
        if not np.isfinite(values[dynamics.recorded]).all():
            continue  # a class without examples
        look = {"color": GREY, "linewidth": 0.6, "alpha": 0.6} if several else {"color": colour(number)}
        look["linestyle"] = "-" if several else dashes(number)
        line = _curve(panel, dynamics, values, x, len(dynamics.classes) <= MOST_BANDED_CLASSES, **look)
        line.set_label(f"each of {len(dynamics.classes)} classes" if several else _class_label(name))
        handles = [line] if several else [*handles, line]
    return handles


def _mark_minima(panel, dynamics, x):
    """Draw a dot at the minimum of the radius of each class, which may turn at another time than the mean.

    The minimum is that of the mean over runs. A curve that is lowest at its first or last record has no dot,
    and none has one if there are more than MOST_CLASSES. Returns whether there is a dot.
    """
    if len(dynamics.classes) > MOST_CLASSES:
        return False
    places, records = dynamics.axis(x)
    marked = False
    for number in range(len(dynamics.classes)):
        values = dynamics.by_class[RADIUS][records, :, number]
        mean, _ = mean_and_spread(values, dynamics.recorded[records])
        if not np.isfinite(mean).all() or not 0 < (lowest := int(mean.argmin())) < len(mean) - 1:
            continue
        panel.plot(places[lowest], mean[lowest], color=colour(number), **MINIMUM)
        marked = True
    return marked


def _minimum_handle():
    """Return the legend entry of the dots at the minima of the classes."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=GREY, label="minimum of each class", **MINIMUM)


def _several(panels, shown, x):
    """Draw several histories. Returns the handles of the legend."""
    banded = len(shown) <= MOST_BANDED_HISTORIES
    handles = [_overlaid(panels, dynamics, x, number, banded) for number, dynamics in enumerate(shown)]
    fewest, most = (extreme(dynamics.runs_shown for dynamics in shown) for extreme in (min, max))
    if banded and most > 1:
        runs = str(most) if fewest == most else f"{fewest} to {most}"
        handles.append(_band_handle(f"± 1 s.d. over {runs} runs"))
    if any(dynamics.inversion for dynamics in shown):
        handles.append(_mark_handle())
    return handles


def _overlaid(panels, dynamics, x, number, banded):
    """Draw one of several histories. Returns its handle for the legend."""
    look = {
        "color": colour(number),
        "linestyle": overlaid_dashes(number),
        **(UNDERMOST if number == 0 else {}),
    }
    for name, panel in panels.items():
        line = _curve(panel, dynamics, dynamics.curves[name], x, banded, **look)
    _mark(panels, dynamics, x, look["color"])
    label = f"{dynamics.label}: {dynamics.sentence}{dynamics.left_out}"
    line.set_label("\n".join(wrap(label, CHARACTERS)))
    return line


def _curve(panel, dynamics, values, x, banded=True, **look):
    """Draw the mean over the runs that still train, and a band of one standard deviation on either side.

    Returns the line.
    """
    places, records = dynamics.axis(x)
    mean, spread = mean_and_spread(values[records], dynamics.recorded[records])
    (line,) = panel.plot(places, mean, marker=marker(places.size), **look)
    if banded and dynamics.runs_shown > 1:
        panel.fill_between(places, mean - spread, mean + spread, color=look["color"], alpha=BAND, linewidth=0)
    return line


def _mark(panels, dynamics, x, ink):
    """Draw a vertical line at the inversion into every panel. Returns whether there is an inversion."""
    if dynamics.inversion is None:
        return False
    for panel in panels.values():
        panel.axvline(dynamics.inversion[x], color=ink, zorder=1, **MARK)
    return True


def _mark_handle():
    """Return the legend entry of the lines at inversions."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=INK, label="inversion of the rms radius", **MARK)


def _band_handle(text):
    """Return the legend entry of the bands."""
    from matplotlib.patches import Patch

    return Patch(facecolor=GREY, alpha=2 * BAND, linewidth=0, label=text)


def _label_axes(panels, shown, x):
    """Label the axes of all panels."""
    values = np.concatenate([dynamics.axis(x)[0] for dynamics in shown])
    for name, panel in panels.items():
        panel.set_ylabel(_label(name, shown))
        label_horizontal(panel, values, x, MOST_OF_SEVERAL.get(len(panels), MOST_TICKS))


def _label(name, shown):
    """Return the label of the vertical axis of a curve.

    The label says over what the curve is a mean, unless the legend says so.
    """
    if name == ERROR:
        return AXES[ERROR]
    measure = MEASURES[name]
    numbers = {len(dynamics.classes) * (len(dynamics.classes) - 1) // 2 for dynamics in shown}
    domain = {"class": "" if len(shown) == 1 else "classes", "pair": _pairs(numbers), None: ""}[measure.axis]
    return measure.title + (f"\n({measure.mean} over {domain})" if domain else "")


def _pairs(numbers):
    """Return the number of pairs of classes in words: empty if it is 1, without a number if histories differ.

    numbers : set of the numbers of pairs that the histories have.
    """
    if len(numbers) > 1:
        return "pairs"
    (number,) = numbers
    return "" if number == 1 else f"{number} pairs"


def _class_label(name):
    """Return the legend entry of a class: `class 3` for a name that begins with a digit."""
    return f"class {name}" if name[:1].isdigit() else name


def picture(histories, names=(None,), x=UPDATES, curves=(), layer=None, fewest=FEWEST):
    """Return the Picture of one history, or of several in the same panels.

    histories : iterable of History; only one of them is in memory at a time. names : the label of each
    history, or None for the name of its data set. x, curves : see `history_figure`. layer, fewest : see
    `dynamics_of`; if `layer` is "all", the layers of one history are drawn like several histories.

    Raises StragError if a curve cannot be drawn, and for all layers of several histories.
    """
    requested, named = curves or USUAL, zip(histories, names, strict=True)
    if layer == ALL:
        shown = _of_layers(list(named), fewest, requested)
    else:
        shown = [dynamics_of(history, layer, name, fewest, requested) for history, name in named]
        shown = distinguished(shown)
    curves = _curves_of(shown, x, curves)

    def text(columns, lines, coloured):
        from strag.views.terminal import history_text

        return history_text(shown, x, columns, lines, coloured, curves)

    return Picture(
        lambda: history_figure(shown, x, curves),
        text=text,
        notes=tuple(_note(dynamics, layer == ALL) for dynamics in shown),
    )


def _note(dynamics, is_of_layer):
    """Return the file and the inversion of a Dynamics in one line, with its label if it is one of layers."""
    subject = f"{dynamics.source}: {dynamics.label}" if is_of_layer else dynamics.source
    recorded = dynamics.recorded_how and f"; {dynamics.recorded_how}"
    return f"{subject}: {dynamics.explained}{dynamics.left_out}{recorded}"


def _of_layers(named, fewest, curves):
    """Return the Dynamics of every layer of the only one of `named`, pairs of a History and its label."""
    if len(named) > 1:
        problem = f"`layer` all draws the layers of one history, but there are {len(named)}"
        raise bad_usage(problem, "plot one history, or use one layer")
    ((history, name),) = named
    history.require_layers("remove `layer`")
    shown = [dynamics_of(history, layer, name, fewest, curves) for layer in history.layers]
    if len(shown) == 1:
        return shown
    labels = [
        f"{name}, {layer_in_words(layer)}" if name else layer_in_words(layer) for layer in history.layers
    ]
    return [
        replace(dynamics, label=one_line(label, LONGEST_LAYER))
        for dynamics, label in zip(shown, labels, strict=True)
    ]


def _curves_of(shown, x, curves):
    """Return the names of the curves to draw: `curves`, or the default if these are empty.

    Raises StragError if a history has no measured layer but a curve needs one, and if the training error is
    both a curve and the horizontal axis.
    """
    unmeasured = next((dynamics for dynamics in shown if not dynamics.measured), None)
    drawn = curves or (USUAL if unmeasured is None else UNMEASURED)
    if unmeasured is not None and drawn != UNMEASURED:
        raise bad_usage(
            "no layer was measured", "draw the training error alone with `curves` error", unmeasured.source
        )
    if x == ERROR and ERROR in drawn:
        source = None if unmeasured is None else unmeasured.source
        raise bad_usage("cannot draw the training error against itself", "remove `x` error", source)
    return drawn
