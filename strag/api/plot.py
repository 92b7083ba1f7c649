"""The picture that belongs to the content of a file."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from strag.api import arguments as check
from strag.api.prune import require_origin
from strag.errors import StragError, bad_usage
from strag.files.output import Output
from strag.kinds import KINDS
from strag.values import checked, choice, flag, number, optional, several, whole
from strag.values import path as a_path
from strag.views.dynamics import CURVES, ERROR, UPDATES
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
    things : iterable of objects with a picture: one or more histories, which are drawn over each other, or
        one object of another kind.
    names : names of the histories. options : those of the view of the kind.

    Raises StragError for things of several kinds, and for several things that are not histories.
    """
    things = iter(things)
    first = next(things)
    kind = kind_of(first)
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
    if kind.name != "history":
        problem = f"holds {kind.holds}, but {first.source} is a history"
        raise StragError(problem, "plot one kind at a time", thing.source)
    return thing


def options_of(kind):
    """The names of the options that apply to the picture of a Kind."""
    return getattr(kind.view(), "OPTIONS", ()) if kind.views else ()


def require_options(kind, source, names, called):
    """Refuse options that apply only to pictures of another Kind.

    source : the file, for the error. called : function of the name of an option that gives its spelling.
    """
    for name in names:
        if name not in options_of(kind):
            other = next(other for other in KINDS.values() if name in options_of(other))
            problem = f"holds {kind.holds}, but {called(name)} is for {other.holds}"
            raise bad_usage(problem, f"remove {called(name)}", source)


@dataclass(frozen=True)
class Drawing:
    """A drawn picture, which a notebook shows.

    figure : matplotlib Figure.
    """

    figure: object

    def save(self, path, dpi=150):
        """Write the picture to a file whose suffix is png, svg or pdf."""
        path, dpi = a_path(path, "path"), whole(20, 600)(dpi, "dpi")
        form = Path(path).suffix.lower().removeprefix(".")
        if form not in FORMATS:
            raise bad_usage(
                "does not say by its suffix which figure to write", "end it in .png, .svg or .pdf", path
            )
        with Output(path) as sink:
            with sink.writing():
                sink.file.write(rendered(self.figure, form, dpi))
            sink.commit()

    def _repr_png_(self):
        return rendered(self.figure, "png", 100)


def _things(value, name):
    """The check of the objects of `plot`, each of which has a picture."""
    for thing in value:
        if kind_of(thing) is None:
            problem = f"`{name}` holds an object of type {type(thing).__name__}, which has no picture"
            remedy = "plot a History, a Finding, a Stability, a Comparison, a Summary, a Linearity or Scores"
            raise bad_usage(problem, remedy)
    return value


@checked(
    things=_things,
    labels=optional(check.labels),
    data=optional(check.kind("Dataset")),
    output=optional(a_path),
    dpi=whole(20, 600),
    x=optional(choice(UPDATES, ERROR)),
    curves=optional(several(choice(*CURVES), f"a tuple of {', '.join(CURVES)}", fewest=1)),
    layer=optional(check.layer),
    min_misclassified=optional(check.fewest),
    noise=optional(number(0)),
    reference=optional(check.kind("History")),
    number=optional(whole(1, 400)),
    by_class=optional(flag),
)
def plot(
    *things,
    labels=None,
    data=None,
    output=None,
    dpi=150,
    x=None,
    curves=None,
    layer=None,
    min_misclassified=None,
    noise=None,
    reference=None,
    number=None,
    by_class=None,
):
    """Draw the picture that belongs to a History, or to what the other functions gave.

    Parameters
    ----------
    things : several histories, which are laid over each other, or one of anything else.
    labels : what to call each of several histories.
    data : Dataset of the training, for the images of stragglers.
    output : where to write the picture: a path that ends in png, svg or pdf. dpi : resolution of pixels.
    x ("updates" or "error"), curves, layer (or "all"), min_misclassified : of histories, see
        `strag.views.history`; `x` also of sweeps and of a Linearity.
    noise, reference : of sweeps, see `strag.views.sweep`.
    number, by_class : of stragglers: the number of images, or whether to draw the original classes.

    Returns
    -------
    Drawing, which a notebook shows and whose `figure` is matplotlib's.

    Raises StragError for what no picture belongs to, for options of another picture, and where there is
    nothing to draw.
    """
    if not things:
        raise bad_usage("there is nothing to plot", "pass one or more Histories, or a Finding, by position")
    check.refuse_overwriting([*things, *filter(None, (data, reference))], output=output)
    options = {"x": x, "curves": curves, "layer": layer, "fewest": min_misclassified, "noise": noise}
    options |= {"reference": reference, "number": number, "by_class": by_class or None, "data": data}
    options = {name: value for name, value in options.items() if value is not None}
    names = [*options, *([] if labels is None else ["labels"])]
    require_options(kind_of(things[0]), things[0].source, names, _called)
    if by_class and not options.keys().isdisjoint(("data", "number")):
        raise bad_usage("`data` and `number` contradict `by_class`", "remove `by_class`, or both others")
    if data is not None:
        require_origin(data, things[0])
    if labels is not None:
        names = check.labels_for(things, labels, "labels")
    else:
        names = [thing.source for thing in things] if len(things) > 1 else None
    drawing = Drawing(picture(things, names, **options).figure())
    if output is not None:
        drawing.save(output, dpi)
    return drawing


def _called(name):
    """The name of a parameter of `plot`, from that of the view."""
    return f"`{'min_misclassified' if name == 'fewest' else name}`"
