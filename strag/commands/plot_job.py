"""What plot draws: for every kind of file its picture, on paper or in a terminal."""

from dataclasses import dataclass

from strag.errors import StragError, bad_usage
from strag.files.streams import name_of
from strag.kinds import KINDS, read, read_opened

ONLY_FOR = {  # the kinds that an option is for
    "x": ("history", "sweep"),
    "curves": ("history",),
    "layer": ("history", "sweep"),
    "labels": ("history",),
    "data": ("stragglers",),
    "number": ("stragglers",),
    "by_class": ("stragglers",),
    "noise": ("sweep",),
    "reference": ("sweep",),
    "fewest": ("history", "sweep"),
}
VECTORS = ("svg", "pdf")  # formats that have pixels only where a picture holds images
WITH_IMAGES = ("stragglers", "comparison")
NAMES = {
    "labels": "--label",
    "fewest": "--min-misclassified",
}  # of options that are not called as they are kept


@dataclass(frozen=True)
class Wanted:
    """What one picture is to show.

    names : what to call each of the files. notes : gets the lines to say once the picture is in its place.
    All others are as given, None or () if not.
    """

    files: tuple
    names: list
    x: str | None
    curves: tuple
    layer: int | None
    labels: tuple
    data: str | None
    number: int | None
    by_class: bool | None
    noise: float | None
    reference: str | None
    fewest: int | None
    form: str | None
    dpi: int | None
    in_terminal: bool
    notes: list


def drawn(wanted):
    """The figure that is Wanted; None where it was printed, in a terminal."""
    draw = {
        "history": _curves,
        "sweep": _sweep,
        "stragglers": _by_class if wanted.by_class else _gallery,
        "stability": _agreement,
        "comparison": _overlaps,
        "summary": _effects,
    }
    kind, first = _read(wanted.files[0])
    _refuse(kind, first.source, wanted)
    return draw[kind](first, wanted)


def _read(path):
    """The kind of a file, and the History, StragglerList, Stability or Comparison in it.

    A history whose networks left out sets of several kinds is a sweep.
    """
    from strag.files.opening import open_file
    from strag.files.stamp import with_article
    from strag.stragglers.sweep import is_sweep

    opened = open_file(path)
    kind = opened.kind
    if kind in KINDS and KINDS[kind].views:
        found = read_opened(opened)
        return "sweep" if kind == "history" and is_sweep(found) else kind, found
    opened.close()
    remedy = "plot a history ('strag train') or what find-stragglers, stability, compare or summary wrote"
    if kind == "geometry":
        remedy = "write a history with 'strag geometry -o NAME.safetensors', and plot that"
    raise StragError(f"is {with_article(kind)} file, which has no picture", remedy, name_of(path))


def _refuse(kind, source, wanted):
    """Refuse options and further files that make no sense for this kind."""
    for option, only in ONLY_FOR.items():
        if kind not in only and getattr(wanted, option) not in (None, ()):
            name = NAMES.get(option) or f"--{option.replace('_', '-')}"
            problem = f"holds {KINDS[kind].holds}, but {name} is for {KINDS[only[0]].holds}"
            raise bad_usage(problem, f"leave {name} out", source)
    if wanted.dpi is not None and wanted.form in VECTORS and (kind not in WITH_IMAGES or wanted.by_class):
        problem = f"--dpi is for pixels, of which the {wanted.form} has none"
        raise bad_usage(problem, "leave --dpi out", source)
    if kind != "history" and len(wanted.files) > 1:
        problem = f"holds {KINDS[kind].holds}, of which a picture shows one file"
        raise StragError(problem, "plot it alone", source)


def _curves(first, wanted):
    """The figure of histories; None at a terminal, where the curves are printed."""
    from strag.views.history import history_figure

    shown, x = _dynamics(first, wanted), wanted.x or "updates"
    curves = _panels(shown, x, wanted.curves)
    if wanted.in_terminal:
        return _print_curves(shown, x, curves)
    figure = history_figure(shown, x, curves)
    wanted.notes.extend(f"{one.source}: {one.explained}{one.left_out}" for one in shown)
    return figure


def _panels(shown, x, curves):
    """The curves to draw of every Dynamics, `curves` if these are given."""
    from strag.views.dynamics import ERROR, UNMEASURED, USUAL

    bare = next((one for one in shown if not one.measured), None)
    drawn = curves or (USUAL if bare is None else UNMEASURED)
    if bare is not None and drawn != UNMEASURED:
        raise bad_usage(
            "no layer was measured", "draw the training error alone, with --curves error", bare.source
        )
    if x == ERROR and ERROR in drawn:
        source = None if bare is None else bare.source
        raise bad_usage("the training error is no curve against itself", "leave --x error out", source)
    return drawn


