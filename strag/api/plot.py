"""The picture that belongs to the content of a file."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from strag.api.arguments import labels_for, refuse_overwriting, require
from strag.api.outputs import renamed
from strag.api.prune import require_origin
from strag.errors import StragError, bad_usage
from strag.files.output import Output
from strag.kinds import KINDS
from strag.views.style import FORMATS, rendered


def kind_of(thing):
    """The Kind whose picture belongs to a thing, such as a History; None if it has no picture.

    A history whose networks left out sets of several kinds is a sweep.
    """
    from strag.stragglers.sweep import is_sweep

    name = type(thing).__name__.lower()
    if name == "history" and is_sweep(thing):
        name = "sweep"
    kind = KINDS.get({"finding": "stragglers"}.get(name, name))
    return kind if kind is not None and kind.views else None


def picture(things, names=None, **options):
    """The Picture of things of one kind.

    Parameters
    ----------
    things : iterable of objects that `read` returns: one or more histories, which are drawn over each other,
        or one object of another kind.
    names : names of the histories. options : those of the view of the kind.

    Raises StragError for things of several kinds, and for several things that are not histories.
    """
    things = iter(things)
    first = next(things)
    kind = kind_of(first)
    if kind is None:
        raise StragError(
            f"no picture belongs to a {type(first).__name__}", "plot a history, or what was found in one"
        )
    if kind.name == "history":
        names = (None,) if names is None else names
        same = (_same(first, thing) for thing in things)
        return kind.view().picture(itertools.chain([first], same), names, **options)
    if next(things, None) is not None:
        raise StragError(
            f"holds {kind.holds}, and a picture shows only one of these", "plot it alone", first.source
        )
    return kind.view().picture(first, **options)


def _same(first, thing):
    """Another history. Raises StragError for anything else."""
    kind = kind_of(thing)
    if kind is None or kind.name != "history":
        content = "something without a picture" if kind is None else kind.holds
        problem = f"holds {content}, but {first.source} is a history"
        raise StragError(problem, "plot one kind at a time", thing.source)
    return thing


@dataclass(frozen=True)
class Drawing:
    """A drawn picture, which a notebook shows.

    figure : matplotlib Figure.
    """

    figure: object

    def save(self, path, dpi=150):
        """Write the picture to a file whose suffix is png, svg or pdf."""
        form = Path(path).suffix.lower().removeprefix(".")
        if form not in FORMATS:
            raise bad_usage(
                "does not say by its suffix which figure to write", "end it in .png, .svg or .pdf", path
            )
        with Output(str(path)) as sink:
            with sink.writing():
                sink.file.write(rendered(self.figure, form, dpi))
            sink.commit()

    def _repr_png_(self):
        return rendered(self.figure, "png", 100)


def plot(*things, labels=None, data=None, output=None, dpi=150, **options):
    """Draw the picture that belongs to a History, or to what the other functions gave.

    Parameters
    ----------
    things : several histories, which are laid over each other, or one of anything else.
    labels : what to call each of several histories.
    data : Dataset of the training, for the images of stragglers.
    output : where to write the picture: a path that ends in png, svg or pdf. dpi : resolution of pixels.
    options : of histories x ("updates" or "error"), curves, layer and min_misclassified; of sweeps also noise
        and reference; of stragglers number and by_class; see `strag plot --help`.

    Returns
    -------
    Drawing, which a notebook shows and whose `figure` is matplotlib's.

    Raises StragError for what no picture belongs to, and where there is nothing to draw.
    """
    if not things:
        raise bad_usage("there is nothing to plot", "pass a history, or what was found in one")
    refuse_overwriting([thing for thing in things if hasattr(thing, "source")], output=output)
    options = renamed(options, {"min_misclassified": "fewest"})
    if data is not None:
        require(data, "data", "Dataset")
        require(things[0], "things", "Finding")
        require_origin(data, things[0])
        options["data"] = data
    if labels is not None:
        options["names"] = labels_for(things, labels, "labels")
    elif len(things) > 1:
        options["names"] = [thing.source for thing in things]
    drawing = Drawing(picture(things, **options).figure())
    if output is not None:
        drawing.save(output, dpi)
    return drawing