def _dynamics(first, wanted):
    """The Dynamics of every FILE, of which the first is read."""
    from strag.views.dynamics import dynamics_of

    alone = len(wanted.files) == 1 and not wanted.labels  # goes by the name of its data
    shown = []
    for path, name in zip(wanted.files, wanted.names, strict=True):
        kind, history = _read(path) if shown else ("history", first)
        if kind != "history":
            problem = f"holds {KINDS[kind].holds}, but {first.source} is a history"
            raise StragError(problem, "plot one kind at a time", history.source)
        shown.append(dynamics_of(history, wanted.layer, None if alone else name, _fewest(wanted)))
    return shown


def _fewest(wanted):
    from strag.stragglers.inversion import FEWEST

    return wanted.fewest or FEWEST


def _print_curves(shown, x, curves):
    import os
    import shutil
    import sys

    from strag.files.streams import send_to_stdout
    from strag.views.terminal import history_text

    coloured = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    text = history_text(shown, x, *shutil.get_terminal_size(), coloured, curves)
    send_to_stdout([f"{text}\n".encode(sys.stdout.encoding or "utf-8", "replace")])


def _sweep(history, wanted):
    """The figure of a sweep; None at a terminal, where its table is printed."""
    from strag.stragglers.sweep import DOSE, baseline_of, sweep_of
    from strag.views.sweep import sweep_figure
    from strag.views.sweep_table import show, sweep_lines

    sweep, baseline = sweep_of(history, wanted.layer, wanted.noise, _fewest(wanted)), None
    if wanted.x is not None and sweep.by == DOSE:
        raise bad_usage(
            "holds a sweep over doses, but --x is for one over updates", "leave --x out", history.source
        )
    if wanted.reference is not None:
        whole = read(wanted.reference, "history")
        whole.require_layers("leave --reference out")
        baseline = baseline_of(sweep, whole, _fewest(wanted))
    if wanted.in_terminal:
        return show(sweep, baseline)
    wanted.notes.extend(f"{history.source}: {line}" for line in sweep_lines(sweep, baseline))
    return sweep_figure(sweep, wanted.x or "updates", baseline)


def _gallery(stragglers, wanted):
    from strag.commands.options import read_data, require_origin
    from strag.views.gallery import NUMBER, flipped_among, gallery, layout_of
    from strag.words import number_of

    if wanted.data is None:
        raise bad_usage(
            "holds stragglers, but no images",
            "add --data DATA, the dataset of the training, or --by-class",
            stragglers.source,
        )
    if wanted.in_terminal:
        raise bad_usage(
            "is a terminal, which shows no images", "write the gallery to a file with -o FILE", "stdout"
        )
    images, name = read_data(wanted.data), name_of(wanted.data)
    require_origin(images, name, stragglers)
    layout = layout_of(images.x.shape[1:])
    if layout:
        drawn = f"rows of {images.features} numbers are drawn as {layout[0]} x {layout[1]}"
        drawn += ", each column scaled by its smallest and largest value" if layout[0] == 1 else ""
        wanted.notes.append(f"{name}: {drawn}")
    try:
        figure = gallery(images, stragglers, wanted.number or NUMBER)
    except StragError as error:
        raise error.about(name) from None
    if images.y_true is not None:
        flipped, shown = flipped_among(images, stragglers, wanted.number or NUMBER)
        have = "has a flipped label" if flipped == 1 else "have flipped labels"
        wanted.notes.append(f"{name}: {flipped} of the {number_of(shown, 'example')} shown {have}")
    return figure


def _by_class(stragglers, wanted):
    """The figure of original classes; None at a terminal, where their table is printed."""
    from strag.files.stragglers import original_classes_of
    from strag.views.classes_table import show
    from strag.views.original_classes import classwise_figure

    classes = original_classes_of(stragglers)
    return show(stragglers, classes) if wanted.in_terminal else classwise_figure(stragglers, classes)


def _agreement(found, wanted):
    """The figure of a Stability; None at a terminal, where its table is printed."""
    from strag.commands.stability import show
    from strag.views.stability import stability_figure

    return show(found) if wanted.in_terminal else stability_figure(found)


def _overlaps(found, wanted):
    """The figure of a Comparison; None at a terminal, where its table is printed."""
    from strag.commands.compare import show
    from strag.views.comparison import comparison_figure

    return show(found) if wanted.in_terminal else comparison_figure(found)


def _effects(found, wanted):
    """The figure of a Summary; None at a terminal, where its table is printed."""
    from strag.commands.summary import show
    from strag.views.summary import summary_figure

    return show(found) if wanted.in_terminal else summary_figure(found)
